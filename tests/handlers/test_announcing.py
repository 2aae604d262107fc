"""我要投诉, 我要报修: who says so is asked to go on, and their next words are taken for that."""

import pytest

from core.messages import Kind
from domain.cases.life import Step
from tests.stage import GROUP, PRIVATE, Stage, on_simulator

GO_ON = "您请说：是什么事、在哪里？例如“3 号楼 2 单元电梯坏了”，可以带照片。"


@on_simulator
async def test_announced_report_is_asked_for_and_joined_to_what_follows(stage: Stage) -> None:
    before = len(stage.posts(GROUP))
    await stage.say("王阿姨", GROUP, "你好，我要报修")
    await stage.say("王阿姨", GROUP, "我要报修！！")
    assert stage.texts(GROUP)[before:] == [GO_ON]
    await stage.say("李叔", GROUP, "今天天气真好")
    await stage.say("王阿姨", GROUP, "3号楼2单元楼道灯不亮了")
    (number,) = stage.numbers()
    assert stage.case(number).kind == Kind.REPORT
    assert stage.outcomes()[-4:] == ["answered", "joined", "silent", "opened"]


async def test_announced_complaint_goes_on_in_private(stage: Stage) -> None:
    before = len(stage.posts(GROUP))
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", GROUP, "我要投诉物业")
    (post,) = stage.posts(GROUP)[before:]
    assert post.text == "投诉请私聊我说：是什么事、在哪里、什么时候？只有经办人、调解员和社区能看到。"
    assert post.buttons == (("私聊我说",) if stage.wire.name == "telegram" else ())  # where a link can lead there
    await stage.say("王阿姨", PRIVATE, "找他们三回了，每回都是一句等着")
    (number,) = stage.numbers()
    case = stage.case(number)
    assert (case.kind, case.is_private, case.text) == (Kind.COMPLAINT, True, "找他们三回了，每回都是一句等着")
    assert [post for post in stage.posts(GROUP) if number in post.text] == []


@on_simulator
@pytest.mark.parametrize(
    ("announced", "asked", "told", "kind"),
    [
        (
            "我要投诉",
            "您请说：是什么事、在哪里、什么时候？只有经办人、调解员和社区能看到，可以带照片。",
            "找他们三回了，每回都是一句等着",
            Kind.COMPLAINT,
        ),
        ("我想许个愿", "您请说，有什么心愿？", "想再听一回老街的评弹", Kind.WISH),
        ("我有个建议", "您请说，想建议什么？", "把宣传栏挪到北边一点，那里人多", Kind.PROPOSAL),
        ("我想反映个情况", GO_ON, "后门那个坡，雨天走过去心里发慌", Kind.REPORT),
    ],
)
async def test_words_after_an_announcement_are_taken_for_what_it_said(
    stage: Stage, announced: str, asked: str, told: str, kind: Kind
) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, announced)
    assert stage.last("王阿姨").text == asked
    await stage.say("王阿姨", PRIVATE, told)
    (number,) = stage.numbers()
    assert (stage.case(number).kind, stage.case(number).text) == (kind, told)
    assert stage.steps(number)[0] == Step.OPEN


@on_simulator
async def test_who_thinks_better_of_it_is_left_in_peace(stage: Stage) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "我要投诉")
    await stage.say("王阿姨", PRIVATE, "算了，不投诉了")
    assert stage.last("王阿姨").text == "好的，想说的时候随时告诉我。"
    await stage.say("王阿姨", GROUP, "我要报修")
    await stage.pass_time(minutes=11)
    before = len(stage.posts(GROUP))
    await stage.say("王阿姨", GROUP, "后来想想没什么")
    assert (stage.numbers(), len(stage.posts(GROUP))) == ([], before)


@on_simulator
async def test_place_and_photo_alone_wait_for_the_words(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "我要报修")
    await stage.say("王阿姨", GROUP, "8号楼")
    await stage.say("王阿姨", GROUP, "楼道灯坏了")
    (number,) = stage.numbers()
    assert "8 号楼" in stage.case(number).place or "8号楼" in stage.case(number).place


@on_simulator
async def test_announced_complaint_stays_one_where_everybody_reads(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "我要投诉楼上")
    before = len(stage.posts(GROUP))
    await stage.say("小吴", GROUP, "天天半夜拖桌子，睡不着")
    (number,) = stage.numbers()
    case = stage.case(number)
    assert (case.kind, case.is_private) == (Kind.COMPLAINT, True)
    assert all("噪音" not in post.text and "桌子" not in post.text for post in stage.posts(GROUP)[before:])


@on_simulator
async def test_danger_behind_an_announced_complaint_is_called_out(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "我要投诉物业")
    await stage.say("小吴", GROUP, "3号楼楼道着火了")
    (number,) = stage.numbers()
    assert (stage.case(number).kind, stage.case(number).urgency) == (Kind.REPORT, "emergency")
    assert "119" in stage.last(GROUP).text
