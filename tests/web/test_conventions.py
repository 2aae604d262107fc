"""The convention in the browser: entering it, keeping clauses, the rotation."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain import announcements, conventions
from domain.announcements import AnnouncementState
from domain.conventions import ClauseWords
from storage.announcements import Announcement
from storage.conventions import Clause, Convention
from storage.database import Database
from storage.messages import Outbox
from tests import builders
from tests.web.office import Office, open_office


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    made = open_office(database, now, tmp_path)
    with database.writing() as session:
        builders.group(session, made.here, now)
    return made


def adopt(office: Office, now: datetime, *, there: bool = False) -> list[int]:
    """A convention of two clauses; their keys."""
    community = office.there.id if there else office.here.id
    with office.database.writing() as session:
        made = conventions.adopt(
            session, community, "居民公约", [ClauseWords("遛狗牵绳。"), ClauseWords("夜里轻声。")], now
        )
        return [clause.id for clause in conventions.clauses_of(session, made)]


async def test_convention_is_entered_a_clause_a_line(office: Office) -> None:
    browser = await office.browser(office.clerk)

    said = await browser.after(
        await browser.post("/conventions/adopt", title="和谐公约", clauses="遛狗牵绳。\r\n\r\n  夜里轻声。\r\n")
    )

    assert "已录入《和谐公约》，共 2 条" in said
    assert [(row.number, row.text) for row in office.rows(Clause)] == [(1, "遛狗牵绳。"), (2, "夜里轻声。")]
    assert office.acts() == [("convention.adopt", office.clerk)]


async def test_a_new_convention_asks_before_it_takes_the_place_of_another(office: Office, now: datetime) -> None:
    adopt(office, now)
    (old,) = office.rows(Convention)
    browser = await office.browser(office.clerk)
    fields = {"title": "新公约", "clauses": "守望相助。\n爱护花木。"}

    asked = await browser.post("/conventions/adopt", fields)

    assert asked.status_code == 200
    for words in ("还没有替换", "现在的：《居民公约》", "夜里轻声。", "新的：《新公约》", "爱护花木。"):
        assert words in asked.text
    assert f'name="replaces" value="{old.id}"' in asked.text
    assert "守望相助。\n爱护花木。</textarea>" in asked.text
    assert (len(office.rows(Convention)), office.acts()) == (1, [])

    again = await browser.post("/conventions/adopt", fields, replaces=str(old.id), again="1")
    assert 'value="新公约"' in again.text
    assert "守望相助。\n爱护花木。</textarea>" in again.text
    assert len(office.rows(Convention)) == 1

    said = await browser.after(await browser.post("/conventions/adopt", fields, replaces=str(old.id)))

    assert "已录入《新公约》，共 2 条" in said
    assert "以前的公约（1 份）" in said
    assert "夜里轻声。" in said.split("以前的公约")[-1]
    assert len(office.rows(Convention)) == 2
    # Sent again, or by somebody who looked at the old one: what is there now was never seen, so it is asked anew.
    assert "现在的：《新公约》" in (await browser.post("/conventions/adopt", fields, replaces=str(old.id))).text
    assert [act for act, _ in office.acts()] == ["convention.adopt"]


async def test_clauses_are_added_changed_and_switched_off_and_on(office: Office, now: datetime) -> None:
    first, second = adopt(office, now)
    browser = await office.browser(office.clerk)
    pages = [
        await browser.after(await browser.post("/conventions/clauses", text="不堆楼道。", topic="")),
        await browser.after(await browser.post(f"/conventions/clauses/{first}", text="遛狗要牵绳。", topic="")),
        await browser.after(await browser.post(f"/conventions/clauses/{second}/off")),
    ]

    for page, words in zip(pages, ("已新增第 3 条", "第 1 条已保存", "第 2 条已停用"), strict=True):
        assert words in page
    rows = {row.number: (row.text, row.is_active) for row in office.rows(Clause)}
    assert rows == {1: ("遛狗要牵绳。", True), 2: ("夜里轻声。", False), 3: ("不堆楼道。", True)}
    assert "已恢复" in await browser.after(await browser.post(f"/conventions/clauses/{second}/on"))
    assert all(row.is_active for row in office.rows(Clause))
    assert [act for act, _ in office.acts()] == ["clause.add", "clause.change", "clause.off", "clause.on"]


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/conventions/adopt", {"title": "", "clauses": "一条。"}, "请写公约的名称"),
        ("/conventions/adopt", {"title": "公约", "clauses": "\n \n"}, "公约至少要有一条"),
        ("/conventions/clauses", {"text": ""}, "条款没有内容"),
        ("/conventions/clauses", {"text": "长" * 1001}, "一条条款最多 1000 字"),
        ("/conventions/clauses", {"text": "长" * 5200}, "一条条款最多 1000 字，现在有 5200 字"),
        ("/conventions/clauses", {"text": "记得我", "topic": "dragons"}, "没有“dragons”这个事项"),
        ("/conventions/rotation", {"recurrence": ""}, "请写明什么时候发"),
        ("/conventions/rotation", {"recurrence": "有空"}, "没看懂“有空”"),
    ],
)
async def test_bad_form_is_refused_and_keeps_what_was_typed(
    office: Office, now: datetime, path: str, fields: dict[str, str], words: str
) -> None:
    adopt(office, now)
    browser = await office.browser(office.clerk)

    answer = await browser.post(path, fields)

    assert answer.status_code == 409
    assert words in answer.text
    assert [
        typed for typed in fields.values() if typed.strip() and typed != "dragons" and typed not in answer.text
    ] == []
    assert (len(office.rows(Convention)), len(office.rows(Clause)), office.rows(Announcement)) == (1, 2, [])
    assert office.acts() == []


async def test_rotation_is_switched_on_changed_and_off(office: Office, now: datetime) -> None:
    adopt(office, now)
    browser = await office.browser(office.clerk)

    on = await browser.after(await browser.post("/conventions/rotation", recurrence="每周一 9:00"))
    with office.database.writing() as session:
        announcements.post_due(session, now + timedelta(days=3))
    changed = await browser.after(await browser.post("/conventions/rotation", recurrence="逢四"))
    off = await browser.after(await browser.post("/conventions/rotation/off"))

    assert "轮播已开启，下一次：11月23日 09:00" in on
    assert "每月 4、14、24 日（逢四）09:00" in changed
    assert "轮播已关闭" in off
    assert [(row.state, row.is_clause_rotation) for row in office.rows(Announcement)] == [
        (AnnouncementState.CANCELLED, True)
    ]
    assert [row.text for row in office.rows(Outbox)] == ["《居民公约》第 1 条：遛狗牵绳。"]
    assert [act for act, _ in office.acts()] == ["rotation.on", "rotation.on", "rotation.off"]


async def test_rotation_needs_a_clause(office: Office) -> None:
    browser = await office.browser(office.clerk)
    answer = await browser.post("/conventions/rotation", recurrence="逢四")
    assert (answer.status_code, "还没有生效的公约条款" in answer.text) == (409, True)
    assert office.rows(Announcement) == []


async def test_page_costs_the_same_for_two_clauses_and_for_four(office: Office, now: datetime) -> None:
    adopt(office, now)
    browser = await office.browser(office.worker)
    with office.counted() as before:
        await browser.get("/conventions")
    with office.database.writing() as session:
        convention = conventions.current(session, office.here.id)
        assert convention is not None
        for words in ("三。", "四。"):
            conventions.add_clause(session, convention, ClauseWords(words))
    with office.counted() as after:
        page = (await browser.get("/conventions")).text
    assert len(after) == len(before)
    assert [words in page for words in ("遛狗牵绳。", "三。", "四。", "第 4 条")] == [True] * 4
    assert "开启轮播" not in page


async def test_foreign_clauses_look_like_none_and_only_clerks_write(office: Office, now: datetime) -> None:
    foreign, _ = adopt(office, now, there=True)
    own, _ = adopt(office, now)
    clerk, officer = await office.browser(office.clerk), await office.browser(office.officer)
    for step in ("", "/on", "/off"):
        answers = [await clerk.post(f"/conventions/clauses/{key}{step}", text="改") for key in (foreign, 12345)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text
        assert (await officer.post(f"/conventions/clauses/{own}{step}", text="改")).status_code == 403
    for path in ("adopt", "clauses", "rotation", "rotation/off"):
        assert (await officer.post(f"/conventions/{path}", text="改")).status_code == 403
    assert {row.text for row in office.rows(Clause)} == {"遛狗牵绳。", "夜里轻声。"}
