"""A case's photos on their way to its worker: each once, and again for somebody new."""

from datetime import datetime

import pytest

from domain import reminders
from domain.cases import photos
from domain.cases.life import State
from storage.base import Session
from storage.cases import Case
from storage.messages import File, FileState
from storage.reminders import Reminder
from tests import builders


@pytest.fixture
def case(session: Session, now: datetime) -> Case:
    made = builders.case(session, builders.community(session), now)
    session.query(Reminder).delete()
    return made


def photo(
    session: Session, case: Case, now: datetime, *, state: str = FileState.STORED, purpose: str = "report"
) -> File:
    row = File(
        channel="simulator", account="", kind="photo", external_id="1", state=state, due_at=now,
        case_id=case.id, community_id=case.community_id, purpose=purpose,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def test_stored_photos_of_the_report_are_handed_on_once(session: Session, case: Case, now: datetime) -> None:
    first, second = photo(session, case, now), photo(session, case, now)
    photo(session, case, now, state=FileState.WANTED)
    photo(session, case, now, state=FileState.REFUSED)
    photo(session, case, now, purpose="proof")
    assert photos.hand_on(session, case, now=now) == [first.id, second.id]
    assert photos.hand_on(session, case, now=now) == []


def test_somebody_new_gets_them_all(session: Session, case: Case, now: datetime) -> None:
    first = photo(session, case, now)
    photos.hand_on(session, case, now=now)
    photos.for_somebody_new(session, case)
    assert photos.hand_on(session, case, now=now) == [first.id]


@pytest.mark.parametrize(
    ("state", "has_card", "purpose", "follows"),
    [
        (State.ASSIGNED, True, "report", True),
        (State.ASSIGNED, False, "report", False),
        (State.CLOSED, True, "report", False),
        (State.ASSIGNED, True, "proof", False),
    ],
)
def test_photo_follows_a_card_that_is_out(
    session: Session, case: Case, now: datetime, state: State, has_card: bool, purpose: str, follows: bool
) -> None:
    case.state, case.card_id = state, 5 if has_card else None
    photos.note_stored(session, photo(session, case, now, purpose=purpose).id, now=now)
    session.flush()
    found = [(row.kind, row.due_at) for row in session.query(Reminder)]
    assert found == ([(reminders.PHOTOS, now + photos.TOGETHER)] if follows else [])


def test_file_of_no_case_is_nobodys_matter(session: Session, case: Case, now: datetime) -> None:
    loose = photo(session, case, now)
    loose.case_id = None
    photos.note_stored(session, loose.id, now=now)
    photos.note_stored(session, 1, now=now)
    session.flush()
    assert session.query(Reminder).count() == 0
