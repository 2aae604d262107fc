"""One matter from the first word to the second rating, said in private: on every platform, and what its people see there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stage import PRIVATE, Stage, photo, raise_stage
from tests.wires import Seen

NUMBER = "BX-20261121-0001"
WHAT = f"{NUMBER} 已登记：井盖 · 3号楼"
WELCOME = "您好，我是五微小助手。在群里或这里直接说事就行，例如“3 号楼门口路灯不亮”；发“帮助”看我能做什么。"
SORRY = f"抱歉没让您满意，{NUMBER} 已重新打开，会有人继续跟进。您可以直接回复哪里还不好。"
STEPS = {"接单", "到场", "办结", "退单"}


@pytest.fixture(params=["telegram", "simulator", "wecom", "wecom_bot"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    made = await raise_stage(request.param, tmp_path / "stage", sqlite_template)
    yield made
    await made.close()


async def test_matter_is_reported_worked_rated_and_reopened(stage: Stage) -> None:
    """The resident comes by the link of their grid: there the place is looked for, and there the worker is found."""
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    assert stage.texts("王阿姨") == [WELCOME]
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    receipt = stage.last("王阿姨")
    assert receipt.text.endswith(
        f"{WHAT}\n由张网格员负责，11月21日 18:00 前处理。"
    )  # a card of the AI bot has a heading of its own
    assert receipt.buttons == ("撤销登记", "不是这个意思")
    await stage.pass_time(seconds=70)
    await worker_takes_it(stage)
    await worker_proves_it(stage)
    question = stage.last("王阿姨")
    assert question.text.endswith(f"{NUMBER} 井盖 · 3号楼，张网格员说已经处理好了：（附照片）\n请问您满意吗？")
    assert question.buttons == ("满意", "不满意")
    assert stage.pictures("王阿姨") == [path.read_bytes() for path in stage.stored()]
    await stage.press("王阿姨", PRIVATE, "不满意")
    assert is_told(stage, SORRY)
    card = stage.card("张伟")
    assert (state_of(card), card.buttons) == ("已派单", ("接单", "退单"))
    assert f"{NUMBER} 居民不满意，已重新打开。" in stage.texts("张伟")
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已换新井盖")
    await stage.press("王阿姨", PRIVATE, "满意")
    assert is_told(stage, f"谢谢您！{NUMBER} 已销单。")
    assert state_of(stage.card("张伟")) == "已销单"
    assert stage.steps(NUMBER) == [
        *("open", "assign", "accept", "arrive", "finish", "dissatisfied", "assign"),
        *("accept", "finish", "satisfied"),
    ]
    assert {state for state, _ in stage.unsettled()} <= {"dropped"}


def is_told(stage: Stage, words: str) -> bool:
    """Whether the resident just read this: last, with the changed receipt before it in the same message (KF) or behind it (AI bot)."""
    return any(text.endswith(words) for text in stage.texts("王阿姨")[-2:])


async def worker_takes_it(stage: Stage) -> None:
    card = stage.card("张伟")
    assert card.text == (
        f"【报事】{NUMBER}\n位置：3号楼\n事项：井盖\n内容：3号楼门口井盖坏了\n时限：11月21日 18:00\n状态：已派单"
    )
    assert card.buttons == ("接单", "退单")
    assert await stage.press("张伟", PRIVATE, "接单") == "已接单。"
    assert stage.card("张伟").id == card.id, "the card itself is changed"
    assert (state_of(stage.card("张伟")), stage.card("张伟").buttons) == ("已接单", ("到场", "办结", "退单"))
    assert await stage.press("张伟", PRIVATE, "到场") == "已记录到场。"
    assert f"{WHAT}\n张网格员已到现场。" in stage.texts("王阿姨")


async def worker_proves_it(stage: Stage) -> None:
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, photo=photo("white"))
    assert stage.texts("张伟")[-1] == f"{NUMBER} 已办结，正在请居民评价。"
    card = stage.card("张伟")
    assert state_of(card) == "已办结"
    assert not STEPS & set(card.buttons)  # a card of the AI bot keeps one that only says that it has been changed
    await stage.pass_time(seconds=3)  # the question waits for its photo


def state_of(card: Seen) -> str:
    return card.text.rpartition("状态：")[2]
