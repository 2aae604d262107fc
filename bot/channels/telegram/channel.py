"""The Telegram channel: wires reading, sending, polling and the webhook to the Channel protocol."""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import httpx
from telegram import Bot, BotCommand
from telegram.error import InvalidToken, TelegramError

from bot.channels.base import Deliver, Finding, is_stored
from bot.channels.certificates import trusted
from bot.channels.telegram.checking import findings
from bot.channels.telegram.fetching import fetch_file
from bot.channels.telegram.parts import ALBUM_SIZE, TEXT_LIMIT
from bot.channels.telegram.polling import OFFSET, Identity, Pace, Poller
from bot.channels.telegram.reading import CHANNEL, is_json, to_incoming
from bot.channels.telegram.requests import RawRequest, TellingRequest, silence_libraries
from bot.channels.telegram.sending import Mouth
from bot.channels.telegram.updates import ALLOWED_UPDATES
from core.messages import Abilities, Attachment, Incoming, IncomingKind, Limit, LimitScope, MenuItem, Outgoing, Sent

ABILITIES = Abilities(
    limits=(
        Limit(LimitScope.ACCOUNT, 30, timedelta(seconds=1)),
        Limit(LimitScope.CHAT, 1, timedelta(seconds=1)),
        Limit(LimitScope.GROUP, 20, timedelta(minutes=1)),
    ),
    text_limit=TEXT_LIMIT,
    album_size=ALBUM_SIZE,
)
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105  # a header's name
LARGEST_UPDATE = 1024 * 1024
# How long `start` waits for the first word with Telegram; longer, and it goes on trying in the background.
PATIENCE = 10.0

log = logging.getLogger(__name__)


class TelegramChannel:
    """One bot. `public_url` is the whole https address Telegram calls in webhook mode; `commands` fill the menu."""

    def __init__(
        self,
        *,
        token: str,
        base_url: str = "https://api.telegram.org",
        mode: Literal["polling", "webhook"] = "polling",
        webhook_secret: str = "",
        public_url: str = "",
        poll_seconds: int = 30,
        commands: Sequence[MenuItem] = (),
        pace: Pace = Pace(),  # noqa: B008  # frozen
    ) -> None:
        silence_libraries()
        self._token = token
        self._mode = mode
        self._secret = webhook_secret
        self._public_url = public_url
        self._poll_seconds = poll_seconds
        self._commands = tuple(commands)
        self._pace = pace
        self._asking = RawRequest(
            connection_pool_size=1, read_timeout=pace.answer_within, httpx_kwargs={"verify": trusted()}
        )
        self._calling = TellingRequest(
            connection_pool_size=32,
            read_timeout=pace.answer_within,
            media_write_timeout=60.0,
            pool_timeout=10.0,
            httpx_kwargs={"verify": trusted()},
        )
        self._bot = self._new_bot(base_url)
        self._downloads = self._new_downloads()
        self._mouth = Mouth(self._bot, token, between_parts=pace.between_parts)
        self._username = ""
        self._hears_all: bool | None = None
        self._deliver: Deliver | None = None
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"TelegramChannel({self.account})"

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def account(self) -> str:
        """The bot's id, which is the first half of its token."""
        return self._token.partition(":")[0]

    @property
    def username(self) -> str:
        """The bot's name without @, for t.me links; empty until Telegram has told it."""
        return self._username

    @property
    def abilities(self) -> Abilities:
        """What Telegram can do; the link into private chat is known once the bot's name is."""
        if not self._username:
            return ABILITIES
        return replace(
            ABILITIES,
            hears_all=self._hears_all,
            bot_name=self._username,
            start_link=f"https://t.me/{self._username}?start={{payload}}",
        )

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:
        """Begins to listen. Telegram out of reach is no reason to fail: the channel goes on trying in the background."""
        await asyncio.gather(self._asking.initialize(), self._calling.initialize())
        if self._downloads.is_closed:
            self._downloads = self._new_downloads()
        self._deliver = deliver if listens else None
        self._ready.clear()
        work = self._listen(deliver, bookmarks.get(OFFSET)) if listens else self._introduce(self._learn_name)
        self._task = asyncio.create_task(work, name="telegram")
        self._task.add_done_callback(self._ended)
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait({waiting, self._task}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._deliver = None
        await asyncio.gather(self._asking.shutdown(), self._calling.shutdown(), self._downloads.aclose())

    async def send(self, outgoing: Outgoing) -> Sent:
        return await self._mouth.do(outgoing)

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        return await fetch_file(self._bot, self._downloads, attachment.external_id, most=most, token=self._token)

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:
        """503 makes Telegram send the update again; so does every failure to store it."""
        given = headers.get(SECRET_HEADER, "")
        if not self._secret or not hmac.compare_digest(given.encode(), self._secret.encode()):
            return 403
        if len(body) > LARGEST_UPDATE:
            return 400
        if self._deliver is None or not self._username:
            return 503
        incoming = to_incoming(body, self.account, self._username)
        if incoming is None:
            return 200
        if incoming.kind is IncomingKind.UNREADABLE and not is_json(body):
            return 400
        return 200 if await is_stored(self._deliver, (incoming,)) else 503

    async def check(self) -> list[Finding]:
        await self._calling.initialize()
        return await findings(self._bot, token=self._token, mode=self._mode, public_url=self._public_url)

    async def reread(self, raw: str) -> Incoming | None:
        """A body that was kept because it could not be read, as it is read today; None when it holds nothing for us."""
        if not self._username:
            await self._calling.initialize()
            # Without our name everything is read but mentions of it.
            with contextlib.suppress(TelegramError):
                self._username = (await self._bot.get_me()).username or ""
        return to_incoming(raw, self.account, self._username)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Listening ends only when told to; anything else is a bug that must not go unseen."""
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.critical("telegram %s: no longer listening, %s", self.account, type(fault).__name__)

    def _new_bot(self, base_url: str) -> Bot:
        return Bot(
            self._token,
            base_url=f"{base_url}/bot",
            base_file_url=f"{base_url}/file/bot",
            request=self._calling,
            get_updates_request=self._asking,
        )

    def _new_downloads(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(self._pace.answer_within), follow_redirects=False, verify=trusted()
        )

    async def _listen(self, deliver: Deliver, stored_offset: str | None) -> None:
        await self._introduce(self._set_up)
        if self._mode == "webhook":
            return
        who = Identity(self.account, self._username)
        poller = Poller(self._bot, self._asking, who=who, poll_seconds=self._poll_seconds, pace=self._pace)
        await poller.run(deliver, stored_offset)

    async def _introduce(self, set_up: Callable[[], Awaitable[None]]) -> None:
        """Repeats, with growing pauses, until Telegram has told our name and taken our way of listening."""
        failures = 0
        while True:
            try:
                await set_up()
            except TelegramError as error:
                failures += 1
                log.warning("telegram %s: not ready, %s, %d in a row", self.account, type(error).__name__, failures)
                worst = isinstance(error, InvalidToken)
                await asyncio.sleep(self._pace.longest_pause if worst else self._pace.pause(failures))
            else:
                self._ready.set()
                log.info("telegram %s: ready, by %s", self.account, self._mode)
                return

    async def _learn_name(self) -> None:
        me = await self._bot.get_me()
        self._username, self._hears_all = me.username or "", bool(me.can_read_all_group_messages)

    async def _set_up(self) -> None:
        await self._learn_name()
        if self._mode == "webhook":
            await self._bot.set_webhook(
                self._public_url, secret_token=self._secret, allowed_updates=ALLOWED_UPDATES, max_connections=40
            )
        else:
            await self._bot.delete_webhook()
        if self._commands:
            await self._bot.set_my_commands([BotCommand(item.name, item.help) for item in self._commands])
