"""A person of staff speaks with a resident in the platform's own client, and the bot and they by turns.

Who asks for it is silent to nobody: what they write is still kept, what is said to them meanwhile waits (domain/windows.py).
"""

from datetime import datetime

from core.ids import new_id
from core.messages import OutgoingAction
from core.texts import say
from domain import notices, outbox, windows
from storage.base import Session
from storage.chats import Chat
from storage.messages import Outbox, Priority

__all__ = ["Chat", "begin", "end", "note_done", "note_refused"]


def begin(session: Session, chat: Chat, *, now: datetime, number: str = "") -> None:
    """From now on the bot is silent there, and the platform is asked for a person. Staff are told that somebody waits.

    `number` is of the case that it is about, where that is known.
    """
    if windows.is_served(session, chat.id):
        return
    windows.hand_over(session, chat.id, now=now)
    _order(session, chat, OutgoingAction.HAND_OVER, say("serving.begins"), now=now)
    community_id = notices.community_of(session, chat)
    if community_id is not None:
        key = "asked_about" if number else "asked"
        notices.tell_desk(
            session, community_id, say(f"serving.{key}", **({"number": number} if number else {})), now=now
        )


def end(session: Session, chat: Chat, *, now: datetime) -> None:
    """The platform is asked to end the talk; when it has, the bot speaks again."""
    if windows.is_served(session, chat.id):
        _order(session, chat, OutgoingAction.HAND_BACK, say("serving.ended"), now=now)


def note_done(session: Session, chat_id: int, action: str, *, now: datetime) -> None:
    """The platform has done what it was asked to."""
    if action == OutgoingAction.HAND_BACK:
        windows.hand_back(session, chat_id, now=now)


def note_refused(session: Session, chat_id: int, *, now: datetime) -> None:
    """Nobody could be fetched: the resident hears it from the bot, who speaks again, and the desk must see to them itself."""
    windows.hand_back(session, chat_id, now=now)
    chat = session.get_one(Chat, chat_id)
    outbox.post(session, chat, say("serving.nobody"), now=now)
    community_id = notices.community_of(session, chat)
    if community_id is not None:
        notices.tell_desk(session, community_id, say("serving.nobody_desk"), now=now)


def _order(session: Session, chat: Chat, action: OutgoingAction, text: str, *, now: datetime) -> None:
    session.add(
        Outbox(
            id=new_id(),
            community_id=chat.community_id,
            chat_id=chat.id,
            action=action,
            text=text,
            priority=Priority.ANSWER,
            due_at=now,
            created_at=now,
        )
    )
