"""Edited messages: each matter of several follows its own words, what is gone is asked about, what is new opens once."""

import pytest
from sqlalchemy import select

from storage.cases import CaseEvent
from tests.stage import GROUP, STAFF_GROUP, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

FIRST, SECOND, THIRD = "BX-20261121-0001", "BX-20261121-0002", "BX-20261121-0003"
LAMP, RUBBISH = "3号楼路灯坏了", "垃圾也没人收"
BOTH = f"{LAMP}，另外{RUBBISH}"


def texts(stage: Stage) -> list[str]:
    return [stage.case(number).text for number in stage.numbers()]


def notes(stage: Stage, number: str, step: str) -> list[str]:
    """What stands in a case's history under a step."""
    with stage.app.database.reading() as session:
        query = select(CaseEvent.note).where(CaseEvent.case_id == stage.case(number).id, CaseEvent.step == step)
        return list(session.scalars(query.order_by(CaseEvent.id)))


async def told(stage: Stage) -> str:
    """Both matters, with their cards out."""
    said = await stage.say("王阿姨", GROUP, BOTH)
    await stage.pass_time(seconds=10)
    return said


async def test_edit_of_several_matters_reaches_each_by_its_own_words(stage: Stage) -> None:
    said = await told(stage)
    await stage.edit("王阿姨", GROUP, said, f"{LAMP}，晚上黑漆漆的，另外垃圾也没人收，都臭了")
    assert texts(stage) == ["3号楼路灯坏了，晚上黑漆漆的", "垃圾也没人收，都臭了"]
    assert [notes(stage, number, "edit") for number in (FIRST, SECOND)] == [[LAMP], [RUBBISH]]
    assert stage.texts("张伟")[-2:] == [
        f"{FIRST} 的内容已修改：3号楼路灯坏了，晚上黑漆漆的",
        f"{SECOND} 的内容已修改：垃圾也没人收，都臭了",
    ]


async def test_only_the_matter_that_was_changed_is_told(stage: Stage) -> None:
    said = await told(stage)
    before = len(stage.texts("张伟"))
    await stage.edit("王阿姨", GROUP, said, f"{LAMP}，另外垃圾也没人收，都臭了")
    assert stage.texts("张伟")[before:] == [f"{SECOND} 的内容已修改：垃圾也没人收，都臭了"]
    await stage.edit("王阿姨", GROUP, said, f"{LAMP}，另外垃圾也没人收，都臭了")
    assert len(stage.texts("张伟")) == before + 1


async def test_matter_that_vanished_is_asked_about_and_stays(stage: Stage) -> None:
    said = await told(stage)
    before = len(stage.texts("张伟"))
    for _ in range(2):
        await stage.edit("王阿姨", GROUP, said, LAMP)
    assert texts(stage) == [LAMP, RUBBISH]
    assert [stage.case(number).state for number in stage.numbers()] == ["assigned", "assigned"]
    asked = f"{SECOND} 居民修改了消息，里面没有再提这件事，请核实是否还要处理。"
    assert stage.texts("张伟")[before:] == [asked]
    assert notes(stage, SECOND, "add") == ["居民修改了消息，里面没有再提这件事。"]


async def test_new_matter_of_an_edit_opens_once(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, LAMP)
    await stage.pass_time(seconds=10)
    await stage.edit("王阿姨", GROUP, said, BOTH)
    assert texts(stage) == [LAMP, RUBBISH]
    assert stage.last(GROUP).text.startswith(f"{SECOND} 已登记：垃圾")
    assert stage.last(GROUP).reply_to == said
    await stage.edit("王阿姨", GROUP, said, f"{LAMP}，另外垃圾没人收了")
    assert texts(stage) == [LAMP, "垃圾没人收了"]
    await stage.edit("王阿姨", GROUP, said, f"{LAMP}，另外8号楼电梯坏了")
    assert texts(stage) == [LAMP, "垃圾没人收了", "8号楼电梯坏了"]


async def test_matter_taken_back_does_not_open_again_by_an_edit(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, BOTH)
    await stage.press("王阿姨", GROUP, f"撤销 {SECOND}")
    await stage.edit("王阿姨", GROUP, said, f"{LAMP}不亮，另外垃圾也没人收了")
    assert texts(stage) == ["3号楼路灯坏了不亮", RUBBISH]
    assert stage.case(SECOND).state == "withdrawn"


async def test_matter_that_joined_a_neighbours_is_added_to_and_replaces_nothing(stage: Stage) -> None:
    await stage.say("李叔", GROUP, LAMP)
    said = await told(stage)
    await stage.edit("王阿姨", GROUP, said, "3号楼路灯坏了，一闪一闪的，另外垃圾也没人收")
    assert texts(stage) == [LAMP, RUBBISH]
    assert notes(stage, FIRST, "add") == ["3号楼路灯坏了，一闪一闪的"]


async def test_edit_of_a_later_word_leaves_the_report_as_it_was(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    more = await stage.say("王阿姨", GROUP, "有个大洞", reply_to=stage.last(GROUP).id)
    await stage.edit("王阿姨", GROUP, more, "有个大洞，晚上看不见")
    assert texts(stage) == ["3号楼门口井盖坏了"]
    assert notes(stage, FIRST, "add") == ["有个大洞", "有个大洞，晚上看不见"]


async def test_edit_that_tells_of_a_danger_is_called_out(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, "3号楼电表箱坏了")
    await stage.edit("王阿姨", GROUP, said, "3号楼电表箱着火了，快来人")
    assert [stage.case(number).urgency for number in stage.numbers()] == ["normal", "emergency"]
    assert stage.last(STAFF_GROUP).text.startswith(f"⚠ 紧急 {SECOND}")


async def test_edit_that_makes_a_matter_of_talk_joins_what_is_reported_already(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼电梯坏了")
    said = await stage.say("王阿姨", GROUP, "唉")
    await stage.edit("王阿姨", GROUP, said, "3号楼电梯坏了，动不了")
    assert (stage.numbers(), stage.case(FIRST).joined) == ([FIRST], 1)
