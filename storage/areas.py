"""The grid: one tree of areas from street to household, and the communities in it."""

from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import JSON, Index, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class AreaLevel(StrEnum):
    """From the top down. A PLACE is a landmark (gate, square, parcel lockers) inside a grid or micro-grid."""

    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"
    MICRO_GRID = "micro_grid"
    BUILDING = "building"
    HOUSEHOLD = "household"
    PLACE = "place"


class Area(Base):
    """A node of the tree. `path` is the keys from the root down to this node, each between slashes: /1/5/9/."""

    __tablename__ = "area"
    __table_args__ = (
        UniqueConstraint("community_id", "code"),
        Index("ix_area_parent_id", "parent_id"),
        Index("ix_area_path", "path"),
    )

    id: Mapped[Key]
    community_id: Mapped[int | None] = mapped_column(refers("area.id"))
    parent_id: Mapped[int | None] = mapped_column(refers("area.id"))
    level: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(JSON, default=list)
    path: Mapped[str]
    removed_at: Mapped[datetime | None]


class Community(Base):
    """What a community sets for itself; its key is that of its area. Quiet hours are on the Chinese wall clock."""

    __tablename__ = "community"

    id: Mapped[int] = mapped_column(refers("area.id"), primary_key=True, autoincrement=False)
    name: Mapped[str]
    duty_phone: Mapped[str] = mapped_column(default="")
    quiet_from: Mapped[time] = mapped_column(Time, default=time(22, 0))
    quiet_until: Mapped[time] = mapped_column(Time, default=time(7, 30))


class Counter(Base):
    """The last number given in a community on a day for a prefix (BX, XY, …)."""

    __tablename__ = "counter"

    community_id: Mapped[int] = mapped_column(refers("community.id"), primary_key=True, autoincrement=False)
    day: Mapped[str] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
