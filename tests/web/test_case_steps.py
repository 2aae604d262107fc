"""Steps taken at the console: each once done, once refused, and nothing that was written is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from core.messages import Kind
from core.texts import say
from domain import due
from domain.cases import work
from storage.access import AuditEntry
from storage.cases import Case, CaseEvent, KeptAnswer
from storage.database import Database
from storage.messages import File, Outbox
from storage.people import Person, Role
from storage.reminders import Reminder
from tests import builders
from tests.builders import Desk, Place, csrf_of

Files = Sequence[tuple[str, tuple[str, bytes, str]]]


@dataclass
class Town:
    place: Place
    clerk: int
    worker: int
    other_worker: int
    resident: int
    case: int
    question: int


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    return builders.desk(database, now, tmp_path)


@pytest.fixture
def town(desk: Desk, now: datetime) -> Town:
    with desk.database.writing() as session:
        place = builders.community(session)
        clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
        worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
        other = builders.person(session, "赵铁柱", Role.GRID_WORKER, place.other_grid.id)
        resident = builders.person(session, "李桂芳")
        for person in (clerk, worker, other, resident):
            builders.private_chat(session, person, now)
        group = builders.group(session, place, now)
        case = builders.case(session, place, now, reporter=resident, chat=group)
        question = builders.case(
            session, place, now, kind=Kind.QUESTION, topic="elder_allowance", text="高龄补贴怎么办", reporter=resident
        )
        return Town(place, clerk.id, worker.id, other.id, resident.id, case.id, question.id)


class Page:
    """A signed-in browser that fills in the forms of one case."""

    def __init__(self, desk: Desk, browser: httpx.AsyncClient, case_id: int) -> None:
        self._desk, self.browser, self.case_id = desk, browser, case_id
        self.mark = ""

    def case(self) -> Case:
        with self._desk.database.reading() as session:
            return session.get_one(Case, self.case_id)

    def events(self) -> list[CaseEvent]:
        with self._desk.database.reading() as session:
            query = select(CaseEvent).where(CaseEvent.case_id == self.case_id).order_by(CaseEvent.id)
            return list(session.scalars(query))

    def sent(self) -> list[str]:
        with self._desk.database.reading() as session:
            return list(session.scalars(select(Outbox.text).where(Outbox.case_id == self.case_id).order_by(Outbox.id)))

    async def take(self, step: str, version: int | None = None, files: Files = (), **fields: str) -> httpx.Response:
        return await self._post(step, fields, version=version, files=files)

    async def _post(
        self, step: str, fields: dict[str, str], *, version: int | None = None, files: Files = ()
    ) -> httpx.Response:
        self.mark = self.mark or await csrf_of(self.browser)
        data = {"csrf": self.mark, "version": str(version or self.case().version), **fields}
        return await self.browser.post(f"/desk/cases/{self.case_id}/steps/{step}", data=data, files=list(files) or None)

    async def done(self, step: str, **fields: str) -> str:
        """Takes the step, which must succeed; returns the sentence above the next page."""
        answer = await self._post(step, fields)
        assert answer.status_code == 303, answer.text
        shown = await self.browser.get(answer.headers["location"])
        return shown.text.split('role="status">', 1)[1].split("<span>", 1)[1].split("</span>", 1)[0]

    async def refused(self, step: str, **fields: str) -> str:
        """Takes the step, which must be refused with the case's page; returns that page."""
        before = (self.case().version, len(self.events()))
        answer = await self._post(step, fields)
        assert answer.status_code == 409
        assert (self.case().version, len(self.events())) == before
        return answer.text


async def page_for(desk: Desk, person_id: int, case_id: int) -> Page:
    return Page(desk, await desk.sign_in(person_id), case_id)


def jpeg(colour: str = "green") -> bytes:
    sink = BytesIO()
    Image.new("RGB", (40, 30), colour).save(sink, "JPEG")
    return sink.getvalue()


async def test_a_worker_works_a_case_from_assigned_to_finished(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.worker, town.case)
    assert await page.done("accept") == "已接单。"
    assert await page.done("arrive") == "已记录到场。"
    assert await page.done("finish", note="已换灯泡") == "已办结，正在请居民评价。"
    assert page.case().state == "finished"
    assert [event.step for event in page.events()] == ["open", "assign", "accept", "arrive", "finish"]
    assert {event.actor_id for event in page.events()[2:]} == {town.worker}
    assert any("已换灯泡" in text and "满意" in text for text in page.sent())
    assert len(desk.wakes) == 3
    with desk.database.reading() as session:
        acts = [
            (entry.act, entry.subject, entry.community_id)
            for entry in session.scalars(select(AuditEntry).where(AuditEntry.act != "sign_in").order_by(AuditEntry.id))
        ]
    assert acts == [(f"case.{step}", str(town.case), town.place.id) for step in ("accept", "arrive", "finish")]


async def test_a_step_that_the_table_forbids_is_refused_with_a_sentence(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.clerk, town.case)
    assert "不能销单" in await page.refused("close", note="电话里说好了")
    assert "电话里说好了" in await page.refused("close", note="电话里说好了")
    assert (await page.take("nonsense")).status_code == 404


async def test_finishing_needs_words_or_a_photo(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.worker, town.case)
    text = await page.refused("finish", note=" ")
    assert "请附一张处理后的照片，或写一句办理情况" in text
    assert '<details id="step-finish" open>' in text
    answer = await page.take("finish", files=[("photos", ("后.jpg", jpeg(), "image/jpeg"))])
    assert answer.status_code == 303
    with desk.database.reading() as session:
        kept = session.scalars(select(File).where(File.case_id == town.case)).one()
        assert (kept.state, kept.purpose, kept.name, kept.media_type) == ("stored", "proof", "后.jpg", "image/jpeg")
    assert page.events()[-1].data == {"files": [str(kept.id)]}


async def test_a_file_that_is_no_photo_is_refused(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.worker, town.case)
    answer = await page.take("finish", files=[("photos", ("x.jpg", b"MZ\x90 not a photo", "image/jpeg"))], note="已换")
    assert answer.status_code == 409
    assert "已换" in answer.text
    assert page.case().state == "assigned"
    many = [("photos", (f"{number}.jpg", jpeg(), "image/jpeg")) for number in range(7)]
    assert "一次最多上传 6 张照片" in (await page.take("finish", files=many)).text


async def test_photos_of_a_stranger_are_not_kept(desk: Desk, town: Town, tmp_path: Path) -> None:
    page = await page_for(desk, town.other_worker, town.case)
    answer = await page.take("finish", files=[("photos", ("a.jpg", jpeg(), "image/jpeg"))])
    assert answer.status_code == 404
    assert not (tmp_path / "media").exists()


async def test_nothing_is_lost_when_somebody_else_was_faster(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.worker, town.case)
    old = page.case().version
    other = await page_for(desk, town.clerk, town.case)
    await other.done("accept")
    answer = await page.take(
        "finish", version=old, files=[("photos", ("后.jpg", jpeg(), "image/jpeg"))], note="已换灯泡，<很亮>"
    )
    assert answer.status_code == 409
    assert say("cases.changed_meanwhile") in answer.text
    assert "已换灯泡，&lt;很亮&gt;" in answer.text
    assert page.case().state == "accepted"
    kept = answer.text.split('name="kept" value="', 1)[1].split('"', 1)[0]
    assert (await page.take("finish", kept=kept)).status_code == 303
    assert page.events()[-1].data == {"files": [kept]}


async def test_a_photo_of_another_case_is_no_proof(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.worker, town.case)
    with desk.database.writing() as session:
        row = File(
            case_id=town.question, community_id=town.place.id, channel="console", account="", kind="photo",
            external_id="x", state="stored", due_at=desk.clock.now(), attempts=0, purpose="proof",
        )  # fmt: skip
        session.add(row)
        session.flush()
        key = row.id
    assert say("cases.need_proof") in await page.refused("finish", kept=str(key))


async def test_a_note_reaches_the_worker_and_stands_in_the_way_of_nobody(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.clerk, town.case)
    old = page.case().version
    assert say("cases.need_note") in await page.refused("add", note=" ")
    assert await page.done("add", note="居民又打来电话") == "已补充。"
    assert (page.events()[-1].step, page.events()[-1].note) == ("add", "居民又打来电话")
    worker = await page_for(desk, town.worker, town.case)
    assert (await worker.take("accept", version=old)).status_code == 303


async def test_a_case_is_handed_over_and_returned(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.clerk, town.case)
    assert await page.done("assign", person=str(town.other_worker)) == "已派单，正在通知本人。"
    assert (page.case().assignee_id, page.case().assignee_role) == (town.other_worker, "grid_worker")
    assert say("cases.already_theirs") in await page.refused("assign", person=str(town.other_worker))
    assert say("cases.nobody_to_give") in await page.refused("assign", person=str(town.resident))
    assert say("cases.nobody_to_give") in await page.refused("assign", person="")
    holder = await page_for(desk, town.other_worker, town.case)
    assert say("cases.need_reason") in await holder.refused("return", note="不")
    answer = await holder.take("return", note="不在我的网格")
    assert answer.headers["location"] == f"/desk/cases/{town.case}"
    assert (page.case().returns, page.case().assignee_id) == (1, town.worker)
    assert (await holder.browser.get(f"/desk/cases/{town.case}")).status_code == 404  # no longer theirs


async def test_what_the_desk_returns_goes_to_somebody_else_or_to_nobody(desk: Desk, town: Town) -> None:
    with desk.database.writing() as session:
        head = builders.person(session, "孙立", Role.MICRO_GRID_HEAD, town.place.grid.id).id
    page = await page_for(desk, town.clerk, town.case)
    assert await page.done("return", note="他休假了") == "已退单，转给了孙微网格长。"
    assert page.case().assignee_id == head
    assert await page.done("return", note="也休假了") == "已退单，转给了周社工。"
    assert page.case().assignee_id == town.clerk
    told = "已退单，没有别人可派，已经告诉社区；请在“派单”里另选一人。"
    assert await page.done("return", note="我也办不了") == told
    assert (page.case().assignee_id, page.case().state, page.case().returns) == (None, "open", 3)


async def test_the_worker_in_charge_takes_over_and_the_desk_accepts_for_the_holder(desk: Desk, town: Town) -> None:
    clerk = await page_for(desk, town.clerk, town.case)
    assert await clerk.done("accept") == "已替王网格员接单；要自己办的，请转派给自己。"
    assert (clerk.case().state, clerk.case().assignee_id) == ("accepted", town.worker)
    await clerk.done("assign", person=str(town.other_worker))
    worker = await page_for(desk, town.worker, town.case)
    await worker.done("accept")
    assert (worker.case().state, worker.case().assignee_id) == ("accepted", town.worker)


async def test_a_question_is_answered_and_the_answer_kept(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.clerk, town.question)
    await page.refused("finish", note="")
    await page.done("finish", note="请带身份证到服务站办理")
    assert page.case().state == "finished"
    assert any("请带身份证到服务站办理" in text for text in page.sent())
    with desk.database.reading() as session:
        kept = session.scalars(select(KeptAnswer)).one()
        assert (kept.question, kept.answer, kept.by_id) == ("高龄补贴怎么办", "请带身份证到服务站办理", town.clerk)


async def test_the_desk_closes_by_telephone_and_reopens(desk: Desk, town: Town) -> None:
    worker, clerk = await page_for(desk, town.worker, town.case), await page_for(desk, town.clerk, town.case)
    await worker.done("finish", note="已换灯泡")
    refused = await worker.take("close", note="我自己销了", result="satisfied")
    assert refused.status_code == 409
    assert say("web.not_at_desk") in refused.text
    assert say("cases.need_reason") in await clerk.refused("close", note="")
    await clerk.done("close", note="电话回访，居民满意", result="satisfied")
    closed = clerk.case()
    assert (closed.state, closed.rating, closed.closed_at) == ("closed", work.SATISFIED, desk.clock.now())
    assert (clerk.events()[-1].step, clerk.events()[-1].data) == ("satisfied", {"by": "staff"})
    assert say("cases.need_reason") in await clerk.refused("reopen", note="")
    await clerk.done("reopen", note="又坏了")
    reopened = clerk.case()
    assert (reopened.state, reopened.reopenings, reopened.closed_at) == ("assigned", 1, None)


async def test_closing_without_an_answer_gives_no_rating(desk: Desk, town: Town) -> None:
    clerk = await page_for(desk, town.clerk, town.case)
    await clerk.done("finish", note="已换灯泡")
    await clerk.done("close", note="三次未接通", result="other")
    assert (clerk.case().state, clerk.case().rating, clerk.events()[-1].step) == ("closed", None, "close")


async def test_the_desk_withdraws_with_a_reason_that_the_reporter_learns(desk: Desk, town: Town) -> None:
    worker, clerk = await page_for(desk, town.worker, town.case), await page_for(desk, town.clerk, town.case)
    assert (await worker.take("withdraw", note="不想办")).status_code == 409
    await clerk.done("withdraw", note="与前一件重复")
    assert (clerk.case().state, clerk.events()[-1].note) == ("withdrawn", "与前一件重复")
    told = say("cases.withdrawn_by_desk", number=clerk.case().number, reason="与前一件重复")
    assert told in clerk.sent()


async def test_the_desk_takes_up_again_what_was_withdrawn(desk: Desk, town: Town) -> None:
    worker, clerk = await page_for(desk, town.worker, town.case), await page_for(desk, town.clerk, town.case)
    await clerk.done("withdraw", note="点错了行")
    pages = [(await each.browser.get(f"/desk/cases/{town.case}")).text for each in (worker, clerk)]
    assert ["恢复办理" in text for text in pages] == [False, True]
    assert (await worker.take("reopen", note="我来恢复")).status_code == 409
    assert await clerk.done("reopen", note="撤错了，接着办") == "已重新打开。"
    again = clerk.case()
    assert (again.state, again.closed_at, again.assignee_id) == ("assigned", None, town.worker)
    assert [event.step for event in clerk.events()][-3:] == ["withdraw", "reopen", "assign"]
    assert say("cases.restored_by_desk", number=again.number, reason="撤错了，接着办") in clerk.sent()
    assert any("原来已撤销，社区恢复办理" in text for text in clerk.sent())


def as_form(case: Case, **changes: str) -> dict[str, str]:
    """The correction form as the page fills it, with changes."""
    return {
        "kind": case.kind,
        "topic": case.topic or "",
        "urgency": case.urgency,
        "place": case.place,
        "area": str(case.area_id),
        **changes,
    }


async def test_a_correction_is_kept_with_what_was_before(desk: Desk, town: Town, now: datetime) -> None:
    page = await page_for(desk, town.clerk, town.case)
    assert say("cases.nothing_changed") in await page.refused("correct", **as_form(page.case()))
    changes = {"topic": "lift", "area": str(town.place.other_building.id), "place": "8号楼电梯", "reroute": "1"}
    before = page.case()
    assert await page.done("correct", **as_form(before, **changes), note="看了照片，是电梯") == "已更正。"
    after = page.case()
    assert (after.topic, after.area_id, after.place) == ("lift", town.place.other_building.id, "8号楼电梯")
    assert (after.assignee_id, after.deadline_at) == (town.other_worker, now + timedelta(hours=4))
    event = next(event for event in page.events() if event.step == "correct")
    assert (event.actor_id, event.note, event.data) == (
        town.clerk,
        "看了照片，是电梯",
        {
            "before": {"topic": "street_light", "place": "3号楼门口", "area_id": str(town.place.building.id)},
            "after": {"topic": "lift", "place": "8号楼电梯", "area_id": str(town.place.other_building.id)},
        },
    )
    shown = (await page.browser.get(f"/desk/cases/{town.case}")).text
    assert "事项：路灯 → 电梯" in shown
    assert "所属区域：3号楼 → 8号楼" in shown


async def test_a_deadline_is_moved_with_its_reminders(desk: Desk, town: Town, now: datetime) -> None:
    page = await page_for(desk, town.clerk, town.case)
    late = as_form(page.case(), deadline="2026-11-21T09:00")
    assert say("cases.deadline_past") in await page.refused("correct", **late)
    for typed, told in (
        ("9999-12-31T23:59", say("calendars.too_far", year=9999)),
        ("2026年底", "没有“2026年底”这个日期和时间"),
        ("2026-02-30T18:00", "没有“2026-02-30 18:00”这个日期和时间"),
    ):
        refused = await page.refused("correct", **as_form(page.case(), deadline=typed))
        assert told in refused
        assert f'value="{typed}"' in refused
    await page.done("correct", **as_form(page.case(), deadline="2026-11-25T18:00"))
    deadline = datetime.fromisoformat("2026-11-25T18:00+08:00")
    assert page.case().deadline_at == deadline
    with desk.database.reading() as session:
        query = select(Reminder.due_at).where(Reminder.subject_id == town.case, Reminder.done_at.is_(None))
        due = set(session.scalars(query.where(Reminder.kind.in_(["case.deadline_near", "case.deadline_over"]))))
    assert due - {deadline} == {deadline - timedelta(hours=4)}


async def test_a_case_that_turns_out_private_leaves_the_group(desk: Desk, town: Town, now: datetime) -> None:
    with desk.database.writing() as session:
        case = session.get_one(Case, town.case)
        receipt = Outbox(
            chat_id=case.chat_id, community_id=town.place.id, text="路灯 · 3号楼门口", due_at=now, created_at=now,
            case_id=case.id, state="queued",
        )  # fmt: skip
        session.add(receipt)
        session.flush()
        case.receipt_id = receipt.id
        key = receipt.id
    page = await page_for(desk, town.clerk, town.case)
    await page.done("correct", **as_form(page.case(), kind="dispute", topic="neighbours"))
    assert page.case().is_private
    with desk.database.reading() as session:
        assert "3号楼" not in session.get_one(Outbox, key).text
    assert page.case().assignee_id == town.worker  # not dispatched anew: that was not asked for
    await page.done("correct", **as_form(page.case(), place="3号楼501", reroute="1"))
    assert page.case().assignee_id == town.clerk
    worker = await page_for(desk, town.worker, town.case)
    assert (await worker.browser.get(f"/desk/cases/{town.case}")).status_code == 404


@pytest.mark.parametrize(
    ("name", "phone", "finished", "withdrawn", "hint"),
    [
        (
            "",
            "",
            "已办结。没有留下可以告知的报告人，不会有评价。",
            "已撤销。没有留下可以告知的报告人。",
            "没有留下可以告知的报告人",
        ),
        (
            "陈老师",
            "139 1234 5678",
            "已办结。机器人不能私聊报告人，请打电话告知；评价由社区用“回访销单”登记。",
            "已撤销。机器人不能私聊报告人，请打电话告知。",
            "机器人不能私聊报告人，请打电话告知",
        ),
    ],
)
async def test_nobody_is_said_to_be_told_who_cannot_be(
    desk: Desk, town: Town, name: str, phone: str, finished: str, withdrawn: str, hint: str
) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        keys = []
        for text in ("电梯停在五楼", "电梯按钮不亮了，按不动"):
            answer = await enter(browser, text=text, name=name, phone=phone, same="another")
            keys.append(int(answer.headers["location"].rsplit("/", 1)[1]))
        shown = (await browser.get(f"/desk/cases/{keys[0]}")).text
    assert (hint in shown, "会告诉报告人" in shown, "请其评价" in shown) == (True, False, False)
    done, gone = [await page_for(desk, town.clerk, key) for key in keys]
    assert await done.done("finish", note="已修好") == finished
    assert await gone.done("withdraw", note="与前一件重复") == withdrawn
    with desk.database.writing() as session:
        due.run_due(session, now=desk.clock.now() + work.CLOSE_UNRATED)
    assert (done.case().state, done.events()[-1].data) == ("closed", {"why": "unasked"})


async def test_who_cannot_be_written_to_is_not_said_to_be_told(desk: Desk, town: Town) -> None:
    with desk.database.writing() as session:
        head = builders.person(session, "孙立", Role.MICRO_GRID_HEAD, town.place.grid.id).id
    page = await page_for(desk, town.clerk, town.case)
    told = "已派给孙微网格长，但机器人不能私聊此人，请打电话通知。"
    assert await page.done("assign", person=str(head)) == told


async def test_an_area_of_another_community_is_refused(desk: Desk, town: Town) -> None:
    with desk.database.writing() as session:
        elsewhere = builders.community(session, "幸福社区")
    page = await page_for(desk, town.clerk, town.case)
    text = await page.refused("correct", **as_form(page.case(), area=str(elsewhere.building.id), note="填了很久"))
    assert say("cases.place_not_ours") in text
    assert "填了很久" in text


async def test_a_card_is_moved_on_the_board(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.clerk, town.case)
    page.mark = await csrf_of(page.browser)

    async def move(to: str, version: int | None = None) -> httpx.Response:
        data = {"csrf": page.mark, "to": to, "version": str(version or page.case().version), "from": page.case().state}
        return await page.browser.post(f"/desk/cases/{town.case}/move", data=data)

    assert (await move("accepted")).headers["location"] == "/desk/board"
    assert page.case().state == "accepted"
    wordy = {to: (await move(to)).headers["location"] for to in ("finished", "open", "assigned", "closed")}
    assert wordy == {
        to: f"/desk/cases/{town.case}?step={step}#step-{step}"
        for to, step in (("finished", "finish"), ("open", "return"), ("assigned", "assign"), ("closed", "close"))
    }
    assert '<details id="step-finish" open>' in (await page.browser.get(wordy["finished"])).text
    assert (await move("accepted", version=1)).headers["location"] == "/desk/board"
    assert "没有移动：" in (await page.browser.get("/desk/board")).text
    assert page.case().state == "accepted"


async def test_tasks_are_worked_from_the_list(desk: Desk, town: Town) -> None:
    page = await page_for(desk, town.worker, town.case)
    answer = await page.take("accept", back="mine")
    assert answer.headers["location"] == "/desk/mine"
    assert (await page.take("arrive", back="https://evil.example")).headers["location"] == f"/desk/cases/{town.case}"


NEW = {
    "source": "telephone",
    "kind": "report",
    "topic": "lift",
    "urgency": "urgent",
    "place": "8号楼1单元",
    "text": "电梯停在五楼",
    "name": "陈老师",
    "phone": "139 1234 5678",
}


async def enter(browser: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await browser.post("/desk/new", data={"csrf": await csrf_of(browser), **NEW, **fields})


async def test_a_call_becomes_a_case_like_any_other(desk: Desk, town: Town, now: datetime) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        assert "来访" in (await browser.get("/desk/new")).text
        answer = await enter(browser, area=str(town.place.other_building.id))
        assert answer.status_code == 303
        shown = (await browser.get(answer.headers["location"])).text
        again = await enter(browser, area=str(town.place.id), source="walk_in", name="", same="another")
    with desk.database.reading() as session:
        first, second = [
            session.get_one(Case, int(one.headers["location"].rsplit("/", 1)[1])) for one in (answer, again)
        ]
        assert (first.kind, first.topic, first.urgency, first.text, first.place, first.source, first.state) == (
            "report",
            "lift",
            "urgent",
            "电梯停在五楼",
            "8号楼1单元",
            "telephone",
            "assigned",
        )
        assert (first.assignee_id, first.deadline_at) == (town.other_worker, now + timedelta(hours=2))
        assert first.reporter_id == second.reporter_id  # known by the number
        assert session.get_one(Person, first.reporter_id).name == "陈老师"
        event = session.scalars(select(CaseEvent).where(CaseEvent.case_id == first.id, CaseEvent.step == "open")).one()
        assert event.actor_id == town.clerk
        assert "case.open" in set(session.scalars(select(AuditEntry.act)))
    assert "陈老师" in shown
    assert "139****5678" in shown
    assert f"{first.number} 已登记，由赵网格员负责。" in shown


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text": " "}, "cases.need_text"),
        ({"phone": "12345"}, "people.phone_wrong"),
        ({"area": "1"}, "cases.place_not_ours"),
    ],
)
async def test_a_call_entered_wrongly_comes_back_filled(
    desk: Desk, town: Town, fields: dict[str, str], sentence: str
) -> None:
    async with await desk.sign_in(town.clerk) as browser:
        answer = await enter(browser, **fields)
    assert answer.status_code == 409
    assert say(sentence) in answer.text
    assert 'value="8号楼1单元"' in answer.text
    with desk.database.reading() as session:
        assert set(session.scalars(select(Case.id))) == {town.case, town.question}
        assert "陈老师" not in set(session.scalars(select(Person.name)))


async def test_a_supervisor_enters_no_cases(desk: Desk, town: Town) -> None:
    with desk.database.writing() as session:
        key = builders.person(session, "吴监", Role.SUPERVISOR, town.place.id).id
    async with await desk.sign_in(key) as browser:
        assert (await browser.get("/desk/new")).status_code == 403
        assert (await enter(browser, area=str(town.place.id))).status_code == 403
