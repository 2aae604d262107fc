"""Forgetting: what has been kept long enough, each night. How long is a setting of the installation; who asks to be forgotten is
erasing.py's."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select

from core.config import KeepSettings
from domain import erasing, inbox, windows
from domain.cases import answers
from domain.erasing import SETTLED, STEPS_WITH_WORDS, forget_person
from domain.many_rows import change_rows, delete_rows
from storage.access import SignInLink, WebSession
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseMessage, CaseReporter, KeptAnswer
from storage.chats import BindingCode, Conversation
from storage.customer_groups import PostTask
from storage.messages import File, Outbox, OutboxState, Outcome, Received
from storage.phone_tasks import PhoneTask
from storage.reminders import Reminder
from storage.understanding import Correction

__all__ = ["forget", "forget_person", "hashes_in_use"]

# Cases in one night; a backlog of years must not hold up the writer.
MOST_CASES = 1000
# Spent links, codes and sessions are looked at for a while when something went wrong, then they only lie about.
SPENT_LIFE = timedelta(days=30)


def forget(session: Session, *, now: datetime, keep: KeepSettings) -> dict[str, int]:
    """Blanks and deletes what has been kept long enough; returns how much of each. Done twice, the second time finds nothing.

    Figures stay: cases, their steps and ratings, only without words and names.
    """
    session.flush()
    sent_before, spoken_before = now - timedelta(days=keep.sent_days), now - timedelta(days=keep.chatter_text_days)
    return {
        "texts": inbox.forget_texts(session, before=spoken_before),
        "keys": _forget_keys(session, before=now - timedelta(days=keep.message_key_days)),
        "failed": _forget_failed(session, before=sent_before),
        "sent": _forget_sent(session, before=sent_before),
        "cases": _forget_cases(session, before=now - timedelta(days=keep.closed_case_days))
        + erasing.forget_ended(session),
        "leftovers": _forget_leftovers(session, now=now, before=sent_before, spoken_before=spoken_before),
    }


def _forget_keys(session: Session, *, before: datetime) -> int:
    """Messages that became nothing: after this long no platform delivers one a second time."""
    old = Received.received_at < before
    return delete_rows(session, Received, old, Received.case_id.is_(None), Received.outcome != Outcome.FAILED)


def _forget_failed(session: Session, *, before: datetime) -> int:
    """Bodies kept for replay: a fault not mended by now will not be."""
    return delete_rows(session, Received, Received.received_at < before, Received.outcome == Outcome.FAILED)


def _forget_sent(session: Session, *, before: datetime) -> int:
    """What left us long ago. Of open cases only the words go: their buttons still work, and replies still find the case."""
    is_old = and_(Outbox.created_at < before, Outbox.state.in_(SETTLED))
    of_open_case = exists().where(Case.id == Outbox.case_id, Case.closed_at.is_(None))
    deleted = delete_rows(session, Outbox, is_old, ~of_open_case)
    return deleted + change_rows(session, Outbox, {"text": ""}, is_old, Outbox.text != "")


def _forget_cases(session: Session, *, before: datetime) -> int:
    """Matters closed long ago lose the words, the door, the photos and who reported them; the number and the steps stay."""
    has_something = or_(Case.text != "", Case.place != "", Case.reporter_id.is_not(None))
    query = select(Case.id).where(Case.closed_at < before, has_something).order_by(Case.id).limit(MOST_CASES)
    old = session.scalars(query).all()
    if not old:
        return 0
    nothing = {"text": "", "place": "", "reporter_id": None, "chat_id": None}
    change_rows(session, Case, nothing, Case.id.in_(old))
    change_rows(session, CaseEvent, {"note": ""}, CaseEvent.case_id.in_(old))
    change_rows(session, CaseEvent, {"data": {}}, CaseEvent.case_id.in_(old), CaseEvent.step.in_(STEPS_WITH_WORDS))
    delete_rows(session, CaseMessage, CaseMessage.case_id.in_(old))
    change_rows(session, CaseReporter, {"person_id": None, "place": ""}, CaseReporter.case_id.in_(old))
    change_rows(session, PhoneTask, {"note": ""}, PhoneTask.case_id.in_(old))
    delete_rows(session, Correction, Correction.case_id.in_(old))
    delete_rows(session, Received, Received.case_id.in_(old))
    delete_rows(session, File, File.case_id.in_(old))
    is_stale = and_(Outbox.state == OutboxState.HELD, Outbox.error.in_(windows.FOR_THEM))
    delete_rows(session, Outbox, Outbox.case_id.in_(old), or_(Outbox.state.in_(SETTLED), is_stale))
    # The answer is the community's knowledge and serves on; the question keeps no door and no number.
    for answer in session.scalars(select(KeptAnswer).where(KeptAnswer.case_id.in_(old))):
        answer.question = answers.masked(answer.question)
    session.flush()
    return len(old)


def _forget_leftovers(session: Session, *, now: datetime, before: datetime, spoken_before: datetime) -> int:
    """Questions that nobody answered, reminders that are done, words that became no matter and were kept to learn from, and spent
    or dead links, codes and sessions."""
    spent = now - SPENT_LIFE
    return sum(
        [
            delete_rows(session, Conversation, Conversation.expires_at < now),
            delete_rows(session, Reminder, Reminder.done_at < before),
            delete_rows(session, PostTask, PostTask.ended_at < before),
            delete_rows(session, Correction, Correction.case_id.is_(None), Correction.at < spoken_before),
            delete_rows(session, SignInLink, SignInLink.expires_at < spent),
            delete_rows(session, WebSession, WebSession.expires_at < spent),
            delete_rows(session, BindingCode, BindingCode.expires_at < spent),
        ]
    )


def hashes_in_use(session: Session, hashes: Collection[str]) -> set[str]:
    """Which of these media some row still names; the files of the others may be deleted."""
    return set(session.scalars(select(File.sha256).where(File.sha256.in_(hashes))))
