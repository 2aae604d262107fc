"""The proof of a finished case that never came: its photo was broken, too large or lost after the case had been finished."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from core.errors import Refused
from core.texts import say
from domain import chats, dialogues, files, outbox, reminders
from domain.cases import staff_words, telling, work
from domain.cases.life import State, Step, take_step
from domain.files import FileState
from domain.outbox import Priority
from storage.base import Session
from storage.cases import Case, CaseEvent
from storage.people import Account, Person

AGAIN_STEP = "tasks.proof_again"
ANSWER_LIFE = timedelta(days=1)
# The worker is just answering something else: a photo for one case must not land in another.
BUSY = timedelta(minutes=5)
MISSING = {"why": "proof"}


def ask_again(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """A case that was finished by photos alone, none of which could be kept: the worker is asked once more, and the case says so."""
    for case in cases:
        finish = _finish_without_proof(session, case)
        if finish is None:
            continue
        person_id = finish.actor_id or case.assignee_id
        if person_id is not None and not _ask(session, case, person_id, now=now):
            reminders.add(session, reminders.PROOF, case, due_at=now + BUSY)
            continue
        take_step(session, case, Step.ADD, now=now, note=say("cases.proof_missing"), data=MISSING)


def _finish_without_proof(session: Session, case: Case) -> CaseEvent | None:
    """The step that finished the case, if nothing proves it and nobody has been asked since."""
    if case.state != State.FINISHED:
        return None
    session.flush()
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)).all()
    finish = next((event for event in reversed(events) if event.step == Step.FINISH), None)
    if finish is None or len(finish.note) >= work.SHORTEST_REASON:
        return None
    if any(event.data == MISSING for event in events if event.id > finish.id):
        return None
    proofs = [file for file in files.of_case(session, case.id) if str(file.id) in finish.data.get("files", [])]
    return None if any(file.state in (FileState.STORED, FileState.WANTED) for file in proofs) else finish


def _ask(session: Session, case: Case, person_id: int, *, now: datetime) -> bool:
    """False while the worker owes another answer. Where the bot cannot write to them, staff are told."""
    chat = chats.private_chat_of(session, person_id)
    account = (
        chat
        and session.scalars(
            select(Account).where(Account.person_id == person_id, Account.channel == chat.channel).limit(1)
        ).one_or_none()
    )
    if chat is None or account is None:
        telling.to_desk(session, case, say("cases.proof_missing_desk", number=case.number), now=now)
        return True
    if dialogues.open_question(session, chat.id, account.external_id, now=now) is not None:
        return False
    data = {"case": str(case.id)}
    dialogues.ask(session, chat.id, account.external_id, AGAIN_STEP, data=data, now=now, life=ANSWER_LIFE)
    text = say("cases.ask_proof_again", number=case.number)
    outbox.post(session, chat, text, now=now, priority=Priority.ASSIGNMENT, person_id=person_id, case_id=case.id)
    return True


def add(
    session: Session, case: Case, person: Person, *, note: str, now: datetime, file_ids: Sequence[int] = ()
) -> None:
    """The photo or the reason that was missing; a resident who has not rated yet sees it."""
    note = note.strip()
    if not file_ids and len(note) < work.SHORTEST_REASON:
        raise Refused("cases.need_proof")
    data = {"files": [str(key) for key in file_ids]}
    take_step(session, case, Step.ADD, now=now, actor_id=person.id, note=note, data=data)
    if case.state == State.FINISHED:
        shown = staff_words.as_shown(session, case, note) or say("cases.photo_proof")
        text = say("cases.proof_for_resident", number=case.number, note=shown)
        telling.to_reporter(session, case, text, now=now, file_ids=file_ids)
