"""A case's photos: which words they belong to, and their way to its worker, with the card, or after it when they came late."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from core.ids import BLOCK_STRIDE
from core.messages import IncomingKind, Urgency
from domain import files, reminders
from domain.cases import remarks
from domain.cases.life import ACTIVE
from domain.inbox import Noted, Outcome, Received
from storage.base import Session
from storage.cases import Case, CaseMessage
from storage.messages import File, FileState

# An album's pictures are stored one by one and handed on together.
TOGETHER = timedelta(seconds=4)
# A photo so soon behind the words is of them; one that is only supposed to be waits for words of its own before the worker gets it.
RIGHT_BEHIND = timedelta(seconds=6)
LATE = timedelta(seconds=15)
MAY_BE_CLAIMED = timedelta(seconds=20)


def note_stored(session: Session, file_id: int, *, now: datetime) -> None:
    """A file has been stored: if the worker has the card already, it follows."""
    file = session.get(File, file_id)
    case = session.get(Case, file.case_id) if file is not None and file.case_id else None
    if file is None or case is None or file.purpose != "report":
        return
    if case.state in ACTIVE and case.card_id is not None:
        wait = MAY_BE_CLAIMED if _may_be_claimed(session, file, case) else TOGETHER
        reminders.add(session, reminders.PHOTOS, case, due_at=now + wait)


def _may_be_claimed(session: Session, file: File, case: Case) -> bool:
    """Whether a photo came alone and late, so that words of its own may follow it."""
    sent = session.get(Received, file.received_id) if file.received_id else None
    if sent is None or sent.outcome != Outcome.SUPPOSED or case.urgency != Urgency.NORMAL:
        return False
    return sent.sent_at - case.opened_at > LATE


def belongs_rather_to(session: Session, photo: Received, said: Noted) -> bool:
    """Whether a photo that is supposed to belong to a case stands nearer to what was `said` now than to the words before it."""
    before = session.scalars(
        select(CaseMessage.at)
        .where(
            CaseMessage.case_id == photo.case_id,
            CaseMessage.chat_id == photo.chat_id,
            CaseMessage.sender == photo.sender,
            CaseMessage.text != "",
            CaseMessage.at <= photo.sent_at,
        )
        .order_by(CaseMessage.at.desc())
        .limit(1)
    ).first()
    if before is None:
        return False
    waited = photo.sent_at - before
    return waited > RIGHT_BEHIND and abs(said.sent_at - photo.sent_at) < waited


def let_go_of_talk(session: Session, case: Case) -> None:
    """Photos that are only supposed to belong to a case, and that their sender has talked of something else with, are handed to nobody."""
    query = select(File, Received).join(Received, Received.id == File.received_id)
    supposed = query.where(
        File.case_id == case.id, File.handed_on_at.is_(None), Received.outcome == Outcome.SUPPOSED, Received.text == ""
    )
    for file, sent in session.execute(supposed).all():
        said = _said_with(session, sent)
        if said is not None and remarks.shows_something_else(said.text) and belongs_rather_to(session, sent, said):
            file.case_id = sent.case_id = None
            sent.outcome = Outcome.SILENT


def _said_with(session: Session, sent: Received) -> Received | None:
    """The next line of whoever sent a photo, if it came before the photo would be handed on."""
    until = sent.id + int(MAY_BE_CLAIMED.total_seconds()) * 1000 * BLOCK_STRIDE  # keys grow with the time of arrival
    query = select(Received).where(
        Received.id.between(sent.id + 1, until),
        Received.chat_id == sent.chat_id,
        Received.sender == sent.sender,
        Received.kind == IncomingKind.MESSAGE,
        Received.attachments.is_(None),
    )
    return session.scalars(query.order_by(Received.id).limit(1)).first()


def move(session: Session, photo: Received, case: Case, *, now: datetime) -> None:
    """The photo belongs to this case and not to the one that it was supposed to."""
    session.flush()
    session.execute(
        update(CaseMessage)
        .where(
            CaseMessage.case_id == photo.case_id,
            CaseMessage.chat_id == photo.chat_id,
            CaseMessage.message_id == photo.message_id,
        )
        .values(case_id=case.id)
    )
    taken = update(File).where(File.received_id == photo.id, File.case_id == photo.case_id)
    session.execute(taken.values(case_id=case.id, handed_on_at=None))
    photo.case_id, photo.outcome = case.id, Outcome.JOINED
    if case.card_id is not None or case.urgency != Urgency.NORMAL:
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
