"""The outbox seen from the sender: what may go now, and what became of it. The rules that leave rows there use domain/outbox.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import Table, bindparam, func, literal, select, update
from sqlalchemy.orm import aliased

from core.messages import Allowance, ChatKind, Outgoing, OutgoingAction, Sent
from domain import chats, merging, windows
from domain.merging import Waiting
from domain.outgoing import outgoing_of
from storage.base import Session
from storage.chats import Chat
from storage.messages import Outbox, OutboxState

LEASE = timedelta(seconds=60)
LONGEST_TRYING = timedelta(hours=24)
BACK_OFF = (2, 5, 15, 60, 300, 600)  # seconds before the next try, by tries so far
MOST_REPEATS = 5
# Ended in mid-send, the process may well have ended before anything was sent: that counts for less than an answer that failed.
MOST_INTERRUPTIONS = 10
MOST_CANDIDATES = 200
# Written out, not bound: only so do the partial indexes of what waits and of what is under way serve.
QUEUED = literal(OutboxState.QUEUED.value, literal_execute=True)
SENDING = literal(OutboxState.SENDING.value, literal_execute=True)
OUTBOX = cast(Table, Outbox.__table__)
NO_ALLOWANCES: Mapping[tuple[str, str], Allowance] = {}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that is due, with what the limiter must know of it."""

    id: int
    channel: str
    account: str
    chat_id: int
    is_group: bool
    action: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed message, ready for its channel. `rows` are the keys of all that it settles: several may go as one."""

    candidate: Candidate
    outgoing: Outgoing
    rows: tuple[int, ...]


UNDER_WAY = aliased(Outbox)
# Put together once: asked ten times a second while something waits.
DUE = (
    select(Outbox.id, Chat.channel, Chat.account, Outbox.chat_id, Chat.kind, Outbox.action)
    .join(Chat, Chat.id == Outbox.chat_id)
    .where(
        Outbox.state == QUEUED,
        Outbox.due_at <= bindparam("now", type_=Outbox.due_at.type),
        # A press waits for nobody: its answer is not a message in the chat.
        Outbox.chat_id.not_in(bindparam("not_chats", expanding=True)) | (Outbox.action == OutgoingAction.ANSWER_PRESS),
        Chat.channel.not_in(bindparam("not_channels", expanding=True)),
        ~select(UNDER_WAY.id).where(UNDER_WAY.state == SENDING, UNDER_WAY.chat_id == Outbox.chat_id).exists(),
    )
    .order_by(Outbox.priority, Outbox.id)
    .limit(bindparam("most"))
)

STILL_QUEUED = (
    select(Outbox)
    .where(Outbox.id.in_(bindparam("ids", expanding=True)), Outbox.state == QUEUED)
    .order_by(Outbox.priority, Outbox.id)
    .with_for_update(skip_locked=True)
)
THEIR_CHATS = select(Chat).where(Chat.id.in_(bindparam("ids", expanding=True)))


def candidates(
    session: Session,
    *,
    now: datetime,
    not_chats: Collection[int],
    not_channels: Collection[str] = (),
    limit: int = MOST_CANDIDATES,
) -> list[Candidate]:
    """Due messages in the order they should go: answers first, one for each chat, none for a chat with a send under way."""
    found: dict[int, Candidate] = {}
    asked = {"now": now, "not_chats": list(not_chats), "not_channels": list(not_channels), "most": limit}
    for key, channel, account, chat_id, kind, action in session.execute(DUE, asked):
        place = key if action == OutgoingAction.ANSWER_PRESS else chat_id
        if place not in found:
            found[place] = Candidate(key, channel, account, chat_id, kind == ChatKind.GROUP, action)
    return list(found.values())


def claim(
    session: Session,
    wanted: Sequence[Candidate],
    *,
    now: datetime,
    media_folder: Path,
    allowances: Mapping[tuple[str, str], Allowance] = NO_ALLOWANCES,
) -> list[Ready]:
    """Takes these messages for sending, under a lease; what cannot go yet or ever is put off or dropped here.

    `allowances` are those of the channels that have one, by (channel, account): what waits for one person there goes together.
    """
    by_id = {one.id: one for one in wanted}
    rows = session.scalars(STILL_QUEUED, {"ids": list(by_id)}).all()
    chat_rows = {chat.id: chat for chat in session.scalars(THEIR_CHATS, {"ids": list({row.chat_id for row in rows})})}
    ready = []
    for row in rows:
        chat = chat_rows[row.chat_id]
        allowance = allowances.get((chat.channel, chat.account))
        if row.state != OutboxState.QUEUED:
            continue  # it goes along with one before it, or need not go at all
        if allowance is not None:
            taken = merging.gather(session, row, chat, allowance, now=now, media_folder=media_folder)
        else:
            outgoing = outgoing_of(session, row, chat, now=now, media_folder=media_folder)
            taken = [] if outgoing is None else [Waiting(row, outgoing)]
        for one in taken:
            one.row.state, one.row.lease_until = OutboxState.SENDING, now + LEASE
        if taken:
            ready.append(Ready(by_id[row.id], merging.join(taken), tuple(one.row.id for one in taken)))
    return ready


NOTE_SENT = (
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("key"))
    .values(
        state=OutboxState.SENT,
        lease_until=None,
        error=None,
        sent_at=bindparam("at"),
        external_id=bindparam("as_id"),
        keep=bindparam("kept"),
    )
)


def mark_sent(session: Session, sent: Mapping[int, Sent], *, now: datetime) -> None:
    """These went out; all of a round in one statement."""
    rows = [
        {"key": key, "at": now, "as_id": result.external_id, "kept": dict(result.keep)} for key, result in sent.items()
    ]
    if rows:
        session.connection().execute(NOTE_SENT, rows)


def mark_later(session: Session, key: int, *, now: datetime, seconds: float, reason: str, counts: bool) -> None:
    """Not now. A platform's own "wait" does not count as a try; after a day of trying it is given up."""
    row = session.get_one(Outbox, key)
    row.error, row.lease_until = reason, None
    if counts:
        seconds = max(seconds, BACK_OFF[min(row.attempts, len(BACK_OFF) - 1)])
        row.attempts += 1
    if now - row.created_at > LONGEST_TRYING and counts:
        row.state = OutboxState.GIVEN_UP
    else:
        row.state, row.due_at = OutboxState.QUEUED, now + timedelta(seconds=seconds)


def mark_given_up(session: Session, key: int, *, reason: str, is_chat_dead: bool) -> None:
    """It will never arrive; where the whole chat is dead, nothing more is tried there."""
    row = session.get_one(Outbox, key)
    row.state, row.error, row.lease_until = OutboxState.GIVEN_UP, reason, None
    if is_chat_dead:
        chats.note_blocked(session, session.get_one(Chat, row.chat_id))


def mark_alone(session: Session, keys: Collection[int], *, now: datetime) -> None:
    """The platform refuses these as one message: each goes by itself, so that one bad word does not cost the others."""
    for row in session.scalars(select(Outbox).where(Outbox.id.in_(keys))):
        row.state, row.due_at, row.lease_until, row.error = OutboxState.QUEUED, now, None, merging.ALONE


def mark_closed(session: Session, keys: Collection[int], *, is_served: bool, now: datetime) -> list[Outbox]:
    """Nothing goes to this person for now. What they must be told is held until they write again, or until they have been served;
    the rows of it are returned. What only tells of progress waits; an announcement is no longer news by then."""
    held = []
    for row in session.scalars(select(Outbox).where(Outbox.id.in_(keys)).order_by(Outbox.id)):
        row.lease_until, row.error = None, windows.SERVED if is_served else windows.SHUT
        windows.note_closed(session, row.chat_id, is_served=is_served, now=now)
        if row.action == OutgoingAction.EDIT:
            row.state = OutboxState.QUEUED
            merging.save_up(row, None, now=now)
        elif row.action == OutgoingAction.SEND and row.run_id is None:
            row.state = OutboxState.HELD
            held.append(row)
        else:
            row.state = OutboxState.DROPPED if row.action == OutgoingAction.ANSWER_PRESS else OutboxState.GIVEN_UP
    return held


def mark_migrated(session: Session, key: int, *, new_external_id: str, now: datetime) -> None:
    """The chat has a new id; the message goes there."""
    row = session.get_one(Outbox, key)
    chats.migrate(session, session.get_one(Chat, row.chat_id), new_external_id)
    row.state, row.due_at, row.lease_until = OutboxState.QUEUED, now, None


def mark_unknown(
    session: Session, key: int, *, now: datetime, may_repeat: bool, reason: str, most: int = MOST_REPEATS
) -> None:
    """Nobody knows whether it arrived: an answer to one person goes again, a post to a group is held for a person to decide.

    So is what has gone again several times: somebody may have got it each time.
    """
    row = session.get_one(Outbox, key)
    row.lease_until, row.error = None, reason
    if row.action == OutgoingAction.ANSWER_PRESS:
        row.state = OutboxState.DROPPED
        return
    chat = session.get_one(Chat, row.chat_id)
    harmless = row.action != OutgoingAction.SEND  # an edit or deletion done twice is done once
    is_worth_it = chat.kind == ChatKind.PRIVATE and row.attempts < most
    if may_repeat or harmless or is_worth_it:
        pause = BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1] if row.attempts else 0
        row.state, row.due_at = OutboxState.QUEUED, now + timedelta(seconds=pause)
        row.attempts += 1
    else:
        row.state = OutboxState.HELD


def recover(
    session: Session, *, now: datetime, repeatable: Collection[str], leases_until: datetime | None = None
) -> int:
    """Sends whose lease ran out (by `leases_until`, where that is given): the process died in the middle. `repeatable` are
    channels that know a repeated send."""
    rows = session.scalars(
        select(Outbox)
        .where(Outbox.state == SENDING, Outbox.lease_until <= (leases_until or now))
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        chat = session.get_one(Chat, row.chat_id)
        may_repeat = chat.channel in repeatable
        mark_unknown(session, row.id, now=now, may_repeat=may_repeat, reason="interrupted", most=MOST_INTERRUPTIONS)
    return len(rows)


def recent_sends(session: Session, *, since: datetime) -> list[tuple[Candidate, datetime]]:
    """What went out lately, for the limiter after a restart."""
    query = (
        select(Outbox.id, Chat.channel, Chat.account, Outbox.chat_id, Chat.kind, Outbox.action, Outbox.sent_at)
        .join(Chat, Chat.id == Outbox.chat_id)
        .where(Outbox.sent_at >= since)
        .order_by(Outbox.sent_at)
    )
    return [
        (Candidate(key, channel, account, chat_id, kind == ChatKind.GROUP, action), at)
        for key, channel, account, chat_id, kind, action, at in session.execute(query)
        if at is not None
    ]


def next_due(session: Session) -> datetime | None:
    """When the next message is due; None when none waits."""
    return session.scalar(select(func.min(Outbox.due_at)).where(Outbox.state == QUEUED))


def counts(session: Session) -> dict[str, int]:
    """How many messages are in each state that somebody should look at."""
    query = (
        select(Outbox.state, func.count().label("count_"))
        .where(Outbox.state.in_([OutboxState.QUEUED, OutboxState.SENDING, OutboxState.HELD, OutboxState.GIVEN_UP]))
        # What waits for the person's own next word waits for nobody of us.
        .where((Outbox.state != OutboxState.HELD) | Outbox.error.is_(None) | Outbox.error.not_in(windows.FOR_THEM))
        .group_by(Outbox.state)
    )
    return {row.state: row.count_ for row in session.execute(query)}


def is_waiting(session: Session, *, now: datetime, channels: Collection[str]) -> bool:
    """Whether anything is due or under way on these channels."""
    query = (
        select(Outbox.id)
        .join(Chat, Chat.id == Outbox.chat_id)
        .where(
            Chat.channel.in_(channels),
            (Outbox.state == SENDING) | ((Outbox.state == QUEUED) & (Outbox.due_at <= now)),
        )
        .limit(1)
    )
    return session.scalar(query) is not None
