"""A file of people comes in whole or not at all, and twice like once."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.imports import ImportReport, import_areas, import_people
from domain.people import account_of, find_or_make_person, phone_of, with_codes
from storage.areas import Area
from storage.base import Session
from storage.people import Account, Duty, Person, Residence
from tests.domain.imports.files import AREAS, OTHER, TODAY, WORKER, areas, by_code, faults_of, people, table


@pytest.fixture
def grid(session: Session) -> Session:
    """A session with two communities in it."""
    import_areas(
        session,
        areas(*AREAS, *(("", "社区", "QH", "清河社区", "S", ""), ("清河社区", "网格", "Q1", "清河网格", "QH", ""))),
    )
    return session


def duties(session: Session) -> set[tuple[str | None, str, str, date, date | None, int, str | None]]:
    query = select(Person.code, Duty.role, Area.code, Duty.from_on, Duty.until_on, Duty.rank, Duty.topic_head)
    rows = session.execute(query.join(Person, Person.id == Duty.person_id).join(Area, Area.id == Duty.area_id))
    return {(code, role, area, since, until, rank, head) for code, role, area, since, until, rank, head in rows}


def test_people_come_with_duties_sealed_phones_and_accounts(grid: Session, now: datetime) -> None:
    file = people(
        ("W01", "孙志强", "130 0000-0009", "网格员", "G1", "2026年1月1日", "", "700100200", "", ""),
        ("W01", "", "", "微网格长", "G11", "2026/3/1", "2026.12.31", "", "2", "养犬与动物"),
        ("W02", "欧阳晓光", "028-85550101", "", "", "", "", "", "", ""),
    )
    assert import_people(grid, file, now=now) == ImportReport(3, 0, 0)
    assert duties(grid) == {
        ("W01", "grid_worker", "G1", date(2026, 1, 1), None, 0, None),
        ("W01", "micro_grid_head", "G11", date(2026, 3, 1), date(2026, 12, 31), 2, "养犬与动物"),
    }
    found = with_codes(grid, ["W01", "W02", "W03"])
    assert {code: (person.name, phone_of(grid, person)) for code, person in found.items()} == {
        "W01": ("孙志强", "13000000009"),
        "W02": ("欧阳晓光", "02885550101"),
    }
    worker = found["W01"]
    assert worker.phone_hash == grid.keyring.fingerprint("13000000009")
    assert b"13000000009" not in (worker.phone_sealed or b"")
    account = account_of(grid, "telegram", "700100200")
    assert account is not None
    assert (account.person_id, account.linked_by) == (worker.id, "administrator")


def test_people_imported_twice_change_nothing_even_on_a_later_day(grid: Session, now: datetime) -> None:
    file = people(WORKER, ("W02", "何雪梅", "", "调解员", "HX", "", "", "700100200", "", ""))
    assert import_people(grid, file, now=now) == ImportReport(2, 0, 0)
    grid.commit()
    assert import_people(grid, file, now=now + timedelta(days=40)) == ImportReport(0, 0, 2)
    assert not grid.dirty
    assert ("W02", "mediator", "HX", TODAY, None, 0, None) in duties(grid)


def test_people_file_changes_what_it_says_and_leaves_the_rest(grid: Session, now: datetime) -> None:
    import_people(grid, people(WORKER, ("W02", "何雪梅", "", "调解员", "HX", "", "", "", "3", "")), now=now)
    file = table(
        ("编号", "姓名", "电话", "角色", "负责区域", "开始日期", "结束日期"),
        ("W01", "孙志刚", "", "网格员", "G1", "2026-02-01", "2026-11-30"),
        ("W01", "孙志刚", "", "网格员", "G1", "2026-12-01", ""),
        ("W02", "", "", "调解员", "HX", "", "2027-01-31"),
    )
    assert import_people(grid, file, now=now) == ImportReport(1, 2, 0)
    assert duties(grid) == {
        ("W01", "grid_worker", "G1", date(2026, 2, 1), date(2026, 11, 30), 0, None),
        ("W01", "grid_worker", "G1", date(2026, 12, 1), None, 0, None),
        ("W02", "mediator", "HX", TODAY, date(2027, 1, 31), 3, None),
    }
    worker = with_codes(grid, ["W01"])["W01"]
    assert (worker.name, phone_of(grid, worker)) == ("孙志刚", "13000000009")


def test_person_who_ended_and_comes_back_gets_a_second_duty(grid: Session, now: datetime) -> None:
    ended = (*WORKER[:6], "2026-06-30", *WORKER[7:])
    again = (*WORKER[:5], "", *WORKER[6:])
    import_people(grid, people(ended), now=now)
    assert import_people(grid, people(ended), now=now) == ImportReport(0, 0, 1)
    assert import_people(grid, people(again), now=now) == ImportReport(1, 0, 0)
    assert {(each[3], each[4]) for each in duties(grid)} == {(date(2026, 1, 1), date(2026, 6, 30)), (TODAY, None)}


def test_street_officer_has_a_duty_in_each_community_of_the_street(grid: Session, now: datetime) -> None:
    file = people(("S01", "程思远", "", "街道干部", "S", "2026-01-01", "", "", "", ""))
    assert import_people(grid, file, now=now) == ImportReport(1, 0, 0)
    assert {(each[2], each[1]) for each in duties(grid)} == {("HX", "street_officer"), ("QH", "street_officer")}


def test_resident_who_spoke_first_is_known_again_by_the_account(grid: Session, now: datetime) -> None:
    resident = find_or_make_person(
        grid, channel="telegram", external_id="700100200", name="小孙", username=None, now=now
    )
    file = people((*WORKER[:7], "700100200", *WORKER[8:]))
    assert import_people(grid, file, now=now) == ImportReport(1, 0, 0)
    account = grid.scalars(select(Account)).one()
    assert account.person_id == with_codes(grid, ["W01"])["W01"].id != resident.id


def test_home_becomes_a_residence(grid: Session, now: datetime) -> None:
    file = table(("编号", "姓名", "住址编码"), ("R1", "李秀兰", "B03-101"))
    assert import_people(grid, file, now=now) == ImportReport(1, 0, 0)
    assert import_people(grid, file, now=now) == ImportReport(0, 0, 1)
    home = grid.scalars(select(Residence)).one()
    assert (home.area_id, home.community_id) == (by_code(grid, "B03-101").id, by_code(grid, "HX").id)
    assert faults_of(grid, table(("编号", "姓名", "住址编码"), ("R2", "王小雨", "G1")), now) == (
        "第 2 行「住址编码」：“第一网格”是网格，不能住人；请写一户或一栋楼的编码。",
    )


def test_people_file_with_faults_in_every_row_lists_them_all(grid: Session, now: datetime) -> None:
    file = people(
        ("", "", "", "", "", "", "", "", "1", ""),
        ("W01", "孙志强", "12345", "网格员", "G1", "2026-02-30", "", "@sun", "-1", "大事"),
        ("W02", "刘芳", "", "组长", "G1", "", "", "", "", ""),
        ("W03", "马建军", "", "网格员", "", "", "", "", "", ""),
        ("W04", "何雪梅", "", "", "G1", "", "", "", "", ""),
        ("W05", "罗文斌", "", "网格员", "G99", "2026-02-01", "2026-01-01", "", "", ""),
        ("W06", "", "", "网格员", "G1", "", "", "", "", ""),
        ("W07", "宋春燕", "13000000001", "网格员", "G11", "", "", "800100", "", ""),
        ("W07", "宋春艳", "13000000002", "网格员", "G11", "2026-12-01", "", "", "", ""),
        ("W08", "唐永康", "", "", "", "2026-01-01", "", "800100", "", ""),
    )
    roles = "网格员、微网格长、楼栋管家、社区工作者、调解员、监督委员、志愿者、街道干部、系统管理员"
    faults = faults_of(grid, file, now)
    assert [fault for fault in faults if "事项类别" not in fault] == [
        "第 2 行「编号」：没有填；请写上每人一个、不会变的编号，如 W01。",
        "第 2 行「姓名」：没有填；请写上姓名。",
        "第 3 行「开始日期」：“2026-02-30”不是日期；请写成 2026-01-31 这样。",
        "第 3 行「电话」：不是电话号码（有 5 位数字）；请写 11 位手机号，或带区号的座机号，如 028-85550101。",
        "第 3 行「Telegram 账号」：“@sun”不是 Telegram 账号的数字编号；请写只有数字的编号（不是 @ 开头的用户名），或留空。",
        "第 3 行「排序」：“-1”不是排序；请写 0 到 999 的整数，小的先找。",
        f"第 4 行「角色」：“组长”不是角色；请写 {roles} 之一，一行只写一个。",
        "第 5 行「负责区域」：写了角色，没写负责的区域；请写区域的编码。",
        f"第 6 行「角色」：写了负责的区域，没写角色；请写 {roles} 之一。",
        "第 7 行「结束日期」：结束日期早于开始日期；请改写其中一个。",
        "第 7 行「负责区域」：没有编码为“G99”的区域；请先导入区域，或改写编码。",
        "第 8 行「姓名」：没有填；请写上姓名。",
        "第 10 行「姓名」：同一编号 W07 的姓名前后不同；请和第 9 行写得一样，或留空。",
        "第 10 行「电话」：同一编号 W07 的电话前后不同；请和第 9 行写得一样，或留空。",
        "第 10 行「负责区域」：和第 9 行是同一个人、同一角色、同一区域，日期又重叠；请删去一行，或改日期。",
        "第 11 行「开始日期」：写了日期，没写角色和负责的区域；请补上，或删去日期。",
        "第 11 行「Telegram 账号」：这个账号和第 9 行的另一个人相同；一个账号只能属于一个人，请核对。",
    ]
    assert any(fault.startswith("第 3 行「事项类别」：“大事”不是事项类别；请写 道路与路灯、") for fault in faults)


def test_people_are_checked_against_the_register(session: Session, now: datetime) -> None:
    import_areas(session, areas(*AREAS, *OTHER, ("", "街道", "T", "空街道", "", "")))
    import_people(session, people((*WORKER[:4], "G11", *WORKER[5:7], "700100200", *WORKER[8:])), now=now)
    gone = Person(id=1, code="W09", name="", created_at=now, erased_at=now)
    session.add(gone)
    session.flush()
    file = table(
        ("编号", "姓名", "社区", "角色", "负责区域", "Telegram"),
        ("W02", "刘芳", "", "网格员", "G1", ""),
        ("W03", "马建军", "", "街道干部", "T", ""),
        ("W04", "何雪梅", "和睦社区", "", "", ""),
        ("W05", "罗文斌", "", "", "", "700100200"),
        ("W09", "郭玉珍", "", "", "", ""),
    )
    assert faults_of(session, file, now) == (
        "第 2 行「负责区域」：有几个社区都有编码“G1”；请在「社区」一列写上社区的名称或编码。",
        "第 3 行「负责区域」：“空街道”街道下还没有社区；请先导入社区。",
        "第 4 行「社区」：不知道“和睦社区”是哪个社区；请写这些社区之一的名称或编码：和谐里社区（HX）、清河社区（QH）。",
        "第 5 行「Telegram 账号」：这个账号已属于编号 W01 的人；请核对，或先改那个人的账号。",
        "第 6 行「编号」：编号 W09 的个人信息已按要求抹去；请从文件里删去这一行。",
    )
    named = table(("编号", "姓名", "社区", "角色", "负责区域"), ("W02", "刘芳", "清河社区", "网格员", "G1"))
    assert import_people(session, named, now=now) == ImportReport(1, 0, 0)
