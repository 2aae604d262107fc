"""What a step at the desk came to, as whoever took it is told: to whom the case went. Reads only."""

from dataclasses import dataclass, field

from domain.cases import words
from domain.cases.life import Step
from storage.base import Session
from storage.cases import Case


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sentence of core/texts by its key, and what stands in its blanks."""

    key: str
    blanks: dict[str, str] = field(default_factory=dict)


def of_step(session: Session, case: Case, step: str) -> Outcome:
    """The case as the step has left it."""
    if step == Step.RETURN:
        if case.assignee_id is None:
            return Outcome("web.case_return_nobody")
        return Outcome("web.case_return", {"worker": words.worker_name(session, case)})
    return Outcome(f"web.case_{step}")
