"""Matters entered by hand: whose a telephone number is, and who may learn it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from storage.cases import Case
from storage.database import Database
from storage.people import Person, Residence, Role
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
