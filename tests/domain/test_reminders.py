"""Reminders of a case: added, cancelled by kind or all, done once."""

from datetime import datetime, timedelta

from domain import due, reminders
from storage.base import Session
from storage.cases import Case
from storage.reminders import Reminder
from tests import builders


def waiting(session: Session, case: Case) -> list[str]:
    session.flush()
    query = session.query(Reminder).filter(Reminder.subject_id == case.id, Reminder.done_at.is_(None))
    return sorted(row.kind for row in query)


def bare_case(session: Session, now: datetime) -> Case:
    """A case without the reminders it was opened with."""
    case = builders.case(session, builders.community(session), now)
    reminders.cancel_all(session, case, now=now)
    return case


def test_reminders_are_cancelled_by_kind_or_all(session: Session, now: datetime) -> None:
    case = bare_case(session, now)
    for kind in (reminders.CARD, reminders.EMERGENCY, reminders.EMERGENCY, reminders.RATING_NUDGE):
        reminders.add(session, kind, case, due_at=now + timedelta(minutes=1))
    reminders.cancel(session, case, reminders.EMERGENCY, now=now)
    assert waiting(session, case) == [reminders.CARD, reminders.RATING_NUDGE]
    reminders.cancel_all(session, case, now=now)
    assert waiting(session, case) == []


def test_reminders_of_another_case_stay(session: Session, now: datetime) -> None:
    case, other = bare_case(session, now), bare_case(session, now)
    reminders.add(session, reminders.CARD, other, due_at=now)
    reminders.cancel_all(session, case, now=now)
    assert waiting(session, other) == [reminders.CARD]


def test_next_due_is_the_nearest_that_waits(session: Session, now: datetime) -> None:
    case = bare_case(session, now)
    assert due.next_due(session) is None
    reminders.add(session, reminders.RATING_NUDGE, case, due_at=now + timedelta(hours=2))
    reminders.add(session, reminders.CLOSE_UNRATED, case, due_at=now + timedelta(hours=1))
    session.flush()
    assert due.next_due(session) == now + timedelta(hours=1)
    assert due.run_due(session, now=now + timedelta(hours=1)) == 1
    assert due.run_due(session, now=now + timedelta(hours=1)) == 0
    assert due.next_due(session) == now + timedelta(hours=2)


def test_every_kind_has_its_rule() -> None:
    kinds = {value for name, value in vars(reminders).items() if name.isupper() and isinstance(value, str)}
    assert kinds - {reminders.DEADLINE_NEAR} <= set(due.RULES)


def test_gathering_is_closed_for_cards_and_photos_only(session: Session, now: datetime) -> None:
    case = bare_case(session, now)
    later = now + timedelta(minutes=1)
    for kind in (reminders.CARD, reminders.PHOTOS, reminders.RATING_NUDGE):
        reminders.add(session, kind, case, due_at=later)
    session.flush()
    due.close_gathering(session, now=now)
    session.expire_all()
    found = {row.kind: row.due_at for row in session.query(Reminder).filter(Reminder.done_at.is_(None))}
    assert found == {reminders.CARD: now, reminders.PHOTOS: now, reminders.RATING_NUDGE: later}
