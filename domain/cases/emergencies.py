"""An emergency is called out again and again until somebody takes it; here the calling ends. Who is called, and when, is domain/due.py."""

from datetime import datetime

from sqlalchemy import select

from core.messages import OutgoingAction
from core.texts import say
from domain import outbox, reminders
from domain.cases.life import STATE_NAMES, State
from domain.outbox import Priority
from storage.base import Session
from storage.cases import Case
from storage.messages import Outbox

STEP_BUTTONS = frozenset({"cases.accept", "cases.answer"})


def stop_calling(session: Session, case: Case, *, now: datetime) -> None:
    """Somebody has it, or it is over: nobody is called any more, and the calls that went out lose their buttons."""
    reminders.cancel(session, case, reminders.EMERGENCY, now=now)
    said = say("cases.emergency_settled", number=case.number, state=STATE_NAMES[State(case.state)])
    settle_calls(session, case, said, now=now)


def settle_calls(session: Session, case: Case, said: str, *, now: datetime) -> None:
    """The calls that went out say what came of them and lose their buttons; whoever is in charge now gets new ones."""
    for row in _calls(session, case):
        outbox.edit(session, row, said, now=now)


def _calls(session: Session, case: Case) -> list[Outbox]:
    """What was sent to be accepted, beside the card itself, and has not been settled yet."""
    sent = select(Outbox).where(
        Outbox.case_id == case.id, Outbox.action == OutgoingAction.SEND, Outbox.priority == Priority.ANSWER
    )
    calls = [
        row
        for row in session.scalars(sent)
        if any(button.get("action") in STEP_BUTTONS for line in row.buttons for button in line)
    ]
    settled = set(session.scalars(select(Outbox.edits_id).where(Outbox.edits_id.in_([row.id for row in calls]))))
    return [row for row in calls if row.id not in settled and row.id != case.card_id]
