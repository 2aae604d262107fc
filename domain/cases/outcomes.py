"""What a step at the desk came to, as whoever took it is told: to whom the case went, how its reporter learns of it. Reads only."""

from core.texts import Sentence
from domain.cases import telling, words
from domain.cases.entering import Became, Entered
from domain.cases.life import Step
from storage.base import Session
from storage.cases import Case


def of_step(session: Session, case: Case, step: str, *, actor_id: int) -> Sentence:
    """The case as the step of this person has left it."""
    worker = {"worker": words.worker_name(session, case)}
    if step == Step.RETURN:
        return Sentence("web.case_return", worker) if case.assignee_id else Sentence("web.case_return_nobody")
    if step == Step.ACCEPT and case.assignee_id != actor_id:
        return Sentence("web.case_accept_for", worker)
    if step == Step.ASSIGN and telling.chat_with(session, case, case.assignee_id) is None:
        return Sentence("web.case_assign_by_phone", worker)
    if step == Step.FINISH and case.joined and telling.reach(session, case) != telling.Reach.CHAT:
        return Sentence("web.case_finish_joined")
    if step == Step.FINISH:
        return Sentence(f"web.case_finish{telling.reach(session, case)}")
    if step == Step.WITHDRAW:
        return Sentence(f"web.case_withdraw{telling.reach(session, case)}")
    return Sentence(f"web.case_{step}")


def of_entry(session: Session, entered: Entered) -> Sentence:
    """Who has what was entered by hand, or how many stand behind what it has joined."""
    case, became = entered.case, entered.became
    blanks = {"number": case.number, "count": str(case.joined + 1), "worker": words.worker_name(session, case)}
    is_nobodys = became == Became.OPENED and case.assignee_id is None
    return Sentence("web.case_opened_nobody" if is_nobodys else f"web.case_{became}", blanks)
