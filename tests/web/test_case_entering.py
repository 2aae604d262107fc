"""Matters entered by hand: whose a telephone number is, and who may learn it; where they are, and whether they are open already."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from storage.cases import Case, CaseEvent, CaseReporter
from storage.database import Database
from storage.people import Duty, Person, Residence, Role
from tests import builders
from tests.builders import Desk, Place, csrf_of

PHONE = "139 1234 5678"
ENTRY = {
    "source": "telephone",
    "kind": "report",
    "topic": "lift",
    "urgency": "normal",
    "place": "8号楼1单元",
    "text": "电梯停在五楼",
    "name": "",
    "phone": PHONE,
    "same": "another",
}


@dataclass
class Town:
    place: Place
    elsewhere: Place
    clerk: int
    worker: int
    known: int


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    return builders.desk(database, now, tmp_path)


@pytest.fixture
def town(desk: Desk) -> Town:
    """李桂芳 lives here and has told the community her number."""
    with desk.database.writing() as session:
        place, elsewhere = builders.community(session), builders.community(session, "幸福社区")
        known = builders.person(session, "李桂芳", phone=PHONE)
        session.add(Residence(community_id=place.id, person_id=known.id, area_id=place.building.id))
        clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
        worker = builders.person(session, "赵铁柱", Role.GRID_WORKER, place.other_grid.id)
        return Town(place, elsewhere, clerk.id, worker.id, known.id)


async def enter(browser: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await browser.post("/desk/new", data={"csrf": await csrf_of(browser), **ENTRY, **fields})


def reporter_of(desk: Desk, answer: httpx.Response) -> Person:
    with desk.database.reading() as session:
        case = session.get_one(Case, int(answer.headers["location"].rsplit("/", 1)[1]))
        return session.get_one(Person, case.reporter_id)


def count(desk: Desk) -> tuple[int, int]:
    """How many cases and people there are."""
    with desk.database.reading() as session:
        numbers = [session.scalar(select(func.count()).select_from(table)) or 0 for table in (Case, Person)]
        return numbers[0], numbers[1]


async def test_the_desk_knows_whose_a_number_is(desk: Desk, town: Town) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        answers = [await enter(browser, name=name) for name in ("", "李桂芳", " 李桂芳 ")]
    assert [reporter_of(desk, answer).id for answer in answers] == [town.known] * 3


async def test_another_name_for_a_known_number_is_asked_about_and_kept(desk: Desk, town: Town) -> None:
    before = count(desk)
    async with await desk.sign_in(town.clerk) as browser:
        asked = await enter(browser, name="李阿姨")
        assert (asked.status_code, count(desk)) == (409, before)
        assert "这个号码登记的是李桂芳，和您填的姓名不一样" in asked.text
        assert 'value="李阿姨"' in asked.text
        one = await enter(browser, name="李阿姨", who="known")
        other = await enter(browser, name="王大爷", who="other")
    assert reporter_of(desk, one).id == town.known
    assert (reporter_of(desk, other).name, reporter_of(desk, other).id == town.known) == ("王大爷", False)


async def test_field_staff_learn_no_name_from_a_number(desk: Desk, town: Town) -> None:
    async with await desk.sign_in(town.worker) as browser:
        area = str(town.place.other_building.id)
        answers = [await enter(browser, area=area, name=name) for name in ("", "李阿姨", "李桂芳")]
        pages = [(await browser.get(answer.headers["location"])).text for answer in answers]
    assert ["李桂芳" in page for page in pages] == [False, False, True]  # the last had typed it
    assert [reporter_of(desk, answer).name for answer in answers] == ["", "李阿姨", "李桂芳"]
    assert reporter_of(desk, answers[2]).id == town.known


async def test_a_desk_learns_no_name_of_another_community(desk: Desk, town: Town) -> None:
    with desk.database.writing() as session:
        clerk = builders.person(session, "钱进", Role.COMMUNITY_WORKER, town.elsewhere.id).id
    async with await desk.sign_in(clerk) as browser:
        answers = [await enter(browser, name=name) for name in ("", "李阿姨")]
    assert [reporter_of(desk, answer).name for answer in answers] == ["", "李阿姨"]


def case_of(desk: Desk, answer: httpx.Response) -> Case:
    assert answer.status_code == 303, answer.text
    with desk.database.reading() as session:
        return session.get_one(Case, int(answer.headers["location"].rsplit("/", 1)[1]))


@pytest.mark.parametrize(
    ("place", "text", "words"),
    [
        ("8号楼1单元", "电梯停在五楼", "8号楼1单元"),
        ("8 号楼门口", "灯坏了", "8 号楼门口"),
        ("", "8栋电梯停在五楼", "8栋"),
    ],
)
async def test_a_typed_place_decides_who_gets_it(desk: Desk, town: Town, place: str, text: str, words: str) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        case = case_of(desk, await enter(browser, place=place, text=text, area=str(town.place.id)))
    building = town.place.other_building.id
    assert (case.area_id, case.place, case.assignee_id) == (building, words, town.worker)
    assert case.thing == f"lift@{building}"


async def test_a_place_outside_the_chosen_area_is_refused(desk: Desk, town: Town) -> None:
    before = count(desk)
    async with await desk.sign_in(town.clerk) as browser:
        refused = await enter(browser, place="8号楼1单元", area=str(town.place.grid.id))
        passed_by = await enter(browser, place="", text="从8号楼过来的路灯坏了", area=str(town.place.grid.id))
    assert (refused.status_code, count(desk)) == (409, (before[0] + 1, before[1]))
    assert "“8号楼1单元”不在所选的第一网格里；请改位置或所属区域，不确定的选“和谐社区”就行。" in refused.text
    case = case_of(desk, passed_by)
    assert (case.area_id, case.place) == (town.place.grid.id, "")


async def test_a_corrected_place_takes_the_area_along(desk: Desk, town: Town) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        case = case_of(desk, await enter(browser, place="3号楼"))
        fields = {"kind": "report", "topic": "lift", "urgency": "normal", "place": "8号楼", "area": str(case.area_id)}
        mark = await csrf_of(browser)
        answer = await browser.post(
            f"/desk/cases/{case.id}/steps/correct",
            data={"csrf": mark, "version": str(case.version), "reroute": "1", **fields},
        )
    after = case_of(desk, answer)
    building = town.place.other_building.id
    assert (after.area_id, after.thing, after.assignee_id) == (building, f"lift@{building}", town.worker)


async def test_what_is_open_already_is_shown_and_joined_or_opened_on_purpose(desk: Desk, town: Town) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        first = case_of(desk, await enter(browser, phone="", same=""))
        before = count(desk)
        asked = await enter(browser, text="8号楼电梯停在5楼不动", phone="", topic="", same="")
        assert (asked.status_code, count(desk)) == (409, before)
        assert f"是同一件事，并入 {first.number}" in asked.text
        joined = await enter(browser, text="8号楼电梯停在5楼不动", same=str(first.id))
        again = await enter(browser, text="8号楼电梯还停在5楼", same=str(first.id))
        page = (await browser.get(joined.headers["location"])).text
        other = case_of(desk, await enter(browser, text="8号楼电梯停在5楼不动", same="another"))
    assert (case_of(desk, joined).id, case_of(desk, again).id, case_of(desk, again).joined) == (first.id, first.id, 1)
    assert other.id != first.id
    assert "8号楼电梯停在5楼不动" in page
    assert "电话，由周敏登记" in page
    with desk.database.reading() as session:
        steps = select(CaseEvent).where(CaseEvent.case_id == first.id).order_by(CaseEvent.id)
        said = [(event.step, event.actor_id, event.note) for event in session.scalars(steps)]
    assert said[-2:] == [("join", town.known, "8号楼电梯停在5楼不动"), ("add", town.clerk, "8号楼电梯还停在5楼")]


async def test_who_was_put_beside_a_case_by_hand_comes_out_with_a_case_of_their_own(desk: Desk, town: Town) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        first = case_of(desk, await enter(browser, phone="", same=""))
        await enter(browser, text="8号楼电梯停在5楼不动", same=str(first.id), source="walk_in")
        with desk.database.reading() as session:
            row = session.scalars(select(CaseReporter.id)).one()
        mark = await csrf_of(browser)
        answer = await browser.post(f"/desk/cases/{first.id}/reporters/{row}/part", data={"csrf": mark})
        shown = (await browser.get(answer.headers["location"])).text
    with desk.database.reading() as session:
        own = session.scalars(select(Case).order_by(Case.id.desc())).first()
        assert own is not None
        assert (own.text, own.source, own.reporter_id, own.place) == (
            "8号楼电梯停在5楼不动", "walk_in", town.known, "8号楼1单元",
        )  # fmt: skip
        assert session.get_one(Case, first.id).joined == 0
    assert f"已分开，单独登记为 {own.number}。" in shown


async def test_what_was_chosen_and_is_over_meanwhile_is_not_joined(desk: Desk, town: Town) -> None:
    before = count(desk)
    async with await desk.sign_in(town.clerk) as browser:
        refused = await enter(browser, same="123")
    assert (refused.status_code, count(desk)) == (409, before)
    assert "刚才选的那一件已经办结或撤回，请再核对一遍。" in refused.text


async def test_what_no_topic_was_chosen_for_is_about_what_its_words_say(desk: Desk, town: Town) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        case = case_of(desk, await enter(browser, text="8号楼电梯停在5楼不动", topic=""))
    assert (case.topic, case.thing) == ("lift", f"lift@{town.place.other_building.id}")


async def test_words_that_sound_like_danger_are_asked_about(desk: Desk, town: Town) -> None:
    before, danger = count(desk), {"text": "8号楼着火了，烟很大", "topic": "", "phone": ""}
    async with await desk.sign_in(town.clerk) as browser:
        asked = await enter(browser, **danger)
        assert (asked.status_code, count(desk)) == (409, before)
        assert "内容听起来有危险，按紧急的事马上通知吗？" in asked.text
        urgent = case_of(desk, await enter(browser, **danger, danger="emergency"))
        plain = case_of(desk, await enter(browser, **danger, danger="as_chosen"))
    assert (urgent.urgency, plain.urgency) == ("emergency", "normal")


async def test_who_has_it_is_said_also_to_whoever_may_not_see_it(desk: Desk, town: Town) -> None:
    matter = {"kind": "complaint", "topic": "noise", "text": "楼上天天半夜吵", "phone": ""}
    async with await desk.sign_in(town.worker) as browser:
        answer = await enter(browser, **matter)
        shown = (await browser.get(answer.headers["location"])).text
    assert answer.headers["location"] == "/desk"
    assert "已登记，由周社工负责。" in shown
    assert "半夜吵" not in shown
    with desk.database.writing() as session:
        session.query(Duty).filter(Duty.person_id == town.clerk).delete()
    async with await desk.sign_in(town.worker) as browser:
        answer = await enter(browser, **matter)
        shown = (await browser.get(answer.headers["location"])).text
    assert "已登记，没有找到负责人，已经告诉社区，请在工作台派单。" in shown
