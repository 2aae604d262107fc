"""Half sentences: what is wrong in one line, with what in the line before. Together they are a matter; one alone is talk."""

import pytest
from sqlalchemy import event

from tests.stage import GROUP, PRIVATE, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

FIRST = "BX-20261121-0001"


@pytest.mark.parametrize(
    ("before", "then", "topic", "place"),
    [
        ("3号楼大厅的灯", "坏了两天了", "corridor_light", "3号楼"),
        ("3号楼五楼", "漏水了", "leak", "3号楼"),
    ],
)
async def test_two_halves_are_one_matter(stage: Stage, before: str, then: str, topic: str, place: str) -> None:
    first = await stage.say("王阿姨", GROUP, before)
    assert (stage.numbers(), stage.posts(GROUP)) == ([], [])
    await stage.say("王阿姨", GROUP, then)
    case = stage.case(FIRST)
    assert (case.text, case.topic, case.place) == (f"{before}，{then}", topic, place)
    assert stage.outcomes()[-2:] == ["joined", "opened"]
    await stage.edit("王阿姨", GROUP, first, f"{before}，快看")
    assert stage.steps(FIRST)[-1] == "add"


async def test_doubt_about_both_is_asked_about_both(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼大厅的灯")
    await stage.say("王阿姨", GROUP, "好像坏了")
    assert (stage.numbers(), stage.last(GROUP).buttons) == ([], ("登记", "不用"))
    await stage.press("王阿姨", GROUP, "登记")
    assert (stage.case(FIRST).text, stage.case(FIRST).place) == ("3号楼大厅的灯，好像坏了", "3号楼")


@pytest.mark.parametrize("before", ["3号楼电梯", "8号楼的垃圾桶", "楼下那个井盖"])
async def test_half_answers_what_was_asked_about_the_first(stage: Stage, before: str) -> None:
    await stage.say("王阿姨", GROUP, before)
    assert [post.buttons for post in stage.posts(GROUP)] == [("登记", "不用")]
    await stage.say("王阿姨", GROUP, "坏了两天了")
    assert stage.case(FIRST).text == f"{before}，坏了两天了"
    asked, receipt = stage.posts(GROUP)
    assert (asked.text, asked.buttons, receipt.text[:20]) == ("好的，已登记。", (), f"{FIRST} 已登记")


@pytest.mark.parametrize(
    ("before", "then"), [("我手机", "坏了"), ("今天买的鸡蛋", "破了"), ("雨", "停了"), ("闹钟", "响了"), ("早", "停了")]
)
async def test_halves_of_talk_stay_talk(stage: Stage, before: str, then: str) -> None:
    await stage.say("王阿姨", GROUP, before)
    await stage.say("王阿姨", GROUP, then)
    assert (stage.numbers(), stage.posts(GROUP)) == ([], [])


async def test_halves_of_two_people_or_far_apart_are_none(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯")
    await stage.say("李叔", GROUP, "坏了")
    await stage.pass_time(minutes=10)
    await stage.say("王阿姨", GROUP, "坏了")
    assert stage.numbers() == []


async def test_other_talk_between_parts_the_halves(stage: Stage) -> None:
    for line in ("3号楼电梯", "谁家的狗", "坏了"):
        await stage.say("王阿姨", GROUP, line)
    assert stage.numbers() == []


async def test_half_joins_what_a_neighbour_has_reported(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼电梯坏了")
    await stage.say("王阿姨", GROUP, "3号楼电梯")
    await stage.say("王阿姨", GROUP, "又坏了")
    assert (stage.numbers(), stage.case(FIRST).joined) == ([FIRST], 1)


async def test_danger_told_in_two_lines_has_its_place(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼五楼")
    await stage.say("王阿姨", GROUP, "着火了")
    assert (stage.case(FIRST).urgency, stage.case(FIRST).place) == ("emergency", "3号楼")


async def test_half_after_ones_own_report_is_more_about_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼下水道堵了")
    await stage.pass_time(seconds=20)
    await stage.say("王阿姨", GROUP, "又堵了")
    await stage.say("小吴", GROUP, "又堵了")
    assert (stage.numbers(), stage.texts("张伟")[-1]) == ([FIRST], f"{FIRST} 有补充：又堵了")
    assert stage.steps(FIRST)[-1] == "add"


async def test_halves_in_private_are_one_matter_too(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, "3号楼电梯")
    await stage.say("王阿姨", PRIVATE, "坏了")
    assert stage.case(FIRST).text == "3号楼电梯，坏了"


async def test_lines_before_are_looked_up_only_for_halves(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "早上好")
    asked: list[str] = []
    event.listen(stage.app.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def looked_up() -> int:
        return len([one for one in asked if "FROM received" in one and "received.kind" in one.split("WHERE")[1]])

    await stage.say("王阿姨", GROUP, "今天天气真好")
    before = looked_up()
    await stage.say("王阿姨", GROUP, "停了")
    assert (before, looked_up()) == (0, 1)
