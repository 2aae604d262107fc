"""A community's days from wire to wire, on Telegram and on the simulator: what each person sees, word for word."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.messages import Decision, Kind, Utterance
from domain import announcements, chats, conventions
from domain.announcements import Announcement
from domain.conventions import ClauseWords
from nlp.understand import understand
from storage.base import Session
from storage.people import Role
from tests import builders
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, photo

CHINA = ZoneInfo("Asia/Shanghai")
PLUMS = "梧桐苑邻里群"
MANHOLE, LIFT = "BX-20261121-0001", "BX-20261121-0002"
ASK_PROOF = "请发一张处理后的照片；没有照片的，请写一句原因，例如“已电话答复”。发送“取消”可放弃办结。"
NOT_YOURS = "这个按钮是给别人的，您不能操作。"
DOUBTS = ("垃圾好像没人收", "路灯有点暗", "楼道里好像有点味道", "这个门好像不太好关", "电梯最近是不是有点慢")


def card(number: str, place: str, topic: str, words: str, deadline: str, state: str) -> str:
    return f"【报事】{number}\n位置：{place}\n事项：{topic}\n内容：{words}\n时限：{deadline}\n状态：{state}"


@pytest.mark.slow
async def test_story_of_a_community(stage: Stage) -> None:
    """More than forty things that people say and do, and one message of the bot a case in the group until it is done."""
    await group_and_worker_are_bound(stage)
    await manhole_is_reported(stage)
    await manhole_is_worked(stage)
    await manhole_is_given_back_and_finished(stage)
    await quarrel_leaves_the_group(stage)
    await wish_and_question(stage)
    await doubt_edit_and_withdrawal(stage)
    assert stage.spoken > 40
    assert stage.unsettled() == []
    numbers = stage.numbers()
    assert len(set(numbers)) == len(numbers)


async def group_and_worker_are_bound(stage: Stage) -> None:
    stage.add_group(PLUMS, ["李叔", "小吴"])
    stage.add_person("钱多")
    with stage.app.database.writing() as session:
        somebody = builders.person(session, "钱多", Role.BUILDING_STEWARD, stage.place.other_building.id)
        now = stage.clock.now()
        for_group = chats.make_code(
            session, community_id=stage.place.id, now=now, by_id=None, area_id=stage.place.other_grid.id
        )
        for_person = chats.make_code(session, community_id=stage.place.id, now=now, by_id=None, person_id=somebody.id)
    await stage.say("小吴", PLUMS, "8号楼电梯坏了")
    assert stage.texts(PLUMS) == []
    await stage.say("李叔", PLUMS, "绑定 AAAA2222")
    await stage.say("李叔", PLUMS, f"绑定 {for_group.lower()}")
    assert stage.texts(PLUMS) == [
        "这个编码不对；请核对后再发，例如“绑定 ABCD2345”，或请社区工作人员重新生成。",
        "本群已绑定到第二网格。",
        "大家好，我是第二网格的五微小助手：有事直接在群里说，我会登记编号、找到负责人、办完请您评价。"
        "为此我会读群里的消息，闲聊不保存。发“帮助”看用法。",
    ]
    await stage.start("钱多")
    await stage.say("钱多", PRIVATE, f"绑定 {for_person}")
    await stage.say("钱多", PRIVATE, "任务")
    await stage.say("钱多", PRIVATE, f"绑定 {for_person}")
    assert stage.texts("钱多")[1:] == [
        "绑定成功，您好，钱多。发“任务”看待办，发“登录”进工作台。",
        "您手上没有待办的事。",
        "这个编码已经用过了；请社区工作人员重新生成一个。",
    ]


async def manhole_is_reported(stage: Stage) -> None:
    """A photo, then the words, then the place, then an album: one case, one receipt."""
    for line in ("大家早上好", "今天天气真好", "收到，谢谢"):
        await stage.say("李叔", GROUP, line)
    await stage.say("王阿姨", GROUP, photo=photo("red"))
    assert stage.posts(GROUP) == []
    said = await stage.say("王阿姨", GROUP, "门口井盖坏了")
    (receipt,) = stage.posts(GROUP)
    assert receipt.text == (
        f"{MANHOLE} 已登记：井盖\n由张网格员负责，11月21日 18:00 前处理。\n请问在哪栋楼、什么位置？回复这条消息即可。"
    )
    assert (receipt.buttons, receipt.reply_to) == (("撤销登记", "不是这个意思"), said)
    await stage.say("王阿姨", GROUP, "3号楼东边")
    assert stage.texts(GROUP) == [f"{MANHOLE} 已登记：井盖 · 3号楼东边\n由张网格员负责，11月21日 18:00 前处理。"]
    assert await stage.press("李叔", GROUP, "撤销登记") == NOT_YOURS
    await stage.pass_time(seconds=10)
    assert stage.card("张伟").text == card(MANHOLE, "3号楼东边", "井盖", "门口井盖坏了", "11月21日 18:00", "已派单")
    assert stage.card("张伟").buttons == ("接单", "退单")
    await stage.say("王阿姨", GROUP, "补两张", photos=[photo("green"), photo("blue")])
    await stage.pass_time(seconds=90)
    assert stage.posts(GROUP)[0].buttons == ()
    pictures = stage.pictures("张伟")
    assert sorted(pictures) == sorted(path.read_bytes() for path in stage.stored())
    assert len(pictures) == 3
    assert not any(b"SecretPhoneMaker" in picture or b"Exif" in picture for picture in pictures)
    assert len(stage.about(MANHOLE, GROUP)) == 1


async def manhole_is_worked(stage: Stage) -> None:
    """Accepted, reached, done with a photo; the resident is not satisfied."""
    assert await stage.press("张伟", PRIVATE, "接单") == "已接单。"
    assert stage.card("张伟").buttons == ("到场", "办结", "退单")
    assert stage.texts(GROUP) == [f"{MANHOLE} 已登记：井盖 · 3号楼东边\n张网格员已接单，11月21日 18:00 前处理。"]
    assert await stage.press("张伟", PRIVATE, "到场") == "已记录到场。"
    assert stage.texts(GROUP) == [f"{MANHOLE} 已登记：井盖 · 3号楼东边\n张网格员已到现场。"]
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "好")
    await stage.say("张伟", PRIVATE, photo=photo("white"))
    assert stage.texts("张伟")[-3:] == [
        ASK_PROOF,
        "请附一张处理后的照片，或写一句办理情况（至少两个字）。",
        f"{MANHOLE} 已办结，正在请居民评价。",
    ]
    question = stage.last(GROUP)
    assert question.text == (f"{MANHOLE} 井盖 · 3号楼东边，张网格员说已经处理好了：（附照片）\n请问您满意吗？")
    assert (question.buttons, len(question.files)) == (("满意", "不满意"), 1)
    assert await stage.press("李叔", GROUP, "不满意") == NOT_YOURS
    await stage.press("王阿姨", GROUP, "不满意")
    assert stage.last(GROUP).text == (
        f"抱歉没让您满意，{MANHOLE} 已重新打开，会有人继续跟进。您可以直接回复哪里还不好。"
    )
    assert [post.text for post in stage.about(MANHOLE, STAFF_GROUP)] == [f"{MANHOLE} 居民不满意，已重新打开。"]
    assert stage.card("张伟").buttons == ("接单", "退单")


async def manhole_is_given_back_and_finished(stage: Stage) -> None:
    """Returned with a reason, finished by the next in line, forgotten by the resident, nudged, closed."""
    await stage.press("张伟", PRIVATE, "退单")
    await stage.say("张伟", PRIVATE, "不在我的网格")
    await stage.pass_time(seconds=10)
    assert stage.texts("张伟")[-1] == f"{MANHOLE} 已退单，社区会另行安排。"
    assert len(stage.pictures("孙立")) == 3
    await stage.press("孙立", PRIVATE, "接单")
    await stage.press("孙立", PRIVATE, "办结")
    await stage.say("孙立", PRIVATE, "已换新井盖")
    await stage.pass_time(hours=24)
    assert stage.last(GROUP).text == f"{MANHOLE} 已经处理完，想请您评价一下：满意吗？"
    await stage.press("王阿姨", GROUP, "满意")
    assert stage.texts(GROUP)[0] == f"{MANHOLE} 已登记：井盖 · 3号楼东边\n已销单，谢谢您的反馈。"
    assert stage.last(GROUP).text == f"谢谢您！{MANHOLE} 已销单。"
    assert stage.steps(MANHOLE) == [
        *("open", "assign", "add", "add", "add", "accept", "arrive", "finish", "dissatisfied", "assign"),
        *("return", "assign", "accept", "finish", "satisfied"),
    ]


async def quarrel_leaves_the_group(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "楼上天天半夜吵架，我要投诉")
    number = stage.numbers()[-1]
    receipt = stage.last(GROUP)
    if receipt.links:
        assert receipt.text.startswith(f"收到。这类事私下说更稳妥，{number} 已登记；请点下面按钮私聊补充")
        assert receipt.links == (f"https://t.me/wuwei_test_bot?start=case_{stage.case(number).id}",)
    else:
        assert receipt.text.startswith(f"收到。这类事私下说更稳妥，{number} 已登记；请私聊我补充")
    await stage.start("李叔", f"case_{stage.case(number).id}")
    await stage.say("李叔", PRIVATE, "昨晚又吵到三点")
    assert stage.texts("李叔") == [
        f"{number} 已登记，由赵调解员跟进，只有经办人、调解员和社区能看到。您可以在这里继续补充情况或发照片。",
        f"已补充到 {number}。",
    ]
    await stage.pass_time(seconds=10)
    assert len(stage.about(number, GROUP)) == 1
    assert [number in text for text in stage.texts("赵敏")] == [True]


async def wish_and_question(stage: Stage) -> None:
    await stage.say("小吴", GROUP, "想给独居的奶奶要一个助行器")
    await stage.pass_time(seconds=10)
    await stage.press("陈静", PRIVATE, "接单")
    await stage.say("小吴", GROUP, "心愿墙")
    wall = "待实现的心愿（隐去姓名），想帮哪一个就点哪一个：\nXY-20261122-0001 想给独居的奶奶要一个助行器"
    assert stage.last(GROUP).text == wall
    await stage.press("李叔", GROUP, "认领 XY-20261122-0001")
    assert stage.last(GROUP).text.startswith("谢谢！XY-20261122-0001 由您认领了")
    await stage.say("小吴", GROUP, "高龄补贴怎么办")
    await stage.pass_time(seconds=10)
    await stage.press("陈静", PRIVATE, "答复")
    await stage.say("陈静", PRIVATE, "带身份证到党群服务中心")
    answer = stage.last(GROUP)
    assert answer.text == "ZX-20261122-0001 社区答复：带身份证到党群服务中心\n请问解决您的问题了吗？"
    await stage.press("小吴", GROUP, "满意")
    assert stage.last(GROUP).text == "谢谢您！ZX-20261122-0001 已销单。"


async def doubt_edit_and_withdrawal(stage: Stage) -> None:
    doubt = next(
        line
        for line in DOUBTS
        if (found := understand(Utterance(line))).decision is Decision.ASK and found.kind is not Kind.CHATTER
    )
    await stage.say("小吴", GROUP, doubt)
    assert stage.last(GROUP).text == "这是要请社区处理的事吗？"
    assert await stage.press("王阿姨", GROUP, "登记") == NOT_YOURS
    await stage.press("小吴", GROUP, "不用")
    assert stage.last(GROUP).text == "好的，不登记。"
    said = await stage.say("王阿姨", GROUP, "8号楼电梯坏了")
    number = stage.numbers()[-1]
    await stage.pass_time(seconds=10)
    await stage.edit("王阿姨", GROUP, said, "8号楼电梯坏了，一直停在 3 楼")
    assert stage.texts("钱多")[-1] == f"{number} 的内容已修改：8号楼电梯坏了，一直停在 3 楼"
    await stage.say("王阿姨", GROUP, "撤回", reply_to=stage.last(GROUP).id)
    assert stage.last(GROUP).text == f"{number} 已按您的意思撤回。"
    assert stage.texts("钱多")[-1] == f"{number} 已由居民撤回，不用处理了。"
    await stage.say("李叔", GROUP, "路灯不亮了")
    await stage.press("李叔", GROUP, "撤销登记")
    assert stage.last(GROUP).text == f"{stage.numbers()[-1]} 已按您的意思撤回。"


async def test_emergency_is_repeated_until_somebody_accepts(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.pass_time(minutes=6, seconds=30)
    again = [f"⚠ 仍无人接单（第 {count} 次提醒）：{MANHOLE} 突发伤病 · 3号楼，位置：3号楼" for count in (1, 2)]
    assert stage.texts("张伟")[1:] == again
    assert stage.texts(STAFF_GROUP)[1:] == again[:1]
    assert stage.last("张伟").buttons == ("接单", "退单")
    await stage.press("张伟", PRIVATE, "接单")
    await stage.pass_time(minutes=30)
    assert stage.texts("张伟")[1:] == [f"{MANHOLE} 现在是“已接单”，不再催促接单。"] * 2
    assert stage.texts(STAFF_GROUP)[1:] == again[:1]
    assert stage.texts(GROUP) == [f"{MANHOLE} 已登记：突发伤病 · 3号楼\n张网格员已接单，11月21日 11:00 前处理。"]


async def test_deadline_is_told_before_and_after(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.reach(datetime(2026, 11, 21, 15, 59, tzinfo=CHINA))
    assert len(stage.texts("张伟")) == 1
    await stage.reach(datetime(2026, 11, 21, 16, 1, tzinfo=CHINA))
    assert stage.texts("张伟")[1:] == [f"提醒：{MANHOLE}（井盖 · 3号楼）还有 2 小时到时限。"]
    await stage.reach(datetime(2026, 11, 21, 18, 1, tzinfo=CHINA))
    assert stage.texts("张伟")[2:] == [
        f"超时：{MANHOLE}（井盖 · 3号楼）已过时限 11月21日 18:00，请尽快处理或说明原因。"
    ]
    assert stage.texts(STAFF_GROUP) == [
        f"超时：{MANHOLE}（井盖 · 3号楼）的时限 11月21日 18:00 已过，经办人张网格员，当前已派单。"
    ]
    await stage.pass_time(hours=48)
    assert len(stage.texts("张伟")) == 3
    assert len(stage.texts(GROUP)) == 1


async def test_case_nobody_rates_is_closed_after_three_days(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已更换")
    await stage.pass_time(days=3, minutes=1)
    assert stage.case(MANHOLE).state == "closed"
    assert len(stage.about(MANHOLE, GROUP)) == 3


def draft(stage: Stage, session: Session, title: str, text: str, *, is_rotation: bool = False) -> Announcement:
    return announcements.draft(
        session,
        community_id=stage.place.id,
        title=title,
        text=text,
        area_ids=[stage.place.grid.id],
        chat_ids=(),
        roles=(),
        file_ids=(),
        by=None,
        now=stage.clock.now(),
        is_clause_rotation=is_rotation,
    )


async def test_announcement_and_clause_go_out_at_their_hour(stage: Stage) -> None:
    now = stage.clock.now()
    with stage.app.database.writing() as session:
        water = draft(stage, session, "停水通知", "周日上午停水。")
        announcements.schedule(session, water, at=datetime(2026, 11, 21, 17, 0, tzinfo=CHINA), recurrence=None, now=now)
        clauses = [ClauseWords("楼道不堆物。"), ClauseWords("遛狗要牵绳。")]
        conventions.adopt(session, stage.place.id, "和谐公约", clauses, now)
        turn = draft(stage, session, "公约天天见", "", is_rotation=True)
        announcements.schedule(session, turn, at=None, recurrence="每天 18:00", now=now)
    await stage.reach(datetime(2026, 11, 21, 16, 59, tzinfo=CHINA))
    assert stage.posts(GROUP) == []
    await stage.reach(datetime(2026, 11, 23, 18, 1, tzinfo=CHINA))
    assert stage.texts(GROUP) == [
        "【停水通知】\n周日上午停水。",
        "《和谐公约》第 1 条：楼道不堆物。",
        "《和谐公约》第 2 条：遛狗要牵绳。",
        "《和谐公约》第 1 条：楼道不堆物。",
    ]
    assert stage.posts(STAFF_GROUP) == []
