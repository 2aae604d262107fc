"""Somebody who means to die: one kind sentence in the group, warm words and the help line in private, the person on duty at once."""

import pytest

from domain.cases.life import State
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER = "BX-20261121-0001"
OPENED = (
    f"谢谢您说出来，您不是一个人在扛。{NUMBER} 已马上通知张网格员，只有帮您的人能看到。\n"
    "现在就可以打 12356（全国心理援助热线，有人听您说）；已有危险请马上打 120（急救）、110（报警）。\n"
    "请先不要独自待着。您在哪里？想说什么都可以在这里说。"
)
ADDED = "我在听，已告诉张网格员。您不是一个人；随时可以打 12356，已有危险请马上打 120、110。"
IN_GROUP = "看到您的话了，我们都在。请私聊我说说；等不及就直接打 12356（有人听您说）、120（急救）、110（报警）。"
CALLED = f"⚠ 紧急 {NUMBER}：需要马上关心的私密事项\n位置：仅经办人可见\n请立即接单！"


async def test_group_hears_one_kind_sentence_and_staff_nothing_of_the_matter(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "我不想活了，在3号楼楼顶")
    assert stage.texts(GROUP) == [IN_GROUP]
    assert stage.texts(STAFF_GROUP) == [CALLED]
    await stage.pass_time(seconds=2)
    assert "内容：我不想活了，在3号楼楼顶" in stage.card("张伟").text.splitlines()
    assert stage.case(NUMBER).is_private is True
    await stage.say("李叔", GROUP, "我的")
    await stage.say("小吴", GROUP, "心愿墙")
    assert [text for text in stage.texts(GROUP) if NUMBER in text] == []


async def test_goes_on_in_private_where_the_bot_may_write(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "你好")
    await stage.say("李叔", GROUP, "活够了")
    worker = stage.texts("李叔")[1:]
    assert worker == [OPENED]
    await stage.say("李叔", PRIVATE, "老伴走了，家里就我一个人")
    await stage.say("李叔", PRIVATE, "我想死")
    await stage.say("李叔", PRIVATE, "算了")
    assert stage.texts("李叔")[2:] == [ADDED] * 3
    assert (stage.numbers(), stage.case(NUMBER).state) == ([NUMBER], State.ASSIGNED)


async def test_wish_of_the_bereaved_to_follow_is_no_wish(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", PRIVATE, "老伴走了以后我天天睡不着，觉得没意思，想跟他一起去")
    number = stage.numbers()[-1]
    assert stage.texts("王阿姨")[-1].startswith("谢谢您说出来，您不是一个人在扛。")
    assert "119" not in stage.texts("王阿姨")[-1]
    assert (stage.case(number).kind, stage.case(number).topic) == ("report", "crisis")


async def test_stranger_in_private_is_heard_where_one_community_is_served(stage: Stage) -> None:
    await stage.say("小吴", PRIVATE, "遗书写好了")
    assert stage.numbers() == [NUMBER]
    assert stage.texts("小吴") == [OPENED.replace("张网格员", "陈社工")]


async def test_two_people_are_two_lives(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "我要跳楼了，3号楼楼顶")
    await stage.say("小吴", GROUP, "3号楼有人要跳楼")
    await stage.say("李叔", GROUP, "我想死")
    assert len(stage.numbers()) == 2


async def test_calls_go_on_without_the_matter_until_somebody_accepts(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼，我想自杀")
    await stage.pass_time(minutes=4)
    again = f"⚠ 仍无人接单（第 1 次提醒）：{NUMBER} 需要马上关心的私密事项，位置：仅经办人可见"
    assert stage.texts(STAFF_GROUP) == [CALLED, again]
    await stage.press("张伟", PRIVATE, "接单")
    assert stage.texts(GROUP) == [IN_GROUP]


async def test_afterwards_it_is_asked_how_they_are(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "你好")
    await stage.say("李叔", GROUP, "3号楼，我想自杀")
    for button in ("接单", "办结"):
        await stage.press("张伟", PRIVATE, button)
    await stage.say("张伟", PRIVATE, "陪他聊了一下午")
    assert stage.last("李叔").text == (
        "张网格员说和您联系过了：陪他聊了一下午\n您现在好些了吗？难受的时候随时跟我说，也可以打 12356。我们帮上您了吗？"
    )
    assert stage.texts(GROUP) == [IN_GROUP]
