"""Customer groups with their owners, the posts handed to those, and the words for new members."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class CustomerGroup(Base):
    """What the platform last told of a group that the bot is not in; its chat has the title and the area.

    `owner` is the account of who alone can post there, empty while there is nobody.
    """

    __tablename__ = "customer_group"

    chat_id: Mapped[int] = mapped_column(refers("chat.id"), primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(default="")
    owner_name: Mapped[str] = mapped_column(default="")
    members: Mapped[int] = mapped_column(default=0)
    residents: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[datetime]


class PostTaskState(StrEnum):
    """A post on its way through an owner's hands; the steps stand in domain/customer_groups/life.py."""

    MAKING = "making"  # the platform has not said yet that it has it
    CREATED = "created"
    REMINDED = "reminded"
    SENT = "sent"
    PARTLY = "partly"
    OVER_QUOTA = "over_quota"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class PostTask(Base):
    """One post for some groups of one owner; the outbox rows that name it are the groups.

    `due_at` is when to do the next thing about it, None when it is over. `is_doubtful` holds from before the platform is asked to
    make the task until its answer is stored: who finds it set looks the task up before making another. `twins` counts tasks on the
    platform that look the same and are not known here.
    """

    __tablename__ = "post_task"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        Index(
            "ix_post_task_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_post_task_run_id", "run_id"),
        Index("ix_post_task_community_id", "community_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int | None]
    channel: Mapped[str]
    account: Mapped[str]
    owner: Mapped[str]
    owner_name: Mapped[str] = mapped_column(default="")
    run_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(default=PostTaskState.MAKING)
    external_id: Mapped[str | None]
    due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    is_doubtful: Mapped[bool] = mapped_column(default=False)
    tried_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    twins: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    created_at: Mapped[datetime | None]  # the owner has had it since
    confirmed_at: Mapped[datetime | None]  # seen first that the owner pressed "send"
    ended_at: Mapped[datetime | None]
    reminders: Mapped[list[str]] = mapped_column(JSON, default=list)  # when, ISO 8601
    reminders_a_day: Mapped[int] = mapped_column(default=0)
    is_reminder_wanted: Mapped[bool] = mapped_column(default=False)
    is_cancel_wanted: Mapped[bool] = mapped_column(default=False)
    staff_told_at: Mapped[datetime | None]
    error: Mapped[str | None]


class WelcomeMaterial(Base):
    """The words for new members of the groups of an area, as they stand on the platform under `external_id`.

    `digest` tells which words; `due_at` is set while they could not be put there, with the reason.
    """

    __tablename__ = "welcome_material"
    __table_args__ = (UniqueConstraint("channel", "account", "area_id"),)

    id: Mapped[Key]
    channel: Mapped[str]
    account: Mapped[str]
    area_id: Mapped[int] = mapped_column(refers("area.id"))
    external_id: Mapped[str | None]
    digest: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime | None]
    error: Mapped[str | None]
