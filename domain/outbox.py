"""The one way out: rules leave rows here in their own transaction, and bot/sender.py carries them to the platforms."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from core.ids import new_id
from core.messages import OutgoingAction
from domain.windows import FOR_THEM
from storage.base import Session
from storage.chats import Chat, ChatPurpose, ChatState
from storage.messages import Outbox, OutboxState, Priority

__all__ = [
    "Outbox",
    "OutboxState",
    "Press",
    "Priority",
    "Session",
    "answer_press",
    "drop_waiting",
    "edit",
    "find_press",
    "keep_more",
    "post",
    "pressed_words",
    "resend",
    "tell_staff",
]


@dataclass(frozen=True, slots=True)
class Press:
    """A button to be: what it says, the action of handlers/routes.py it starts, and what that is about; or a page to open."""

    text: str
    action: str = ""
    subject: int | None = None
    url: str | None = None


Rows = Sequence[Sequence[Press]]


def _as_json(buttons: Rows) -> list[list[dict[str, str]]]:
    return [
        [
            {"text": press.text, "url": press.url}
            if press.url
            else {"text": press.text, "action": press.action, "subject": str(press.subject or "")}
            for press in row
        ]
        for row in buttons
    ]


def _token(buttons: Rows) -> str | None:
    """The unguessable part of the buttons' keys; a message without buttons that come back needs none."""
    return secrets.token_urlsafe(12) if buttons and any(press.action for row in buttons for press in row) else None


def post(  # noqa: PLR0913 - one row, one call: each is a column
    session: Session,
    chat: Chat,
    text: str,
    *,
    now: datetime,
    buttons: Rows = (),
    priority: Priority = Priority.ANSWER,
    due_at: datetime | None = None,
    reply_to: str | None = None,
    thread: str | None = None,
    file_ids: Sequence[int] = (),
    person_id: int | None = None,
    case_id: int | None = None,
    run_id: int | None = None,
    cause_id: int | None = None,
    dedupe_key: str | None = None,
) -> int:
    """Leaves one message for a chat, and returns its key: a case remembers its receipt. It goes out after the commit, no earlier
    than `due_at`. All that a transaction posts is written by one statement at its end, or at the next flush."""
    key = new_id()
    session.leave(
        Outbox,
        id=key,
        state=OutboxState.QUEUED,
        community_id=chat.community_id,
        chat_id=chat.id,
        thread=thread,
        text=text,
        buttons=_as_json(buttons),
        press_token=_token(buttons),
        attachment_ids=[str(key) for key in file_ids],
        reply_to=reply_to,
        priority=priority,
        due_at=due_at or now,
        person_id=person_id,
        case_id=case_id,
        run_id=run_id,
        cause_id=cause_id,
        dedupe_key=dedupe_key,
        created_at=now,
    )
    return key


def edit(
    session: Session,
    row: Outbox,
    text: str,
    *,
    now: datetime,
    buttons: Rows = (),
    due_at: datetime | None = None,
) -> Outbox | None:
    """Changes a message of ours: in place while it still waits, else by an edit that goes out after it.

    Returns the row of the edit, or None when nothing has to go out.
    """
    is_held_back = row.state == OutboxState.HELD and row.error in FOR_THEM
    if (row.state == OutboxState.QUEUED or is_held_back) and due_at is None:
        row.text = text
        row.buttons = _as_json(buttons)
        row.press_token = row.press_token or _token(buttons)
        return None
    if row.state in (OutboxState.DROPPED, OutboxState.GIVEN_UP):
        return None
    later = Outbox(
        id=new_id(),
        state=OutboxState.QUEUED,
        community_id=row.community_id,
        chat_id=row.chat_id,
        action=OutgoingAction.EDIT,
        text=text,
        buttons=_as_json(buttons),
        press_token=_token(buttons),
        edits_id=row.edits_id or row.id,
        priority=row.priority,
        due_at=due_at or now,
        person_id=row.person_id,
        case_id=row.case_id,
        cause_id=row.cause_id,
        created_at=now,
    )
    session.add(later)
    return later


def answer_press(session: Session, chat: Chat, press_id: str, text: str, *, now: datetime) -> None:
    """Stops the client's waiting after a press, with a small notice (may be empty)."""
    session.add(
        Outbox(
            id=new_id(),  # now, not when it is written: keys tell what was said after what
            community_id=chat.community_id,
            chat_id=chat.id,
            action=OutgoingAction.ANSWER_PRESS,
            text=text[:200],
            press_id=press_id,
            due_at=now,
            created_at=now,
        )
    )


def button_key(row: Outbox, line: int, place: int) -> str:
    """The opaque key of a button: the row's token and where the button stands. At most 64 bytes."""
    return f"{row.press_token}.{line}.{place}"


def find_press(session: Session, key: str, chat_id: int) -> tuple[Outbox, str, int | None] | None:
    """What a pressed key means: our message, the action and its subject. None for a forged key or one from another chat."""
    parts = key.rsplit(".", 2)
    if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        return None
    row = session.scalars(select(Outbox).where(Outbox.press_token == parts[0])).one_or_none()
    if row is None or row.chat_id != chat_id:
        return None
    line, place = int(parts[1]), int(parts[2])
    if line >= len(row.buttons) or place >= len(row.buttons[line]):
        return None
    button = row.buttons[line][place]
    return row, button["action"], int(button["subject"]) if button["subject"] else None


def pressed_words(row: Outbox, key: str) -> str:
    """What stood on the button of this key, which `find_press` has found on the row."""
    _, line, place = key.rsplit(".", 2)
    return str(row.buttons[int(line)][int(place)]["text"])


def tell_staff(session: Session, text: str, *, key: str, now: datetime, community_id: int | None = None) -> None:
    """A notice to every staff group, of one community where one is named, once for each `key`."""
    query = select(Chat).where(Chat.purpose == ChatPurpose.STAFF, Chat.state == ChatState.BOUND)
    if community_id is not None:
        query = query.where(Chat.community_id == community_id)
    session.flush()  # the same may have been posted in this transaction
    for group in session.scalars(query).all():
        dedupe_key = f"{key}:{group.id}"
        if session.scalar(select(Outbox.id).where(Outbox.dedupe_key == dedupe_key)) is None:
            post(session, group, text, now=now, priority=Priority.ASSIGNMENT, dedupe_key=dedupe_key)


def keep_more(session: Session, chat: Chat, message_id: str | None, more: Mapping[str, str]) -> None:
    """Adds to what the channel wants back when this message of ours is edited (a card's new code)."""
    row = session.scalars(
        select(Outbox).where(Outbox.chat_id == chat.id, Outbox.external_id == message_id, Outbox.edits_id.is_(None))
    ).first()
    if row is not None:
        row.keep = {**(row.keep or {}), **more}


def drop_waiting(session: Session, case_id: int, *, priority: Priority) -> None:
    """Messages of this priority about a case that have not gone out yet are no longer wanted."""
    session.execute(
        update(Outbox)
        .where(Outbox.case_id == case_id, Outbox.priority == priority, Outbox.state == OutboxState.QUEUED)
        .values(state=OutboxState.DROPPED)
    )


def resend(session: Session, row: Outbox, *, now: datetime) -> bool:
    """A person lets a held or given-up message go again. False when it was not one."""
    if row.state not in (OutboxState.HELD, OutboxState.GIVEN_UP):
        return False
    row.state, row.due_at, row.attempts, row.error = OutboxState.QUEUED, now, 0, None
    session.flush()
    return True
