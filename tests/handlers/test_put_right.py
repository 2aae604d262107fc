"""A report put right, placed or gone on with by its next lines, without a reply mark."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage, on_simulator

pytestmark = on_simulator

NUMBER, OTHER = "BX-20261121-0001", "BX-20261121-0002"
ASKED = "ZX-20261121-0001"


async def test_thing_that_was_named_wrongly_is_put_right(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼后面那个滑梯破了")
    await stage.pass_time(seconds=20)
    await stage.say("王阿姨", GROUP, "不是滑梯 是跷跷板")
    assert (stage.numbers(), stage.last(GROUP).text) == ([NUMBER], f"已补充到 {NUMBER}。")
    assert stage.texts("张伟")[-1] == f"{NUMBER} 有补充：不是滑梯 是跷跷板"


async def test_place_is_put_right_as_often_as_need_be(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼后面那个滑梯破了")
    for said, place in (("哎不对 8号楼后面", "8号楼"), ("我说错了是3号楼", "3号楼"), ("不是3号楼，是8号楼", "8号楼")):
        await stage.say("王阿姨", GROUP, said)
        assert stage.case(NUMBER).place == place
    assert stage.numbers() == [NUMBER]


@pytest.mark.parametrize(
    ("first", "more", "place"),
    [
        ("三号楼楼道灯不亮", ("是二单元的", "二单元三楼"), "三号楼 二单元三楼"),
        ("路灯不亮", ("在门口", "就是菜鸟驿站那里", "3号楼旁边那个"), "门口 菜鸟驿站那里 3号楼旁边那个"),
        ("路灯不亮", ("3-2-301",), "3-2-301"),
    ],
)
async def test_place_is_completed_line_by_line(stage: Stage, first: str, more: tuple[str, ...], place: str) -> None:
    await stage.say("李叔", GROUP, first)
    for said in more:
        await stage.say("李叔", GROUP, said)
    assert (stage.numbers(), stage.case(NUMBER).place, len(stage.texts(GROUP))) == ([NUMBER], place, 1)


@pytest.mark.parametrize("said", ["8号楼没坏 我刚坐过", "3号楼嘅垃圾冇人清呀", "@李叔 在门口", "晚上去哪里吃饭"])
async def test_talk_is_no_place(stage: Stage, said: str) -> None:
    await stage.say("王阿姨", GROUP, "楼上水管漏水")
    await stage.say("王阿姨", GROUP, said)
    assert stage.case(NUMBER).place == ""


async def test_spot_by_somebody_else_or_much_later_is_nobodys(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼路灯不亮")
    await stage.say("李叔", GROUP, "在门口")
    await stage.pass_time(minutes=40)
    await stage.say("王阿姨", GROUP, "在门口")
    assert stage.case(NUMBER).place == "3号楼"


async def test_emergency_goes_on_asking_where_a_spot_is_and_hears_all_that_is_told(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "我妈摔倒了起不来 快来人")
    await stage.say("王阿姨", GROUP, "在门口")
    assert stage.last(GROUP).text == "已转告张网格员。请马上告诉我几号楼几单元。"
    await stage.say("王阿姨", GROUP, "3号楼门口")
    await stage.say("王阿姨", GROUP, "人清醒的 就是腿动不了")
    await stage.say("王阿姨", GROUP, "谢谢大家")
    assert stage.case(NUMBER).place == "3号楼门口"
    assert stage.texts("张伟")[-1] == f"{NUMBER} 有补充：人清醒的 就是腿动不了"
    assert stage.last(GROUP).text == "收到，3号楼门口，已告诉张网格员。"


async def test_what_one_asks_on_goes_with_the_question(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "居住证怎么办啊")
    for said in ("要带什么", "孩子也要办吗"):
        await stage.say("小吴", GROUP, said)
        assert (stage.numbers(), stage.last(GROUP).text) == ([ASKED], f"已补充到 {ASKED}。")
    await stage.say("李叔", GROUP, "要带什么")
    await stage.pass_time(seconds=70)
    await stage.press("陈静", PRIVATE, "答复")
    await stage.say("陈静", PRIVATE, "带身份证到社区大厅")
    await stage.say("小吴", GROUP, "周末能办吗")
    assert stage.last(GROUP).text == f"{ASKED} 您的追问已转给社区工作人员，有答复就在这里告诉您。"
    assert (stage.numbers(), stage.last("陈静").text) == ([ASKED], f"{ASKED} 居民追问：周末能办吗")


async def test_talk_right_behind_a_private_report_is_of_it(stage: Stage) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "我想问个事")
    assert stage.last("王阿姨").text == "您请说，是什么事、在哪里，一句话就行。"
    await stage.say("王阿姨", PRIVATE, "3号楼楼上老是掉烟头下来")
    await stage.say("王阿姨", PRIVATE, "不知道是谁家扔的")
    assert stage.last("王阿姨").text == f"已补充到 {NUMBER}。如果是另一件事，请说清是什么事、在哪里。"
    await stage.say("王阿姨", PRIVATE, "算了，不用管了")
    assert stage.case(NUMBER).state == "withdrawn"
    await stage.say("王阿姨", PRIVATE, "你是真人吗")
    assert stage.last("王阿姨").text.startswith("我是五微小助手，是个机器人")


async def test_report_that_points_at_the_one_above_joins_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯坏了")
    await stage.say("小吴", GROUP, "这电梯三天两头坏")
    assert (stage.numbers(), stage.case(NUMBER).joined) == ([NUMBER], 1)


@pytest.mark.parametrize("said", ["我屋头也没得水", "俺家也停水咧"])
async def test_me_too_in_the_words_of_home(stage: Stage, said: str) -> None:
    await stage.say("王阿姨", GROUP, "俺家屋里头又停水咧")
    await stage.say("李叔", GROUP, said)
    assert (stage.numbers(), stage.case(NUMBER).joined) == ([NUMBER], 1)


async def test_complaint_told_bit_by_bit_is_one(stage: Stage) -> None:
    await stage.start("李叔", f"area_{stage.place.grid.id}")
    await stage.say("李叔", PRIVATE, "我要投诉")
    assert stage.last("李叔").text == "您请说：是什么事、在哪里、什么时候？只有经办人、调解员和社区能看到，可以带照片。"
    for said in ("3号楼的网格员", "上门说话很难听", "我不想让他知道是我说的"):
        await stage.say("李叔", PRIVATE, said)
    number = "TS-20261121-0001"
    assert (stage.numbers(), stage.case(number).is_private) == ([number], True)
    assert stage.last("李叔").text == f"已补充到 {number}。"


async def test_talk_after_the_end_is_kept_and_told_what_to_do(stage: Stage) -> None:
    await stage.finish(PRIVATE, "3号楼二单元楼道灯坏了", "已更换")
    await stage.say("王阿姨", PRIVATE, "不过你们态度不太好")
    over = f"{NUMBER} 已经办结。如果还没好，请回复“还没好”；别的事请另发一条，说清在哪里、怎么了。"
    assert (stage.last("王阿姨").text, stage.steps(NUMBER)[-1]) == (over, "add")


async def test_thanks_that_say_that_it_works_are_a_good_word(stage: Stage) -> None:
    await stage.finish(PRIVATE, "3号楼二单元楼道灯坏了", "已更换")
    await stage.say("王阿姨", PRIVATE, "谢谢 亮了")
    assert (stage.steps(NUMBER)[-1], stage.case(NUMBER).rating) == ("satisfied", 5)


async def test_bare_words_days_later_are_asked_about_with_the_private_matter_that_is_open(stage: Stage) -> None:
    await stage.start("李叔", f"area_{stage.place.grid.id}")
    await stage.say("李叔", PRIVATE, "楼上天天半夜剁肉，说了也不听，我要投诉")
    (number,) = stage.numbers()
    await stage.pass_time(days=2)
    await stage.say("李叔", PRIVATE, "还是剁")
    assert stage.last("李叔").text == f"这和 {number} 是同一件事吗？"
    await stage.press("李叔", PRIVATE, "是同一件事")
    assert stage.steps(number)[-1] == "add"


async def test_who_asks_how_far_it_is_reads_it(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "3号楼电梯坏了")
    await stage.pass_time(hours=1)
    await stage.say("小吴", PRIVATE, "那个电梯的事有人管吗")
    assert stage.last("小吴").text == f"抱歉给您添麻烦了，{NUMBER} 已重新催办。"
    await stage.say("小吴", PRIVATE, "查到了吗")
    assert stage.last("小吴").text == f"您最近的登记：\n{NUMBER} 电梯 · 3号楼：已派单"


async def test_second_matter_after_by_the_way_is_one_of_its_own(stage: Stage) -> None:
    told = "8号楼拐角的地砖翘起来了 我差点摔一跤 你们找人弄一下 对了我还想问一下那个高龄补贴现在是多少钱一个月"
    await stage.say("王阿姨", GROUP, told)
    assert stage.numbers() == [NUMBER, ASKED]


async def test_no_longer_needed_with_the_reason_is_asked_about(stage: Stage) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "3号楼2单元楼道灯不亮")
    await stage.say("王阿姨", PRIVATE, "不用了 儿子换好灯泡了")
    assert stage.last("王阿姨").text.startswith(f"您说的已记下。是要撤回 {NUMBER}")
