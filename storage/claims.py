"""Who has taken on a wish, and what came of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class ClaimEnd(StrEnum):
    """What came of a claim."""

    FULFILLED = "fulfilled"
    HANDED_BACK = "handed_back"
    LAPSED = "lapsed"  # nothing was heard until its day
    OVER = "over"  # the wish was withdrawn, fulfilled by others, or opened again


class Claim(Base):
    """A neighbour who fulfils a wish; of one wish at most one claim is open. `done_at` is when they said that it is done."""

    __tablename__ = "claim"
    __table_args__ = (
        Index(
            "ix_claim_open",
            "case_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_claim_person_id", "person_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    case_id: Mapped[int] = mapped_column(refers("case.id"))
    person_id: Mapped[int | None] = mapped_column(refers("person.id"))
    at: Mapped[datetime]
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end: Mapped[str] = mapped_column(default="")
