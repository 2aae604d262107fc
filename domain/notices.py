"""A word to the people at a community's desk: in its staff groups, or where it has none to each of them in private."""

from datetime import datetime

from sqlalchemy import or_, select

from core.clock import in_china
from domain import access, areas, chats, outbox
from domain.outbox import Priority
from storage.base import Session
from storage.chats import Chat
from storage.people import Duty


def tell_desk(session: Session, community_id: int, text: str, *, now: datetime, case_id: int | None = None) -> None:
    """Goes to whoever works there, so it must name no resident: a staff group has many eyes."""
    for chat in chats.staff_groups(session, community_id) or _private_chats(session, community_id, now):
        outbox.post(session, chat, text, now=now, priority=Priority.ASSIGNMENT, case_id=case_id)


def community_of(session: Session, chat: Chat) -> int | None:
    """Whose desk looks after who writes in this chat; None where that cannot be said."""
    if chat.community_id is not None:
        return chat.community_id
    known = areas.communities(session)
    return known[0].id if len(known) == 1 else None


def _private_chats(session: Session, community_id: int, now: datetime) -> list[Chat]:
    today = in_china(now).date()
    at_desk = select(Duty.person_id).where(
        Duty.community_id == community_id,
        Duty.role.in_(access.CLERK_ROLES),
        Duty.from_on <= today,
        or_(Duty.until_on.is_(None), Duty.until_on >= today),
    )
    found = chats.private_chats_of(session, set(session.scalars(at_desk)))
    return [each[0] for each in found.values()]
