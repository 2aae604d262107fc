"""Announcements with their schedule, and each time they were posted."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class AnnouncementState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class Announcement(Base):
    """A notice to areas, groups and roles: once at `next_due_at`, or again by `recurrence` (see domain/recurrence.py).

    An `is_clause_rotation` announcement has no text of its own: each time it posts the next clause of the convention.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        Index(
            "ix_announcement_due",
            "next_due_at",
            sqlite_where=text("state = 'scheduled'"),
            postgresql_where=text("state = 'scheduled'"),
        ),
        Index("ix_announcement_community_id", "community_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    title: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    file_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    area_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    chat_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    recurrence: Mapped[str | None]
    is_clause_rotation: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=AnnouncementState.DRAFT)
    next_due_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the library reads it so


class AnnouncementRun(Base):
    """One posting: due at, done at, to how many chats. (announcement, due) is unique, so that two ticks post once."""

    __tablename__ = "announcement_run"
    __table_args__ = (UniqueConstraint("announcement_id", "due_at"),)

    id: Mapped[Key]
    community_id: Mapped[int]
    announcement_id: Mapped[int] = mapped_column(refers("announcement.id"))
    due_at: Mapped[datetime]
    ran_at: Mapped[datetime]
    targets: Mapped[int]
    missed: Mapped[int] = mapped_column(default=0)
    clause_id: Mapped[int | None]
