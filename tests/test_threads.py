"""How talk becomes cases: several messages one case, one message several, corrections, withdrawals, and a restart in between."""

from datetime import timedelta

from sqlalchemy import select

from bot.app import CLOCK, INTAKE, SENDER, App
from storage.cases import CaseEvent, CaseMessage
from tests.stage import GROUP, PRIVATE, Stage, on_simulator, photo

FIRST, SECOND = "BX-20261121-0001", "BX-20261121-0002"
BOTH = "3号楼路灯坏了，另外垃圾也没人收"


def texts_of(stage: Stage, number: str) -> list[str]:
    """The messages that belong to a case."""
    with stage.app.database.reading() as session:
        query = select(CaseMessage.text).where(CaseMessage.case_id == stage.case(number).id)
        return list(session.scalars(query.order_by(CaseMessage.id)))


def notes_of(stage: Stage, number: str, step: str) -> list[str]:
    """What stands in a case's history under a step."""
    with stage.app.database.reading() as session:
        query = select(CaseEvent.note).where(CaseEvent.case_id == stage.case(number).id, CaseEvent.step == step)
        return list(session.scalars(query.order_by(CaseEvent.id)))


async def test_two_matters_of_one_message_are_two_cases_and_one_answer(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, BOTH)
    assert stage.numbers() == [FIRST, SECOND]
    assert [(stage.case(n).topic, stage.case(n).text, stage.case(n).place) for n in stage.numbers()] == [
        ("street_light", "3号楼路灯坏了", "3号楼"),
        ("rubbish", "垃圾也没人收", "3号楼"),
    ]
    (answer,) = stage.posts(GROUP)
    lines = answer.text.split("\n")
    assert lines[0] == "2 件事已分别登记："
    assert lines[1].startswith(f"{FIRST} 路灯 · 3号楼：由张网格员负责")
    assert lines[2].startswith(f"{SECOND} 垃圾 · 3号楼：由张网格员负责")
    assert (answer.reply_to, answer.buttons) == (said, (f"撤销 {FIRST}", f"撤销 {SECOND}"))
    await stage.press("王阿姨", GROUP, f"撤销 {FIRST}")
    assert [stage.case(number).state for number in stage.numbers()] == ["withdrawn", "assigned"]
    (answer,) = stage.posts(GROUP)
    assert answer.text.split("\n")[1] == f"{FIRST} 已按您的意思撤回。"
    assert answer.buttons == (f"撤销 {SECOND}",)
    await stage.pass_time(minutes=2)
    await stage.press("张伟", PRIVATE, "接单")
    (answer,) = stage.posts(GROUP)
    assert answer.text.split("\n")[2].startswith(f"{SECOND} 垃圾 · 3号楼：张网格员已接单")
    assert (answer.buttons, stage.unsettled()) == ((), [])


async def test_two_matters_are_taken_back_by_one_word(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, BOTH)
    await stage.say("王阿姨", GROUP, "发错了")
    assert [stage.case(number).state for number in stage.numbers()] == ["withdrawn", "withdrawn"]
    assert stage.last(GROUP).text.split("\n")[1:] == [
        f"{FIRST} 已按您的意思撤回。",
        f"{SECOND} 已按您的意思撤回。",
    ]


@on_simulator
async def test_two_matters_without_a_place_take_one_answer_for_both(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "路灯坏了，另外垃圾也没人收")
    assert stage.last(GROUP).text.endswith("请问在哪栋楼、什么位置？回复这条消息即可。")
    await stage.say("王阿姨", GROUP, "3号楼东边")
    assert [stage.case(number).place for number in stage.numbers()] == ["3号楼东边", "3号楼东边"]
    assert len(stage.posts(GROUP)) == 1


@on_simulator
async def test_of_two_matters_the_one_known_already_joins(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼路灯坏了")
    await stage.say("王阿姨", GROUP, BOTH)
    assert stage.numbers() == [FIRST, SECOND]
    assert (stage.case(FIRST).joined, stage.case(SECOND).topic) == (1, "rubbish")


@on_simulator
async def test_of_two_matters_each_case_keeps_its_own_part(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼路灯坏了")
    await stage.say("王阿姨", GROUP, BOTH)
    assert [texts_of(stage, number) for number in stage.numbers()] == [
        ["3号楼路灯坏了", "3号楼路灯坏了"],
        ["垃圾也没人收"],
    ]
    assert notes_of(stage, FIRST, "join") == ["3号楼路灯坏了"]
    await stage.press("王阿姨", GROUP, "不是同一件事")
    third = stage.case(stage.numbers()[-1])
    assert (third.text, third.topic, third.place) == ("3号楼路灯坏了", "street_light", "3号楼")
    assert [texts_of(stage, number) for number in stage.numbers()] == [
        ["3号楼路灯坏了"],
        ["垃圾也没人收"],
        ["3号楼路灯坏了"],
    ]


@on_simulator
async def test_answer_for_two_matters_keeps_the_one_that_passes_to_a_neighbour(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, BOTH)
    await stage.say("李叔", GROUP, "3号楼路灯坏了")
    await stage.press("王阿姨", GROUP, f"撤销 {FIRST}")
    for wanted in (FIRST, SECOND):
        await stage.pass_time(minutes=2)
        lines = stage.posts(GROUP)[0].text.split("\n")
        assert [line[: len(FIRST)] for line in lines[1:]] == [FIRST, SECOND]
        await stage.press(
            "张伟", PRIVATE, "接单", of=next(post for post in stage.about(wanted, "张伟") if post.buttons)
        )
    lines = stage.posts(GROUP)[0].text.split("\n")
    assert [("张网格员已接单" in line) for line in lines[1:]] == [True, True]


@on_simulator
async def test_one_matter_told_at_length_is_one_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼下水道堵了，臭水流到路上，还有人差点滑倒，麻烦处理")
    assert len(stage.numbers()) == 1


@on_simulator
async def test_place_said_before_the_trouble_belongs_to_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼的")
    assert stage.posts(GROUP) == []
    await stage.say("王阿姨", GROUP, "电梯坏了")
    assert stage.case(FIRST).place == "3号楼"
    assert "请问在哪栋楼" not in stage.last(GROUP).text


@on_simulator
async def test_place_told_by_a_neighbour_under_the_receipt_is_taken(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "电梯坏了")
    await stage.say("李叔", GROUP, "是3号楼的", reply_to=stage.last(GROUP).id)
    assert stage.case(FIRST).place == "3号楼"
    assert stage.numbers() == [FIRST]


@on_simulator
async def test_correction_moves_the_case_to_the_right_building(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯坏了")
    await stage.say("王阿姨", GROUP, "打错了，是8号楼")
    assert (stage.numbers(), stage.case(FIRST).place) == ([FIRST], "8号楼")
    assert "周网格员" in stage.last(GROUP).text
    await stage.say("李叔", GROUP, "8号楼电梯坏了，动不了")
    assert (stage.numbers(), stage.case(FIRST).joined) == ([FIRST], 1)


@on_simulator
async def test_correction_by_a_neighbour_moves_nothing_and_reaches_the_worker(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯坏了")
    await stage.pass_time(seconds=10)
    await stage.say("李叔", GROUP, "打错了，是8号楼", reply_to=stage.last(GROUP).id)
    assert (stage.numbers(), stage.case(FIRST).place) == ([FIRST], "3号楼")
    assert stage.texts("张伟")[-1] == f"{FIRST} 有补充：打错了，是8号楼"


async def test_words_then_photo_and_photo_then_words_are_one_case_each(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼路灯坏了")
    await stage.say("王阿姨", GROUP, photo=photo("red"))
    await stage.say("李叔", GROUP, photo=photo("blue"))
    await stage.say("李叔", GROUP, "8号楼垃圾没人收")
    await stage.pass_time(seconds=15)
    assert stage.numbers() == [FIRST, SECOND]
    assert [len(stage.pictures(worker)) for worker in ("张伟", "周强")] == [1, 1]


@on_simulator
async def test_reporter_who_says_it_was_a_mistake_withdraws_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯坏了")
    await stage.say("王阿姨", GROUP, "发错群了")
    assert stage.case(FIRST).state == "withdrawn"
    assert stage.texts(GROUP) == [f"{FIRST} 已按您的意思撤回。"]


async def test_restart_inside_the_gather_window_loses_nothing(stage: Stage) -> None:
    """The window, the joining and the parting are rows: the program that comes up next does what is due."""
    await stage.say("王阿姨", GROUP, "3号楼整栋停电了，麻烦派人看看")
    await stage.say("王阿姨", GROUP, photo=photo())
    await stage.say("李叔", GROUP, "我家也是")
    await stage.app.stop()
    stage.clock.advance(timedelta(seconds=15))
    stage.app = App(
        stage.app.settings, stage.clock, channels=stage.wire.channels, roles=frozenset({INTAKE, SENDER, CLOCK})
    )
    await stage.app.start()
    await stage.settle()
    assert "已有 2 户反映。" in stage.card("张伟").text
    assert len(stage.pictures("张伟")) == 1
    assert "已有 2 户反映。" in stage.texts(GROUP)[0]
