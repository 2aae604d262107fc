"""The worker's side in private chat: the card's buttons, reasons, proofs, and the list of what is in hand."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from core.texts import say
from domain.cases import desk, listing
from storage.cases import Case, CaseEvent
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, photo

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER = "BX-20261121-0001"


async def assigned(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)


async def test_card_says_everything_needed_to_go(stage: Stage) -> None:
    await assigned(stage)
    card = stage.card("张伟")
    assert card.text == (
        f"【报事】{NUMBER}\n位置：3号楼\n事项：井盖\n内容：3号楼门口井盖坏了\n时限：11月21日 18:00\n状态：已派单"
    )
    assert card.buttons == ("接单", "退单")


async def test_buttons_follow_the_state(stage: Stage) -> None:
    await assigned(stage)
    seen = []
    for button in ("接单", "到场"):
        await stage.press("张伟", PRIVATE, button)
        seen.append(stage.card("张伟").buttons)
    assert seen == [("到场", "办结", "退单"), ("办结", "退单")]


async def test_arriving_without_accepting_counts_as_both(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "到场")
    case = stage.case(NUMBER)
    assert (case.state, case.accepted_at is not None) == ("arrived", True)


async def test_return_needs_a_reason_and_goes_to_the_next_in_line(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "退单")
    await stage.say("张伟", PRIVATE, "不")
    await stage.say("张伟", PRIVATE, "不在我的网格")
    assert stage.texts("张伟")[-3:] == [
        "为什么退单？\n选一项，或直接写一句；发“取消”可放弃。",
        "请写一句原因（至少两个字）。",
        f"{NUMBER} 已退单，社区会另行安排。",
    ]
    await stage.pass_time(seconds=10)
    assert stage.card("孙立").buttons == ("接单", "退单")
    case = stage.case(NUMBER)
    assert (case.returns, case.assignee_role) == (1, "micro_grid_head")


async def test_return_takes_one_tap_on_a_reason(stage: Stage) -> None:
    """The question says what came of it and loses its buttons; what is said next is no second reason."""
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "退单")
    asked = stage.last("张伟")
    assert asked.buttons == tuple(say("cases.return_reasons").split("、"))
    await stage.press("张伟", PRIVATE, "居民家里没人", of=asked)
    assert (stage.last("张伟").text, stage.last("张伟").buttons) == (f"{NUMBER} 已退单，社区会另行安排。", ())
    (returned,) = [event for event in events(stage) if event.step == "return"]
    assert (returned.note, stage.case(NUMBER).returns) == ("居民家里没人", 1)
    await stage.say("张伟", PRIVATE, "不在我的网格")
    assert stage.case(NUMBER).returns == 1


def events(stage: Stage) -> Sequence[CaseEvent]:
    with stage.app.database.reading() as session:
        return listing.events_of(session, stage.case(NUMBER).id)


def test_reasons_fit_every_card(stage: Stage) -> None:
    reasons = say("cases.return_reasons").split("、")
    assert (6 < len(reasons) <= 10, max(map(len, reasons)) <= 10, len(set(reasons))) == (True, True, len(reasons))


async def test_case_returned_by_all_lands_at_the_desk(stage: Stage) -> None:
    await assigned(stage)
    for worker in ("张伟", "孙立", "陈静"):
        await stage.press(worker, PRIVATE, "退单")
        await stage.say(worker, PRIVATE, "人手不够")
        await stage.pass_time(seconds=10)
    assert stage.texts(STAFF_GROUP) == [f"{NUMBER}（井盖 · 3号楼）没有找到负责人，请在工作台派单。"]
    case = stage.case(NUMBER)
    assert (case.state, case.assignee_id, case.returns) == ("open", None, 3)
    assert stage.texts(GROUP) == [f"{NUMBER} 已登记：井盖 · 3号楼\n社区正在安排人员，11月21日 18:00 前处理。"]


async def test_cancel_gives_the_open_question_up(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "退单")
    await stage.say("张伟", PRIVATE, "取消")
    await stage.say("张伟", PRIVATE, "取消")
    assert stage.texts("张伟")[-2:] == ["好的，已放弃。", "现在没有等您回答的问题。"]
    assert stage.case(NUMBER).state == "assigned"


async def test_question_to_the_worker_is_forgotten_after_half_an_hour(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "退单")
    await stage.pass_time(minutes=31)
    await stage.say("张伟", PRIVATE, "不在我的网格")
    assert stage.case(NUMBER).state == "assigned"


async def test_finish_with_a_reason_asks_the_resident(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已换新井盖")
    assert stage.last("张伟").text == f"{NUMBER} 已办结，正在请居民评价。"
    question = stage.last(GROUP)
    assert question.text == f"{NUMBER} 井盖 · 3号楼，张网格员说已经处理好了：已换新井盖\n请问您满意吗？"
    assert question.buttons == ("满意", "不满意")


async def test_finish_with_an_album_shows_its_first_picture_to_the_resident(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, photos=[photo("red"), photo("blue")])
    assert stage.case(NUMBER).state == "finished"
    assert len(stage.last(GROUP).files) >= 1
    assert len(stage.stored()) == 2
    assert "这是要请社区处理的事吗？" not in stage.texts("张伟")


async def test_number_in_the_workers_note_does_not_reach_the_group(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已和 3 单元 502 的住户 13812345678 说好")
    shown = stage.last(GROUP).text
    assert "13812345678" not in shown
    assert stage.case(NUMBER).state == "finished"


async def test_tasks_lists_what_is_in_hand_the_nearest_deadline_first(stage: Stage) -> None:
    await stage.say("张伟", PRIVATE, "任务")
    await stage.say("李叔", GROUP, "3号楼楼道灯不亮了")
    await assigned(stage)
    await stage.say("张伟", PRIVATE, "任务")
    assert stage.texts("张伟")[0] == "您手上没有待办的事。"
    lines = stage.last("张伟").text.splitlines()
    assert lines[0] == "您手上的待办（2 件）："
    assert lines[1] == "BX-20261121-0002 井盖 · 3号楼：已派单，时限 11月21日 18:00"


async def test_tasks_in_a_group_leave_out_what_was_told_in_private(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, "3号楼楼道灯不亮了")
    await stage.say("张伟", STAFF_GROUP, "任务")
    assert stage.texts(STAFF_GROUP)[-1] == "您手上的待办请私聊我发“任务”查看。"
    await stage.say("李叔", GROUP, "3号楼门口井盖坏了")
    await stage.say("张伟", STAFF_GROUP, "任务")
    assert stage.texts(STAFF_GROUP)[-1] == (
        "您手上的待办（1 件）：\nBX-20261121-0002 井盖 · 3号楼：已派单，时限 11月21日 18:00\n"
        "其余的请私聊我发“任务”查看。"
    )


async def test_tasks_in_a_group_leave_out_matters_of_a_home(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼有人天天打孩子")
    await stage.pass_time(seconds=10)
    worker = next(name for name in ("赵敏", "张伟") if stage.posts(name))
    await stage.say(worker, STAFF_GROUP, "任务")
    assert stage.texts(STAFF_GROUP)[-1] == "您手上的待办请私聊我发“任务”查看。"


async def test_tasks_are_for_staff_only(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, "任务")
    assert stage.texts("王阿姨") == ["这个功能只给社区工作人员和网格员使用。"]


async def test_emergency_accepted_is_no_longer_repeated(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼有人晕倒了")
    await stage.press("张伟", PRIVATE, "接单")
    before = stage.texts(STAFF_GROUP)
    await stage.pass_time(minutes=20)
    assert stage.texts(STAFF_GROUP) == before


async def test_second_dissatisfaction_goes_past_the_worker(stage: Stage) -> None:
    await assigned(stage)
    for _ in range(2):
        await stage.press("张伟", PRIVATE, "接单")
        await stage.press("张伟", PRIVATE, "办结")
        await stage.say("张伟", PRIVATE, "已处理")
        await stage.press("王阿姨", GROUP, "不满意")
        await stage.pass_time(seconds=10)
    case = stage.case(NUMBER)
    assert (case.reopenings, case.assignee_role) == (2, "micro_grid_head")


async def test_rating_by_the_word_of_the_resident_closes(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已处理")
    await stage.say("王阿姨", GROUP, "修好了", reply_to=stage.last(GROUP).id)
    assert stage.case(NUMBER).state == "closed"


async def test_still_broken_after_the_end_opens_it_again(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已处理")
    await stage.press("王阿姨", GROUP, "满意")
    await stage.say("王阿姨", GROUP, "还没修好", reply_to=stage.posts(GROUP)[0].id)
    case = stage.case(NUMBER)
    assert (case.state, case.reopenings, case.closed_at) == ("assigned", 1, None)


async def test_good_rating_pressed_twice_counts_once(stage: Stage) -> None:
    await assigned(stage)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已处理")
    notices = [stage.tap("王阿姨", GROUP, "满意"), stage.tap("王阿姨", GROUP, "不满意")]
    await stage.settle()
    assert notices[0]() == ""
    assert stage.steps(NUMBER).count("satisfied") == 1


TOLD_OF_IT = "群里看到的这句话已隐去姓名、电话和门牌。"


async def finish_with(stage: Stage, note: str) -> None:
    await stage.pass_time(seconds=10)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, note)


async def test_closing_words_reach_the_group_without_names_and_doors(stage: Stage) -> None:
    await assigned(stage)
    await finish_with(stage, "301李秀兰家换了软管，楼上401王强同意赔200块，电话13912345678")
    assert stage.last(GROUP).text == (
        f"{NUMBER} 井盖 · 3号楼，张网格员说已经处理好了：***李**家换了软管，楼上***王*同意赔200块，电话***\n请问您满意吗？"
    )
    assert stage.texts("张伟")[-1] == f"{NUMBER} 已办结，正在请居民评价。\n{TOLD_OF_IT}"


async def test_closing_words_without_anything_personal_stay_as_they_are(stage: Stage) -> None:
    await assigned(stage)
    await finish_with(stage, "换了3个灯泡，2号楼正常")
    assert "说已经处理好了：换了3个灯泡，2号楼正常\n" in stage.last(GROUP).text
    assert stage.texts("张伟")[-1] == f"{NUMBER} 已办结，正在请居民评价。"


async def test_closing_words_stay_whole_in_private(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    await finish_with(stage, "301李秀兰家门口的也换了")
    assert "说已经处理好了：301李秀兰家门口的也换了\n" in stage.last("王阿姨").text
    assert stage.texts("张伟")[-1] == f"{NUMBER} 已办结，正在请居民评价。"


async def test_answer_in_the_group_names_nobody(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "高龄补贴怎么办理，需要什么材料？")
    await stage.pass_time(seconds=10)
    (number,) = stage.numbers()
    await stage.press("陈静", PRIVATE, "答复")
    await stage.say("陈静", PRIVATE, "带身份证来，上周301李秀兰也是这样办的")
    assert stage.last(GROUP).text.startswith(f"{number} 社区答复：带身份证来，上周***李**也是这样办的\n")
    assert stage.texts("陈静")[-1] == f"{number} 的答复已发给居民。\n{TOLD_OF_IT}"


async def test_reason_of_a_withdrawal_reaches_the_group_without_names_and_doors(stage: Stage) -> None:
    await assigned(stage)
    with stage.app.database.writing() as session:
        case, clerk = session.scalars(select(Case)).one(), stage.person(session, "陈静")
        desk.withdraw(session, case, clerk, note="302刘桂芳家已自行处理", now=stage.clock.now())
    await stage.settle()
    assert stage.texts(GROUP) == [
        f"{NUMBER} 社区已撤销，原因：***刘**家已自行处理",
        f"{NUMBER} 社区已撤销，原因：***刘**家已自行处理。如仍需处理，请再说一次。",
    ]
