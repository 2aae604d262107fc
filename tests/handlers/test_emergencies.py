"""The calls of an emergency: every copy loses its buttons when somebody has accepted, or when the matter goes to somebody else."""

import pytest

from domain.cases import desk
from storage.cases import Case
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage

NUMBER = "BX-20261121-0001"
SETTLED = f"{NUMBER} 现在是“已接单”，不再催促接单。"


async def called_twice(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=7)
    assert [post.buttons for post in stage.about(NUMBER, "张伟")] == [("接单", "退单")] * 3


def called(stage: Stage, chat: str) -> list[str]:
    return [text for text in stage.texts(chat) if "仍无人接单" in text]


async def test_all_copies_lose_their_buttons_when_one_is_pressed(stage: Stage) -> None:
    await called_twice(stage)
    copies = stage.about(NUMBER, "张伟")
    assert await stage.press("张伟", PRIVATE, "接单", of=copies[1]) == "已接单。"
    card, first, second = stage.about(NUMBER, "张伟")
    assert card.buttons == ("到场", "办结", "退单")
    assert [(call.text, call.buttons) for call in (first, second)] == [(SETTLED, ())] * 2


@pytest.mark.parametrize("stage", ["simulator"], indirect=True)
async def test_copies_of_whoever_returned_it_say_so(stage: Stage) -> None:
    await called_twice(stage)
    await stage.press("张伟", PRIVATE, "退单", of=stage.about(NUMBER, "张伟")[2])
    await stage.say("张伟", PRIVATE, "不在我的网格")
    assert [post.buttons for post in stage.about(NUMBER, "张伟")[:3]] == [()] * 3
    assert stage.card("孙立").buttons == ("接单", "退单")


@pytest.mark.parametrize("stage", ["simulator"], indirect=True)
async def test_taken_on_and_given_back_is_called_out_again(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.press("张伟", PRIVATE, "接单")
    await stage.pass_time(minutes=20)
    assert len(stage.about(NUMBER, STAFF_GROUP)) == 1
    await stage.press("张伟", PRIVATE, "退单")
    await stage.say("张伟", PRIVATE, "我赶不过去")
    assert stage.last(STAFF_GROUP).text == f"⚠ 紧急 {NUMBER} 被退回：突发伤病 · 3号楼\n位置：3号楼\n请立即接单！"
    await stage.pass_time(minutes=7)
    calls = [f"⚠ 仍无人接单（第 {count} 次提醒）：{NUMBER} 突发伤病 · 3号楼，位置：3号楼" for count in (1, 2)]
    assert called(stage, "孙立") == called(stage, STAFF_GROUP) == calls
    await stage.press("孙立", PRIVATE, "接单")
    await stage.pass_time(minutes=30)
    assert called(stage, STAFF_GROUP) == calls


@pytest.mark.parametrize("stage", ["simulator"], indirect=True)
async def test_handed_over_from_who_had_it_is_called_out_again(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.press("张伟", PRIVATE, "接单")
    with stage.app.database.writing() as session:
        case, clerk = session.get_one(Case, stage.case(NUMBER).id), stage.person(session, "陈静")
        desk.hand_over(session, case, clerk, stage.person(session, "孙立").id, now=stage.clock.now())
    await stage.pass_time(minutes=4)
    assert [text[:16] for text in called(stage, "孙立")] == ["⚠ 仍无人接单（第 1 次提醒）"]


@pytest.mark.parametrize("stage", ["simulator"], indirect=True)
async def test_nobody_ever_taking_it_is_called_out_on_and_on(stage: Stage) -> None:
    """Every three minutes for an hour, and every quarter of an hour from then on."""
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=62)
    assert len(called(stage, "张伟")) == 20
    await stage.pass_time(minutes=31)
    assert [text[:15] for text in called(stage, "张伟")[-2:]] == [
        "⚠ 仍无人接单（第 21 次提",
        "⚠ 仍无人接单（第 22 次提",
    ]
