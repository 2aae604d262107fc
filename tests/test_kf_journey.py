"""A resident on 微信客服, wire to wire: five messages last, what does not go through becomes a call, and people of staff take turns
with the bot."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from domain import phone_tasks
from storage.cases import Case, CaseMessage
from storage.chats import ChatWindow
from tests.emulators.wecom import OPEN_KFID
from tests.stage import PRIVATE, Stage, photo, raise_stage
from tests.wires import WeComWire

WANG, WORKER, CLERK = "王阿姨", "张伟", "陈静"


@pytest.fixture
async def stage(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    made = await raise_stage("wecom", tmp_path / "stage", sqlite_template)
    await made.start(WANG, f"area_{made.place.grid.id}")
    yield made
    await made.close()


def wire_of(stage: Stage) -> WeComWire:
    assert isinstance(stage.wire, WeComWire)
    return stage.wire


def left(stage: Stage) -> int | None:
    return wire_of(stage).kf.remaining(f"{OPEN_KFID}:{stage.people[WANG]}")


def tasks(stage: Stage, name: str = CLERK) -> list[phone_tasks.TaskLine]:
    with stage.app.database.reading() as session:
        person = stage.person(session, name)
        return phone_tasks.open_tasks(session, person.id, stage.place.id, now=stage.clock.now())


async def report(stage: Stage) -> str:
    """A report whose receipt has settled; its number."""
    await stage.say(WANG, PRIVATE, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=70)
    return stage.numbers()[-1]


async def test_five_messages_last_to_the_question_with_its_photo(stage: Stage) -> None:
    number = await report(stage)
    for step in ("接单", "到场", "办结"):
        await stage.press(WORKER, PRIVATE, step)
    await stage.say(WORKER, PRIVATE, photo=photo())
    await stage.pass_time(seconds=3)  # the question waits for its photo
    welcome, *said = stage.posts(WANG)
    assert welcome.text.startswith("您好")
    assert [post.text.split("\n")[-1] for post in said] == [
        "由张网格员负责，11月21日 18:00 前处理。",
        "张网格员已接单，11月21日 18:00 前处理。",
        "张网格员已到现场。",
        "",
        "请问您满意吗？",
    ]
    *_, shown, question = said
    assert len(shown.files) == 1
    # That it is done is told by the question whether it is well: no second message says so.
    assert question.text == f"{number} 井盖 · 3号楼，张网格员说已经处理好了：（附照片）\n请问您满意吗？"
    assert question.buttons == ("满意", "不满意")
    assert (left(stage), [state for state, _ in stage.unsettled()]) == (0, ["dropped"])  # overtaken by the question
    await stage.press(WANG, PRIVATE, "满意")
    assert stage.last(WANG).text.endswith(f"谢谢您！{number} 已销单。")
    assert (stage.case(number).state, left(stage)) == ("closed", 4)


async def test_progress_waits_for_what_must_be_said_while_little_is_left(stage: Stage) -> None:
    number = await report(stage)
    wire_of(stage).kf._mouth._windows[f"{OPEN_KFID}:{stage.people[WANG]}"].sent = 3
    with stage.app.database.writing() as session:
        session.query(ChatWindow).one().left = 2
    before = len(stage.posts(WANG))
    await stage.press(WORKER, PRIVATE, "接单")
    await stage.press(WORKER, PRIVATE, "到场")
    assert len(stage.posts(WANG)) == before
    assert [state for state, _ in stage.unsettled()] == ["dropped", "queued"]  # the first has been overtaken
    await stage.pass_time(hours=1)
    await stage.press(WORKER, PRIVATE, "办结")
    await stage.say(WORKER, PRIVATE, "已换新井盖")
    (said,) = stage.posts(WANG)[before:]
    assert said.text == f"{number} 井盖 · 3号楼，张网格员说已经处理好了：已换新井盖\n请问您满意吗？"
    assert left(stage) == 1


async def test_saved_progress_is_told_before_the_window_shuts(stage: Stage) -> None:
    await report(stage)
    with stage.app.database.writing() as session:
        session.query(ChatWindow).one().left = 1
    before = len(stage.posts(WANG))
    await stage.press(WORKER, PRIVATE, "接单")
    await stage.pass_time(hours=46)
    assert len(stage.posts(WANG)) == before
    await stage.pass_time(hours=2)
    assert [post.text.split("\n")[-1][:8] for post in stage.posts(WANG)[before:]] == ["张网格员已接单，"]


async def test_shut_window_becomes_a_call_that_is_ticked_off(stage: Stage) -> None:
    number = await report(stage)
    await stage.pass_time(hours=49)
    before = len(stage.posts(WANG))
    await stage.press(WORKER, PRIVATE, "接单")
    await stage.press(WORKER, PRIVATE, "办结")
    await stage.say(WORKER, PRIVATE, "已换新井盖")
    assert len(stage.posts(WANG)) == before
    told = [text for text in stage.texts(CLERK) if "微信客服已发不出消息" in text]
    assert [text.split("：")[0] for text in told] == [number]
    (task,) = tasks(stage)
    assert (task.number, task.to, task.phone) == (number, WANG, "")
    assert task.words == (f"{number} 井盖 · 3号楼，张网格员说已经处理好了：已换新井盖\n请问您满意吗？",)
    assert tasks(stage, WORKER) == [task]
    assert tasks(stage, "周强") == []
    await stage.pass_time(hours=25)  # the nudge to rate is held too, and nobody is told a second time
    assert len([text for text in stage.texts(CLERK) if "微信客服已发不出消息" in text]) == 1
    with stage.app.database.writing() as session:
        clerk = stage.person(session, CLERK)
        phone_tasks.tick_off(session, clerk.id, task.id, way="phone", note="居民说很好", now=stage.clock.now())
    assert tasks(stage) == []
    assert stage.steps(number)[-3:] == ["finish", "unreached", "tell"]
    await stage.say(WANG, PRIVATE, "帮助")
    said = [post.text for post in stage.posts(WANG)[before:]]
    assert not any("请问您满意吗" in text for text in said), "nothing is said twice"


async def test_call_is_dropped_when_the_resident_writes_again(stage: Stage) -> None:
    number = await report(stage)
    await stage.pass_time(hours=49)
    before = len(stage.posts(WANG))
    await stage.press(WORKER, PRIVATE, "接单")
    await stage.press(WORKER, PRIVATE, "办结")
    await stage.say(WORKER, PRIVATE, "已换新井盖")
    (task,) = tasks(stage)
    await stage.say(WANG, PRIVATE, "你好")
    said = stage.posts(WANG)[before:]
    assert [post.buttons for post in said if "请问您满意吗" in post.text] == [("满意", "不满意")]
    assert tasks(stage) == []
    with stage.app.database.reading() as session:
        (settled,) = phone_tasks.settled_tasks(
            session, stage.person(session, CLERK).id, stage.place.id, now=stage.clock.now()
        )
    assert (settled.id, settled.done_at, settled.dropped_at is None) == (task.id, None, False)
    await stage.press(WANG, PRIVATE, "满意")
    assert stage.case(number).state == "closed"


async def test_person_of_staff_takes_over_and_the_bot_only_listens(stage: Stage) -> None:
    wire, customer = wire_of(stage), stage.people[WANG]
    wire.wecom.kf.servicers.add("lihua")
    number = await report(stage)
    await stage.say(WANG, PRIVATE, "我要找人工客服")
    assert stage.last(WANG).text == "好的，正在为您转接工作人员。请直接留言，由他们在这里回复您；这期间我不插话。"
    assert wire.wecom.kf.session(OPEN_KFID, customer).state == 2
    assert stage.last(CLERK).text.startswith("有居民在微信客服请求人工接待")
    wire.wecom.kf_take(customer, "lihua")
    await stage.settle()
    before = len(stage.posts(WANG))
    await stage.say(WANG, PRIVATE, "井盖边上还有个坑，5号楼电梯也坏了")
    wire.wecom.kf_answer_as_servicer(customer, "好的，我来安排")
    await stage.press(WORKER, PRIVATE, "接单")
    await stage.press(WORKER, PRIVATE, "办结")
    await stage.say(WORKER, PRIVATE, "已换新井盖")
    assert stage.numbers() == [number]
    assert len(stage.posts(WANG)) == before
    assert [(state, "请问您满意吗" in text) for state, text in stage.unsettled() if state == "held"] == [("held", True)]
    assert tasks(stage) == [], "somebody is speaking with them"
    assert words_of(stage, number)[:2] == ["3号楼门口井盖坏了", "井盖边上还有个坑，5号楼电梯也坏了"]
    wire.wecom.kf_end(customer)
    await stage.settle()
    (closing,) = stage.posts(WANG)[before:]
    assert "请问您满意吗" in closing.text
    assert closing.buttons == ("满意", "不满意")
    await stage.say(WANG, PRIVATE, "8号楼门口路灯不亮")
    assert len(stage.numbers()) == 2


def words_of(stage: Stage, number: str) -> list[str]:
    """What residents have said of a case."""
    with stage.app.database.reading() as session:
        query = select(CaseMessage.text).join(Case, Case.id == CaseMessage.case_id).where(Case.number == number)
        return list(session.scalars(query.order_by(CaseMessage.id)))


async def test_nobody_there_to_take_over(stage: Stage) -> None:
    await stage.say(WANG, PRIVATE, "转人工")
    assert stage.last(WANG).text.startswith("抱歉，现在没有能接待的工作人员。")
    assert stage.last(CLERK).text.startswith("有居民请求人工接待，但没有转接成功")
    await stage.say(WANG, PRIVATE, "3号楼门口井盖坏了")
    assert len(stage.numbers()) == 1
    await stage.say(WORKER, PRIVATE, "转人工")
    assert stage.last(WORKER).text.startswith("这里没有人工坐席。")


async def test_talk_that_nobody_ended_is_over_after_two_days(stage: Stage) -> None:
    wire, customer = wire_of(stage), stage.people[WANG]
    wire.wecom.kf.servicers.add("lihua")
    await stage.say(WANG, PRIVATE, "转人工")
    await stage.say(WANG, PRIVATE, "在吗")
    wire.wecom.kf.session(OPEN_KFID, customer).state = 4  # the platform ended it, and its word of it was lost
    await stage.pass_time(hours=49)
    await stage.say(WANG, PRIVATE, "3号楼门口井盖坏了")
    assert len(stage.numbers()) == 1


async def test_one_person_reports_on_kf_and_reads_in_the_app(stage: Stage) -> None:
    """Joined by a code, their case is worked in the app, answered on KF, and theirs in both."""
    stage.add_person("王阿姨的企业微信", has_started=True)
    member = "王阿姨的企业微信"
    await stage.say(member, PRIVATE, "我的另一个账号")
    code = re.search(r"发“绑定 ([A-Z2-9]{8})”", stage.last(member).text)
    assert code
    await stage.say(WANG, PRIVATE, f"绑定 {code[1]}")
    assert stage.last(WANG).text == "绑定成功。从现在起，您的这几个账号算同一个人；发“我的”看登记过的事。"
    number = await report(stage)
    in_the_app = len(stage.posts(member))
    for step in ("接单", "办结"):
        await stage.press(WORKER, PRIVATE, step)
    await stage.say(WORKER, PRIVATE, "已换新井盖")
    assert stage.last(WANG).buttons == ("满意", "不满意")
    assert len(stage.posts(member)) == in_the_app, "answered where it was reported"
    await stage.say(member, PRIVATE, "我的")
    assert number in stage.last(member).text
    await stage.press(WANG, PRIVATE, "不满意")
    assert (stage.case(number).state, stage.case(number).reopenings) == ("assigned", 1)
    assert stage.card(WORKER).text.split("\n")[0].endswith(number)
