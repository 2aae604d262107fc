"""The terminal as a channel: lines in, printed answers out, numbers press buttons."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from bot.channels.base import Channel, Finding, NotStored
from bot.channels.console import ConsoleChannel, Resident, Terminal
from core.clock import FixedClock
from core.errors import Rejected
from core.messages import (
    Attachment,
    AttachmentKind,
    Bookmark,
    Button,
    ChatKind,
    ChatRef,
    Incoming,
    IncomingKind,
    Outgoing,
    OutgoingAction,
    StoredFile,
)
from core.texts import say
from tests.patience import PATIENCE

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
GROUP = ChatRef("g3", ChatKind.GROUP, "和谐家园3号群")
PRIVATE = ChatRef("private:wang", ChatKind.PRIVATE, "王秀英")


@dataclass
class Desk:
    """A terminal under the test's hands."""

    typed: "queue.Queue[str | None]" = field(default_factory=queue.Queue)
    printed: list[str] = field(default_factory=list)
    got: list[Incoming] = field(default_factory=list)
    failures: int = 0

    def lines(self) -> Iterator[str]:
        while (line := self.typed.get()) is not None:
            yield line

    async def deliver(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise NotStored from OSError("disk full")
        self.got.extend(incomings)

    async def type(self, *lines: str) -> Incoming:
        """Types the lines and waits until the last of them was delivered."""
        before = len(self.got)
        for line in lines:
            self.typed.put(f"{line}\n")
        async with asyncio.timeout(PATIENCE):
            while len(self.got) == before:
                await asyncio.sleep(0.005)
        return self.got[-1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def console(desk: Desk) -> AsyncIterator[ConsoleChannel]:
    resident = Resident("wang", "王秀英", "g3", "和谐家园3号群")
    made = ConsoleChannel(resident, Terminal(desk.lines(), desk.printed.append), FixedClock(NOW))
    channel: Channel = made
    await channel.start(desk.deliver, {})
    desk.printed.clear()
    yield made
    await channel.stop()
    desk.typed.put(None)


def post(text: str, *, chat: ChatRef = PRIVATE, buttons: tuple[Button, ...] = ()) -> Outgoing:
    return Outgoing("1", "console", "console", OutgoingAction.SEND, chat, text=text, buttons=(buttons,))


async def test_line_becomes_a_group_message(desk: Desk, console: ConsoleChannel) -> None:
    said = await desk.type("  ", "井盖坏了")
    assert (said.kind, said.chat, said.text, said.sent_at) == (IncomingKind.MESSAGE, GROUP, "井盖坏了", NOW)
    assert said.sender is not None
    assert (said.sender.external_id, said.is_addressed) == ("wang", False)
    assert (await desk.type("@五微 在吗")).is_addressed


async def test_command_goes_to_the_private_chat_and_back(desk: Desk, console: ConsoleChannel) -> None:
    private = await desk.type(":私", "我的")
    group = await desk.type(":群", "早")
    assert (private.chat, private.is_addressed, group.chat, group.is_addressed) == (PRIVATE, True, GROUP, False)
    assert desk.printed == [
        say("console.here_private", group="和谐家园3号群"),
        say("console.here_group", group="和谐家园3号群"),
    ]


async def test_unknown_command_is_explained(desk: Desk, console: ConsoleChannel) -> None:
    await desk.type(":飞", "早")
    assert desk.printed == [say("console.unknown_command", words=":飞")]
    assert [incoming.text for incoming in desk.got] == ["早"]


async def test_number_presses_the_button_printed_last(desk: Desk, console: ConsoleChannel) -> None:
    await console.send(post("旧", buttons=(Button("旧的", "old"),)))
    sent = await console.send(
        post("请评价", buttons=(Button("满意", "yes"), Button("详情", url="http://127.0.0.1/"), Button("不满意", "no")))
    )
    assert desk.printed[1] == "[私聊] 五微：请评价\n    1. 满意\n    · 详情：http://127.0.0.1/\n    2. 不满意"
    pressed = await desk.type("2")
    assert (pressed.kind, pressed.button, pressed.message_id, pressed.chat) == (
        IncomingKind.PRESS,
        "no",
        sent.external_id,
        PRIVATE,
    )
    assert pressed.press_id == pressed.external_id


async def test_number_without_button_is_talk(desk: Desk, console: ConsoleChannel) -> None:
    said = await desk.type("2")
    assert (said.kind, said.text) == (IncomingKind.MESSAGE, "2")


async def test_edit_without_buttons_takes_them_away(desk: Desk, console: ConsoleChannel) -> None:
    sent = await console.send(post("可撤销", chat=GROUP, buttons=(Button("撤销", "undo"),)))
    change = replace(post("已派单", chat=GROUP), action=OutgoingAction.EDIT, message_id=sent.external_id)
    assert (await console.send(change)).external_id == sent.external_id
    assert desk.printed[-1] == "[和谐家园3号群] 五微（改为）：已派单"
    assert (await desk.type("1")).kind is IncomingKind.MESSAGE


async def test_deletion_and_notice_are_printed(desk: Desk, console: ConsoleChannel) -> None:
    sent = await console.send(post("可撤销", buttons=(Button("撤销", "undo"),)))
    await console.send(replace(post("已撤销"), action=OutgoingAction.ANSWER_PRESS, press_id="1"))
    await console.send(replace(post(""), action=OutgoingAction.ANSWER_PRESS, press_id="2"))
    await console.send(replace(post(""), action=OutgoingAction.DELETE, message_id=sent.external_id))
    assert desk.printed[1:] == ["（已撤销）", "[私聊] 五微撤回了一条消息。"]
    assert (await desk.type("1")).kind is IncomingKind.MESSAGE


async def test_file_is_named(desk: Desk, console: ConsoleChannel) -> None:
    files = (StoredFile("x", AttachmentKind.PHOTO, "image/png", "井盖.png"),)
    await console.send(replace(post("看照片"), files=files))
    assert desk.printed == ["[私聊] 五微：看照片\n    [附件：井盖.png]"]


async def test_failed_delivery_is_said_and_made_again(desk: Desk, console: ConsoleChannel) -> None:
    desk.failures = 1
    assert (await desk.type("早")).text == "早"
    assert desk.printed == [say("console.delivery_failed")]


@pytest.mark.parametrize("last", [":退\n", None])
async def test_leaving_or_the_end_of_input_closes(desk: Desk, console: ConsoleChannel, last: str | None) -> None:
    desk.typed.put(last)
    async with asyncio.timeout(PATIENCE):
        await console.closed.wait()
    assert desk.got == []


async def test_terminal_takes_no_files_and_no_hooks(console: ConsoleChannel) -> None:
    with pytest.raises(Rejected):
        await console.fetch(Attachment(AttachmentKind.PHOTO, "1"), most=10)
    assert await console.take_hook({}, b"") == 404
    assert await console.check() == [Finding(is_well=True, about="终端：消息只在本机。")]
