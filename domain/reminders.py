"""What is due at a time: rows with an index, made and cancelled here; what each kind does stands in domain/due.py."""

from datetime import datetime

from sqlalchemy import select, update

from storage.base import Session
from storage.cases import Case
from storage.reminders import Reminder

__all__ = ["Reminder", "add", "add_later", "add_once", "cancel", "cancel_all"]

CARD = "case.card"
PHOTOS = "case.photos"  # photos that came after the card
RECEIPT_SETTLED = "case.receipt_settled"  # the minute for undoing is over
JOINED = "case.joined"  # neighbours have joined
JOIN_SETTLED = "case.join_settled"  # the minute for parting again is over
DEADLINE_NEAR = "case.deadline_near"
DEADLINE_OVER = "case.deadline_over"
EMERGENCY = "case.emergency"
RATING_NUDGE = "case.rating_nudge"
CLOSE_UNRATED = "case.close_unrated"
CLAIM_NEAR = "claim.near"  # a wish that somebody has taken on is to be fulfilled soon
CLAIM_OVER = "claim.over"
PROOF = "case.proof"  # a photo that was to prove the end could not be kept


def add(session: Session, kind: str, case: Case, *, due_at: datetime) -> None:
    session.leave(Reminder, community_id=case.community_id, kind=kind, subject_id=case.id, due_at=due_at)


def add_once(session: Session, kind: str, case: Case, *, due_at: datetime) -> None:
    """Like `add`, unless one of this kind is still to come for the case."""
    waiting = select(Reminder.id).where(
        Reminder.subject_id == case.id, Reminder.kind == kind, Reminder.done_at.is_(None)
    )
    if session.scalar(waiting.limit(1)) is None:
        add(session, kind, case, due_at=due_at)


def add_later(session: Session, kind: str, *, community_id: int, subject_id: int, due_at: datetime) -> None:
    """Like `add`, for a case of which only the keys are in hand."""
    session.leave(Reminder, community_id=community_id, kind=kind, subject_id=subject_id, due_at=due_at)


def cancel(session: Session, case: Case, kind: str, *, now: datetime) -> None:
    """What of this kind is still to come for the case is no longer wanted."""
    session.flush()
    session.execute(
        update(Reminder)
        .where(Reminder.subject_id == case.id, Reminder.kind == kind, Reminder.done_at.is_(None))
        .values(done_at=now)
    )


def cancel_all(session: Session, case: Case, *, now: datetime) -> None:
    """Nothing about this case is to come any more."""
    session.flush()
    session.execute(
        update(Reminder).where(Reminder.subject_id == case.id, Reminder.done_at.is_(None)).values(done_at=now)
    )
