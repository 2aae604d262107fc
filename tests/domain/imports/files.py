"""Small files of areas and people for the tests, and what is said about a faulty one."""

from datetime import date, datetime

import pytest
from sqlalchemy import func, select

from core.errors import ImportFaults
from domain.imports import Table, import_areas, import_people, parse_table
from storage.areas import Area, Community
from storage.base import Session
from storage.people import Duty, Person

AREA_HEADERS = ("社区", "级别", "编码", "名称", "上级编码", "别名")
AREAS = (
    ("", "街道", "S", "溪桥街道", "", ""),
    ("", "社区", "HX", "和谐里社区", "S", "和谐里"),
    ("和谐里社区", "网格", "G1", "第一网格", "HX", ""),
    ("和谐里社区", "微网格", "G11", "第一微网格", "G1", ""),
    ("和谐里社区", "楼栋", "B03", "3号楼", "G11", "三栋、3#、教师楼"),
    ("和谐里社区", "户", "B03-101", "101室", "B03", ""),
    ("和谐里社区", "地点", "P1", "东门", "G1", "东大门"),
)
OTHER = (
    ("", "社区", "QH", "清河社区", "S", ""),
    ("清河社区", "网格", "G1", "第一网格", "QH", ""),
)
PEOPLE_HEADERS = (
    "编号",
    "姓名",
    "电话",
    "角色",
    "负责区域（编码）",
    "开始日期",
    "结束日期",
    "Telegram 账号",
    "排序",
    "事项类别",
)
WORKER = ("W01", "孙志强", "130 0000-0009", "网格员", "G1", "2026-01-01", "", "", "0", "")
TODAY = date(2026, 11, 21)


def table(headers: tuple[str, ...], *rows: tuple[str, ...]) -> Table:
    lines = [",".join(row) for row in (headers, *rows)]
    return parse_table("表.csv", "\n".join(lines).encode())


def areas(*rows: tuple[str, ...]) -> Table:
    return table(AREA_HEADERS, *rows)


def people(*rows: tuple[str, ...]) -> Table:
    return table(PEOPLE_HEADERS, *rows)


def faults_of(session: Session, file: Table, now: datetime | None = None) -> tuple[str, ...]:
    """What is said about a file, after making sure that nothing of it was kept."""
    before = [session.scalar(select(func.count()).select_from(kind)) for kind in (Area, Community, Person, Duty)]
    with pytest.raises(ImportFaults) as caught:
        import_people(session, file, now=now) if now else import_areas(session, file)
    assert not session.new
    assert not session.dirty
    assert before == [
        session.scalar(select(func.count()).select_from(kind)) for kind in (Area, Community, Person, Duty)
    ]
    return caught.value.faults


def by_code(session: Session, code: str) -> Area:
    return session.scalars(select(Area).where(Area.code == code)).one()
