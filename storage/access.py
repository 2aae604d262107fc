"""Who may come in: sign-in links, sessions, and the log of what staff did."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Key, refers


class SignInLink(Base):
    """A one-time link sent in private chat, or a platform's proof that was spent; only the hash of its token is kept."""

    __tablename__ = "sign_in_link"

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(refers("person.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class WebSession(Base):
    """A signed-in browser; only the hash of its cookie is kept. `csrf` goes into each form."""

    __tablename__ = "web_session"
    __table_args__ = (Index("ix_web_session_person_id", "person_id"),)

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(refers("person.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    csrf: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    browser: Mapped[str] = mapped_column(default="")


class AuditEntry(Base):
    """One act of staff: who, when, what, on what. Rows are added, never changed."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_community_id", "community_id", "id"),)

    id: Mapped[Key]
    community_id: Mapped[int | None]
    person_id: Mapped[int | None]
    at: Mapped[datetime]
    act: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
