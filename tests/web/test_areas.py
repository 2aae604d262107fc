"""The grid in the browser: the tree, one area, changes by hand, and files."""

from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter

from domain.places import PlaceBook
from storage.areas import Area, AreaLevel
from storage.base import Session
from storage.database import Database
from storage.people import Person, Role
from tests import builders
from tests.web.office import PHONE, Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def only_here(office: Office) -> None:
    """Takes the other community away, so that the installation serves one."""
    with office.database.writing() as session:
        for table in ("duty", "community", "area"):
            column = "id" if table == "community" else "community_id"
            session.connection().exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE {column} = {office.there.id}")


async def test_tree_shows_areas_with_who_is_in_charge(office: Office) -> None:
    browser = await office.browser(office.worker)

    page = (await browser.get("/areas")).text

    for words in ("和谐社区", "第一网格", "3号楼", "王建国<small", "没有负责人"):
        assert words in page
    assert "邻里社区" not in page
    assert PHONE not in page
    assert "/areas/import" not in page


async def test_tree_costs_the_same_for_one_building_and_for_three(office: Office) -> None:
    browser = await office.browser(office.clerk)
    with office.counted() as before:
        await browser.get("/areas")
    with office.database.writing() as session:
        grid = session.get_one(Area, office.here.grid.id)
        for name in ("12号楼", "4号楼"):
            builders.area(session, name, AreaLevel.BUILDING, grid, office.here.id)
        builders.person(session, "马建军", Role.BUILDING_STEWARD, office.here.building.id)

    with office.counted() as after:
        page = (await browser.get("/areas")).text

    assert len(after) == len(before)
    assert [name for name in ("3号楼", "4号楼", "12号楼") if name in page] == ["3号楼", "4号楼", "12号楼"]


async def test_area_page_counts_cases_below_it(office: Office, now: datetime) -> None:
    with office.database.writing() as session:
        builders.case(session, office.here, now)
    browser = await office.browser(office.officer)

    page = (await browser.get(f"/areas/{office.here.grid.id}")).text

    assert "<b>1</b><span>在办的事</span>" in page
    assert f'href="/desk?area={office.here.grid.id}"' in page
    assert "名称和别名" not in page


async def test_wrong_and_foreign_areas_look_alike(office: Office) -> None:
    browser = await office.browser(office.clerk)
    answers = [await browser.get(f"/areas/{key}") for key in (office.there.grid.id, 12345)]
    answers += [await browser.post(f"/areas/{key}", name="改名") for key in (office.there.grid.id, 12345)]
    answers += [await browser.post(f"/areas/{key}/add", name="新", code="N1") for key in (office.there.grid.id, 12345)]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert len({answer.text for answer in answers}) == 1
    assert office.row(Area, office.there.grid.id).name == "第一网格"


async def test_new_names_are_known_to_the_bot_at_once(office: Office, now: datetime) -> None:
    browser = await office.browser(office.clerk)
    key = office.here.building.id
    book = PlaceBook()
    with office.database.writing() as session:
        group = builders.group(session, office.here, now)
        session.flush()
        session.expunge(group)

    def named(session: Session, words: str) -> list[int | None]:
        book.refresh(session)
        return [found.area_id for found in book.of(session, group.community_id, near=group.area_id).find(words)]

    with office.database.reading() as session:
        assert key not in named(session, "龙门楼路灯坏了")

    said = await browser.after(await browser.post(f"/areas/{key}", name="3号楼", aliases="龙门楼、三栋"))

    assert "已保存3号楼" in said
    assert office.row(Area, key).aliases == ["龙门楼", "三栋"]
    with office.database.reading() as session:
        assert key in named(session, "龙门楼路灯坏了")
    assert office.acts() == [("area.change", office.clerk)]


async def test_area_is_added_under_its_parent(office: Office) -> None:
    browser = await office.browser(office.clerk)
    fields = {"level": "building", "name": "5号楼", "code": "B05", "aliases": "五栋"}

    said = await browser.after(await browser.post(f"/areas/{office.here.grid.id}/add", fields))

    assert "已新增5号楼" in said
    added = next(area for area in office.rows(Area) if area.code == "B05")
    assert (added.name, added.parent_id, added.community_id) == ("5号楼", office.here.grid.id, office.here.id)
    assert added.path == f"{office.here.grid.path}{added.id}/"
    assert office.acts() == [("area.add", office.clerk)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"level": "building", "name": "", "code": "B05"}, "「名称」：没有填"),
        ({"level": "building", "name": "3号楼", "code": "B05"}, "重名"),
        ({"level": "street", "name": "新街", "code": "S1"}, "「级别」：没有填"),
        ({"level": "building", "name": "6号楼", "code": "TAKEN"}, "编码“TAKEN”已经有了"),
    ],
)
async def test_faulty_area_is_refused_and_the_form_keeps_what_was_typed(
    office: Office, fields: dict[str, str], words: str
) -> None:
    with office.database.writing() as session:
        session.get_one(Area, office.here.other_grid.id).code = "TAKEN"
    browser = await office.browser(office.clerk)
    before = len(office.rows(Area))

    answer = await browser.post(f"/areas/{office.here.grid.id}/add", fields, aliases="记得我")

    assert answer.status_code == 409
    assert words in answer.text
    assert 'value="记得我"' in answer.text
    assert "第 2 行" not in answer.text
    assert len(office.rows(Area)) == before
    assert office.acts() == []


async def test_only_clerks_change_areas(office: Office) -> None:
    for person in (office.officer, office.worker, office.supervisor):
        browser = await office.browser(person)
        answers = [
            await browser.post(f"/areas/{office.here.building.id}", name="改名"),
            await browser.post(f"/areas/{office.here.grid.id}/add", name="新", code="N1", level="building"),
            await browser.get("/areas/import"),
            await browser.upload("/areas/import", "a.csv", b""),
        ]
        assert [answer.status_code for answer in answers] == [403] * 4
    assert office.row(Area, office.here.building.id).name == "3号楼"


async def test_templates_can_be_read_by_the_import(office: Office) -> None:
    browser = await office.browser(office.clerk)

    areas, people = [await browser.get(f"/areas/template/{kind}.csv") for kind in ("areas", "people")]

    assert areas.content.decode("utf-8-sig").splitlines()[0] == "社区,级别,编码,名称,上级编码,别名"
    assert people.content.decode("utf-8-sig").splitlines()[0].startswith("编号,姓名,电话,社区,角色,负责区域,开始日期,")
    assert areas.headers["content-disposition"] == 'attachment; filename="areas.csv"'
    assert (await browser.get("/areas/template/secrets.csv")).status_code == 404


def workbook(rows: list[list[str]]) -> bytes:
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


async def test_excel_file_of_areas_is_taken_in_once(office: Office) -> None:
    browser = await office.browser(office.administrator)
    grid = office.row(Area, office.here.grid.id).code
    content = workbook([["社区", "级别", "编码", "名称", "上级编码"], ["和谐社区", "楼栋", "B07", "7号楼", grid]])

    said = await browser.after(await browser.upload("/areas/import", "网格.xlsx", content, kind="areas"))
    again = await browser.after(await browser.upload("/areas/import", "网格.xlsx", content, kind="areas"))

    assert "新增 1 行，修改 0 行，没有变化 0 行" in said
    assert "新增 0 行，修改 0 行，没有变化 1 行" in again
    assert [area.name for area in office.rows(Area) if area.code == "B07"] == ["7号楼"]
    assert office.acts() == [("import.areas", office.administrator)] * 2


async def test_faulty_file_shows_every_row_and_changes_nothing(office: Office) -> None:
    browser = await office.browser(office.clerk)
    before = {(area.code, area.name) for area in office.rows(Area)}
    content = "社区,级别,编码,名称,上级编码\n和谐社区,星球,B1,火星,X\n和谐社区,楼栋,B2,,X\n和谐社区,楼栋,B3,9号楼,X\n".encode()

    answer = await browser.upload("/areas/import", "a.csv", content, kind="areas")

    assert answer.status_code == 409
    for words in ("第 2 行「级别」", "第 3 行「名称」", "第 4 行「上级编码」"):
        assert words in answer.text
    assert {(area.code, area.name) for area in office.rows(Area)} == before
    assert office.acts() == []


@pytest.mark.parametrize(("name", "content"), [("a.exe", b"MZ"), ("a.xlsx", b"not a workbook"), ("a.csv", b"")])
async def test_unreadable_file_is_refused_with_a_sentence(office: Office, name: str, content: bytes) -> None:
    browser = await office.browser(office.clerk)
    answer = await browser.upload("/areas/import", name, content, kind="people")
    assert answer.status_code == 409
    assert "文件：" in answer.text


async def test_no_file_is_refused(office: Office) -> None:
    browser = await office.browser(office.clerk)
    answer = await browser.post("/areas/import", kind="people")
    assert answer.status_code == 409
    assert "请先选择要导入的文件" in answer.text


def people_csv(*rows: str) -> bytes:
    return "\n".join(["编号,姓名,电话,社区,角色,负责区域,Telegram 账号", *rows]).encode()


async def test_clerk_of_the_only_community_imports_people(office: Office) -> None:
    only_here(office)
    browser = await office.browser(office.clerk)
    grid = office.row(Area, office.here.grid.id).code

    said = await browser.after(
        await browser.upload("/areas/import", "人员.csv", people_csv(f"W9,李雷,{PHONE},,网格员,{grid},"), kind="people")
    )

    assert "新增 1 行" in said
    assert [person.name for person in office.rows(Person) if person.code == "W9"] == ["李雷"]


async def test_clerks_file_cannot_make_administrators_nor_reach_next_door(office: Office) -> None:
    root, there = office.row(Area, office.here.id).code, office.row(Area, office.there.grid.id).code
    browser = await office.browser(office.clerk)
    next_door = await browser.upload(
        "/areas/import", "p.csv", people_csv(f"W9,李雷,,邻里社区,网格员,{there},"), kind="people"
    )
    only_here(office)
    promoted = await browser.upload(
        "/areas/import", "p.csv", people_csv(f"W9,李雷,,,系统管理员,{root},"), kind="people"
    )

    for answer in (next_door, promoted):
        assert answer.status_code == 409
        assert "请让系统管理员来导入" in answer.text
    assert [person for person in office.rows(Person) if person.code == "W9"] == []
    assert office.acts() == []
