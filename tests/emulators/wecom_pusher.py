"""The platform's callbacks: sealed and signed by wechatpy, delivered up to three times, five seconds each, to one address."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import httpx
import xmltodict
from wechatpy.enterprise.crypto import WeChatCrypto

from tests.emulators.wecom_world import Json

DELIVERIES = 3
PATIENCE = 5.0


@dataclass
class Pushed:
    """What became of one callback: the status of each delivery, 0 where none came in time."""

    text: str
    query: str
    body: bytes
    statuses: list[int]


class Pusher:
    """`client` has the program's address as its base; `path` is where its callbacks go. Order and repetition can be disturbed."""

    def __init__(
        self, crypto: WeChatCrypto, corp_id: str, *, now: Callable[[], float], retry_pause: float = 0.02
    ) -> None:
        self._crypto = crypto
        self._corp_id = corp_id
        self._now = now
        self._retry_pause = retry_pause
        self._nonces = itertools.count(1_000_000)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Pushed] | None = None
        self._client: httpx.AsyncClient | None = None
        self._path = ""
        self.copies = 1
        self.log: list[Pushed] = []

    def connect(self, client: httpx.AsyncClient, path: str) -> None:
        self._client, self._path = client, path

    @property
    def pending(self) -> int:
        return len(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def verify(self) -> bool:
        """The GET with which the console saves an address: the plain text and nothing else, there within a second."""
        assert self._client is not None
        echo = "1616140317555161061"
        query, sealed = self._query(echo)
        answer = await self._client.get(f"{self._path}?{query}&{urlencode({'echostr': sealed})}")
        return (answer.status_code, answer.content) == (200, echo.encode())

    def push(self, fields: Json, *, deliveries: int = DELIVERIES) -> Pushed:
        """One callback with these fields as XML."""
        text = f"<xml>{_xml(fields)}</xml>"
        query, sealed = self._query(text)
        agent = fields.get("AgentID", "")
        body = f"<xml><ToUserName><![CDATA[{self._corp_id}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt><AgentID><![CDATA[{agent}]]></AgentID></xml>"
        pushed = Pushed(text, query, body.encode(), [])
        self.log.append(pushed)
        if self._held is not None:
            self._held.append(pushed)
            return pushed
        copies, self.copies = self.copies, 1
        for _ in range(copies):
            self.send(pushed, deliveries=deliveries)
        return pushed

    def send(self, pushed: Pushed, *, deliveries: int = DELIVERIES) -> None:
        task = asyncio.create_task(self._deliver(pushed, deliveries))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hold(self) -> None:
        """From now on callbacks wait."""
        self._held = []

    def release(self, *, backwards: bool = False) -> None:
        held, self._held = self._held or [], None
        for pushed in reversed(held) if backwards else held:
            self.send(pushed)

    def _query(self, text: str) -> tuple[str, str]:
        nonce, timestamp = str(next(self._nonces)), str(int(self._now()))
        sealed = xmltodict.parse(self._crypto.encrypt_message(text, nonce, timestamp))["xml"]
        query = {"msg_signature": sealed["MsgSignature"], "timestamp": timestamp, "nonce": nonce}
        return urlencode(query), sealed["Encrypt"]

    async def _deliver(self, pushed: Pushed, deliveries: int) -> None:
        assert self._client is not None, "the program has no address yet"
        for _ in range(deliveries):
            try:
                answer = await self._client.post(f"{self._path}?{pushed.query}", content=pushed.body, timeout=PATIENCE)
                pushed.statuses.append(answer.status_code)
            except httpx.HTTPError:
                pushed.statuses.append(0)
            if pushed.statuses[-1] == 200:
                return
            await asyncio.sleep(self._retry_pause)


def _xml(fields: Json) -> str:
    """Text in CDATA, numbers bare, lists as repeated elements."""
    parts = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            inner = _xml(one) if isinstance(one, dict) else str(one) if isinstance(one, int | float) else _cdata(one)
            parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)


def _cdata(text: str) -> str:
    return escape(text) if "]]>" in text else f"<![CDATA[{text}]]>"
