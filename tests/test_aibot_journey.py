"""One matter in a group of members, through the AI bot: named with a quoted photo, worked on cards in private, rated in the group."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.messages import ChatKind, ChatRef
from domain import chats, outbox
from tests.emulators.wecom_aibot import AibotEmulator
from tests.stage import GROUP, PRIVATE, Stage, photo, raise_stage
from tests.wire_aibot import AibotWire

NUMBER = "BX-20261121-0001"


@pytest.fixture
async def stage(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    made = await raise_stage("wecom_bot", tmp_path / "stage", sqlite_template)
    yield made
    await made.close()


async def test_matter_with_a_quoted_photo_is_worked_and_rated_in_the_group(stage: Stage) -> None:
    """The report comes twice, and the line breaks before the work is done: one case, and nothing is lost."""
    wecom(stage).lines.copies = 2
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了", photo=photo("red"))
    (receipt,) = stage.posts(GROUP)
    assert receipt.text.endswith(f"{NUMBER} 已登记：井盖 · 3号楼\n由张网格员负责，11月21日 18:00 前处理。")
    assert (receipt.buttons, receipt.reply_to) == (("撤销登记", "不是这个意思"), said)
    await stage.pass_time(seconds=70)
    await worker_takes_it(stage)
    wecom(stage).lines.drop()
    await wecom(stage).until(lambda: wecom(stage).lines.subscribed == 2)
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, photo=photo("white"))
    assert stage.texts("张伟")[-1] == f"{NUMBER} 已办结，正在请居民评价。"
    question = stage.last(GROUP)
    assert question.text == (
        f"{NUMBER} 井盖 · 3号楼，张网格员说已经处理好了：（附照片）\n请问您满意吗？\n请 @我 回复 “满意 1” 或 “不满意 1”。"
    )
    red, white = (path.read_bytes() for path in stage.stored())
    assert (stage.pictures("张伟"), stage.pictures(GROUP)) == ([red], [white])
    await stage.press("李叔", GROUP, "满意")
    assert stage.last(GROUP).text == "这个按钮是给别人的，您不能操作。"
    await stage.press("王阿姨", GROUP, "满意", of=question)
    assert stage.last(GROUP).text == f"谢谢您！{NUMBER} 已销单。"
    assert stage.last("张伟").text.endswith("状态：已销单")
    assert stage.numbers() == [NUMBER]
    assert stage.steps(NUMBER) == ["open", "assign", "accept", "arrive", "finish", "satisfied"]
    assert stage.unsettled() == []
    assert {code for _, _, _, code in wecom(stage).lines.log} == {0}


async def worker_takes_it(stage: Stage) -> None:
    """The card in private is changed by each click; the group is told in words, for nothing said there can be changed."""
    card = stage.card("张伟")
    assert card.text == (
        f"【报事】{NUMBER}\n位置：3号楼\n事项：井盖\n内容：3号楼门口井盖坏了\n时限：11月21日 18:00\n状态：已派单"
    )
    assert card.buttons == ("接单", "退单")
    assert await stage.press("张伟", PRIVATE, "接单") == "已接单。"
    assert stage.card("张伟").id == card.id, "the card itself is changed"
    assert stage.card("张伟").buttons == ("到场", "办结", "退单")
    assert await stage.press("张伟", PRIVATE, "到场") == "已记录到场。"
    assert stage.texts(GROUP)[1:] == [
        f"{NUMBER} 已登记：井盖 · 3号楼\n张网格员已接单，11月21日 18:00 前处理。",
        f"{NUMBER} 已登记：井盖 · 3号楼\n张网格员已到现场。",
    ]


async def test_dissatisfied_resident_reopens_it_and_the_bot_asks_again(stage: Stage) -> None:
    """Words stand in place of the buttons; what is still wrong is said by naming the bot; the second question has a number of its own."""
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=70)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已经盖好")
    question = stage.last(GROUP)
    await stage.press("李叔", GROUP, "不满意", of=question)
    assert stage.last(GROUP).text == "这个按钮是给别人的，您不能操作。"
    await stage.press("王阿姨", GROUP, "不满意", of=question)
    assert stage.last(GROUP).text == (
        f"抱歉没让您满意，{NUMBER} 已重新打开，会有人继续跟进。您可以直接回复哪里还不好。"
    )
    await stage.say("李叔", GROUP, "我看也不怎么样")
    assert stage.last(GROUP).text.startswith("我没太明白")
    await stage.say("王阿姨", GROUP, "盖子还是会响")
    assert stage.last(GROUP).text == f"已补充到 {NUMBER}。"
    card = stage.card("张伟")
    assert (card.buttons, "盖子还是会响" in "".join(stage.texts("张伟"))) == (("接单", "退单"), True)
    # The old words are spent: who says them again changes nothing.
    await stage.press("王阿姨", GROUP, "不满意", of=question)
    await stage.press("张伟", PRIVATE, "接单", of=card)
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "垫了胶圈")
    second = stage.last(GROUP)
    assert second.text.endswith("请 @我 回复 “满意 2” 或 “不满意 2”。")
    await stage.press("王阿姨", GROUP, "满意", of=second)
    assert stage.last(GROUP).text == f"谢谢您！{NUMBER} 已销单。"
    assert stage.numbers() == [NUMBER]
    assert [step for step in stage.steps(NUMBER) if step != "add"] == [
        *("open", "assign", "accept", "finish", "dissatisfied", "assign", "accept", "finish", "satisfied"),
    ]
    assert stage.unsettled() == []
    assert {code for _, _, _, code in wecom(stage).lines.log} == {0}


async def test_who_comes_in_is_welcomed_and_who_is_silent_is_left_alone(stage: Stage) -> None:
    await stage.start("王阿姨")
    assert stage.texts("王阿姨") == [
        "您好，我是五微小助手。在群里或这里直接说事就行，例如“3 号楼门口路灯不亮”；发“帮助”看我能做什么。"
    ]
    await stage.say("李叔", GROUP, "不满意")
    assert stage.unsettled() == []


def wecom(stage: Stage) -> AibotEmulator:
    assert isinstance(stage.wire, AibotWire)
    return stage.wire.wecom


@pytest.mark.slow
async def test_group_gets_thirty_a_minute_and_nothing_is_lost(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "大家好")
    before = len(stage.posts(GROUP))
    began = stage.clock.now()
    with stage.app.database.writing() as session:
        chat = chats.find_or_make(
            session, "wecom_bot", stage.wire.account, ChatRef(stage.groups[GROUP], ChatKind.GROUP), now=began
        )
        for place in range(70):
            outbox.post(session, chat, f"第 {place} 条通知", now=began)
    await stage.settle()
    assert stage.texts(GROUP)[before:] == [f"第 {place} 条通知" for place in range(70)]
    assert {code for _, _, _, code in wecom(stage).lines.log} == {0}
    assert timedelta(minutes=2) <= stage.clock.now() - began <= timedelta(minutes=3)
