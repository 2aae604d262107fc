"""What has to happen at a time: one row each, with an index on what is still due."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from storage.base import Base, Key


class Reminder(Base):
    """`kind` names the rule in domain/reminders.py that runs at `due_at` for `subject_id` (a case, for most kinds)."""

    __tablename__ = "reminder"
    __table_args__ = (
        Index(
            "ix_reminder_due",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index("ix_reminder_subject_id", "subject_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int | None]
    kind: Mapped[str]
    subject_id: Mapped[int]
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
