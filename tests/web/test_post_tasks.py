"""Posts in owners' hands, in the browser: whom they wait for, reminding, stopping, and binding a customer group to an area."""

from datetime import datetime
from pathlib import Path

import pytest

from core.customer_groups import Handed
from core.groups import GroupFacts
from core.messages import ChatKind, ChatRef
from domain import announcements, chats
from domain.customer_groups import handing, posts, registry
from storage.announcements import AnnouncementRun
from storage.chats import Chat, ChatState
from storage.customer_groups import PostTask
from storage.database import Database
from tests.web.office import Office, open_office

WHERE = ("somewhere", "corp")
WAITS = "等 <strong>张伟</strong> 点“发送”"


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def add_group(
    office: Office, now: datetime, title: str = "一群", *, owner: str = "zhang", is_bound: bool = True
) -> int:
    with office.database.writing() as session:
        chat = chats.find_or_make(session, *WHERE, ChatRef(title, ChatKind.GROUP, title), now=now)
        registry.note(session, chat, title, GroupFacts(now, owner, "张伟" if owner else "", 30, 28), now=now)
        if is_bound:
            registry.bind(session, office.here.id, chat.id, office.here.grid, sees_unbound=True)
        return chat.id


def announce(office: Office, now: datetime, folder: Path) -> int:
    """An announcement whose posts lie with the owners. Its key."""
    with office.database.writing() as session:
        made = announcements.draft(
            session, community_id=office.here.id, title="停水通知", text="请储水。", area_ids=[office.here.id],
            chat_ids=[], roles=[], file_ids=[], by=None, now=now,
        )  # fmt: skip
        announcements.schedule(session, made, at=now, recurrence=None, now=now)
        session.flush()
        announcements.post_due(session, now)
        posts.gather(session, *WHERE, reminders_a_day=3, now=now)
        for job in handing.claim(session, *WHERE, now=now, media_folder=folder):
            handing.mark_made(session, job, Handed(f"m{job.task_id}"), now=now)
        return made.id


async def test_pages_show_whom_a_post_waits_for(office: Office, now: datetime, tmp_path: Path) -> None:
    add_group(office, now)
    key = announce(office, now, tmp_path)
    (run,) = office.rows(AnnouncementRun)
    clerk, officer = await office.browser(office.clerk), await office.browser(office.officer)
    pages = [f"/announcements/{key}", f"/announcements/{key}/runs/{run.id}", "/groups"]
    shown = [(await clerk.get(page)).text for page in pages]
    assert [(WAITS in page, "提醒群主</button>" in page) for page in shown] == [(True, True)] * 3
    assert "<b>1</b><span>等群主发送</span>" in shown[1]
    assert ("群主 张伟 · 30 人，其中居民 28 人" in shown[2], "等群主发送 1 条" in shown[2]) == (True, True)
    looking = [(await officer.get(page)).text for page in pages]
    assert [(WAITS in page, "提醒群主</button>" in page) for page in looking] == [(True, False)] * 3
    there = await office.browser(office.clerk_there)
    assert WAITS not in (await there.get("/groups")).text


async def test_list_names_whom_an_announcement_waits_for(office: Office, now: datetime, tmp_path: Path) -> None:
    add_group(office, now)
    announce(office, now, tmp_path)
    clerk, there = await office.browser(office.clerk), await office.browser(office.clerk_there)
    assert ["等 张伟 发送" in (await one.get("/announcements")).text for one in (clerk, there)] == [True, False]
    with office.counted() as before:
        await clerk.get("/announcements")
    add_group(office, now, "二群", owner="li")
    announce(office, now, tmp_path)
    with office.counted() as after:
        await clerk.get("/announcements")
    assert len(after) == len(before)


async def test_owner_whose_name_is_not_known_is_named_by_the_account(
    office: Office, now: datetime, tmp_path: Path
) -> None:
    add_group(office, now)
    announce(office, now, tmp_path)
    with office.database.writing() as session:
        session.get_one(PostTask, office.rows(PostTask)[0].id).owner_name = ""
    page = (await (await office.browser(office.clerk)).get("/announcements")).text
    assert ("等 zhang 发送" in page, "等  发送" in page) == (True, False)


async def test_preview_says_how_many_groups_need_their_owner(office: Office, now: datetime, tmp_path: Path) -> None:
    add_group(office, now)
    key = announce(office, now, tmp_path)
    page = (await (await office.browser(office.clerk)).get(f"/announcements/{key}")).text
    assert "其中 1 个要群主点“发送”才发出" in page


async def test_clerk_reminds_and_stops(office: Office, now: datetime, tmp_path: Path) -> None:
    add_group(office, now)
    key = announce(office, now, tmp_path)
    (task,) = office.rows(PostTask)
    clerk = await office.browser(office.clerk)

    page = await clerk.after(await clerk.post(f"/post-tasks/{task.id}/remind", back=str(key)))
    assert ("正在提醒群主张伟。" in page, "正在提醒</span>" in page) == (True, True)
    assert office.row(PostTask, task.id).is_reminder_wanted
    again = await clerk.post(f"/post-tasks/{task.id}/remind")
    assert (again.status_code, "刚刚已经提醒过" in again.text) == (409, True)

    page = await clerk.after(await clerk.post(f"/post-tasks/{task.id}/cancel"))
    assert ("正在停止这项群发" in page, "正在停止</span>" in page, "提醒群主</button>" in page) == (True, True, False)
    assert office.row(PostTask, task.id).is_cancel_wanted
    assert office.acts() == [("post_task.remind", office.clerk), ("post_task.cancel", office.clerk)]
    assert len(office.desk.wakes) == 2


@pytest.mark.parametrize("step", ["remind", "cancel"])
async def test_only_clerks_of_the_community_act(office: Office, now: datetime, tmp_path: Path, step: str) -> None:
    add_group(office, now)
    announce(office, now, tmp_path)
    (task,) = office.rows(PostTask)
    there, officer = await office.browser(office.clerk_there), await office.browser(office.officer)
    foreign, none = [await there.post(f"/post-tasks/{key}/{step}") for key in (task.id, 12345)]
    assert (foreign.status_code, none.status_code, foreign.text == none.text) == (404, 404, True)
    assert (await officer.post(f"/post-tasks/{task.id}/{step}")).status_code == 403
    assert office.acts() == []


async def test_customer_group_gets_its_area_on_the_page(office: Office, now: datetime) -> None:
    group = add_group(office, now, is_bound=False)
    administrator, clerk = await office.browser(office.administrator), await office.browser(office.clerk)
    assert (f"/groups/{group}/bind" in (await administrator.get("/groups")).text) is True
    # Of two communities nobody knows whose an unbound group is: only an administrator may say.
    assert (await clerk.post(f"/groups/{group}/bind", area=str(office.here.grid.id))).status_code == 404
    without = await administrator.post(f"/groups/{group}/bind")
    assert (without.status_code, "请选择这个群属于哪个区域。" in without.text) == (409, True)
    foreign = await administrator.post(f"/groups/{group}/bind", area=str(office.there.grid.id))
    assert foreign.status_code == 404
    said = await administrator.after(await administrator.post(f"/groups/{group}/bind", area=str(office.here.grid.id)))
    assert "已把“一群”绑定到第一网格。" in said
    chat = office.row(Chat, group)
    assert (chat.state, chat.community_id, chat.area_id) == (ChatState.BOUND, office.here.id, office.here.grid.id)
    assert office.acts() == [("group.bind", office.administrator)]


async def test_group_without_an_owner_is_marked(office: Office, now: datetime) -> None:
    add_group(office, now, owner="")
    page = (await (await office.browser(office.clerk)).get("/groups")).text
    assert "没有群主，公告发不出" in page


async def test_pages_cost_the_same_for_one_post_and_for_three(office: Office, now: datetime, tmp_path: Path) -> None:
    browser = await office.browser(office.clerk)
    add_group(office, now)
    key = announce(office, now, tmp_path)
    for page in ("/groups", f"/announcements/{key}"):
        with office.counted() as before:
            await browser.get(page)
        add_group(office, now, f"二群{page}", owner="li")
        add_group(office, now, f"三群{page}", owner="wang")
        announce(office, now, tmp_path)
        with office.counted() as after:
            await browser.get(page)
        assert len(after) == len(before)
