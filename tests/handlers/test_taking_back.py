"""不用了 in private: which matter went is said once, another is asked about first, and a dispute is not taken for more words."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

FIRST, SECOND = "BX-20261121-0001", "BX-20261121-0002"
DISPUTE = "JF-20261121-0001"
WHICH = f"刚才已经撤回一件。您还有 {FIRST}（井盖）没有办完，也要撤回吗？要撤回哪件就点哪件，不撤回不用管。"


def states(stage: Stage) -> list[str]:
    return [stage.case(number).state for number in stage.numbers()]


async def told_two(stage: Stage) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    await stage.say("王阿姨", PRIVATE, "8号楼电梯坏了")
    assert stage.numbers() == [FIRST, SECOND]


async def test_what_is_taken_back_is_named_and_a_second_is_asked_about(stage: Stage) -> None:
    await told_two(stage)
    await stage.say("王阿姨", PRIVATE, "不用了")
    assert (stage.last("王阿姨").text, states(stage)) == (f"已撤回 {SECOND}（电梯）。", ["assigned", "withdrawn"])
    before = len(stage.texts("王阿姨"))
    await stage.say("王阿姨", PRIVATE, "不用了")
    question = stage.last("王阿姨")
    assert (question.text, question.buttons) == (WHICH, (f"撤回 {FIRST}",))
    assert (len(stage.texts("王阿姨")), states(stage)) == (before + 1, ["assigned", "withdrawn"])
    await stage.press("王阿姨", PRIVATE, f"撤回 {FIRST}")
    assert (stage.last("王阿姨").text, states(stage)) == (f"已撤回 {FIRST}（井盖）。", ["withdrawn", "withdrawn"])


async def test_what_is_reported_after_one_was_taken_back_goes_without_a_question(stage: Stage) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    for number, said in ((FIRST, "3号楼门口井盖坏了"), (SECOND, "8号楼电梯坏了")):
        await stage.say("王阿姨", PRIVATE, said)
        await stage.pass_time(seconds=5)
        await stage.say("王阿姨", PRIVATE, "不用了")
        assert stage.case(number).state == "withdrawn"
        await stage.pass_time(seconds=5)


async def test_words_of_withdrawal_in_a_dispute_are_asked_about(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "楼上天天半夜吵架，我要投诉")
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, "算了，我自己跟他说，不要处理了")
    question = stage.last("李叔")
    told = f"您说的已记下。是要撤回 {number}（噪音）吗？要撤回请点下面，不撤回不用管，会继续跟进。"
    assert (question.text, question.buttons, states(stage)) == (told, (f"撤回 {number}",), ["assigned"])
    await stage.press("李叔", PRIVATE, f"撤回 {number}")
    assert (stage.last("李叔").text, states(stage)) == (f"已撤回 {number}（噪音）。", ["withdrawn"])
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    assert stage.steps(number)[-1] == "withdraw"


@pytest.mark.parametrize("said", ["不能就这么算了", "你们怎么不管了", "昨晚又吵到三点"])
async def test_other_words_in_a_dispute_are_added(stage: Stage, said: str) -> None:
    await stage.say("李叔", PRIVATE, "楼上天天半夜吵架，我要投诉")
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, said)
    assert stage.last("李叔").text in {f"已补充到 {number}。", f"抱歉给您添麻烦了，{number} 已重新催办。"}
    assert states(stage) == ["assigned"]


@pytest.mark.parametrize("said", ["我要撤回", "删掉吧", "你好，帮我把之前的报修取消", "能不能撤销投诉？"])
async def test_what_is_still_open_is_offered_later(stage: Stage, said: str) -> None:
    await told_two(stage)
    await stage.pass_time(hours=20)
    before = len(stage.texts("王阿姨"))
    await stage.say("王阿姨", PRIVATE, said)
    asked = stage.last("王阿姨")
    assert asked.text == f"您还没有办完的有 {SECOND}（电梯）、{FIRST}（井盖）。要撤回哪件就点哪件，不撤回不用管。"
    assert asked.buttons == (f"撤回 {SECOND}", f"撤回 {FIRST}")
    assert (len(stage.texts("王阿姨")), "withdrawn" in states(stage)) == (before + 1, False)
    await stage.press("王阿姨", PRIVATE, f"撤回 {FIRST}")
    assert (stage.last("王阿姨").text, stage.case(FIRST).state) == (f"已撤回 {FIRST}（井盖）。", "withdrawn")


async def test_nothing_open_cannot_be_taken_back(stage: Stage) -> None:
    await stage.start("李叔", f"area_{stage.place.grid.id}")
    await stage.say("李叔", PRIVATE, "我要撤回")
    assert stage.last("李叔").text == "您现在没有可以撤回的事项。发送“我的”可以看报过的事。"
    before = stage.texts(GROUP)
    await stage.say("李叔", GROUP, "我要撤回")
    assert (stage.texts(GROUP), stage.numbers()) == (before, [])
