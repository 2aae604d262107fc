"""A case's life as one table: which step leads from which state to which. History is added to, never changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import Refused
from core.ids import new_id
from storage.base import Session
from storage.cases import Case, CaseEvent


class State(StrEnum):
    OPEN = "open"  # nobody has it
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    FINISHED = "finished"  # the worker says done; the resident has not been heard yet
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    OPEN = "open"
    ASSIGN = "assign"
    ACCEPT = "accept"
    RETURN = "return"
    ARRIVE = "arrive"
    FINISH = "finish"
    SATISFIED = "satisfied"
    DISSATISFIED = "dissatisfied"
    REOPEN = "reopen"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    # The following leave the state as it is.
    ADD = "add"  # words, a photo, a place
    EDIT = "edit"
    REMIND = "remind"
    ESCALATE = "escalate"
    CORRECT = "correct"  # staff change kind, topic, place or deadline
    UNREACHED = "unreached"
    TELL = "tell"  # a person tells the resident what the bot could not
    JOIN = "join"  # somebody else has the same trouble
    PART = "part"  # and it turned out to be another
    CLAIM = "claim"  # a neighbour takes on a wish
    HAND_BACK = "hand_back"  # and gives it back, or lets its day pass


STATE_NAMES = {
    State.OPEN: "待派单",
    State.ASSIGNED: "已派单",
    State.ACCEPTED: "已接单",
    State.ARRIVED: "已到场",
    State.FINISHED: "已办结",
    State.CLOSED: "已销单",
    State.WITHDRAWN: "已撤回",
}

STEP_NAMES = {
    Step.OPEN: "登记",
    Step.ASSIGN: "派单",
    Step.ACCEPT: "接单",
    Step.RETURN: "退单",
    Step.ARRIVE: "到场",
    Step.FINISH: "办结",
    Step.SATISFIED: "评价满意",
    Step.DISSATISFIED: "评价不满意",
    Step.REOPEN: "重开",
    Step.CLOSE: "销单",
    Step.WITHDRAW: "撤回",
    Step.ADD: "补充",
    Step.EDIT: "修改",
    Step.REMIND: "催办",
    Step.ESCALATE: "上报",
    Step.CORRECT: "更正",
    Step.UNREACHED: "未能通知",
    Step.TELL: "人工告知",
    Step.JOIN: "邻居并入",
    Step.PART: "邻居分开",
    Step.CLAIM: "认领",
    Step.HAND_BACK: "退回认领",
}

ACTIVE = frozenset({State.OPEN, State.ASSIGNED, State.ACCEPTED, State.ARRIVED})
WITH_WORKER = frozenset({State.ASSIGNED, State.ACCEPTED, State.ARRIVED})
ALL = frozenset(State)

# step → (from these states, to this state; None: stays as it is)
STEPS: dict[Step, tuple[frozenset[State], State | None]] = {
    Step.ASSIGN: (ACTIVE, State.ASSIGNED),
    Step.ACCEPT: (frozenset({State.OPEN, State.ASSIGNED}), State.ACCEPTED),
    Step.RETURN: (WITH_WORKER, State.OPEN),
    Step.ARRIVE: (frozenset({State.ASSIGNED, State.ACCEPTED}), State.ARRIVED),
    Step.FINISH: (ACTIVE, State.FINISHED),
    Step.SATISFIED: (frozenset({State.FINISHED, State.CLOSED}), State.CLOSED),
    Step.DISSATISFIED: (frozenset({State.FINISHED, State.CLOSED}), State.OPEN),
    # What was withdrawn only the desk opens again: a slip of its own, or of the resident's.
    Step.REOPEN: (frozenset({State.FINISHED, State.CLOSED, State.WITHDRAWN}), State.OPEN),
    Step.CLOSE: (frozenset({State.FINISHED}), State.CLOSED),
    Step.WITHDRAW: (ACTIVE, State.WITHDRAWN),
    Step.ADD: (ALL, None),
    Step.EDIT: (ALL, None),
    Step.REMIND: (ACTIVE, None),
    Step.ESCALATE: (ACTIVE, None),
    Step.CORRECT: (ACTIVE | {State.FINISHED}, None),
    Step.UNREACHED: (ALL, None),
    Step.TELL: (ALL, None),
    Step.JOIN: (ACTIVE, None),
    Step.PART: (ALL, None),
    Step.CLAIM: (ACTIVE, None),
    Step.HAND_BACK: (ACTIVE, None),
}


def may(case: Case, step: Step) -> bool:
    """Whether the table allows this step from where the case stands."""
    return State(case.state) in STEPS[step][0]


def record(  # noqa: PLR0913 - an event's columns
    session: Session,
    case: Case,
    step: Step,
    *,
    now: datetime,
    before: State | None,
    actor_id: int | None = None,
    note: str = "",
    data: dict[str, Any] | None = None,
    cause_id: int | None = None,
) -> None:
    """Adds one line to the case's history."""
    session.leave(
        CaseEvent,
        id=new_id(),
        community_id=case.community_id,
        case_id=case.id,
        step=step,
        before=before,
        after=case.state,
        at=now,
        actor_id=actor_id,
        note=note,
        data=data or {},
        cause_id=cause_id,
    )


def take_step(
    session: Session,
    case: Case,
    step: Step,
    *,
    now: datetime,
    actor_id: int | None = None,
    note: str = "",
    data: dict[str, Any] | None = None,
    cause_id: int | None = None,
) -> None:
    """Moves the case by one step and writes it down; a step the table does not allow is refused."""
    before = State(case.state)
    allowed, after = STEPS[step]
    if before not in allowed:
        raise Refused("cases.step_not_allowed", number=case.number, step=STEP_NAMES[step], state=STATE_NAMES[before])
    if after is not None:
        case.state = after
    record(session, case, step, now=now, before=before, actor_id=actor_id, note=note, data=data, cause_id=cause_id)
