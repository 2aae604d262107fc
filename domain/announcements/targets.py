"""Whom an announcement reaches, and how it will look: read before it goes out, and again at the moment it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import aliased

from core.clock import in_china
from core.messages import ChatKind
from domain import conventions
from domain.announcements.life import compose
from domain.announcements.planning import Plan, is_planned, next_in_future, plan_of, times
from domain.customer_groups.showing import count_by_hand
from storage.announcements import Announcement, AnnouncementState
from storage.areas import Area, Community
from storage.base import Session
from storage.chats import Chat, ChatPurpose, ChatState
from storage.people import Account, Duty, PrivateChat


@dataclass(frozen=True, slots=True)
class Preview:
    """What will be posted, in which groups, to how many people in private, and when the next five reach them.

    `unreachable` people have one of the roles but no private chat in which the bot may write. In `by_hand` of the groups it comes
    when their owner sends it.
    """

    text: str
    chats: tuple[tuple[int, str], ...]
    people: int
    unreachable: int
    times: tuple[datetime, ...]
    by_hand: int = 0


def targets(session: Session, announcement: Announcement, *, now: datetime) -> Sequence[Chat]:
    """Each chat it goes to, once; groups by title, then private chats.

    These are residents' groups bound to a chosen area or below it, groups chosen themselves, and one private chat for each
    person who holds a chosen role today. Groups that the bot has left or that staff have paused, and people it may not write to, are not among them.
    """
    query = select(Chat).where(are_targets(announcement, in_china(now).date()))
    return session.scalars(query.order_by(Chat.kind, Chat.title, Chat.id)).all()


def are_targets(announcement: Announcement, today: date) -> ColumnElement[bool]:
    """The same as a condition on Chat, for a statement that posts to all of them."""
    groups = and_(
        Chat.community_id == announcement.community_id,
        Chat.kind == ChatKind.GROUP,
        Chat.state == ChatState.BOUND,
        Chat.posts_paused_at.is_(None),
        or_(_lie_in(announcement), Chat.id.in_([int(key) for key in announcement.chat_ids])),
    )
    return or_(groups, Chat.id.in_(_private_chats(announcement, today))) if announcement.roles else groups


def _lie_in(announcement: Announcement) -> ColumnElement[bool]:
    if not announcement.area_ids:
        return false()
    chosen = aliased(Area)
    covered = (
        select(Area.id)
        .join(chosen, Area.path.startswith(chosen.path))
        .where(chosen.id.in_([int(key) for key in announcement.area_ids]))
    )
    return and_(Chat.purpose == ChatPurpose.RESIDENTS, Chat.area_id.in_(covered))


def _holders(announcement: Announcement, today: date) -> Select[int]:
    return select(Duty.person_id).where(
        Duty.community_id == announcement.community_id,
        Duty.role.in_(announcement.roles),
        Duty.from_on <= today,
        or_(Duty.until_on.is_(None), Duty.until_on >= today),
    )


def _private_chats(announcement: Announcement, today: date) -> Select[int]:
    """One for each person, even when they can be written to on two channels."""
    return (
        select(func.min(Chat.id))
        .join(Account, (Account.person_id == Chat.person_id) & (Account.channel == Chat.channel))
        .where(
            Chat.kind == ChatKind.PRIVATE,
            Chat.state == ChatState.BOUND,
            Account.private_chat == PrivateChat.OPEN,
            Chat.person_id.in_(_holders(announcement, today)),
        )
        .group_by(Chat.person_id)
    )


def preview(session: Session, announcement: Announcement, *, now: datetime, plan: Plan | None = None) -> Preview:
    """How it will go out; by its own schedule, or by a plan that has not been saved yet."""
    today = in_china(now).date()
    chats = targets(session, announcement, now=now)
    groups = tuple((chat.id, chat.title) for chat in chats if chat.kind == ChatKind.GROUP)
    people = len(chats) - len(groups)
    holders = _holders(announcement, today).distinct().subquery()
    wanted = session.scalar(select(func.count()).select_from(holders)) or 0
    planned = plan or _own_plan(announcement, now)
    community = session.get_one(Community, announcement.community_id)
    return Preview(
        text=next_text(session, announcement),
        chats=groups,
        people=people,
        unreachable=wanted - people,
        times=times(planned, community) if planned else (),
        by_hand=count_by_hand(session, [key for key, _ in groups]),
    )


def next_text(session: Session, announcement: Announcement) -> str:
    """What the next post says; empty for a rotation while no clause is active."""
    if not announcement.is_clause_rotation:
        return compose(announcement)
    clause = conventions.next_clause(session, announcement.community_id)
    return conventions.post_text(session, clause) if clause else ""


def _own_plan(announcement: Announcement, now: datetime) -> Plan | None:
    if not is_planned(announcement):
        return None
    planned = plan_of(announcement)
    if planned is None or announcement.state == AnnouncementState.SCHEDULED:
        return planned
    # Paused: as if it were resumed now.
    following = next_in_future(announcement, now)
    return Plan(following, planned.rule, planned.ends_at) if following else None
