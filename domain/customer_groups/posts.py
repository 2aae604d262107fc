"""Posts for customer groups: those of one announcement for the groups of one owner become one task, which that owner sends."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select

from core.customer_groups import Outcome, Progress
from core.messages import OutgoingAction
from domain.customer_groups.life import Step, take_step
from domain.sending import QUEUED
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.customer_groups import CustomerGroup, PostTask
from storage.messages import Outbox, OutboxState

MOST_ROWS = 500
OWNER_WAIT = timedelta(minutes=10)
LONGEST_WITHOUT_OWNER = timedelta(hours=48)
# Why a post did not reach a group; web/outbox.py has them in words.
OVER_QUOTA, NOT_SENT, EXPIRED = "over quota", "not sent", "not sent in time"
NO_OWNER, CHAT_LEFT, UNKNOWN = "no owner", "chat left", "unknown"


def are_due(session: Session, channel: str, account: str, *, now: datetime) -> bool:
    """Whether `gather` would find something."""
    query = select(Outbox.id).join(Chat, Chat.id == Outbox.chat_id).where(*_due(channel, account, now)).limit(1)
    return session.scalar(query) is not None


def _due(channel: str, account: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Outbox.state == QUEUED, Outbox.due_at <= now, Chat.channel == channel, Chat.account == account


def gather(session: Session, channel: str, account: str, *, reminders_a_day: int, now: datetime) -> int:
    """Due posts for this account's groups become tasks, with nothing asked of the platform yet. Returns how many rows were taken."""
    query = (
        select(Outbox, Chat, CustomerGroup)
        .join(Chat, Chat.id == Outbox.chat_id)
        .outerjoin(CustomerGroup, CustomerGroup.chat_id == Chat.id)
        .where(*_due(channel, account, now))
        .order_by(Outbox.id)
        .limit(MOST_ROWS)
        .with_for_update(of=Outbox, skip_locked=True)
    )
    tasks: dict[tuple[int, str], PostTask] = {}
    taken = session.execute(query).all()
    for row, chat, group in taken:
        owner = _owner_for(row, chat, group, now)
        if owner is None:
            continue
        key = (row.run_id or row.id, owner.owner)
        if key not in tasks:
            tasks[key] = PostTask(
                community_id=row.community_id,
                channel=channel,
                account=account,
                owner=owner.owner,
                owner_name=owner.owner_name,
                run_id=row.run_id,
                due_at=now,
                made_at=now,
                reminders_a_day=reminders_a_day,
            )
            session.add(tasks[key])
            session.flush()
        row.state, row.task_id, row.error = OutboxState.WITH_PERSON, tasks[key].id, None
    session.flush()
    return len(taken)


def _owner_for(row: Outbox, chat: Chat, group: CustomerGroup | None, now: datetime) -> CustomerGroup | None:
    """The group as it is registered, if somebody can send there; otherwise the row is put off, given up or dropped."""
    if row.action != OutgoingAction.SEND:
        row.state = OutboxState.DROPPED  # what was sent stays, and nobody presses anything there
    elif chat.community_id != row.community_id:
        row.state = OutboxState.DROPPED  # staff have unbound the group since, and it may be another community's now
    elif chat.state == ChatState.LEFT:
        row.state, row.error = OutboxState.GIVEN_UP, CHAT_LEFT
    elif group is not None and group.owner:
        return group
    elif now - row.created_at > LONGEST_WITHOUT_OWNER:
        row.state, row.error = OutboxState.GIVEN_UP, NO_OWNER
    else:
        row.due_at, row.error = now + OWNER_WAIT, NO_OWNER
    return None


def rows_of(session: Session, task: PostTask) -> Sequence[tuple[Outbox, str]]:
    """The posts of a task that have not been settled, with the platform's id of each group."""
    query = (
        select(Outbox, Chat.external_id)
        .join(Chat, Chat.id == Outbox.chat_id)
        .where(Outbox.task_id == task.id, Outbox.state == OutboxState.WITH_PERSON)
        .order_by(Outbox.id)
    )
    return [(row, external_id) for row, external_id in session.execute(query)]


def give_up(session: Session, task: PostTask, reason: str, chats: Sequence[str] | None = None) -> None:
    """The posts of a task, or those for these groups, will not come."""
    for row, chat in rows_of(session, task):
        if chats is None or chat in chats:
            row.state, row.error = OutboxState.GIVEN_UP, reason


def drop(session: Session, task: PostTask) -> None:
    for row, _ in rows_of(session, task):
        row.state = OutboxState.DROPPED


def conclude(session: Session, task: PostTask, progress: Progress, *, now: datetime) -> None:
    """The owner has sent it: each group has its own outcome, and the task the sum of them."""
    rows = rows_of(session, task)
    for row, chat in rows:
        match progress.outcomes.get(chat, Outcome.FAILED):
            case Outcome.SENT:
                row.state, row.sent_at, row.external_id = OutboxState.SENT, now, f"{task.external_id}:{chat}"
            case Outcome.OVER_QUOTA:
                row.state, row.error = OutboxState.GIVEN_UP, OVER_QUOTA
            case _:
                row.state, row.error = OutboxState.GIVEN_UP, NOT_SENT
    sent = sum(row.state == OutboxState.SENT for row, _ in rows)
    if sent == len(rows) and sent and not _has_failed(session, task):
        step = Step.SEND
    elif sent:
        step = Step.SEND_PARTLY
    else:
        step = Step.RUN_OVER if any(row.error == OVER_QUOTA for row, _ in rows) else Step.REFUSE
    take_step(task, step, now=now)


def _has_failed(session: Session, task: PostTask) -> bool:
    """Whether the platform had refused some of the task's groups when it was made."""
    query = select(Outbox.id).where(Outbox.task_id == task.id, Outbox.state == OutboxState.GIVEN_UP).limit(1)
    return session.scalar(query) is not None
