"""The calls of an emergency: every copy loses its buttons when somebody has accepted, or when the matter goes to somebody else."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage

NUMBER = "BX-20261121-0001"
SETTLED = f"{NUMBER} 现在是“已接单”，不再催促接单。"


async def called_twice(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=7)
    assert [post.buttons for post in stage.about(NUMBER, "张伟")] == [("接单", "退单")] * 3


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
