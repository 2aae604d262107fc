"""Neighbours with the same trouble, from wire to wire: one case, everybody told of each step once, and the way apart again."""

from sqlalchemy import select

from storage.cases import CaseEvent, CaseMessage
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, on_simulator, photo

POWER, SECOND = "BX-20261121-0001", "BX-20261121-0002"
RECEIPT = f"{POWER} 已登记：停电 · 3号楼\n由张网格员负责，11月21日 18:00 前处理。"
OUT = "3号楼整栋停电了，麻烦派人看看"
NOT_SAME, NOT_DONE = "不是同一件事", "还没好"


def notes(stage: Stage, number: str, step: str) -> list[str]:
    """What stands in a case's history under a step."""
    with stage.app.database.reading() as session:
        query = select(CaseEvent.note).where(CaseEvent.case_id == stage.case(number).id, CaseEvent.step == step)
        return list(session.scalars(query.order_by(CaseEvent.id)))


def said(stage: Stage, number: str) -> list[str]:
    """The messages that belong to a case."""
    with stage.app.database.reading() as session:
        query = select(CaseMessage.text).where(CaseMessage.case_id == stage.case(number).id)
        return list(session.scalars(query.order_by(CaseMessage.id)))


async def test_neighbours_join_one_case_and_are_told_of_each_step_once(stage: Stage) -> None:
    await stage.start("小吴")
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    assert stage.texts(GROUP) == [RECEIPT]
    await stage.pass_time(seconds=4)
    assert stage.texts(GROUP) == [f"{RECEIPT}\n已有 2 户反映。"]
    assert stage.last(GROUP).buttons == ("撤销登记", "不是这个意思", NOT_SAME)
    own = await stage.say("小吴", GROUP, "3号楼怎么没电了，什么时候来")
    assert stage.last(GROUP).text == f"已并入 {POWER}（停电 · 3号楼），已有 3 户反映。"
    assert (stage.last(GROUP).reply_to, stage.last(GROUP).buttons) == (own, (NOT_SAME,))
    await stage.pass_time(seconds=10)
    assert stage.card("张伟").text == (
        f"【报事】{POWER} ⚠ 加急\n位置：3号楼\n事项：停电\n内容：{OUT}\n时限：11月21日 18:00\n已有 3 户反映。\n状态：已派单"
    )
    assert stage.texts(STAFF_GROUP) == [f"{POWER}（停电 · 3号楼）已有 3 户反映，已标为加急。"]
    await stage.pass_time(minutes=2)
    assert [post.buttons for post in stage.posts(GROUP)] == [(), ()]
    assert stage.numbers() == [POWER]
    assert notes(stage, POWER, "join") == ["我家也是", "3号楼怎么没电了，什么时候来"]
    before = len(stage.texts("小吴"))
    for button in ("接单", "到场", "办结"):
        await stage.press("张伟", PRIVATE, button)
    await stage.say("张伟", PRIVATE, "总闸已修好")
    assert stage.texts("小吴")[before:] == [
        f"您一并反映的 {POWER}（停电 · 3号楼）：张网格员已接单，11月21日 18:00 前处理。",
        f"您一并反映的 {POWER}（停电 · 3号楼）：张网格员已到现场。",
        f"您一并反映的 {POWER}（停电 · 3号楼）：张网格员已办结。",
    ]
    assert stage.last(GROUP).text == (
        f"{POWER} 停电 · 3号楼，张网格员说已经处理好了：总闸已修好\n请问您满意吗？\n一并反映的 2 户邻居也请看看好了没有。"
    )
    assert await stage.press("小吴", PRIVATE, NOT_DONE) == f"抱歉给您添麻烦了，{POWER} 已重新催办。"
    assert stage.texts("小吴")[-1] == f"您一并反映的 {POWER}（停电 · 3号楼）还没有好，已重新办理。"
    assert stage.case(POWER).state == "assigned"
    assert stage.unsettled() == []


async def test_own_report_parts_again_with_one_tap_and_loses_nothing(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯坏了")
    own = await stage.say("李叔", GROUP, "3号楼电梯坏了，停在5楼不动", photo=photo())
    assert stage.numbers() == [POWER]
    assert await stage.press("王阿姨", GROUP, NOT_SAME) == "您没有并入这件事，或已经分开。"
    assert await stage.press("李叔", GROUP, NOT_SAME) == "好的，已单独登记。"
    assert stage.numbers() == [POWER, SECOND]
    assert said(stage, POWER) == ["3号楼电梯坏了"]
    assert said(stage, SECOND) == ["3号楼电梯坏了，停在5楼不动"]
    assert stage.last(GROUP).text.startswith(f"{SECOND} 已登记：电梯 · 3号楼")
    assert (stage.last(GROUP).reply_to, stage.case(POWER).joined) == (own, 0)
    assert stage.steps(POWER) == ["open", "assign", "join", "part"]
    await stage.pass_time(seconds=20)
    assert [len(post.files) for post in stage.about(SECOND, "张伟") if post.files] == [1]
    assert stage.texts(GROUP)[0] == f"{POWER} 已登记：电梯 · 3号楼\n由张网格员负责，11月21日 14:00 前处理。"


@on_simulator
async def test_line_that_somebody_joined_says_what_came_of_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯坏了")
    await stage.say("李叔", GROUP, "3号楼电梯坏了，停在5楼不动")
    await stage.press("李叔", GROUP, NOT_SAME)
    assert (stage.posts(GROUP)[1].text, stage.posts(GROUP)[1].buttons) == (f"不是同一件事，已单独登记为 {SECOND}。", ())
    await stage.say("小吴", GROUP, "3号楼电梯坏了")
    assert stage.last(GROUP).text == f"已并入 {POWER}（电梯 · 3号楼），已有 2 户反映。"
    await stage.press("王阿姨", GROUP, "撤销登记", of=stage.posts(GROUP)[0])
    assert stage.case(POWER).joined == 0
    assert (stage.last(GROUP).text, stage.last(GROUP).buttons) == (
        f"已并入 {POWER}（电梯 · 3号楼），已有 1 户反映。",
        (),
    )


async def test_edit_by_one_who_joined_adds_to_the_case_and_replaces_nothing(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼电梯坏了")
    own = await stage.say("李叔", GROUP, "3号楼电梯坏了")
    await stage.edit("李叔", GROUP, own, "3号楼电梯坏了，我家老人下不来")
    assert (stage.case(POWER).text, stage.numbers()) == ("3号楼电梯坏了", [POWER])
    assert notes(stage, POWER, "add") == ["3号楼电梯坏了，我家老人下不来"]


async def test_agreement_that_was_none_leaves_without_a_trace_in_the_group(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "+1")
    await stage.pass_time(seconds=4)
    assert await stage.press("李叔", GROUP, NOT_SAME) == f"好的，已从 {POWER} 分开。"
    await stage.pass_time(seconds=4)
    assert stage.texts(GROUP) == [RECEIPT]
    assert stage.numbers() == [POWER]


@on_simulator
async def test_parting_is_possible_for_a_minute(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    await stage.pass_time(seconds=30)
    assert NOT_SAME in stage.posts(GROUP)[0].buttons
    await stage.pass_time(minutes=1)
    assert stage.posts(GROUP)[0].buttons == ()


@on_simulator
async def test_another_building_never_joins(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "5号楼也停电了")
    await stage.say("小吴", GROUP, OUT.replace("3", "8"))
    assert len(stage.numbers()) == 3
    assert [stage.case(number).joined for number in stage.numbers()] == [0, 0, 0]


@on_simulator
async def test_another_unit_or_floor_is_another_trouble(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼1单元漏水了")
    await stage.say("李叔", GROUP, "3号楼2单元漏水了")
    await stage.say("小吴", GROUP, "3号楼5楼的楼道灯不亮")
    await stage.say("王阿姨", GROUP, "3号楼2楼的楼道灯不亮")
    assert [stage.case(number).joined for number in stage.numbers()] == [0, 0, 0, 0]


@on_simulator
async def test_plus_one_behind_other_talk_means_something_else(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("小吴", GROUP, "草莓团购，要的接龙")
    await stage.say("李叔", GROUP, "+1")
    await stage.say("李叔", GROUP, "我也是这么想的")
    await stage.pass_time(seconds=5)
    assert stage.case(POWER).joined == 0
    reply = await stage.say("小吴", GROUP, "+1", reply_to=stage.posts(GROUP)[0].id)
    assert (stage.case(POWER).joined, reply != "") == (1, True)


@on_simulator
async def test_neighbours_speak_for_a_proposal_and_not_for_a_trouble(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "建议在小广场加两个长椅，老人没地方坐")
    (number,) = stage.numbers()
    await stage.say("李叔", GROUP, "支持")
    await stage.say("小吴", GROUP, "我也想要")
    await stage.pass_time(seconds=5)
    assert (stage.case(number).joined, stage.texts(GROUP)[-1].splitlines()[-1]) == (2, "已有 3 户支持。")
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("小吴", GROUP, "支持")
    assert [stage.case(one).joined for one in stage.numbers()] == [2, 0]
    await stage.say("王阿姨", GROUP, "长椅的建议撤回吧", reply_to=stage.posts(GROUP)[0].id)
    assert stage.texts(GROUP)[-1] == f"您的登记已撤回；{number} 还有邻居支持，会继续办理。"


@on_simulator
async def test_reporter_who_leaves_hands_the_case_to_who_joined(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "3号楼整栋没电了")
    assert await stage.press("王阿姨", GROUP, "撤销登记") == f"您的登记已撤回；{POWER} 还有邻居反映，会继续办理。"
    case = stage.case(POWER)
    assert (case.state, case.joined, case.text) == ("assigned", 0, "3号楼整栋没电了")
    await stage.pass_time(seconds=10)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已恢复供电")
    assert await stage.press("王阿姨", GROUP, "满意") == "这个按钮是给别人的，您不能操作。"
    await stage.press("李叔", GROUP, "满意")
    assert stage.case(POWER).state == "closed"


@on_simulator
async def test_case_joined_is_among_my_own(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    await stage.say("李叔", PRIVATE, "我的")
    assert stage.texts("李叔")[-1] == f"您最近的登记：\n{POWER} 停电 · 3号楼：已派单"


@on_simulator
async def test_more_by_one_who_joined_counts_once(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    for words in ("我家也是", "3号楼停电了，冰箱都化了"):
        await stage.say("李叔", GROUP, words)
    assert (stage.numbers(), stage.case(POWER).joined) == ([POWER], 1)
    assert said(stage, POWER) == [OUT, "我家也是", "3号楼停电了，冰箱都化了"]


@on_simulator
async def test_word_of_many_without_a_place_is_the_failure_of_just_now(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼停水了，请派人看看")
    await stage.say("李叔", GROUP, "又停水了，什么时候来水")
    assert (stage.numbers(), stage.case(POWER).joined) == ([POWER], 1)
    await stage.say("小吴", GROUP, "电梯坏了")
    assert len(stage.numbers()) == 2


@on_simulator
async def test_long_reports_join_by_what_they_come_back_to(stage: Stage) -> None:
    grill = "3号楼楼下那家烧烤店油烟太大了。烧烤店没有装烟道，油烟直接往楼上排，一到晚上满屋都是油烟味，孩子咳了半个月，麻烦管一管"
    again = "3号楼楼下烧烤店的油烟又来了。烟道还是没有装，油烟天天往家里灌，窗户不敢开，衣服不敢晾，请派人来处理一下烧烤店的油烟，老人实在受不了了"
    other = "3号楼一楼那户在阳台上开了个小饭馆。从早到晚炒菜，抽油烟机对着过道吹，墙都熏黑了，楼道里进出的人都要捂着鼻子走，请来看看"
    for name, text in (("王阿姨", grill), ("李叔", again), ("小吴", other)):
        await stage.say(name, GROUP, text)
    assert stage.numbers() == [POWER, SECOND]
    assert notes(stage, POWER, "join") == [again]
    assert stage.case(POWER).topic == stage.case(SECOND).topic
