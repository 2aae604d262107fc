"""A file of areas comes in whole or not at all, and twice like once."""

from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import select

from domain.areas import full_name, of_community
from domain.imports import ImportReport, import_areas, parse_table, read_table
from domain.places import PlaceBook
from storage.areas import Area, Community
from storage.base import Session
from tests.domain.imports.files import (
    AREA_HEADERS,
    AREAS,
    OTHER,
    areas,
    by_code,
    faults_of,
    table,
)


def test_areas_become_a_tree_with_its_community(session: Session) -> None:
    assert import_areas(session, areas(*AREAS)) == ImportReport(7, 0, 0)
    community = session.scalars(select(Community)).one()
    assert (community.name, community.id) == ("和谐里社区", by_code(session, "HX").id)
    household = by_code(session, "B03-101")
    path = [by_code(session, code).id for code in ("S", "HX", "G1", "G11", "B03")]
    assert household.path == "/" + "".join(f"{key}/" for key in [*path, household.id])
    assert full_name(session, household) == "3号楼 101室"
    assert by_code(session, "B03").aliases == ["三栋", "3#", "教师楼"]
    assert by_code(session, "S").community_id is None
    of = {area.code: area.community_id for area in of_community(session, community.id)}
    assert of == dict.fromkeys(("HX", "G1", "G11", "B03", "B03-101", "P1"), community.id)


def test_areas_imported_twice_change_nothing(session: Session) -> None:
    import_areas(session, areas(*AREAS))
    session.commit()
    assert import_areas(session, areas(*AREAS)) == ImportReport(0, 0, 7)
    assert not session.dirty


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_areas_come_from_csv_of_any_encoding(session: Session, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "区域.csv"
    path.write_text("\n".join(",".join(row) for row in (AREA_HEADERS, *AREAS)), encoding=encoding)
    assert import_areas(session, read_table(path)) == ImportReport(7, 0, 0)


def test_areas_come_from_excel_with_a_title_and_a_column_of_remarks(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "区域.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write(0, 0, "和谐里社区网格一览表")
    for number, row in enumerate(((*AREA_HEADERS, "备注"), *AREAS), start=1):
        sheet.write_row(number, 0, row)
    book.close()
    assert import_areas(session, read_table(path)) == ImportReport(7, 0, 0, ignored=("备注",))


def test_areas_come_from_toml_with_english_headers(session: Session) -> None:
    names = ("community", "level", "code", "name", "parent", "aliases")
    rows = [dict(zip(names, row, strict=True)) for row in AREAS]
    text = "\n".join("[[areas]]\n" + "\n".join(f'{key} = "{value}"' for key, value in row.items()) for row in rows)
    assert import_areas(session, parse_table("a.toml", text.encode())) == ImportReport(7, 0, 0)


def test_areas_file_changes_what_it_names_and_leaves_the_rest(session: Session) -> None:
    import_areas(session, areas(*AREAS))
    moved = (
        ("和谐里社区", "网格", "G2", "第二网格", "HX", ""),
        ("和谐里社区", "微网格", "G11", "第一微网格", "G2", ""),
        ("和谐里社区", "楼栋", "B03", "3号楼", "G11", "三栋"),
    )
    assert import_areas(session, areas(*moved)) == ImportReport(1, 2, 0)
    grid, household = by_code(session, "G2"), by_code(session, "B03-101")
    assert (
        household.path
        == f"{by_code(session, 'HX').path}{grid.id}/{by_code(session, 'G11').id}/{by_code(session, 'B03').id}/{household.id}/"
    )
    assert by_code(session, "B03").aliases == ["三栋"]
    assert by_code(session, "P1").name == "东门"


def test_removed_area_comes_back_when_a_file_names_it(session: Session, now: datetime) -> None:
    import_areas(session, areas(*AREAS))
    by_code(session, "P1").removed_at = now
    session.flush()
    assert import_areas(session, areas(*AREAS)) == ImportReport(0, 1, 6)
    assert by_code(session, "P1").removed_at is None


def test_two_communities_may_use_the_same_codes(session: Session) -> None:
    assert import_areas(session, areas(*AREAS, *OTHER)) == ImportReport(9, 0, 0)
    assert import_areas(session, areas(*OTHER)) == ImportReport(0, 0, 2)
    codes = session.execute(select(Community.name, Area.code).join(Area, Area.community_id == Community.id))
    assert {tuple(row) for row in codes if row[1] == "G1"} == {("和谐里社区", "G1"), ("清河社区", "G1")}


def test_community_is_renamed_when_its_old_name_becomes_an_alias(session: Session) -> None:
    import_areas(session, areas(*AREAS))
    report = import_areas(session, areas(("", "社区", "HX", "新和社区", "S", "和谐里社区")))
    assert report == ImportReport(0, 1, 0)
    assert session.scalars(select(Community.name)).all() == ["新和社区"]


def test_areas_file_with_faults_in_seven_rows_lists_all_seven(session: Session) -> None:
    file = areas(
        *AREAS,
        ("和谐里社区", "小区", "X1", "锦绣苑", "HX", ""),
        ("和谐里社区", "楼栋", "", "4号楼", "G11", ""),
        ("和谐里社区", "楼栋", "B03", "5号楼", "G11", ""),
        ("和谐里社区", "楼栋", "B06", "6号楼", "G99", ""),
        ("和谐里社区", "楼栋", "B07", "7号楼", "HX", ""),
        ("和谐里社区", "楼栋", "B08", "8号楼", "G11", "三栋"),
        ("和睦社区", "楼栋", "B09", "9号楼", "G11", ""),
        ("和谐里社区", "户", "X1-101", "101室", "X1", ""),  # its parent has a fault of its own: not told twice
    )
    assert faults_of(session, file) == (
        "第 9 行「级别」：“小区”不是级别；请写 街道、社区、网格、微网格、楼栋、户、地点 之一。",
        "第 10 行「编码」：没有填；请写上一个不和别处重复的编码，如 G2 或 B03。",
        "第 11 行「编码」：编码“B03”和第 6 行重复；请给每个区域不同的编码。",
        "第 12 行「上级编码」：没有编码为“G99”的区域；请写文件里或已导入的微网格或网格的编码。",
        "第 13 行「上级编码」：楼栋不能放在社区“HX”下面；请写一个微网格或网格的编码。",
        "第 14 行「别名」：“三栋”和第 6 行的“3号楼”重名，居民说到它时分不清是哪一个；请在前面加上小区或网格的名字，如“东区三栋”。",
        "第 15 行「社区」：不知道“和睦社区”是哪个社区；请写这些社区之一的名称或编码：和谐里社区（HX）。",
    )


def test_areas_that_stand_above_each_other_are_told_with_the_circle(session: Session) -> None:
    file = areas(
        *AREAS[:2],
        ("", "网格", "G1", "第一网格", "G2", ""),
        ("", "网格", "G2", "第二网格", "G1", ""),
        ("", "网格", "G3", "第三网格", "G3", ""),
    )
    assert faults_of(session, file) == (
        "第 4 行「上级编码」：上级绕成了一个圈（G1 → G2 → G1）；请改其中一个的上级编码。",
        "第 5 行「上级编码」：上级绕成了一个圈（G2 → G1 → G2）；请改其中一个的上级编码。",
        "第 6 行「上级编码」：上级绕成了一个圈（G3 → G3）；请改其中一个的上级编码。",
    )


def test_areas_are_checked_against_what_stands_already(session: Session, now: datetime) -> None:
    import_areas(session, areas(*AREAS))
    by_code(session, "G11").removed_at = now
    session.flush()
    file = areas(
        ("", "楼栋", "B05", "５号楼", "G1", "东 大门"),
        ("", "户", "B03-102", "101 室", "B03", ""),
        ("", "地点", "P2", "亭子", "G11", ""),
        ("", "网格", "B03", "第三网格", "HX", ""),
    )
    assert faults_of(session, file) == (
        "第 2 行「别名」：“东 大门”和已导入的“东门”重名，居民说到它时分不清是哪一个；请在前面加上小区或网格的名字，如“东区东 大门”。",
        "第 3 行「上级编码」：户不能放在网格“B03”下面；请写一个楼栋或微网格的编码。",
        "第 3 行「名称」：“101 室”和已导入的“101室”重名；同一栋楼里的户名不能相同，请改写。",
        "第 4 行「上级编码」：没有编码为“G11”的区域；请写文件里或已导入的微网格或网格或社区或楼栋的编码。",
        "第 5 行「上级编码」：户不能放在网格“B03”下面；请写一个楼栋或微网格的编码。",
    )


def test_community_code_of_another_community_is_refused(session: Session) -> None:
    import_areas(session, areas(*AREAS))
    assert faults_of(session, areas(("", "社区", "HX", "清河社区", "S", ""))) == (
        "第 2 行「编码」：编码“HX”已是社区“和谐里社区”；若是另一个社区，请换一个编码；若只是改了名，请把旧名写进「别名」。",
    )
    assert faults_of(session, areas(("HX", "网格", "HX", "第九网格", "G1", "")))[0] == (
        "第 2 行「编码」：编码“HX”已是社区“和谐里社区”的编码；请换一个编码。"
    )


def test_areas_say_which_community_is_meant(session: Session) -> None:
    grid = ("", "网格", "G7", "第七网格", "HX", "")
    assert faults_of(session, areas(grid)) == ("第 2 行「社区」：还没有任何社区；请在文件里加一行级别为“社区”的区域。",)
    assert faults_of(session, areas(("和睦社区", *grid[1:]))) == (
        "第 2 行「社区」：还没有任何社区；请在文件里加一行级别为“社区”的区域。",
    )
    import_areas(session, areas(*AREAS, *OTHER))
    assert faults_of(session, areas(grid)) == (
        "第 2 行「社区」：没有写属于哪个社区；请写这些社区之一的名称或编码：和谐里社区（HX）、清河社区（QH）。",
    )
    import_areas(session, areas(("", "社区", "QH2", "清河社区", "S", "")))
    assert faults_of(session, areas(("清河社区", *grid[1:]))) == (
        "第 2 行「社区」：有几个社区都叫“清河社区”；请改写社区的编码。",
    )
    assert import_areas(session, areas(("hx", *grid[1:]))) == ImportReport(1, 0, 0)


def test_areas_with_misplaced_roots_are_refused(session: Session) -> None:
    file = areas(
        ("", "街道", "S", "溪桥街道", "HX", ""),
        ("别的社区", "社区", "HX", "和谐里社区", "", ""),
        ("", "网格", "G1", "", "HX", ""),
        ("", "网格", "G2", "第二网格", "", ""),
        ("", "网格", "G3", "长" * 61, "HX", ""),
    )
    assert faults_of(session, file) == (
        "第 2 行「上级编码」：街道是最上一级，没有上级；请留空。",
        "第 3 行「社区」：社区这一行的「社区」应是它自己；请写“和谐里社区”，或留空。",
        "第 4 行「名称」：没有填；请写上居民平时的叫法，如 3号楼。",
        "第 5 行「上级编码」：“第二网格”是网格，要有上级；请写一个社区的编码。",
        "第 6 行「名称」：有 61 个字，最多 60 个；请写短一些。",
    )


def test_file_without_its_columns_names_them(session: Session) -> None:
    assert faults_of(session, table(("级别", "名称", "名称", "备注"), ("网格", "第一网格", "", ""))) == (
        "文件：有两列都是「名称」；请只留一列。",
        "文件：缺少「编码」这一列；请在表头补上，表头应有：社区、级别、编码、名称、上级编码、别名。",
        "文件：缺少「上级编码」这一列；请在表头补上，表头应有：社区、级别、编码、名称、上级编码、别名。",
    )


def test_thousand_households_come_in_within_two_seconds(session: Session) -> None:
    rows = [("", "户", f"B03-{number}", f"{number}室", "B03", "") for number in range(1001, 2201)]
    file = areas(*AREAS, *rows)
    assert import_areas(session, file) == ImportReport(1207, 0, 0)


def test_places_are_learnt_again_after_an_import_that_changed_something(session: Session) -> None:
    book = PlaceBook()
    import_areas(session, areas(*AREAS))
    book.refresh(session)
    community_id = by_code(session, "HX").id
    before = book.of(session, community_id)
    import_areas(session, areas(*AREAS))
    book.refresh(session)
    assert book.of(session, community_id) is before
    import_areas(session, areas((*AREAS[4][:5], "三栋")))
    book.refresh(session)
    assert book.of(session, community_id) is not before
