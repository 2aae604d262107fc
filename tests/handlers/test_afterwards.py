"""What is said in reply to a case that is over: nothing of it is lost."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER, OTHER = "BX-20261121-0001", "BX-20261121-0002"
ASKED = "ZX-20261121-0001"
REOPENED = f"抱歉给您添麻烦了，{NUMBER} 已重新打开，会有人继续跟进。"
OVER = f"{NUMBER} 已经办结。如果还没好，请回复“还没好”；别的事请另发一条，说清在哪里、怎么了。"


async def finished(stage: Stage) -> str:
    """The id of the question."""
    await stage.finish(GROUP, "3号楼门禁坏了", "已经修好")
    return stage.last(GROUP).id


async def closed(stage: Stage) -> str:
    question = await finished(stage)
    await stage.press("王阿姨", GROUP, "满意")
    return question


@pytest.mark.parametrize("said", ["又坏了，刷不开", "又响起来了", "还没好", "还是老样子", "门禁又刷不开了"])
async def test_trouble_in_reply_opens_a_closed_case_again_with_its_place(stage: Stage, said: str) -> None:
    question = await closed(stage)
    await stage.say("王阿姨", GROUP, said, reply_to=question)
    await stage.pass_time(seconds=10)
    case = stage.case(NUMBER)
    assert (stage.numbers(), case.state, case.place, case.rating) == ([NUMBER], "assigned", "3号楼", None)
    assert stage.last(GROUP).text == REOPENED
    assert f"{NUMBER} 居民说还没好，已重新打开。{said}" in stage.texts("张伟")
    assert stage.card("张伟").buttons == ("接单", "退单")


async def test_trouble_in_reply_to_the_question_takes_its_buttons_away(stage: Stage) -> None:
    question = await finished(stage)
    await stage.say("王阿姨", GROUP, "又响起来了", reply_to=question)
    assert stage.last(GROUP).text == REOPENED
    assert next(post.buttons for post in stage.posts(GROUP) if post.id == question) == ()


async def test_another_matter_in_reply_is_a_case_of_its_own(stage: Stage) -> None:
    question = await closed(stage)
    await stage.say("王阿姨", GROUP, "8号楼电梯坏了", reply_to=question)
    assert (stage.numbers(), stage.case(NUMBER).state) == ([NUMBER, OTHER], "closed")


async def test_anything_else_is_told_what_to_do_and_thanks_are_not(stage: Stage) -> None:
    question = await closed(stage)
    before = stage.texts(GROUP)
    await stage.say("王阿姨", GROUP, "谢谢", reply_to=question)
    await stage.say("李叔", GROUP, "钥匙在我这里", reply_to=question)
    assert stage.texts(GROUP) == before
    await stage.say("王阿姨", GROUP, "钥匙在我这里", reply_to=question)
    assert stage.texts(GROUP) == [*before, OVER]
    assert stage.case(NUMBER).state == "closed"


async def test_withdrawn_case_says_that_it_is_gone(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门禁坏了")
    receipt = stage.last(GROUP).id
    await stage.say("王阿姨", GROUP, "撤回", reply_to=receipt)
    await stage.say("王阿姨", GROUP, "还是老样子", reply_to=receipt)
    told = f"{NUMBER} 已经撤回。如仍需处理，请另发一条，说清在哪里、怎么了。"
    assert (stage.last(GROUP).text, stage.case(NUMBER).state) == (told, "withdrawn")


async def test_question_after_the_answer_goes_back_to_the_staff_and_is_answered(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "请问高龄补贴怎么办理")
    assert stage.numbers() == [ASKED]
    await stage.pass_time(seconds=70)
    await stage.press("陈静", PRIVATE, "答复")
    await stage.say("陈静", PRIVATE, "带身份证到一楼大厅办理")
    answer = stage.last(GROUP).id
    await stage.say("王阿姨", GROUP, "那周六开不开门", reply_to=answer)
    assert stage.last(GROUP).text == f"{ASKED} 您的追问已转给社区工作人员，有答复就在这里告诉您。"
    assert (stage.last("陈静").text, stage.last("陈静").buttons) == (f"{ASKED} 居民追问：那周六开不开门", ("答复",))
    await stage.press("陈静", PRIVATE, "答复", of=stage.last("陈静"))
    await stage.say("陈静", PRIVATE, "周六上午开门")
    assert stage.last(GROUP).text == f"{ASKED} 社区补充答复：周六上午开门"
    assert (stage.numbers(), stage.case(ASKED).state, stage.steps(ASKED)[-2:]) == ([ASKED], "finished", ["add", "add"])
