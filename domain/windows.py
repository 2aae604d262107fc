"""What may still be said in private chats whose platform counts, and in which of them a person of staff speaks for the bot.

How much a platform lets through is what its channel declares (`Allowance`). Here stands what staff are shown and rules plan by;
the platform has the last word.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, literal, or_, update

from core.messages import Allowance
from storage.base import Session
from storage.chats import ChatWindow
from storage.messages import Outbox, OutboxState
from storage.phone_tasks import PhoneTask

__all__ = [
    "LAST_HOUR",
    "SAVED",
    "SERVED",
    "SHUT",
    "ChatWindow",
    "hand_back",
    "hand_over",
    "note_heard",
    "of_chat",
]

# Why a message is held: nothing goes through until they write again, or while a person of staff speaks with them.
SHUT, SERVED = "window shut", "served by staff"
FOR_THEM = (SHUT, SERVED)
# Why a message waits in the queue: it only tells of progress, and goes along with the next that must be said.
SAVED = "saved up"
# What has been saved up until now is said by itself: after that it could not be said any more.
LAST_HOUR = timedelta(hours=1)
ANSWERS_LIVE = timedelta(days=1)
# Written out, not bound: only so do the partial indexes of what waits and of what is held serve.
QUEUED = literal(OutboxState.QUEUED.value, literal_execute=True)
HELD = literal(OutboxState.HELD.value, literal_execute=True)


def of_chat(session: Session, chat_id: int) -> ChatWindow | None:
    """None where the person has never written there, or the platform does not count."""
    return session.get(ChatWindow, chat_id)


def note_heard(session: Session, chat_id: int, allowance: Allowance, *, at: datetime, now: datetime) -> ChatWindow:
    """The person wrote at `at`: all of the allowance is free again, and what was held for them goes out.

    While a person of staff speaks with them it stays held. One who has not been heard of for longer than the platform keeps
    such a talk open has ended it.
    """
    window = session.get(ChatWindow, chat_id, with_for_update=True)
    if window is None:
        window = ChatWindow(chat_id=chat_id, heard_at=at, until=at + allowance.within, left=allowance.count)
        session.add(window)
        session.flush()  # the next message of the same batch must find it
        return window
    is_over = at > window.until
    if at >= window.heard_at:
        window.heard_at, window.until, window.left = at, at + allowance.within, allowance.count
    if is_over:
        window.served_at, window.served_by = None, ""
    if window.served_at is None:
        release(session, chat_id, FOR_THEM, now=now)
    return window


def release(session: Session, chat_id: int, reasons: Collection[str], *, now: datetime) -> int:
    """What was held for these reasons goes out, and what was saved up with it; nobody has to call any more. Returns how much.

    What is about no case was an answer to something said then: after a day it is none any more.
    """
    session.flush()
    here = Outbox.chat_id == chat_id
    is_old = (
        Outbox.state == HELD,
        Outbox.error.in_(reasons),
        Outbox.case_id.is_(None),
        Outbox.created_at < now - ANSWERS_LIVE,
    )
    session.execute(update(Outbox).where(here, *is_old).values(state=OutboxState.DROPPED))
    waits = or_(
        and_(Outbox.state == QUEUED, Outbox.error == SAVED), and_(Outbox.state == HELD, Outbox.error.in_(reasons))
    )
    released = session.execute(
        update(Outbox).where(here, waits).values(state=OutboxState.QUEUED, due_at=now, error=None)
    )
    is_open = (PhoneTask.done_at.is_(None), PhoneTask.dropped_at.is_(None))
    session.execute(update(PhoneTask).where(PhoneTask.chat_id == chat_id, *is_open).values(dropped_at=now))
    return int(getattr(released, "rowcount", 0))


def spend(session: Session, chat_id: int, count: int) -> None:
    """So many messages of the allowance have gone out."""
    window = of_chat(session, chat_id)
    if window is not None and count:
        window.left = max(0, window.left - count)


def note_closed(session: Session, chat_id: int, *, is_served: bool, now: datetime) -> None:
    """The platform has let nothing through: it knows better than what was counted here."""
    window = of_chat(session, chat_id)
    if window is None:
        return
    if is_served:
        window.served_at = window.served_at or now
    else:
        window.left = 0


def is_served(session: Session, chat_id: int) -> bool:
    """Whether a person of staff speaks there now, or is awaited."""
    window = of_chat(session, chat_id)
    return window is not None and window.served_at is not None


def hand_over(session: Session, chat_id: int, *, by: str = "", now: datetime) -> None:
    """From now on a person of staff speaks there; `by` is who, as the platform names them."""
    window = of_chat(session, chat_id)
    if window is None:  # they have not written to us: they were fetched by a servicer
        window = ChatWindow(chat_id=chat_id, heard_at=now, until=now, left=0)
        session.add(window)
        session.flush()
    window.served_at = window.served_at or now
    window.served_by = by or window.served_by


def hand_back(session: Session, chat_id: int, *, now: datetime) -> int | None:
    """The bot speaks again, first what was held meanwhile: how many messages that is. None where nobody else did."""
    window = of_chat(session, chat_id)
    if window is None or window.served_at is None:
        return None
    window.served_at, window.served_by = None, ""
    return release(session, chat_id, (SERVED,), now=now)


def left(window: ChatWindow, *, now: datetime) -> int:
    """How many messages may still go."""
    return window.left if now <= window.until else 0


def is_low(window: ChatWindow | None, allowance: Allowance, *, now: datetime) -> bool:
    """Whether what is left should be kept for what must be said."""
    return window is not None and left(window, now=now) <= allowance.reserve


def is_last_chance(window: ChatWindow | None, *, now: datetime) -> bool:
    """Whether what is left will soon be of no use."""
    return window is not None and left(window, now=now) > 0 and now >= window.until - LAST_HOUR
