"""The long poll: ask, hand over, and only after the commit ask for the next. Nothing is confirmed from memory."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from telegram import Bot
from telegram.error import Conflict, InvalidToken, TelegramError

from bot.channels.base import Deliver, is_stored
from bot.channels.telegram.reading import number_of, to_incoming
from bot.channels.telegram.requests import FloodControl, RawRequest
from bot.channels.telegram.updates import ALLOWED_UPDATES, UpdateBatch
from core.messages import Bookmark, Incoming

OFFSET = "offset"
BATCH = 100
# How far below the stored offset a number is taken for an update we had committed but not yet confirmed. Telegram's numbers
# start again anywhere after an idle week, so a number far below is new.
COMMITTED_WINDOW = 10_000

log = logging.getLogger(__name__)
_batch = msgspec.json.Decoder(UpdateBatch)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: the first and the longest pause after a failure, how long an answer may take, and the pause between the
    messages that one long `Outgoing` makes, so that they keep to one a second."""

    first_pause: float = 1.0
    longest_pause: float = 60.0
    answer_within: float = 20.0
    between_parts: float = 1.05

    def pause(self, failures: int) -> float:
        return float(min(self.longest_pause, self.first_pause * 2 ** min(failures - 1, 16)))


@dataclass(frozen=True, slots=True)
class Identity:
    """Our own bot: its id, and its name without @."""

    account: str
    username: str


class Poller:
    """Reads one bot's updates for ever; cancel the task that runs `run` to stop."""

    def __init__(self, bot: Bot, request: RawRequest, *, who: Identity, poll_seconds: int, pace: Pace) -> None:
        self._bot = bot
        self._request = request
        self._who = who
        self._poll_seconds = poll_seconds
        self._pace = pace

    async def run(self, deliver: Deliver, stored_offset: str | None) -> None:
        """The first request confirms nothing: the stored offset may stand above numbers that began anew, and would drop them."""
        committed = int(stored_offset) if stored_offset and stored_offset.isdecimal() else None
        offset: int | None = None
        failures = 0
        while True:
            try:
                updates = await self._ask(offset)
            except (TelegramError, ValueError, RecursionError) as error:
                failures += 1
                await asyncio.sleep(self._pause_after(error, failures))
                continue
            if not updates:
                failures = 0
                # A server that does not wait, or poll_seconds of 0, must not make us ask without a breath.
                await asyncio.sleep(self._pace.first_pause / 10)
                continue
            next_offset = await self._hand_over(deliver, updates, committed)
            if next_offset is None:
                failures += 1
                await asyncio.sleep(self._pace.pause(failures))
                continue
            offset, committed, failures = next_offset, None, 0

    async def _ask(self, offset: int | None) -> Sequence[bytes]:
        await self._bot.get_updates(
            offset=offset, limit=BATCH, timeout=self._poll_seconds, allowed_updates=ALLOWED_UPDATES
        )
        return separate(self._request.body)

    async def _hand_over(self, deliver: Deliver, updates: Sequence[bytes], committed: int | None) -> int | None:
        """The next offset to ask for, or None when nothing may be confirmed: not stored, or no update has a number."""
        incomings: list[Incoming] = []
        highest: int | None = None
        for body in updates:
            number = number_of(body)
            if number is not None:
                highest = number if highest is None else max(highest, number)
                if committed is not None and committed - COMMITTED_WINDOW <= number < committed:
                    continue
            incoming = to_incoming(body, self._who.account, self._who.username)
            if incoming is not None:
                incomings.append(incoming)
        bookmark = None if highest is None else Bookmark(OFFSET, str(highest + 1))
        if (incomings or bookmark) and not await is_stored(deliver, incomings, bookmark):
            return None
        return None if highest is None else highest + 1

    def _pause_after(self, error: Exception, failures: int) -> float:
        log.warning("telegram %s: poll failed, %s, %d in a row", self._who.account, type(error).__name__, failures)
        if isinstance(error, FloodControl):
            return error.seconds
        if isinstance(error, InvalidToken | Conflict):
            return max(self._pace.pause(failures), min(self._pace.longest_pause, 5 * self._pace.first_pause))
        return self._pace.pause(failures)


def separate(body: bytes) -> list[bytes]:
    """Each update of an answer as it came. Raises ValueError when the answer is no list of updates."""
    try:
        return [bytes(update) for update in _batch.decode(body).result]
    except (msgspec.MsgspecError, UnicodeError):
        # One half character anywhere spoils the whole for msgspec; the standard library lets it pass, and it spoils one.
        answer = json.loads(body.decode("utf-8", "replace"))
    updates = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(updates, list):
        raise ValueError("not a list of updates")
    return [json.dumps(update).encode() for update in updates]
