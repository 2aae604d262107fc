"""Somebody leaves for good: what they had in hand goes on without them."""

from datetime import datetime

from sqlalchemy import select

from core.texts import say
from domain.cases import emergencies, photos, work
from domain.cases.life import WITH_WORKER, Step, take_step
from storage.base import Session
from storage.cases import Case


def pass_on(session: Session, person_id: int, *, now: datetime) -> int:
    """Each of their open cases goes to the next in line, or to the desk; returns how many. Call it when their duties have ended."""
    mine = select(Case).where(Case.assignee_id == person_id, Case.closed_at.is_(None), Case.state.in_(WITH_WORKER))
    cases = session.scalars(mine.order_by(Case.id)).all()
    for case in cases:
        # Their chat is gone: there is no card any more that could say what came of it.
        case.card_id = case.accepted_at = None
        take_step(session, case, Step.RETURN, now=now, note=say("cases.worker_left"), data={"why": "left"})
        case.assignee_id = case.assignee_role = None
        photos.for_somebody_new(session, case)
        work.route(session, case, now=now)
        emergencies.call_again(session, case, now=now)
        work.refresh(session, case, now=now)
    return len(cases)
