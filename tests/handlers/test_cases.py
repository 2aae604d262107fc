"""What residents get for their words: the receipt, what joins a case, what takes it back, and silence."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.messages import Decision, Kind, Utterance
from nlp.understand import understand
from storage.cases import KeptAnswer
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, photo

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

RECEIPT = "BX-20261121-0001 已登记：井盖 · 3号楼\n由张网格员负责，11月21日 18:00 前处理。"
ASKING = (
    "BX-20261121-0001 已登记：井盖\n由张网格员负责，11月21日 18:00 前处理。\n请问在哪栋楼、什么位置？回复这条消息即可。"
)
WITHDRAWN = "BX-20261121-0001 已按您的意思撤回。"
DOUBTS = (
    "路灯是不是坏了",
    "是不是停水了",
    "门口好像坏了",
    "垃圾好像没人收",
    "路灯有点暗",
    "楼道里好像有点味道",
    "这个门好像不太好关",
    "电梯最近是不是有点慢",
)


def doubtful() -> str:
    """Words that the bot has to ask about."""
    readings = {line: understand(Utterance(line)) for line in DOUBTS}
    return next(
        line
        for line, found in readings.items()
        if found.decision is Decision.ASK and found.kind not in (Kind.CHATTER, Kind.COMPLAINT, Kind.DISPUTE)
    )


async def test_report_gets_one_receipt_as_a_reply_with_an_undo_button(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    (post,) = stage.posts(GROUP)
    assert (post.text, post.buttons, post.reply_to) == (RECEIPT, ("撤销登记", "不是这个意思"), said)


async def test_report_without_place_asks_and_takes_the_answer_in_the_residents_words(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "门口井盖坏了")
    assert stage.texts(GROUP) == [ASKING]
    await stage.say("王阿姨", GROUP, "在3号楼东边")
    assert stage.texts(GROUP) == [RECEIPT.replace("3号楼", "3号楼东边")]
    await stage.pass_time(seconds=10)
    assert stage.card("张伟").text.splitlines()[1] == "位置：3号楼东边"


async def test_answer_to_the_question_for_the_place_that_is_another_matter_opens_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "门口井盖坏了")
    await stage.say("王阿姨", GROUP, "8号楼电梯坏了")
    assert stage.numbers() == ["BX-20261121-0001", "BX-20261121-0002"]
    assert stage.case("BX-20261121-0001").place == ""


async def test_place_told_by_somebody_else_is_not_taken(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "门口井盖坏了")
    await stage.say("李叔", GROUP, "在3号楼东边")
    assert stage.texts(GROUP) == [ASKING]


async def test_undo_button_stays_for_a_minute_whatever_is_added(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "门口井盖坏了")
    await stage.say("王阿姨", GROUP, "在3号楼东边")
    assert stage.last(GROUP).buttons == ("撤销登记", "不是这个意思")
    await stage.pass_time(seconds=61)
    assert stage.last(GROUP).buttons == ()


async def test_undo_by_the_reporter_takes_the_case_back(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    assert await stage.press("王阿姨", GROUP, "撤销登记") == "已撤销。"
    assert [(post.text, post.buttons) for post in stage.posts(GROUP)] == [(WITHDRAWN, ())]
    await stage.pass_time(minutes=1)
    assert stage.posts("张伟") == []
    assert stage.steps("BX-20261121-0001") == ["open", "assign", "withdraw"]


async def test_undo_by_somebody_else_is_refused(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    assert await stage.press("李叔", GROUP, "撤销登记") == "这个按钮是给别人的，您不能操作。"
    assert stage.texts(GROUP) == [RECEIPT]


async def test_undo_pressed_twice_is_done_once(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    notices = [stage.tap("王阿姨", GROUP, "撤销登记") for _ in range(2)]
    await stage.settle()
    assert [notice() for notice in notices] == ["已撤销。", "已有人在处理，不能撤销；如需撤回，请回复那条回执“撤回”。"]
    assert stage.steps("BX-20261121-0001").count("withdraw") == 1


async def test_undo_after_a_minute_is_refused_with_the_way_that_is_left(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    shown = stage.last(GROUP)
    stage.clock.advance(timedelta(seconds=70))
    assert (
        await stage.press("王阿姨", GROUP, "撤销登记", of=shown) == "登记已超过一分钟；如需撤回，请回复那条回执“撤回”。"
    )
    await stage.say("王阿姨", GROUP, "撤回", reply_to=shown.id)
    assert stage.texts(GROUP) == [WITHDRAWN]


async def test_undo_after_the_worker_accepted_is_refused(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    stage.tap("张伟", PRIVATE, "接单")
    undoing = stage.tap("王阿姨", GROUP, "撤销登记")
    await stage.settle()
    assert undoing() == "已有人在处理，不能撤销；如需撤回，请回复那条回执“撤回”。"
    assert stage.case("BX-20261121-0001").state == "accepted"


@pytest.mark.parametrize("word", ["撤回", "撤销", "我要撤回", "发错了", "不用管了"])
async def test_word_of_withdrawal_by_the_reporter_takes_the_case_back(stage: Stage, word: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", GROUP, word, reply_to=stage.last(GROUP).id)
    assert stage.texts(GROUP) == [WITHDRAWN]


async def test_word_of_withdrawal_by_somebody_else_changes_nothing(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("李叔", GROUP, "撤回", reply_to=stage.last(GROUP).id)
    assert stage.case("BX-20261121-0001").state == "assigned"


async def test_withdrawn_message_takes_an_unaccepted_case_with_it(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    stage.wire.platform.withdraw(said, stage.people["王阿姨"])  # type: ignore[attr-defined]  # the simulator tells of it
    await stage.settle()
    assert stage.texts(GROUP) == [WITHDRAWN]


async def test_photo_before_the_words_joins_the_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, photo=photo())
    assert stage.posts(GROUP) == []
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    assert len(stage.card("张伟").files) == 1
    assert stage.outcomes()[-2:] == ["joined", "opened"]


async def test_photo_after_the_card_follows_in_one_message(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    await stage.say("王阿姨", GROUP, photos=[photo("green"), photo("blue")])
    await stage.pass_time(seconds=10)
    _, late = stage.posts("张伟")
    assert (late.text, len(late.files)) == ("BX-20261121-0001 补充了照片。", 2)
    assert len(stage.posts(GROUP)) == 1


async def test_same_words_again_join_the_open_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", GROUP, "3号楼门口的井盖坏了")
    assert stage.numbers() == ["BX-20261121-0001"]


async def test_another_matter_within_minutes_is_another_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", GROUP, "8号楼电梯坏了")
    assert stage.numbers() == ["BX-20261121-0001", "BX-20261121-0002"]
    await stage.pass_time(seconds=10)
    assert stage.card("周强").text.splitlines()[0] == "【报事】BX-20261121-0002"


async def test_correction_moves_the_case_to_the_worker_of_the_right_place(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", GROUP, "打错了，是8号楼")
    assert stage.texts(GROUP) == [RECEIPT.replace("3号楼", "8号楼").replace("张", "周")]
    await stage.pass_time(seconds=10)
    assert (stage.posts("张伟"), stage.card("周强").text.splitlines()[1]) == ([], "位置：8号楼")


async def test_edited_words_reach_the_worker(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    await stage.edit("王阿姨", GROUP, said, "3号楼门口井盖坏了，有个大洞")
    assert stage.texts("张伟")[1:] == ["BX-20261121-0001 的内容已修改：3号楼门口井盖坏了，有个大洞"]
    assert "内容：3号楼门口井盖坏了，有个大洞" in stage.card("张伟").text


async def test_edit_that_makes_a_matter_of_chatter_opens_it(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, "大家早上好")
    await stage.edit("王阿姨", GROUP, said, "3号楼门口井盖坏了")
    assert stage.texts(GROUP) == [RECEIPT]


async def test_still_broken_urges_the_worker_on(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    await stage.say("王阿姨", GROUP, "还没修")
    assert stage.texts(GROUP) == [RECEIPT, "抱歉给您添麻烦了，BX-20261121-0001 已重新催办。"]
    assert stage.texts("张伟")[1:] == ["BX-20261121-0001 有补充：还没修"]
    assert stage.steps("BX-20261121-0001") == ["open", "assign", "remind"]


async def test_resident_saying_it_is_done_asks_the_worker_to_confirm(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    await stage.say("王阿姨", GROUP, "修好了")
    assert stage.texts("张伟")[-1] == "BX-20261121-0001 居民说已经好了，请确认后办结。"
    assert stage.case("BX-20261121-0001").state == "assigned"


async def test_doubt_is_asked_once_and_only_its_speaker_may_answer(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, doubtful())
    (question,) = stage.posts(GROUP)
    assert (question.text, question.buttons) == ("这是要请社区处理的事吗？", ("登记", "不用"))
    assert await stage.press("李叔", GROUP, "登记") == "这个按钮是给别人的，您不能操作。"
    assert stage.numbers() == []
    assert await stage.press("王阿姨", GROUP, "登记") == ""
    assert stage.texts(GROUP)[0] == "好的，已登记。"
    assert stage.posts(GROUP)[0].buttons == ()
    assert len(stage.numbers()) == 1


async def test_doubt_declined_registers_nothing(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, doubtful())
    await stage.press("王阿姨", GROUP, "不用")
    assert (stage.texts(GROUP), stage.numbers()) == (["好的，不登记。"], [])


async def test_doubt_answered_twice_is_registered_once(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, doubtful())
    notices = [stage.tap("王阿姨", GROUP, "登记"), stage.tap("王阿姨", GROUP, "登记")]
    await stage.settle()
    assert [notice() for notice in notices] == ["", "这个按钮已经失效，请用最新的那条消息。"]
    assert len(stage.numbers()) == 1


async def test_question_is_answered_by_staff_and_the_answer_is_kept(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "高龄补贴怎么办")
    assert stage.texts(GROUP) == ["ZX-20261121-0001 您的问题已转给社区工作人员，有答复就在这里告诉您。"]
    await stage.pass_time(seconds=10)
    assert stage.card("陈静").buttons == ("答复", "退单")
    await stage.press("陈静", PRIVATE, "答复")
    await stage.say("陈静", PRIVATE, "带身份证到党群服务中心")
    assert stage.texts(GROUP)[1:] == ["ZX-20261121-0001 社区答复：带身份证到党群服务中心\n请问解决您的问题了吗？"]
    with stage.app.database.reading() as session:
        kept = session.scalars(select(KeptAnswer)).one()
        assert (kept.question, kept.answer) == ("高龄补贴怎么办", "带身份证到党群服务中心")


async def test_word_that_it_is_still_broken_goes_to_the_thing_it_names(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口路灯不亮")
    await stage.say("王阿姨", GROUP, "3号楼2单元电梯坏了")
    await stage.say("王阿姨", GROUP, "我建议小区里装几个健身器材")
    await stage.say("王阿姨", GROUP, "路灯还没修好")
    assert stage.texts(GROUP)[-1] == "抱歉给您添麻烦了，BX-20261121-0001 已重新催办。"
    await stage.say("王阿姨", GROUP, "还没修好")
    assert stage.texts(GROUP)[-1] == "抱歉给您添麻烦了，BX-20261121-0002 已重新催办。"


async def test_neighbour_who_asks_whether_it_is_mended_joins_the_case(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼2单元电梯坏了")
    await stage.say("王阿姨", GROUP, "我建议小区里装几个健身器材")
    await stage.say("王阿姨", GROUP, "3号楼2单元的电梯是不是还没修好")
    assert "BX-20261121-0001" in stage.texts(GROUP)[-1]
    assert stage.numbers() == ["BX-20261121-0001", "JY-20261121-0001"]


async def test_emergency_tells_the_number_to_call_and_wakes_worker_and_desk_at_once(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    assert stage.texts(GROUP) == [
        "请立即拨打 120（急救），先不要随意搬动伤病的人；火警、救援 119，报警 110。\n"
        "BX-20261121-0001 已紧急通知张网格员。"
    ]
    assert stage.texts(STAFF_GROUP) == ["⚠ 紧急 BX-20261121-0001：突发伤病 · 3号楼\n位置：3号楼\n请立即接单！"]
    assert stage.card("张伟").text.splitlines()[0] == "【报事】BX-20261121-0001 ⚠ 紧急"


async def test_mine_in_a_group_hides_what_is_private(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "我的")
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", GROUP, "投诉楼上半夜吵架")
    await stage.say("王阿姨", GROUP, "我的")
    assert stage.texts(GROUP)[0].startswith("您还没有登记过事情。")
    assert stage.texts(GROUP)[-1] == (
        "您最近的登记：\nBX-20261121-0001 井盖 · 3号楼：已派单\n其余的请私聊我发“我的”查看。"
    )
    await stage.say("王阿姨", PRIVATE, "我的")
    assert len(stage.texts("王阿姨")[-1].splitlines()) == 3


async def test_mine_in_a_group_leaves_out_what_was_told_in_private(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, "3号楼我老伴晕倒了")
    await stage.say("王阿姨", GROUP, "我的")
    assert stage.texts(GROUP) == ["您登记的事请私聊我发“我的”查看。"]
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", GROUP, "我的")
    assert stage.texts(GROUP)[-1] == (
        "您最近的登记：\nBX-20261121-0002 井盖 · 3号楼：已派单\n其余的请私聊我发“我的”查看。"
    )


async def test_mine_in_a_group_leaves_out_what_was_joined_in_private(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼停电了")
    await stage.say("李叔", PRIVATE, "3号楼停电了")
    await stage.say("小吴", GROUP, "我家也是")
    assert stage.numbers() == ["BX-20261121-0001"]
    await stage.say("李叔", GROUP, "我的")
    assert stage.texts(GROUP)[-1] == "您登记的事请私聊我发“我的”查看。"
    await stage.say("小吴", GROUP, "我的")
    assert stage.texts(GROUP)[-1] == "您最近的登记：\nBX-20261121-0001 停电 · 3号楼：已派单"
