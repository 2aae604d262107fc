"""The client of the simulated platform: at least once in, once out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.base import Channel, Finding, NotStored
from bot.channels.simulator import SimulatorChannel
from bot.simulator.platform import SimulatedPlatform
from core.clock import ShiftedClock
from core.errors import DeliveryError, Rejected, Undeliverable
from core.messages import (
    Abilities,
    AttachmentKind,
    Bookmark,
    Button,
    ChatKind,
    ChatRef,
    Incoming,
    IncomingKind,
    Outgoing,
    OutgoingAction,
    Sent,
    StoredFile,
)
from core.simulation import Change, ChangeKind, SimulatedButton, Upload
from tests.patience import PATIENCE

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 24
GROUP = ChatRef("g3", ChatKind.GROUP, "和谐家园3号群")
PRIVATE = ChatRef("private:wang", ChatKind.PRIVATE, "王秀英")


@dataclass
class Receiver:
    """Stands for the program: stores what is delivered, or fails as often as told."""

    failures: int = 0
    got: list[Incoming] = field(default_factory=list)
    attempts: int = 0

    async def __call__(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        assert bookmark is None
        self.attempts += 1
        if self.failures:
            self.failures -= 1
            raise NotStored from OSError("disk full")
        self.got.extend(incomings)

    async def until(self, count: int) -> list[str]:
        async with asyncio.timeout(PATIENCE):
            while len(self.got) < count:
                await asyncio.sleep(0.005)
        return [incoming.text for incoming in self.got]


def open_platform(path: Path) -> SimulatedPlatform:
    platform = SimulatedPlatform(path, ShiftedClock())
    platform.add_person("王秀英", person_id="wang")
    platform.add_group("和谐家园3号群", group_id="g3")
    platform.join("g3", "wang")
    return platform


@pytest.fixture
def platform(tmp_path: Path) -> SimulatedPlatform:
    made = open_platform(tmp_path / "simulator.sqlite3")
    made.bot.confirm(made.bot.pending(10)[-1].external_id)
    return made


@asynccontextmanager
async def listening(platform: SimulatedPlatform, receiver: Receiver) -> AsyncIterator[Channel]:
    channel: Channel = SimulatorChannel(platform)
    await channel.start(receiver, {})
    try:
        yield channel
    finally:
        await channel.stop()


def post(key: str = "1", *, text: str = "收到", chat: ChatRef = GROUP) -> Outgoing:
    return Outgoing(key, "simulator", "simulator", OutgoingAction.SEND, chat, text=text)


def about(message: str | None, action: OutgoingAction, *, text: str = "") -> Outgoing:
    return replace(post("9", text=text), action=action, message_id=message)


async def test_updates_arrive_in_order_and_are_confirmed(platform: SimulatedPlatform) -> None:
    platform.say("g3", "wang", text="一")
    receiver = Receiver()
    async with listening(platform, receiver):
        assert await receiver.until(1) == ["一"]
        for text in "二三四":
            platform.say("g3", "wang", text=text)
        assert await receiver.until(4) == ["一", "二", "三", "四"]
        await asyncio.sleep(0)
        assert platform.bot.count_pending() == 0


async def test_failed_delivery_is_made_again(platform: SimulatedPlatform) -> None:
    platform.say("g3", "wang", text="一")
    receiver = Receiver(failures=1)
    async with listening(platform, receiver):
        assert await receiver.until(1) == ["一"]
    assert receiver.attempts == 2


async def test_undelivered_updates_outlive_the_process(platform: SimulatedPlatform, tmp_path: Path) -> None:
    platform.say("g3", "wang", text="断电前说的")
    receiver = Receiver(failures=1000)
    async with listening(platform, receiver):
        while receiver.attempts == 0:
            await asyncio.sleep(0.005)
    platform.close()

    again = open_platform(tmp_path / "simulator.sqlite3")
    receiver = Receiver()
    async with listening(again, receiver):
        assert await receiver.until(1) == ["断电前说的"]
    again.close()


async def test_update_is_offered_again_when_it_was_stored_but_not_confirmed(platform: SimulatedPlatform) -> None:
    platform.say("g3", "wang", text="一")

    class Dying(Receiver):
        async def __call__(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
            await super().__call__(incomings, bookmark)
            await asyncio.Event().wait()  # stored, and stopped before the platform could be told

    dying = Dying()
    async with listening(platform, dying):
        await dying.until(1)
    receiver = Receiver()
    async with listening(platform, receiver):
        assert await receiver.until(1) == ["一"]
    assert [incoming.external_id for incoming in receiver.got] == [incoming.external_id for incoming in dying.got]


async def test_update_carries_its_body_for_a_replay(platform: SimulatedPlatform) -> None:
    platform.say("g3", "wang", text="井盖坏了")
    (update,) = platform.bot.pending(10)
    assert '"text":"井盖坏了"' in update.raw


async def test_same_outgoing_makes_one_message(platform: SimulatedPlatform) -> None:
    channel = SimulatorChannel(platform)
    first = await channel.send(post("77"))
    assert await channel.send(post("77")) == first
    await channel.send(post("78"))
    assert [(message.sender, message.text) for message in platform.messages("g3")] == [("bot", "收到")] * 2


async def test_message_carries_files_buttons_and_reply(platform: SimulatedPlatform, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(PNG)
    asked = platform.say("g3", "wang", text="井盖坏了")
    outgoing = replace(
        post(),
        buttons=((Button("撤销", "undo:1"),), (Button("看台账", url="http://127.0.0.1/desk"),)),
        files=(StoredFile(str(tmp_path / "photo"), AttachmentKind.PHOTO, "image/png", "井盖.png"),),
        reply_to=asked,
    )
    sent = await SimulatorChannel(platform).send(outgoing)
    shown = platform.message(sent.external_id or "")
    assert (shown.reply_to, shown.buttons) == (
        asked,
        (SimulatedButton("undo:1", "撤销"), SimulatedButton("link1", "看台账", "http://127.0.0.1/desk")),
    )
    assert platform.file(shown.files[0].id) == Upload(AttachmentKind.PHOTO, PNG, "井盖.png", "image/png")


async def test_press_comes_in_and_its_answer_goes_out(platform: SimulatedPlatform) -> None:
    channel = SimulatorChannel(platform)
    sent = await channel.send(replace(post(), buttons=((Button("撤销", "undo:1"),),)))
    changes = platform.feed.watch()
    press = platform.press(sent.external_id or "", "wang", "undo:1")
    (update,) = platform.bot.pending(10)
    assert (update.kind, update.button, update.press_id, update.message_id) == (
        IncomingKind.PRESS,
        "undo:1",
        press.id,
        sent.external_id,
    )
    answer = replace(post("3", text="已撤销"), action=OutgoingAction.ANSWER_PRESS, press_id=press.id)
    assert await channel.send(answer) == Sent()
    assert platform.press_made(press.id).answer == "已撤销"
    assert await anext(changes) == Change(
        ChangeKind.NOTICE, chat="g3", message=sent.external_id or "", person="wang", text="已撤销"
    )


async def test_edit_changes_text_and_takes_buttons_away(platform: SimulatedPlatform) -> None:
    channel = SimulatorChannel(platform)
    sent = await channel.send(replace(post(), buttons=((Button("撤销", "undo:1"),),)))
    assert await channel.send(about(sent.external_id, OutgoingAction.EDIT, text="已派单")) == Sent(sent.external_id)
    shown = platform.message(sent.external_id or "")
    assert (shown.text, shown.buttons, shown.is_edited) == ("已派单", (), True)


async def test_edit_of_buttons_alone_keeps_the_text(platform: SimulatedPlatform) -> None:
    channel = SimulatorChannel(platform)
    sent = await channel.send(replace(post(), buttons=((Button("撤销", "undo:1"),),)))
    await channel.send(about(sent.external_id, OutgoingAction.EDIT))
    shown = platform.message(sent.external_id or "")
    assert (shown.text, shown.buttons, shown.is_edited) == ("收到", (), False)


async def test_deleted_message_stays_deleted(platform: SimulatedPlatform) -> None:
    channel = SimulatorChannel(platform)
    sent = await channel.send(post())
    for _ in range(2):
        await channel.send(about(sent.external_id, OutgoingAction.DELETE))
    assert platform.message(sent.external_id or "").is_deleted
    with pytest.raises(Rejected):
        await channel.send(about(sent.external_id, OutgoingAction.EDIT, text="改"))


@pytest.mark.parametrize(
    ("outgoing", "fault"),
    [
        (post(chat=ChatRef("g9", ChatKind.GROUP)), Undeliverable),
        (post(chat=ChatRef("private:nobody", ChatKind.PRIVATE)), Undeliverable),
        (post(text="长" * 4097), Rejected),
        (post(text=" "), Rejected),
        (replace(post(), buttons=((Button("空"),),)), Rejected),
        (replace(post(), buttons=((Button("长", "键" * 22),),)), Rejected),
        (replace(post(), files=(StoredFile("/nowhere/photo", AttachmentKind.PHOTO, "image/png"),)), Rejected),
        (about("1", OutgoingAction.EDIT, text="改"), Rejected),
        (about(None, OutgoingAction.DELETE), Rejected),
        (about(None, OutgoingAction.ANSWER_PRESS, text="好"), Rejected),
        (about(None, OutgoingAction.ANSWER_PRESS, text="长" * 201), Rejected),
    ],
)
async def test_what_cannot_be_sent_is_said_so(
    platform: SimulatedPlatform, outgoing: Outgoing, fault: type[DeliveryError]
) -> None:
    with pytest.raises(fault):
        await SimulatorChannel(platform).send(outgoing)
    assert platform.messages("g3") == []


async def test_more_than_ten_files_are_rejected(platform: SimulatedPlatform, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(PNG)
    files = (StoredFile(str(tmp_path / "photo"), AttachmentKind.PHOTO, "image/png"),) * 11
    with pytest.raises(Rejected):
        await SimulatorChannel(platform).send(replace(post(), files=files))


async def test_blocked_and_removed_bot_reaches_nobody(platform: SimulatedPlatform) -> None:
    platform.block_bot("wang")
    platform.remove_bot("g3")
    for chat in (PRIVATE, GROUP):
        with pytest.raises(Undeliverable):
            await SimulatorChannel(platform).send(post(chat=chat))


async def test_residents_message_is_not_the_bots_to_change(platform: SimulatedPlatform) -> None:
    message = platform.say("g3", "wang", text="灯坏了")
    with pytest.raises(Rejected):
        await SimulatorChannel(platform).send(about(message, OutgoingAction.EDIT, text="改"))


async def test_files_are_fetched_up_to_the_limit(platform: SimulatedPlatform) -> None:
    platform.say("g3", "wang", uploads=[Upload(AttachmentKind.PHOTO, PNG)])
    (attachment,) = platform.bot.pending(10)[0].attachments
    channel = SimulatorChannel(platform)
    assert await channel.fetch(attachment, most=32) == PNG
    with pytest.raises(Rejected):
        await channel.fetch(attachment, most=31)
    with pytest.raises(Rejected):
        await channel.fetch(replace(attachment, external_id="12"), most=32)


async def test_channel_says_what_it_can_do(platform: SimulatedPlatform) -> None:
    channel = SimulatorChannel(platform)
    assert channel.abilities == Abilities(
        can_write_first=True, tells_withdrawals=True, has_dedupe_key=True, hears_all=True
    )
    assert await channel.take_hook({}, b"") == 404
    assert await channel.check() == [Finding(is_well=True, about="模拟平台：消息只在本机，不发往外部。")]


async def test_messages_carry_the_moved_clock(platform: SimulatedPlatform) -> None:
    goal = platform.clock.now() + timedelta(hours=30)
    platform.clock.move_to(goal)
    sent = await SimulatorChannel(platform).send(post())
    platform.say("g3", "wang", text="早上好")
    assert platform.message(sent.external_id or "").at >= goal
    assert platform.bot.pending(10)[0].sent_at >= goal
