"""Photos, voices and files as rows: wanted → stored | refused | lost. The bytes themselves are core/media.py's matter.

A file is wanted in the transaction of its message; bot/fetcher.py fetches it afterwards. What a platform will soon forget goes first.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from sqlalchemy import ColumnElement, literal, or_, select

from core.ids import new_id
from core.media import SUFFIXES, StoredMedia, path_of
from core.messages import Attachment, AttachmentKind, ChatKind
from core.texts import say
from domain import outbox, reminders
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.messages import File, FileState, Outbox, Received

__all__ = [
    "File",
    "FileState",
    "Session",
    "WantedFile",
    "are_waiting",
    "claim_wanted",
    "is_any_due",
    "mark_later",
    "mark_refused",
    "mark_stored",
    "of_case",
    "path_of",
    "store_upload",
    "want",
]

# With the pauses below, a platform may be out of reach for most of a day before a photo is given up.
MOST_ATTEMPTS = 24
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
NAME_LENGTH = 120
CONSOLE = "console"
# Written out, not bound: only so does the partial index of what is wanted serve.
WANTED = literal(FileState.WANTED.value, literal_execute=True)


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A claimed file: which row, whose channel, and what to ask it for."""

    id: int
    channel: str
    account: str
    attachment: Attachment


def want(  # noqa: PLR0913 - one row, one call: each is a column
    session: Session,
    attachment: Attachment,
    *,
    channel: str,
    account: str,
    community_id: int | None,
    received_id: int | None,
    case_id: int | None,
    now: datetime,
    purpose: str = "report",
) -> File:
    """Leaves word that this file is to be fetched after the commit."""
    row = File(
        id=new_id(),
        community_id=community_id,
        received_id=received_id,
        case_id=case_id,
        channel=channel,
        account=account,
        kind=attachment.kind,
        external_id=attachment.external_id,
        state=FileState.WANTED,
        due_at=now,
        fetch_before=attachment.fetch_before,
        attempts=0,
        size=attachment.size,
        media_type=attachment.media_type,
        name=_clean_name(attachment.name),
        purpose=purpose,
    )
    session.add(row)
    return row


def store_upload(
    session: Session,
    stored: StoredMedia,
    *,
    name: str | None,
    community_id: int,
    case_id: int | None,
    now: datetime,
    purpose: str = "proof",
) -> File:
    """A file that staff sent by the console: core.media.check_and_save has already taken it in, before this transaction."""
    row = File(
        id=new_id(),
        community_id=community_id,
        case_id=case_id,
        channel=CONSOLE,
        account="",
        kind=stored.kind,
        external_id=stored.sha256,
        state=FileState.WANTED,
        due_at=now,
        attempts=0,
        name=_clean_name(name),
        purpose=purpose,
    )
    _fill(row, stored)
    session.add(row)
    return row


def is_any_due(session: Session, now: datetime) -> bool:
    """Whether there is anything for `claim_wanted` to do; asked without the lock of a write."""
    is_due = or_(File.due_at <= now, File.fetch_before <= now)
    return session.scalar(select(File.id).where(File.state == WANTED, is_due, _is_free(now)).limit(1)) is not None


def claim_wanted(session: Session, now: datetime, limit: int, lease_seconds: float) -> list[WantedFile]:
    """Up to `limit` files that are due, those whose links die soonest first. Nobody else gets them while the lease lasts."""
    if limit <= 0:
        return []
    _give_up_hopeless(session, now)
    query = (
        select(File)
        .where(File.state == WANTED, File.due_at <= now, _is_free(now))
        .order_by(File.fetch_before.asc().nulls_last(), File.due_at, File.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer and leaves it out
    )
    rows = list(session.scalars(query))
    for row in rows:
        row.lease_until = now + timedelta(seconds=lease_seconds)
        row.attempts += 1
    session.flush()
    return [WantedFile(row.id, row.channel, row.account, _attachment_of(row)) for row in rows]


def _give_up_hopeless(session: Session, now: datetime) -> None:
    """A dead link, or a file that took the process down with it each time, is not tried again."""
    query = (
        select(File)
        .where(
            File.state == WANTED,
            _is_free(now),
            or_(File.fetch_before <= now, File.attempts >= MOST_ATTEMPTS),
        )
        .with_for_update(skip_locked=True)
    )
    for row in session.scalars(query):
        _lose(session, row, now)
    session.flush()


def mark_stored(session: Session, file_id: int, stored: StoredMedia) -> None:
    """The file lies in the media folder. Nothing happens to a row that is already settled."""
    row = _waiting(session, file_id)
    if row is not None:
        _fill(row, stored)


def mark_refused(session: Session, file_id: int, reason: str, now: datetime) -> None:
    """The file will never be taken. `reason` is a sentence for its sender, who is told."""
    row = _waiting(session, file_id)
    if row is not None:
        _settle(row, FileState.REFUSED, reason)
        _tell_sender(session, row, now)


def mark_later(session: Session, file_id: int, now: datetime, seconds: float) -> None:
    """Tries again in `seconds` or, with each attempt, later; but before its link dies. After too many attempts it is lost."""
    row = _waiting(session, file_id)
    if row is None:
        return
    if row.attempts >= MOST_ATTEMPTS or (row.fetch_before is not None and row.fetch_before <= now):
        _lose(session, row, now)
        return
    pause = max(timedelta(seconds=seconds), min(FIRST_PAUSE * 2 ** (row.attempts - 1), LONGEST_PAUSE))
    if row.fetch_before is not None and now + pause >= row.fetch_before:
        pause = (row.fetch_before - now) / 2
    row.due_at = now + pause
    row.lease_until = None


def of_case(session: Session, case_id: int) -> list[File]:
    """All files of a case, in any state, in the order they came."""
    session.flush()
    return list(session.scalars(select(File).where(File.case_id == case_id).order_by(File.id)))


def are_waiting(session: Session, case_id: int) -> bool:
    """Whether a file of this case may still arrive."""
    session.flush()
    query = select(File.id).where(File.case_id == case_id, File.state == FileState.WANTED).limit(1)
    return session.scalars(query).first() is not None


def _attachment_of(row: File) -> Attachment:
    return Attachment(AttachmentKind(row.kind), row.external_id, row.size, row.media_type, row.name, row.fetch_before)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(File.lease_until.is_(None), File.lease_until <= now)


def _waiting(session: Session, file_id: int) -> File | None:
    row = session.get(File, file_id)
    return row if row is not None and row.state == FileState.WANTED else None


def _fill(row: File, stored: StoredMedia) -> None:
    row.sha256, row.kind, row.media_type, row.size = stored.sha256, stored.kind, stored.media_type, stored.size
    if row.name:
        row.name = str(PurePosixPath(row.name).with_suffix(SUFFIXES[stored.media_type]))
    _settle(row, FileState.STORED)


def _lose(session: Session, row: File, now: datetime) -> None:
    _settle(row, FileState.LOST, say("files.lost"))
    _tell_sender(session, row, now)


def _settle(row: File, state: FileState, reason: str | None = None) -> None:
    row.state, row.reason, row.lease_until = state, reason, None


def _tell_sender(session: Session, row: File, now: datetime) -> None:
    """Answers the message a file came with by why it was not taken and what to do: once for an album, and in a group only
    about a case. What was to prove that a case is done is missed there too."""
    if row.purpose == "proof" and row.case_id is not None and row.community_id is not None:
        reminders.add_later(session, reminders.PROOF, community_id=row.community_id, subject_id=row.case_id, due_at=now)
    received = session.get(Received, row.received_id) if row.received_id is not None else None
    chat = session.get(Chat, received.chat_id) if received is not None and received.chat_id is not None else None
    if received is None or chat is None or chat.state == ChatState.LEFT:
        return
    if chat.kind == ChatKind.GROUP and row.case_id is None:
        return
    key = f"file:{chat.id}:{received.album_id or received.id}"
    if session.scalars(select(Outbox.id).where(Outbox.dedupe_key == key)).first() is not None:
        return
    outbox.post(
        session,
        chat,
        row.reason or "",
        now=now,
        reply_to=received.message_id,
        case_id=row.case_id,
        cause_id=received.id,
        dedupe_key=key,
    )
    session.flush()  # the next file of the album must see it


def _clean_name(name: str | None) -> str | None:
    """The last part of a name, without signs that could be a path, a line break or a trick of writing direction."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(" .")
    return shown[-NAME_LENGTH:] or None
