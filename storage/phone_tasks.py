"""Calls and SMS that staff owe a resident whose chat lets nothing through."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class Way(StrEnum):
    """How they were told."""

    PHONE = "phone"
    SMS = "sms"
    VISIT = "visit"


class PhoneTask(Base):
    """Somebody is to be told of a case by a person. What they are to be told are the messages held for them in the outbox.

    It ends when staff tick it off (`done_at`, by whom, how), or by itself when the resident writes again (`dropped_at`).
    """

    __tablename__ = "phone_task"
    __table_args__ = (
        Index("ix_phone_task_community_id", "community_id", "id"),
        Index(
            "ix_phone_task_open",
            "chat_id",
            "case_id",
            unique=True,
            sqlite_where=text("done_at IS NULL AND dropped_at IS NULL"),
            postgresql_where=text("done_at IS NULL AND dropped_at IS NULL"),
        ),
        Index("ix_phone_task_case_id", "case_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    case_id: Mapped[int] = mapped_column(refers("case.id"))
    chat_id: Mapped[int] = mapped_column(refers("chat.id"))
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(refers("person.id"))
    way: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    dropped_at: Mapped[datetime | None]
