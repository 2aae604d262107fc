"""The table of a case's life is whole: every state and step has its word, every state can be left, none is out of reach."""

from datetime import datetime

import pytest

from core.errors import Refused
from core.texts import say
from domain.cases import life
from domain.cases.life import ACTIVE, STATE_NAMES, STEP_NAMES, STEPS, WITH_WORKER, State, Step
from storage.base import Session
from tests import builders


def test_table_names_every_state_and_step() -> None:
    assert set(STATE_NAMES) == set(State)
    assert set(STEP_NAMES) == set(Step)
    assert set(STEPS) == set(Step) - {Step.OPEN}
    assert len(set(STATE_NAMES.values())) == len(State)
    assert len(set(STEP_NAMES.values())) == len(Step)


def test_table_leads_everywhere_from_an_open_case() -> None:
    reached = {State.OPEN}
    while True:
        more = {to for froms, to in STEPS.values() if to is not None and froms & reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(State)


def test_table_has_a_way_on_from_every_state() -> None:
    """What is closed may open again; from what was withdrawn there is one step only, the desk's."""
    leaving = {state for froms, to in STEPS.values() if to is not None for state in froms if to != state}
    assert set(State) - leaving == set()
    from_withdrawn = {step for step, (froms, to) in STEPS.items() if to is not None and State.WITHDRAWN in froms}
    assert from_withdrawn == {Step.REOPEN}


def test_states_of_a_worker_are_active() -> None:
    assert WITH_WORKER < ACTIVE
    assert {State.FINISHED, State.CLOSED, State.WITHDRAWN} == set(State) - ACTIVE


def test_step_out_of_turn_is_refused_with_number_state_and_step(session: Session, now: datetime) -> None:
    case = builders.case(session, builders.community(session), now)
    with pytest.raises(Refused) as refused:
        life.take_step(session, case, Step.SATISFIED, now=now)
    assert say(refused.value.key, **refused.value.blanks) == f"{case.number} 现在是“待派单”，不能评价满意。"
