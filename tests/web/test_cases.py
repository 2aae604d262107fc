"""The desk of cases in the browser: what is listed for whom, one case's page, and what only looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from sqlalchemy import event, select

from core.media import CleanMedia, StoredMedia, save
from core.messages import AttachmentKind, Kind, Urgency
from domain import files
from domain.cases import work
from storage.access import AuditEntry
from storage.base import Session
from storage.cases import Case
from storage.chats import ChatPurpose
from storage.database import Database
from storage.people import Person, Role
from tests import builders
from tests.builders import Desk, Place, csrf_of

PHONE = "13812345678"


@dataclass
class Town:
    """A community with its people, as keys; `private` is a complaint, `far` lies in the other grid."""

    place: Place
    clerk: int
    worker: int
    far_worker: int
    mediator: int
    supervisor: int
    case: int
    private: int
    far: int


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    return builders.desk(database, now, tmp_path)


@pytest.fixture
def town(desk: Desk, now: datetime) -> Town:
    with desk.database.writing() as session:
        place = builders.community(session)
        people = {
            "clerk": builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id),
            "worker": builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id),
            "far_worker": builders.person(session, "赵铁柱", Role.GRID_WORKER, place.other_grid.id),
            "mediator": builders.person(session, "孙和", Role.MEDIATOR, place.id),
            "supervisor": builders.person(session, "吴监", Role.SUPERVISOR, place.id),
        }
        for person in people.values():
            builders.private_chat(session, person, now)
        resident = builders.person(session, "李桂芳", phone=PHONE)
        builders.private_chat(session, resident, now)
        group = builders.group(session, place, now)
        case = builders.case(session, place, now, reporter=resident, chat=group)
        private = builders.case(
            session, place, now, kind=Kind.COMPLAINT, topic="noise", text="楼上半夜装修", reporter=resident, chat=group
        )
        far = builders.case(session, place, now, text="8号楼电梯坏了", topic="lift", area_id=place.other_building.id)
        return Town(
            place, **{name: one.id for name, one in people.items()}, case=case.id, private=private.id, far=far.id
        )


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that the database is sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


def numbers(text: str, session_numbers: dict[str, int]) -> set[str]:
    return {name for name, key in session_numbers.items() if f'/desk/cases/{key}"' in text}


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("clerk", {"case", "private", "far"}),
        ("worker", {"case"}),
        ("far_worker", {"far"}),
        ("mediator", {"case", "private", "far"}),
        ("supervisor", set()),
    ],
)
async def test_everybody_sees_what_is_theirs_and_nothing_else(desk: Desk, town: Town, who: str, seen: set[str]) -> None:
    keys = {"case": town.case, "private": town.private, "far": town.far}
    async with await desk.sign_in(getattr(town, who)) as browser:
        for path in ("/desk", "/desk/board"):
            shown = await browser.get(path)
            assert (shown.status_code, numbers(shown.text, keys)) == (200, seen)
        opened = {name for name, key in keys.items() if (await browser.get(f"/desk/cases/{key}")).status_code == 200}
        assert opened == seen


async def test_a_wrong_key_and_a_forbidden_one_answer_alike(desk: Desk, town: Town) -> None:
    async with await desk.sign_in(town.far_worker) as browser:
        mark = await csrf_of(browser)
        forbidden, wrong = [
            [
                (answer.status_code, answer.text)
                for answer in (
                    await browser.get(f"/desk/cases/{key}"),
                    await browser.post(f"/desk/cases/{key}/steps/accept", data={"csrf": mark}),
                    await browser.post(f"/desk/cases/{key}/move", data={"csrf": mark, "to": "accepted"}),
                    await browser.post(f"/desk/cases/{key}/phone", data={"csrf": mark}),
                )
            ]
            for key in (town.case, 1 << 40)
        ]
    assert forbidden == wrong
    assert {status for status, _ in forbidden} == {404}


async def test_the_list_is_filtered(desk: Desk, town: Town, now: datetime) -> None:
    keys = {"case": town.case, "private": town.private, "far": town.far}
    with desk.database.writing() as session:
        number = session.get_one(Case, town.case).number
        session.get_one(Case, town.far).deadline_at = now - timedelta(hours=1)
    filters = {
        f"q={number}": {"case"},
        "q=电梯": {"far"},
        "q=100%25": set(),
        "kind=complaint": {"private"},
        "topic=street_light": {"case"},
        "topic=房屋与设备": {"far"},
        f"area={town.place.grid.id}": {"case", "private"},
        f"worker={town.worker}": {"case"},
        "overdue=1": {"far"},
        "state=closed": set(),
        "state=nonsense&area=x&worker=-1&page=99&kind=chatter": {"case", "private", "far"},
    }
    async with await desk.sign_in(town.clerk) as browser:
        found = {query: numbers((await browser.get(f"/desk?{query}")).text, keys) for query in filters}
    assert found == filters


async def test_lists_take_the_same_number_of_statements_for_one_case_and_for_three(
    desk: Desk, town: Town, now: datetime
) -> None:
    async with await desk.sign_in(town.clerk) as browser:

        async def count(path: str) -> int:
            with statements(desk.database) as sent:
                assert (await browser.get(path)).status_code == 200
            return len(sent)

        paths = ("/desk", "/desk/board", "/desk/wishes", f"/desk/cases/{town.case}")
        before = [await count(path) for path in paths]
        with desk.database.writing() as session:
            case = session.get_one(Case, town.case)
            for _ in range(3):
                builders.case(session, town.place, now)
                builders.case(session, town.place, now, kind=Kind.WISH, text="想学用手机")
                work.return_case(session, case, session.get_one(Person, town.worker), "不在我的网格", now=now)
                work.assign(session, case, town.worker, Role.GRID_WORKER, now=now, actor_id=town.clerk)
                session.flush()
        assert [await count(path) for path in paths] == before
        assert max(before) < 25


async def test_pages_turn(desk: Desk, town: Town, now: datetime) -> None:
    with desk.database.writing() as session:
        for _ in range(25):
            builders.case(session, town.place, now)
    async with await desk.sign_in(town.clerk) as browser:
        first, second = [(await browser.get(f"/desk?page={page}&topic=street_light")).text for page in (1, 2)]
    assert "第 1 / 2 页，共 26 条" in first
    assert first.count("<tr>") - 1 == 20
    assert second.count("<tr>") - 1 == 6
    assert "topic=street_light&amp;page=1" in second or "page=1&amp;topic=street_light" in second


async def test_words_of_residents_are_shown_as_words(desk: Desk, town: Town, now: datetime) -> None:
    trick = "<script>alert(1)</script>\"'><img src=x>"
    with desk.database.writing() as session:
        group = builders.group(session, town.place, now, title=trick)
        reporter = builders.person(session, trick)
        case = builders.case(session, town.place, now, text=trick, where=trick[:60], reporter=reporter, chat=group)
        work.return_case(session, case, session.get_one(Person, town.worker), trick, now=now)
        key = case.id
    async with await desk.sign_in(town.clerk) as browser:
        for path in ("/desk", f"/desk?q={trick}", "/desk/board", "/desk/mine", f"/desk/cases/{key}"):
            text = (await browser.get(path)).text
            assert "<script>alert" not in text
            assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)" in text


async def test_a_number_in_a_text_is_masked_in_lists(desk: Desk, town: Town, now: datetime) -> None:
    with desk.database.writing() as session:
        key = builders.case(session, town.place, now, text=f"路灯坏了，打我电话 {PHONE}").id
    async with await desk.sign_in(town.worker) as browser:
        for path in ("/desk", "/desk/board", "/desk/mine"):
            text = (await browser.get(path)).text
            assert "路灯坏了" in text
            assert PHONE not in text
        assert PHONE in (await browser.get(f"/desk/cases/{key}")).text


async def test_the_reporters_number_is_masked_until_asked_for_and_the_look_is_written_down(
    desk: Desk, town: Town
) -> None:
    address = f"/desk/cases/{town.case}"
    async with await desk.sign_in(town.clerk) as browser:
        shown = (await browser.get(address)).text
        assert "138****5678" in shown
        assert "查看完整号码" in shown
        assert PHONE not in shown
        asked = await browser.post(f"{address}/phone", data={"csrf": await csrf_of(browser)})
        assert PHONE in asked.text
        assert asked.headers["cache-control"] == "no-store"
    with desk.database.reading() as session:
        looks = [
            (entry.person_id, entry.subject, entry.detail)
            for entry in session.scalars(select(AuditEntry).where(AuditEntry.act == "case.phone"))
        ]
    assert looks == [(town.clerk, str(town.case), {})]


async def test_a_number_is_not_for_field_staff_who_do_not_have_the_case(desk: Desk, town: Town) -> None:
    with desk.database.writing() as session:
        session.get_one(Case, town.case).assignee_id = town.clerk
    async with await desk.sign_in(town.worker) as browser:
        page = (await browser.get(f"/desk/cases/{town.case}")).text
        assert ("138****5678" in page, "查看完整号码" in page) == (True, False)
        shown = await browser.post(f"/desk/cases/{town.case}/phone", data={"csrf": await csrf_of(browser)})
    assert shown.status_code == 409
    assert "只有经办人和社区工作人员可以查看电话" in shown.text
    assert PHONE not in shown.text
    with desk.database.reading() as session:
        assert "case.phone" not in set(session.scalars(select(AuditEntry.act)))


async def test_one_case_tells_its_story(desk: Desk, town: Town, now: datetime) -> None:
    with desk.database.writing() as session:
        builders.group(session, town.place, now, title="工作群", purpose=ChatPurpose.STAFF)
        case, worker = session.get_one(Case, town.case), session.get_one(Person, town.worker)
        work.accept(session, case, worker, now=now)
        work.finish(session, case, worker, note="已换灯泡", now=now + timedelta(hours=1))
        work.rate(session, case, case.reporter_id or 0, satisfied=False, now=now + timedelta(hours=2), note="还是不亮")
    async with await desk.sign_in(town.clerk) as browser:
        text = (await browser.get(f"/desk/cases/{town.case}")).text
    for words in (
        "李桂芳（报告人）",
        "<strong>登记</strong>",
        "派给 王建国（网格员）",
        "<strong>办结</strong>",
        "已换灯泡",
        "<strong>评价不满意</strong>",
        "还是不亮",
        "发送 → 3号楼居民群",
        "等待发送",
    ):
        assert words in text


async def test_wishes_are_for_the_desk(desk: Desk, town: Town, now: datetime) -> None:
    with desk.database.writing() as session:
        key = builders.case(session, town.place, now, kind=Kind.WISH, text="想要一副老花镜").id
    async with await desk.sign_in(town.clerk) as clerk, await desk.sign_in(town.worker) as worker:
        shown = (await clerk.get("/desk/wishes")).text
        assert (await worker.get("/desk/wishes")).status_code == 403
        assert 'href="/desk/wishes"' not in (await worker.get("/desk")).text
    assert f"/desk/cases/{key}" in shown
    assert f"/desk/cases/{town.case}" not in shown


async def test_my_tasks_are_mine_by_deadline_with_what_waits_in_my_area(desk: Desk, town: Town, now: datetime) -> None:
    with desk.database.writing() as session:
        urgent = builders.case(session, town.place, now, urgency=Urgency.EMERGENCY, text="燃气味")
        waiting = builders.case(session, town.place, now, text="没有人接的事")
        work.return_case(session, waiting, session.get_one(Person, town.worker), "不在我的网格", now=now)
        waiting.state, waiting.assignee_id = "open", None
        keys = (urgent.id, town.case, waiting.id)
    async with await desk.sign_in(town.worker) as browser:
        text = (await browser.get("/desk/mine")).text
        assert (await browser.get("/")).headers["location"] == "/desk/mine"
    places = [text.index(f'"/desk/cases/{key}"') for key in keys]
    assert places == sorted(places)
    assert str(town.far) not in text


def photo(session: Session, desk: Desk, folder: Path, case_id: int | None, community_id: int, now: datetime) -> int:
    sink = BytesIO()
    Image.new("RGB", (900, 600), "green").save(sink, "JPEG")
    media = CleanMedia(sink.getvalue(), AttachmentKind.PHOTO, "image/jpeg")
    stored = StoredMedia(save(folder / "media", media), media.kind, media.media_type, len(media.data))
    row = files.store_upload(session, stored, name="前.jpg", community_id=community_id, case_id=case_id, now=now)
    session.flush()
    return row.id


async def test_photos_are_for_those_who_may_see_the_case(desk: Desk, town: Town, now: datetime, tmp_path: Path) -> None:
    with desk.database.writing() as session:
        of_case = photo(session, desk, tmp_path, town.case, town.place.id, now)
        of_none = photo(session, desk, tmp_path, None, town.place.id, now)

    async def statuses(browser: httpx.AsyncClient) -> list[int]:
        return [(await browser.get(f"/files/{key}")).status_code for key in (of_case, of_none, 1 << 40)]

    async with await desk.sign_in(town.clerk) as clerk:
        assert await statuses(clerk) == [200, 200, 404]
        whole = await clerk.get(f"/files/{of_case}")
        small = await clerk.get(f"/files/{of_case}?size=small")
        assert whole.headers["content-type"] == small.headers["content-type"] == "image/jpeg"
        assert len(small.content) < len(whole.content)
        assert whole.headers["content-disposition"] == "inline; filename*=UTF-8''%E5%89%8D.jpg"
        assert "sandbox" in whole.headers["content-security-policy"]
        assert whole.headers["cache-control"].startswith("private")
        assert f"/files/{of_case}?size=small" in (await clerk.get(f"/desk/cases/{town.case}")).text
        for path in (tmp_path / "media").rglob("*"):
            if path.is_file():
                path.unlink()
        assert (await clerk.get(f"/files/{of_case}")).status_code == 404
    async with await desk.sign_in(town.worker) as worker, await desk.sign_in(town.far_worker) as far:
        assert await statuses(far) == [404, 404, 404]
        assert (await worker.get(f"/files/{of_none}")).status_code == 404
