"""Complaints and disputes leave the group: what is said where, and to whom it goes."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage, photo

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

COMPLAINT = "楼上天天半夜吵架，我要投诉"
IN_PRIVATE = (
    "JF-20261121-0001 已登记，由赵调解员跟进，只有经办人、调解员和社区能看到。您可以在这里继续补充情况或发照片。"
)


async def complain(stage: Stage) -> str:
    await stage.say("李叔", GROUP, COMPLAINT)
    (number,) = stage.numbers()
    return number


async def test_complaint_in_the_group_is_received_without_its_details(stage: Stage) -> None:
    number = await complain(stage)
    (post,) = stage.posts(GROUP)
    assert post.text == (f"收到。这类事私下说更稳妥，{number} 已登记；请私聊我补充，群里请先不要展开细节。")
    await stage.pass_time(seconds=10)
    assert f"内容：{COMPLAINT}" in stage.card("赵敏").text.splitlines()
    assert stage.posts("张伟") == []


async def test_link_into_private_chat_goes_on_with_the_matter(stage: Stage) -> None:
    number = await complain(stage)
    stage.wire.start(stage.people["李叔"], f"case_{stage.case(number).id}")
    await stage.settle()
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    await stage.say("李叔", PRIVATE, "前天也是")
    assert stage.texts("李叔") == [
        IN_PRIVATE.replace("JF-20261121-0001", number),
        f"已补充到 {number}。",
        f"已补充到 {number}。",
    ]
    assert stage.numbers() == [number]
    assert stage.steps(number) == ["open", "assign", "add", "add"]
    assert len(stage.posts(GROUP)) == 1


async def test_link_of_somebody_elses_matter_only_greets(stage: Stage) -> None:
    number = await complain(stage)
    stage.wire.start(stage.people["小吴"], f"case_{stage.case(number).id}")
    await stage.settle()
    await stage.say("小吴", PRIVATE, "昨晚又吵到三点")
    assert stage.texts("小吴")[0].startswith("您好，我是五微小助手。")
    assert stage.steps(number) == ["open", "assign"]


@pytest.mark.parametrize("payload", ["case_", "case_x", "case_1", "case_" + "9" * 40, "case_-1", "bind_", "🙂"])
async def test_link_with_any_payload_is_answered(stage: Stage, payload: str) -> None:
    stage.wire.start(stage.people["小吴"], payload)
    await stage.settle()
    assert len(stage.texts("小吴")) == 1


async def test_album_added_in_private_is_acknowledged_once_and_reaches_the_mediator(stage: Stage) -> None:
    number = await complain(stage)
    stage.wire.start(stage.people["李叔"], f"case_{stage.case(number).id}")
    await stage.settle()
    await stage.say("李叔", PRIVATE, "这是录的", photos=[photo("red"), photo("blue")])
    await stage.pass_time(seconds=20)
    assert stage.texts("李叔")[1:] == [f"已补充到 {number}。"]
    assert len(stage.pictures("赵敏")) == 2


async def test_known_private_chat_is_written_to_at_once(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "你好")
    number = await complain(stage)
    assert stage.texts("李叔")[1:] == [IN_PRIVATE.replace("JF-20261121-0001", number)]
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    assert stage.steps(number)[-1] == "add"


async def test_complaint_in_private_goes_on_there(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, COMPLAINT)
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    assert stage.texts("李叔") == [IN_PRIVATE.replace("JF-20261121-0001", number), f"已补充到 {number}。"]


async def test_other_matter_in_private_is_asked_about(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, COMPLAINT)
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, "3号楼门口井盖坏了")
    asked = stage.last("李叔")
    assert (asked.text, asked.buttons) == (f"这和 {number} 是同一件事吗？", ("是同一件事", "不是，另外登记"))
    assert stage.numbers() == [number]
    await stage.press("李叔", PRIVATE, "不是，另外登记")
    assert stage.numbers() == [number, "BX-20261121-0001"]
    assert (stage.case("BX-20261121-0001").text, stage.steps(number)) == ("3号楼门口井盖坏了", ["open", "assign"])
    assert stage.last("李叔").text.startswith("BX-20261121-0001 已登记：井盖 · 3号楼")


@pytest.mark.parametrize("answer", ["是", "同一件事", "是同一件事"])
async def test_matter_that_is_the_same_joins(stage: Stage, answer: str) -> None:
    await stage.say("李叔", PRIVATE, COMPLAINT)
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, "3号楼门口井盖坏了")
    if answer == "是同一件事":
        await stage.press("李叔", PRIVATE, answer)
    else:
        await stage.say("李叔", PRIVATE, answer)
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    assert (stage.numbers(), stage.steps(number)) == ([number], ["open", "assign", "add", "add"])
    assert stage.texts("李叔")[-2:] == [f"已补充到 {number}。", f"已补充到 {number}。"]


async def test_matter_that_is_another_in_words_is_registered(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, COMPLAINT)
    await stage.say("李叔", PRIVATE, "3号楼门口井盖坏了")
    await stage.say("李叔", PRIVATE, "不是")
    assert len(stage.numbers()) == 2


async def test_question_left_open_does_not_keep_the_rest_out(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, COMPLAINT)
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, "3号楼门口井盖坏了")
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    assert stage.steps(number) == ["open", "assign", "add"]
    await stage.press("李叔", PRIVATE, "不是，另外登记")
    assert len(stage.numbers()) == 2


@pytest.mark.parametrize(
    ("told", "more"),
    [
        (
            "3号楼1单元502那家姓刘的，天天半夜拖桌子，跟她讲她还骂人，你们管不管",
            "就是楼上502，每天十二点以后，我妈心脏不好",
        ),
        ("楼上漏水到我家，跟他说了他还骂人，要求调解", "天花板都掉皮了"),
        ("楼上漏水到我家，跟他说了他还骂人，要求调解", "想让他赔我家的地板"),
        ("楼上漏水到我家，跟他说了他还骂人，要求调解", "墙皮掉了一大块，地板也泡了"),
    ],
)
async def test_more_of_a_dispute_becomes_neither_a_wish_nor_a_report(stage: Stage, told: str, more: str) -> None:
    await stage.say("李叔", PRIVATE, "你好")
    await stage.say("李叔", GROUP, told)
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, more)
    await stage.say("李叔", PRIVATE, "我老伴有冠心病受不得气")
    assert (stage.numbers(), stage.steps(number)) == ([number], ["open", "assign", "add", "add"])
    assert stage.texts("李叔")[-2:] == [f"已补充到 {number}。", f"已补充到 {number}。"]
    await stage.say("王阿姨", GROUP, "心愿墙")
    assert stage.texts(GROUP)[-1] == "心愿墙上暂时没有待认领的心愿。"


async def test_danger_told_in_a_dispute_is_not_asked_about(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, COMPLAINT)
    await stage.say("李叔", PRIVATE, "3号楼楼上着火了")
    (_, fire) = stage.numbers()
    assert stage.case(fire).urgency == "emergency"


async def test_withdrawal_in_private_is_confirmed(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, COMPLAINT)
    (number,) = stage.numbers()
    await stage.say("李叔", PRIVATE, "撤回")
    assert stage.texts("李叔")[-1] == f"已撤回 {number}（噪音）。"
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    assert stage.steps(number)[-1] == "withdraw"


async def test_result_of_a_private_matter_is_told_in_private_only(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "你好")
    number = await complain(stage)
    await stage.pass_time(seconds=10)
    await stage.press("赵敏", PRIVATE, "接单")
    await stage.press("赵敏", PRIVATE, "办结")
    await stage.say("赵敏", PRIVATE, "已上门调解")
    asked = stage.last("李叔")
    assert asked.buttons == ("满意", "不满意")
    assert asked.text.endswith("赵调解员说已经处理好了：已上门调解\n请问您满意吗？")
    assert len(stage.posts(GROUP)) == 1
    await stage.press("李叔", PRIVATE, "满意")
    assert stage.last("李叔").text == f"谢谢您！{number} 已销单。"


@pytest.mark.parametrize(
    "first", ["就是他们家，老赵家的小儿子", "您好，我是昨天在群里说楼上吵的那个", "想让他赔我家的地板"]
)
async def test_first_private_words_by_hand_join_the_matter_told_in_the_group(stage: Stage, first: str) -> None:
    number = await complain(stage)
    await stage.pass_time(hours=3)
    await stage.say("李叔", PRIVATE, "你好")
    await stage.say("李叔", PRIVATE, first)
    await stage.say("李叔", PRIVATE, "我血压都气高了，一晚上没睡")
    assert stage.texts("李叔")[1:] == [
        f"已补充到 {number}，只有经办人、调解员和社区能看到。您可以在这里继续补充情况或发照片。",
        f"已补充到 {number}。",
    ]
    assert (stage.numbers(), stage.steps(number)) == ([number], ["open", "assign", "add", "add"])
    assert f"{number} 有补充：{first}" in stage.texts("赵敏")


async def test_first_private_photo_joins_too(stage: Stage) -> None:
    number = await complain(stage)
    await stage.say("李叔", PRIVATE, photo=photo())
    await stage.pass_time(seconds=30)
    assert stage.steps(number) == ["open", "assign", "add"]
    assert len(stage.pictures("赵敏")) == 1


async def test_first_private_words_about_something_else_do_not_join(stage: Stage) -> None:
    number = await complain(stage)
    await stage.say("李叔", PRIVATE, "3号楼门口井盖坏了")
    assert (len(stage.numbers()), stage.steps(number)) == (2, ["open", "assign"])
    await stage.say("小吴", PRIVATE, "就是他们家，老赵家的小儿子")
    assert stage.steps(number) == ["open", "assign"]


async def test_first_private_words_of_two_matters_or_of_an_old_one_join_none(stage: Stage) -> None:
    number = await complain(stage)
    await stage.pass_time(hours=25)
    await stage.say("李叔", PRIVATE, "就是他们家，老赵家的小儿子")
    await complain_again(stage, "王阿姨", "楼上天天半夜吵架，我要投诉", "楼下的狗没人管，咬人，我要投诉狗主人")
    await stage.say("王阿姨", PRIVATE, "就是他们家，老赵家的小儿子")
    assert [stage.steps(each)[2:] for each in stage.numbers()[1:]] == [[], []]
    assert "add" not in stage.steps(number)


async def complain_again(stage: Stage, who: str, *told: str) -> None:
    before = len(stage.numbers())
    for words in told:
        await stage.say(who, GROUP, words)
    assert len(stage.numbers()) == before + len(told)


async def test_other_complaint_as_the_first_private_words_is_asked_about(stage: Stage) -> None:
    number = await complain(stage)
    await stage.say("李叔", PRIVATE, "物业乱收物业费，我要投诉物业")
    assert (stage.last("李叔").text, stage.numbers()) == (f"这和 {number} 是同一件事吗？", [number])
    await stage.press("李叔", PRIVATE, "不是，另外登记")
    assert len(stage.numbers()) == 2


async def test_first_private_words_can_take_the_matter_back(stage: Stage) -> None:
    number = await complain(stage)
    await stage.say("李叔", PRIVATE, "撤回")
    assert (stage.case(number).state, stage.last("李叔").text) == ("withdrawn", f"已撤回 {number}（噪音）。")


CHILD = "BX-20261121-0001"


@pytest.mark.parametrize("said", ["402那家天天打孩子，你们管管", "3号楼402老人没人管，儿子都不回来"])
async def test_what_goes_on_in_a_home_is_told_on_in_private(stage: Stage, said: str) -> None:
    await stage.say("李叔", GROUP, said)
    receipt = f"收到。这类事私下说更稳妥，{CHILD} 已登记；请私聊我补充，群里请先不要展开细节。"
    assert stage.texts(GROUP) == [receipt]
    await stage.pass_time(seconds=10)
    assert (CHILD in stage.card("赵敏").text, stage.posts("张伟")) == (True, [])
    await stage.press("赵敏", PRIVATE, "接单")
    await stage.press("赵敏", PRIVATE, "办结")
    await stage.say("赵敏", PRIVATE, "已上门劝说")
    assert stage.texts(GROUP) == [receipt]


async def test_its_place_is_asked_for_in_private_and_reaches_the_mediator(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "402那家天天打孩子")
    await stage.start("李叔", f"area_{stage.place.grid.id}")
    await stage.pass_time(seconds=10)
    await stage.say("李叔", PRIVATE, "孩子哭得很惨")
    joined = f"已补充到 {CHILD}，只有经办人、调解员和社区能看到。您可以在这里继续补充情况或发照片。请先告诉我是哪栋楼、哪一户。"
    assert stage.last("李叔").text == joined
    await stage.say("李叔", PRIVATE, "3号楼2单元402")
    assert (stage.case(CHILD).place, stage.last("李叔").text) == ("3号楼2单元402", f"已补充到 {CHILD}。")
    assert stage.texts("赵敏")[-1] == f"{CHILD} 的位置更正为：3号楼2单元402"


async def test_danger_in_a_home_calls_out_in_the_group_and_says_there_no_more_than_that(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼402又打孩子了，孩子哭得好惨，快来人")
    case = stage.case(CHILD)
    assert (case.urgency, case.is_private) == ("emergency", False)
    await stage.press("张伟", PRIVATE, "接单")
    assert stage.posts(GROUP)[0].text == f"{CHILD} 已登记：报事\n张网格员已接单，11月21日 12:00 前处理。"
