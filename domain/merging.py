"""Several messages that wait for one person as one: where a platform counts them, none is spent that could be saved.

Nothing is lost and the order is kept. Words stand under one another; files go first, as they do with any message; buttons end it,
for they stand under the words.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select

from core.messages import Allowance, Outgoing, OutgoingAction
from domain import windows
from domain.outgoing import outgoing_of
from storage.base import Session
from storage.chats import Chat, ChatWindow
from storage.messages import Outbox, OutboxState

# Why a message goes by itself: together with others it was refused.
ALONE = "refused together"
BETWEEN = "\n\n"
# Progress that could not be told for so long is no news any more.
LONGEST_SAVED = timedelta(days=7)
JOINING = frozenset({OutgoingAction.SEND, OutgoingAction.EDIT, OutgoingAction.ANSWER_PRESS})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the outbox and what its channel would get."""

    row: Outbox
    outgoing: Outgoing


def gather(
    session: Session, first: Outbox, chat: Chat, allowance: Allowance, *, now: datetime, media_folder: Path
) -> list[Waiting]:
    """What goes into this chat now as one message. Empty where nothing need be said yet: what only tells of progress is saved up
    while little is left, and goes along with what must be said."""
    rows = [first] if _says_nothing(first) else _rows(session, first, now=now)
    waiting = []
    for row in rows:
        outgoing = outgoing_of(session, row, chat, now=now, media_folder=media_folder)
        if outgoing is not None:
            waiting.append(Waiting(row, outgoing))
    window = windows.of_chat(session, chat.id)
    if not waiting or not windows.is_low(window, allowance, now=now) or windows.is_last_chance(window, now=now):
        return together(waiting, allowance) if waiting else []
    must = [one for one in waiting if one.row.action != OutgoingAction.EDIT]
    taken = together(waiting, allowance)
    if must and len(taken) == len(waiting):
        return taken
    for one in waiting:
        if one.row.action == OutgoingAction.EDIT:
            save_up(one.row, window, now=now)
    return together(must, allowance) if must else []


def _says_nothing(row: Outbox) -> bool:
    """Only stops the client's waiting after a press."""
    return row.action == OutgoingAction.ANSWER_PRESS and not row.text


def _rows(session: Session, first: Outbox, *, now: datetime) -> list[Outbox]:
    """All that waits in the chat and would say something new, in the order in which it goes."""
    query = (
        select(Outbox)
        .where(
            Outbox.chat_id == first.chat_id,
            Outbox.state == windows.QUEUED,
            or_(Outbox.due_at <= now, Outbox.error == windows.SAVED),
        )
        .order_by(Outbox.priority, Outbox.id)
        .with_for_update(skip_locked=True)
    )
    rows = [row for row in session.scalars(query) if not _says_nothing(row)]
    edits = [row for row in rows if row.action == OutgoingAction.EDIT]
    newest = {row.edits_id: row.id for row in sorted(edits, key=lambda each: each.id)}
    told = {(row.case_id, row.created_at) for row in rows if row.action == OutgoingAction.SEND and row.case_id}
    kept = []
    for row in rows:
        is_overtaken = newest.get(row.edits_id, row.id) != row.id
        if row.action == OutgoingAction.EDIT and (is_overtaken or (row.case_id, row.created_at) in told):
            row.state = OutboxState.DROPPED  # overtaken, or a message of the same step says it better
        elif not _is_said_already(session, row, now=now):
            kept.append(row)
    return kept


def _is_said_already(session: Session, row: Outbox, *, now: datetime) -> bool:
    """An edit with the words that were said last is settled without a message: that buttons have lost their meaning is no news."""
    if row.action != OutgoingAction.EDIT:
        return False
    versions = or_(Outbox.id == row.edits_id, Outbox.edits_id == row.edits_id)
    query = select(Outbox).where(versions, Outbox.state == OutboxState.SENT).order_by(Outbox.id.desc()).limit(1)
    last = session.scalars(query).one_or_none()
    if last is None or last.text != row.text:
        return False
    row.state, row.sent_at, row.external_id, row.keep = OutboxState.SENT, now, last.external_id, last.keep
    row.error = None
    return True


def save_up(row: Outbox, window: ChatWindow | None, *, now: datetime) -> None:
    """Waits for something that must be said; by itself it goes when the window is about to shut, or not at all."""
    row.error, row.due_at = windows.SAVED, row.created_at + LONGEST_SAVED
    if window is not None and window.left and now < window.until - windows.LAST_HOUR:
        row.due_at = window.until - windows.LAST_HOUR
    if row.due_at <= now:
        row.state = OutboxState.DROPPED


def together(waiting: Sequence[Waiting], allowance: Allowance) -> list[Waiting]:
    """The first of them, with as many of the following as fit into one message with it."""
    taken = [waiting[0]]
    if _goes_alone(waiting[0]):
        return taken
    for one in waiting[1:]:
        if taken[-1].outgoing.buttons or _goes_alone(one) or not _fits([*taken, one], allowance):
            break
        taken.append(one)
    return taken


def _goes_alone(one: Waiting) -> bool:
    return one.outgoing.action not in JOINING or one.row.error == ALONE


def _fits(some: Sequence[Waiting], allowance: Allowance) -> bool:
    most = allowance.menu_bytes if some[-1].outgoing.buttons else allowance.text_bytes
    return len(_words(some).encode()) <= most


def _words(some: Sequence[Waiting]) -> str:
    return BETWEEN.join(one.outgoing.text for one in some if one.outgoing.text)


def join(some: Sequence[Waiting]) -> Outgoing:
    """One message of all of these. Its id says of which: what the platform may have taken once must not hide another row."""
    last = some[-1].outgoing
    if len(some) == 1:
        return last
    key = zlib.crc32(" ".join(one.outgoing.id for one in some).encode())
    return replace(
        last,
        id=f"{last.id}_{key:08x}",
        action=OutgoingAction.SEND,
        text=_words(some),
        files=tuple(file for one in some for file in one.outgoing.files),
        message_id=None,
        press_id=None,
        keep={},
    )
