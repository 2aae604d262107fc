"""A worker says the step instead of pressing it; what is not plain is asked, and nobody else's words move a case."""

import pytest

from handlers.said_steps import step_said
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, on_simulator, photo

FIRST, SECOND = "BX-20261121-0001", "BX-20261121-0002"
ASKS_PROOF = "请发一张处理后的照片；没有照片的，请写一句原因，例如“已电话答复”。发送“取消”可放弃办结。"


async def assigned(stage: Stage, *more: str) -> None:
    for said in ("3号楼门口井盖坏了", *more):
        await stage.say("王阿姨", GROUP, said)
        await stage.pass_time(seconds=70)


def last_step(stage: Stage, number: str = FIRST) -> str:
    return stage.steps(number)[-1]


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("接单", "accept"),
        ("好的，我马上去看看", "accept"),
        ("我去处理", "accept"),
        ("收到，在路上", "accept"),
        ("马上到", "accept"),
        ("到了", "arrive"),
        ("我已经到现场了", "arrive"),
        ("到现场了，人没事", "arrive"),
        ("办结", "finish"),
        ("井盖换好了", "finish"),
        ("已处理", "finish"),
        ("都清理完了", "finish"),
        ("退单", "return"),
        ("这个不归我管，是物业的", "return"),
        ("帮我转给周强", "return"),
        ("我今天请假", "return"),
        ("还没修好", None),
        ("明天才能修好", None),
        ("修好了吗", None),
        ("去哪儿", None),
        ("到了冬天就结冰", None),
        ("处理", None),
        ("需要换配件，要等三天", None),
    ],
)
def test_step_is_read_from_the_whole_line(said: str, step: str | None) -> None:
    assert step_said(said) == step


async def test_worker_says_each_step(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "收到，马上去")
    assert (stage.texts("张伟")[-1], last_step(stage)) == (f"{FIRST} 已接单。", "accept")
    await stage.say("张伟", PRIVATE, "到了")
    assert (stage.texts("张伟")[-1], last_step(stage)) == (f"{FIRST} 已记录到场。", "arrive")
    assert "状态：已到场" in stage.card("张伟").text
    await stage.say("张伟", PRIVATE, "井盖换好了")
    assert stage.texts("张伟")[-1] == ASKS_PROOF
    await stage.say("张伟", PRIVATE, photo=photo())
    assert last_step(stage) == "finish"
    assert stage.numbers() == [FIRST]


@on_simulator
async def test_words_under_the_card_are_of_that_case(stage: Stage) -> None:
    await assigned(stage, "8号楼电梯坏了", "2号楼楼道灯不亮了")
    numbers = [number for number in stage.numbers() if stage.case(number).assignee_id == stage.case(FIRST).assignee_id]
    assert len(numbers) > 1
    card = next(post for post in stage.posts("张伟") if FIRST in post.text and post.text.startswith("【"))
    await stage.say("张伟", PRIVATE, "接单", reply_to=card.id)
    assert [last_step(stage, number) for number in numbers] == ["accept", *["assign"] * (len(numbers) - 1)]
    await stage.say("张伟", PRIVATE, f"{numbers[-1].lower()} 到了")
    assert last_step(stage, numbers[-1]) == "arrive"


@on_simulator
async def test_which_of_several_is_asked_unless_the_words_tell(stage: Stage) -> None:
    await assigned(stage, "2号楼楼道灯不亮了")
    first, second = stage.numbers()
    assert stage.case(first).assignee_id == stage.case(second).assignee_id
    await stage.say("张伟", PRIVATE, "接单")
    asked = stage.last("张伟")
    assert asked.text == "您手上有 2 件可以这样办，是哪一件？请点一下。"
    assert sorted(asked.buttons) == [f"接单 {first}", f"接单 {second}"]
    assert (last_step(stage, first), last_step(stage, second)) == ("assign", "assign")
    await stage.press("张伟", PRIVATE, f"接单 {second}")
    assert last_step(stage, second) == "accept"
    await stage.say("张伟", PRIVATE, "井盖换好了", photo=photo())
    assert (last_step(stage, first), last_step(stage, second)) == ("finish", "accept")


@on_simulator
async def test_reason_that_was_said_returns_with_one_press(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "这个不归我管，是物业的")
    asked = stage.last("张伟")
    assert (asked.text, asked.buttons) == (
        f"要退回 {FIRST} 吗？要退就点下面这句，作为原因；不退不用管。",
        ("这个不归我管，是物业的",),
    )
    assert last_step(stage) == "assign"
    await stage.press("张伟", PRIVATE, "这个不归我管，是物业的")
    assert stage.last("张伟").text == f"{FIRST} 已退单，社区会另行安排。"
    await stage.pass_time(seconds=10)
    assert FIRST in stage.card("孙立").text


@on_simulator
async def test_bare_return_is_asked_why(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "退单")
    assert stage.last("张伟").text.startswith("为什么退单？")
    await stage.say("张伟", PRIVATE, "不在我的网格")
    assert "return" in stage.steps(FIRST)


@on_simulator
@pytest.mark.parametrize("said", ["收到", "好的，知道了", "1"])
async def test_having_heard_takes_nothing_on(stage: Stage, said: str) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, said)
    offered = stage.last("张伟")
    assert (offered.text, offered.buttons) == (f"{FIRST} 还没有接单，请点一下。", ("接单", "退单"))
    assert last_step(stage) == "assign"
    await stage.press("张伟", PRIVATE, "接单", of=offered)
    assert last_step(stage) == "accept"
    await stage.say("张伟", PRIVATE, said)
    assert stage.last("张伟").text.startswith("您好！"), "nothing waits to be taken on"
    await stage.say("张伟", PRIVATE, said, reply_to=stage.card("张伟").id)
    assert stage.last("张伟").text == f"好的，{FIRST} 由您继续办。"


@on_simulator
async def test_other_words_under_the_card_are_kept_for_colleagues(stage: Stage) -> None:
    await assigned(stage)
    before = stage.texts(GROUP), stage.texts("王阿姨")
    count = len(stage.texts("张伟"))
    await stage.say("张伟", PRIVATE, "需要换配件，要等三天", reply_to=stage.card("张伟").id)
    assert stage.texts("张伟")[count:] == [f"已记在 {FIRST} 里，工作人员看得到，不会发给居民。"]
    assert (last_step(stage), stage.texts(GROUP), stage.texts("王阿姨")) == ("add", *before)


@on_simulator
async def test_question_is_answered_by_its_button(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "高龄补贴怎么办")
    await stage.pass_time(seconds=70)
    await stage.say("陈静", PRIVATE, "收到，我去问问", reply_to=stage.card("陈静").id)
    (number,) = stage.numbers()
    assert stage.last("陈静").text == f"已记在 {number} 里，不会发给居民。要答复居民，请点卡片上的“答复”再写。"
    await stage.say("陈静", PRIVATE, "办结")
    assert stage.last("陈静").text == "请写下答复内容，我会转给提问的居民。发送“取消”可放弃。"


@on_simulator
async def test_worker_who_was_not_understood_is_told_how_to_go_on(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "已经联系物业了，明天来修")
    assert stage.last("张伟").text.startswith("我没太明白。您手上有 1 件事，")
    await stage.say("李叔", PRIVATE, "已经联系物业了，明天来修")
    assert stage.last("李叔").text.startswith("我没太明白。请直接说是什么事")


@on_simulator
async def test_step_that_cannot_be_taken_now_is_refused_with_what_to_do(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "接单")
    await stage.say("张伟", PRIVATE, "接单")
    assert stage.last("张伟").text == f"{FIRST} 现在办不了这一步。发“任务”看手上的事，或点卡片下面的按钮。"
    assert stage.steps(FIRST).count("accept") == 1


@on_simulator
@pytest.mark.parametrize("said", ["接单", "修好了", "退单", f"{FIRST} 修好了"])
async def test_nobody_elses_words_move_a_case(stage: Stage, said: str) -> None:
    await assigned(stage)
    for person in ("周强", "李叔"):
        await stage.say(person, PRIVATE, said)
        assert stage.steps(FIRST)[-1] == "assign"
    await stage.say("王阿姨", GROUP, "接单")
    assert stage.steps(FIRST)[-1] == "assign"


@on_simulator
async def test_new_trouble_told_by_a_worker_is_a_matter_of_its_own(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "8号楼电梯坏了，我修不了")
    assert stage.numbers() == [FIRST, SECOND]
    assert last_step(stage) == "assign"


FIRE = "3号楼2单元着火了，冒黑烟"


async def in_the_group(stage: Stage) -> None:
    stage.wire.platform.join(stage.groups[GROUP], stage.people["张伟"])  # type: ignore[attr-defined]  # the simulator's


@on_simulator
async def test_worker_goes_on_in_reply_to_the_receipt_without_another_line(stage: Stage) -> None:
    await in_the_group(stage)
    await assigned(stage)
    receipt, count = stage.last(GROUP), len(stage.posts(GROUP))
    for said, step, told in (("我马上过去看看", "accept", "已接单。"), ("到了", "arrive", "已记录到场。")):
        await stage.say("张伟", GROUP, said, reply_to=receipt.id)
        assert (last_step(stage), stage.texts("张伟")[-1]) == (step, f"{FIRST} {told}")
        await stage.say("张伟", GROUP, said, reply_to=receipt.id)
        assert (stage.steps(FIRST).count(step), stage.texts("张伟")[-1]) == (1, f"{FIRST} {told}")
    assert len(stage.posts(GROUP)) == count
    assert "已到现场" in next(post.text for post in stage.posts(GROUP) if post.id == receipt.id)


@on_simulator
async def test_what_needs_an_answer_goes_on_in_private(stage: Stage) -> None:
    await in_the_group(stage)
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=70)
    count = len(stage.posts(GROUP))
    await stage.say("张伟", GROUP, "修好了", reply_to=said)
    asked = stage.last("张伟")
    assert (asked.text, asked.buttons) == (f"{FIRST} 要办结，请在这里点一下。", ("办结",))
    await stage.press("张伟", PRIVATE, "办结")
    assert stage.texts("张伟")[-1] == ASKS_PROOF
    assert not any("居民说" in text for text in stage.texts("张伟"))
    assert (last_step(stage), len(stage.posts(GROUP))) == ("assign", count)


@on_simulator
async def test_talk_between_worker_and_resident_is_left_alone(stage: Stage) -> None:
    await in_the_group(stage)
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=70)
    before = stage.texts(GROUP), stage.texts("张伟"), stage.steps(FIRST)
    await stage.say("张伟", GROUP, "您别急，这个要找市政", reply_to=said)
    assert (stage.texts(GROUP), stage.texts("张伟"), stage.steps(FIRST)) == before


@on_simulator
async def test_emergency_is_taken_on_in_the_staff_group(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, FIRE)
    await stage.pass_time(seconds=5)
    called = stage.last(STAFF_GROUP)
    await stage.say("孙立", STAFF_GROUP, "收到", reply_to=called.id)
    assert stage.texts("孙立")[-1] == f"{FIRST} 还没有接单，请点一下。"
    await stage.say("孙立", STAFF_GROUP, "我去看看", reply_to=called.id)
    assert (last_step(stage), f"{FIRST} 已接单。" in stage.texts("孙立")) == ("accept", True)
    await stage.say("孙立", STAFF_GROUP, "到现场了，人没事", reply_to=called.id)
    assert stage.steps(FIRST)[-2:] == ["arrive", "add"]
    count = len(stage.posts(STAFF_GROUP))
    await stage.pass_time(minutes=10)
    assert len(stage.posts(STAFF_GROUP)) == count, "who is there need not be called any more"


@on_simulator
async def test_residents_reply_is_still_the_residents(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("王阿姨", GROUP, "修好了", reply_to=stage.last(GROUP).id)
    assert stage.texts("张伟")[-1] == f"{FIRST} 居民说已经好了，请确认后办结。"
    await stage.say("李叔", GROUP, "接单", reply_to=stage.last(GROUP).id)
    assert "accept" not in stage.steps(FIRST)


OFFER = "照片收到。是哪一件处理后的照片，请点一下，就用它办结；是新的事，请再说一句是什么、在哪里。"


async def test_picture_before_the_step_is_the_proof(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "接单")
    await stage.say("张伟", PRIVATE, "换了新的，盖严了", photo=photo())
    assert (stage.last("张伟").text, stage.last("张伟").buttons) == (OFFER, (f"办结 {FIRST}",))
    await stage.press("张伟", PRIVATE, f"办结 {FIRST}")
    assert last_step(stage) == "finish"
    assert stage.last("张伟").text == f"{FIRST} 已办结，正在请居民评价。"
    asked = next(post.text for post in reversed(stage.posts(GROUP)) if "满意" in post.text)
    assert "换了新的，盖严了" in asked
    await stage.pass_time(seconds=5)
    assert len(stage.pictures(GROUP)) == 1


@on_simulator
async def test_pictures_in_a_row_are_asked_about_once_and_go_together(stage: Stage) -> None:
    await assigned(stage, "2号楼楼道灯不亮了")
    first, second = stage.numbers()
    count = len(stage.posts("张伟"))
    await stage.say("张伟", PRIVATE, photos=[photo(), photo()])
    await stage.say("张伟", PRIVATE, photo=photo())
    assert [post.text for post in stage.posts("张伟")[count:]] == [OFFER]
    assert sorted(stage.last("张伟").buttons) == [f"办结 {first}", f"办结 {second}"]
    await stage.say("张伟", PRIVATE, f"{second} 修好了")
    assert (last_step(stage, first), last_step(stage, second)) == ("assign", "finish")
    assert len(stage.stored()) == 3


@on_simulator
async def test_picture_of_a_new_trouble_goes_with_its_words(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, photo=photo())
    await stage.say("张伟", PRIVATE, "8号楼路灯坏了")
    assert (stage.numbers(), last_step(stage)) == ([FIRST, SECOND], "assign")
    assert len(stage.stored()) == 1


@on_simulator
async def test_picture_long_before_the_step_is_asked_for_again(stage: Stage) -> None:
    await assigned(stage)
    await stage.say("张伟", PRIVATE, photo=photo())
    await stage.pass_time(minutes=20)
    await stage.say("张伟", PRIVATE, "办结")
    assert (stage.texts("张伟")[-1], last_step(stage)) == (ASKS_PROOF, "assign")


@on_simulator
async def test_worker_the_bot_may_not_write_to_causes_no_line_in_the_group(stage: Stage) -> None:
    await in_the_group(stage)
    await assigned(stage)
    receipt, count = stage.last(GROUP), len(stage.posts(GROUP))
    stage.wire.block(stage.people["张伟"])
    await stage.settle()
    await stage.say("张伟", GROUP, "收到", reply_to=receipt.id)
    await stage.say("张伟", GROUP, "我去看看", reply_to=receipt.id)
    assert (last_step(stage), len(stage.posts(GROUP))) == ("accept", count)
