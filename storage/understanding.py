"""What people have taught the bot: corrections of what it understood, and the words that staff have added to its tables."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class Correction(Base):
    """One text that was understood wrongly, as it should be: a labelled line to train with. Its names, numbers and doors are masked."""

    __tablename__ = "correction"
    __table_args__ = (
        Index("ix_correction_community_id", "community_id", "id"),
        Index("ix_correction_case_id", "case_id"),
        Index("ix_correction_speaker_id", "speaker_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    case_id: Mapped[int | None]
    speaker_id: Mapped[int | None]  # whose words they are; forgotten with them
    text: Mapped[str]
    kind_before: Mapped[str]
    topic_before: Mapped[str | None]
    urgency_before: Mapped[str]
    kind: Mapped[str]
    topic: Mapped[str | None]
    urgency: Mapped[str]
    by_id: Mapped[int | None]
    is_by_resident: Mapped[bool]
    at: Mapped[datetime]


class Keyword(Base):
    """A word that staff propose for the tables: what it speaks for and how strongly. It counts while taken up and not taken back."""

    __tablename__ = "keyword"

    id: Mapped[Key]
    community_id: Mapped[int]  # where it was proposed; it counts everywhere
    word: Mapped[str]
    speaks_for: Mapped[str]  # a kind, silence, urgent, or topic:<code>
    weight: Mapped[float]
    by_id: Mapped[int | None]
    proposed_at: Mapped[datetime]
    taken_up_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
