"""Coming in by WeCom, in its app and by a QR code, against an emulated WeCom on a real socket."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.app import INTAKE, WEB, App
from bot.channels.registry import make_channels
from bot.channels.wecom.app import AppChannel, Corp
from core.clock import FixedClock
from core.config import Settings, WebSettings, WeComSettings
from domain import people
from storage.access import AuditEntry, SignInLink
from storage.base import Session
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.builders import Desk
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, TOKEN, WeComEmulator

SITE = "https://desk.example"
IN_APP = {"user-agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0 wxwork/4.1.20"}
STATE = "__Host-wuwei_sign_in"


def settings_for(base_url: str, **changes: object) -> WeComSettings:
    settings = WeComSettings(
        corp_id=CORP,
        base_url=base_url,
        agent_id=AGENT,
        secret=SecretStr(APP_SECRET),
        callback_token=SecretStr(TOKEN),
        aes_key=SecretStr(AES_KEY),
        sign_in=True,
    )
    return settings.model_copy(update=changes)


def furnish(session: Session, now: datetime) -> None:
    """zhou is staff, li a volunteer; wang has written to the app and is nothing; chen's id is staff's on another platform only."""
    place = builders.community(session)
    for userid, role, channel in (
        ("zhou", Role.COMMUNITY_WORKER, "wecom"),
        ("li", Role.VOLUNTEER, "wecom"),
        ("chen", Role.COMMUNITY_WORKER, "wecom_bot"),
    ):
        person = builders.person(session, f"周{userid}", role, place.id)
        people.link_account(session, person, channel=channel, external_id=userid, now=now)
    people.find_or_make_person(session, channel="wecom", external_id="wang", name="王", username=None, now=now)


@dataclass
class Set:
    wecom: WeComEmulator
    desk: Desk

    async def set_out(self, browser: httpx.AsyncClient, who: str = "zhou", **headers: str) -> str:
        """The address at which WeCom sends this browser back."""
        answer = await browser.get("/sign-in/wecom", headers=headers)
        assert answer.status_code == 303
        return self.wecom.sign_in.press(answer.headers["location"], who)

    def acts(self) -> list[tuple[str, dict[str, str]]]:
        with self.desk.database.reading() as session:
            return [(entry.act, entry.detail) for entry in session.scalars(select(AuditEntry))]

    def asked(self) -> int:
        return len(self.wecom.calls("auth/getuserinfo"))


@asynccontextmanager
async def standing(database: Database, now: datetime, folder: Path) -> AsyncIterator[Set]:
    def at() -> float:
        return desk.clock.now().timestamp()

    async with WeComEmulator(now=at) as wecom:
        for userid in ("zhou", "li", "wang", "chen", "new"):
            wecom.add_member(userid, userid)
        corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url)
        app = AppChannel(corp, agent_id=AGENT, now=at)
        desk = builders.desk(
            database, now, folder, public_url=SITE, wecom=settings_for(wecom.base_url), member_behind=app.member_behind
        )
        with database.writing() as session:
            furnish(session, now)
        try:
            yield Set(wecom, desk)
        finally:
            await app.stop()


@pytest.fixture
async def on(database: Database, now: datetime, tmp_path: Path) -> AsyncIterator[Set]:
    async with standing(database, now, tmp_path) as made:
        yield made


def is_outside(browser: httpx.AsyncClient) -> bool:
    return "__Host-wuwei_session" not in browser.cookies


@pytest.mark.parametrize("headers", [{}, IN_APP])
async def test_staff_come_in_by_qr_code_and_in_the_app(on: Set, headers: dict[str, str]) -> None:
    async with on.desk.browser() as browser:
        assert 'href="/sign-in/wecom"' in (await browser.get("/sign-in")).text
        start = await browser.get("/sign-in/wecom", headers=headers)
        host = "open.weixin.qq.com" if headers else "login.work.weixin.qq.com"
        assert httpx.URL(start.headers["location"]).host == host
        assert {"HttpOnly", "SameSite=lax", "Secure"} <= set(start.headers["set-cookie"].split("; "))
        entered = await browser.get(on.wecom.sign_in.press(start.headers["location"], "zhou"))
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert (await browser.get("/")).headers["location"] == "/desk"
        assert STATE not in browser.cookies
    assert on.acts() == [("sign_in", {"way": "wecom"})]
    with on.desk.database.reading() as session:
        assert session.scalars(select(SignInLink)).one().used_at == on.desk.clock.now()


@pytest.mark.parametrize("who", ["li", "wang", "chen", "new", "somebody outside the corp"])
async def test_a_member_without_a_duty_of_staff_stays_outside(on: Set, who: str) -> None:
    async with on.desk.browser() as browser:
        refused = await browser.get(await on.set_out(browser, who))
        assert refused.status_code == 409
        assert "还没有工作台的权限" in refused.text
        assert is_outside(browser)
    assert on.acts() == []


async def test_a_member_whom_the_app_may_not_see_stays_outside(on: Set) -> None:
    on.wecom.world.members["zhou"].is_visible = False
    async with on.desk.browser() as browser:
        refused = await browser.get(await on.set_out(browser))
        assert (refused.status_code, "还没有工作台的权限" in refused.text) == (409, True)


async def test_an_answer_counts_only_where_somebody_set_out(on: Set) -> None:
    """The link of one browser opened in another asks WeCom nothing, so its code is not even spent."""
    async with on.desk.browser() as browser, on.desk.browser() as victim:
        back = await on.set_out(browser)
        assert "不是从这个浏览器开始的" in (await victim.get(back)).text
        await on.set_out(victim)
        assert "不是从这个浏览器开始的" in (await victim.get(back)).text
        assert (is_outside(victim), on.asked()) == (True, 0)
        assert (await browser.get(back)).status_code == 303


async def test_an_answer_counts_once_and_for_a_while(on: Set) -> None:
    async with on.desk.browser() as browser:
        back = await on.set_out(browser)
        state = browser.cookies[STATE]
        assert (await browser.get(back)).status_code == 303
        assert (await browser.get(back)).status_code == 409
        # A copy of the cookie, with a code that is used, and with one that is new.
        fresh = on.wecom.sign_in.press(await location_of(browser, state), "zhou")
        for again, words in ((back, "没有收到有效的登录凭证"), (fresh, "这次登录已经用过")):
            answer = await browser.get(again, headers={"cookie": f"{STATE}={state}"})
            assert (answer.status_code, words in answer.text) == (409, True)
    async with on.desk.browser() as browser:
        late = await on.set_out(browser)
        on.desk.clock.advance(timedelta(minutes=10, seconds=1))
        assert "隔得太久" in (await browser.get(late)).text
    assert on.acts() == [("sign_in", {"way": "wecom"})]


async def location_of(browser: httpx.AsyncClient, state: str) -> str:
    """WeCom's page, asked for with a state of one's own choice."""
    address = (await browser.get("/sign-in/wecom")).headers["location"]
    return str(httpx.URL(address).copy_set_param("state", state))


async def test_a_code_older_than_wecom_allows_is_refused(on: Set) -> None:
    async with on.desk.browser() as browser:
        back = await on.set_out(browser)
        on.desk.clock.advance(timedelta(minutes=5, seconds=1))
        refused = await browser.get(back)
        assert (refused.status_code, "没有收到有效的登录凭证" in refused.text) == (409, True)


@pytest.mark.parametrize("code", ["", "x" * 513, "made-up", "码"])
async def test_a_code_that_is_none_is_refused(on: Set, code: str) -> None:
    async with on.desk.browser() as browser:
        await on.set_out(browser)
        query = {"code": code, "state": browser.cookies[STATE]}
        refused = await browser.get("/sign-in/wecom/back", params=query)
        assert (refused.status_code, "没有收到有效的登录凭证" in refused.text) == (409, True)
        assert on.asked() == (0 if code in ("", "x" * 513) else 1)


async def test_wecom_in_trouble_is_said_and_lets_nobody_in(on: Set) -> None:
    async with on.desk.browser() as browser:
        faults: Sequence[Callable[[], None]] = (
            lambda: on.wecom.fail_next(1, 60020, path="auth/getuserinfo"),
            lambda: on.wecom.break_next(1, 502, path="auth/getuserinfo"),
            lambda: on.wecom.drop_answer_after_work(1, path="auth/getuserinfo"),
            lambda: on.wecom.garble_answer(1, b"[]", path="auth/getuserinfo"),
        )
        for fault in faults:
            back = await on.set_out(browser)
            fault()
            refused = await browser.get(back)
            assert refused.status_code == 409
            assert "平台暂时没有回应" in refused.text
        on.wecom.garble_answer(1, b'{"errcode":0,"userid":["zhou"]}', path="auth/getuserinfo")
        back = await on.set_out(browser)
        assert "还没有工作台的权限" in (await browser.get(back)).text
        on.wecom.garble_answer(1, b'{"errcode":0,"UserId":"zhou"}', path="auth/getuserinfo")  # an older spelling
        assert (await browser.get(await on.set_out(browser))).status_code == 303


async def test_a_token_that_went_stale_is_replaced_on_the_way(on: Set) -> None:
    async with on.desk.browser() as browser:
        assert (await browser.get(await on.set_out(browser))).status_code == 303
        on.wecom.wire.revoke()
        assert (await browser.get(await on.set_out(browser))).status_code == 303


async def test_there_is_no_way_where_it_is_not_switched_on(
    on: Set, database: Database, now: datetime, tmp_path: Path
) -> None:
    off = settings_for(on.wecom.base_url, sign_in=False)
    without = builders.desk(database, now, tmp_path, public_url=SITE, wecom=off)
    async with without.browser() as browser:
        assert "/sign-in/wecom" not in (await browser.get("/sign-in")).text
        for path in ("/sign-in/wecom", "/sign-in/wecom/back?code=a&state=b"):
            answer = await browser.get(path)
            assert (answer.status_code, "set-cookie" in answer.headers) == (404, False)


@pytest.mark.parametrize("role", [WEB, INTAKE])
async def test_the_running_program_asks_wecom(now: datetime, tmp_path: Path, role: str) -> None:
    """Over sockets from end to end, also where a process has the pages alone."""
    async with WeComEmulator() as wecom:
        wecom.sign_in.trusted = "127.0.0.1"
        wecom.add_member("zhou", "周敏")
        settings = Settings(
            data_folder=tmp_path,
            web=WebSettings(port=0, public_url="http://127.0.0.1"),
            wecom=settings_for(wecom.base_url),
        )
        app = App(settings, FixedClock(now), roles=frozenset({role}), channels=make_channels(settings, ()))
        await app.start()
        try:
            await app.database.write(lambda session: furnish(session, now))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{app.port}", trust_env=False) as browser:
                start = await browser.get("/sign-in/wecom")
                back = httpx.URL(wecom.sign_in.press(start.headers["location"], "zhou"))
                entered = await browser.get(back.raw_path.decode())
                assert (entered.status_code, entered.headers["location"]) == (303, "/")
                assert (await browser.get("/")).headers["location"] == "/desk"
        finally:
            await app.stop()
