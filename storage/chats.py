"""Chats the bot is in, the codes that bind them, what was last asked in them, and what may still be said in them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class ChatState(StrEnum):
    UNBOUND = "unbound"  # nobody has proven where it belongs: the bot is silent there
    BOUND = "bound"
    LEFT = "left"  # the bot was removed, or the person blocked it


class ChatPurpose(StrEnum):
    RESIDENTS = "residents"
    STAFF = "staff"
    PRIVATE = "private"


class Chat(Base):
    """A group bound to an area, or the private chat with a person."""

    __tablename__ = "chat"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        Index("ix_chat_person_id", "person_id"),
        Index("ix_chat_community_id", "community_id"),
    )

    id: Mapped[Key]
    channel: Mapped[str]
    account: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=ChatState.UNBOUND)
    purpose: Mapped[str] = mapped_column(default=ChatPurpose.RESIDENTS)
    community_id: Mapped[int | None] = mapped_column(refers("community.id"))
    area_id: Mapped[int | None] = mapped_column(refers("area.id"))
    person_id: Mapped[int | None] = mapped_column(refers("person.id"))
    created_at: Mapped[datetime]
    posts_paused_at: Mapped[datetime | None]
    last_case_id: Mapped[int | None]  # what "me too" means here


class ChatWindow(Base):
    """A private chat whose platform counts: `left` messages may still go until `until`, since the person's last word `heard_at`.

    Since `served_at` a person of staff speaks there (or is awaited), and the bot is silent; `served_by` is their name for the platform.
    """

    __tablename__ = "chat_window"

    chat_id: Mapped[int] = mapped_column(refers("chat.id"), primary_key=True, autoincrement=False)
    heard_at: Mapped[datetime]
    until: Mapped[datetime]
    left: Mapped[int]
    served_at: Mapped[datetime | None]
    served_by: Mapped[str] = mapped_column(default="")


class BindingCode(Base):
    """A one-time code made by staff: it binds a group to an area, or an account to a person. Only its hash is kept."""

    __tablename__ = "binding_code"

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    code_hash: Mapped[str] = mapped_column(unique=True)
    area_id: Mapped[int | None] = mapped_column(refers("area.id"))
    purpose: Mapped[str | None]
    person_id: Mapped[int | None] = mapped_column(refers("person.id"))
    made_by_id: Mapped[int | None] = mapped_column(refers("person.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Conversation(Base):
    """The open question to one person in one chat: a restart forgets nothing, an old one expires."""

    __tablename__ = "conversation"

    chat_id: Mapped[int] = mapped_column(refers("chat.id"), primary_key=True, autoincrement=False)
    sender: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    expires_at: Mapped[datetime]
