"""Customer groups: the register, binding, the table of steps, which posts become which tasks, and what staff see."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.customer_groups import Handed, HandedPost, Outcome, Progress, TimeSpan
from core.errors import Refused
from core.groups import GroupFacts
from core.messages import ChatKind, ChatRef
from domain import announcements, chats, erasing, outbox, people, restoring
from domain.customer_groups import handing, posts, registry, showing
from domain.customer_groups.handing import Job, Looked
from domain.customer_groups.life import OPEN, STATE_NAMES, STEPS, WAITING, Step, take_step
from storage.base import Session
from storage.chats import Chat, ChatPurpose, ChatState
from storage.customer_groups import CustomerGroup, PostTask, PostTaskState
from storage.messages import Outbox, OutboxState
from tests import builders
from tests.builders import Place

CHANNEL, ACCOUNT = "somewhere", "corp"


def told(
    session: Session, now: datetime, title: str = "一群", owner: str = "zhang", *, name: str = "张伟", members: int = 3
) -> Chat:
    """A group that the platform told of, in nobody's area."""
    chat = chats.find_or_make(session, CHANNEL, ACCOUNT, ChatRef(title, ChatKind.GROUP, title), now=now)
    registry.note(session, chat, title, GroupFacts(now, owner, name, members, members - 1), now=now)
    return chat


def bound(
    session: Session, place: Place, now: datetime, title: str = "一群", owner: str = "zhang", *, name: str = "张伟"
) -> Chat:
    chat = told(session, now, title, owner, name=name)
    return registry.bind(session, place.id, chat.id, place.grid, sees_unbound=True)


def announced(session: Session, place: Place, now: datetime, text: str = "停水") -> announcements.Announcement:
    made = announcements.draft(
        session, community_id=place.id, title="通知", text=text, area_ids=[place.id], chat_ids=[], roles=[],
        file_ids=[], by=None, now=now,
    )  # fmt: skip
    announcements.schedule(session, made, at=now, recurrence=None, now=now)
    session.flush()
    announcements.post_due(session, now)
    return made


def gathered(session: Session, now: datetime) -> list[PostTask]:
    posts.gather(session, CHANNEL, ACCOUNT, reminders_a_day=3, now=now)
    return session.query(PostTask).order_by(PostTask.id).all()


def claimed(session: Session, now: datetime) -> list[Job]:

    return handing.claim(session, CHANNEL, ACCOUNT, now=now, media_folder=Path("nowhere"), start_link="")


def made(session: Session, now: datetime) -> PostTask:
    """One task in the owner's hands."""
    gathered(session, now)
    (job,) = claimed(session, now)
    handing.mark_made(session, job, Handed("m1"), now=now)
    return session.get_one(PostTask, job.task_id)


# The register


def test_group_told_of_is_unbound_and_no_target(session: Session, now: datetime) -> None:
    place = builders.community(session)
    chat = told(session, now)
    assert (chat.state, chat.kind, chat.title) == (ChatState.UNBOUND, "group", "一群")
    announced(session, place, now)
    assert session.query(Outbox).all() == []


def test_older_news_of_a_group_change_nothing(session: Session, now: datetime) -> None:
    chat = told(session, now, owner="li")
    registry.note(session, chat, "旧名", GroupFacts(now - timedelta(seconds=1), "zhang"), now=now)
    assert (session.get_one(CustomerGroup, chat.id).owner, chat.title) == ("li", "一群")


def test_group_that_is_told_of_again_is_back(session: Session, now: datetime) -> None:
    place = builders.community(session)
    bound_one, unbound_one = bound(session, place, now), told(session, now, "二群")
    for chat in (bound_one, unbound_one):
        chats.note_blocked(session, chat)
        told(session, now, chat.title)
    assert (bound_one.state, unbound_one.state) == (ChatState.BOUND, ChatState.UNBOUND)


def test_group_is_bound_by_who_may_see_it(session: Session, now: datetime) -> None:
    here, there = builders.community(session), builders.community(session, "邻里社区")
    chat, foreign = told(session, now), told(session, now, "二群")
    registry.bind(session, there.id, foreign.id, there.grid, sees_unbound=True)
    ordinary = builders.group(session, here, now)

    def refused(chat_id: int, *, sees_unbound: bool = True) -> str:
        with pytest.raises(Refused) as refusal:
            registry.bind(session, here.id, chat_id, here.grid, sees_unbound=sees_unbound)
        return refusal.value.key

    assert {refused(foreign.id), refused(ordinary.id), refused(12345)} == {"chats.not_found"}
    assert refused(chat.id, sees_unbound=False) == "chats.not_found"
    registry.bind(session, here.id, chat.id, here.grid, sees_unbound=True)
    assert (chat.state, chat.area_id, chat.purpose) == (ChatState.BOUND, here.grid.id, ChatPurpose.RESIDENTS)
    registry.bind(session, here.id, chat.id, here.other_grid, sees_unbound=False)
    assert chat.area_id == here.other_grid.id
    chats.note_blocked(session, chat)
    assert refused(chat.id) == "chats.not_found"


def test_page_costs_the_same_for_one_group_and_for_three(session: Session, now: datetime) -> None:
    place = builders.community(session)
    groups = [bound(session, place, now, title) for title in ("一群", "二群", "三群")]
    announced(session, place, now)
    gathered(session, now)
    shown = registry.listed(session, [chat.id for chat in groups])
    assert [(one.owner_name, one.members, one.residents, one.waiting, one.has_owner) for one in shown.values()] == [
        ("张伟", 3, 2, 1, True)
    ] * 3
    assert registry.listed(session, []) == {}


# The table


def test_every_step_leads_from_where_it_may_to_where_it_says(now: datetime) -> None:
    led = set()
    for step, (allowed, state) in STEPS.items():
        for before in PostTaskState:
            task = PostTask(state=before, due_at=now, is_cancel_wanted=True)
            if before not in allowed:
                with pytest.raises(Refused, match="not_waiting"):
                    take_step(task, step, now=now)
                continue
            take_step(task, step, now=now)
            is_over = state not in OPEN
            assert (task.state, task.due_at is None, task.ended_at == now) == (state, is_over, is_over)
            led.add(state)
    assert led | {PostTaskState.MAKING} == set(PostTaskState) == set(STATE_NAMES)
    assert {PostTaskState.CREATED, PostTaskState.REMINDED} == WAITING


# Which posts become which tasks


def test_posts_of_one_announcement_for_one_owner_become_one_task(session: Session, now: datetime) -> None:
    place = builders.community(session)
    for title, owner in (("一群", "zhang"), ("二群", "li"), ("三群", "zhang")):
        bound(session, place, now, title, owner)
    announced(session, place, now, "停水")
    announced(session, place, now, "来水")
    tasks = gathered(session, now)
    shared = {task.id: sorted(chat for _, chat in posts.rows_of(session, task)) for task in tasks}
    assert sorted((task.owner, chats) for task, chats in zip(tasks, shared.values(), strict=True)) == [
        ("li", ["二群"]), ("li", ["二群"]), ("zhang", ["一群", "三群"]), ("zhang", ["一群", "三群"]),
    ]  # fmt: skip
    assert (posts.are_due(session, CHANNEL, ACCOUNT, now=now), gathered(session, now)) == (False, tasks)


def test_what_is_not_a_post_is_dropped(session: Session, now: datetime) -> None:
    place = builders.community(session)
    chat = bound(session, place, now)
    row = builders.posted(session, chat, "旧", now=now)
    later = outbox.edit(session, row, "新", now=now, due_at=now)
    assert later is not None
    session.flush()
    assert len(gathered(session, now)) == 1
    assert (row.state, later.state) == (OutboxState.WITH_PERSON, OutboxState.DROPPED)


def test_other_platforms_posts_are_left_alone(session: Session, now: datetime) -> None:
    place = builders.community(session)
    row = builders.posted(session, builders.group(session, place, now), "停水", now=now)
    assert (gathered(session, now), row.state) == ([], OutboxState.QUEUED)


def test_task_is_claimed_once_and_again_after_its_lease(session: Session, now: datetime) -> None:
    place = builders.community(session)
    bound(session, place, now)
    announced(session, place, now)
    gathered(session, now)
    (job,) = claimed(session, now)
    assert (job.post, job.doubt, job.external_id) == (
        HandedPost(str(job.task_id), "zhang", ("一群",), "【通知】\n停水"), None, None,
    )  # fmt: skip
    assert claimed(session, now + timedelta(seconds=59)) == []
    assert not handing.is_due(session, CHANNEL, ACCOUNT, now=now + timedelta(seconds=59))
    later = now + handing.LEASE
    (again,) = claimed(session, later)
    assert again.doubt == TimeSpan(now - handing.SKEW, later + handing.SKEW)
    # The search goes back to the first try, however often it was tried since.
    (third,) = claimed(session, later + handing.LEASE)
    assert third.doubt is not None and third.doubt.since == now - handing.SKEW


def test_restored_database_looks_for_tasks_before_it_makes_them(session: Session, now: datetime) -> None:
    place = builders.community(session)
    bound(session, place, now)
    announced(session, place, now)
    gathered(session, now)
    restoring.settle(session, now=now + timedelta(hours=3), detail={})
    session.expire_all()
    (job,) = claimed(session, now + timedelta(hours=3))
    assert job.doubt is not None and job.doubt.since == now - handing.SKEW


# What becomes of them


@pytest.mark.parametrize(
    ("outcomes", "state", "rows"),
    [
        ((Outcome.SENT, Outcome.SENT), "sent", ["sent", "sent"]),
        ((Outcome.SENT, Outcome.FAILED), "partly", ["sent", "given_up"]),
        ((Outcome.SENT, Outcome.OVER_QUOTA), "partly", ["sent", "given_up"]),
        ((Outcome.OVER_QUOTA, Outcome.OVER_QUOTA), "over_quota", ["given_up", "given_up"]),
        ((Outcome.OVER_QUOTA, Outcome.FAILED), "over_quota", ["given_up", "given_up"]),
        ((Outcome.FAILED, Outcome.FAILED), "refused", ["given_up", "given_up"]),
    ],
)
def test_task_is_the_sum_of_its_groups(
    session: Session, now: datetime, outcomes: tuple[Outcome, Outcome], state: str, rows: list[str]
) -> None:
    place = builders.community(session)
    for title in ("一群", "二群"):
        bound(session, place, now, title)
    announced(session, place, now)
    task = made(session, now)
    (job,) = claimed(session, now + timedelta(minutes=1))
    progress = Progress(True, dict(zip(("一群", "二群"), outcomes, strict=True)))
    handing.mark_looked(session, job, Looked(progress), now=now + timedelta(minutes=1))
    assert (task.state, [row.state for row in session.query(Outbox).order_by(Outbox.id)]) == (state, rows)
    assert (task.due_at, task.lease_until, handing.next_due(session)) == (None, None, None)


def test_page_shows_whom_a_post_waits_for(session: Session, now: datetime) -> None:
    place = builders.community(session)
    for title in ("一群", "二群"):
        bound(session, place, now, title)
    announcement = announced(session, place, now)
    task = made(session, now)
    (shown,) = showing.waiting(session, place.id, now=now)
    assert (shown.owner_name, shown.groups, shown.count, shown.title, shown.announcement_id) == (
        "张伟", ("一群", "二群"), 2, "通知", announcement.id,
    )  # fmt: skip
    assert (shown.state_name, shown.is_waiting, shown.reminders_left) == ("等群主发送", True, 3)
    assert showing.waiting(session, place.id, announcement_id=announcement.id, now=now) == [shown]
    assert showing.waiting(session, place.id, announcement_id=12345, now=now) == []
    assert showing.waiting(session, place.grid.id, now=now) == []
    take_step(task, Step.EXPIRE, now=now)
    session.flush()
    assert showing.waiting(session, place.id, now=now) == []
    (over,) = showing.of_run(session, announcements.runs(session, announcement)[0], now=now)
    assert (over.state_name, over.is_waiting, over.reminders_left) == ("过期未发", False, 0)


def test_only_waiting_posts_of_the_own_community_are_reminded_of_or_stopped(session: Session, now: datetime) -> None:
    here, there = builders.community(session), builders.community(session, "邻里社区")
    bound(session, here, now)
    announced(session, here, now)
    task = made(session, now)

    def refused(community_id: int, task_id: int) -> set[str]:
        with pytest.raises(Refused) as reminder:
            showing.ask_reminder(session, community_id, task_id, now=now)
        with pytest.raises(Refused) as stop:
            showing.ask_cancel(session, community_id, task_id)
        return {reminder.value.key, stop.value.key}

    assert refused(there.id, task.id) == refused(here.id, 12345) == {"customer_groups.not_found"}
    take_step(task, Step.CANCEL, now=now)
    session.flush()
    assert refused(here.id, task.id) == {"customer_groups.not_waiting"}


def test_what_staff_ask_for_while_the_platform_is_asked_is_done_next(session: Session, now: datetime) -> None:
    place = builders.community(session)
    bound(session, place, now)
    announced(session, place, now)
    task = made(session, now)
    later = now + timedelta(minutes=1)
    (job,) = claimed(session, later)
    showing.ask_reminder(session, place.id, task.id, now=later)
    handing.mark_looked(session, job, Looked(Progress(False)), now=later)
    assert task.due_at == later
    (job,) = claimed(session, later)
    assert (job.is_reminder, job.is_withdrawal) == (True, False)
    showing.ask_cancel(session, place.id, task.id)
    handing.mark_refused(session, job, now=later, reason="?")
    (job,) = claimed(session, later)
    assert (job.is_reminder, job.is_withdrawal) == (False, True)
    handing.mark_looked(session, job, Looked(Progress(False), is_withdrawn=True), now=later)
    assert task.state == PostTaskState.CANCELLED


def test_post_that_lies_too_long_is_told_in_the_morning(session: Session, now: datetime) -> None:
    """The four hours end at eleven at night."""
    place = builders.community(session)
    staff = builders.group(session, place, now, title="工作群", purpose=ChatPurpose.STAFF)
    bound(session, place, now, name="欧阳晓光")
    evening = now + timedelta(hours=9)
    announced(session, place, evening)
    made(session, evening)
    night = evening + timedelta(hours=4)
    for _ in range(2):
        (job,) = claimed(session, night)
        handing.mark_looked(session, job, Looked(Progress(False)), now=night)
        night += timedelta(hours=1)
    (row,) = session.query(Outbox).where(Outbox.chat_id == staff.id)
    assert "等群主欧阳老师点“发送”" in row.text
    assert row.due_at == datetime.fromisoformat("2026-11-22T07:30:00+08:00")


def test_erased_owner_is_named_nowhere(session: Session, now: datetime) -> None:
    place = builders.community(session)
    for owner, name in (("zhang", "张伟"), ("li", "李娜")):
        bound(session, place, now, f"{name}的群", owner, name=name)
    announced(session, place, now, "停水")
    gathered(session, now)
    (over, _) = session.query(PostTask).order_by(PostTask.id)
    take_step(over, Step.CANCEL, now=now)
    announced(session, place, now, "来水")
    gathered(session, now)
    who = builders.person(session, "张伟")
    people.link_account(session, who, channel="wecom", external_id=over.owner, now=now)
    session.flush()
    erasing.forget_person(session, who, now=now)
    assert [(row.owner, row.owner_name) for row in session.query(CustomerGroup).order_by(CustomerGroup.chat_id)] == [
        ("zhang", ""), ("li", "李娜"),
    ]  # fmt: skip
    tasks = [(task.owner, task.owner_name, task.state) for task in session.query(PostTask).order_by(PostTask.id)]
    assert tasks == [
        ("", "", "cancelled"), ("li", "李娜", "making"), ("zhang", "", "making"), ("li", "李娜", "making"),
    ]  # fmt: skip
