"""Posting: once however many ticks look, made good once after a sleep, and never at night."""

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import insert, select, update

from core.ids import new_id
from domain import announcements, conventions
from domain.announcements import Announcement, AnnouncementState, Failure
from domain.conventions import ClauseWords
from storage.announcements import AnnouncementRun
from storage.areas import Community
from storage.base import Session
from storage.chats import Chat
from storage.database import Database
from storage.messages import Outbox, OutboxState, Priority
from tests.domain.announcement_stage import (
    EAST_GROUP,
    FIRST_GROUP,
    HERE,
    PAPER,
    WEST,
    WEST_GROUP,
    china,
    draft,
    planned,
    rows,
    runs,
    said,
    settle,
    texts,
)


@pytest.fixture(autouse=True)
def community(database: Database, now: datetime) -> None:
    settle(database, now)


def test_posts_at_its_hour_once(session: Session, now: datetime) -> None:
    at = now + timedelta(hours=1)
    announcement = planned(session, now, at=at, file_ids=[PAPER])
    assert (announcements.next_due(session), announcements.post_due(session, at - timedelta(seconds=1))) == (at, 0)
    assert [announcements.post_due(session, at) for _ in range(2)] == [1, 0]
    assert (announcement.state, announcement.next_due_at) == (AnnouncementState.DONE, None)
    assert announcements.next_due(session) is None
    (run,) = announcements.runs(session, announcement)
    assert (run.due_at, run.ran_at, run.targets, run.missed, run.clause_id) == (at, at, 2, 0, None)
    shared: dict[str, object] = {
        "community_id": HERE,
        "person_id": None,
        "action": "send",
        "text": "【停水通知】\n周日停水，请储水。",
        "buttons": [],
        "press_token": None,
        "attachment_ids": [f"{PAPER}"],
        "priority": Priority.ANNOUNCEMENT,
        "state": OutboxState.QUEUED,
        "due_at": at,
        "attempts": 0,
        "keep": {},
        "run_id": run.id,
        "created_at": at,
        "sent_at": None,
    }
    posted = rows(session)
    assert [{name: getattr(row, name) for name in shared} for row in posted] == [shared, shared]
    assert [(row.chat_id, row.dedupe_key) for row in posted] == [
        (EAST_GROUP, f"run:{run.id}:{EAST_GROUP}"),
        (FIRST_GROUP, f"run:{run.id}:{FIRST_GROUP}"),
    ]


def test_posts_at_once_when_no_time_is_given(session: Session, now: datetime) -> None:
    planned(session, now)
    assert announcements.post_due(session, now) == 1
    assert [row.chat_id for row in rows(session)] == [EAST_GROUP, FIRST_GROUP]


def test_two_ticks_post_once(database: Database, now: datetime) -> None:
    with database.writing() as session:
        key = planned(session, now, recurrence="每天 10:00").id
    due = china(22, 10)
    with database.writing() as session:
        assert announcements.post_due(session, due) == 1
    # As a second tick sees it that has read the row before the first one committed.
    with database.writing() as session:
        session.execute(update(Announcement).where(Announcement.id == key).values(next_due_at=due))
    with database.writing() as session:
        assert announcements.post_due(session, due) == 0
        assert len(rows(session)) == 2
        announcement = announcements.announcement_of(session, HERE, key)
        assert (announcement.next_due_at, runs(session, announcement)) == (china(23, 10), [(due, 2, 0)])


def test_recurring_posts_each_time(session: Session, now: datetime) -> None:
    announcement = planned(session, now, recurrence="每周一、五 9:00")
    assert (announcement.recurrence, announcement.next_due_at) == ("每周一、五 09:00", china(23, 9))
    assert [announcements.post_due(session, china(day, 9, 1)) for day in (22, 23, 24, 27)] == [0, 1, 0, 1]
    assert runs(session, announcement) == [(china(27, 9), 2, 0), (china(23, 9), 2, 0)]
    assert (announcement.state, announcement.next_due_at) == (AnnouncementState.SCHEDULED, china(30, 9))


def test_what_a_sleeping_machine_missed_is_made_good_once(session: Session, now: datetime) -> None:
    announcement = planned(session, now, recurrence="每天 9:00")
    woken = china(26, 10)
    assert [announcements.post_due(session, woken) for _ in range(3)] == [1, 0, 0]
    assert runs(session, announcement) == [(china(22, 9), 2, 4)]
    assert (len(rows(session)), announcement.next_due_at) == (2, china(27, 9))


def test_nothing_is_posted_after_its_end(session: Session, now: datetime) -> None:
    announcement = draft(session, now)
    announcements.schedule(session, announcement, at=None, recurrence="每天 9:00", now=now, ends_at=china(24, 12))
    assert announcements.post_due(session, china(25, 9)) == 0
    assert (rows(session), runs(session, announcement)) == ([], [(china(22, 9), 0, 3)])
    assert announcement.state == AnnouncementState.DONE


def test_quiet_hours_put_the_post_off_to_the_morning(session: Session, now: datetime) -> None:
    session.get_one(Community, HERE).quiet_until = time(8)
    session.flush()
    announcement = planned(session, now, at=china(21, 22, 30))
    shown = announcements.preview(session, announcement, now=now)
    assert (shown.times, announcement.next_due_at) == ((china(22, 8),), china(21, 22, 30))
    assert announcements.post_due(session, china(21, 22, 30)) == 1
    assert [(row.chat_id, row.due_at) for row in rows(session)] == [
        (EAST_GROUP, china(22, 8)),
        (FIRST_GROUP, china(22, 8)),
    ]


def test_deliveries_tell_what_failed_and_why(session: Session, now: datetime) -> None:
    announcement = planned(session, now, area_ids=[HERE])
    announcements.post_due(session, now)
    hall, east, first, west = rows(session)
    hall.state = OutboxState.SENT
    east.state, east.error = OutboxState.GIVEN_UP, "bot was kicked"
    first.state = OutboxState.HELD
    session.flush()
    (run,) = announcements.runs(session, announcement)
    found = announcements.deliveries(session, run)
    assert found.counts == {
        OutboxState.SENT: 1,
        OutboxState.GIVEN_UP: 1,
        OutboxState.HELD: 1,
        OutboxState.QUEUED: 1,
    }
    assert found.failed == (
        Failure(east.id, EAST_GROUP, "群102", OutboxState.GIVEN_UP, "bot was kicked"),
        Failure(first.id, FIRST_GROUP, "群103", OutboxState.HELD, ""),
    )
    assert west.chat_id == WEST_GROUP


def test_clauses_take_turns(session: Session, now: datetime) -> None:
    clauses = [ClauseWords("文明养犬。"), ClauseWords("不乱堆放。")]
    conventions.adopt(session, HERE, "和谐里居民公约", clauses, now)
    announcement = planned(
        session, now, title="公约轮播", text="", is_clause_rotation=True, area_ids=[WEST], recurrence="每天 9:00"
    )
    assert announcements.preview(session, announcement, now=now).text == "《和谐里居民公约》第 1 条：文明养犬。"
    for day in (22, 23, 24):
        announcements.post_due(session, china(day, 9))
    assert texts(session) == [
        (WEST_GROUP, "《和谐里居民公约》第 1 条：文明养犬。"),
        (WEST_GROUP, "《和谐里居民公约》第 2 条：不乱堆放。"),
        (WEST_GROUP, "《和谐里居民公约》第 1 条：文明养犬。"),
    ]
    posted = [run.clause_id for run in announcements.runs(session, announcement)]
    first, second = conventions.clauses_of(session, conventions.current(session, HERE))  # type: ignore[arg-type]  # adopted above
    assert (posted, first.last_posted_at) == ([first.id, second.id, first.id], china(24, 9))


def test_rotation_needs_a_clause(session: Session, now: datetime) -> None:
    announcement = draft(session, now, text="", is_clause_rotation=True)
    assert announcements.preview(session, announcement, now=now).text == ""
    assert (
        said(announcements.schedule, session, announcement, at=None, recurrence="每天 9:00", now=now)
        == "本社区还没有生效的公约条款，请先在公约页面录入，再安排轮播。"
    )


def test_rotation_whose_clauses_are_gone_posts_nothing(session: Session, now: datetime) -> None:
    convention = conventions.adopt(session, HERE, "公约", [ClauseWords("文明养犬。")], now)
    announcement = planned(session, now, text="", is_clause_rotation=True, recurrence="每天 9:00")
    conventions.deactivate(session, conventions.clauses_of(session, convention)[0])
    announcements.post_due(session, china(22, 9))
    assert (rows(session), runs(session, announcement)) == ([], [(china(22, 9), 0, 0)])
    assert announcement.next_due_at == china(23, 9)


def test_a_clause_that_reached_nobody_keeps_its_turn(session: Session, now: datetime) -> None:
    conventions.adopt(session, HERE, "公约", [ClauseWords("文明养犬。"), ClauseWords("不乱堆放。")], now)
    announcement = planned(session, now, text="", is_clause_rotation=True, area_ids=[WEST], recurrence="每天 9:00")
    group = session.get_one(Chat, WEST_GROUP)
    for day, state in ((22, "left"), (23, "bound")):
        group.state = state
        session.flush()
        announcements.post_due(session, china(day, 9))
    assert texts(session) == [(WEST_GROUP, "《公约》第 1 条：文明养犬。")]
    assert runs(session, announcement) == [(china(23, 9), 1, 0), (china(22, 9), 0, 0)]


def test_a_rule_that_cannot_be_read_stops_only_itself(session: Session, now: datetime) -> None:
    broken = planned(session, now, recurrence="每天 9:00")
    broken.recurrence = "看心情"
    sound = planned(session, now, recurrence="每天 9:00", title="垃圾分类")
    session.flush()
    assert announcements.post_due(session, china(22, 9)) == 1
    assert (broken.state, broken.next_due_at, runs(session, broken)) == (AnnouncementState.PAUSED, None, [])
    assert (sound.state, [text for _, text in texts(session)]) == (
        AnnouncementState.SCHEDULED,
        ["【垃圾分类】\n周日停水，请储水。"] * 2,
    )
    assert announcements.preview(session, broken, now=now).times == ()


def test_limit_leaves_the_rest_to_the_next_tick(session: Session, now: datetime) -> None:
    for number in range(3):
        planned(session, now, title=f"通知{number}")
    assert [announcements.post_due(session, now, limit=2) for _ in range(3)] == [2, 1, 0]
    assert len(session.scalars(select(AnnouncementRun)).all()) == 3


def test_many_groups_get_keys_of_their_own(session: Session, now: datetime) -> None:
    # More than a block's row of 4,096 keys, so that the jump to the next row is met.
    base = {"channel": "telegram", "account": "bot", "kind": "group", "state": "bound", "purpose": "residents"}
    place = {"community_id": HERE, "area_id": WEST, "created_at": now}
    groups = [{**base, **place, "id": 10_000 + n, "external_id": f"x{n}", "title": ""} for n in range(5000)]
    session.execute(insert(Chat), groups)
    before = new_id()
    planned(session, now, area_ids=[WEST])
    assert announcements.post_due(session, now) == 1
    keys = session.scalars(select(Outbox.id).order_by(Outbox.chat_id)).all()
    assert (len(keys), len(set(keys)), list(keys) == sorted(keys)) == (5001, 5001, True)
    assert before < keys[0] < keys[-1] < new_id()
