"""The group robot (群机器人, 消息推送) as a channel: one webhook into one group of staff, one way. It hears nothing, and what it has
said stays.
"""

import asyncio
import base64
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
from wechatpy.exceptions import WeChatClientException

from bot.channels.base import Deliver, Finding, is_stored
from bot.channels.certificates import trusted
from bot.channels.wecom.aibot_text import with_addresses
from bot.channels.wecom.budget import Budget
from bot.channels.wecom.checking import trouble
from bot.channels.wecom.client import Json
from bot.channels.wecom.failures import AGAIN, delivery_error
from bot.channels.wecom.files import IMAGES, LARGEST, MB, SMALLEST, name_of
from bot.channels.wecom.text import TEXT_BYTES, split
from core.errors import DeliveryError, LimitReached, Rejected, TryLater, Undeliverable, Unknown
from core.messages import (
    Abilities,
    Attachment,
    Bookmark,
    ChatKind,
    ChatRef,
    Incoming,
    IncomingKind,
    Limit,
    LimitScope,
    Outgoing,
    OutgoingAction,
    SenderRef,
    Sent,
    StoredFile,
)

CHANNEL = "wecom_robot"
SPENT = "code"  # the bookmark that tells which code was spent
LIMITS = (Limit(LimitScope.ACCOUNT, 20, timedelta(minutes=1)),)
ABILITIES = Abilities(
    limits=LIMITS, text_limit=TEXT_BYTES, can_edit=False, can_delete=False, can_write_first=True, can_hear=False
)
IMAGE_BYTES = 2 * MB
BAD_KEY = 93000
ADVICE = {
    str(
        BAD_KEY
    ): "请在那个群里 → 群设置 → 消息推送（群机器人），复制 Webhook 地址里 key= 后面的部分，写进密码文件或 wecom.robots。",
    "45009": "它这一分钟说得太多；请过几分钟再运行一次 wuwei check。",
}
MISCONFIGURED = 300.0
TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class Robot:
    """One robot. `title` is how staff know its group; `mentions` are userids who are told of each message, or "@all"; `code` is the
    one-time code that binds the group, which nobody could say there."""

    key: str
    title: str
    code: str = ""
    mentions: Sequence[str] = ()
    base_url: str = "https://qyapi.weixin.qq.com"


class RobotChannel:
    """One robot in one group. The key is a secret: the account is what can be told from it, but not it."""

    def __init__(self, robot: Robot, *, now: Callable[[], float] = time.time) -> None:
        self._robot = robot
        self._now = now
        self._budget = Budget(LIMITS, now)
        self._client: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        return f"RobotChannel({self.account})"

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def account(self) -> str:
        return hashlib.sha256(self._robot.key.encode()).hexdigest()[:16]

    @property
    def abilities(self) -> Abilities:
        return ABILITIES

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:
        """Nobody can say the code in its group so that it is heard: the channel says it for them, each code once."""
        # Its lines hold whole addresses, with the key in them.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        code = self._robot.code.strip()
        if not listens or not code or bookmarks.get(SPENT) == self._spent:
            return
        now = datetime.fromtimestamp(self._now(), UTC)
        said = Incoming(
            channel=CHANNEL,
            account=self.account,
            external_id=f"code:{self._spent}",
            kind=IncomingKind.MESSAGE,
            chat=ChatRef(self.account, ChatKind.GROUP, self._robot.title),
            sender=SenderRef("operator"),
            sent_at=now,
            text=f"绑定 {code}",
            is_addressed=True,
        )
        await is_stored(deliver, (said,), Bookmark(SPENT, self._spent, CHANNEL, self.account))

    @property
    def _spent(self) -> str:
        """By what a code that was spent is known: the code itself is kept nowhere."""
        return hashlib.sha256(self._robot.code.strip().encode()).hexdigest()[:16]

    async def stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def send(self, outgoing: Outgoing) -> Sent:
        """Buttons are left out, for nobody could press them; an edit with new words is said anew."""
        if outgoing.action is OutgoingAction.DELETE:
            raise Rejected("what a group robot has said cannot be taken back")
        if outgoing.action is OutgoingAction.ANSWER_PRESS:
            return Sent(outgoing.message_id, outgoing.keep)
        said = hashlib.sha256(outgoing.text.encode("utf-8", "replace")).hexdigest()[:16]
        if outgoing.action is OutgoingAction.EDIT and outgoing.keep.get("said") == said:
            return Sent(outgoing.message_id, outgoing.keep)
        await self._send(outgoing)
        return Sent(f"r{outgoing.id}", {"said": said})

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:  # noqa: ARG002 - nothing comes
        raise Rejected("a group robot brings no files")

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:  # noqa: ARG002 - nothing comes
        return 404

    async def check(self) -> list[Finding]:
        """A file that is put by and never shown tells whether the key holds; anything else would be said in the group."""
        about = f"企业微信群机器人“{self._robot.title}”"
        try:
            await self._keep_by("check.txt", b"wuwei check")
        except DeliveryError as error:
            return [trouble(about, error, ADVICE)]
        return [Finding(True, f"{about}可以使用；它只能发，不能收")]

    async def _send(self, outgoing: Outgoing) -> None:
        """Once the first of several messages is out, a failure is Unknown: repeating the whole would say the first twice."""
        text, _ = with_addresses(outgoing.text, outgoing.buttons)
        pieces = split(text)
        count = len(outgoing.files) + len(pieces)
        if not count:
            raise Rejected("nothing to send: neither text nor file")
        wait = self._budget.seconds_until(CHANNEL, count)
        if wait > 0:
            raise LimitReached(wait, "the robot has said as much as WeCom lets through", whole_account=True)
        bodies: list[StoredFile | str] = [*outgoing.files, *pieces]
        for place, one in enumerate(bodies):
            try:
                is_last = place == count - 1
                await self._say(self._text(one, is_last=is_last) if isinstance(one, str) else await self._file(one))
            except DeliveryError as error:
                if not place:
                    raise
                raise Unknown(f"{place} messages went out, then: {error.reason}") from None

    def _text(self, piece: str, *, is_last: bool) -> Json:
        """Who is to be told is told once, however many pieces there are."""
        body: Json = {"content": piece}
        if is_last and self._robot.mentions:
            body["mentioned_list"] = list(self._robot.mentions)
        return {"msgtype": "text", "text": body}

    async def _file(self, file: StoredFile) -> Json:
        try:
            body = await asyncio.to_thread(Path(file.path).read_bytes)
        except OSError as error:
            raise Rejected(f"a stored file cannot be read: {error.strerror}") from None
        if file.media_type in IMAGES and len(body) <= IMAGE_BYTES:
            md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
            return {"msgtype": "image", "image": {"base64": base64.b64encode(body).decode(), "md5": md5}}
        if not SMALLEST <= len(body) <= LARGEST["file"]:
            raise Rejected(f"a file of {len(body)} bytes is not taken")
        return {"msgtype": "file", "file": {"media_id": await self._keep_by(name_of(file), body)}}

    async def _keep_by(self, name: str, body: bytes) -> str:
        """The id by which a file is shown; nobody sees it before, and after three days it is gone."""
        found = await self._post(
            "upload_media", params={"type": "file"}, files={"media": (name, body)}, is_repeatable=True
        )
        return str(found.get("media_id", ""))

    async def _say(self, message: Json) -> None:
        self._budget.note(CHANNEL)
        await self._post("send", json=message, is_repeatable=False)

    async def _post(
        self,
        path: str,
        *,
        is_repeatable: bool,
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Json:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, verify=trusted())
        url = f"{self._robot.base_url}/cgi-bin/webhook/{path}"
        query = {"key": self._robot.key, **(params or {})}
        try:
            answer = await self._client.post(url, params=query, json=json, files=files)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise TryLater(AGAIN, f"WeCom is out of reach: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            reason = f"WeCom gave no answer: {type(error).__name__}"
            raise TryLater(AGAIN, reason) if is_repeatable else Unknown(reason) from None
        return _read(answer, is_repeatable=is_repeatable)


def _read(answer: httpx.Response, *, is_repeatable: bool) -> Json:
    if answer.status_code in (429, 503):
        raise TryLater(AGAIN, f"WeCom is out of reach: HTTP {answer.status_code}")
    try:
        found = msgspec.json.decode(answer.content)
    except (msgspec.MsgspecError, RecursionError):
        found = None
    if answer.status_code != 200 or not isinstance(found, dict):
        reason = f"WeCom gave no answer: HTTP {answer.status_code}"
        raise TryLater(AGAIN, reason) if is_repeatable else Unknown(reason)
    code = found.get("errcode", 0)
    if code == BAD_KEY:
        raise TryLater(MISCONFIGURED, f"群机器人的 Webhook 地址不对或已被移出群（{code}）", whole_account=True)
    if code:
        error = delivery_error(WeChatClientException(code, "", client=None), is_repeatable=is_repeatable)
        raise Rejected(error.reason) if isinstance(error, Undeliverable) else error
    return found
