"""The outbox seen from the sender: what may go now, and what became of it. The rules that leave rows there use domain/outbox.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import Table, bindparam, func, literal, select, update
from sqlalchemy.orm import aliased

from core.messages import AttachmentKind, Button, ChatKind, ChatRef, Outgoing, OutgoingAction, Sent, StoredFile
from domain import chats, outbox
from domain.files import path_of
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.messages import File, FileState, Outbox, OutboxState

LEASE = timedelta(seconds=60)
EDIT_WAIT = timedelta(seconds=2)
FILE_WAIT = timedelta(seconds=2)
LONGEST_FILE_WAIT = timedelta(seconds=30)
LONGEST_TRYING = timedelta(hours=24)
BACK_OFF = (2, 5, 15, 60, 300, 600)  # seconds before the next try, by tries so far
MOST_REPEATS = 5
# Ended in mid-send, the process may well have ended before anything was sent: that counts for less than an answer that failed.
MOST_INTERRUPTIONS = 10
LATE_PRESS = timedelta(seconds=45)
MOST_CANDIDATES = 200
# Written out, not bound: only so do the partial indexes of what waits and of what is under way serve.
QUEUED = literal(OutboxState.QUEUED.value, literal_execute=True)
SENDING = literal(OutboxState.SENDING.value, literal_execute=True)
OUTBOX = cast(Table, Outbox.__table__)


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
    """A claimed message, ready for its channel."""

    candidate: Candidate
    outgoing: Outgoing


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
        ~select(UNDER_WAY.id).where(UNDER_WAY.state == SENDING, UNDER_WAY.chat_id == Outbox.chat_id).exists(),
    )
    .order_by(Outbox.priority, Outbox.id)
    .limit(bindparam("most"))
)


def candidates(
    session: Session, *, now: datetime, not_chats: Collection[int], limit: int = MOST_CANDIDATES
) -> list[Candidate]:
    """Due messages in the order they should go: answers first, one for each chat, none for a chat with a send under way."""
    found: dict[int, Candidate] = {}
    for key, channel, account, chat_id, kind, action in session.execute(
        DUE, {"now": now, "not_chats": list(not_chats), "most": limit}
    ):
        place = key if action == OutgoingAction.ANSWER_PRESS else chat_id
        if place not in found:
            found[place] = Candidate(key, channel, account, chat_id, kind == ChatKind.GROUP, action)
    return list(found.values())


def claim(session: Session, wanted: Sequence[Candidate], *, now: datetime, media_folder: Path) -> list[Ready]:
    """Takes these messages for sending, under a lease; what cannot go yet or ever is put off or dropped here."""
    by_id = {one.id: one for one in wanted}
    query = (
        select(Outbox)
        .where(Outbox.id.in_(by_id), Outbox.state == QUEUED)
        .order_by(Outbox.priority, Outbox.id)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(query).all()
    chat_rows = {
        chat.id: chat for chat in session.scalars(select(Chat).where(Chat.id.in_({row.chat_id for row in rows})))
    }
    ready = []
    for row in rows:
        chat = chat_rows[row.chat_id]
        outgoing = _outgoing(session, row, chat, now=now, media_folder=media_folder)
        if outgoing is not None:
            row.state, row.lease_until = OutboxState.SENDING, now + LEASE
            ready.append(Ready(by_id[row.id], outgoing))
    return ready


def _outgoing(session: Session, row: Outbox, chat: Chat, *, now: datetime, media_folder: Path) -> Outgoing | None:
    """The row as its channel gets it; None when it has been put off, dropped or given up instead."""
    if chat.state == ChatState.LEFT and row.action != OutgoingAction.ANSWER_PRESS:
        row.state, row.error = OutboxState.GIVEN_UP, "chat left"
        return None
    if row.action == OutgoingAction.ANSWER_PRESS and now - row.created_at > LATE_PRESS:
        row.state = OutboxState.DROPPED
        return None
    original = session.get(Outbox, row.edits_id) if row.edits_id else None
    if original is not None and original.external_id is None:
        if original.state in (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.HELD):
            row.due_at = now + EDIT_WAIT
        else:
            row.state = OutboxState.DROPPED
        return None
    files = _files(session, row, media_folder=media_folder)
    if files is None:
        if now - row.created_at < LONGEST_FILE_WAIT:
            row.due_at = now + FILE_WAIT
            return None
        files = ()
    return Outgoing(
        id=str(row.id),
        channel=chat.channel,
        account=chat.account,
        action=OutgoingAction(row.action),
        chat=ChatRef(chat.external_id, ChatKind(chat.kind), chat.title, row.thread),
        text=row.text,
        buttons=_buttons(row),
        files=files,
        reply_to=row.reply_to,
        message_id=original.external_id if original else None,
        press_id=row.press_id,
        keep=original.keep if original else {},
    )


def _buttons(row: Outbox) -> tuple[tuple[Button, ...], ...]:
    return tuple(
        tuple(
            Button(one["text"], url=one["url"])
            if "url" in one
            else Button(one["text"], outbox.button_key(row, line, place))
            for place, one in enumerate(buttons)
        )
        for line, buttons in enumerate(row.buttons)
    )


def _files(session: Session, row: Outbox, *, media_folder: Path) -> tuple[StoredFile, ...] | None:
    """The stored files to send along; None while one of them is still being fetched."""
    if not row.attachment_ids:
        return ()
    rows = session.scalars(
        select(File).where(File.id.in_([int(key) for key in row.attachment_ids])).order_by(File.id)
    ).all()
    if any(file.state == FileState.WANTED for file in rows):
        return None
    return tuple(
        StoredFile(
            str(path_of(media_folder, file.sha256)), AttachmentKind(file.kind), file.media_type or "", file.name or ""
        )
        for file in rows
        if file.state == FileState.STORED and file.sha256
    )


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
