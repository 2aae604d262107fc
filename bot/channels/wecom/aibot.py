"""The AI bot (智能机器人) as a channel, on its long connection: no public address is needed. In groups of members it is shown what
names it; a member may also write to it in private.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.channels.base import Deliver, Finding, is_stored
from bot.channels.wecom.aibot_choices import Choices
from bot.channels.wecom.aibot_files import HERE, Downloads
from bot.channels.wecom.aibot_line import finding, recalled, written
from bot.channels.wecom.aibot_reading import CHANNEL, Read, read
from bot.channels.wecom.aibot_sending import AibotMouth, Budgets
from bot.channels.wecom.aibot_socket import Pace, Socket
from bot.channels.wecom.aibot_text import ANSWER_BYTES
from bot.channels.wecom.budget import Budget
from core.errors import TryLater
from core.messages import (
    Abilities,
    Attachment,
    Bookmark,
    Incoming,
    Limit,
    LimitScope,
    Outgoing,
    Sent,
)

# Answers and pushes together, for each conversation; files by themselves, for the whole bot.
A_MINUTE, AN_HOUR = 30, 1000
LIMITS = (
    Limit(LimitScope.CHAT, A_MINUTE, timedelta(minutes=1)),
    Limit(LimitScope.CHAT, AN_HOUR, timedelta(hours=1)),
)
ABILITIES = Abilities(
    limits=LIMITS,
    text_limit=ANSWER_BYTES,
    can_edit=True,
    can_delete=False,
    hears_all=False,
)
MOST_WAITING = 5_000
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
UNHEARD = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bot:
    """One bot. `name` is what people type behind the @; `token` and `aes_key` are those of the callback mode."""

    id: str
    secret: str = ""
    name: str = ""
    url: str = "wss://openws.work.weixin.qq.com"
    token: str = ""
    aes_key: str = ""


class AibotChannel:
    """One bot on its long connection."""

    def __init__(self, bot: Bot, *, now: Callable[[], float] = time.time, pace: Pace | None = None) -> None:
        self._bot = bot
        self._now = now
        self._pace = pace or Pace()
        self._socket = Socket(bot.url, bot.id, bot.secret, hear=self._hear, pace=self._pace)
        self._choices = Choices()
        budgets = Budgets(Budget(LIMITS, now), Budget(LIMITS, now))
        self._mouth = AibotMouth(self._socket, budgets, self._choices, self._store, now)
        self._downloads = Downloads(is_local=_is_local(bot.url))
        self._deliver: Deliver | None = None
        self._listens = False
        self._recalled: Mapping[str, str] = {}
        self._heard: list[Read] = []
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"AibotChannel({self.account})"

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def account(self) -> str:
        return self._bot.id

    @property
    def abilities(self) -> Abilities:
        return replace(ABILITIES, bot_name=self._bot.name)

    @property
    def heard(self) -> int:
        """How many callbacks have come."""
        return self._socket.heard

    @property
    def is_idle(self) -> bool:
        """Whether all that was heard has been stored."""
        return not self._heard

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:
        """Connects in the background: WeCom out of reach is no reason to fail. A bot has one connection, so whoever does not
        listen has none and sends nothing either: of two processes one would push the other out."""
        # Their lines hold whole frames and addresses, with the secret and the keys in them.
        for library in ("websockets", "httpx"):
            logging.getLogger(library).setLevel(logging.WARNING)
        self._deliver = deliver
        self._listens = listens
        self._choices.load(bookmarks)
        if not listens:
            return
        self._tasks = [
            asyncio.create_task(self._socket.run(), name="wecom bot"),
            asyncio.create_task(self._work(), name="wecom bot, what was heard"),
            asyncio.create_task(self._note_line(), name="wecom bot, how the line is"),
        ]
        for task in self._tasks:
            task.add_done_callback(_tell_of_fault)
        await self._socket.settled(self._pace.line_within)

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._downloads.close()
        self._deliver = None

    async def send(self, outgoing: Outgoing) -> Sent:
        if not self._listens:
            raise TryLater(UNHEARD, "智能机器人只能由收消息的进程发送", whole_account=True)
        return await self._mouth.do(outgoing)

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        return await self._downloads.fetch(attachment.external_id, most=most)

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:  # noqa: ARG002 - nothing is taken
        """On the long connection nobody calls us."""
        return 404

    async def check(self) -> list[Finding]:
        if self._listens:
            return [finding(self._socket.line, self._socket.refused_with)]
        return [await recalled(self._recalled, self._bot.url, self._bot.id, self._bot.secret, self._pace)]

    async def reread(self, raw: str) -> Incoming | None:
        """A body that was kept because it could not be read, as it is read today."""
        return read(raw.encode("utf-8", "replace"), self.account, self._moment(), self._bot.name).incoming

    def recall(self, bookmarks: Mapping[str, str]) -> None:
        self._recalled = bookmarks

    async def _note_line(self) -> None:
        """How the line is, kept for `wuwei check`. That it could not be kept harms nobody."""
        while True:
            await self._socket.changed.wait()
            self._socket.changed.clear()
            if self._deliver is not None:
                told = written(self._socket.line, self._socket.refused_with, self._bot.id, self._bot.secret)
                await is_stored(self._deliver, (), replace(told, channel=self.name, account=self.account))

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _hear(self, req_id: str, body: bytes) -> None:
        """Must not wait: the answers to our own questions come behind it."""
        found = read(body, self.account, self._moment(), self._bot.name)
        if found.callback is not None:
            self._mouth.note_heard(found.callback, req_id)
        if found.incoming is None:
            return
        if len(self._heard) >= MOST_WAITING:
            log.error("wecom bot %s: lost, for %d wait to be stored", self.account, MOST_WAITING)
            return
        self._heard.append(replace(found, incoming=self._choices.read(found.incoming)))
        self._news.set()

    async def _work(self) -> None:
        """What was heard, in its order. The platform tells nothing twice, so what cannot be stored is kept and tried again."""
        pause = FIRST_PAUSE
        while True:
            await self._news.wait()
            some = self._heard[:]
            incomings = [one.incoming for one in some if one.incoming is not None]
            if self._deliver is None or not await is_stored(self._deliver, incomings):
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            pause = FIRST_PAUSE
            del self._heard[: len(some)]
            if not self._heard:
                self._news.clear()

    async def _store(self, bookmark: Bookmark) -> None:
        named = replace(bookmark, channel=self.name, account=self.account)
        if self._deliver is None or not await is_stored(self._deliver, (), named):
            raise TryLater(FIRST_PAUSE, "what can be answered could not be stored")


def _is_local(url: str) -> bool:
    return any(url.startswith(f"ws://{host}") for host in HERE)


def _tell_of_fault(task: asyncio.Task[None]) -> None:
    """A bug that ended the listening must not go unseen."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.critical("wecom bot: no longer listening, %s", type(fault).__name__)
