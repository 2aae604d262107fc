"""A case's number said in private: how it stands, for those it concerns; for others it is as if there were none."""

import pytest

from handlers.by_number import numbered
from tests.stage import GROUP, PRIVATE, Stage, on_simulator

NUMBER, OTHER = "BX-20261121-0001", "BX-20261121-0002"
RECEIPT = f"{NUMBER} 已登记：井盖 · 3号楼\n由张网格员负责，11月21日 18:00 前处理。"
FOR_STAFF = f"{NUMBER} 井盖 · 3号楼：已派单\n由张网格员负责，11月21日 18:00 前处理。"


def not_found(number: str) -> str:
    return f"没有查到您能看的 {number}。请核对编号，或发“我的”看您登记的事。"


async def reported(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(minutes=30)


@on_simulator
@pytest.mark.parametrize("said", [NUMBER, "bx202611210001 怎么样了", f"请问{NUMBER}现在谁在办？", f"{NUMBER} 好了吗"])
async def test_number_tells_how_it_stands(stage: Stage, said: str) -> None:
    await reported(stage)
    for person, told in (
        ("王阿姨", RECEIPT),
        ("张伟", FOR_STAFF),
        ("陈静", FOR_STAFF),
        ("李叔", not_found(NUMBER)),
        ("周强", not_found(NUMBER)),
    ):
        count = len(stage.texts(person))
        await stage.say(person, PRIVATE, said)
        assert stage.texts(person)[count:] == [told]
    assert stage.steps(NUMBER) == ["open", "assign"]


@on_simulator
async def test_neighbour_with_the_same_trouble_may_ask(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("李叔", GROUP, "我家也是", reply_to=said)
    await stage.pass_time(minutes=30)
    await stage.say("李叔", PRIVATE, NUMBER)
    assert stage.last("李叔").text.startswith(f"{NUMBER} 已登记：井盖")


@on_simulator
async def test_number_that_is_not_there_sounds_like_one_of_somebody_else(stage: Stage) -> None:
    await reported(stage)
    await stage.say("王阿姨", PRIVATE, OTHER)
    assert stage.last("王阿姨").text == not_found(OTHER)


@on_simulator
async def test_words_about_a_case_are_no_question(stage: Stage) -> None:
    await reported(stage)
    await stage.say("张伟", PRIVATE, f"{NUMBER} 接单")
    assert stage.texts("张伟")[-1] == f"{NUMBER} 已接单。"
    before = stage.texts(GROUP)
    await stage.say("李叔", GROUP, NUMBER)
    assert stage.texts(GROUP) == before, "in a group nobody is asked for"


@on_simulator
@pytest.mark.parametrize("said", ["统计一下这周的", "公告怎么发"])
async def test_staff_who_were_not_understood_are_shown_the_desk(stage: Stage, said: str) -> None:
    await stage.say("陈静", PRIVATE, said)
    assert stage.last("陈静").text.startswith("我没太明白。发“登录”打开工作台")
    await stage.say("陈静", PRIVATE, "还有多少没办")
    assert stage.last("陈静").text == "您手上没有待办的事。"


def test_number_is_read_however_it_is_written() -> None:
    assert [numbered(said) for said in ("Bx20261121-0001了", "XY－20261121－0042", "20261121-0001", "BX-1")] == [
        NUMBER,
        "XY-20261121-0042",
        "",
        "",
    ]
