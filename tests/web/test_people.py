"""The register in the browser: who is listed for whom, duties, codes, telephone numbers, erasure."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from domain import accounts, chats, people
from storage.access import WebSession
from storage.chats import Chat
from storage.database import Database
from storage.people import Account, Duty, Person, PrivateChat, Role
from tests import builders
from tests.web.office import PHONE, Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def duties_of(office: Office, person_id: int) -> list[tuple[str, int, date, date | None]]:
    rows = [row for row in office.rows(Duty) if row.person_id == person_id]
    return sorted((row.role, row.area_id, row.from_on, row.until_on) for row in rows)


async def test_list_shows_this_community_only_and_no_number(office: Office) -> None:
    page = (await (await office.browser(office.officer)).get("/people")).text

    assert [name for name in ("周敏", "魏东", "程思远", "王建国", "吴监", "钱进") if name in page] == [
        "周敏", "魏东", "程思远", "王建国", "吴监",
    ]  # fmt: skip
    assert "共 5 位" in page
    assert PHONE not in page
    assert "登记人员" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=建国", {"王建国"}),
        (f"q={PHONE}", {"王建国"}),
        ("q=138 1234 5678", {"王建国"}),
        ("q=１３８１２３４５６７８", {"王建国"}),
        ("q=ｗ０７", {"吴监"}),
        ("q=w07", {"吴监"}),
        ("role=supervisor", {"吴监"}),
        ("role=supervisor&q=建国", set()),
        ("q=%25", set()),
        ("role=king", {"周敏", "王建国", "吴监"}),
        ("page=abc", {"周敏", "王建国", "吴监"}),
    ],
)
async def test_list_is_searched_by_name_number_and_role(office: Office, query: str, found: set[str]) -> None:
    with office.database.writing() as session:
        session.get_one(Person, office.supervisor).code = "W07"
    page = (await (await office.browser(office.clerk)).get(f"/people?{query}")).text
    rows = page.split("<tbody>")[-1] if "<tbody>" in page else ""
    assert {name for name in ("周敏", "王建国", "吴监") if name in rows} == found


async def test_list_costs_the_same_for_few_and_for_many(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    with office.counted() as before:
        await browser.get("/people?role=grid_worker")
    with office.database.writing() as session:
        for name in ("甲", "乙"):
            one = builders.person(session, name, Role.GRID_WORKER, office.here.grid.id)
            builders.private_chat(session, one, now)

    with office.counted() as after:
        page = (await browser.get("/people?role=grid_worker")).text

    assert len(after) == len(before)
    assert page.count("可以私信") == 2


async def test_only_the_desk_sees_people_and_foreign_ones_look_like_none(office: Office) -> None:
    worker, clerk = await office.browser(office.worker), await office.browser(office.clerk)

    assert [(await worker.get(path)).status_code for path in ("/people", f"/people/{office.worker}")] == [403, 403]
    answers = [await clerk.get(f"/people/{key}") for key in (office.clerk_there, 12345)]
    for path in ("", "/phone", "/code", "/duties", "/sessions", "/erase"):
        answers += [await clerk.post(f"/people/{key}{path}") for key in (office.clerk_there, 12345)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert office.acts() == []


async def test_number_is_masked_until_somebody_looks_and_the_log_says_who(office: Office) -> None:
    browser = await office.browser(office.officer)

    page = (await browser.get(f"/people/{office.worker}")).text
    shown = await browser.post(f"/people/{office.worker}/phone")

    assert "138****5678" in page
    assert PHONE not in page
    assert PHONE in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert office.acts() == [("person.phone", office.officer)]
    assert PHONE not in (await browser.get(f"/people/{office.worker}")).text


async def test_a_number_that_somebody_has_is_asked_about(office: Office) -> None:
    browser = await office.browser(office.clerk)
    new = {"name": "王建军", "code": "W9", "phone": "138 1234 5678", "role": "volunteer", "area": str(office.here.id)}
    for path, fields in (("/people/new", new), (f"/people/{office.supervisor}", {"name": "吴监", "phone": PHONE})):
        refused = await browser.post(path, fields)
        assert refused.status_code == 409
        assert "这个电话已经登记给王建国" in refused.text
        assert f'href="/people/{office.worker}"' in refused.text
        assert f'value="{fields["phone"]}"' in refused.text
        kept = await browser.post(path, fields, shared_phone="1")
        assert kept.status_code == 303
    assert [row.name for row in office.rows(Person) if row.phone_sealed] == ["王建国", "吴监", "王建军"]
    # One's own number again, and one of a community that this clerk does not see, is no news.
    assert (await browser.post(f"/people/{office.worker}", name="王建国", phone="13900000009")).status_code == 303
    assert (await browser.post(f"/people/{office.worker}", name="王建国", phone="13900000009")).status_code == 303
    there = await office.browser(office.clerk_there)
    assert (await there.post(f"/people/{office.clerk_there}", name="钱进", phone="13900000009")).status_code == 303


async def test_duty_is_given_for_a_time_and_ended(office: Office) -> None:
    browser = await office.browser(office.clerk)
    building = office.here.building.id
    fields = {"role": "building_steward", "area": str(building), "from_on": "2026-12-01", "until_on": "2027-05-31"}

    said = await browser.after(await browser.post(f"/people/{office.worker}/duties", fields))

    assert "已添加职务：楼栋管家" in said
    given = ("building_steward", building, date(2026, 12, 1), date(2027, 5, 31))
    assert given in duties_of(office, office.worker)
    key = next(row.id for row in office.rows(Duty) if row.role == "building_steward")
    await browser.after(await browser.post(f"/people/{office.worker}/duties/{key}/end", until_on="2026-12-31"))
    assert (*given[:3], date(2026, 12, 31)) in duties_of(office, office.worker)
    assert office.acts() == [("duty.give", office.clerk), ("duty.end", office.clerk)]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"role": "king"}, 409, "请从列表里选择一个角色"),
        ({"from_on": "2026-12-02", "until_on": "2026-12-01"}, 409, "最后一天不能早于第一天"),
        ({"from_on": "2026-02-30"}, 409, "没有“2026-02-30”这个日期"),
        ({"until_on": "2026-02-30"}, 409, "没有“2026-02-30”这个日期"),
        ({"role": "grid_worker", "area": "grid"}, 409, "时间还重叠"),
        ({"role": "administrator"}, 409, "只能由系统管理员改动"),
        ({"area": "there"}, 404, "没有找到这个区域"),
        ({"area": ""}, 409, "请选择负责的区域"),
    ],
)
async def test_impossible_duty_is_refused(office: Office, fields: dict[str, str], status: int, words: str) -> None:
    browser = await office.browser(office.clerk)
    areas = {"grid": str(office.here.grid.id), "there": str(office.there.grid.id), "": ""}
    before = duties_of(office, office.worker)
    filled = {"role": "volunteer", "from_on": "2026-12-01", "until_on": "", **fields}
    filled["area"] = areas[fields["area"]] if "area" in fields else str(office.here.building.id)

    answer = await browser.post(f"/people/{office.worker}/duties", filled)

    assert answer.status_code == status
    assert words in answer.text
    assert duties_of(office, office.worker) == before
    assert office.acts() == []


async def test_a_day_that_is_none_ends_no_duty(office: Office) -> None:
    browser = await office.browser(office.clerk)
    key = next(row.id for row in office.rows(Duty) if row.person_id == office.worker)
    answer = await browser.post(f"/people/{office.worker}/duties/{key}/end", until_on="2026-02-30")
    assert (answer.status_code, "没有“2026-02-30”这个日期" in answer.text) == (409, True)
    assert office.row(Duty, key).until_on is None


async def test_clerk_cannot_touch_an_administrator_and_the_last_one_stays(office: Office) -> None:
    clerk, administrator = await office.browser(office.clerk), await office.browser(office.administrator)
    path = f"/people/{office.administrator}"
    key = next(row.id for row in office.rows(Duty) if row.person_id == office.administrator)

    refused = [await clerk.post(path + step) for step in ("/code", "/erase", "/sessions", f"/duties/{key}/end")]
    refused.append(await clerk.post(path, name="改名"))
    last = await administrator.post(f"{path}/duties/{key}/end")

    assert {answer.status_code for answer in [*refused, last]} == {409}
    assert "最后一位系统管理员" in last.text
    assert office.row(Person, office.administrator).name == "魏东"
    assert office.row(Duty, key).until_on is None
    assert office.acts() == []
    assert "编码" not in (await clerk.get(path)).text.split("</h1>")[1]


async def test_code_binds_the_persons_account(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)

    page = (await browser.post(f"/people/{office.worker}/code")).text

    code = page.split("<kbd>绑定 ")[1].split("<")[0]
    assert code not in (await browser.get(f"/people/{office.worker}")).text
    with office.database.writing() as session:
        people.find_or_make_person(session, channel="telegram", external_id="77", name="老王", username=None, now=now)
        session.flush()
        account = people.account_of(session, "telegram", "77")
        assert account is not None
        assert chats.bind_account(session, account, code, now=now).id == office.worker
    assert office.acts() == [("person.code", office.clerk)]


async def test_page_says_whether_the_bot_may_write(office: Office, now: datetime) -> None:
    with office.database.writing() as session:
        builders.private_chat(session, session.get_one(Person, office.worker), now)
    browser = await office.browser(office.clerk)
    found = []
    for state, words in (
        (PrivateChat.OPEN, "可以私信"),
        (PrivateChat.BLOCKED, "已拉黑机器人"),
        (PrivateChat.UNKNOWN, "没有私聊过"),
    ):
        with office.database.writing() as session:
            session.scalars(select(Account)).one().private_chat = state
        found.append(words in (await browser.get(f"/people/{office.worker}")).text)
    assert found == [True, True, True]


async def test_all_devices_are_signed_out(office: Office) -> None:
    worker, clerk = await office.browser(office.worker), await office.browser(office.clerk)

    said = await clerk.after(await clerk.post(f"/people/{office.worker}/sessions"))

    assert "所有设备退出登录" in said
    assert (await worker.get("/areas")).headers["location"] == "/sign-in"
    assert [row.person_id for row in office.rows(WebSession) if row.revoked_at is None] == [office.clerk]


async def test_person_is_registered_with_a_duty(office: Office) -> None:
    browser = await office.browser(office.clerk)
    fields = {
        "name": "李雷",
        "code": "W9",
        "phone": "13900000001",
        "role": "volunteer",
        "area": str(office.here.grid.id),
    }

    taken = await browser.after(await browser.post("/people/new", fields))
    again = await browser.post("/people/new", fields | {"name": "韩梅"})
    bad = await browser.post("/people/new", fields | {"code": "W10", "phone": "123"})

    assert "已登记李雷" in taken
    assert (again.status_code, bad.status_code) == (409, 409)
    assert "编号“W9”已经是别人的" in again.text
    assert 'value="韩梅"' in again.text
    assert "电话号码不对" in bad.text
    registered = [row for row in office.rows(Person) if row.code in ("W9", "W10")]
    assert [(row.name, duties_of(office, row.id)) for row in registered] == [
        ("李雷", [("volunteer", office.here.grid.id, date(2026, 11, 21), None)])
    ]


async def test_name_and_number_are_changed(office: Office) -> None:
    browser = await office.browser(office.clerk)
    path = f"/people/{office.worker}"

    await browser.after(await browser.post(path, name="王建国 ", phone=""))
    kept = office.row(Person, office.worker).phone_hash
    await browser.after(await browser.post(path, name="王建民", phone="13900000001"))
    changed = office.row(Person, office.worker)
    await browser.after(await browser.post(path, name="王建民", no_phone="1"))
    wrong = await browser.post(path, name="", phone="")

    fingerprint = office.database.keyring.fingerprint
    assert (kept, changed.phone_hash, changed.name) == (fingerprint(PHONE), fingerprint("13900000001"), "王建民")
    assert office.row(Person, office.worker).phone_hash is None
    assert (wrong.status_code, "请写姓名" in wrong.text) == (409, True)
    assert office.acts() == [("person.change", office.clerk)] * 3


async def test_erased_person_is_gone_from_every_page(office: Office, now: datetime) -> None:
    with office.database.writing() as session:
        worker = session.get_one(Person, office.worker)
        builders.private_chat(session, worker, now)
        reported = builders.case(session, office.here, now, reporter=worker).id
    browser = await office.browser(office.clerk)

    said = await browser.after(await browser.post(f"/people/{office.worker}/erase"))

    assert "已抹去" in said
    assert (await browser.get(f"/people/{office.worker}")).status_code == 404
    erased = office.row(Person, office.worker)
    assert (erased.name, erased.phone_sealed, erased.erased_at) == ("", None, now)
    assert [row.name for row in office.rows(Account)] == [""]
    assert [row.external_id for row in office.rows(Chat) if row.kind == "private"] == [
        f"erased:{row.id}" for row in office.rows(Chat) if row.kind == "private"
    ]
    assert duties_of(office, office.worker)[0][3] == date(2026, 11, 20)
    assert reported > 0
    for path in ("/people", "/areas", "/audit", "/desk"):
        assert "王建国" not in (await browser.get(path)).text
    assert office.acts() == [("person.erase", office.clerk)]


async def test_nobody_erases_himself(office: Office, now: datetime) -> None:
    browser = await office.browser(office.administrator)
    answer = await browser.post(f"/people/{office.administrator}/erase")
    assert (answer.status_code, "不能抹去自己" in answer.text) == (409, True)
    with office.database.reading() as session:
        assert accounts.may_come_in(session, office.administrator, (now + timedelta(days=1)).date())
