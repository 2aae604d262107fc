"""Groups in the browser: what is listed, codes that bind, unbinding, pausing posts."""

from datetime import datetime
from pathlib import Path

import pytest

from domain import announcements, chats
from storage.chats import BindingCode, Chat, ChatPurpose, ChatState
from storage.database import Database
from tests import builders
from tests.web.office import Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def add_group(office: Office, now: datetime, title: str = "3号楼居民群", *, there: bool = False) -> int:
    with office.database.writing() as session:
        return builders.group(session, office.there if there else office.here, now, title=title).id


def add_unbound(office: Office, now: datetime) -> int:
    with office.database.writing() as session:
        chat = builders.group(session, office.here, now, title="东门团购群")
        chats.unbind(chat)
        return chat.id


async def test_list_shows_own_groups_with_area_purpose_and_state(office: Office, now: datetime) -> None:
    add_group(office, now)
    add_group(office, now, "邻居的群", there=True)
    add_unbound(office, now)
    with office.database.writing() as session:
        chats.note_hearing(session, builders.CHANNEL, builders.ACCOUNT, hears_all=False)

    clerk, administrator = [
        await (await office.browser(who)).get("/groups") for who in (office.clerk, office.administrator)
    ]

    for words in ("3号楼居民群", "第一网格", "居民群", "已绑定", "只有 @ 它的话"):
        assert words in clerk.text
    assert "邻居的群" not in clerk.text + administrator.text
    # Of two communities nobody knows whose an unbound group is: only an administrator may look.
    assert ("东门团购群" in clerk.text, "东门团购群" in administrator.text) == (False, True)


async def test_list_costs_the_same_for_one_group_and_for_three(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    add_group(office, now, "一群")
    with office.counted() as before:
        await browser.get("/groups")
    add_group(office, now, "二群")
    add_group(office, now, "三群")
    with office.counted() as after:
        page = (await browser.get("/groups")).text
    assert len(after) == len(before)
    assert [name in page for name in ("一群", "二群", "三群")] == [True] * 3


async def test_code_binds_a_group_once(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    group = add_unbound(office, now)

    page = (await browser.post("/groups/codes", area=str(office.here.grid.id), purpose="staff")).text

    code = page.split("<kbd>绑定 ")[1].split("<")[0]
    with office.database.writing() as session:
        area = chats.bind(session, session.get_one(Chat, group), code, now=now)
        assert area.id == office.here.grid.id
    bound = office.row(Chat, group)
    assert (bound.state, bound.purpose, bound.community_id) == (ChatState.BOUND, ChatPurpose.STAFF, office.here.id)
    assert office.acts() == [("group.code", office.clerk)]
    assert code not in (await browser.get("/groups")).text


@pytest.mark.parametrize(("area", "status"), [("", 409), ("there", 404), ("12345", 404), ("x", 409)])
async def test_code_needs_an_area_of_the_community(office: Office, area: str, status: int) -> None:
    browser = await office.browser(office.clerk)
    answer = await browser.post("/groups/codes", area=str(office.there.grid.id) if area == "there" else area)
    assert answer.status_code == status
    assert office.rows(BindingCode) == []


async def test_unbound_group_is_nobodys(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    group = add_group(office, now)

    said = await browser.after(await browser.post(f"/groups/{group}/unbind"))

    assert "已解除绑定：3号楼居民群" in said
    chat = office.row(Chat, group)
    assert (chat.state, chat.community_id, chat.area_id) == (ChatState.UNBOUND, None, None)
    assert office.acts() == [("group.unbind", office.clerk)]


async def test_paused_group_gets_no_announcement_until_resumed(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    group, other = add_group(office, now), add_group(office, now, "另一个群")

    def reached() -> set[int]:
        with office.database.writing() as session:
            notice = announcements.draft(
                session, community_id=office.here.id, title="通知", text="停水", area_ids=[office.here.id],
                chat_ids=[group], roles=[], file_ids=[], by=None, now=now,
            )  # fmt: skip
            return {chat.id for chat in announcements.targets(session, notice, now=now)}

    await browser.after(await browser.post(f"/groups/{group}/pause"))
    while_paused = reached()
    assert "公告已暂停" in (await browser.get("/groups")).text
    await browser.after(await browser.post(f"/groups/{group}/resume"))

    assert (while_paused, reached()) == ({other}, {group, other})
    assert office.acts() == [("group.pause", office.clerk), ("group.resume", office.clerk)]


async def test_foreign_groups_look_like_none_and_only_clerks_act(office: Office, now: datetime) -> None:
    foreign, own, private = add_group(office, now, there=True), add_group(office, now), 12345
    clerk, officer = await office.browser(office.clerk), await office.browser(office.officer)

    for step in ("unbind", "pause", "resume"):
        answers = [await clerk.post(f"/groups/{key}/{step}") for key in (foreign, private)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text
        assert (await officer.post(f"/groups/{own}/{step}")).status_code == 403
    assert (await officer.post("/groups/codes", area=str(office.here.id))).status_code == 403
    assert [row.state for row in office.rows(Chat)] == [ChatState.BOUND] * 2
    assert (await (await office.browser(office.worker)).get("/groups")).status_code == 403
    assert (await officer.get("/groups")).status_code == 200
