"""Calls that are owed, in the browser: who sees which, the number masked until it is asked for, ticked off once; and a hand-over."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.messages import Allowance
from domain import phone_tasks, retention, windows
from storage.cases import Case, CaseEvent
from storage.chats import ChatWindow
from storage.database import Database
from storage.messages import Outbox, OutboxState
from storage.people import Person
from storage.phone_tasks import PhoneTask
from tests import builders
from tests.web.office import Office, open_office

ALLOWANCE = Allowance(5, timedelta(hours=48), text_bytes=2048, menu_bytes=1024, reserve=2)
MASKED = "139****5678"
NUMBER = "13912345678"
WORDS = "已换新灯，请问您满意吗？"


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


def owe(office: Office, now: datetime, *, phone: str = NUMBER, there: bool = False) -> tuple[int, int]:
    """A case whose reporter could not be told: the keys of the case and of the task."""
    with office.database.writing() as session:
        place = office.there if there else office.here
        resident = builders.person(session, "李桂兰", phone=phone)
        chat = builders.private_chat(session, resident, now)
        windows.note_heard(session, chat.id, ALLOWANCE, at=now, now=now)
        case = builders.case(session, place, now, reporter=resident, chat=chat)
        held = builders.posted(session, chat, WORDS, now=now, case_id=case.id)
        held.state, held.error = OutboxState.HELD, windows.SHUT
        windows.note_closed(session, chat.id, is_served=False, now=now)
        phone_tasks.make(session, [held], now=now)
        session.flush()
        return case.id, session.query(PhoneTask).filter(PhoneTask.case_id == case.id).one().id


async def test_navigation_names_calls_only_where_messages_are_counted(
    office: Office, database: Database, now: datetime, tmp_path: Path
) -> None:
    plain = replace(office, desk=builders.desk(database, now, tmp_path, has_phone_tasks=False))
    shown = [">电话任务<" in (await (await there.browser(there.clerk)).get("/desk")).text for there in (office, plain)]
    assert shown == [True, False]


async def test_list_shows_whom_to_tell_and_what_with_the_number_masked(office: Office, now: datetime) -> None:
    owe(office, now)
    owe(office, now, phone="", there=True)
    pages = {}
    for who in (office.clerk, office.worker, office.supervisor, office.clerk_there):
        browser = await office.browser(who)
        pages[who] = (await browser.get("/desk/phone-tasks")).text
    shown = {who: (WORDS in text, MASKED in text, NUMBER in text) for who, text in pages.items()}
    assert shown == {
        office.clerk: (True, True, False),
        office.worker: (True, True, False),  # has the case in hand
        office.supervisor: (False, False, False),
        office.clerk_there: (True, False, False),
    }
    assert "没有登记电话" in pages[office.clerk_there]


async def test_number_is_shown_once_to_those_entitled_and_written_down(office: Office, now: datetime) -> None:
    _, task = owe(office, now)
    for who, status in ((office.clerk, 200), (office.worker, 200), (office.supervisor, 404), (office.clerk_there, 404)):
        browser = await office.browser(who)
        answer = await browser.post(f"/desk/phone-tasks/{task}/phone")
        assert (answer.status_code, NUMBER in answer.text) == (status, status == 200)
        assert NUMBER not in (await browser.get("/desk/phone-tasks")).text
    assert office.acts() == [("case.phone", office.clerk), ("case.phone", office.worker)]
    _, other = owe(office, now, phone="")
    answer = await (await office.browser(office.clerk)).post(f"/desk/phone-tasks/{other}/phone")
    assert (answer.status_code, "这位居民没有登记电话。" in answer.text) == (409, True)


async def test_task_is_ticked_off_once_with_who_and_how(office: Office, now: datetime) -> None:
    case_id, task = owe(office, now)
    browser = await office.browser(office.worker)
    page = await browser.after(await browser.post(f"/desk/phone-tasks/{task}/done", way="sms", note="她说亮了"))
    assert "已登记，经过里有记录。" in page
    assert ("王建国 · 短信" in page, "她说亮了" in page, WORDS in page) == (True, True, False)
    row = office.row(PhoneTask, task)
    assert (row.done_at, row.done_by_id, row.way, row.note) == (now, office.worker, "sms", "她说亮了")
    assert [(one.state, one.error) for one in office.rows(Outbox) if one.text == WORDS] == [
        ("dropped", "told by a person")
    ]
    told = [event for event in office.rows(CaseEvent) if event.step == "tell"]
    assert [(event.case_id, event.actor_id, event.note, event.data) for event in told] == [
        (case_id, office.worker, "她说亮了", {"way": "sms"})
    ]
    assert "人工告知" in (await browser.get(f"/desk/cases/{case_id}")).text
    again = await browser.post(f"/desk/phone-tasks/{task}/done", way="phone", note="又打了")
    assert (again.status_code, "已经有人办了" in again.text) == (409, True)
    assert office.acts() == [("phone_task.done", office.worker)]


async def test_task_is_gone_when_the_resident_writes_again(office: Office, now: datetime) -> None:
    case_id, task = owe(office, now)
    with office.database.writing() as session:
        chat_id = session.get_one(Case, case_id).chat_id
        assert chat_id is not None
        windows.note_heard(session, chat_id, ALLOWANCE, at=now, now=now)
    browser = await office.browser(office.clerk)
    page = (await browser.get("/desk/phone-tasks")).text
    assert ("没有要打的电话" in page, "居民已来信，自动取消" in page) == (True, True)
    late = await browser.post(f"/desk/phone-tasks/{task}/done", way="phone")
    assert (late.status_code, "居民刚才又来信了" in late.text) == (409, True)
    assert [one.state for one in office.rows(Outbox) if one.text == WORDS] == ["queued"]


async def test_case_page_tells_what_may_still_be_said(office: Office, now: datetime) -> None:
    case_id, _ = owe(office, now)
    browser = await office.browser(office.clerk)
    page = (await browser.get(f"/desk/cases/{case_id}")).text
    assert ("发不出消息了" in page, "微信客服的 5 条已用完" in page) == (True, True)
    with office.database.writing() as session:
        window = session.query(ChatWindow).one()
        window.left = 3
    page = (await browser.get(f"/desk/cases/{case_id}")).text
    assert "还能发 3 条，到 " in page


async def test_resident_is_handed_over_and_back_from_the_case(office: Office, now: datetime) -> None:
    case_id, _ = owe(office, now)
    with office.database.writing() as session:
        session.query(ChatWindow).one().left = 3
    browser = await office.browser(office.clerk)
    address = f"/desk/cases/{case_id}"
    refused = await browser.post(f"{address}/hand-back")
    assert (refused.status_code, "现在不是人工接待" in refused.text) == (409, True)
    page = await browser.after(await browser.post(f"{address}/hand-over"))
    assert ("机器人从现在起不在这个会话里说话" in page, "人工接待中" in page) == (True, True)
    again = await browser.post(f"{address}/hand-over")
    assert (again.status_code, "已经由人工接待" in again.text) == (409, True)
    await browser.after(await browser.post(f"{address}/hand-back"))
    assert [one.action for one in office.rows(Outbox) if one.action.startswith("hand")] == ["hand_over", "hand_back"]
    assert office.acts() == [("case.hand_over", office.clerk), ("case.hand_back", office.clerk)]
    stranger = await office.browser(office.clerk_there)
    assert (await stranger.post(f"{address}/hand-over")).status_code == 404


async def test_resident_of_another_platform_cannot_be_handed_over(office: Office, now: datetime) -> None:
    with office.database.writing() as session:
        resident = builders.person(session, "李桂兰")
        case = builders.case(
            session, office.here, now, reporter=resident, chat=builders.private_chat(session, resident, now)
        )
    browser = await office.browser(office.clerk)
    refused = await browser.post(f"/desk/cases/{case.id}/hand-over")
    assert (refused.status_code, "不能转人工" in refused.text) == (409, True)


async def test_queries_do_not_grow_with_the_tasks(office: Office, now: datetime) -> None:
    owe(office, now)
    browser = await office.browser(office.clerk)
    with office.counted() as one:
        await browser.get("/desk/phone-tasks")
    for _ in range(2):
        owe(office, now)
    with office.counted() as three:
        await browser.get("/desk/phone-tasks")
    assert len(three) == len(one)


def test_erased_person_leaves_no_task(office: Office, now: datetime) -> None:
    case_id, task = owe(office, now)
    with office.database.writing() as session:
        resident = session.query(Person).filter(Person.name == "李桂兰").one()
        retention.forget_person(session, resident, now=now)
    row = office.row(PhoneTask, task)
    assert (row.dropped_at, row.note, office.rows(ChatWindow)) == (now, "", [])
    assert office.row(Case, case_id).chat_id is None
