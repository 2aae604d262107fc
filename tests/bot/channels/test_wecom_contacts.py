"""The corp's address book: what the app is shown of it, and what WeCom tells when somebody comes, changes or leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.app import App
from bot.channels.base import Listing
from bot.channels.wecom.app import AppChannel, Corp
from bot.colleagues import Watch
from core.clock import FixedClock, SystemClock, in_china
from core.colleagues import Colleague
from core.config import Settings, WebSettings, WeComSettings
from core.errors import TryLater
from core.messages import ColleagueChange, IncomingKind
from domain import access, people
from domain.colleagues import leaving
from storage.database import Database
from storage.people import Account, Role
from tests import builders
from tests.bot.channels.wecom_stage import on_wecom
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, TOKEN, WeComEmulator
from tests.patience import PATIENCE


@asynccontextmanager
async def book_of(wecom: WeComEmulator) -> AsyncIterator[AppChannel]:
    app = AppChannel(Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url), agent_id=AGENT)
    try:
        yield app
    finally:
        await app.stop()


async def test_everybody_in_the_visible_range_is_listed_once() -> None:
    async with WeComEmulator() as wecom, book_of(wecom) as app:
        wecom.world.departments |= {1: ("街道办", 0), 7: ("春晖社区", 1), 8: ("第一网格", 7), 9: ("区政府", 0)}
        wecom.world.hidden_departments |= {1, 9}
        wecom.add_member("zhang", "张伟").departments = (7, 8)
        steward = wecom.add_member("he", "何平")
        steward.departments, steward.position, steward.is_disabled = (8,), "楼栋管家", True
        wecom.add_member("alone", "独行")
        hidden = wecom.add_member("boss", "区长")
        hidden.departments, hidden.is_visible = (9,), False
        # Of 街道办 nobody is shown, so neither is its name.
        assert list(await app.colleagues()) == [
            Colleague("alone", "独行"),
            Colleague("he", "何平", ("春晖社区/第一网格",), "楼栋管家", is_active=False),
            Colleague("zhang", "张伟", ("春晖社区", "春晖社区/第一网格")),
        ]


async def test_a_book_of_nobody_and_a_book_that_cannot_be_read() -> None:
    async with WeComEmulator() as wecom, book_of(wecom) as app:
        assert list(await app.colleagues()) == []
        wecom.add_member("zhang", "张伟").departments = (1,)
        wecom.world.departments[1] = ("春晖社区", 0)
        wecom.wire.refused_paths["user/list"] = 48002
        with pytest.raises(TryLater) as refused:
            await app.colleagues()
        assert "48002" in refused.value.reason
        wecom.wire.refused_paths["user/list"] = 60011  # hidden since the departments were read
        assert list(await app.colleagues()) == []


async def test_changes_of_the_book_are_told() -> None:
    async with on_wecom() as on:
        for change, fields in (
            ("create_user", {"UserID": "li", "Name": "李娜", "Department": "7,8", "Status": 4}),
            ("update_user", {"UserID": "li", "NewUserID": "lina", "Name": "李娜"}),
            ("update_user", {"UserID": "zhang", "Department": "9"}),
            ("update_user", {"UserID": "wu", "Status": 2}),
            ("update_user", {"UserID": "sun", "Status": 5}),
            ("delete_user", {"UserID": "he"}),
            ("delete_user", {"UserID": "hu"}),
            ("create_party", {"Id": 12, "Name": "新部门"}),
        ):
            on.wecom.event("sys", "change_contact", ChangeType=change, **fields)
        await on.settled()
        assert [(one.kind, one.colleague, one.sender) for one in on.ears.heard] == [
            (IncomingKind.COLLEAGUE_JOINED, ColleagueChange("li", "李娜", is_moved=True), None),
            (IncomingKind.COLLEAGUE_CHANGED, ColleagueChange("li", "李娜", new_id="lina"), None),
            (IncomingKind.COLLEAGUE_CHANGED, ColleagueChange("zhang", is_moved=True), None),
            (IncomingKind.COLLEAGUE_CHANGED, ColleagueChange("wu", is_active=False), None),
            (IncomingKind.COLLEAGUE_LEFT, ColleagueChange("sun"), None),
            (IncomingKind.COLLEAGUE_LEFT, ColleagueChange("he"), None),
            (IncomingKind.COLLEAGUE_LEFT, ColleagueChange("hu"), None),
        ]
        on.wecom.event("sys", "change_contact", ChangeType="delete_user")
        await on.settled()
        assert on.ears.heard[-1].kind is IncomingKind.UNREADABLE


async def test_deleted_member_is_out_of_the_running_program_at_once(tmp_path: Path) -> None:
    """From the callback on the wire to the row: duties ended, nobody made of somebody who never wrote."""
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        settings = WeComSettings(
            corp_id=CORP,
            base_url=wecom.base_url,
            agent_id=AGENT,
            secret=SecretStr(APP_SECRET),
            callback_token=SecretStr(TOKEN),
            aes_key=SecretStr(AES_KEY),
        )
        app = App(Settings(data_folder=tmp_path, web=WebSettings(port=0), wecom=settings), SystemClock())
        now = app.clock.now()
        with app.database.writing() as session:
            place = builders.community(session)
            worker = builders.person(session, "张伟", Role.COMMUNITY_WORKER, place.id).id
            people.link_account(
                session, session.get_one(people.Person, worker), channel="wecom", external_id="zhang", now=now
            )
        await app.start()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{app.port}") as client:
                wecom.connect(client)
                wecom.say("zhang", "登录")
                wecom.event("sys", "change_contact", ChangeType="create_user", UserID="stranger", Name="陌生人")
                await settle(app, wecom)
                assert "登录链接" in wecom.texts("zhang")[-1]
                wecom.event("sys", "change_contact", ChangeType="delete_user", UserID="zhang")
                await settle(app, wecom)
                wecom.say("zhang", "登录")
                await settle(app, wecom)
                assert wecom.texts("zhang")[-1].startswith("您还没有工作台的权限")
            with app.database.reading() as session:
                assert access.duties(session, worker, in_china(now).date()) == []
                ids = session.scalars(select(Account.external_id).order_by(Account.id)).all()
                assert [one.partition(":")[0] for one in ids] == ["left", "zhang"]
        finally:
            await app.stop()


async def settle(app: App, wecom: WeComEmulator) -> None:
    while wecom.pending:
        await app.settle()
    await app.settle()


async def test_leaver_is_noticed_without_a_word_from_wecom(database: Database, now: datetime) -> None:
    """Who is only hidden stays; of a book in which nobody of ours is, or of many gone at once, nothing is believed."""
    async with WeComEmulator() as wecom, book_of(wecom) as app:
        wakes: list[None] = []
        watch = Watch(database, [app], FixedClock(now), wake=lambda: wakes.append(None))
        with database.writing() as session:
            place = builders.community(session)
            for userid in ("stays", "hidden", *(f"g{number}" for number in range(6))):
                person = builders.person(session, userid, Role.GRID_WORKER, place.grid.id)
                people.link_account(session, person, channel="wecom", external_id=userid, now=now)

        def on_duty() -> set[str]:
            with database.reading() as session:
                return set(leaving.staff_of(session, "wecom", today=in_china(now).date()))

        everybody = on_duty()
        wecom.add_member("stranger", "陌生人")
        assert (await watch.look(app), on_duty()) == (0, everybody)
        wecom.add_member("stays", "张伟")
        wecom.add_member("hidden", "李娜").is_visible = False
        assert (await watch.look(app), on_duty()) == (0, everybody), "six at once"
        wecom.add_member("g0", "孙立")
        assert (await watch.look(app), on_duty(), len(wakes)) == (5, {"stays", "hidden", "g0"}, 1)
        wecom.wire.trusts_us = False
        with pytest.raises(TryLater):
            await watch.look(app)


async def test_watch_outlives_whatever_goes_wrong(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.colleagues.FIRST", 0.0)
    monkeypatch.setattr("bot.colleagues.EVERY", 0.0)
    looked = asyncio.Event()
    faults: list[Exception] = [TryLater(5.0), OSError("the database is away")]

    class Looking(Watch):
        async def look(self, book: Listing) -> int:
            if faults:
                raise faults.pop()
            looked.set()
            return 0

    async with WeComEmulator() as wecom, book_of(wecom) as app:
        task = asyncio.create_task(Looking(database, [app], FixedClock(now), wake=lambda: None).run())
        async with asyncio.timeout(PATIENCE):
            await looked.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
