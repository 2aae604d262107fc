"""Messages that staff should look at: held, given up or waiting ones of the outbox, and incoming ones that failed and wait for replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from core.errors import Refused
from core.privacy import mask
from domain import outbox
from domain.areas import communities
from storage.announcements import AnnouncementRun
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.messages import Outbox, OutboxState, Outcome, Received
from storage.people import Duty, Person, Residence

__all__ = ["FailedMessage", "OutboxState", "Undelivered", "counts", "drop", "failed", "resend", "undelivered"]

# What a page calls 待发送.
WAITING = (OutboxState.QUEUED, OutboxState.SENDING)
UNSETTLED = (OutboxState.HELD, OutboxState.GIVEN_UP, *WAITING)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One message that has not arrived: to whom, what (masked), why not, since when."""

    id: int
    state: str
    to: str
    is_group: bool
    text: str
    action: str
    reason: str
    attempts: int
    created_at: datetime
    due_at: datetime
    case_id: int | None
    case_number: str


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """An incoming message that could not be worked. Its words are not shown: nobody has decided yet whose they are."""

    id: int
    channel: str
    kind: str
    received_at: datetime
    error: str


def _belongs(session: Session, community_id: int) -> ColumnElement[bool]:
    """Of this community: its groups, its cases, its announcements; else messages to people who work or live here.

    An installation with one community has nobody else's.
    """
    if len(communities(session)) == 1:
        return or_(Outbox.community_id.is_(None), Outbox.community_id == community_id)
    own_people = or_(
        Chat.person_id.in_(select(Duty.person_id).where(Duty.community_id == community_id)),
        Chat.person_id.in_(select(Residence.person_id).where(Residence.community_id == community_id)),
    )
    own_case = Outbox.case_id.in_(select(Case.id).where(Case.community_id == community_id))
    own_run = Outbox.run_id.in_(select(AnnouncementRun.id).where(AnnouncementRun.community_id == community_id))
    unplaced = and_(Outbox.community_id.is_(None), Outbox.case_id.is_(None), Outbox.run_id.is_(None), own_people)
    nobodys = and_(Outbox.community_id.is_(None), or_(own_case, own_run))
    return or_(Outbox.community_id == community_id, nobodys, unplaced)


def _messages(session: Session, community_id: int) -> Select[Outbox, Chat, str | None, str | None]:
    return (
        select(Outbox, Chat, Person.name, Case.number)
        .join(Chat, Chat.id == Outbox.chat_id)
        .outerjoin(Person, Person.id == Chat.person_id)
        .outerjoin(Case, Case.id == Outbox.case_id)
        .where(_belongs(session, community_id))
    )


def undelivered(
    session: Session, community_id: int, states: Sequence[OutboxState], *, offset: int = 0, limit: int = 50
) -> list[Undelivered]:
    """The messages in these states, newest first."""
    query = _messages(session, community_id).where(Outbox.state.in_(states)).order_by(Outbox.id.desc())
    return [
        Undelivered(
            id=row.id,
            state=row.state,
            to=chat.title if chat.kind == "group" else name or chat.title,
            is_group=chat.kind == "group",
            text=mask(row.text),
            action=row.action,
            reason=row.error or "",
            attempts=row.attempts,
            created_at=row.created_at,
            due_at=row.due_at,
            case_id=row.case_id,
            case_number=number or "",
        )
        for row, chat, name, number in session.execute(query.offset(offset).limit(limit))
    ]


def counts(session: Session, community_id: int) -> dict[str, int]:
    """How many of this community's messages are in each state that is not settled."""
    query = (
        select(Outbox.state, func.count())
        .join(Chat, Chat.id == Outbox.chat_id)
        .where(_belongs(session, community_id), Outbox.state.in_(UNSETTLED))
        .group_by(Outbox.state)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _message_of(session: Session, community_id: int, outbox_id: int) -> Outbox:
    query = _messages(session, community_id).where(Outbox.id == outbox_id).with_for_update(of=Outbox)
    found = session.execute(query).one_or_none()
    if found is None:
        raise Refused("outbox.not_found")
    row: Outbox = found[0]
    return row


def resend(session: Session, community_id: int, outbox_id: int, *, now: datetime) -> None:
    """A held or given-up message goes again. Refused when it is in hand already, so that two presses send it once."""
    if not outbox.resend(session, _message_of(session, community_id, outbox_id), now=now):
        raise Refused("outbox.not_waiting_for_you")


def drop(session: Session, community_id: int, outbox_id: int) -> None:
    """A message that has not gone out is no longer wanted; one that is being sent this very moment cannot be stopped."""
    row = _message_of(session, community_id, outbox_id)
    if row.state not in (OutboxState.HELD, OutboxState.GIVEN_UP, OutboxState.QUEUED):
        raise Refused("outbox.not_waiting_for_you")
    row.state = OutboxState.DROPPED
    session.flush()


def failed(session: Session, *, limit: int = 100) -> list[FailedMessage]:
    """Incoming messages kept for replay, newest first."""
    query = select(Received).where(Received.outcome == Outcome.FAILED).order_by(Received.id.desc()).limit(limit)
    return [
        FailedMessage(row.id, row.channel, row.kind, row.received_at, mask(row.error or ""))
        for row in session.scalars(query)
    ]
