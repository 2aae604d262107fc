"""Coming in by Telegram's newer login, against its emulator on a real socket: from the button to the session, once, and only with a duty."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.channels.registry import make_login_server
from core.config import Settings, TelegramSettings, WebSettings
from core.texts import say
from domain import people
from storage.access import AuditEntry
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.builders import Desk
from tests.emulators.telegram_login import TelegramLogin

SITE = "https://desk.example"
BACK = f"{SITE}/sign-in/telegram/back"
SECRET = "client-secret-of-the-emulated-login"


@dataclass
class On:
    telegram: TelegramLogin
    desk: Desk

    async def set_out(self, browser: httpx.AsyncClient, user: int = 42) -> str:
        """The address at which Telegram sends this browser back."""
        answer = await browser.get("/sign-in/telegram/start")
        assert answer.status_code == 303
        return self.telegram.agree(answer.headers["location"], user)

    def acts(self) -> list[tuple[str, dict[str, str]]]:
        with self.desk.database.reading() as session:
            return [(entry.act, entry.detail) for entry in session.scalars(select(AuditEntry))]


@pytest.fixture
async def on(database: Database, now: datetime, tmp_path: Path) -> AsyncIterator[On]:
    """周敏 is staff with id 42 on Telegram; 王阿姨 with id 7 has no duty."""

    def at() -> float:
        return desk.clock.now().timestamp()

    async with TelegramLogin("123456", SECRET, (BACK,), now=at) as telegram:
        chosen = TelegramSettings(
            token=SecretStr("123456:TEST-TOKEN"),
            sign_in=True,
            login_secret=SecretStr(SECRET),
            login_url=telegram.url,
        )
        settings = Settings(data_folder=tmp_path, web=WebSettings(public_url=SITE), telegram=chosen)
        desk = builders.desk(
            database,
            now,
            tmp_path,
            public_url=SITE,
            telegram=chosen,
            telegram_login=make_login_server(settings),
        )
        with database.writing() as session:
            place = builders.community(session)
            clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
            people.link_account(session, clerk, channel="telegram", external_id="42", now=now)
            people.find_or_make_person(
                session, channel="telegram", external_id="7", name="王阿姨", username=None, now=now
            )
        yield On(telegram, desk)


def is_outside(browser: httpx.AsyncClient) -> bool:
    return "__Host-wuwei_session" not in browser.cookies


async def test_staff_come_in_once_and_the_secret_stays_here(on: On) -> None:
    async with on.desk.browser() as browser:
        start = await browser.get("/sign-in/telegram/start")
        asked = parse_qs(urlsplit(start.headers["location"]).query)
        assert SECRET not in start.headers["location"]
        assert asked["nonce"] != asked["code_challenge"]
        back = on.telegram.agree(start.headers["location"], 42)
        entered = await browser.get(back)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert (await browser.get("/")).headers["location"] == "/desk"
        again = await browser.get(back)
        assert (again.status_code, say("web.state_wrong") in again.text) == (409, True)
    assert on.acts() == [("sign_in", {"way": "telegram"})]
    assert on.telegram.asked_for == ["token", "keys"]


async def test_answer_counts_only_in_the_browser_that_set_out(on: On) -> None:
    async with on.desk.browser() as mine, on.desk.browser() as theirs:
        back = await on.set_out(mine)
        await on.set_out(theirs, 7)
        refused = await theirs.get(back)
        assert (refused.status_code, is_outside(theirs)) == (409, True)
        assert on.telegram.asked_for == [], "nothing was redeemed for a browser that did not set out"
        assert (await mine.get(back)).status_code == 303


@pytest.mark.parametrize(
    ("user", "claims", "words"),
    [
        (7, {}, "web.account_no_duty"),
        (999, {}, "web.account_no_duty"),
        (42, {"nonce": "of another login"}, "web.proof_wrong"),
        (42, {"aud": "654321"}, "web.proof_wrong"),
        (42, {"iss": "https://elsewhere.example"}, "web.proof_wrong"),
        (42, {"exp": 1}, "web.proof_old"),
    ],
)
async def test_token_of_nobody_here_or_of_another_login_stays_outside(
    on: On, user: int, claims: dict[str, object], words: str
) -> None:
    on.telegram.claims |= claims
    async with on.desk.browser() as browser:
        refused = await browser.get(await on.set_out(browser, user))
        assert (refused.status_code, say(words) in refused.text, is_outside(browser)) == (409, True, True)
    assert on.acts() == []


async def test_new_key_of_telegrams_is_read_once_more_but_not_for_each_wrong_token(on: On) -> None:
    async with on.desk.browser() as browser:
        assert (await browser.get(await on.set_out(browser))).status_code == 303
        on.telegram.key = "second"
        assert (await browser.get(await on.set_out(browser))).status_code == 409, "read less than a minute ago"
    assert on.telegram.asked_for == ["token", "keys", "token"]


async def test_code_that_is_old_or_of_nobody_and_a_server_that_is_away(on: On) -> None:
    async with on.desk.browser() as browser:
        back = await on.set_out(browser)
        forged = await browser.get(back.replace("code=code-1", "code=other"))
        assert say("web.proof_wrong") in forged.text
        empty = await browser.get((await on.set_out(browser)).replace("code=code-2", "code="))
        assert say("web.proof_wrong") in empty.text
        back = await on.set_out(browser)
        on.desk.clock.advance(timedelta(minutes=6))
        assert say("web.proof_wrong") in (await browser.get(back)).text
        back = await on.set_out(browser)
        on.telegram.status = 503
        away = await browser.get(back)
        assert (away.status_code, say("web.platform_away") in away.text, is_outside(browser)) == (409, True, True)


async def test_wrong_client_secret_lets_nobody_in_and_is_logged_without_it(
    on: On, caplog: pytest.LogCaptureFixture
) -> None:
    on.telegram.secret = "another"
    async with on.desk.browser() as browser:
        refused = await browser.get(await on.set_out(browser))
        assert (say("web.platform_away") in refused.text, is_outside(browser)) == (True, True)
    assert SECRET not in caplog.text


async def test_without_its_secret_the_older_login_is_used(database: Database, now: datetime, tmp_path: Path) -> None:
    older = TelegramSettings(token=SecretStr("123456:TEST-TOKEN"), sign_in=True)
    assert make_login_server(Settings(data_folder=tmp_path, telegram=older)) is None
    desk = builders.desk(database, now, tmp_path, public_url=SITE, telegram=older)
    async with desk.browser() as browser:
        start = await browser.get("/sign-in/telegram/start")
        assert urlsplit(start.headers["location"]).query.startswith("bot_id=123456&")
        assert (await browser.get("/sign-in/telegram/back?code=1&state=2")).status_code == 404
