"""The question whether the resident is satisfied, answered in words: by whom, where, and what becomes of its buttons."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER = "BX-20261121-0001"
THANKS = f"谢谢您！{NUMBER} 已销单。"
QUESTION = f"{NUMBER} 井盖 · 3号楼，张网格员说已经处理好了：已经盖好\n请问您满意吗？"


async def finished(stage: Stage, chat: str) -> str:
    """The id of the question."""
    await stage.finish(chat, "3号楼门口井盖坏了", "已经盖好")
    return stage.last(chat or "王阿姨").id


def buttons(stage: Stage, chat: str, message: str) -> tuple[str, ...]:
    return next(post.buttons for post in stage.posts(chat) if post.id == message)


@pytest.mark.parametrize("said", ["满意", "很满意，谢谢", "可以了", "好的", "挺好的，不响了"])
async def test_word_of_satisfaction_in_reply_rates_and_takes_the_buttons_away(stage: Stage, said: str) -> None:
    question = await finished(stage, GROUP)
    await stage.say("王阿姨", GROUP, said, reply_to=question)
    assert (stage.last(GROUP).text, stage.case(NUMBER).rating) == (THANKS, 5)
    assert stage.steps(NUMBER)[-2:] == ["finish", "satisfied"]
    assert buttons(stage, GROUP, question) == ()
    assert stage.texts(GROUP)[:2] == [f"{NUMBER} 已登记：井盖 · 3号楼\n已销单，谢谢您的反馈。", QUESTION]
    await stage.pass_time(days=4)
    assert stage.texts(GROUP)[2:] == [THANKS]


@pytest.mark.parametrize("said", ["满意", "可以了", "好的"])
async def test_word_of_satisfaction_right_after_the_question_rates_in_private(stage: Stage, said: str) -> None:
    question = await finished(stage, PRIVATE)
    await stage.say("王阿姨", PRIVATE, said)
    assert (stage.last("王阿姨").text, stage.steps(NUMBER)[-1]) == (THANKS, "satisfied")
    assert buttons(stage, "王阿姨", question) == ()


async def test_plain_word_rates_later_too_and_yes_does_not(stage: Stage) -> None:
    await finished(stage, PRIVATE)
    await stage.say("王阿姨", PRIVATE, "帮助")
    await stage.say("王阿姨", PRIVATE, "好的")
    assert stage.steps(NUMBER)[-1] == "finish"
    await stage.say("王阿姨", PRIVATE, "满意")
    assert (stage.last("王阿姨").text, stage.steps(NUMBER)[-1]) == (THANKS, "satisfied")


async def test_word_of_dissatisfaction_opens_it_again(stage: Stage) -> None:
    question = await finished(stage, GROUP)
    await stage.say("王阿姨", GROUP, "不太满意", reply_to=question)
    assert stage.last(GROUP).text.startswith(f"抱歉没让您满意，{NUMBER} 已重新打开")
    assert (stage.steps(NUMBER)[-2:], buttons(stage, GROUP, question)) == (["dissatisfied", "assign"], ())


async def test_only_who_was_asked_can_answer(stage: Stage) -> None:
    question = await finished(stage, GROUP)
    await stage.say("李叔", GROUP, "满意", reply_to=question)
    await stage.say("王阿姨", GROUP, "可以了", reply_to=stage.posts(GROUP)[0].id)
    await stage.say("王阿姨", GROUP, "满意")
    assert "satisfied" not in stage.steps(NUMBER)
    assert buttons(stage, GROUP, question) == ("满意", "不满意")


async def test_late_good_word_is_thanked(stage: Stage) -> None:
    """Pressed twice, and said once more."""
    await finished(stage, GROUP)
    question = stage.last(GROUP)
    notices = [stage.tap("王阿姨", GROUP, "满意", of=question) for _ in range(2)]
    await stage.settle()
    assert [notice() for notice in notices] == ["", ""]
    await stage.say("王阿姨", GROUP, "满意", reply_to=question.id)
    assert (stage.last(GROUP).text, stage.steps(NUMBER).count("satisfied")) == (THANKS, 1)


async def test_unrated_case_closes_with_a_sentence_of_its_own_and_can_still_be_rated(stage: Stage) -> None:
    await finished(stage, GROUP)
    await stage.pass_time(days=4)
    receipt = f"{NUMBER} 已登记：井盖 · 3号楼\n已销单，没有收到评价；还没好的话，请回复这条消息说一声。"
    assert (stage.texts(GROUP)[0], stage.steps(NUMBER)[-1]) == (receipt, "close")
    closed_at = stage.case(NUMBER).closed_at
    await stage.press("王阿姨", GROUP, "满意")
    assert stage.texts(GROUP)[0].endswith("已销单，谢谢您的反馈。")
    assert (stage.steps(NUMBER)[-1], stage.case(NUMBER).closed_at) == ("satisfied", closed_at)
    assert all(post.buttons == () for post in stage.posts(GROUP))
