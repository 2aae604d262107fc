"""A question after the answer: it goes back to whoever answered, who can answer once more; the case stays as it is."""

from datetime import datetime

from core.clock import in_china
from core.errors import Refused
from core.texts import say
from domain import access, chats, outbox
from domain.cases import dispatch, staff_words, work
from domain.cases.life import Step, take_step
from domain.outbox import Press, Priority
from storage.base import Session
from storage.cases import Case
from storage.people import Person


def ask(session: Session, case: Case, text: str, *, actor_id: int, now: datetime, cause_id: int | None) -> None:
    """The question is kept with the case, and its worker is told of it; where they cannot be, the staff groups."""
    take_step(session, case, Step.ADD, now=now, actor_id=actor_id, note=text, cause_id=cause_id)
    is_there = case.assignee_id is not None and dispatch.is_on_duty(session, case, in_china(now).date())
    chat = chats.private_chat_of(session, case.assignee_id) if is_there and case.assignee_id else None
    if chat is None:
        note = "" if access.is_for_few(case) else text
        work.tell_desk(session, case, say("cases.card_asked_again", number=case.number, note=note), now=now)
        return
    outbox.post(
        session,
        chat,
        say("cases.card_asked_again", number=case.number, note=text),
        now=now,
        buttons=[[Press(say("cases.button_answer"), "cases.answer_again", case.id)]],
        priority=Priority.ASSIGNMENT,
        person_id=case.assignee_id,
        case_id=case.id,
    )


def answer(session: Session, case: Case, person: Person, text: str, *, now: datetime) -> None:
    """What staff say to it, to whoever asked."""
    if len(text.strip()) < work.SHORTEST_REASON:
        raise Refused("cases.need_reason")
    take_step(session, case, Step.ADD, now=now, actor_id=person.id, note=text.strip())
    note = staff_words.as_shown(session, case, text.strip())
    work.send_to_reporter(session, case, say("cases.answered_again", number=case.number, note=note), now=now)
