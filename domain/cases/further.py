"""A question after the answer: it goes back to whoever answered, who can answer once more; the case stays as it is."""

from datetime import datetime

from core.clock import in_china
from core.errors import Refused
from core.texts import say
from domain import access
from domain.cases import dispatch, staff_words, telling, work
from domain.cases.life import Step, take_step
from domain.outbox import Press
from storage.base import Session
from storage.cases import Case
from storage.people import Person


def ask(session: Session, case: Case, text: str, *, actor_id: int, now: datetime, cause_id: int | None) -> None:
    """The question is kept with the case, and its worker is told of it; where they cannot be, the staff groups."""
    take_step(session, case, Step.ADD, now=now, actor_id=actor_id, note=text, cause_id=cause_id)
    is_there = dispatch.is_on_duty(session, case, in_china(now).date())
    told, again = say("cases.card_asked_again", number=case.number, note=text), say("cases.button_answer")
    buttons = [[Press(again, "cases.answer_again", case.id)]]
    if not is_there or not telling.to_person(session, case, case.assignee_id, told, now=now, buttons=buttons):
        note = "" if access.is_for_few(case) else text
        telling.to_desk(session, case, say("cases.card_asked_again", number=case.number, note=note), now=now)


def answer(session: Session, case: Case, person: Person, text: str, *, now: datetime) -> None:
    """What staff say to it, to whoever asked."""
    if len(text.strip()) < work.SHORTEST_REASON:
        raise Refused("cases.need_answer")
    take_step(session, case, Step.ADD, now=now, actor_id=person.id, note=text.strip())
    note = staff_words.as_shown(session, case, text.strip())
    telling.to_reporter(session, case, say("cases.answered_again", number=case.number, note=note), now=now)
