"""A case's life as a walk: the table is never left, and each accepted step is one line of the history."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.errors import Refused
from domain.cases.life import STEPS, State, Step, take_step
from storage.base import Session
from storage.cases import CaseEvent
from tests import builders


def test_random_steps_never_leave_the_table_and_leave_one_event_each(session: Session, now: datetime) -> None:
    place = builders.community(session)

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.sampled_from(list(STEPS)), max_size=15))
    def walk(steps: list[Step]) -> None:
        case = builders.case(session, place, now)
        state, told = State(case.state), len(history(session, case.id))
        accepted: list[tuple[str, str | None, str]] = []
        for step in steps:
            sources, target = STEPS[step]
            if state in sources:
                take_step(session, case, step, now=now)
                accepted.append((step, state, target or state))
                state = target or state
            else:
                with pytest.raises(Refused, match="step_not_allowed"):
                    take_step(session, case, step, now=now)
            assert case.state == state
            assert history(session, case.id)[told:] == accepted

    walk()


def history(session: Session, case_id: int) -> list[tuple[str, str | None, str]]:
    """Step, state before and state after of each event."""
    session.flush()
    query = select(CaseEvent.step, CaseEvent.before, CaseEvent.after).where(CaseEvent.case_id == case_id)
    return [(step, before, after) for step, before, after in session.execute(query.order_by(CaseEvent.id))]
