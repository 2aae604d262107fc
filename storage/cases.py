"""Cases, their append-only history, the messages that belong to them, who joined them, and answers kept for next time."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class Case(Base):
    """One matter. `kind` and `urgency` are those of core.messages; `state` and the steps between states stand in domain/cases.py."""

    __tablename__ = "case"
    __table_args__ = (
        UniqueConstraint("community_id", "number"),
        Index("ix_case_community_id_state", "community_id", "state", "id"),
        Index("ix_case_reporter_id", "reporter_id"),
        Index(
            "ix_case_assignee_id",
            "assignee_id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_case_same_thing",
            "community_id",
            "thing",
            sqlite_where=text("closed_at IS NULL AND thing <> ''"),
            postgresql_where=text("closed_at IS NULL AND thing <> ''"),
        ),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(refers("community.id"))
    number: Mapped[str]
    kind: Mapped[str]
    topic: Mapped[str | None]
    urgency: Mapped[str]
    text: Mapped[str]
    place: Mapped[str] = mapped_column(default="")
    area_id: Mapped[int | None] = mapped_column(refers("area.id"))
    thing: Mapped[str] = mapped_column(
        default="", server_default=""
    )  # topic and building; empty where nobody said where
    is_private: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(default="chat")  # chat, telephone, walk-in, …
    chat_id: Mapped[int | None] = mapped_column(refers("chat.id"))
    reporter_id: Mapped[int | None] = mapped_column(refers("person.id"))
    state: Mapped[str]
    assignee_id: Mapped[int | None] = mapped_column(refers("person.id"))
    assignee_role: Mapped[str | None]
    deadline_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    rating: Mapped[int | None]
    returns: Mapped[int] = mapped_column(default=0)
    reopenings: Mapped[int] = mapped_column(default=0)
    siblings: Mapped[int] = mapped_column(default=0, server_default="0")  # other cases of the same message and receipt
    joined: Mapped[int] = mapped_column(default=0, server_default="0")  # how many have joined its reporter
    receipt_id: Mapped[int | None]  # the outbox row of the receipt in the group
    card_id: Mapped[int | None]  # the outbox row of the assignee's card
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the library reads it so


class CaseEvent(Base):
    """One step in a case's life. Rows are added, never changed; every figure is computed from them."""

    __tablename__ = "case_event"
    __table_args__ = (Index("ix_case_event_case_id", "case_id"),)

    id: Mapped[Key]
    community_id: Mapped[int]
    case_id: Mapped[int] = mapped_column(refers("case.id"))
    step: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    at: Mapped[datetime]
    actor_id: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    cause_id: Mapped[int | None]


class CaseMessage(Base):
    """A message that belongs to a case, so that replies to it, edits and its photos find the case."""

    __tablename__ = "case_message"
    __table_args__ = (
        Index("ix_case_message_chat_id_message_id", "chat_id", "message_id"),
        Index("ix_case_message_case_id", "case_id"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(refers("case.id"))
    chat_id: Mapped[int]
    message_id: Mapped[str]
    sender: Mapped[str]
    album_id: Mapped[str | None]
    text: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class CaseReporter(Base):
    """Somebody who said that they have the same trouble. Their words are the case's message of this chat and id.

    `told_state` is the state of the case that they were last told of, `told_id` the outbox row of the line that told the chat.
    """

    __tablename__ = "case_reporter"
    __table_args__ = (
        Index("ix_case_reporter_case_id", "case_id"),
        Index("ix_case_reporter_person_id", "person_id"),
    )

    id: Mapped[Key]
    community_id: Mapped[int]
    case_id: Mapped[int] = mapped_column(refers("case.id"))
    person_id: Mapped[int | None] = mapped_column(refers("person.id"))
    received_id: Mapped[int | None]
    chat_id: Mapped[int | None]
    message_id: Mapped[str | None]
    place: Mapped[str] = mapped_column(default="")
    has_own_words: Mapped[bool]  # reported it by themselves, or only agreed with somebody
    at: Mapped[datetime]
    told_state: Mapped[str]
    told_id: Mapped[int | None]
    parted_at: Mapped[datetime | None]


class KeptAnswer(Base):
    """A question staff have answered once, kept for next time; names, numbers and doors are masked in both."""

    __tablename__ = "kept_answer"
    __table_args__ = (Index("ix_kept_answer_community_id", "community_id"),)

    id: Mapped[Key]
    community_id: Mapped[int]
    case_id: Mapped[int] = mapped_column(refers("case.id"))
    question: Mapped[str]
    answer: Mapped[str]
    topic: Mapped[str | None]
    by_id: Mapped[int | None]
    at: Mapped[datetime]
