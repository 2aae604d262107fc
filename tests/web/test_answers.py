"""The page of kept answers: the desk sees its own community's and takes them away; nobody else does."""

from datetime import datetime
from pathlib import Path

import pytest

from core.messages import Kind
from domain.cases import answers
from storage.cases import KeptAnswer
from storage.database import Database
from storage.people import Person
from tests import builders
from tests.web.office import Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def kept(office: Office, now: datetime) -> int:
    with office.desk.database.writing() as session:
        case = builders.case(
            session, office.here, now, kind=Kind.QUESTION, topic="elder_allowance", text="高龄补贴怎么办"
        )
        answers.answer(session, case, session.get_one(Person, office.clerk), "带身份证来", now=now)
    return office.rows(KeptAnswer)[0].id


async def test_desk_sees_answers_and_takes_one_away(office: Office, now: datetime) -> None:
    key = kept(office, now)
    browser = await office.browser(office.clerk)
    page = (await browser.get("/desk/answers")).text
    assert [words for words in ("高龄补贴怎么办", "带身份证来") if words in page] == ["高龄补贴怎么办", "带身份证来"]
    assert "已撤下" in await browser.after(await browser.post(f"/desk/answers/{key}/remove"))
    assert (office.rows(KeptAnswer), office.acts()) == ([], [("answer.remove", office.clerk)])
    assert "还没有答复" in (await browser.get("/desk/answers")).text
    assert (await browser.post(f"/desk/answers/{key}/remove")).status_code == 404


async def test_other_community_and_workers_do_not(office: Office, now: datetime) -> None:
    key = kept(office, now)
    there = await office.browser(office.clerk_there)
    assert "高龄补贴怎么办" not in (await there.get("/desk/answers")).text
    assert (await there.post(f"/desk/answers/{key}/remove")).status_code == 404
    worker = await office.browser(office.worker)
    statuses = [
        (await worker.get("/desk/answers")).status_code,
        (await worker.post(f"/desk/answers/{key}/remove")).status_code,
    ]
    assert statuses == [403, 403]
    assert len(office.rows(KeptAnswer)) == 1


async def test_street_officer_looks_and_takes_nothing_away(office: Office, now: datetime) -> None:
    key = kept(office, now)
    officer = await office.browser(office.officer)
    page = (await officer.get("/desk/answers")).text
    assert ("高龄补贴怎么办" in page, "撤下</summary>" in page) == (True, False)
    assert (await officer.post(f"/desk/answers/{key}/remove")).status_code == 403
    assert (len(office.rows(KeptAnswer)), office.acts()) == (1, [])


async def test_taking_away_is_asked_about_first(office: Office, now: datetime) -> None:
    kept(office, now)
    page = (await (await office.browser(office.clerk)).get("/desk/answers")).text
    assert '<details class="confirm">' in page
    assert "撤下后不再用它回答居民；原来那件事的记录不变。" in page
