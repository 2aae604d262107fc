"""People, the accounts they speak from, what they are in charge of, and where they live."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class Role(StrEnum):
    GRID_WORKER = "grid_worker"  # 网格员
    MICRO_GRID_HEAD = "micro_grid_head"  # 微网格长
    BUILDING_STEWARD = "building_steward"  # 楼栋管家
    COMMUNITY_WORKER = "community_worker"  # 社区工作者
    MEDIATOR = "mediator"  # 调解员
    SUPERVISOR = "supervisor"  # 监督委员
    VOLUNTEER = "volunteer"  # 志愿者
    STREET_OFFICER = "street_officer"  # 街道干部
    ADMINISTRATOR = "administrator"  # 系统管理员


class Person(Base):
    """Somebody, installation-wide. The telephone number is sealed; `phone_hash` finds it again."""

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_phone_hash", "phone_hash"),)

    id: Mapped[Key]
    code: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class PrivateChat(StrEnum):
    """Whether the bot may write to an account in private."""

    UNKNOWN = "unknown"
    OPEN = "open"
    BLOCKED = "blocked"


class Account(Base):
    """A person's account on a channel."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("ix_account_person_id", "person_id"),
    )

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(refers("person.id"))
    channel: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    username: Mapped[str | None]
    private_chat: Mapped[str] = mapped_column(default=PrivateChat.UNKNOWN)
    linked_at: Mapped[datetime]
    linked_by: Mapped[str] = mapped_column(default="spoke")  # spoke, code, administrator


class Duty(Base):
    """A person's role in an area, from a day until a day (None: for good). The smallest `rank` is asked first."""

    __tablename__ = "duty"
    __table_args__ = (
        UniqueConstraint("person_id", "role", "area_id", "from_on"),
        Index("ix_duty_area_id_role", "area_id", "role"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    person_id: Mapped[int] = mapped_column(refers("person.id"))
    area_id: Mapped[int] = mapped_column(refers("area.id"))
    role: Mapped[str]
    topic_head: Mapped[str | None]  # only matters under this head come here; None: all
    from_on: Mapped[date] = mapped_column(Date)
    until_on: Mapped[date | None] = mapped_column(Date)
    rank: Mapped[int] = mapped_column(default=0)


class Residence(Base):
    """Where a person lives."""

    __tablename__ = "residence"
    __table_args__ = (UniqueConstraint("person_id", "area_id"), Index("ix_residence_area_id", "area_id"))

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    person_id: Mapped[int] = mapped_column(refers("person.id"))
    area_id: Mapped[int] = mapped_column(refers("area.id"))
