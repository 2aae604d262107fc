"""What staff see of posts in owners' hands, and what they may do about them: remind the owner, or take the post back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from core.errors import Refused
from domain.customer_groups.life import OPEN, STATE_NAMES, WAITING
from storage.announcements import Announcement, AnnouncementRun
from storage.base import Session
from storage.chats import Chat
from storage.customer_groups import CustomerGroup, PostTask, PostTaskState
from storage.messages import Outbox, OutboxState

DAY = timedelta(hours=24)
MOST_TITLES = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One post in an owner's hands. `groups` are some titles of `count`; `sent` counts those that have it.

    `reminders_left` counts what the platform still lets through within the last day's three; 0 also while one is on its way.
    """

    id: int
    state: PostTaskState
    state_name: str
    owner_name: str
    announcement_id: int | None
    title: str
    run_id: int | None
    groups: tuple[str, ...]
    count: int
    sent: int
    since: datetime
    reminders: int
    reminders_left: int
    is_waiting: bool
    is_reminder_wanted: bool
    is_cancel_wanted: bool
    twins: int
    error: str


def waiting(session: Session, community_id: int, *, announcement_id: int | None = None, now: datetime) -> list[Shown]:
    """Posts that are on their way through an owner's hands, oldest first; of one announcement, where it is given."""
    here = [PostTask.community_id == community_id, PostTask.state.in_(OPEN)]
    if announcement_id is not None:
        here.append(AnnouncementRun.announcement_id == announcement_id)
    return _shown(session, here, now=now)


def owners_waited_for(session: Session, community_id: int) -> dict[int, list[str]]:
    """Whom each announcement still waits for, by its key."""
    query = (
        select(AnnouncementRun.announcement_id, PostTask.owner_name, PostTask.owner)
        .join(PostTask, PostTask.run_id == AnnouncementRun.id)
        .where(PostTask.community_id == community_id, PostTask.state.in_(WAITING))
        .distinct()
        .order_by(PostTask.owner_name)
    )
    found: dict[int, list[str]] = {}
    for announcement_id, name, owner in session.execute(query):
        found.setdefault(announcement_id, []).append(name or owner)
    return found


def of_run(session: Session, run: AnnouncementRun, *, now: datetime) -> list[Shown]:
    """All posts of one posting that owners had or have to send."""
    return _shown(session, [PostTask.run_id == run.id], now=now)


def _shown(session: Session, conditions: Sequence[ColumnElement[bool]], *, now: datetime) -> list[Shown]:
    query = (
        select(PostTask, Announcement.id, Announcement.title)
        .outerjoin(AnnouncementRun, AnnouncementRun.id == PostTask.run_id)
        .outerjoin(Announcement, Announcement.id == AnnouncementRun.announcement_id)
        .where(*conditions)
        .order_by(PostTask.id)
    )
    found = session.execute(query).all()
    groups = _groups(session, [task.id for task, _, _ in found])
    return [
        _line(task, announcement_id, title or "", groups.get(task.id, []), now)
        for task, announcement_id, title in found
    ]


def _groups(session: Session, task_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """(title, state) of each group's post, by task, in one statement."""
    query = (
        select(Outbox.task_id, Chat.title, Outbox.state)
        .join(Chat, Chat.id == Outbox.chat_id)
        .where(Outbox.task_id.in_(task_ids))
        .order_by(Chat.title, Outbox.id)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for task_id, title, state in session.execute(query):
        found.setdefault(task_id or 0, []).append((title, state))
    return found


def _line(
    task: PostTask, announcement_id: int | None, title: str, groups: Sequence[tuple[str, str]], now: datetime
) -> Shown:
    is_waiting = task.state in WAITING
    left = max(0, task.reminders_a_day - len(_lately(task, now)))
    return Shown(
        id=task.id,
        state=PostTaskState(task.state),
        state_name=STATE_NAMES[PostTaskState(task.state)],
        owner_name=task.owner_name or task.owner,
        announcement_id=announcement_id,
        title=title,
        run_id=task.run_id,
        groups=tuple(name for name, _ in groups[:MOST_TITLES]),
        count=len(groups),
        sent=sum(state == OutboxState.SENT for _, state in groups),
        since=task.created_at or task.made_at,
        reminders=len(task.reminders),
        reminders_left=0 if task.is_reminder_wanted or not is_waiting else left,
        is_waiting=is_waiting,
        is_reminder_wanted=task.is_reminder_wanted,
        is_cancel_wanted=task.is_cancel_wanted,
        twins=task.twins,
        error=task.error or "",
    )


def _lately(task: PostTask, now: datetime) -> list[str]:
    return [at for at in task.reminders if datetime.fromisoformat(at) > now - DAY]


def ask_reminder(session: Session, community_id: int, task_id: int, *, now: datetime) -> PostTask:
    """The owner is to be reminded; refused once the platform would not take another one within a day."""
    task = _task_of(session, community_id, task_id)
    if task.state not in WAITING or task.is_cancel_wanted:
        raise Refused("customer_groups.not_waiting")
    if task.is_reminder_wanted:
        raise Refused("customer_groups.reminder_on_its_way")
    if len(_lately(task, now)) >= task.reminders_a_day:
        raise Refused("customer_groups.reminded_enough", most=task.reminders_a_day)
    task.is_reminder_wanted, task.due_at = True, now
    session.flush()
    return task


def ask_cancel(session: Session, community_id: int, task_id: int) -> PostTask:
    """The post is to be taken out of the owner's hands; what they have sent stays."""
    task = _task_of(session, community_id, task_id)
    if task.state not in OPEN:
        raise Refused("customer_groups.not_waiting")
    _want_cancelled(task)
    session.flush()
    return task


def cancel_all(session: Session, announcement: Announcement) -> int:
    """The announcement is no longer wanted: nor are its posts in owners' hands. How many there are."""
    runs = select(AnnouncementRun.id).where(AnnouncementRun.announcement_id == announcement.id)
    query = select(PostTask).where(PostTask.run_id.in_(runs), PostTask.state.in_(OPEN)).with_for_update()
    tasks = session.scalars(query).all()
    for task in tasks:
        _want_cancelled(task)
    session.flush()
    return len(tasks)


def _want_cancelled(task: PostTask) -> None:
    """At once: it has been due since it was made."""
    task.is_cancel_wanted, task.is_reminder_wanted, task.due_at = True, False, task.made_at


def _task_of(session: Session, community_id: int, task_id: int) -> PostTask:
    query = select(PostTask).where(PostTask.id == task_id, PostTask.community_id == community_id).with_for_update()
    task = session.scalars(query).one_or_none()
    if task is None:
        raise Refused("customer_groups.not_found")
    return task


def count_by_hand(session: Session, chat_ids: Sequence[int]) -> int:
    """How many of these groups get their posts from their owner's hands."""
    query = select(func.count()).select_from(CustomerGroup).where(CustomerGroup.chat_id.in_(chat_ids))
    return session.scalar(query) or 0
