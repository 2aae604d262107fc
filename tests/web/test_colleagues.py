"""The address book in the browser, on the strict emulator: a department is given its duty, the list is looked at, ticked and taken up."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from bot.channels.wecom.app import AppChannel, Corp
from core.colleagues import AddressBook
from core.texts import say
from domain import people
from storage.access import AuditEntry
from storage.colleagues import ColleagueRule
from storage.database import Database
from storage.people import Account, Duty, Person, Role
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, TOKEN, WeComEmulator
from tests.web.office import Browser, Office, open_office

PAGE = "/people/colleagues"
GRID = "春晖社区/第一网格"


@dataclass
class Standing:
    wecom: WeComEmulator
    office: Office


@pytest.fixture
async def on(database: Database, now: datetime, tmp_path: Path) -> AsyncIterator[Standing]:
    """王建国 is bound as wang; li is new in the first grid; boss is in the district's office."""
    async with WeComEmulator() as wecom:
        wecom.world.departments |= {1: ("春晖社区", 0), 2: ("第一网格", 1), 3: ("区政府", 0)}
        for userid, name, department in (("wang", "王建国", 2), ("li", "李娜", 2), ("boss", "区长姓高", 3)):
            wecom.add_member(userid, name).departments = (department,)
        app = AppChannel(Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url), agent_id=AGENT)
        office = open_office(database, now, tmp_path, address_book=AddressBook("wecom", app.colleagues))
        with database.writing() as session:
            worker = session.get_one(Person, office.worker)
            people.link_account(session, worker, channel="wecom", external_id="wang", now=now)
        yield Standing(wecom, office)
        await app.stop()


async def with_rule(on: Standing, who: Browser) -> str:
    answer = await who.post(
        f"{PAGE}/rules",
        {"department": GRID, "position": "", "role": "grid_worker", "area": str(on.office.here.grid.id)},
    )
    return await who.after(answer)


def digest(page: str, external_id: str) -> dict[str, str]:
    found = re.search(rf'name="digest:{external_id}" value="([0-9a-f]+)"', page)
    assert found is not None, page
    return {"take": external_id, f"digest:{external_id}": found[1]}


async def test_department_gets_its_duty_and_the_new_colleague_is_taken_up(on: Standing) -> None:
    clerk = await on.office.browser(on.office.clerk)
    before = (await clerk.get(PAGE)).text
    assert ("没有要核对的" in before, GRID in before, "李娜" in before) == (True, True, False)
    page = await with_rule(on, clerk)
    assert say("colleagues.rule_added", department=GRID, role="网格员", area="第一网格") in page
    assert ("新来的（1）" in page, "李娜" in page, "区长姓高" in page) == (True, True, False)
    assert len(on.office.rows(Account)) == 1, "looking changes nothing"
    duty = f"grid_worker:{on.office.here.grid.id}"
    answer = await clerk.post(f"{PAGE}/take", {**digest(page, "li"), "duty:li": duty})
    page = await clerk.after(answer)
    assert say("colleagues.taken", count=1) in page
    assert "没有变化的 2 人；通讯录里另有 1 人" in page
    account = next(row for row in on.office.rows(Account) if row.external_id == "li")
    (given,) = [row for row in on.office.rows(Duty) if row.person_id == account.person_id]
    assert (given.role, given.area_id) == (Role.GRID_WORKER, on.office.here.grid.id)
    assert on.office.acts() == [
        ("department.add", on.office.clerk), ("duty.give", on.office.clerk), ("colleague.take", on.office.clerk),
    ]  # fmt: skip
    assert "按通讯录登记" in (await clerk.get("/audit")).text


async def test_nothing_is_taken_up_that_was_not_ticked_or_is_no_longer_so(on: Standing) -> None:
    clerk = await on.office.browser(on.office.clerk)
    page = await with_rule(on, clerk)
    assert say("colleagues.nothing_chosen") in await clerk.after(await clerk.post(f"{PAGE}/take"))
    without = await clerk.post(f"{PAGE}/take", digest(page, "li"))
    assert (without.status_code, say("colleagues.no_duty", name="李娜") in without.text) == (409, True)
    on.wecom.world.members["li"].position = "组长"
    said = await clerk.after(await clerk.post(f"{PAGE}/take", digest(page, "li")))
    assert say("colleagues.taken_some", count=0, stale=1) in said
    assert len(on.office.rows(Account)) == 1


async def test_gone_colleague_is_parted_with(on: Standing) -> None:
    clerk = await on.office.browser(on.office.clerk)
    del on.wecom.world.members["wang"]
    page = (await clerk.get(PAGE)).text
    assert ("通讯录里没有了（1）" in page, "不在名单里" in page) == (True, True)
    await clerk.after(await clerk.post(f"{PAGE}/take", digest(page, "wang")))
    (duty,) = [row for row in on.office.rows(Duty) if row.person_id == on.office.worker]
    assert duty.until_on is not None
    assert duty.until_on < on.office.desk.clock.now().date()
    assert [row.act for row in on.office.rows(AuditEntry) if row.act != "sign_in"] == ["colleague.part", "person.left"]


async def test_a_book_that_cannot_be_read_makes_nobody_gone(on: Standing) -> None:
    clerk = await on.office.browser(on.office.clerk)
    page = await with_rule(on, clerk)
    on.wecom.wire.refused_paths["agent/get"] = 60020
    closed = await clerk.get(PAGE)
    assert (closed.status_code, "企业可信 IP" in closed.text, "通讯录里没有了" in closed.text) == (502, True, False)
    again = await clerk.post(f"{PAGE}/take", digest(page, "li"))
    assert (again.status_code, len(on.office.rows(Account))) == (502, 1)


async def test_only_clerks_of_the_community_see_and_change_it(on: Standing) -> None:
    clerk, elsewhere = await on.office.browser(on.office.clerk), await on.office.browser(on.office.clerk_there)
    await with_rule(on, clerk)
    (rule,) = on.office.rows(ColleagueRule)
    assert "李娜" not in (await elsewhere.get(PAGE)).text
    assert (await elsewhere.post(f"{PAGE}/rules/{rule.id}/remove")).status_code == 404
    foreign = {"department": GRID, "role": "grid_worker", "area": str(on.office.here.grid.id)}
    assert (await elsewhere.post(f"{PAGE}/rules", foreign)).status_code == 404
    for who in (on.office.officer, on.office.worker):
        browser = await on.office.browser(who)
        assert [(await browser.get(PAGE)).status_code, (await browser.post(f"{PAGE}/take")).status_code] == [403, 403]
    by_hand = await clerk.post(f"{PAGE}/rules", {**foreign, "role": "administrator"})
    assert (by_hand.status_code, say("colleagues.role_reserved") in by_hand.text) == (409, True)
    assert len(on.office.rows(ColleagueRule)) == 1
    await clerk.after(await clerk.post(f"{PAGE}/rules/{rule.id}/remove"))
    assert on.office.rows(ColleagueRule) == []


async def test_page_costs_the_same_for_few_and_for_many(on: Standing) -> None:
    clerk = await on.office.browser(on.office.clerk)
    await with_rule(on, clerk)
    with on.office.counted() as before:
        await clerk.get(PAGE)
    for number in range(20):
        on.wecom.add_member(f"m{number}", f"新人{number}").departments = (2,)
    with on.office.counted() as after:
        page = (await clerk.get(PAGE)).text
    assert (len(after), "新来的（21）" in page) == (len(before), True)


async def test_installation_without_an_address_book_has_no_such_page(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    office = open_office(database, now, tmp_path)
    clerk = await office.browser(office.clerk)
    assert PAGE not in (await clerk.get("/people")).text
    refused = await clerk.get(PAGE)
    assert (refused.status_code, say("colleagues.no_book") in refused.text) == (409, True)


async def test_long_list_can_be_sent_back(on: Standing) -> None:
    """A form has a thousand fields at most, and whoever is ticked is among them."""
    clerk = await on.office.browser(on.office.clerk)
    for number in range(100):
        on.wecom.add_member(f"m{number:03}", f"新人{number:03}").departments = (2,)
    page = await with_rule(on, clerk)
    assert ("新来的（101）" in page, "先列出" in page) == (True, True)
    ids = re.findall(r'name="take" value="(\w+)"', page)
    duty = f"grid_worker:{on.office.here.grid.id}"
    form: dict[str, str | Sequence[str]] = {"take": ids} | {f"duty:{one}": duty for one in ids}
    form |= dict(re.findall(r'name="(digest:\w+)" value="(\w+)"', page))
    page = await clerk.after(await clerk.post(f"{PAGE}/take", form))
    assert say("colleagues.taken", count=len(ids)) in page
    assert f"新来的（{101 - len(ids)}）" in page
