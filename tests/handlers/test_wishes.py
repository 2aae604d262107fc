"""The wish wall in chat: what stands on it, who may take a wish on, and what everybody hears until it is fulfilled."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage, on_simulator, photo

pytestmark = on_simulator

NUMBER, OTHER = "XY-20261121-0001", "XY-20261121-0002"
TITLE = "待实现的心愿（隐去姓名），想帮哪一个就点哪一个："
NONE = "心愿墙上暂时没有待认领的心愿。"
CLAIM = f"认领 {NUMBER}"
UNTIL = "11月28日 10:00"
TAKEN = f"{NUMBER} 已经有人认领，或者不在墙上了；发“心愿墙”看看别的。"
THANKS = (
    f"谢谢您认领 {NUMBER}：想给一位奶奶要一副老花镜\n"
    f"社区工作人员会联系您，约好怎么给；请在 {UNTIL} 前完成。做好了点“做好了”，不方便了点“退回”。"
)


async def on_the_wall(stage: Stage, *more: str) -> None:
    """小吴's wishes, which staff have looked at; 李叔 has written to the bot before."""
    await stage.say("李叔", PRIVATE, "你好")
    for said in ("想给楼下90岁的张奶奶要一副老花镜", *more):
        await stage.say("小吴", GROUP, said)
        await stage.pass_time(seconds=7)
        await stage.press("陈静", PRIVATE, "接单")


async def test_wish_goes_onto_the_wall_when_staff_have_looked_at_it(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "想给楼下90岁的张奶奶要一副老花镜")
    await stage.say("李叔", GROUP, "心愿墙")
    assert stage.texts(GROUP) == [f"{NUMBER} 心愿收到啦，我们会替您保密，也会尽力帮它实现。", NONE]
    await stage.say("小吴", GROUP, "心愿墙")
    assert stage.last(GROUP).text == "您还没上墙的心愿请私聊我发“心愿墙”查看。"
    await stage.say("小吴", PRIVATE, "心愿墙")
    own = f"{TITLE}\n{NUMBER} 想给一位奶奶要一副老花镜（您的，社区看过后上墙）"
    assert (stage.last("小吴").text, stage.last("小吴").buttons) == (own, ())
    await stage.pass_time(seconds=10)
    assert "接单后上心愿墙：想给一位奶奶要一副老花镜" in stage.card("陈静").text.splitlines()
    await stage.press("陈静", PRIVATE, "接单")
    await stage.say("李叔", GROUP, "心愿墙")
    wall = stage.last(GROUP)
    assert (wall.text, wall.buttons) == (f"{TITLE}\n{NUMBER} 想给一位奶奶要一副老花镜", (CLAIM,))


async def test_one_tap_takes_it_on_and_everybody_hears_their_part(stage: Stage) -> None:
    await on_the_wall(stage)
    await stage.say("李叔", GROUP, "心愿墙")
    first, second = (stage.tap(who, GROUP, CLAIM) for who in ("李叔", "王阿姨"))
    await stage.settle()
    assert (first(), second()) == ("", TAKEN)
    assert stage.last("李叔").text == THANKS
    assert stage.last("李叔").buttons == ("做好了", "退回")
    assert stage.texts("陈静")[-1] == f"{NUMBER} 有人认领：李叔。请和双方联系，约好怎么给；许愿人是谁由您告诉认领人。"
    group = "\n".join(stage.texts(GROUP))
    assert f"{NUMBER} 有邻居愿意帮您实现，社区会和您约时间。" in group
    assert ("李叔" in group, "张奶奶" in group) == (False, False)
    await stage.say("王阿姨", GROUP, "心愿墙")
    assert (stage.last(GROUP).text, stage.steps(NUMBER)[-1]) == (NONE, "claim")


async def test_it_is_done_with_a_photo_asked_after_and_thanked_for(stage: Stage) -> None:
    await on_the_wall(stage)
    await stage.say("李叔", PRIVATE, f"我来认领 {NUMBER}")
    await stage.press("李叔", PRIVATE, "做好了")
    await stage.say("李叔", PRIVATE, "已经送到了", photo=photo())
    await stage.pass_time(seconds=10)
    assert stage.last("李叔").text == f"谢谢您！{NUMBER} 已告诉经办人，和许愿人核实后办结。"
    told = f"{NUMBER} 认领人说做好了：已经送到了\n请和许愿人核实后办结。"
    assert (told in stage.texts("陈静"), len(stage.pictures("陈静"))) == (True, 1)
    await stage.press("陈静", PRIVATE, "办结")
    await stage.say("陈静", PRIVATE, "眼镜已送到")
    assert stage.last(GROUP).text == f"您的心愿 {NUMBER} 办好了：眼镜已送到\n请问您满意吗？"
    await stage.press("小吴", GROUP, "满意")
    assert stage.last("李叔").text == f"{NUMBER} 的许愿人收到了，谢谢您帮忙实现这个心愿！"


async def test_claim_comes_back_to_the_wall_when_it_is_handed_back_or_its_day_has_passed(stage: Stage) -> None:
    await on_the_wall(stage)
    await stage.say("李叔", PRIVATE, f"认领 {NUMBER}")
    await stage.press("李叔", PRIVATE, "退回")
    assert stage.last("李叔").text == f"好的，{NUMBER} 已放回心愿墙。"
    assert stage.texts("陈静")[-1] == f"{NUMBER} 的认领人退回了，心愿又上墙了。"
    await stage.say("李叔", PRIVATE, f"认领 {NUMBER}")
    await stage.pass_time(days=6, hours=1)
    near = f"提醒：您认领的 {NUMBER} 请在 {UNTIL} 前完成；来不及或者不方便，点“退回”就行。"
    assert stage.last("李叔").text == near
    await stage.pass_time(days=1)
    lapsed = f"您认领的 {NUMBER} 到期了，已放回心愿墙；谢谢您的热心，还想做可以再认领。"
    assert stage.last("李叔").text == lapsed
    await stage.say("王阿姨", GROUP, "心愿墙")
    assert stage.last(GROUP).buttons == (CLAIM,)


@pytest.mark.parametrize("said", ["我来", "我来认领", "我可以", "0001我来", f"{NUMBER} 我来", "我可以帮忙买老花镜"])
async def test_words_in_reply_to_the_wall_take_it_on(stage: Stage, said: str) -> None:
    await on_the_wall(stage)
    await stage.say("王阿姨", GROUP, "心愿墙")
    await stage.say("李叔", GROUP, said, reply_to=stage.last(GROUP).id)
    assert stage.texts("李叔")[-1] == THANKS
    assert stage.last(GROUP).text == f"谢谢！{NUMBER} 由您认领了，接下来社区工作人员会联系您。"


async def test_who_cannot_be_written_to_hears_how_to_go_on(stage: Stage) -> None:
    await on_the_wall(stage)
    await stage.say("王阿姨", GROUP, f"{NUMBER} 我来")
    told = f"谢谢！{NUMBER} 由您认领了，社区工作人员会联系您；做好了请私聊我，发“我的认领”。"
    assert stage.last(GROUP).text == told
    await stage.say("王阿姨", PRIVATE, "我的认领")
    mine = stage.last("王阿姨")
    assert mine.text == f"您认领的心愿：\n{NUMBER} 想给一位奶奶要一副老花镜（{UNTIL} 前）"
    assert mine.buttons == (f"做好了 {NUMBER}", f"退回 {NUMBER}")


async def test_of_several_it_is_asked_which(stage: Stage) -> None:
    await on_the_wall(stage, "想要一台二手收音机听戏")
    await stage.say("李叔", GROUP, "心愿墙")
    await stage.say("李叔", GROUP, "我来", reply_to=stage.last(GROUP).id)
    assert (stage.last(GROUP).text, stage.last(GROUP).buttons) == (
        "您想认领哪一个？点一下就行：",
        (CLAIM, f"认领 {OTHER}"),
    )
    await stage.say("李叔", PRIVATE, "我可以送一台旧收音机")
    assert stage.last("李叔").text == f"您是想认领这个心愿吗？是的话点一下：\n{OTHER} 想要一台二手收音机听戏"
    await stage.press("李叔", PRIVATE, f"认领 {OTHER}")
    assert stage.steps(OTHER)[-1] == "claim"


@pytest.mark.parametrize("said", ["谁有心愿我可以帮忙", "有什么心愿我可以帮忙实现的吗", "大家还有没有心愿，我来认领"])
async def test_offer_to_fulfil_some_wish_is_answered_with_the_wall_and_is_no_wish(stage: Stage, said: str) -> None:
    await on_the_wall(stage)
    await stage.say("李叔", GROUP, said)
    assert (stage.numbers(), stage.last(GROUP).buttons) == ([NUMBER], (CLAIM,))


async def test_offer_that_fits_no_wish_is_thanked_and_is_none(stage: Stage) -> None:
    await on_the_wall(stage)
    await stage.say("李叔", PRIVATE, "我可以帮忙修自行车")
    assert stage.last("李叔").text == "谢谢您的热心！心愿墙上暂时没有对得上的；发“心愿墙”看看还有哪些。"
    assert stage.numbers() == [NUMBER]


async def test_wish_and_errand_are_still_what_they_are(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼路灯不亮")
    await stage.say("李叔", PRIVATE, "降压药吃完了，能帮我买一下吗")
    await stage.say("李叔", PRIVATE, "我的心愿是有个助行器")
    assert stage.numbers() == ["BX-20261121-0001", "QZ-20261121-0001", NUMBER]


async def test_claims_are_refused_with_a_sentence(stage: Stage) -> None:
    more = ("想要一台二手收音机听戏", "想给孩子要一个书包", "想要一个拐杖")
    await on_the_wall(stage, *more)
    await stage.say("小吴", GROUP, f"我来认领 {NUMBER}")
    assert stage.last(GROUP).text == "这是您自己的心愿，等邻居来认领吧。"
    for number in stage.numbers()[:3]:
        await stage.say("李叔", PRIVATE, f"认领 {number}")
    await stage.say("李叔", PRIVATE, f"认领 {NUMBER}")
    assert stage.last("李叔").text == f"{NUMBER} 已经由您认领了；发“我的认领”查看。"
    await stage.say("李叔", PRIVATE, f"认领 {stage.numbers()[3]}")
    assert stage.last("李叔").text == "您手上已有 3 个认领，先完成或退回一个再来，谢谢您。"
    await stage.say("王阿姨", GROUP, f"退回 {NUMBER}")
    assert stage.last(GROUP).text == "这个心愿现在不是您认领的；发“我的认领”查看。"
    await stage.say("王阿姨", GROUP, "认领 XY-20261121-0099")
    assert stage.last(GROUP).text == "没有找到这个心愿，请发“心愿墙”看编号。"


async def test_withdrawn_wish_is_told_to_who_has_taken_it_on(stage: Stage) -> None:
    await on_the_wall(stage)
    receipt = stage.posts(GROUP)[0].id
    await stage.say("李叔", PRIVATE, f"认领 {NUMBER}")
    await stage.say("小吴", GROUP, "撤回", reply_to=receipt)
    assert (stage.case(NUMBER).state, stage.last("李叔").text) == ("withdrawn", f"{NUMBER} 不用再办了，谢谢您的热心。")
