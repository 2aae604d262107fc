"""A row of the outbox as its channel gets it: with its buttons' keys, its files, and what the platform said of an earlier version."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from core.messages import AttachmentKind, Button, ChatKind, ChatRef, Outgoing, OutgoingAction, StoredFile
from domain import outbox
from domain.files import path_of
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.messages import File, FileState, Outbox, OutboxState

EDIT_WAIT = timedelta(seconds=2)
FILE_WAIT = timedelta(seconds=2)
LONGEST_FILE_WAIT = timedelta(seconds=30)
LATE_PRESS = timedelta(seconds=45)


def outgoing_of(session: Session, row: Outbox, chat: Chat, *, now: datetime, media_folder: Path) -> Outgoing | None:
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
    files = files_to_send(session, row, media_folder=media_folder)
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


def files_to_send(session: Session, row: Outbox, *, media_folder: Path) -> tuple[StoredFile, ...] | None:
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
