"""An announcement into a customer group, from the founding of the group to the moment its owner has sent it, beside a group of another
platform that gets the same announcement by itself."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot.channels.base import Channel
from bot.channels.wecom.app import AppChannel, Corp
from bot.channels.wecom.customer_groups import CustomerGroupChannel
from core.clock import ShiftedClock, in_china
from domain import announcements
from storage.chats import Chat
from storage.people import Person
from tests import builders
from tests import stage as stages
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, TOKEN, WeComEmulator
from tests.stage import GROUP, STAFF_GROUP, Stage, raise_stage
from tests.web.office import Browser
from tests.wires import SimulatorWire
from web.hooks import HookDoor

TITLE = "3号楼业主群"
TEXT = "【停水通知】\n周日停水，请储水。"


class CustomerGroupWire(SimulatorWire):
    """The simulated platform, and beside it a corp of WeCom with its app and its customer groups."""

    def __init__(self, clock: ShiftedClock, folder: Path) -> None:
        super().__init__(clock, folder)
        self._now = lambda: clock.now().timestamp()
        self.wecom = WeComEmulator(now=self._now)
        self.corp: list[Channel] = []

    @property
    def channels(self) -> Sequence[Channel]:
        return (self.channel, *self.corp)

    async def open(self) -> None:
        await self.wecom.__aenter__()
        self.wecom.add_member("zhang", "张伟民")
        corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=self.wecom.base_url)
        groups = CustomerGroupChannel(corp, now=self._now)
        app = AppChannel(corp, agent_id=AGENT, now=self._now, groups=groups.take_event)
        self.corp = [groups, app]
        door = HookDoor({}, {"wecom": app.answer_hook})
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://127.0.0.1")
        self.wecom.connect(self._client)

    async def close(self) -> None:
        await self.wecom.__aexit__()
        await self._client.aclose()
        await super().close()

    def is_drained(self) -> bool:
        return super().is_drained() and self.wecom.pending == 0


@pytest.fixture
async def stage(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(stages, "make_wire", lambda _, clock, folder: CustomerGroupWire(clock, folder))
    made = await raise_stage("simulator", tmp_path / "stage", sqlite_template)
    yield made
    await made.close()


def wecom_of(stage: Stage) -> WeComEmulator:
    assert isinstance(stage.wire, CustomerGroupWire)
    return stage.wire.wecom


async def clerk(stage: Stage) -> Browser:
    """陈静 at the desk, as it is at this moment."""
    desk = builders.desk(stage.app.database, stage.clock.now(), stage.app.settings.data_folder)
    with stage.app.database.reading() as session:
        person_id = session.scalars(select(Person.id).where(Person.name == "陈静")).one()
    client = await desk.sign_in(person_id)
    return Browser(client, await builders.csrf_of(client))


async def test_announcement_goes_through_the_owners_hands(stage: Stage) -> None:
    wecom = wecom_of(stage)
    group = wecom.add_group(TITLE, "zhang", [wecom.add_customer("王阿姨")])
    await stage.settle()
    assert stage.texts(STAFF_GROUP) == [
        f"新的居民客户群“{TITLE}”还没有绑定区域，公告发不到那里。请在工作台“群组”里给它选一个区域。"
    ]

    with stage.app.database.reading() as session:
        chat = session.scalars(select(Chat).where(Chat.external_id == group)).one()
    browser = await clerk(stage)
    page = (await browser.get("/groups")).text
    assert ("群主 张伟民" in page, "2 人，其中居民 1 人" in page) == (True, True)
    said = await browser.after(await browser.post(f"/groups/{chat.id}/bind", area=str(stage.place.grid.id)))
    assert f"已把“{TITLE}”绑定到第一网格。" in said

    due_at = stage.clock.now() + timedelta(hours=1)
    with stage.app.database.writing() as session:
        notice = announcements.draft(
            session, community_id=stage.place.id, title="停水通知", text="周日停水，请储水。", area_ids=[stage.place.grid.id],
            chat_ids=[], roles=[], file_ids=[], by=None, now=stage.clock.now(),
        )  # fmt: skip
        announcements.schedule(session, notice, at=due_at, recurrence=None, now=stage.clock.now())
        preview = announcements.preview(session, notice, now=stage.clock.now())
        assert ({title for _, title in preview.chats}, preview.by_hand) == ({TITLE, GROUP}, 1)
        address = f"/announcements/{notice.id}"
    await stage.reach(due_at)
    assert (stage.texts(GROUP), wecom.groups.texts(group)) == ([TEXT], [])

    browser = await clerk(stage)
    page = (await browser.get(address)).text
    assert ("等 <strong>张伟民</strong> 点“发送”" in page, counts(page)) == (True, ["2", "1", "0", "1"])
    assert "等 <strong>张伟民</strong> 点“发送”" in (await browser.get("/groups")).text
    task = re.search(r"/post-tasks/(\d+)/remind", page)
    assert task is not None
    said = await browser.after(await browser.post(f"/post-tasks/{task[1]}/remind", back=str(notice.id)))
    assert "正在提醒群主张伟民。" in said
    await stage.settle()
    assert [len(one.reminded_at) for one in wecom.groups.tasks] == [1]
    assert "已提醒，等群主发送" in (await browser.get(address)).text

    wecom.groups.confirm("zhang")
    await stage.pass_time(minutes=2)
    assert wecom.groups.texts(group) == [TEXT]
    page = (await (await clerk(stage)).get(address)).text
    assert ("等群主发送" in page, counts(page)) == (False, ["2", "2", "0", "0"])
    assert stage.unsettled() == []
    assert in_china(stage.clock.now()).hour == 11


def counts(page: str) -> list[str]:
    """应发, 已送到, 没送到 and 等待 of the newest posting."""
    return re.findall(r'data-label="(?:应发|已送到|没送到|等待)">([^<]*)<', page)[:4]


async def test_member_who_leaves_and_group_that_is_dissolved_are_followed(stage: Stage) -> None:
    wecom = wecom_of(stage)
    aunt, uncle = wecom.add_customer("王阿姨"), wecom.add_customer("李叔")
    group = wecom.add_group(TITLE, "zhang", [aunt])
    wecom.join_group(group, uncle)
    await stage.settle()
    wecom.leave_group(group, aunt)
    wecom.leave_group(group, uncle)
    wecom.rename_group(group, "3号楼群")
    await stage.settle()
    page = (await (await clerk(stage)).get("/groups")).text
    assert ("1 人，其中居民 0 人" in page, "3号楼群" in page, TITLE in page) == (True, True, False)
    with stage.app.database.reading() as session:
        chat = session.scalars(select(Chat).where(Chat.external_id == group)).one()
    browser = await clerk(stage)
    await browser.post(f"/groups/{chat.id}/bind", area=str(stage.place.grid.id))
    wecom.dismiss_group(group)
    await stage.settle()
    assert "群已解散" in (await browser.get("/groups")).text
