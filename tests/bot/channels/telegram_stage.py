"""The Telegram channel on a stage: the emulator, the real channel, and an inbox that can refuse."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.channels.base import NotStored
from bot.channels.telegram import Pace, TelegramChannel
from core.messages import Bookmark, Button, ChatKind, ChatRef, Incoming, Outgoing, OutgoingAction
from tests.emulators.telegram import Chat, TelegramEmulator
from tests.emulators.telegram_limits import NO_LIMITS

JPEG = b"\xff\xd8\xff\xe0 a picture"
QUICK = Pace(first_pause=0.02, longest_pause=0.1, answer_within=1.0, between_parts=0)


@dataclass
class Inbox:
    """Stands for the receiver: what was committed, with the bookmarks; `refusals` deliveries fail first."""

    got: list[Incoming] = field(default_factory=list)
    bookmarks: list[str] = field(default_factory=list)
    refusals: int = 0
    refused: int = 0

    async def deliver(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        if self.refusals:
            self.refusals -= 1
            self.refused += 1
            raise NotStored from OSError("disk full")
        self.got += incomings
        if bookmark is not None:
            self.bookmarks.append(bookmark.value)

    @property
    def texts(self) -> list[str]:
        return [incoming.text for incoming in self.got]


@dataclass
class Stage:
    telegram: TelegramEmulator
    channel: TelegramChannel
    inbox: Inbox

    async def heard(self, count: int) -> list[Incoming]:
        """Waits until this many were committed."""
        await self.telegram.wait_for(lambda: len(self.inbox.got) >= count)
        return self.inbox.got

    def outgoing(self, chat: Chat, text: str = "", **more: Any) -> Outgoing:
        kind = ChatKind.GROUP if chat.is_group else ChatKind.PRIVATE
        where = ChatRef(str(chat.id), kind, thread=more.pop("thread", None))
        action = more.pop("action", OutgoingAction.SEND)
        return Outgoing("1", "telegram", self.channel.account, action, where, text, **more)


def rows(*labels: str) -> tuple[tuple[Button, ...], ...]:
    """One row of buttons whose keys are k-<label>."""
    return (tuple(Button(label, f"k-{label}") for label in labels),)


@asynccontextmanager
async def stage(
    *,
    bookmarks: Mapping[str, str] | None = None,
    emulator: Mapping[str, Any] | None = None,
    listens: bool = True,
    **channel: Any,
) -> AsyncIterator[Stage]:
    async with TelegramEmulator(**{"limits": NO_LIMITS, **(emulator or {})}) as telegram:
        given: dict[str, Any] = {
            "token": telegram.token,
            "base_url": telegram.base_url,
            "poll_seconds": 5,
            "pace": QUICK,
        }
        given |= channel
        made = TelegramChannel(**given)
        set_up = Stage(telegram, made, Inbox())
        if listens:
            await made.start(set_up.inbox.deliver, bookmarks or {})
            # The platform learns with the first poll which kinds of updates we want.
            await telegram.wait_for(lambda: given["base_url"] != telegram.base_url or telegram.queue.allowed)
        try:
            yield set_up
        finally:
            await made.stop()
