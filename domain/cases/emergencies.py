"""An emergency is called out again and again until somebody takes it; here the calling begins anew and ends. Who is called, and how
often, is calls.py."""

from datetime import datetime, timedelta

from sqlalchemy import select

from core.messages import OutgoingAction, Urgency
from core.texts import say
from domain import outbox, reminders
from domain.cases.life import ACTIVE, STATE_NAMES, State, Step
from domain.outbox import Priority
from storage.base import Session
from storage.cases import Case, CaseEvent
from storage.messages import Outbox

STEP_BUTTONS = frozenset({"cases.accept", "cases.answer"})
REPEAT = timedelta(minutes=3)
UNTAKEN = frozenset({State.OPEN, State.ASSIGNED})
WORSE = "worse"  # in a step's data: it became an emergency with it


def call_again(session: Session, case: Case, *, now: datetime) -> bool:
    """Nobody has it any more: it is called out as at its beginning. False where it is no emergency."""
    if case.urgency != Urgency.EMERGENCY or case.state not in ACTIVE:
        return False
    reminders.cancel(session, case, reminders.EMERGENCY, now=now)
    reminders.add(session, reminders.EMERGENCY, case, due_at=now + REPEAT)
    return True


def called_since(session: Session, case: Case) -> datetime:
    """Since when nobody has had it: since the last who had taken it on gave it back, since it became an emergency, or since it was opened."""
    left = select(CaseEvent.at).where(
        CaseEvent.case_id == case.id, CaseEvent.after.in_(UNTAKEN), CaseEvent.before.not_in(UNTAKEN)
    )
    last = session.scalars(left.order_by(CaseEvent.id.desc()).limit(1)).first() or case.opened_at
    grew = select(CaseEvent.at, CaseEvent.data).where(CaseEvent.case_id == case.id, CaseEvent.step == Step.ESCALATE)
    moments: list[datetime] = [at for at, data in session.execute(grew) if data.get("why") == WORSE]
    return max([last, *moments])


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
