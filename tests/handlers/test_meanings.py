"""Not what was meant: by the button of the receipt's minute or in words; it is worked as what it is, and learnt from."""

import pytest
from sqlalchemy import select

from storage.understanding import Correction
from tests.stage import GROUP, PRIVATE, Stage, photo

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

FIRST, SECOND = "BX-20261121-0001", "BX-20261121-0002"
SAID = "3号楼电梯坏了"
NOT_MEANT = "不是这个意思"
ASKED = f"抱歉理解错了，您的登记（{FIRST}）已撤回。请问这是什么事？"
CHOICES = ("报修", "心愿", "投诉", "咨询", "随便聊聊")
NOT_YOURS = "这个按钮是给别人的，您不能操作。"


def learnt(stage: Stage) -> list[tuple[str, str, str, str | None, bool]]:
    with stage.app.database.reading() as session:
        rows = session.scalars(select(Correction).order_by(Correction.id))
        return [(row.text, row.kind_before, row.kind, row.topic, row.is_by_resident) for row in rows]


async def test_button_asks_what_it_is_and_works_it_so(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, SAID)
    assert stage.last(GROUP).buttons == ("撤销登记", NOT_MEANT)
    assert await stage.press("李叔", GROUP, NOT_MEANT) == NOT_YOURS
    assert await stage.press("王阿姨", GROUP, NOT_MEANT) == ""
    assert stage.case(FIRST).state == "withdrawn"
    assert [(post.text, post.buttons) for post in stage.posts(GROUP)] == [(ASKED, CHOICES)]
    assert (learnt(stage), await stage.press("李叔", GROUP, "咨询")) == ([], NOT_YOURS)
    await stage.press("王阿姨", GROUP, "咨询")
    made = stage.case("ZX-20261121-0001")
    assert (made.kind, made.text, made.topic, made.state) == ("question", SAID, "lift", "assigned")
    assert [(post.text[:22], post.buttons, post.reply_to) for post in stage.posts(GROUP)] == [
        ("好的，按“咨询”重新登记。", (), said),
        ("ZX-20261121-0001 您的问题已", ("撤销登记", NOT_MEANT), said),
    ]
    assert learnt(stage) == [(SAID, "report", "question", "lift", True)]


async def test_chatter_registers_nothing_and_is_learnt(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.press("王阿姨", GROUP, NOT_MEANT)
    notices = [stage.tap("王阿姨", GROUP, choice) for choice in ("随便聊聊", "咨询")]
    await stage.settle()
    assert [notice() for notice in notices] == ["", "这个按钮已经失效，请用最新的那条消息。"]
    assert (stage.texts(GROUP), stage.numbers()) == (["好的，不登记。"], [FIRST])
    assert learnt(stage) == [(SAID, "report", "chatter", None, True)]


async def test_same_kind_again_leaves_the_topic_to_staff(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.press("王阿姨", GROUP, NOT_MEANT)
    await stage.press("王阿姨", GROUP, "报修")
    assert (stage.case(SECOND).topic, stage.case(SECOND).place, stage.case(SECOND).state) == (None, "3号楼", "assigned")
    assert learnt(stage) == [(SAID, "report", "report", None, True)]


async def test_complaint_goes_on_in_private(stage: Stage) -> None:
    await stage.start("王阿姨")
    await stage.say("王阿姨", GROUP, SAID)
    await stage.press("王阿姨", GROUP, NOT_MEANT)
    await stage.press("王阿姨", GROUP, "投诉")
    number = stage.numbers()[-1]
    assert stage.case(number).is_private
    assert stage.texts("王阿姨")[-1].startswith(f"{number} 已登记，由赵调解员跟进")
    assert "私下说" in stage.last(GROUP).text


async def test_photo_goes_along(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.say("王阿姨", GROUP, photo=photo())
    await stage.press("王阿姨", GROUP, NOT_MEANT)
    await stage.press("王阿姨", GROUP, "报修")
    await stage.pass_time(seconds=20)
    assert [len(post.files) for post in stage.about(SECOND, "张伟") if post.files] == [1]


async def test_button_is_for_its_minute(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.pass_time(seconds=50)
    assert NOT_MEANT in stage.last(GROUP).buttons
    await stage.pass_time(minutes=1)
    assert (stage.last(GROUP).buttons, stage.case(FIRST).state) == ((), "assigned")


@pytest.mark.parametrize("words", [NOT_MEANT, "理解错了", "你理解错了吧", "我不是这个意思"])
async def test_words_under_the_receipt_ask_what_it_is(stage: Stage, words: str) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.pass_time(minutes=5)
    await stage.say("王阿姨", GROUP, words, reply_to=stage.last(GROUP).id)
    assert (stage.last(GROUP).text, stage.last(GROUP).buttons) == (ASKED, CHOICES)
    await stage.say("王阿姨", GROUP, "投诉")
    assert [stage.case(number).kind for number in stage.numbers()] == ["report", "complaint"]


async def test_answer_is_taken_whatever_it_sounds_like(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.press("王阿姨", GROUP, NOT_MEANT)
    await stage.say("王阿姨", GROUP, "咨询")
    assert [stage.case(number).kind for number in stage.numbers()] == ["report", "question"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [("不是报修，是咨询", "question"), ("理解错了，我是想投诉", "complaint"), ("你登记错了，随便聊聊", "")],
)
async def test_words_that_say_what_it_is_need_no_question(stage: Stage, words: str, kind: str) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.say("王阿姨", GROUP, words, reply_to=stage.last(GROUP).id)
    assert stage.case(FIRST).state == "withdrawn"
    assert [stage.case(number).kind for number in stage.numbers()[1:]] == ([kind] if kind else [])
    assert [line[2] for line in learnt(stage)] == [kind or "chatter"]


async def test_words_in_private_mean_the_last_report(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, SAID)
    await stage.say("王阿姨", PRIVATE, "理解错了")
    assert (stage.case(FIRST).state, stage.last("王阿姨").buttons) == ("withdrawn", CHOICES)


async def test_words_to_neighbours_or_by_others_change_nothing(stage: Stage) -> None:
    own = await stage.say("王阿姨", GROUP, SAID)
    await stage.say("王阿姨", GROUP, "你理解错了")
    await stage.say("王阿姨", GROUP, "你理解错了", reply_to=own)
    await stage.say("李叔", GROUP, "理解错了", reply_to=stage.last(GROUP).id)
    assert (stage.numbers(), stage.case(FIRST).state, len(stage.posts(GROUP))) == ([FIRST], "assigned", 1)


async def test_words_after_somebody_has_taken_it_on_reach_the_worker(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, SAID)
    await stage.pass_time(seconds=10)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.say("王阿姨", GROUP, "理解错了", reply_to=stage.last(GROUP).id)
    assert (stage.case(FIRST).state, stage.texts("张伟")[-1]) == ("accepted", f"{FIRST} 有补充：理解错了")


async def test_neighbours_who_joined_keep_the_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼整栋停电了，麻烦派人看看")
    await stage.say("李叔", GROUP, "我家也是")
    await stage.press("王阿姨", GROUP, NOT_MEANT)
    assert (stage.case(FIRST).state, stage.last(GROUP).text) == ("assigned", ASKED)
    await stage.press("王阿姨", GROUP, "随便聊聊")
    assert (stage.case(FIRST).joined, stage.numbers()) == (0, [FIRST])


async def test_edit_after_it_became_something_else_reaches_that(stage: Stage) -> None:
    said = await stage.say("王阿姨", GROUP, SAID)
    await stage.press("王阿姨", GROUP, NOT_MEANT)
    await stage.press("王阿姨", GROUP, "咨询")
    await stage.edit("王阿姨", GROUP, said, "3号楼电梯坏了，找谁问")
    assert [stage.case(number).text for number in stage.numbers()] == [SAID, "3号楼电梯坏了，找谁问"]
