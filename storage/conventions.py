"""The residents' convention and its clauses."""

from datetime import date, datetime

from sqlalchemy import Date, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class Convention(Base):
    """A community's convention, as adopted on a day."""

    __tablename__ = "convention"

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    title: Mapped[str]
    adopted_on: Mapped[date | None] = mapped_column(Date)


class Clause(Base):
    """One clause. Rotation posts the active clause that has waited longest."""

    __tablename__ = "clause"
    __table_args__ = (UniqueConstraint("convention_id", "number"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    convention_id: Mapped[int] = mapped_column(refers("convention.id"))
    number: Mapped[int]
    text: Mapped[str]
    topic: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    last_posted_at: Mapped[datetime | None]
