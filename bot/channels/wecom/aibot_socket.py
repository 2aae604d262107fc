"""The AI bot's long connection: outbound, one for each bot, kept alive, made again when it breaks, and given up to whoever takes it over.

Questions are answered by their `req_id`. What the platform tells is handed to `hear` in its order, and nothing more is done here.
"""

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State

from bot.channels.wecom.callbacks import CONTROL
from bot.channels.wecom.client import Json
from core.errors import TryLater, Unknown

SUBSCRIBE, PING = "aibot_subscribe", "ping"
MESSAGE, EVENT = "aibot_msg_callback", "aibot_event_callback"
NOT_SUBSCRIBED = 846609
BUSY = frozenset({-1, 45009, 45033})
LARGEST_FRAME = 1024 * 1024
MOST_REFUSALS = 5
AGAIN, TAKEN_AGAIN, MISCONFIGURED = 5.0, 30.0, 300.0

log = logging.getLogger(__name__)


class Line(StrEnum):
    """How the connection is: not begun or broken, in use, taken over by another program, or refused for its secret."""

    DOWN = "down"
    UP = "up"
    TAKEN = "taken"
    REFUSED = "refused"


class Refusal(Exception):
    """The platform's code for a question that it did not carry out."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: the pauses between tries, the heartbeat, how long an answer may take, and how long one waits for the line."""

    first_pause: float = 1.0
    longest_pause: float = 30.0
    heartbeat: float = 30.0
    answer_within: float = 5.0
    line_within: float = 5.0

    def pause(self, failures: int) -> float:
        """Doubling, and a little uneven: a thousand bots that fell together must not come back together."""
        return min(self.longest_pause, self.first_pause * 2.0 ** min(failures - 1, 16)) * random.uniform(1.0, 1.2)


class _Headers(msgspec.Struct):
    req_id: str = ""


class Frame(msgspec.Struct):
    """What comes: with `cmd` a callback, without one the answer to a question."""

    headers: _Headers = msgspec.field(default_factory=_Headers)
    cmd: str = ""
    body: msgspec.Raw = msgspec.Raw(b"null")
    errcode: int = 0


class _EventOnly(msgspec.Struct):
    event: dict[str, msgspec.Raw] | None = None


_frame = msgspec.json.Decoder(Frame)
_event = msgspec.json.Decoder(_EventOnly)
DISCONNECTED = b'"disconnected_event"'


class Socket:
    """One bot's connection; cancel the task that runs `run` to end it. `heard` counts the callbacks handed on.

    `changed` is set whenever it is known anew how the line is.
    """

    def __init__(
        self,
        url: str,
        bot_id: str,
        secret: str,
        *,
        hear: Callable[[str, bytes], None],
        pace: Pace | None = None,
        most_refusals: int = MOST_REFUSALS,
    ) -> None:
        self._most_refusals = most_refusals
        self._url = url
        self._bot_id = bot_id
        self._secret = secret
        self._hear = hear
        self._pace = pace or Pace()
        self._connection: ClientConnection | None = None
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._settled = asyncio.Event()
        self.changed = asyncio.Event()
        self.line = Line.DOWN
        self.refused_with = 0
        self.heard = 0

    async def run(self) -> None:
        """Connects for ever; ends when another program has taken the bot over, or the secret was refused several times."""
        failures = refusals = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._live()
            except Refusal as refusal:
                self.refused_with = refusal.code
                refusals += refusal.code not in BUSY
            except (OSError, TimeoutError, WebSocketException) as error:
                log.info("wecom bot: the connection broke, %s", type(error).__name__)
            if self.line is Line.TAKEN:
                log.critical("wecom bot %s: another program has taken the connection over", self._bot_id)
                return
            if refusals >= self._most_refusals:
                self._settle(Line.REFUSED)
                log.critical("wecom bot %s: refused with %d", self._bot_id, self.refused_with)
                return
            is_fresh = asyncio.get_running_loop().time() - began < self._pace.longest_pause
            failures = failures + 1 if is_fresh else 1
            await asyncio.sleep(self._pace.pause(failures))

    def _settle(self, line: Line) -> None:
        self.line = line
        self._settled.set()
        self.changed.set()

    async def settled(self, seconds: float) -> None:
        """Waits until it is known how the line is, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._settled.wait()

    async def ask(self, cmd: str, body: Json | None, req_id: str = "") -> Json:
        """The body of the answer. Raises Refusal, TryLater where nothing was asked, Unknown where no answer came."""
        connection = await self._line_up()
        frame = await self._ask(connection, cmd, body, req_id)
        if frame.errcode == NOT_SUBSCRIBED:
            await connection.close()
            raise TryLater(AGAIN, "the bot has to subscribe again")
        if frame.errcode:
            raise Refusal(frame.errcode)
        try:
            found = msgspec.json.decode(frame.body)
        except (msgspec.MsgspecError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    async def _line_up(self) -> ClientConnection:
        if self.line is Line.DOWN:
            await self.settled(self._pace.line_within)
        if self.line is Line.TAKEN:
            raise TryLater(TAKEN_AGAIN, "另一个程序正在使用这个智能机器人", whole_account=True)
        if self.line is Line.REFUSED:
            raise TryLater(MISCONFIGURED, f"智能机器人的 ID 或 Secret 不对（{self.refused_with}）", whole_account=True)
        connection = self._connection
        if self.line is Line.DOWN or connection is None or connection.state is not State.OPEN:
            raise TryLater(AGAIN, "the connection to WeCom is down")
        return connection

    async def _ask(self, connection: ClientConnection, cmd: str, body: Json | None, req_id: str) -> Frame:
        known = req_id or f"{cmd}_{uuid.uuid4().hex}"
        if known in self._waiting:
            raise Refusal(-1)  # one question at a time for each callback
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[known] = answer
        frame: Json = {"cmd": cmd, "headers": {"req_id": known}}
        if body is not None:
            frame["body"] = body
        try:
            await connection.send(msgspec.json.encode(frame).decode())
            async with asyncio.timeout(self._pace.answer_within):
                return await answer
        except ConnectionClosed:
            raise Unknown("the connection broke in the middle of a question") from None
        except TimeoutError:
            raise Unknown("WeCom gave no answer") from None
        finally:
            self._waiting.pop(known, None)

    async def _live(self) -> None:
        """One connection from its beginning to its end."""
        async with connect(
            self._url,
            ping_interval=None,  # the platform has a heartbeat of its own
            close_timeout=1,
            open_timeout=self._pace.answer_within * 2,
            max_size=LARGEST_FRAME,
        ) as connection:
            self._connection = connection
            beating = asyncio.create_task(self._subscribe_and_beat(connection))
            try:
                await self._listen(connection)
            finally:
                # Where it was not let in, the reason is still on its way through that task.
                if self.line in (Line.UP, Line.TAKEN):
                    beating.cancel()
                self._end_line()
                (end,) = await asyncio.gather(beating, return_exceptions=True)
                if isinstance(end, Refusal):
                    raise end

    def _end_line(self) -> None:
        self._connection = None
        if self.line is Line.UP:
            self.line = Line.DOWN
            self._settled.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Unknown("the connection broke in the middle of a question"))
        self._waiting.clear()

    async def _subscribe_and_beat(self, connection: ClientConnection) -> None:
        try:
            body = {"bot_id": self._bot_id, "secret": self._secret}
            frame = await self._ask(connection, SUBSCRIBE, body, "")
            if frame.errcode:
                raise Refusal(frame.errcode)
            self.refused_with = 0
            self._settle(Line.UP)
            await self._beat(connection)
        finally:
            await connection.close()

    async def _beat(self, connection: ClientConnection) -> None:
        """Returns when two heartbeats in a row were not answered: the line is dead, whatever it looks like."""
        missed = 0
        while missed < 2:
            await asyncio.sleep(self._pace.heartbeat)
            try:
                frame = await self._ask(connection, PING, None, "")
            except Unknown:
                missed += 1
                continue
            if frame.errcode == NOT_SUBSCRIBED:
                return
            missed = 0

    async def _listen(self, connection: ClientConnection) -> None:
        async for data in connection:
            text = data if isinstance(data, str) else data.decode("utf-8", "replace")
            try:
                frame = _frame.decode(CONTROL.sub("", text))
            except (msgspec.MsgspecError, RecursionError, UnicodeError):
                log.warning("wecom bot: a frame of %d characters could not be read", len(text))
                continue
            if not frame.cmd:
                answer = self._waiting.get(frame.headers.req_id)
                if answer is not None and not answer.done():
                    answer.set_result(frame)
            elif frame.cmd in (MESSAGE, EVENT):
                if frame.cmd == EVENT and self._is_taken_over(frame):
                    self._settle(Line.TAKEN)
                    return
                self.heard += 1
                self._hear(frame.headers.req_id, bytes(frame.body))

    @staticmethod
    def _is_taken_over(frame: Frame) -> bool:
        try:
            event = _event.decode(frame.body).event or {}
        except (msgspec.MsgspecError, RecursionError):
            return False
        return bytes(event.get("eventtype", msgspec.Raw(b""))) == DISCONNECTED


async def tried(url: str, bot_id: str, secret: str, pace: Pace) -> tuple[Line, int]:
    """How the line would be, and the platform's code where it refuses. Whoever has the bot now is pushed out."""
    socket = Socket(url, bot_id, secret, hear=lambda _req_id, _body: None, pace=pace, most_refusals=1)
    running = asyncio.create_task(socket.run())
    await socket.settled(pace.line_within)
    found = socket.line, socket.refused_with
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return found
