"""Open questions: the bot has asked one person in one chat something and waits for the answer, for a while."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import bindparam, delete, select

from storage.base import Session
from storage.chats import Conversation

__all__ = ["Conversation", "ask", "close", "open_question"]

LIFE = timedelta(minutes=30)


def ask(
    session: Session,
    chat_id: int,
    sender: str,
    step: str,
    *,
    data: dict[str, str],
    now: datetime,
    life: timedelta = LIFE,
) -> None:
    """The next thing this person says here answers `step` (see handlers/routes.py); an older question is forgotten."""
    question = session.merge(Conversation(chat_id=chat_id, sender=sender, step=step, data=data, expires_at=now + life))
    session.memo[Conversation, chat_id, sender] = question


def open_question(session: Session, chat_id: int, sender: str, *, now: datetime) -> Conversation | None:
    """What this person was asked here, unless it has expired."""
    known = (Conversation, chat_id, sender)
    if known not in session.memo:
        session.memo[known] = session.get(Conversation, (chat_id, sender))
    question = cast(Conversation | None, session.memo[known])
    return question if question is not None and question.expires_at > now else None


# Put together once: every batch asks it.
ASKED = select(Conversation).where(
    # Two lists, not pairs: SQLite has no index for pairs. More than was asked for may come back.
    Conversation.chat_id.in_(bindparam("chats", expanding=True)),
    Conversation.sender.in_(bindparam("senders", expanding=True)),
)


def note_open(session: Session, speakers: Collection[tuple[int, str]]) -> None:
    """Looks up, in one statement, what these (chat, sender) were asked, for the `open_question` that follow."""
    asked = {"chats": list({chat_id for chat_id, _ in speakers}), "senders": list({sender for _, sender in speakers})}
    found = {(row.chat_id, row.sender): row for row in session.scalars(ASKED, asked)}
    for chat_id, sender in speakers:
        session.memo[Conversation, chat_id, sender] = found.get((chat_id, sender))


def close(session: Session, question: Conversation) -> None:
    """Answered, or given up."""
    session.memo[Conversation, question.chat_id, question.sender] = None
    session.delete(question)


def forget_expired(session: Session, *, now: datetime) -> None:
    session.execute(delete(Conversation).where(Conversation.expires_at <= now))
