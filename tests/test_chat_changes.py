"""What happens to chats while cases are open: a group is upgraded, the bot is removed, a worker stops it, links are spent."""

import pytest

from core.errors import Refused
from domain import accounts
from storage.chats import Chat, ChatState
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage
from tests.wires import TelegramWire

MANHOLE = "BX-20261121-0001"
RECEIPT = f"{MANHOLE} 已登记：井盖 · 3号楼\n由张网格员负责，11月21日 18:00 前处理。"


def telegram(stage: Stage) -> TelegramWire:
    assert isinstance(stage.wire, TelegramWire)
    return stage.wire


@pytest.mark.parametrize("stage", ["telegram"], indirect=True)
async def test_group_upgraded_in_the_middle_of_a_case_goes_on(stage: Stage) -> None:
    wire = telegram(stage)
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    old = wire.chat(stage.groups[GROUP])
    stage.groups[GROUP] = wire.note_chat(wire.telegram.migrate(old, wire.user(stage.people["王阿姨"])))
    await stage.settle()
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已更换")
    assert stage.texts(GROUP) == [f"{MANHOLE} 井盖 · 3号楼，张网格员说已经处理好了：已更换\n请问您满意吗？"]
    await stage.press("王阿姨", GROUP, "满意")
    assert stage.case(MANHOLE).state == "closed"
    await stage.say("李叔", GROUP, "8号楼电梯坏了")
    assert len(stage.numbers()) == 2


@pytest.mark.parametrize("stage", ["telegram"], indirect=True)
async def test_group_upgraded_unnoticed_is_found_by_the_next_send(stage: Stage) -> None:
    """The notice got lost: Telegram refuses the old id and names the new one."""
    wire = telegram(stage)
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    old = wire.chat(stage.groups[GROUP])
    wire.telegram.queue.hold()
    stage.groups[GROUP] = wire.note_chat(wire.telegram.migrate(old, wire.user(stage.people["王阿姨"])))
    wire.telegram.queue._held = None
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已更换")
    assert stage.last(GROUP).buttons == ("满意", "不满意")


@pytest.mark.parametrize("stage", ["telegram"], indirect=True)
async def test_update_delivered_twice_is_worked_once(stage: Stage) -> None:
    telegram(stage).telegram.deliver_twice()
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    assert (stage.numbers(), stage.texts(GROUP)) == ([MANHOLE], [RECEIPT])


@pytest.mark.parametrize("stage", ["telegram"], indirect=True)
async def test_anonymous_admin_and_other_bots_are_no_residents(stage: Stage) -> None:
    wire = telegram(stage)
    wire.telegram.say_anonymously(wire.chat(stage.groups[GROUP]), "3号楼门口井盖坏了")
    await stage.settle()
    assert (stage.numbers(), stage.posts(GROUP)) == ([], [])


async def test_bot_removed_from_the_group_leaves_nothing_hanging(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    stage.wire.remove_bot(stage.groups[GROUP])
    await stage.settle()
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已更换")
    assert stage.case(MANHOLE).state == "finished"
    assert {state for state, _ in stage.unsettled()} == {"given_up"}
    with stage.app.database.reading() as session:
        states = {chat.title: chat.state for chat in session.query(Chat).filter(Chat.kind == "group")}
    assert states == {GROUP: ChatState.LEFT, STAFF_GROUP: ChatState.BOUND}


async def test_worker_who_stopped_the_bot_is_told_to_staff(stage: Stage) -> None:
    stage.wire.block(stage.people["张伟"])
    await stage.settle()
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    assert stage.texts(STAFF_GROUP) == [
        f"{MANHOLE} 派给了张网格员，但机器人还不能私聊此人（未启动或已屏蔽），请电话通知并让其私聊机器人一次。"
    ]
    assert stage.steps(MANHOLE) == ["open", "assign", "unreached"]
    await stage.start("张伟")
    await stage.say("张伟", PRIVATE, "任务")
    assert stage.texts("张伟")[1:] == [f"您手上的待办（1 件）：\n{MANHOLE} 井盖 · 3号楼：已派单，时限 11月21日 18:00"]


@pytest.mark.parametrize("stage", ["telegram"], indirect=True)
async def test_worker_found_blocked_while_sending_is_noted(stage: Stage) -> None:
    """The platform has not told of the block; the refused card does."""
    telegram(stage).user(stage.people["张伟"]).has_blocked = True
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    assert [state for state, _ in stage.unsettled()] == ["given_up"]
    await stage.say("王阿姨", GROUP, "还没修")
    assert [state for state, _ in stage.unsettled()] == ["given_up"]


async def test_sign_in_link_is_for_staff_in_private_and_works_once(stage: Stage) -> None:
    await stage.say("陈静", STAFF_GROUP, "登录")
    assert stage.texts(STAFF_GROUP) == ["登录链接只能在私聊里给您，请私聊我发“登录”。"]
    await stage.say("王阿姨", PRIVATE, "登录")
    assert stage.texts("王阿姨") == ["您还没有工作台的权限；请社区管理员为您添加职务，或用编码绑定账号。"]
    await stage.say("陈静", PRIVATE, "登录")
    words, link = stage.last("陈静").text.split("\n")
    assert words == "工作台登录链接（15 分钟内有效，只能用一次，请勿转发）："
    token = link.removeprefix("http://127.0.0.1:8600/sign-in/")
    now = stage.clock.now()
    with stage.app.database.writing() as session:
        accounts.spend_link(session, token, now=now, life=accounts.LINK_LIFE)
        with pytest.raises(Refused):
            accounts.spend_link(session, token, now=now, life=accounts.LINK_LIFE)


async def test_unbound_group_is_told_to_staff_when_the_bot_is_added(stage: Stage) -> None:
    if not isinstance(stage.wire, TelegramWire):
        stage.add_group("新群", ["李叔"])
    else:
        telegram_side = stage.wire.telegram
        group = telegram_side.add_group("新群", [stage.wire.user(stage.people["李叔"])], with_bot=False)
        stage.groups["新群"] = stage.wire.note_chat(group)
        telegram_side.add_bot(group, stage.wire.user(stage.people["李叔"]))
    await stage.settle()
    await stage.say("李叔", "新群", "3号楼门口井盖坏了")
    assert stage.posts("新群") == []
    assert stage.texts(STAFF_GROUP) == [
        "机器人被拉进了一个还没有绑定的群“新群”，在绑定前不会说话。请在工作台“群组”里生成编码，在群里发“绑定 编码”。"
    ]
