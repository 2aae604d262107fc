"""What those who joined a case have said of it by themselves, as far as a later report is compared with it."""

from collections.abc import Collection

from sqlalchemy import and_, bindparam, or_, select

from domain.cases.life import Step
from storage.base import Session
from storage.cases import CaseEvent, CaseReporter

MOST_SAID = 12  # the latest of a case

# Put together once: every batch with joined cases asks it. Who rang or came in left no message, only the step.
_SAID = (
    select(CaseReporter.case_id, CaseEvent.note)
    .join(
        CaseEvent,
        and_(
            CaseEvent.case_id == CaseReporter.case_id,
            CaseEvent.step == Step.JOIN,
            CaseEvent.at == CaseReporter.at,
            or_(
                CaseEvent.cause_id == CaseReporter.received_id,
                and_(CaseEvent.cause_id.is_(None), CaseReporter.received_id.is_(None)),
            ),
        ),
    )
    .where(
        CaseReporter.case_id.in_(bindparam("cases", expanding=True)),
        CaseReporter.has_own_words,
        CaseReporter.parted_at.is_(None),
        CaseEvent.note != "",  # erased
    )
    .order_by(CaseReporter.id)
)


def said_of(session: Session, case_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """For each of these cases that somebody has joined in their own words and not left, those words; in one statement."""
    said: dict[int, tuple[str, ...]] = {}
    for row in session.execute(_SAID, {"cases": case_ids}) if case_ids else ():
        said[row.case_id] = (*said.get(row.case_id, ()), row.note)[-MOST_SAID:]
    return said
