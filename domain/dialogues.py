"""Open questions: the bot has asked one person in one chat something and waits for the answer, for a while."""

from datetime import datetime, timedelta

from sqlalchemy import delete

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
    session.merge(Conversation(chat_id=chat_id, sender=sender, step=step, data=data, expires_at=now + life))


def open_question(session: Session, chat_id: int, sender: str, *, now: datetime) -> Conversation | None:
    """What this person was asked here, unless it has expired."""
    question = session.get(Conversation, (chat_id, sender))
    return question if question is not None and question.expires_at > now else None


def close(session: Session, question: Conversation) -> None:
    """Answered, or given up."""
    session.delete(question)


def forget_expired(session: Session, *, now: datetime) -> None:
    session.execute(delete(Conversation).where(Conversation.expires_at <= now))
