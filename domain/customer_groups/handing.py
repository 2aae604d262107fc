"""Tasks seen from bot/handing.py: what is to be done now about which, and what became of it.

A task is claimed under a lease, with `is_doubtful` set, before the platform is asked to make it. Whoever dies between the platform's
work and our commit leaves it so, and the next one looks the task up among the platform's before making it again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, func, or_, select

from core.customer_groups import Handed, HandedPost, Outcome, Progress, TimeSpan
from core.texts import say
from domain import chats, outbox, people
from domain.customer_groups import posts, welcome
from domain.customer_groups.life import WAITING, Step, take_step
from domain.outbox import Priority
from domain.outgoing import files_to_send
from domain.recurrence import out_of_quiet
from storage.announcements import Announcement, AnnouncementRun
from storage.areas import Community
from storage.base import Session
from storage.customer_groups import PostTask, PostTaskState
from storage.messages import Outbox

LEASE = timedelta(seconds=60)
# After an answer was lost the platform gets this long to show the task in its list.
UNTIL_LISTED = timedelta(seconds=60)
BACK_OFF = (5, 15, 60, 300, 600)  # seconds before the next try, by tries so far
LONGEST_MAKING = timedelta(hours=24)
# Its files are kept by the platform for three days, and a notice of two days ago is mostly no news.
LIVES = timedelta(hours=48)
# After the owner has pressed "send" the platform may still be at it in some of the groups.
LONGEST_SENDING = timedelta(minutes=10)
LIES_LONG = timedelta(hours=4)
# How often to look, by how long the owner has had it.
PACES = ((timedelta(minutes=30), timedelta(minutes=1)), (timedelta(hours=6), timedelta(minutes=5)))
SLOWEST_PACE = timedelta(minutes=30)
BATCH = 20
FILE_WAIT = timedelta(seconds=2)
SKEW = timedelta(minutes=5)  # between the platform's clock and ours


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do about a task. Without `external_id` it is to be made, having been looked for in `doubt` where that is given."""

    task_id: int
    post: HandedPost
    external_id: str | None
    doubt: TimeSpan | None
    is_reminder: bool
    is_withdrawal: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """How the task stands, whether the platform was told to stop it, and why a reminder did not go out."""

    progress: Progress
    is_withdrawn: bool = False
    fault: str = ""


def next_due(session: Session) -> datetime | None:
    """When the next thing is due about a task; None when nothing is."""
    return session.scalar(select(func.min(PostTask.due_at)).where(PostTask.due_at.is_not(None)))


def is_due(session: Session, channel: str, account: str, *, now: datetime) -> bool:
    """Whether `claim` would find something."""
    return session.scalar(select(PostTask.id).where(*_due(channel, account, now)).limit(1)) is not None


def _due(channel: str, account: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        PostTask.channel == channel,
        PostTask.account == account,
        PostTask.due_at <= now,
        or_(PostTask.lease_until.is_(None), PostTask.lease_until <= now),
    )


def claim(
    session: Session, channel: str, account: str, *, now: datetime, media_folder: Path, start_link: str = ""
) -> list[Job]:
    """What to do now about tasks of this account, each under a lease. `start_link` goes along with each post."""
    query = (
        select(PostTask)
        .where(*_due(channel, account, now))
        .order_by(PostTask.due_at, PostTask.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    found = [
        _job(session, task, now=now, media_folder=media_folder, start_link=start_link)
        for task in session.scalars(query).all()
    ]
    session.flush()
    return [job for job in found if job is not None]


def _job(session: Session, task: PostTask, *, now: datetime, media_folder: Path, start_link: str) -> Job | None:
    """None for a task that ended here, with nothing to ask of the platform."""
    rows = posts.rows_of(session, task)
    is_making = task.state == PostTaskState.MAKING
    if is_making and not task.is_doubtful and (task.is_cancel_wanted or not rows):
        posts.drop(session, task)
        take_step(task, Step.CANCEL, now=now)
        return None
    post = _post(session, task, rows, media_folder, start_link)
    if post is None:
        task.due_at = now + FILE_WAIT
        return None
    doubt = None
    if is_making:
        if task.is_doubtful and task.tried_at:
            doubt = TimeSpan(task.tried_at - SKEW, now + SKEW)
        else:
            task.tried_at = now
        task.is_doubtful = True
        task.attempts += 1
    is_reminder = task.is_reminder_wanted and task.state in WAITING
    if is_reminder:  # counted before it is tried: a lost answer must not lead to one too many
        task.reminders = [*task.reminders, now.isoformat()]
        task.is_reminder_wanted = False
    task.lease_until = now + LEASE
    return Job(
        task.id,
        post,
        None if is_making else task.external_id,
        doubt,
        is_reminder,
        task.is_cancel_wanted or _is_too_old(task, now),
    )


def _post(
    session: Session, task: PostTask, rows: Sequence[tuple[Outbox, str]], media_folder: Path, start_link: str
) -> HandedPost | None:
    """The rows of a task say the same, each in its group; None while one of their files is still being fetched."""
    first = rows[0][0] if rows else None
    chats = tuple(chat for _, chat in rows)
    if first is None or task.state != PostTaskState.MAKING:
        return HandedPost(str(task.id), task.owner, chats, first.text if first else "")
    files = files_to_send(session, first, media_folder=media_folder)
    if files is None:
        return None
    link = welcome.link_for_groups(session, chats, task.channel, task.account, start_link)
    return HandedPost(str(task.id), task.owner, chats, first.text, files, link)


def _is_too_old(task: PostTask, now: datetime) -> bool:
    return task.created_at is not None and now - task.created_at >= LIVES


def unknown(session: Session, job: Job, external_ids: Collection[str]) -> list[str]:
    """Those of these tasks of the platform that no task of ours is, in the order given."""
    task = session.get_one(PostTask, job.task_id)
    query = select(PostTask.external_id).where(
        PostTask.channel == task.channel, PostTask.account == task.account, PostTask.external_id.in_(external_ids)
    )
    known = set(session.scalars(query))
    return [each for each in external_ids if each not in known]


def mark_made(session: Session, job: Job, handed: Handed, *, now: datetime, twins: int = 0) -> None:
    """The owner has it. Groups that the platform refused are told of at once."""
    task = _released(session, job)
    task.external_id, task.is_doubtful, task.twins, task.error = handed.external_id, False, twins, None
    take_step(task, Step.CREATE, now=now)
    task.created_at = now
    posts.give_up(session, task, posts.NOT_SENT, handed.refused)
    task.due_at = now if task.is_cancel_wanted else now + PACES[0][1]
    session.flush()


def mark_never_made(session: Session, job: Job, *, now: datetime) -> None:
    """Nobody wants it any more, and the platform does not have it."""
    task = _released(session, job)
    posts.drop(session, task)
    task.is_doubtful = False
    take_step(task, Step.CANCEL, now=now)
    session.flush()


def mark_later(session: Session, job: Job, *, now: datetime, seconds: float, reason: str) -> None:
    """Nothing was done on the platform."""
    task = _released(session, job)
    task.error = reason
    pause = max(seconds, BACK_OFF[min(task.attempts, len(BACK_OFF)) - 1])
    if task.state == PostTaskState.MAKING:
        task.is_doubtful = job.doubt is not None
        if now - task.made_at > LONGEST_MAKING:
            _refuse(session, task, posts.UNKNOWN if task.is_doubtful else reason, now)
            return
    elif job.is_reminder:
        _take_back_reminder(task)
    task.due_at = now + timedelta(seconds=pause)
    session.flush()


def mark_unknown(session: Session, job: Job, *, now: datetime, reason: str) -> None:
    """Nobody knows whether it was done: it is looked up before it is done again. A reminder counts as given."""
    task = _released(session, job)
    if task.state == PostTaskState.MAKING and now - task.made_at > LONGEST_MAKING:
        _refuse(session, task, posts.UNKNOWN, now)
    else:
        task.error, task.due_at = reason, now + UNTIL_LISTED
    session.flush()


def mark_refused(session: Session, job: Job, *, now: datetime, reason: str) -> None:
    """The platform will not have it: a new task has failed; an old one is looked at again later."""
    task = _released(session, job)
    if job.is_reminder:
        _take_back_reminder(task)
    if task.state == PostTaskState.MAKING:
        _refuse(session, task, reason, now)
    elif _is_too_old(task, now) and not task.is_cancel_wanted:
        _end(session, task, now)
        task.error = reason
    else:
        if job.is_withdrawal:
            task.is_cancel_wanted = False  # staff see why, and may ask again
        task.error, task.due_at = reason, _next_look(task, now, pace=SLOWEST_PACE)
    session.flush()


def mark_looked(session: Session, job: Job, looked: Looked, *, now: datetime) -> None:
    """What the platform told of the task decides its next step."""
    task = _released(session, job)
    task.error = looked.fault or None
    if job.is_reminder:
        _note_reminder(task, looked, now)
    if looked.progress.is_confirmed:
        _conclude(session, task, looked.progress, now)
    elif looked.is_withdrawn:
        _end(session, task, now)
    else:
        task.due_at = _next_look(task, now)
        _tell_staff_once(session, task, now)
    session.flush()


def _released(session: Session, job: Job) -> PostTask:
    task = session.get_one(PostTask, job.task_id, with_for_update=True)
    task.lease_until = None
    return task


def _refuse(session: Session, task: PostTask, reason: str, now: datetime) -> None:
    posts.give_up(session, task, reason)
    task.error, task.is_doubtful = reason, False
    take_step(task, Step.REFUSE, now=now)


def _note_reminder(task: PostTask, looked: Looked, now: datetime) -> None:
    if looked.fault or looked.progress.is_confirmed:
        _take_back_reminder(task)
    else:
        take_step(task, Step.REMIND, now=now)


def _take_back_reminder(task: PostTask) -> None:
    task.reminders = task.reminders[:-1]


def _conclude(session: Session, task: PostTask, progress: Progress, now: datetime) -> None:
    task.confirmed_at = task.confirmed_at or now
    is_at_it = any(progress.outcomes.get(chat) == Outcome.WAITING for _, chat in posts.rows_of(session, task))
    if is_at_it and now - task.confirmed_at < LONGEST_SENDING:
        task.due_at = now + PACES[0][1]
        return
    posts.conclude(session, task, progress, now=now)


def _end(session: Session, task: PostTask, now: datetime) -> None:
    if task.is_cancel_wanted:
        posts.drop(session, task)
        take_step(task, Step.CANCEL, now=now)
    else:
        posts.give_up(session, task, posts.EXPIRED)
        take_step(task, Step.EXPIRE, now=now)


def _next_look(task: PostTask, now: datetime, *, pace: timedelta | None = None) -> datetime:
    """At once where somebody has asked for something while the platform was being asked."""
    is_asked = task.is_cancel_wanted or task.is_reminder_wanted
    return now if is_asked else now + (pace or _pace(task, now))


def _pace(task: PostTask, now: datetime) -> timedelta:
    age = now - (task.created_at or now)
    return next((pace for until, pace in PACES if age < until), SLOWEST_PACE)


def _tell_staff_once(session: Session, task: PostTask, now: datetime) -> None:
    """It lies too long: the community's staff groups hear of it, outside the quiet hours."""
    is_new = task.created_at is None or now - task.created_at < LIES_LONG
    community = session.get(Community, task.community_id) if task.community_id else None
    if is_new or task.staff_told_at is not None or community is None:
        return
    task.staff_told_at = now
    title = session.scalar(
        select(Announcement.title)
        .join(AnnouncementRun, AnnouncementRun.announcement_id == Announcement.id)
        .where(AnnouncementRun.id == task.run_id)
    )
    count = len(posts.rows_of(session, task))
    owner = people.surname(task.owner_name)
    text = say("customer_groups.lies_long", title=title or "", count=count, owner=owner)
    due_at = out_of_quiet(now, community.quiet_from, community.quiet_until)
    for group in chats.staff_groups(session, community.id):
        outbox.post(session, group, text, now=now, due_at=due_at, priority=Priority.REMINDER)
