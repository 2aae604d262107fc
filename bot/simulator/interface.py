"""What the simulator page drives: the platform, with the program's own clock and settling handed in.

The shape is `web.simulator.Simulation`; neither side imports the other.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.simulator.platform import SimulatedPlatform
from core.errors import Refused
from core.simulation import (
    Change,
    ChangeKind,
    Persona,
    SimulatedGroup,
    SimulatedMessage,
    SimulatedPress,
    Upload,
)

LONGEST_STEP = timedelta(days=400)


class SimulatorInterface:
    """Implements `web.simulator.Simulation`."""

    def __init__(
        self,
        platform: SimulatedPlatform,
        *,
        settle: Callable[[], Awaitable[None]],
        advance_to: Callable[[datetime], Awaitable[None]],
        why: Callable[[str, str], Mapping[str, object] | None],
        next_due: Callable[[], Awaitable[datetime | None]] | None = None,
    ) -> None:
        """`settle` returns when nothing is left to do now. `advance_to` steps the clock to each due time up to the moment, in
        order, and runs it. `why` tells what was understood of (chat, message). `next_due` is when anything is due next.
        """
        self._platform = platform
        self._settle = settle
        self._advance_to = advance_to
        self._why = why
        self._next_due = next_due
        self._clock_lock = asyncio.Lock()

    def people(self) -> Sequence[Persona]:
        return self._platform.people()

    def chats(self) -> Sequence[SimulatedGroup]:
        return self._platform.groups()

    def add_person(self, name: str, *, roles: Sequence[str], area: str) -> Persona:
        return self._platform.add_person(name, roles=roles, area=area)

    def join(self, chat: str, person: str) -> None:
        self._platform.join(chat, person)

    def leave(self, chat: str, person: str) -> None:
        self._platform.leave(chat, person)

    def say(
        self,
        chat: str,
        person: str,
        *,
        text: str,
        uploads: Sequence[Upload],
        reply_to: str | None,
        album: str | None,
    ) -> str:
        return self._platform.say(chat, person, text=text, uploads=uploads, reply_to=reply_to, album=album)

    def edit(self, message: str, person: str, text: str) -> None:
        self._platform.edit(message, person, text)

    def withdraw(self, message: str, person: str) -> None:
        self._platform.withdraw(message, person)

    def press(self, message: str, person: str, button: str) -> SimulatedPress:
        return self._platform.press(message, person, button)

    def press_made(self, press: str) -> SimulatedPress:
        return self._platform.press_made(press)

    def message(self, message: str) -> SimulatedMessage:
        return self._platform.message(message)

    def messages(self, chat: str, after: int) -> Sequence[SimulatedMessage]:
        return self._platform.messages(chat, after)

    def latest(self) -> Sequence[SimulatedMessage]:
        return self._platform.latest()

    def photo(self, photo: str) -> Upload:
        return self._platform.file(photo)

    def why(self, message: str) -> Mapping[str, object] | None:
        return self._why(self._platform.message(message).chat, message)

    def now(self) -> datetime:
        return self._platform.clock.now()

    async def next_due(self) -> datetime | None:
        return None if self._next_due is None else await self._next_due()

    async def advance(self, by: timedelta) -> None:
        async with self._clock_lock:
            if by > LONGEST_STEP:
                raise Refused("simulator.clock_too_far", most=LONGEST_STEP.days)
            await self._move(self.now() + by)

    async def advance_to(self, moment: datetime) -> None:
        async with self._clock_lock:
            await self._move(moment)

    async def settle(self) -> None:
        await self._settle()

    def changes(self) -> AsyncIterator[Change]:
        return self._platform.feed.watch()

    async def _move(self, moment: datetime) -> None:
        """Settles, goes to the moment through everything due on the way, settles. The new offset is stored."""
        now = self.now()
        if moment < now:
            raise Refused("simulator.clock_backward")
        if moment - now > LONGEST_STEP:
            raise Refused("simulator.clock_too_far", most=LONGEST_STEP.days)
        try:
            await self._settle()
            await self._advance_to(moment)
            if self.now() < moment:
                self._platform.clock.move_to(moment)
            await self._settle()
        finally:
            self._platform.clock.keep()
            self._platform.feed.publish(Change(ChangeKind.CLOCK))
