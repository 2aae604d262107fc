"""Coming in to the console: links spent once by a button, sessions seen and revoked, communities chosen."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from domain import access, accounts
from storage.access import AuditEntry, WebSession
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.builders import Desk, csrf_of
from web.auth import WANTED_COOKIE
from web.sign_in import MOST_FAILURES, Failures


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    return builders.desk(database, now, tmp_path)


@pytest.fixture
def worker_id(desk: Desk) -> int:
    with desk.database.writing() as session:
        place = builders.community(session)
        return builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id).id


async def test_the_sign_in_page_explains(desk: Desk) -> None:
    async with desk.browser() as browser:
        text = (await browser.get("/sign-in")).text
    assert "五微小助手" in text
    assert "登录" in text


async def test_opening_a_link_does_not_spend_it_and_the_button_does_once(desk: Desk, worker_id: int) -> None:
    token = desk.link_for(worker_id)
    async with desk.browser() as browser:
        for _ in range(2):  # a chat's preview, then the person
            shown = await browser.get(f"/sign-in/{token}")
            assert (shown.status_code, "set-cookie" in shown.headers) == (200, False)
            assert f'value="{token}"' in shown.text
        first = await browser.post("/sign-in", data={"token": token})
        assert (first.status_code, first.headers["location"]) == (303, "/")
        cookie = first.headers["set-cookie"]
        assert cookie.startswith("wuwei_session=")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert (await browser.get("/")).headers["location"] == "/desk"
    async with desk.browser() as other:
        second = await other.post("/sign-in", data={"token": token})
        assert second.status_code == 409
        assert "已经用过或过期" in second.text
        assert "set-cookie" not in second.headers


async def test_a_cookie_is_bound_to_https_where_the_console_is(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    desk = builders.desk(database, now, tmp_path, public_url="https://desk.example")
    with database.writing() as session:
        worker = builders.person(session, "周敏", Role.COMMUNITY_WORKER, builders.community(session).id).id
    async with desk.browser() as browser:
        answer = await browser.post("/sign-in", data={"token": desk.link_for(worker)})
        assert answer.headers["set-cookie"].startswith("__Host-wuwei_session=")
        assert "Secure" in answer.headers["set-cookie"]
        left = await browser.post("/sign-out", data={"csrf": await csrf_of(browser)})
        assert left.headers["location"] == "/sign-in"
        assert (await browser.get("/sessions")).status_code == 303


@pytest.mark.parametrize(
    ("wanted", "comes_to"),
    [
        ("/desk?state=all&q=13号楼", "/desk?state=all&q=13%E5%8F%B7%E6%A5%BC"),
        ("/people/7", "/people/7"),
        ("/people/7/phone", "/people/7"),
        ("/files/7", "/"),
        ("/", "/"),
        ("/desk?q=" + "x" * 400, "/"),
    ],
)
async def test_one_comes_in_to_the_page_that_was_asked_for(
    desk: Desk, worker_id: int, wanted: str, comes_to: str
) -> None:
    async with desk.browser() as browser:
        asked = await browser.get(wanted, follow_redirects=True)
        assert asked.url.path == "/sign-in"
        entered = await browser.post("/sign-in", data={"token": desk.link_for(worker_id)})
        assert entered.headers["location"] == comes_to
        again = await browser.post("/sign-in", data={"token": desk.link_for(worker_id)})
        assert again.headers["location"] == "/"  # once


@pytest.mark.parametrize(
    "planted",
    [
        "https://evil.example/",
        "//evil.example/desk",
        "/\\evil.example",
        "/sign-out",
        "desk",
        "%0d%0aset-cookie:x",
        "/nowhere",
    ],
)
async def test_a_planted_way_leads_nowhere_else(desk: Desk, worker_id: int, planted: str) -> None:
    async with desk.browser() as browser:
        for value in (planted, quote(planted, safe="")):
            browser.cookies.set(WANTED_COOKIE, value)
            entered = await browser.post("/sign-in", data={"token": desk.link_for(worker_id)})
            assert (entered.status_code, entered.headers["location"]) == (303, "/")


async def test_everybody_comes_in_where_their_work_is(desk: Desk) -> None:
    with desk.database.writing() as session:
        place = builders.community(session)
        roles = (Role.COMMUNITY_WORKER, Role.GRID_WORKER, Role.SUPERVISOR)
        people = [builders.person(session, role, role, place.id).id for role in roles]
    found = []
    for person_id in people:
        async with await desk.sign_in(person_id) as browser:
            found.append((await browser.get("/")).headers["location"])
            tasks = (await browser.get("/desk/mine")).text
            assert ("您的岗位不办理事项" in tasks) == (person_id == people[-1])
    assert found == ["/desk", "/desk/mine", "/announcements"]


async def test_an_old_link_is_refused(desk: Desk, worker_id: int) -> None:
    token = desk.link_for(worker_id)
    desk.clock.advance(accounts.LINK_LIFE + timedelta(seconds=1))
    async with desk.browser() as browser:
        assert (await browser.post("/sign-in", data={"token": token})).status_code == 409


async def test_guessing_is_stopped_for_a_while_and_only_for_that_address(desk: Desk, worker_id: int) -> None:
    token = desk.link_for(worker_id)
    async with desk.browser(client="192.168.1.9") as guesser:
        for _ in range(MOST_FAILURES):
            assert (await guesser.post("/sign-in", data={"token": "guess"})).status_code == 409
        stopped = await guesser.post("/sign-in", data={"token": token})
        assert stopped.status_code == 429
        assert "请过 10 分钟再试" in stopped.text
        async with desk.browser(client="192.168.1.10") as neighbour:
            assert (await neighbour.post("/sign-in", data={"token": token})).status_code == 303
        desk.clock.advance(timedelta(minutes=10, seconds=1))
        assert (await guesser.post("/sign-in", data={"token": "guess"})).status_code == 409


def test_failures_are_forgotten_when_there_are_too_many_addresses(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.sign_in.MOST_ADDRESSES", 3)
    failures = Failures()
    for number in range(5):
        for _ in range(MOST_FAILURES):
            failures.note(f"10.0.0.{number}", now)
    assert set(failures._by_address) == {"10.0.0.2", "10.0.0.3", "10.0.0.4"}


async def test_signing_out_ends_the_session_for_good(desk: Desk, worker_id: int) -> None:
    async with await desk.sign_in(worker_id) as browser:
        token = browser.cookies["wuwei_session"]
        left = await browser.post("/sign-out", data={"csrf": await csrf_of(browser)})
        assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
        browser.cookies.set("wuwei_session", token)  # a copy of the cookie is worth nothing
        assert (await browser.get("/sessions")).headers["location"] == "/sign-in"


async def test_a_session_ends_with_its_hours_and_with_the_duty(desk: Desk, worker_id: int) -> None:
    async with await desk.sign_in(worker_id) as browser:
        assert (await browser.get("/sessions")).status_code == 200
        desk.clock.advance(timedelta(hours=12, seconds=1))
        assert (await browser.get("/sessions")).status_code == 303
    async with await desk.sign_in(worker_id) as browser:
        with desk.database.writing() as session:
            for duty in access.duties(session, worker_id, desk.clock.now().date()):
                duty.until_on = duty.from_on
        assert (await browser.get("/sessions")).status_code == 303


async def test_one_sees_and_revokes_ones_own_browsers(desk: Desk, worker_id: int) -> None:
    phone, office = await desk.sign_in(worker_id), await desk.sign_in(worker_id)
    async with phone, office:
        listed = await office.get("/sessions")
        assert listed.text.count('/revoke"') == 1  # not one's own
        assert len(re.findall(r'<td class="words" title="python-httpx/[\d.]+">python-httpx/[\d.]+', listed.text)) == 2
        with desk.database.reading() as session:
            other = min(session.scalars(select(WebSession.id)))
        mark = await csrf_of(office)
        done = await office.post(f"/sessions/{other}/revoke", data={"csrf": mark})
        assert (done.status_code, done.headers["location"]) == (303, "/sessions")
        assert "已让那台设备退出登录。" in (await office.get("/sessions")).text
        assert "已让那台设备退出登录。" not in (await office.get("/sessions")).text  # said once
        assert (await phone.get("/sessions")).status_code == 303
    with desk.database.reading() as session:
        acts = list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))
    assert acts == ["sign_in", "sign_in", "sign_out"]


async def test_all_other_browsers_are_signed_out_at_once(desk: Desk, worker_id: int) -> None:
    browsers = [await desk.sign_in(worker_id) for _ in range(3)]
    mark = await csrf_of(browsers[0])
    asked = (await browsers[0].get("/sessions")).text.split('<details class="confirm">')[1].split("</details>")[0]
    assert 'action="/sessions/revoke-others"' in asked  # asks before it is done, with and without scripts
    assert (await browsers[0].post("/sessions/revoke-others", data={"csrf": mark})).status_code == 303
    assert [(await browser.get("/sessions")).status_code for browser in browsers] == [200, 303, 303]
    for browser in browsers:
        await browser.aclose()


async def test_somebody_elses_session_is_not_found(desk: Desk, worker_id: int) -> None:
    with desk.database.writing() as session:
        stranger_id = builders.person(session, "钱进", Role.GRID_WORKER, builders.community(session).id).id
    async with await desk.sign_in(worker_id) as worker, await desk.sign_in(stranger_id) as stranger:
        with desk.database.reading() as session:
            row = session.scalars(select(WebSession.id).where(WebSession.person_id == worker_id)).one()
        data = {"csrf": await csrf_of(stranger)}
        refused = [(await stranger.post(f"/sessions/{key}/revoke", data=data)).status_code for key in (row, 1 << 40)]
        assert refused == [404, 404]
        assert (await worker.get("/sessions")).status_code == 200


async def test_a_person_of_two_communities_chooses(desk: Desk) -> None:
    with desk.database.writing() as session:
        one, two, three = (builders.community(session, name) for name in ("和谐社区", "幸福社区", "安宁社区"))
        person = builders.person(session, "周敏", Role.COMMUNITY_WORKER, one.id)
        builders.duty(session, person, Role.GRID_WORKER, two.grid.id)
        key = person.id
    async with await desk.sign_in(key) as browser:
        assert "和谐社区 · 社区工作者" in (await browser.get("/sessions")).text
        data = {"csrf": await csrf_of(browser), "community": str(two.id)}
        assert (await browser.post("/community", data=data)).status_code == 303
        shown = (await browser.get("/sessions")).text
        assert "幸福社区 · 网格员" in shown
        assert "现在看的是幸福社区。" in shown
        refused = await browser.post("/community", data=data | {"community": str(three.id)})
        assert refused.status_code == 403


async def test_a_flash_that_we_did_not_write_is_not_said(desk: Desk, worker_id: int) -> None:
    async with await desk.sign_in(worker_id) as browser:
        session = f"wuwei_session={browser.cookies['wuwei_session']}"
        for value in ("x", "W10=", "!!!!", "é", "A" * 100):
            cookie = f"{session}; wuwei_said={value}".encode()
            shown = await browser.get("/sessions", headers={b"cookie": cookie})
            assert shown.status_code == 200
            assert 'class="flash tone-green"' not in shown.text
