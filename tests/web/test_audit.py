"""The log of acts in the browser: newest first, narrowed by its filters, of one's own community."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain import accounts, people
from storage.database import Database
from storage.people import Person
from tests import builders
from tests.web.office import Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    made = open_office(database, now, tmp_path)
    acts = [
        (made.clerk, "area.change", "11", now - timedelta(days=2), made.here.id),
        (made.clerk, "person.phone", "22", now - timedelta(days=1), made.here.id),
        (made.administrator, "strange.act", "22", now, made.here.id),
        (made.clerk_there, "area.change", "99", now, made.there.id),
    ]
    with database.writing() as session:
        for person, act, subject, at, community in acts:
            accounts.audit(
                session,
                person_id=person,
                act=act,
                subject=subject,
                now=at,
                community_id=community,
                detail={"fields": ["name", "phone"]},
            )
    return made


def subjects(page: str) -> list[str]:
    """The subjects listed, in order."""
    rows = page.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0] if "<tbody>" in page else ""
    return [part.split("的记录")[0].strip() for part in rows.split('aria-label="只看对象')[1:]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["22", "22", "11"]),
        ("act=person.phone", ["22"]),
        ("act=sign_in", []),
        ("subject=22", ["22", "22"]),
        ("person=CLERK", ["22", "11"]),
        ("person=abc&act=area.change", ["11"]),
        ("from=2026-11-20", ["22", "22"]),
        ("from=2026-11-20&to=2026-11-20", ["22"]),
        ("to=2026-11-19", ["11"]),
        ("from=nonsense&to=9999-99-99", ["22", "22", "11"]),
        ("page=2", []),
        ("act=nothing", []),
    ],
)
async def test_log_is_narrowed(office: Office, query: str, found: list[str]) -> None:
    browser = await office.browser(office.officer)
    answer = await browser.get(f"/audit?{query.replace('CLERK', str(office.clerk))}")
    assert answer.status_code == 200
    assert subjects(answer.text) == found


async def test_log_says_which_day_is_none(office: Office) -> None:
    page = (await (await office.browser(office.clerk)).get("/audit?from=2026-02-30")).text
    assert "没有“2026-02-30”这个日期" in page
    assert subjects(page) == ["22", "22", "11"]


async def test_log_names_people_acts_and_fields(office: Office) -> None:
    page = (await (await office.browser(office.clerk)).get("/audit")).text
    for words in ("周敏", "修改区域", "查看电话", "strange.act", "登录", "项目 姓名、电话", 'href="/areas/11">11</a>'):
        assert words in page
    assert "99" not in subjects(page)
    assert "钱进" not in page


async def test_each_sign_in_stands_in_the_log_of_where_the_person_works(office: Office, now: datetime) -> None:
    """By whichever way somebody came in: the way is called as people call it."""
    clerk, elsewhere = await office.browser(office.clerk), await office.browser(office.clerk_there)
    life = timedelta(hours=1)
    with office.database.writing() as session:
        worker = session.get_one(Person, office.worker)
        for channel in ("telegram", "wecom"):
            people.link_account(session, worker, channel=channel, external_id="77", now=now)
            session.flush()
            accounts.spend_proof(
                session, accounts.PlatformProof(channel, "77", channel, now + life), now=now, life=life
            )

    def ways(page: str) -> list[str]:
        return re.findall(r'<span class="detail">方式 ([^<]+)</span>', page)

    query = f"/audit?act=sign_in&person={office.worker}"
    assert ways((await clerk.get(query)).text) == ["企业微信", "Telegram"]
    assert ways((await clerk.get(f"/audit?act=sign_in&person={office.clerk}")).text) == ["登录链接"]
    assert ways((await elsewhere.get(query)).text) == []


async def test_log_calls_roles_and_groups_by_their_names(office: Office, now: datetime) -> None:
    detail = {"role": "grid_worker", "purpose": "staff", "fields": ["name"], "duty": "17", "strange": 3}
    detail |= {"area": str(office.here.grid.id), "way": "phone"}
    with office.database.writing() as session:
        accounts.audit(
            session, person_id=office.clerk, act="duty.give", now=now, community_id=office.here.id, detail=detail
        )
    page = (await (await office.browser(office.clerk)).get("/audit?act=duty.give")).text
    assert re.findall(r'<span class="detail">([^<]+)</span>', page) == [
        "角色 网格员",
        "用途 工作群",
        "项目 姓名",
        "strange 3",
        "区域 第一网格",
        "方式 电话",
    ]


async def test_log_calls_what_was_done_and_to_what_by_name(office: Office, now: datetime) -> None:
    with office.database.writing() as session:
        case = builders.case(session, office.here, now)
        case_id, number = case.id, case.number
    clerk = await office.browser(office.clerk)
    assert (await clerk.post(f"/desk/cases/{case_id}/steps/accept")).status_code == 303
    assert (await clerk.post(f"/people/{office.worker}/phone")).status_code == 200
    for words, act in ((number.lower(), "接单"), ("王建国", "查看电话"), (str(case_id), "接单"), ("钱进", None)):
        narrowed = (await clerk.client.get("/audit", params={"subject": words})).text
        assert re.findall(r'data-label="做了什么">([^<]+)<', narrowed) == ([act] if act else [])
    page = (await clerk.get("/audit")).text
    assert f'<a href="/desk/cases/{case_id}">{number}</a>' in page
    assert f'<a href="/people/{office.worker}">王建国</a>' in page
    assert re.findall(r'data-label="做了什么">([^<]+)<', page)[:2] == ["查看电话", "接单"]


async def test_log_costs_the_same_for_few_and_for_many(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    with office.counted() as before:
        await browser.get("/audit?act=area.change")
    with office.database.writing() as session:
        for person in (office.administrator, office.officer):
            accounts.audit(
                session, person_id=person, act="area.change", subject="5", now=now, community_id=office.here.id
            )
    with office.counted() as after:
        page = (await browser.get("/audit?act=area.change")).text
    assert len(after) == len(before)
    assert subjects(page) == ["5", "5", "11"]


async def test_log_is_for_the_desk_and_only_to_be_read(office: Office) -> None:
    worker, clerk = await office.browser(office.worker), await office.browser(office.clerk)
    assert (await worker.get("/audit")).status_code == 403
    assert (await clerk.post("/audit")).status_code == 405
