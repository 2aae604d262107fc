"""A form that was filled in before the session ended: its words come back, and go on in the name of who typed them, of nobody else."""

import html
import re
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from storage.base import Session
from storage.database import Database
from tests import builders
from tests.web.office import Browser, Office, open_office
from web.kept_forms import LARGEST_FROM_STRANGERS

WORDS = "李奶奶说：<楼道灯>\n又不亮了"
HIDDEN = re.compile(r'<textarea name="(\w+)" hidden>\n(.*?)</textarea>', re.DOTALL)
OVER = timedelta(hours=12, seconds=1)


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def matter(session: Session, office: Office) -> int:
    return builders.case(session, office.here, office.desk.clock.now()).id


def kept(answer: httpx.Response) -> dict[str, str]:
    """The fields that the page holds, as the browser would send them again."""
    return {name: html.unescape(value) for name, value in HIDDEN.findall(answer.text)}


async def again(browser: Browser, answer: httpx.Response) -> httpx.Response:
    """Somebody presses the page's button."""
    action = answer.text.split('<form method="post" action="/desk', 1)[1].split('"', 1)[0]
    return await browser.client.post(f"/desk{action}", data=kept(answer) | {"kept_before": "1"})


async def late(office: Office, person_id: int) -> tuple[Browser, httpx.Response, int]:
    """A note sent when the session had ended: the browser, the answer, the case."""
    with office.database.writing() as session:
        case_id = matter(session, office)
    browser = await office.browser(person_id)
    office.desk.clock.advance(OVER)
    return browser, await browser.post(f"/desk/cases/{case_id}/steps/add", note=WORDS), case_id


async def come_in(office: Office, browser: Browser, person_id: int) -> None:
    """Signed in in another window of the same browser."""
    answer = await browser.client.post("/sign-in", data={"token": office.desk.link_for(person_id)})
    assert answer.status_code == 303


async def test_a_late_form_is_shown_again_and_carried_out_after_signing_in(office: Office) -> None:
    browser, answer, case_id = await late(office, office.clerk)
    assert answer.status_code == 403
    assert "登录已经到期，这一步还没有做" in answer.text
    assert html.escape(WORDS) in answer.text
    assert kept(answer) == {"csrf": browser.csrf, "note": WORDS}
    assert "在这台设备上点开它回复的链接" in answer.text
    early = await again(browser, answer)
    assert kept(early) == kept(answer)  # pressed before signing in: still there
    assert ["还没有登录成功" in each.text for each in (answer, early)] == [False, True]
    await come_in(office, browser, office.clerk)
    done = await again(browser, answer)
    assert (done.status_code, done.headers["location"]) == (303, f"/desk/cases/{case_id}")
    assert html.escape(WORDS) in (await browser.get(f"/desk/cases/{case_id}")).text


async def test_a_late_form_is_never_sent_in_anothers_name(office: Office) -> None:
    browser, answer, case_id = await late(office, office.clerk)
    await come_in(office, browser, office.administrator)
    refused = await again(browser, answer)
    assert refused.status_code == 403
    assert "这张表单是别人登录时打开的" in refused.text
    assert refused.text.count(html.escape(WORDS)) == 1  # kept for its writer, not shown
    assert html.escape(WORDS) not in (await browser.get(f"/desk/cases/{case_id}")).text
    await come_in(office, browser, office.clerk)
    assert (await again(browser, refused)).status_code == 303


async def test_a_form_opened_before_signing_in_anew_is_good(office: Office) -> None:
    with office.database.writing() as session:
        case_id = matter(session, office)
    browser = await office.browser(office.clerk)
    await come_in(office, browser, office.clerk)
    assert (await browser.post(f"/desk/cases/{case_id}/steps/add", note=WORDS)).status_code == 303


async def test_a_form_with_a_made_up_mark_is_refused_with_its_words(office: Office) -> None:
    with office.database.writing() as session:
        case_id = matter(session, office)
    browser = await office.browser(office.clerk)
    answer = await browser.post(f"/desk/cases/{case_id}/steps/add", csrf="guessed", note=WORDS)
    assert answer.status_code == 403
    assert "这张表单已经过期" in answer.text
    assert html.escape(WORDS) in answer.text
    assert kept(answer) == {}


async def test_late_photos_are_asked_for_again(office: Office) -> None:
    with office.database.writing() as session:
        case_id = matter(session, office)
    browser = await office.browser(office.clerk)
    office.desk.clock.advance(OVER)
    photo = b"p" * (LARGEST_FROM_STRANGERS + 1)
    address, fields = f"/desk/cases/{case_id}/steps/finish", {"csrf": browser.csrf, "note": "换了灯泡"}
    answer = await browser.client.post(address, data=fields, files={"photos": ("灯.jpg", photo)})
    assert "刚才选的是：灯.jpg" in answer.text
    assert '<input class="form-control" type="file" name="photos"' in answer.text
    assert kept(answer) == fields
    async with office.desk.browser() as stranger:  # nothing large is read of who was never here
        answer = await stranger.post(address, data=fields, files={"photos": ("灯.jpg", photo)})
        assert "内容太大，没有能留下来" in answer.text
        assert kept(answer) == {}


async def test_leaving_and_what_is_no_form_lead_to_the_sign_in(office: Office) -> None:
    browser = await office.browser(office.clerk)
    office.desk.clock.advance(OVER)
    left = await browser.post("/sign-out")
    nothing = await browser.client.post("/people/new", data={"name": "无"})
    broken = await browser.client.post(
        "/people/new", content=b"--", headers={"content-type": "multipart/form-data; boundary="}
    )
    assert [answer.headers.get("location") for answer in (left, nothing, broken)] == ["/sign-in"] * 3


@pytest.mark.parametrize("path", ["/desk/new", "/desk/cases/{case}/steps/add", "/conventions/adopt", "/people/new"])
async def test_what_is_too_long_is_refused_whole(office: Office, path: str) -> None:
    """Nothing is cut: the form comes back with every letter, on its own page or on one that can be sent again."""
    with office.database.writing() as session:
        case_id = matter(session, office)
    browser = await office.browser(office.clerk)
    words, most = "长" * 5000, 4000
    fields = {"text": words, "note": words, "name": "王", "code": "W1", "title": "公约", "role": "grid_worker"}
    if path == "/conventions/adopt":
        words, most = "长" * 60_001, 60_000
        fields["clauses"] = words
    if path == "/people/new":
        words, most = "王" * 61, 60
        fields["name"] = words
    answer = await browser.post(path.format(case=case_id), fields)
    assert answer.status_code == 409
    assert f"写了 {len(words)} 个字，最多 {most} 个字，没有提交" in answer.text
    assert words in answer.text


async def test_what_was_too_long_is_shortened_on_the_page(office: Office) -> None:
    browser = await office.browser(office.clerk)
    answer = await browser.post(
        "/people/new", name="王" * 61, code="W77", role="grid_worker", area=str(office.here.grid.id)
    )
    hidden = kept(answer)
    assert hidden == {"csrf": browser.csrf, "role": "grid_worker", "area": str(office.here.grid.id)}
    assert "登录设备" in answer.text  # the navigation is there
    said = await browser.after(await browser.client.post("/people/new", data=hidden | {"name": "王平", "code": "W77"}))
    assert "王平" in said
