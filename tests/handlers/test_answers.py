"""A question answered once is answered again at once; a person's own affairs never are, and the staff can still be asked."""

import pytest
from sqlalchemy import select

from domain.cases import answers
from storage.cases import KeptAnswer
from tests.stage import GROUP, PRIVATE, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

ASKED = "高龄补贴怎么办"
ANSWER = "年满八十周岁，带身份证和户口簿到党群服务中心办理。"
KEPT = f"社区曾这样回答（2026年11月21日）：{ANSWER}\n不是您想问的，请点下面的按钮。"
FORWARDED = "ZX-20261121-0002 您的问题已转给社区工作人员，有答复就在这里告诉您。"


async def answered(stage: Stage, asked: str = ASKED, answer: str = ANSWER) -> None:
    await stage.say("小吴", GROUP, asked)
    await stage.pass_time(seconds=10)
    await stage.press("陈静", PRIVATE, "答复")
    await stage.say("陈静", PRIVATE, answer)


@pytest.mark.parametrize("text", [ASKED, "请问高龄补贴如何办理？", "高龄补贴怎么申请呀", "麻烦问一下高龄补贴怎么弄"])
async def test_like_question_is_answered_at_once_with_its_source(stage: Stage, text: str) -> None:
    await answered(stage)
    said = await stage.say("李叔", GROUP, text)
    post = stage.last(GROUP)
    assert (post.text, post.buttons, post.reply_to) == (KEPT, ("再问工作人员",), said)
    assert (stage.numbers(), stage.outcomes()[-1]) == (["ZX-20261121-0001"], "answered")


async def test_like_question_in_private_is_answered_too(stage: Stage) -> None:
    await answered(stage)
    await stage.say("李叔", PRIVATE, ASKED)
    post = stage.last("李叔")
    assert (post.text, post.buttons) == (KEPT, ("再问工作人员",))
    await stage.press("李叔", PRIVATE, "再问工作人员")
    assert stage.last("李叔").text == FORWARDED


async def test_staff_can_still_be_asked_once_by_whoever_asked(stage: Stage) -> None:
    await answered(stage)
    await stage.say("李叔", GROUP, ASKED)
    shown = stage.last(GROUP)
    assert await stage.press("小吴", GROUP, "再问工作人员", of=shown) == "这个按钮是给别人的，您不能操作。"
    assert await stage.press("李叔", GROUP, "再问工作人员", of=shown) == ""
    assert stage.texts(GROUP)[-2:] == ["好的，已转给社区工作人员。", FORWARDED]
    assert (stage.case("ZX-20261121-0002").text, stage.last(GROUP).reply_to) == (ASKED, shown.reply_to)


@pytest.mark.parametrize(
    "text",
    [
        "高龄补贴什么时候发",
        "高龄补贴需要什么材料",
        "残疾人补贴怎么办",
        "我妈的高龄补贴怎么办",
        "3号楼王先生的高龄补贴怎么办",
    ],
)
async def test_other_or_personal_question_goes_to_staff(stage: Stage, text: str) -> None:
    await answered(stage)
    await stage.say("李叔", GROUP, text)
    assert KEPT not in stage.texts(GROUP)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("我妈的高龄补贴怎么办", ANSWER),
        (ASKED, "请找王建国，电话 13812345678。"),
        (ASKED, "您母亲的申请上周已经批下来了。"),
        (ASKED, "已为您办好，下月到账。"),
    ],
)
async def test_answer_about_a_person_is_never_quoted(stage: Stage, asked: str, answer: str) -> None:
    await answered(stage, asked, answer)
    await stage.say("李叔", GROUP, ASKED)
    assert [text for text in stage.texts(GROUP) if text.startswith("社区曾这样回答")] == []
    assert stage.numbers() == ["ZX-20261121-0001", "ZX-20261121-0002"]


async def test_report_is_never_answered_from_what_is_kept(stage: Stage) -> None:
    await answered(stage)
    await stage.say("李叔", GROUP, "8号楼电梯坏了")
    assert stage.numbers()[-1] == "BX-20261121-0001"


async def test_answer_that_was_taken_away_serves_no_more(stage: Stage) -> None:
    await answered(stage)
    with stage.app.database.writing() as session:
        answers.remove(session, stage.place.id, session.scalars(select(KeptAnswer.id)).one())
    await stage.say("李叔", GROUP, ASKED)
    assert stage.last(GROUP).text == FORWARDED
