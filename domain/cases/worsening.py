"""A trouble that was no emergency has become one: its case is called out as if it had begun as that."""

from datetime import datetime

from core.messages import Urgency
from core.texts import say
from domain import access, reminders
from domain.cases import emergencies, telling, words, work
from domain.cases.life import Step, take_step
from storage.base import Session
from storage.cases import Case


def call_out(
    session: Session, case: Case, said: str, *, actor_id: int | None, now: datetime, cause_id: int | None
) -> None:
    """From now on it is an emergency, and everybody who works on it hears what was `said`. Its deadline stays: it was promised."""
    data = {
        "before": {"urgency": case.urgency},
        "after": {"urgency": Urgency.EMERGENCY},
        "why": emergencies.WORSE,
    }
    take_step(session, case, Step.ESCALATE, now=now, actor_id=actor_id, note=said, data=data, cause_id=cause_id)
    case.urgency = Urgency.EMERGENCY
    if case.state in emergencies.UNTAKEN:
        reminders.add(session, reminders.EMERGENCY, case, due_at=now + emergencies.REPEAT)
    text = say("cases.emergency_worse", number=case.number, place=words.place_name(session, case), note=said)
    telling.to_assignee(session, case, text, now=now)
    if access.is_for_few(case):
        place = words.place_for_staff(session, case)
        text = say("cases.emergency_worse", number=case.number, place=place, note=words.what_for_staff(case))
    telling.to_desk(session, case, text, now=now)
    work.refresh(session, case, now=now)
