"""Files are read as their authors see them, in every format and encoding, or refused with what to do."""

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ImportFaults
from domain.imports import parse_table, read_table


def test_csv_is_read_in_every_encoding_that_excel_saves() -> None:
    text = '编码,名称\r\nG1,"第一\r\n网格"\r\n\r\nG2, 第二网格 \r\n'
    tables = [parse_table("a.csv", text.encode(encoding)) for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16")]
    lines = [(line.number, line.cells) for line in tables[0].lines]
    assert lines == [(1, ("编码", "名称")), (2, ("G1", "第一 网格")), (4, ("G2", "第二网格"))]
    assert all(each == tables[0] for each in tables)


def test_excel_is_read_with_the_row_numbers_on_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "区域.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(2, 1, ["编号", "电话", "开始日期"])
    sheet.write_row(4, 1, [3, 13000000009])
    sheet.write_datetime(4, 3, date(2026, 1, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    lines = [(line.number, line.cells[1:]) for line in read_table(path).lines]
    assert lines == [(3, ("编号", "电话", "开始日期")), (5, ("3", "13000000009", "2026-01-31"))]


def test_toml_is_read_with_the_lines_of_its_tables() -> None:
    text = '# 区域\n[[areas]]\ncode = "B03"\naliases = ["三栋", "3#"]\n\n[[areas]]\ncode = "B04"\nname = "4号楼"\n'
    lines = [(line.number, line.cells) for line in parse_table("a.toml", text.encode()).lines]
    assert lines == [(0, ("code", "aliases", "name")), (2, ("B03", "三栋、3#", "")), (6, ("B04", "", "4号楼"))]
    inline = parse_table("a.toml", b'areas = [{code = "B03"}, {code = "B04"}]')
    assert [line.number for line in inline.lines] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.pdf", b"%PDF", "文件：“a.pdf”不是能读的格式；请用 Excel（.xlsx、.xls）、CSV 或 TOML 文件。"),
        (
            "a.xlsx",
            b"PK\x03\x04 broken",
            "文件：打不开这个 Excel 文件；它可能已损坏或不是 Excel，请用 Excel 重新另存为 .xlsx。",
        ),
        ("a.xls", b"", "文件：打不开这个 Excel 文件；它可能已损坏或不是 Excel，请用 Excel 重新另存为 .xlsx。"),
        ("a.csv", b"\xff\xff\xff", "文件：看不懂文字的编码；请在 Excel 里另存为“CSV UTF-8”。"),
        ("a.csv", "编码,名称\n".encode(), "文件：表里没有内容；第一行写列名，从第二行起一行写一条。"),
        (
            "a.csv",
            b"a,b\n1," + b"x" * 200_000,
            "文件：第 2 行附近的引号或换行不对；请用 Excel 打开检查后另存为“CSV UTF-8”。",
        ),
        ("a.csv", b"a\n" + b"1\n" * 20_001, "文件：共有 20002 行，一次最多 20000 行；请分成几个文件。"),
        (
            "a.csv",
            b"x" * (20 * 1024**2 + 1),
            "文件：文件有 21 MB，最大 20 MB；请去掉图片和多余的工作表，或分成几个文件。",
        ),
        ("a.toml", b"code = 1", "文件：TOML 文件里要有一组表，每行一个，例如以 [[areas]] 开头的几段。"),
        ("a.toml", b"areas = [1, 2]", "文件：TOML 文件里要有一组表，每行一个，例如以 [[areas]] 开头的几段。"),
    ],
)
def test_file_that_cannot_be_read_says_what_to_do(name: str, content: bytes, fault: str) -> None:
    with pytest.raises(ImportFaults) as caught:
        parse_table(name, content)
    assert caught.value.faults == (fault,)


def test_file_with_broken_toml_names_the_place() -> None:
    with pytest.raises(ImportFaults) as caught:
        parse_table("a.toml", b"[[areas]]\ncode = \n")
    assert caught.value.faults == (
        "文件：TOML 写法有误（Invalid value (at line 2, column 8)）；请检查引号、等号和方括号。",
    )


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFaults) as caught:
        read_table(tmp_path / "没有.csv")
    assert caught.value.faults == ("文件：找不到“没有.csv”；请检查文件名和所在的文件夹。",)


@given(st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.toml"]), st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    try:
        lines = parse_table(name, content).lines
    except ImportFaults as refused:
        assert len(refused.faults) == 1
    else:
        assert len(lines) >= 2
