"""The socket of the emulated AI bot: subscribing, one connection for each bot, heartbeat, questions and answers, and what goes wrong there."""

import asyncio
import json
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.emulators.wecom_aibot_rules import Rules
from tests.emulators.wecom_world import ApiError, Json

HELLO_WITHIN = 5.0
NOT_SUBSCRIBED, BAD_SECRET = 846609, 40001
CMDS = {"aibot_subscribe", "ping"}


class Lines:
    """`log` holds every question as (cmd, req_id, body, code of the answer)."""

    def __init__(self, bot_id: str, secret: str, rules: Rules) -> None:
        self._bot_id, self._secret = bot_id, secret
        self._rules = rules
        self._server: Server | None = None
        self._current: ServerConnection | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self.url = ""
        self.log: list[tuple[str, str, Json, int]] = []
        self.subscribed = 0
        self.swallowed = 0  # answers that are lost after the work was done
        self.holds = False  # questions come in, and are neither worked nor answered
        self.held: list[Json] = []
        self.copies = 1
        self.is_mute = False  # heartbeats are not answered
        self.refusals: list[tuple[str, int]] = []  # (cmd, code) for the next questions

    async def open(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", 0, ping_interval=None, max_size=2 * 1024 * 1024)
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}"

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await asyncio.gather(*self._sending, return_exceptions=True)

    @property
    def is_connected(self) -> bool:
        return self._current is not None

    def drop(self) -> None:
        """The connection breaks without a word."""
        if self._current is not None:
            self._current.transport.abort()

    def refuse_next(self, cmd: str, code: int, times: int = 1) -> None:
        self.refusals += [(cmd, code)] * times

    def asked(self, cmd: str) -> list[Json]:
        """The bodies of the questions of this kind that were answered with 0."""
        return [body for name, _, body, code in self.log if name == cmd and code == 0]

    def push(self, cmd: str, req_id: str, body: Json) -> int:
        """How many times the callback goes out."""
        if self._current is None:
            return 0
        copies, self.copies = self.copies, 1
        frame = {"cmd": cmd, "headers": {"req_id": req_id}, "body": body}
        for _ in range(copies):
            self._say(self._current, frame)
        return copies

    def _say(self, connection: ServerConnection, frame: Json) -> None:
        task = asyncio.create_task(_send(connection, frame))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _serve(self, connection: ServerConnection) -> None:
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                first = _frame(await connection.recv())
        except (TimeoutError, ConnectionClosed):
            return
        if not await self._subscribe(connection, first):
            return
        try:
            async for data in connection:
                await self._answer(connection, _frame(data))
        except ConnectionClosed:
            pass
        finally:
            if self._current is connection:
                self._current = None
                self._rules.forget_calls()

    async def _subscribe(self, connection: ServerConnection, frame: Json) -> bool:
        code = 0
        if frame["cmd"] != "aibot_subscribe":
            code = NOT_SUBSCRIBED
        else:
            body = dict(frame.get("body") or {})
            known = {name: body.pop(name, None) for name in ("bot_id", "secret")}
            assert set(body) <= {"scene", "plug_version"}, f"unknown in subscribe: {sorted(body)}"
            code = 0 if known == {"bot_id": self._bot_id, "secret": self._secret} else BAD_SECRET
        code = self._refusal(frame["cmd"]) or code
        await self._reply(connection, frame, code, {})
        if code:
            return False
        older, self._current = self._current, connection
        self.subscribed += 1
        if older is not None:
            self._rules.forget_calls()
            event = {"msgid": f"D{self.subscribed}", "msgtype": "event", "event": {"eventtype": "disconnected_event"}}
            await _send(older, {"cmd": "aibot_event_callback", "headers": {"req_id": "gone"}, "body": event})
            await older.close()
        return True

    async def _answer(self, connection: ServerConnection, frame: Json) -> None:
        if frame["cmd"] == "ping":
            if not self.is_mute:
                await self._reply(connection, frame, 0, {})
            return
        if self.holds:
            self.held.append(frame)
            return
        code, found = self._refusal(frame["cmd"]), {}
        if not code:
            try:
                found = self._rules.work(frame["cmd"], frame["headers"]["req_id"], frame.get("body") or {})
            except ApiError as error:
                code = error.code
        await self._reply(connection, frame, code, found)

    def _refusal(self, cmd: str) -> int:
        for place, (name, code) in enumerate(self.refusals):
            if name == cmd:
                del self.refusals[place]
                return code
        return 0

    async def _reply(self, connection: ServerConnection, frame: Json, code: int, found: Json) -> None:
        self.log.append((frame["cmd"], frame["headers"]["req_id"], frame.get("body") or {}, code))
        if self.swallowed and frame["cmd"] not in CMDS:
            self.swallowed -= 1
            return
        answer: Json = {"headers": {"req_id": frame["headers"]["req_id"]}, "errcode": code, "errmsg": f"code {code}"}
        if found:
            answer["body"] = found
        await _send(connection, answer)


async def _send(connection: ServerConnection, frame: Json) -> None:
    try:
        await connection.send(json.dumps(frame, ensure_ascii=False))
    except ConnectionClosed:
        return


def _frame(data: str | bytes) -> Json:
    """Strict: nothing but the three known parts, and a req_id."""
    assert isinstance(data, str), "frames are text"
    frame: dict[str, Any] = json.loads(data)
    assert set(frame) <= {"cmd", "headers", "body"}, f"unknown part in {sorted(frame)}"
    assert isinstance(frame["cmd"], str)
    assert 0 < len(frame["headers"]["req_id"]) <= 128
    return frame
