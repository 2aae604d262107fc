"""The calls of an emergency: every copy loses its buttons when somebody has accepted, or when the matter goes to somebody else."""

from sqlalchemy import select

from domain.cases import desk
from storage.cases import Case
from storage.people import Account, PrivateChat
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, on_simulator

NUMBER = "BX-20261121-0001"
CALL = "请立即拨打 120（急救），先不要随意搬动伤病的人；火警、救援 119，报警 110。"
SETTLED = f"{NUMBER} 现在是“已接单”，不再催促接单。"


async def called_twice(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=7)
    assert [post.buttons for post in stage.about(NUMBER, "张伟")] == [("接单", "退单")] * 3


def called(stage: Stage, chat: str) -> list[str]:
    return [text for text in stage.texts(chat) if "仍无人接单" in text]


async def test_all_copies_lose_their_buttons_when_one_is_pressed(stage: Stage) -> None:
    await called_twice(stage)
    copies = stage.about(NUMBER, "张伟")
    assert await stage.press("张伟", PRIVATE, "接单", of=copies[1]) == "已接单。"
    card, first, second = stage.about(NUMBER, "张伟")
    assert card.buttons == ("到场", "办结", "退单")
    assert [(call.text, call.buttons) for call in (first, second)] == [(SETTLED, ())] * 2


@on_simulator
async def test_copies_of_whoever_returned_it_say_so(stage: Stage) -> None:
    await called_twice(stage)
    await stage.press("张伟", PRIVATE, "退单", of=stage.about(NUMBER, "张伟")[2])
    await stage.say("张伟", PRIVATE, "不在我的网格")
    assert [post.buttons for post in stage.about(NUMBER, "张伟")[:3]] == [()] * 3
    assert stage.card("孙立").buttons == ("接单", "退单")


@on_simulator
async def test_taken_on_and_given_back_is_called_out_again(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.press("张伟", PRIVATE, "接单")
    await stage.pass_time(minutes=20)
    assert len(stage.about(NUMBER, STAFF_GROUP)) == 1
    await stage.press("张伟", PRIVATE, "退单")
    await stage.say("张伟", PRIVATE, "我赶不过去")
    assert stage.last(STAFF_GROUP).text == f"⚠ 紧急 {NUMBER} 被退回：突发伤病 · 3号楼\n位置：3号楼\n请立即接单！"
    await stage.pass_time(minutes=7)
    calls = [f"⚠ 仍无人接单（第 {count} 次提醒）：{NUMBER} 突发伤病 · 3号楼，位置：3号楼" for count in (1, 2)]
    assert called(stage, "孙立") == calls
    assert called(stage, STAFF_GROUP) == calls[:1]
    await stage.press("孙立", PRIVATE, "接单")
    await stage.pass_time(minutes=30)
    assert called(stage, STAFF_GROUP) == calls[:1]


@on_simulator
async def test_handed_over_from_who_had_it_is_called_out_again(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.press("张伟", PRIVATE, "接单")
    with stage.app.database.writing() as session:
        case, clerk = session.get_one(Case, stage.case(NUMBER).id), stage.person(session, "陈静")
        desk.hand_over(session, case, clerk, stage.person(session, "孙立").id, now=stage.clock.now())
    await stage.pass_time(minutes=4)
    assert [text[:16] for text in called(stage, "孙立")] == ["⚠ 仍无人接单（第 1 次提醒）"]


@on_simulator
async def test_nobody_ever_taking_it_is_called_out_on_and_on(stage: Stage) -> None:
    """Every three minutes for an hour, and every quarter of an hour from then on."""
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=62)
    assert len(called(stage, "张伟")) == 20
    await stage.pass_time(minutes=31)
    assert [text[:15] for text in called(stage, "张伟")[-2:]] == [
        "⚠ 仍无人接单（第 21 次提",
        "⚠ 仍无人接单（第 22 次提",
    ]


@on_simulator
async def test_nobody_taking_it_goes_higher_and_the_resident_is_told_once(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=8)
    assert (stage.posts("孙立"), stage.posts("陈静"), len(stage.texts(GROUP))) == ([], [], 1)
    await stage.pass_time(hours=2, minutes=7)
    third = f"⚠ 仍无人接单（第 3 次提醒）：{NUMBER} 突发伤病 · 3号楼，位置：3号楼"
    for higher in ("孙立", "陈静"):
        assert called(stage, higher)[0] == third
        assert len(called(stage, higher)) == 23
        assert stage.last(higher).buttons == ("接单",)
    assert called(stage, STAFF_GROUP)[1:] == [f"{third}\n已再通知：孙微网格长、陈社工。"]
    assert len([text for text in stage.about(NUMBER, STAFF_GROUP) if "⚠" in text.text]) == 3
    assert stage.texts(GROUP)[1:] == [f"{NUMBER} 还没有人接单，我还在找人。请不要等，直接打电话：\n{CALL}"]
    assert stage.steps(NUMBER).count("escalate") == 2


@on_simulator
async def test_whoever_it_climbed_to_takes_it_over_with_a_tap(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=10)
    assert await stage.press("陈静", PRIVATE, "接单") == "已接单。"
    assert [(post.text, post.buttons) for post in stage.posts("孙立")] == [(SETTLED, ())]
    assert stage.posts("张伟")[0].text == f"{NUMBER} 已转给他人处理。"
    assert {(post.text, post.buttons) for post in stage.posts("张伟")[1:]} == {(SETTLED, ())}
    assert stage.card("陈静").buttons == ("到场", "办结", "退单")
    assert "陈社工已接单" in stage.texts(GROUP)[0]
    await stage.pass_time(hours=1)
    assert called(stage, "陈静") == called(stage, "张伟") == []


@on_simulator
async def test_nobody_to_go_to_leaves_the_staff_group(stage: Stage) -> None:
    with stage.app.database.writing() as session:
        for name in ("张伟", "孙立", "陈静", "赵敏"):
            account = session.scalars(select(Account).where(Account.person_id == stage.person(session, name).id)).one()
            account.private_chat = PrivateChat.BLOCKED
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=59)
    assert [text.partition("\n")[2] for text in called(stage, STAFF_GROUP)] == ["", "没有别人可以通知到，请电话安排。"]
    await stage.pass_time(minutes=32)
    assert len(called(stage, STAFF_GROUP)) == 5


@on_simulator
async def test_crisis_that_nobody_takes_goes_to_who_may_know_of_it(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "我不想活了，在3号楼楼顶")
    await stage.pass_time(minutes=10)
    again = f"⚠ 仍无人接单（第 3 次提醒）：{NUMBER} 需要马上关心的私密事项，位置：仅经办人可见"
    assert stage.texts("孙立") == []
    assert stage.texts("陈静") == [again]
    assert stage.texts(STAFF_GROUP)[-1] == f"{again}\n已再通知：陈社工。"
    assert stage.texts("李叔")[1:] == [
        "我还在替您找人，您不是一个人在扛。请不要等，现在就打 12356（有人听您说）；已有危险请马上打 120（急救）、110（报警）。"
    ]
    await stage.press("陈静", PRIVATE, "接单")
    assert "内容：我不想活了，在3号楼楼顶" in stage.card("陈静").text.splitlines()
