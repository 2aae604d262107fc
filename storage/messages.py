"""The inbox, the outbox, the files that came along, and the bookmarks of each channel."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class Outcome(StrEnum):
    """What became of a message."""

    SILENT = "silent"
    ANSWERED = "answered"
    ASKED = "asked"
    OPENED = "opened"
    JOINED = "joined"
    SUPPOSED = (
        "supposed"  # a photo alone, put to what its sender said last: words that follow it may be what it belongs to
    )
    REFUSED = "refused"
    FAILED = "failed"  # our fault; `raw` is kept for replay


class Received(Base):
    """A message that arrived. (channel, account, external_id) makes a second delivery visible."""

    __tablename__ = "received"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        Index("ix_received_chat_id_message_id", "chat_id", "message_id"),
        Index(
            "ix_received_with_files",
            "chat_id",
            "sender",
            sqlite_where=text("attachments IS NOT NULL"),
            postgresql_where=text("attachments IS NOT NULL"),
        ),
        Index(
            "ix_received_failed",
            "id",
            sqlite_where=text("outcome = 'failed'"),
            postgresql_where=text("outcome = 'failed'"),
        ),
    )

    id: Mapped[Key]
    channel: Mapped[str]
    account: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    chat_id: Mapped[int | None]
    sender: Mapped[str | None]
    message_id: Mapped[str | None]
    album_id: Mapped[str | None]
    text: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(default=Outcome.SILENT)
    case_id: Mapped[int | None]
    attachments: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    understanding: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    raw: Mapped[str | None]
    error: Mapped[str | None]


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"  # a person decides
    GIVEN_UP = "given_up"
    DROPPED = "dropped"  # no longer wanted
    WITH_PERSON = "with_person"  # the owner of the group has it and must send it: `task_id`


class Priority(IntEnum):
    """What goes first when several things wait."""

    ANSWER = 0
    ASSIGNMENT = 1
    REMINDER = 2
    ANNOUNCEMENT = 3


class Outbox(Base):
    """One thing to do on a platform: queued → sending (lease) → sent | queued later | held | given up; in a customer group
    queued → with a person → sent | given up | dropped.

    `buttons` are rows of {text, action, subject} or {text, url}; `press_token` is the unguessable part of their keys.
    `edits_id` is the outbox row whose message is to be edited or deleted. `dedupe_key` makes a second post of the same thing fail.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_queued",
            "priority",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_outbox_sending",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_outbox_held",
            "chat_id",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
        # Of most rows of a broadcast two of these are empty, and an index that leaves those out costs them nothing.
        Index(
            "ix_outbox_chat_id_external_id",
            "chat_id",
            "external_id",
            sqlite_where=text("external_id IS NOT NULL"),
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index(
            "ix_outbox_case_id",
            "case_id",
            sqlite_where=text("case_id IS NOT NULL"),
            postgresql_where=text("case_id IS NOT NULL"),
        ),
        Index(
            "ix_outbox_run_id",
            "run_id",
            sqlite_where=text("run_id IS NOT NULL"),
            postgresql_where=text("run_id IS NOT NULL"),
        ),
        Index(
            "ix_outbox_task_id",
            "task_id",
            sqlite_where=text("task_id IS NOT NULL"),
            postgresql_where=text("task_id IS NOT NULL"),
        ),
    )

    id: Mapped[Key]
    community_id: Mapped[int | None]
    chat_id: Mapped[int] = mapped_column(refers("chat.id"))
    thread: Mapped[str | None]
    action: Mapped[str] = mapped_column(default="send")
    text: Mapped[str] = mapped_column(default="")
    buttons: Mapped[list[list[dict[str, str]]]] = mapped_column(JSON, default=list)
    press_token: Mapped[str | None] = mapped_column(unique=True)
    attachment_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    reply_to: Mapped[str | None]
    edits_id: Mapped[int | None]
    press_id: Mapped[str | None]
    priority: Mapped[int] = mapped_column(default=Priority.ANSWER)
    state: Mapped[str] = mapped_column(default=OutboxState.QUEUED)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    external_id: Mapped[str | None]
    keep: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    person_id: Mapped[int | None]
    case_id: Mapped[int | None]
    run_id: Mapped[int | None]
    task_id: Mapped[int | None]
    cause_id: Mapped[int | None]
    dedupe_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class FileState(StrEnum):
    WANTED = "wanted"
    STORED = "stored"
    REFUSED = "refused"
    LOST = "lost"


class File(Base):
    """A photo, voice or file that came with a message (or by the console): wanted → stored | refused | lost."""

    __tablename__ = "file"
    __table_args__ = (
        Index(
            "ix_file_wanted", "due_at", sqlite_where=text("state = 'wanted'"), postgresql_where=text("state = 'wanted'")
        ),
        Index("ix_file_received_id", "received_id"),
        Index("ix_file_case_id", "case_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int | None]
    received_id: Mapped[int | None]
    case_id: Mapped[int | None]
    channel: Mapped[str]
    account: Mapped[str]
    kind: Mapped[str]
    external_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=FileState.WANTED)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    fetch_before: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str | None]
    size: Mapped[int | None]
    media_type: Mapped[str | None]
    name: Mapped[str | None]
    reason: Mapped[str | None]
    purpose: Mapped[str] = mapped_column(default="report")  # report, proof
    handed_on_at: Mapped[datetime | None]  # when the worker was given it, with the card or after it


class ChannelBookmark(Base):
    """Where a channel goes on reading; written in the transaction of the messages read."""

    __tablename__ = "channel_bookmark"

    channel: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SystemMark(Base):
    """Small facts of the installation by name: when the tick last ran, whether a backup was just restored."""

    __tablename__ = "system_mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
