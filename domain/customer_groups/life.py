"""The life of a post that is handed to an owner: one table, step → from which states, to which."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from core.errors import Refused
from storage.customer_groups import PostTask, PostTaskState

S = PostTaskState

STATE_NAMES = {
    S.MAKING: "正在交给群主",
    S.CREATED: "等群主发送",
    S.REMINDED: "已提醒，等群主发送",
    S.SENT: "已发送",
    S.PARTLY: "部分发送",
    S.OVER_QUOTA: "超过平台次数",
    S.EXPIRED: "过期未发",
    S.CANCELLED: "已取消",
    S.REFUSED: "平台没有接受",
}
# The owner has it and has not sent it.
WAITING = frozenset({S.CREATED, S.REMINDED})
OPEN = WAITING | {S.MAKING}


class Step(StrEnum):
    CREATE = "create"
    REFUSE = "refuse"
    REMIND = "remind"
    SEND = "send"
    SEND_PARTLY = "send_partly"
    RUN_OVER = "run_over"
    EXPIRE = "expire"
    CANCEL = "cancel"


STEPS: Mapping[Step, tuple[frozenset[PostTaskState], PostTaskState]] = {
    Step.CREATE: (frozenset({S.MAKING}), S.CREATED),
    Step.REFUSE: (OPEN, S.REFUSED),
    Step.REMIND: (WAITING, S.REMINDED),
    Step.SEND: (WAITING, S.SENT),
    Step.SEND_PARTLY: (WAITING, S.PARTLY),
    Step.RUN_OVER: (WAITING, S.OVER_QUOTA),
    Step.EXPIRE: (WAITING, S.EXPIRED),
    Step.CANCEL: (OPEN, S.CANCELLED),
}


def take_step(task: PostTask, step: Step, *, now: datetime) -> None:
    """Refused where the task does not stand so; a task that is over has nothing due any more."""
    allowed, state = STEPS[step]
    if task.state not in allowed:
        raise Refused("customer_groups.not_waiting")
    task.state = state
    if state not in OPEN:
        task.ended_at, task.due_at = now, None
        task.is_reminder_wanted = task.is_cancel_wanted = False
