"""What staff have decided about the organisation's address book: which department stands for which duty."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class ColleagueRule(Base):
    """Who is in this department, with this word in their position where one is given, is proposed for this role in this area."""

    __tablename__ = "colleague_rule"
    __table_args__ = (Index("ix_colleague_rule_community_id", "community_id"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    department: Mapped[str]
    position: Mapped[str] = mapped_column(default="")
    role: Mapped[str]
    area_id: Mapped[int] = mapped_column(refers("area.id"))
