"""A matter told once more: at once in other words, or after hours that it is still so, back, or worse; by its reporter or a neighbour."""

import pytest

from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, on_simulator, photo

pytestmark = on_simulator

NUMBER, NEXT_DAY = "BX-20261121-0001", "BX-20261122-0001"
URGED = f"抱歉给您添麻烦了，{NUMBER} 已重新催办。"


async def test_second_report_by_the_same_person_is_answered_in_a_sentence(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯按钮失灵")
    await stage.pass_time(seconds=70)
    await stage.say("王阿姨", GROUP, "3号楼电梯的按钮按不亮了")
    assert (stage.numbers(), stage.last(GROUP).text) == ([NUMBER], f"已补充到 {NUMBER}，已转告张网格员。")
    assert stage.texts("张伟")[-1] == f"{NUMBER} 有补充：3号楼电梯的按钮按不亮了"


async def test_second_report_that_says_again_urges(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯按钮失灵")
    await stage.pass_time(hours=13)
    await stage.say("王阿姨", GROUP, "3号楼电梯又停在三楼不动了")
    assert (stage.numbers(), stage.last(GROUP).text, stage.steps(NUMBER)[-1]) == ([NUMBER], URGED, "remind")


async def test_trouble_that_has_grown_becomes_an_emergency_of_the_same_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼水箱漏水")
    await stage.pass_time(hours=30)
    await stage.say("王阿姨", GROUP, "3号楼水箱还在漏，越漏越大了")
    call = "如有人身危险，请先离开现场，立即拨打 119（火警、燃气）、120（急救）、110（报警）。"
    case = stage.case(NUMBER)
    assert (stage.numbers(), case.urgency, case.state) == ([NUMBER], "emergency", "assigned")
    assert stage.last(GROUP).text == f"{call}\n{NUMBER} 已改为紧急，已通知张网格员。"
    worse = f"⚠ 紧急 {NUMBER}：居民说更严重了：3号楼水箱还在漏，越漏越大了\n位置：3号楼\n请马上处理！"
    assert (stage.texts("张伟")[-1], stage.texts(STAFF_GROUP)[-1]) == (worse, worse)
    await stage.pass_time(minutes=4)
    assert stage.texts("张伟")[-1].startswith("⚠ 仍无人接单（第 1 次提醒）")


async def test_neighbour_who_says_that_it_has_grown_joins_and_calls_out(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼水箱漏水")
    await stage.pass_time(hours=2)
    await stage.say("李叔", GROUP, "3号楼水箱还在漏，越漏越大了")
    case = stage.case(NUMBER)
    assert (stage.numbers(), case.urgency, case.joined) == ([NUMBER], "emergency", 1)


@pytest.mark.parametrize("said", ["路灯还是不亮", "还没修", "怎么还没人来", "3号楼的路灯还没人修", "路灯越来越暗了"])
async def test_word_of_what_is_still_so_finds_its_case_after_a_day(stage: Stage, said: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼路灯不亮")
    await stage.pass_time(hours=25)
    await stage.say("王阿姨", GROUP, said)
    assert (stage.numbers(), stage.last(GROUP).text) == ([NUMBER], URGED)
    assert stage.texts("张伟")[-1] == f"{NUMBER} 有补充：{said}"


async def test_picture_with_such_a_word_joins_too(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼小广告贴得到处都是")
    await stage.pass_time(hours=5)
    await stage.say("王阿姨", GROUP, "还是没清", photo=photo())
    await stage.pass_time(seconds=10)
    assert (stage.numbers(), stage.texts("张伟")[-1]) == ([NUMBER], f"{NUMBER} 补充了照片。")


@pytest.mark.parametrize("said", ["8号楼路灯还是不亮", "3号楼电梯又坏了"])
async def test_another_place_or_thing_is_a_case_of_its_own(stage: Stage, said: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼路灯不亮")
    await stage.pass_time(hours=25)
    await stage.say("王阿姨", GROUP, said)
    assert (stage.numbers(), stage.steps(NUMBER)[-1]) == ([NUMBER, NEXT_DAY], "assign")


@pytest.mark.parametrize("said", ["还没修", "天气越来越冷了", "菜价又涨了", "我家孩子还是不听话"])
async def test_word_of_which_nobody_knows_what_it_means_changes_nothing(stage: Stage, said: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼路灯不亮")
    await stage.say("王阿姨", GROUP, "8号楼电梯坏了")
    await stage.pass_time(hours=25)
    before = (stage.texts(GROUP), stage.texts("张伟"))
    await stage.say("王阿姨", GROUP, said)
    await stage.say("小吴", GROUP, said)
    assert (stage.texts(GROUP), stage.texts("张伟")) == before


async def test_what_was_called_done_is_opened_again(stage: Stage) -> None:
    await stage.finish(GROUP, "3号楼路灯不亮", "换了灯泡")
    await stage.pass_time(hours=30)
    await stage.say("王阿姨", GROUP, "3号楼路灯又不亮了")
    assert stage.last(GROUP).text == f"抱歉给您添麻烦了，{NUMBER} 已重新打开，会有人继续跟进。"
    assert (stage.numbers(), stage.case(NUMBER).state) == ([NUMBER], "assigned")
    assert [post.buttons for post in stage.posts(GROUP) if "满意" in post.buttons] == []


async def test_in_private_it_finds_what_was_told_in_the_group(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼路灯不亮")
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.pass_time(hours=20)
    await stage.say("王阿姨", PRIVATE, "路灯还是不亮")
    assert (stage.numbers(), stage.last("王阿姨").text) == ([NUMBER], URGED)


async def test_private_matter_is_not_urged_in_the_group(stage: Stage) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "楼上天天半夜跳绳，说了也不听，我要投诉")
    await stage.pass_time(hours=20)
    before = stage.texts(GROUP)
    await stage.say("王阿姨", GROUP, "还没处理")
    assert stage.texts(GROUP) == before


@pytest.mark.parametrize("said", ["我家门口也是这样", "我家楼下也这样", "我们这边也是一样"])
async def test_same_at_home_is_a_me_too(stage: Stage, said: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口垃圾没人清")
    await stage.say("李叔", GROUP, said)
    assert (stage.numbers(), stage.case(NUMBER).joined) == ([NUMBER], 1)


@pytest.mark.parametrize("said", ["我家孩子也这样", "我也是这么想的"])
async def test_talk_of_the_same_is_none(stage: Stage, said: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口垃圾没人清")
    await stage.say("李叔", GROUP, said)
    assert stage.case(NUMBER).joined == 0


async def test_same_in_another_building_is_a_case_there(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯按钮失灵")
    await stage.pass_time(hours=13)
    await stage.say("王阿姨", GROUP, "3号楼电梯又停在三楼不动了")
    await stage.say("李叔", GROUP, "我们8号楼也停了")
    await stage.say("小吴", GROUP, "我家也是，8号楼的")
    other = stage.case("BX-20261121-0002")
    assert (len(stage.numbers()), other.topic, other.place, other.joined) == (2, "lift", "8号楼", 1)
