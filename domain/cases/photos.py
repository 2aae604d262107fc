"""A case's photos on their way to its worker: with the card, or after it when they came late."""

from datetime import datetime, timedelta

from domain import files, reminders
from domain.cases.life import ACTIVE
from storage.base import Session
from storage.cases import Case
from storage.messages import File, FileState

# An album's pictures are stored one by one and handed on together.
TOGETHER = timedelta(seconds=4)


def note_stored(session: Session, file_id: int, *, now: datetime) -> None:
    """A file has been stored: if the worker has the card already, it follows."""
    file = session.get(File, file_id)
    case = session.get(Case, file.case_id) if file is not None and file.case_id else None
    if file is None or case is None or file.purpose != "report":
        return
    if case.state in ACTIVE and case.card_id is not None:
        reminders.add(session, reminders.PHOTOS, case, due_at=now + TOGETHER)


def for_somebody_new(session: Session, case: Case) -> None:
    """The case has another worker, who has seen no picture of it yet."""
    for file in files.of_case(session, case.id):
        file.handed_on_at = None


def hand_on(session: Session, case: Case, *, now: datetime) -> list[int]:
    """The stored photos of the report that the worker has not been given yet; from now on they count as given."""
    fresh = [
        file
        for file in files.of_case(session, case.id)
        if file.state == FileState.STORED and file.purpose == "report" and file.handed_on_at is None
    ]
    for file in fresh:
        file.handed_on_at = now
    return [file.id for file in fresh]
