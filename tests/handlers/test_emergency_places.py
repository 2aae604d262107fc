"""An emergency that nobody can find: it asks where, and what its reporter says next joins it."""

import pytest

from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER = "BX-20261121-0001"
CALL = "请立即拨打 120（急救），先不要随意搬动伤病的人；火警、救援 119，报警 110。"
ASKED = f"{CALL}\n{NUMBER} 已紧急通知张网格员。\n请马上告诉我几号楼几单元。"


async def test_emergency_asks_where_and_the_answer_joins_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "我妈在屋里晕过去了")
    assert stage.texts(GROUP) == [ASKED]
    assert "位置：待确认（第一网格的群里说的）" in stage.card("张伟").text
    await stage.pass_time(minutes=1)
    await stage.say("王阿姨", GROUP, "3号楼1单元301，叫不醒")
    told = f"⚠ 紧急 {NUMBER} 的位置：3号楼1单元301\n居民说：3号楼1单元301，叫不醒"
    assert stage.numbers() == [NUMBER]
    assert stage.case(NUMBER).place == "3号楼1单元301"
    assert stage.texts(GROUP) == [ASKED.rpartition("\n")[0], "收到，3号楼1单元***，已告诉张网格员。"]
    assert "位置：3号楼1单元301" in stage.card("张伟").text
    assert stage.texts("张伟")[1:] == [told]
    assert stage.texts(STAFF_GROUP)[1:] == [told]
    await stage.pass_time(minutes=3)
    assert stage.texts("张伟")[-1].endswith("突发伤病 · 3号楼1单元***，位置：3号楼1单元301")


async def test_place_in_another_grid_brings_its_own_worker_with_all_that_was_said(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, "屋头着火了！！！快点嘛")
    first = stage.texts("王阿姨")[0]
    assert first.startswith("请先离开、不坐电梯，立即拨打 119（火警）")
    assert first.endswith("已紧急通知陈社工。\n请马上告诉我几号楼几单元。")
    await stage.say("王阿姨", PRIVATE, "8号楼2单元，火好大")
    assert stage.numbers() == [NUMBER]
    assert stage.texts("王阿姨")[1:] == ["收到，8号楼2单元，已告诉周网格员。"]
    assert "位置：8号楼2单元" in stage.card("周强").text
    assert f"⚠ 紧急 {NUMBER} 的位置：8号楼2单元\n居民说：8号楼2单元，火好大" in stage.texts("周强")


async def test_words_without_a_place_are_handed_on_and_the_place_comes_in_two_lines(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "对门阿婆躺地上喊不应，嘴都歪了")
    await stage.say("王阿姨", GROUP, "叫不醒")
    await stage.say("王阿姨", GROUP, "3号楼")
    await stage.say("王阿姨", GROUP, "3单元2楼 快点来人啊")
    assert stage.numbers() == [NUMBER]
    assert stage.case(NUMBER).place == "3号楼 3单元"
    assert stage.texts("张伟")[-1] == f"⚠ 紧急 {NUMBER} 的位置：3号楼 3单元\n居民说：3单元2楼 快点来人啊"
    assert stage.texts(GROUP)[1:] == [
        "已转告张网格员。请马上告诉我几号楼几单元。",
        "收到，3号楼，已告诉张网格员。",
        "收到，3号楼 3单元，已告诉张网格员。",
    ]


@pytest.mark.parametrize("other", ["8号楼路灯坏了", "3号楼着火了", "3号楼，我不想活了", "3号楼的高龄补贴怎么领"])
async def test_another_matter_with_a_place_opens_its_own(stage: Stage, other: str) -> None:
    await stage.say("王阿姨", GROUP, "我妈在屋里晕过去了")
    await stage.say("王阿姨", GROUP, other)
    assert len(stage.numbers()) == 2
    assert stage.case(NUMBER).place == ""


async def test_what_others_or_much_later_words_say_is_not_the_place(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "我妈在屋里晕过去了")
    await stage.say("李叔", GROUP, "8号楼")
    assert stage.case(NUMBER).place == ""
    await stage.pass_time(minutes=11)
    await stage.say("王阿姨", GROUP, "3号楼1单元301，叫不醒")
    assert len(stage.numbers()) == 2
