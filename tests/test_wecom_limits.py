"""A whole corp under a fake clock: nothing is refused, nothing dropped, nothing lost, and a resident's closed window is shown to staff."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.app import CLOCK, INTAKE, SENDER, App
from core.messages import ChatKind, ChatRef
from domain import chats, outbox, undelivered
from storage.messages import Outbox, OutboxState
from tests.emulators.wecom import OPEN_KFID
from tests.stage import PRIVATE, Stage, raise_stage
from tests.wires import WeComWire, drained

MEMBERS, EACH, TO_ONE = 1000, 1, 70


@pytest.fixture
async def stage(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    made = await raise_stage("wecom", tmp_path / "stage", sqlite_template)
    yield made
    await made.close()


def wire_of(stage: Stage) -> WeComWire:
    assert isinstance(stage.wire, WeComWire)
    return stage.wire


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_thousand_members_get_everything(stage: Stage) -> None:
    wire, began = wire_of(stage), stage.clock.now()
    names = [wire.wecom.add_member(f"m{number}", f"成员{number}").userid for number in range(MEMBERS)]
    with stage.app.database.writing() as session:
        for number, userid in enumerate(names):
            chat = chats.find_or_make(session, "wecom", wire.account, ChatRef(userid, ChatKind.PRIVATE), now=began)
            for turn in range(TO_ONE if number == 0 else EACH):
                outbox.post(
                    session,
                    chat,
                    f"第 {turn} 条通知：" + "请注意安全。" * (200 if number % 100 == 50 else 1),
                    now=began,
                )
    await stage.settle()
    got = Counter(post.to for post in wire.wecom.world.posted)
    assert wire.wecom.app.dropped == []
    assert {call.code for call in wire.wecom.calls("message/send")} == {0}
    # Every hundredth member's notices take two messages each.
    assert got == {name: TO_ONE if at == 0 else EACH * (2 if at % 100 == 50 else 1) for at, name in enumerate(names)}
    with stage.app.database.reading() as session:
        last = session.scalar(select(func.max(Outbox.sent_at)))
    assert last is not None
    assert timedelta(minutes=2) <= last - began <= timedelta(minutes=3), "seventy for one, thirty a minute"


async def test_closed_window_is_shown_to_staff_until_the_resident_writes_again(stage: Stage) -> None:
    wire = wire_of(stage)
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    await stage.pass_time(hours=49)
    before = len(stage.posts("王阿姨"))
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, "已换新井盖")
    assert len(stage.posts("王阿姨")) == before
    with stage.app.database.reading() as session:
        shown = undelivered.undelivered(session, stage.place.id, [OutboxState.HELD])
        question = next(one for one in shown if "请问您满意吗" in one.text)
    assert (question.state, question.reason) == (OutboxState.HELD, "window shut")
    await stage.say("王阿姨", PRIVATE, "帮助")
    # What was held goes out, as one message with its buttons; the answer to this word follows.
    assert [("请问您满意吗" in post.text, post.buttons != ()) for post in stage.posts("王阿姨")[before:]] == [
        (True, True),
        (False, False),
    ]
    assert wire.kf.remaining(f"{OPEN_KFID}:{stage.people['王阿姨']}") == 3


async def test_press_that_a_fall_interrupts_still_changes_its_card(stage: Stage) -> None:
    """The card's code is stored with the press: the next life changes the card with it."""
    wire = wire_of(stage)
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=70)
    card = stage.card("张伟")
    wire.wecom.fail_next(1000, -1, path="message/update_template_card")
    stage.tap("张伟", PRIVATE, "接单")
    await drained(wire)
    await stage.app.receiver.settled()
    await stage.app.stop()
    wire.wecom.wire.faults.clear()
    stage.app = App(stage.app.settings, stage.clock, channels=wire.channels, roles=frozenset({INTAKE, SENDER, CLOCK}))
    await stage.app.start()
    await stage.pass_time(minutes=1)
    changed = stage.card("张伟")
    assert (changed.id, changed.buttons) == (card.id, ("到场", "办结", "退单"))
    assert [call.code for call in wire.wecom.calls("message/update_template_card")][-1] == 0
    assert len([post for post in stage.posts("张伟") if post.text.startswith("【")]) == 1
