"""What Telegram leaves behind the # of the address gets into the form by our own script, and out of the address."""

import base64
import json
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from playwright.async_api import Route, expect
from pydantic import SecretStr

from core.config import TelegramSettings
from domain import people
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.browser.stage import DESK
from tests.chromium import Windows
from tests.emulators.local_server import LocalServer
from tests.web.telegram_signer import TOKEN, signed_login, signed_mini_app


async def test_both_ways_by_telegram_open_the_console(
    windows: Windows, database: Database, now: datetime, tmp_path: Path
) -> None:
    telegram = TelegramSettings(token=SecretStr(TOKEN), sign_in=True)
    desk = builders.desk(database, now, tmp_path, public_url="http://127.0.0.1", telegram=telegram)
    with database.writing() as session:
        clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, builders.community(session).id)
        people.link_account(session, clerk, channel="telegram", external_id="42", now=now)
    at = str(int(now.timestamp()))
    result = base64.b64encode(json.dumps(signed_login({"id": "42", "first_name": "测试", "auth_date": at})).encode())
    init_data = signed_mini_app({"auth_date": at, "user": json.dumps({"id": 42, "first_name": "测试"})})
    server = LocalServer()
    address = await server.open(desk.app)

    async def telegrams_page(route: Route) -> None:
        """Stands in for oauth.telegram.org, where our own address sends the browser on to: agrees at once."""
        sent_on = await route.fetch(max_redirects=0)
        asked = urlsplit(sent_on.headers["location"])
        assert asked.netloc == "oauth.telegram.org"
        back = urlsplit(parse_qs(asked.query)["return_to"][0])
        where = f"{address}{back.path}?{back.query}#tgAuthResult={result.decode()}"
        headers = {"content-type": "text/html", "set-cookie": sent_on.headers.get("set-cookie", "")}
        await route.fulfill(headers=headers, body=f"<script>location.href={json.dumps(where)}</script>")

    try:
        async with windows.lend(DESK) as page:
            await page.context.route(f"{address}/sign-in/telegram/start", telegrams_page)
            await page.goto(f"{address}/sign-in")
            await page.get_by_role("link", name="用 Telegram 登录").click()
            await expect(page.locator(".side-who strong")).to_have_text("周敏")
        async with windows.lend(DESK) as page:
            await page.goto(f"{address}/sign-in/telegram#tgWebAppData={quote(init_data, safe='')}&tgWebAppVersion=8.0")
            await expect(page.get_by_role("button", name="登录")).to_be_visible()
            assert page.url == f"{address}/sign-in/telegram"
            await page.get_by_role("button", name="登录").click()
            await expect(page.locator(".side-who strong")).to_have_text("周敏")
            await page.goto("about:blank")
            await page.goto(f"{address}/sign-in/telegram")
            await expect(page.locator("main")).to_contain_text("没有收到 Telegram 的登录信息")
            await expect(page.get_by_role("button", name="登录", exact=True)).to_have_count(0)
    finally:
        await server.close()
