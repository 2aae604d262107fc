"""The terminal as a channel: one resident, one group and one private chat. For a quick try and for people without a browser."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.channels.base import Deliver, Finding
from core.clock import Clock
from core.errors import Rejected
from core.ids import new_id
from core.messages import (
    Abilities,
    Attachment,
    Button,
    ChatKind,
    ChatRef,
    Incoming,
    IncomingKind,
    Outgoing,
    OutgoingAction,
    SenderRef,
    Sent,
)
from core.texts import say

RETRY_SECONDS = 1.0
INDENT = "    "
GROUP_COMMANDS = frozenset({":群", ":group"})
PRIVATE_COMMANDS = frozenset({":私", ":private"})
QUIT_COMMANDS = frozenset({":退", ":quit"})


@dataclass(frozen=True, slots=True)
class Resident:
    """Who sits at the terminal, and the one group they are in."""

    person_id: str
    name: str
    group_id: str
    group_name: str


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where lines come from and where they go, for instance `sys.stdin` and a function that prints."""

    lines: Iterable[str]
    write: Callable[[str], None]


class ConsoleChannel:
    """Implements `Channel` of bot/channels/base. `closed` is set when the resident leaves or the input ends."""

    name = "console"
    account = "console"
    abilities = Abilities(can_write_first=True)

    def __init__(self, resident: Resident, terminal: Terminal, clock: Clock) -> None:
        self.closed = asyncio.Event()
        self._terminal = terminal
        self._clock = clock
        self._group = ChatRef(resident.group_id, ChatKind.GROUP, resident.group_name)
        self._private = ChatRef(f"private:{resident.person_id}", ChatKind.PRIVATE, resident.name)
        self._sender = SenderRef(resident.person_id, resident.name)
        self._here = self._group
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self._buttons: dict[int, tuple[Button, str, ChatRef]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:  # noqa: ARG002 - a terminal has no past and is always its own ears
        """Greets, and delivers each line typed."""
        self._terminal.write(say("console.hello", name=self._sender.name, group=self._group.title))
        loop = asyncio.get_running_loop()
        # A daemon thread, because reading a terminal cannot be cancelled and must not keep the program from ending.
        threading.Thread(target=self._type, args=(loop,), name="console typing", daemon=True).start()
        self._listening = asyncio.create_task(self._listen(deliver), name="console listening")

    async def stop(self) -> None:
        task, self._listening = self._listening, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def send(self, outgoing: Outgoing) -> Sent:
        """Prints it. A message with buttons makes its buttons the ones that numbers press."""
        title = say("console.private_name") if outgoing.chat.kind is ChatKind.PRIVATE else self._group.title
        match outgoing.action:
            case OutgoingAction.SEND:
                message = str(new_id())
                self._print("console.bot_line", title, outgoing, message)
                return Sent(message)
            case OutgoingAction.EDIT:
                self._print("console.bot_edit", title, outgoing, outgoing.message_id or "")
            case OutgoingAction.DELETE:
                self._forget_buttons(outgoing.message_id or "")
                self._terminal.write(say("console.bot_delete", chat=title))
            case OutgoingAction.ANSWER_PRESS:
                if outgoing.text:
                    self._terminal.write(say("console.bot_notice", text=outgoing.text))
        return Sent(outgoing.message_id)

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        raise Rejected(f"a terminal sends no files ({attachment.external_id}, {most})")

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:  # noqa: ARG002 - nothing is taken
        return 404

    async def check(self) -> list[Finding]:
        return [Finding(is_well=True, about="终端：消息只在本机。")]

    def _type(self, loop: asyncio.AbstractEventLoop) -> None:
        """In its own thread: hands each line to the loop, then None at the end of the input."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            for line in self._terminal.lines:
                loop.call_soon_threadsafe(self._typed.put_nowait, line)
            loop.call_soon_threadsafe(self._typed.put_nowait, None)

    async def _listen(self, deliver: Deliver) -> None:
        while (line := await self._typed.get()) is not None:
            words = line.strip()
            if words in QUIT_COMMANDS:
                break
            incoming = self._understand(words)
            if incoming is not None:
                await self._deliver(deliver, incoming)
        self.closed.set()

    async def _deliver(self, deliver: Deliver, incoming: Incoming) -> None:
        while True:
            try:
                await deliver([incoming])
            except Exception:  # noqa: BLE001 - the line is still in our hands: say so and try again
                self._terminal.write(say("console.delivery_failed"))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    def _understand(self, words: str) -> Incoming | None:
        """What the line is: a press, a message, or nothing for the bot."""
        if not words:
            return None
        if words in GROUP_COMMANDS | PRIVATE_COMMANDS:
            self._go(self._group if words in GROUP_COMMANDS else self._private)
            return None
        if words.startswith(":"):
            self._terminal.write(say("console.unknown_command", words=words))
            return None
        if words.isascii() and words.isdigit() and int(words[:9]) in self._buttons:
            return self._press(int(words[:9]))
        message = str(new_id())
        return Incoming(
            self.name,
            self.account,
            message,
            IncomingKind.MESSAGE,
            self._here,
            self._sender,
            self._clock.now(),
            message_id=message,
            text=words,
            is_addressed=self._here.kind is ChatKind.PRIVATE or "@五微" in words,
        )

    def _press(self, number: int) -> Incoming:
        button, message, chat = self._buttons[number]
        press = str(new_id())
        return Incoming(
            self.name,
            self.account,
            press,
            IncomingKind.PRESS,
            chat,
            self._sender,
            self._clock.now(),
            message_id=message,
            button=button.key,
            press_id=press,
        )

    def _go(self, chat: ChatRef) -> None:
        self._here = chat
        key = "console.here_group" if chat is self._group else "console.here_private"
        self._terminal.write(say(key, group=self._group.title))

    def _print(self, key: str, title: str, outgoing: Outgoing, message: str) -> None:
        lines = [say(key, chat=title, text=outgoing.text)]
        lines += [INDENT + say("console.file", name=file.name or file.kind.value) for file in outgoing.files]
        self._forget_buttons(message)
        flat = [button for row in outgoing.buttons for button in row]
        if any(button.url is None for button in flat):
            self._buttons.clear()  # numbers start at 1 again and mean what was printed last
        for button in flat:
            if button.url is not None:
                lines.append(INDENT + say("console.link_button", text=button.text, url=button.url))
                continue
            number = len(self._buttons) + 1
            self._buttons[number] = (button, message, outgoing.chat)
            lines.append(INDENT + say("console.button", number=number, text=button.text))
        self._terminal.write("\n".join(lines))

    def _forget_buttons(self, message: str) -> None:
        self._buttons = {number: known for number, known in self._buttons.items() if known[1] != message}
