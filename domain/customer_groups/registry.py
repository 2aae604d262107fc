"""The register of customer groups: what the platform tells of them, and the area that staff give each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.errors import Refused
from core.groups import GroupFacts
from storage.areas import Area
from storage.base import Session
from storage.chats import Chat, ChatPurpose, ChatState
from storage.customer_groups import CustomerGroup, WelcomeMaterial
from storage.messages import Outbox, OutboxState


@dataclass(frozen=True, slots=True)
class Listed:
    """A customer group as a page shows it. `waiting` counts posts that its owner has in hand; `has_welcome` holds when words for
    new members of its area lie ready on the platform."""

    owner_name: str
    has_owner: bool
    members: int
    residents: int
    waiting: int
    has_welcome: bool


def note(session: Session, chat: Chat, title: str, facts: GroupFacts, *, now: datetime) -> None:
    """The group is as the platform says, unless something newer is known. One that had gone and is told of again is back."""
    row = session.get(CustomerGroup, chat.id)
    if row is None:
        row = CustomerGroup(chat_id=chat.id, told_at=facts.at)
        session.add(row)
    elif facts.at < row.told_at:
        return
    row.owner, row.owner_name = facts.owner, facts.owner_name
    row.members, row.residents = facts.members, facts.residents
    row.told_at = facts.at
    chat.title = title or chat.title
    if chat.state == ChatState.LEFT:
        chat.state = ChatState.BOUND if chat.area_id else ChatState.UNBOUND
    if facts.owner:
        _let_waiting_go(session, chat, now)
    session.flush()


def _let_waiting_go(session: Session, chat: Chat, now: datetime) -> None:
    """Posts that waited for somebody to own the group."""
    query = select(Outbox).where(
        Outbox.chat_id == chat.id, Outbox.state == OutboxState.QUEUED, Outbox.error.is_not(None)
    )
    for row in session.scalars(query):
        row.due_at, row.error = min(row.due_at, now), None


def is_customer_group(session: Session, chat: Chat) -> bool:
    return session.get(CustomerGroup, chat.id) is not None


def bind(session: Session, community_id: int, chat_id: int, area: Area, *, sees_unbound: bool) -> Chat:
    """The group belongs to the area of this community; nobody could say a code there. One of another community, and one that is no
    customer group, is refused like one that is not there."""
    chat = session.get(Chat, chat_id)
    is_ours = chat is not None and (
        chat.community_id == community_id or (sees_unbound and chat.state == ChatState.UNBOUND)
    )
    if chat is None or not is_ours or chat.state == ChatState.LEFT or not is_customer_group(session, chat):
        raise Refused("chats.not_found")
    chat.community_id, chat.area_id = community_id, area.id
    chat.purpose, chat.state = ChatPurpose.RESIDENTS, ChatState.BOUND
    session.flush()
    return chat


def listed(session: Session, chat_ids: Collection[int]) -> dict[int, Listed]:
    """Those of these chats that are customer groups, in one statement each for groups, posts and welcomes."""
    waiting = dict(
        session.execute(
            select(Outbox.chat_id, func.count())
            .where(Outbox.chat_id.in_(chat_ids), Outbox.state == OutboxState.WITH_PERSON)
            .group_by(Outbox.chat_id)
        ).all()
    )
    query = (
        select(CustomerGroup, WelcomeMaterial.external_id)
        .join(Chat, Chat.id == CustomerGroup.chat_id)
        .outerjoin(
            WelcomeMaterial,
            (WelcomeMaterial.area_id == Chat.area_id)
            & (WelcomeMaterial.channel == Chat.channel)
            & (WelcomeMaterial.account == Chat.account),
        )
        .where(CustomerGroup.chat_id.in_(chat_ids))
    )
    return {
        row.chat_id: Listed(
            owner_name=row.owner_name or row.owner,
            has_owner=bool(row.owner),
            members=row.members,
            residents=row.residents,
            waiting=waiting.get(row.chat_id, 0),
            has_welcome=bool(welcome),
        )
        for row, welcome in session.execute(query)
    }
