"""Announcements: written, planned, paused, taken back and changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from domain import announcements
from domain.announcements import Announcement, AnnouncementState
from storage.base import Session
from storage.database import Database
from storage.messages import Outbox, OutboxState
from tests.domain.announcement_stage import (
    EAST,
    ELSEWHERE,
    FOREIGN_GROUP,
    FOREIGN_PAPER,
    HERE,
    LEFT_GROUP,
    PAPER,
    WEST,
    WEST_GROUP,
    change,
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


def test_draft_keeps_the_words_of_staff(session: Session, now: datetime) -> None:
    text = "　　各位居民：\r\n有事请打 13812345678。\r\n\r\n"
    announcement = draft(session, now, title=" 便民  电话\n", text=text, file_ids=[PAPER, PAPER], area_ids=[EAST, EAST])
    assert (announcement.title, announcement.text) == ("便民 电话", "　　各位居民：\n有事请打 13812345678。")
    assert (announcement.file_ids, announcement.area_ids) == ([f"{PAPER}"], [f"{EAST}"])
    assert (announcement.state, announcement.next_due_at) == (AnnouncementState.DRAFT, None)
    shown = announcements.preview(session, announcement, now=now)
    assert shown.text == "【便民 电话】\n　　各位居民：\n有事请打 13812345678。"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": "  "}, "请写公告的标题，一行，最多 60 个字。"),
        ({"title": "题" * 61}, "请写公告的标题，一行，最多 60 个字。"),
        ({"text": " \n\u200b"}, "公告没有内容，请写上正文，或附上图片、文件。"),
        ({"text": "水" * 4090}, "公告连标题最多 4096 个字符，现在有 4097 个；请缩短，或分成几条发。"),
        ({"text": "🚰" * 2045}, "公告连标题最多 4096 个字符，现在有 4097 个；请缩短，或分成几条发。"),
        ({"area_ids": [EAST, ELSEWHERE]}, "所选的网格里有的不属于本社区，或已经删除；请重新选择。"),
        ({"chat_ids": [FOREIGN_GROUP]}, "所选的群里有的不属于本社区，或机器人已不在群里；请重新选择。"),
        ({"chat_ids": [LEFT_GROUP]}, "所选的群里有的不属于本社区，或机器人已不在群里；请重新选择。"),
        ({"roles": ["mayor"]}, "没有“mayor”这个身份，请从列表里选择。"),
        ({"file_ids": [FOREIGN_PAPER]}, "所附的文件里有的找不到了，请重新上传。"),
    ],
)
def test_draft_refuses(session: Session, now: datetime, changes: dict[str, object], sentence: str) -> None:
    assert said(draft, session, now, **changes) == sentence
    assert session.scalars(select(Announcement)).all() == []


def test_longest_text_is_taken(session: Session, now: datetime) -> None:
    announcement = draft(session, now, text="水" * 4089)
    assert len(announcements.preview(session, announcement, now=now).text) == announcements.LONGEST_TEXT


@pytest.mark.parametrize(
    ("text", "post"),
    [
        ("【停水通知】明天停水。", "【停水通知】明天停水。"),
        ("停水通知：明天停水。", "停水通知：明天停水。"),
        ("", "【停水通知】"),
    ],
)
def test_heading_is_not_said_twice(session: Session, now: datetime, text: str, post: str) -> None:
    announcement = draft(session, now, text=text, file_ids=[PAPER])
    assert announcements.preview(session, announcement, now=now).text == post


def test_recurrence_begins_and_ends_where_staff_say(session: Session, now: datetime) -> None:
    announcement = draft(session, now)
    first, last = china(24, 9), china(25, 23, 59)
    announcements.schedule(session, announcement, at=first, recurrence="每天 9:00", now=now, ends_at=last)
    assert announcements.preview(session, announcement, now=now).times == (first, china(25, 9))
    assert [announcements.post_due(session, china(day, 9)) for day in (23, 24, 25, 26)] == [0, 1, 1, 0]
    assert (announcement.state, announcement.next_due_at) == (AnnouncementState.DONE, None)


def test_words_for_a_single_day_are_not_a_recurrence(session: Session, now: datetime) -> None:
    announcement = planned(session, now, recurrence="明天 9:00")
    assert (announcement.recurrence, announcement.next_due_at) == (None, china(22, 9))


@pytest.mark.parametrize(
    ("at", "ends_at", "sentence"),
    [
        (china(21, 9, 59), None, "2026-11-21 09:59 已经过去了，请选一个以后的时间，或选择立即发送。"),
        (china(22, 9), china(21, 12), "在截止时间之前一次也轮不到，请把截止时间改晚，或换一个发送时间。"),
    ],
)
def test_schedule_refuses_times(
    session: Session, now: datetime, at: datetime, ends_at: datetime | None, sentence: str
) -> None:
    announcement = draft(session, now)
    later = now + timedelta(seconds=30)
    assert (
        said(announcements.schedule, session, announcement, at=at, recurrence=None, now=later, ends_at=ends_at)
        == sentence
    )
    assert announcement.state == AnnouncementState.DRAFT


def test_schedule_refuses_a_day_that_never_comes_again(session: Session, now: datetime) -> None:
    announcement = draft(session, now)
    refused = said(
        announcements.schedule, session, announcement, at=now + timedelta(days=9), recurrence="明天 9:00", now=now
    )
    assert refused == "2026-11-22 09:00 已经过去了，请选一个以后的时间，或选择立即发送。"


def test_schedule_takes_the_minute_we_are_in(session: Session, now: datetime) -> None:
    announcement = draft(session, now)
    announcements.schedule(session, announcement, at=now, recurrence=None, now=now + timedelta(seconds=59))
    assert announcement.next_due_at == now


def test_schedule_refuses_without_targets(session: Session, now: datetime) -> None:
    announcement = draft(session, now, area_ids=[])
    assert (
        said(announcements.schedule, session, announcement, at=None, recurrence=None, now=now)
        == "还没有选发给谁，请至少选一个网格、一个群或一种身份。"
    )


def test_preview_shows_the_next_five_times(session: Session, now: datetime) -> None:
    announcement = draft(session, now)
    assert announcements.preview(session, announcement, now=now).times == ()
    wished = announcements.plan(at=None, recurrence="逢四 15:00", now=now)
    days = ((24, 11), (4, 12), (14, 12), (24, 12))
    fifth = datetime(2027, 1, 4, 7, 0, tzinfo=UTC)
    expected = (*(china(day, 15, month=month) for day, month in days), fifth)
    assert announcements.preview(session, announcement, now=now, plan=wished).times == expected
    announcements.schedule(session, announcement, at=None, recurrence="逢四 15:00", now=now)
    assert announcements.preview(session, announcement, now=now).times == expected


def test_pause_lets_nothing_out_and_resume_does_not_catch_up(session: Session, now: datetime) -> None:
    announcement = planned(session, now, recurrence="每天 9:00")
    announcements.pause(session, announcement)
    later = china(26, 10)
    assert announcements.post_due(session, later) == 0
    assert announcements.preview(session, announcement, now=later).times[0] == china(27, 9)
    announcements.resume(session, announcement, now=later)
    assert (announcements.post_due(session, later), announcement.next_due_at) == (0, china(27, 9))
    assert announcements.post_due(session, china(27, 9)) == 1
    assert runs(session, announcement) == [(china(27, 9), 2, 0)]


def test_resume_keeps_a_time_that_has_not_come_yet(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(23, 9))
    announcements.pause(session, announcement)
    announcements.resume(session, announcement, now=china(22, 9))
    assert (announcement.state, announcement.next_due_at) == (AnnouncementState.SCHEDULED, china(23, 9))


def test_resume_refuses_when_the_only_time_is_over(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(23, 9))
    announcements.pause(session, announcement)
    assert announcements.preview(session, announcement, now=china(24, 9)).times == ()
    assert (
        said(announcements.resume, session, announcement, now=china(24, 9))
        == "原定的时间在暂停期间已经过去，请重新选择发送时间。"
    )


@pytest.mark.parametrize("step", [announcements.pause, announcements.cancel])
def test_what_waits_for_the_morning_can_be_stopped(
    session: Session, now: datetime, step: Callable[[Session, Announcement], None]
) -> None:
    announcement = planned(session, now, recurrence="每天 23:00")
    announcements.post_due(session, china(21, 23))
    first, _ = rows(session)
    first.state = OutboxState.SENT
    session.flush()
    step(session, announcement)
    session.expire_all()
    assert [row.state for row in rows(session)] == [OutboxState.SENT, OutboxState.DROPPED]
    assert announcements.post_due(session, china(22, 23)) == 0


def test_a_posted_one_can_be_stopped_only_while_posts_wait(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(21, 23))
    announcements.post_due(session, china(21, 23))
    for row in rows(session):
        row.state = OutboxState.SENT
    session.flush()
    assert (
        said(announcements.cancel, session, announcement)
        == "这条公告现在是“已发完”，不能取消；请刷新页面看最新状态，或新建一条公告。"
    )
    session.execute(update(Outbox).values(state=OutboxState.QUEUED))
    announcements.cancel(session, announcement)
    assert announcement.state == AnnouncementState.CANCELLED


def test_cancelled_stays_cancelled(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(22, 9))
    announcements.cancel(session, announcement)
    assert announcements.post_due(session, china(22, 9)) == 0
    assert (
        said(announcements.schedule, session, announcement, at=None, recurrence=None, now=now)
        == "这条公告现在是“已取消”，不能安排发送；请刷新页面看最新状态，或新建一条公告。"
    )
    assert "不能暂停" in said(announcements.pause, session, announcement)
    assert "不能恢复" in said(announcements.resume, session, announcement, now=now)


def test_a_posted_one_can_be_scheduled_again(session: Session, now: datetime) -> None:
    announcement = planned(session, now)
    announcements.post_due(session, now)
    announcements.schedule(session, announcement, at=china(22, 9), recurrence=None, now=now)
    assert announcements.post_due(session, china(22, 9)) == 1
    assert runs(session, announcement) == [(china(22, 9), 2, 0), (now, 2, 0)]


def test_edited_while_scheduled_posts_the_new_words(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(22, 9))
    change(session, announcement, announcement.version, text="改到周一停水。", area_ids=[WEST])
    announcements.post_due(session, china(22, 9))
    assert texts(session) == [(WEST_GROUP, "【停水通知】\n改到周一停水。")]


def test_edited_at_night_corrects_what_waits(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(21, 23))
    announcements.post_due(session, china(21, 23))
    sent, _ = rows(session)
    sent.state = OutboxState.SENT
    session.flush()
    change(session, announcement, announcement.version, text="改到周一停水。", file_ids=[PAPER])
    session.expire_all()
    assert [(row.text, row.attachment_ids) for row in rows(session)] == [
        ("【停水通知】\n周日停水，请储水。", []),
        ("【停水通知】\n改到周一停水。", [f"{PAPER}"]),
    ]


def test_edit_of_a_stale_page_is_refused(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(22, 9))
    version = announcement.version
    change(session, announcement, version, text="第一个人的话。")
    refused = said(change, session, announcement, version, text="第二个人的话。")
    assert (
        refused
        == "您打开这一页以后，这条公告又有过改动，所以您的修改还没有保存。现在保存着的内容列在下面，您写的还在表单里；请对照后再保存。"
    )
    assert announcement.text == "第一个人的话。"


def test_edit_between_reading_and_writing_is_refused(session: Session, now: datetime) -> None:
    announcement = draft(session, now)
    table = Announcement.__table__
    session.connection().execute(update(table).values(version=announcement.version + 1, title="别人的"))  # type: ignore[arg-type]  # a table
    refused = said(change, session, announcement, announcement.version, text="晚了一步。")
    assert (
        refused
        == "您打开这一页以后，这条公告又有过改动，所以您的修改还没有保存。现在保存着的内容列在下面，您写的还在表单里；请对照后再保存。"
    )
    session.rollback()


def test_a_step_that_another_overtook_is_refused(session: Session, now: datetime) -> None:
    announcement = planned(session, now, at=china(22, 9))
    table = Announcement.__table__
    session.connection().execute(update(table).values(version=announcement.version + 1))  # type: ignore[arg-type]  # a table
    assert said(announcements.pause, session, announcement).startswith("就在这时，这条公告有了别的改动，这一步没有做")
    session.rollback()


def test_a_posting_does_not_make_the_page_stale(session: Session, now: datetime) -> None:
    announcement = planned(session, now, recurrence="每天 9:00")
    version = announcement.version
    announcements.post_due(session, china(22, 9))
    session.expire_all()
    change(session, announcement, version, text="新的话。")
    assert (announcement.text, announcement.version) == ("新的话。", version + 1)


def test_announcement_of_another_community_is_not_there(session: Session, now: datetime) -> None:
    announcement = draft(session, now)
    assert announcements.announcements_of(session, HERE) == [announcement]
    assert announcements.announcements_of(session, ELSEWHERE) == []
    refusals = {
        said(announcements.announcement_of, session, ELSEWHERE, announcement.id),
        said(announcements.announcement_of, session, HERE, 404),
    }
    assert refusals == {"没有找到这条公告，请回到公告列表再选。"}
