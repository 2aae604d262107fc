"""What is still wrong, said after "not satisfied": it belongs to the reopened case where it was said to the bot, and nothing else does."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER, OTHER = "BX-20261121-0001", "BX-20261121-0002"
WRONG = "盖子还是会响"
TALK = "唉 我就说吧"  # in a group the bot asks about what is wrong, and passes over the rest


async def reopened(stage: Stage, chat: str) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.finish(chat, "3号楼门口井盖坏了", "已经盖好")
    await stage.press("王阿姨", chat, "不满意")
    assert stage.steps(NUMBER)[-2:] == ["dissatisfied", "assign"]


async def test_what_is_still_wrong_is_added_in_private_without_a_reply_mark(stage: Stage) -> None:
    await reopened(stage, PRIVATE)
    await stage.say("王阿姨", PRIVATE, WRONG)
    assert stage.last("王阿姨").text == f"已补充到 {NUMBER}。"
    assert stage.texts("张伟")[-1] == f"{NUMBER} 有补充：{WRONG}"
    assert (stage.numbers(), stage.steps(NUMBER)[-1]) == ([NUMBER], "add")
    await stage.say("王阿姨", PRIVATE, "今天天气真好")
    assert stage.last("王阿姨").text.startswith("我没太明白"), "only the next words are meant"


async def test_talk_in_the_group_is_not_taken_for_it(stage: Stage) -> None:
    await reopened(stage, GROUP)
    before = stage.texts(GROUP)
    await stage.say("王阿姨", GROUP, TALK)
    assert (stage.texts(GROUP), stage.steps(NUMBER)[-1]) == (before, "assign")


@pytest.mark.parametrize(("words", "number"), [("8号楼电梯坏了", OTHER), ("谢谢", "")])
async def test_another_matter_or_a_courtesy_is_not_taken_for_it(stage: Stage, words: str, number: str) -> None:
    await reopened(stage, PRIVATE)
    await stage.say("王阿姨", PRIVATE, words)
    assert stage.numbers() == [NUMBER, *([number] if number else [])]
    assert stage.steps(NUMBER)[-1] == "assign"


@pytest.mark.parametrize(
    "said", ["装的灯太暗了，跟没装一样", "敷衍了事，盖子都盖不严", "还是晃，就拍了张照糊弄人", WRONG]
)
async def test_next_words_in_the_group_join_without_a_reply_mark(stage: Stage, said: str) -> None:
    await reopened(stage, GROUP)
    await stage.pass_time(minutes=9)
    await stage.say("王阿姨", GROUP, said)
    assert stage.last(GROUP).text == f"已补充到 {NUMBER}。"
    assert f"{NUMBER} 有补充：{said}" in stage.texts("张伟")
    assert (stage.numbers(), stage.steps(NUMBER)[-1]) == ([NUMBER], "add")


async def test_later_words_join_only_where_they_say_what_is_wrong(stage: Stage) -> None:
    await reopened(stage, GROUP)
    await stage.say("王阿姨", GROUP, WRONG)
    before = stage.texts(GROUP)
    await stage.say("王阿姨", GROUP, "晚上谁去跳广场舞呀")
    await stage.say("王阿姨", GROUP, "就拍了张照糊弄人")
    assert stage.texts(GROUP) == before
    assert stage.texts("张伟")[-1] == f"{NUMBER} 有补充：就拍了张照糊弄人"


@pytest.mark.parametrize("said", ["8号楼电梯坏了", "电梯又停在三楼不动了"])
async def test_another_place_or_thing_in_the_group_is_not_taken_for_it(stage: Stage, said: str) -> None:
    await reopened(stage, GROUP)
    await stage.say("王阿姨", GROUP, said)
    assert (stage.numbers(), stage.steps(NUMBER)[-1]) == ([NUMBER, OTHER], "assign")


async def test_after_ten_minutes_or_by_somebody_else_nothing_joins(stage: Stage) -> None:
    await reopened(stage, GROUP)
    await stage.say("李叔", GROUP, "装的灯太暗了，跟没装一样")
    await stage.pass_time(minutes=11)
    await stage.say("王阿姨", GROUP, "装的灯太暗了，跟没装一样")
    assert (stage.numbers(), stage.steps(NUMBER)[-1]) == ([NUMBER], "assign")


@pytest.mark.parametrize("said", ["@李叔 你说的那个灯跟没装一样", "@小吴 晚上一起去跳舞吗"])
async def test_words_to_a_neighbour_are_not_taken_for_it(stage: Stage, said: str) -> None:
    await reopened(stage, GROUP)
    before = stage.texts(GROUP)
    await stage.say("王阿姨", GROUP, said)
    neighbours = await stage.say("李叔", GROUP, "我也这么觉得")
    await stage.say("王阿姨", GROUP, "就是说嘛，太气人了", reply_to=neighbours)
    assert (stage.texts(GROUP), stage.steps(NUMBER)[-1]) == (before, "assign")
    await stage.say("王阿姨", GROUP, "装的盖子太松了，跟没装一样")
    assert stage.last(GROUP).text == f"已补充到 {NUMBER}。"
