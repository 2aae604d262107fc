"""Coming in by a platform's login: only where it is switched on, only from the browser that set out, once, and only with a duty."""

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from core.config import TelegramSettings
from domain import people
from storage.access import AuditEntry, SignInLink, WebSession
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.builders import Desk
from tests.web.telegram_signer import TOKEN, signed_login, signed_mini_app
from web.sign_in import MOST_FAILURES

SITE = "https://desk.example"


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    """周敏 is staff with id 42 on Telegram; 王阿姨 with id 7 has no duty; 李志 with id 8 helps, but is no staff."""
    telegram = TelegramSettings(token=SecretStr(TOKEN), sign_in=True)
    desk = builders.desk(database, now, tmp_path, public_url=SITE, telegram=telegram)
    with database.writing() as session:
        place = builders.community(session)
        clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
        helper = builders.person(session, "李志", Role.VOLUNTEER, place.id)
        people.link_account(session, clerk, channel="telegram", external_id="42", now=now)
        people.link_account(session, helper, channel="telegram", external_id="8", now=now)
        people.find_or_make_person(session, channel="telegram", external_id="7", name="王阿姨", username=None, now=now)
        people.find_or_make_person(session, channel="simulator", external_id="9", name="别处", username=None, now=now)
    return desk


def login(desk: Desk, user_id: str = "42") -> dict[str, str]:
    at = str(int(desk.clock.now().timestamp()))
    return signed_login({"id": user_id, "first_name": "测试", "auth_date": at})


def as_result(fields: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


def mini_app(desk: Desk, user_id: int = 42) -> str:
    at = str(int(desk.clock.now().timestamp()))
    return signed_mini_app({"auth_date": at, "query_id": "AAF1", "user": json.dumps({"id": user_id})})


async def set_out(browser: httpx.AsyncClient) -> str:
    """The state that the browser takes along."""
    answer = await browser.get("/sign-in/telegram/start")
    assert answer.status_code == 303
    back = parse_qs(urlsplit(answer.headers["location"]).query)["return_to"][0]
    return parse_qs(urlsplit(back).query)["state"][0]


async def come_back(browser: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await browser.post("/sign-in/telegram", data=fields)


def acts(database: Database) -> list[tuple[str, dict[str, str]]]:
    with database.reading() as session:
        return [(entry.act, entry.detail) for entry in session.scalars(select(AuditEntry))]


async def test_the_way_is_shown_only_where_it_is_switched_on(desk: Desk, database: Database, tmp_path: Path) -> None:
    async with desk.browser() as browser:
        assert 'href="/sign-in/telegram/start"' in (await browser.get("/sign-in")).text
    for telegram in (None, TelegramSettings(token=SecretStr(TOKEN)), TelegramSettings(sign_in=True)):
        without = builders.desk(database, desk.clock.now(), tmp_path, public_url=SITE, telegram=telegram)
        async with without.browser() as browser:
            if telegram is None or not telegram.sign_in:
                assert "/sign-in/telegram" not in (await browser.get("/sign-in")).text
            found = [
                await browser.get("/sign-in/telegram/start"),
                await browser.get("/sign-in/telegram"),
                await come_back(browser, init_data=mini_app(desk)),
            ]
            assert [answer.status_code for answer in found] == [404, 404, 404]
            assert not [answer for answer in found if "set-cookie" in answer.headers]


async def test_setting_out_leads_to_telegrams_own_page_and_back_here(desk: Desk) -> None:
    async with desk.browser() as browser:
        answer = await browser.get("/sign-in/telegram/start")
        address = urlsplit(answer.headers["location"])
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        state = browser.cookies["__Host-wuwei_sign_in"]
        assert (address.scheme, address.netloc, address.path) == ("https", "oauth.telegram.org", "/auth")
        assert asked == {
            "bot_id": "123456",
            "origin": SITE,
            "return_to": f"{SITE}/sign-in/telegram?state={state}",
        }
        assert state.isalnum()
        assert {"HttpOnly", "SameSite=lax", "Secure", "Max-Age=600", "Path=/"} <= set(
            answer.headers["set-cookie"].split("; ")
        )
        assert await set_out(browser) != state
        assert TOKEN not in answer.headers["location"]


async def test_the_page_brings_no_script_from_outside_and_changes_nothing(desk: Desk) -> None:
    async with desk.browser() as browser:
        state = await set_out(browser)
        shown = await browser.get(f"/sign-in/telegram?state={state}")
        assert shown.status_code == 200
        assert f'name="state" value="{state}"' in shown.text
        assert "telegram.org" not in shown.text
        assert "default-src 'self'" in shown.headers["content-security-policy"]
        nasty = (await browser.get("/sign-in/telegram", params={"state": '"><b>', "hash": '"><i>'})).text
        assert "<b>" not in nasty
        assert "<i>" not in nasty
        assert (await browser.get("/static/sign_in.telegram.js")).status_code == 200
        assert (await browser.get("/sessions")).headers["location"] == "/sign-in"


@pytest.mark.parametrize("form", ["result", "query"])
async def test_staff_come_in_by_the_login_page(desk: Desk, database: Database, form: str) -> None:
    async with desk.browser() as browser:
        state = await set_out(browser)
        fields = login(desk)
        given = as_result(fields) if form == "result" else urlencode({"state": state} | fields)
        if form == "query":
            shown = await browser.get(f"/sign-in/telegram?{given}")
            assert given.replace("&", "&amp;") in shown.text
        entered = await come_back(browser, state=state, **{form: given})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert (await browser.get("/")).headers["location"] == "/desk"
        assert "__Host-wuwei_sign_in" not in browser.cookies
    assert acts(database) == [("sign_in", {"way": "telegram"})]
    with database.reading() as session:
        kept = session.scalars(select(SignInLink)).one()
        assert fields["hash"] not in kept.token_hash
        assert kept.used_at == desk.clock.now()
        assert timedelta(minutes=9, seconds=59) <= kept.expires_at - kept.used_at <= timedelta(minutes=10)


async def test_staff_come_in_by_the_mini_app(desk: Desk, database: Database) -> None:
    async with desk.browser() as browser:
        entered = await come_back(browser, init_data=mini_app(desk))
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert (await browser.get("/sessions")).status_code == 200
    assert acts(database) == [("sign_in", {"way": "telegram"})]


async def test_a_proof_is_spent_once(desk: Desk, database: Database) -> None:
    fields, init_data = login(desk), mini_app(desk)
    async with desk.browser() as browser:
        state = await set_out(browser)
        assert (await come_back(browser, state=state, result=as_result(fields))).status_code == 303
        assert (await come_back(browser, init_data=init_data)).status_code == 303
    async with desk.browser() as other:
        state = await set_out(other)
        for given in ({"state": state, "query": urlencode(fields)}, {"init_data": init_data}):
            refused = await come_back(other, **given)
            assert refused.status_code == 409
            assert "这次登录已经用过" in refused.text
            await set_out(other)
            given["state"] = other.cookies["__Host-wuwei_sign_in"]
        assert (await other.get("/sessions")).status_code == 303
    with database.reading() as session:
        assert len(session.scalars(select(WebSession)).all()) == 2


@pytest.mark.parametrize("user_id", ["7", "8", "9", "10"])
async def test_an_account_without_a_duty_of_staff_stays_outside(desk: Desk, database: Database, user_id: str) -> None:
    """Somebody known, a volunteer, an id that is staff's on another platform only, somebody unknown."""
    async with desk.browser() as browser:
        state = await set_out(browser)
        for given in (
            {"state": state, "result": as_result(login(desk, user_id))},
            {"init_data": mini_app(desk, int(user_id))},
        ):
            refused = await come_back(browser, **given)
            assert refused.status_code == 409
            assert "还没有工作台的权限" in refused.text
            assert "__Host-wuwei_session" not in browser.cookies
    assert acts(database) == []


async def test_staff_whose_duty_has_ended_stay_outside(desk: Desk, database: Database) -> None:
    with database.writing() as session:
        account = people.account_of(session, "telegram", "42")
        assert account is not None
        for duty in people.duties_of(session, account.person_id, desk.clock.now().date()):
            duty.until_on = duty.from_on
    desk.clock.advance(timedelta(days=1))
    async with desk.browser() as browser:
        refused = await come_back(browser, init_data=mini_app(desk))
        assert (refused.status_code, "还没有工作台的权限" in refused.text) == (409, True)


@pytest.mark.parametrize("case", ["no cookie", "other state", "no state", "made up", "old", "twice"])
async def test_an_answer_for_another_browser_is_refused(desk: Desk, case: str) -> None:
    """Else a link could sign somebody in under another person's name."""
    async with desk.browser() as browser:
        state = await set_out(browser)
        given = state
        if case == "no cookie":
            browser.cookies.clear()
        elif case == "other state":
            async with desk.browser() as attacker:
                given = await set_out(attacker)
        elif case == "no state":
            given = ""
        elif case == "made up":
            browser.cookies.clear()
            browser.cookies.set("__Host-wuwei_sign_in", given := "x", domain="desk.example")
        elif case == "old":
            desk.clock.advance(timedelta(minutes=10, seconds=1))
        else:
            await come_back(browser, state=state, result="")
        refused = await come_back(browser, state=given, result=as_result(login(desk)))
        assert refused.status_code == 409
        assert "不是从这个浏览器开始的" in refused.text
        assert "__Host-wuwei_session" not in browser.cookies


async def test_another_sites_form_is_refused(desk: Desk) -> None:
    async with desk.browser() as browser:
        data = {"init_data": mini_app(desk)}
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            assert (await browser.post("/sign-in/telegram", data=data, headers=headers)).status_code == 403
        assert (await browser.post("/sign-in/telegram", data=data, headers={"origin": SITE})).status_code == 303


async def test_guessing_is_stopped_for_a_while(desk: Desk) -> None:
    async with desk.browser() as browser:
        wrong = mini_app(desk).replace("hash=", "hash=0")
        for _ in range(MOST_FAILURES):
            assert (await come_back(browser, init_data=wrong)).status_code == 409
        assert (await come_back(browser, init_data=mini_app(desk))).status_code == 429


async def test_a_link_still_lets_in_where_the_platforms_do(desk: Desk, database: Database) -> None:
    with database.reading() as session:
        account = people.account_of(session, "telegram", "42")
    assert account is not None
    async with desk.browser() as browser:
        entered = await browser.post("/sign-in", data={"token": desk.link_for(account.person_id)})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
