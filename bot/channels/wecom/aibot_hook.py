"""The AI bot in its callback mode, for who has a public address and no long connection. Each message may be answered once within
the hour at the address that came with it, and an event in the answer to its own call; nothing can be pushed.
"""

import asyncio
import json
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import msgspec

from bot.channels.base import Deliver, Finding, is_stored
from bot.channels.certificates import trusted
from bot.channels.wecom.aibot import ABILITIES, Bot
from bot.channels.wecom.aibot_choices import Choices
from bot.channels.wecom.aibot_files import HERE, Downloads
from bot.channels.wecom.aibot_reading import CHANNEL, Callback, read
from bot.channels.wecom.aibot_sending import WELCOME_BYTES, failure, for_bot
from bot.channels.wecom.aibot_text import ANSWER_BYTES, Rows, as_markdown, with_addresses, words_for
from bot.channels.wecom.app_sending import digest
from bot.channels.wecom.callbacks import CallbackDoor
from bot.channels.wecom.cards import card_of
from bot.channels.wecom.client import Json
from bot.channels.wecom.crypto import Envelope
from bot.channels.wecom.failures import AGAIN
from bot.channels.wecom.reachable import address_findings
from bot.channels.wecom.text import shorten_bytes
from core.errors import Rejected, TryLater, Undeliverable, Unknown
from core.hooks import HookAnswer, HookCall
from core.messages import Abilities, Attachment, ChatKind, Incoming, Outgoing, OutgoingAction, Sent

ANSWER_WITHIN = 3600.0
EVENT_WITHIN = 3.0  # seconds that the answer to an event may be waited for; the platform gives 5
MOST_CHATS, MOST_IN_CHAT = 20_000, 20
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
NOTHING_LEFT = "回调方式下每条消息只能答复一次，要等对方再 @ 机器人；要能主动发，请改用长连接"
ADVICE = "它只能答复消息，不能主动通知；请尽量改用长连接（wecom.bot_secret）。"


class AibotHookChannel:
    """One bot that is called, at `public_url` where that is known. What may be answered is kept in memory."""

    def __init__(self, bot: Bot, *, base_url: str, public_url: str = "", now: Callable[[], float] = time.time) -> None:
        self._public_url = public_url
        self._bot = bot
        self._now = now
        self._envelope = Envelope(bot.token, bot.aes_key, "")
        self._door = CallbackDoor(self._envelope, now)
        self._base_url = base_url
        is_local = urlsplit(base_url).hostname in HERE
        self._downloads = Downloads(is_local=is_local, own_key=bot.aes_key)
        self._client: httpx.AsyncClient | None = None
        self._deliver: Deliver | None = None
        self._choices = Choices()
        self._addresses: OrderedDict[str, deque[tuple[str, float]]] = OrderedDict()
        self._waiting: dict[tuple[OutgoingAction, str], asyncio.Future[Json]] = {}

    def __repr__(self) -> str:
        return f"AibotHookChannel({self.account})"

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def account(self) -> str:
        return self._bot.id

    @property
    def abilities(self) -> Abilities:
        return replace(ABILITIES, bot_name=self._bot.name)

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:
        # Its lines hold the addresses at which one may answer.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._deliver = deliver if listens else None
        self._choices.load(bookmarks)

    async def stop(self) -> None:
        self._deliver = None
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        await self._downloads.close()

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        return await self._downloads.fetch(attachment.external_id, most=most)

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:  # noqa: ARG002 - nothing is taken
        """WeCom's calls need their query: `answer_hook` takes them."""
        return 405

    async def check(self) -> list[Finding]:
        found = [Finding(True, "企业微信智能机器人是回调方式", ADVICE)]
        if self._public_url:
            found += await address_findings("智能机器人", self._public_url, f"/hooks/{CHANNEL}", self._envelope)
        return found

    async def reread(self, raw: str) -> Incoming | None:
        """A body that was kept because it could not be read, as it is read today."""
        return read(raw.encode("utf-8", "replace"), self.account, self._moment(), self._bot.name).incoming

    async def answer_hook(self, call: HookCall) -> HookAnswer:
        """GET proves the address; a POST is worked once, however often it comes. 403 for what is not WeCom's."""
        if call.method == "GET":
            echo = self._door.verify(call)
            return HookAnswer(403) if echo is None else HookAnswer(200, echo.encode())
        if call.method != "POST":
            return HookAnswer(405)
        opened = self._door.open(call)
        if opened is None:
            return HookAnswer(403)
        if opened.is_repeated:
            return HookAnswer(200)
        found = read(opened.text.encode("utf-8", "replace"), self.account, self._moment(), self._bot.name)
        if found.callback is not None:
            self._note(found.callback)
        waiting = None if found.callback is None else self._expect(found.callback)
        if self._deliver is None:
            return HookAnswer(503)
        some = () if found.incoming is None else (self._choices.read(found.incoming),)
        if some and not await is_stored(self._deliver, some):
            return HookAnswer(503)
        self._door.note_worked(opened)
        return HookAnswer(200) if waiting is None else await self._answered(*waiting)

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _note(self, callback: Callback) -> None:
        if not callback.answer_url:
            return
        addresses = self._addresses.pop(callback.chat, None) or deque(maxlen=MOST_IN_CHAT)
        addresses.append((callback.answer_url, self._now() + ANSWER_WITHIN))
        self._addresses[callback.chat] = addresses
        while len(self._addresses) > MOST_CHATS:
            self._addresses.popitem(last=False)

    def _expect(self, callback: Callback) -> tuple[tuple[OutgoingAction, str], asyncio.Future[Json]] | None:
        """An event is answered by what the program does next: a welcome by its first words there, a click by the changed card."""
        event = callback.event
        if event is None:
            return None
        if event.eventtype == "enter_chat":
            key = (OutgoingAction.SEND, callback.chat)
        elif event.template_card_event is not None:
            key = (OutgoingAction.EDIT, event.template_card_event.task_id)
        else:
            return None
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        return key, future

    async def _answered(self, key: tuple[OutgoingAction, str], future: asyncio.Future[Json]) -> HookAnswer:
        try:
            async with asyncio.timeout(EVENT_WITHIN):
                body = await future
        except TimeoutError:
            return HookAnswer(200)
        finally:
            if self._waiting.get(key) is future:
                del self._waiting[key]
        sealed = self._envelope.seal(json.dumps(body, ensure_ascii=False))
        timestamp, nonce = str(int(self._now())), secrets.token_hex(8)
        answer = {
            "encrypt": sealed,
            "msgsignature": self._envelope.sign(timestamp, nonce, sealed),
            "timestamp": int(timestamp),
            "nonce": nonce,
        }
        return HookAnswer(200, json.dumps(answer).encode())

    async def send(self, outgoing: Outgoing) -> Sent:
        match outgoing.action:
            case OutgoingAction.DELETE:
                raise Rejected("what the AI bot has said cannot be taken back")
            case OutgoingAction.ANSWER_PRESS if not outgoing.text:
                return Sent(outgoing.message_id, outgoing.keep)
            case OutgoingAction.EDIT:
                return await self._edit(outgoing)
        return await self._say(outgoing)

    async def _edit(self, outgoing: Outgoing) -> Sent:
        keep = dict(outgoing.keep)
        if keep.get("said") == digest(outgoing.text) and not outgoing.buttons:
            return Sent(outgoing.message_id, keep)
        text, rows = with_addresses(outgoing.text, outgoing.buttons)
        card = card_of(text, rows, outgoing.message_id or "")
        change: Json = {"response_type": "update_template_card", "template_card": for_bot(card.body)}
        if card.is_whole and self._takes((OutgoingAction.EDIT, outgoing.message_id or ""), change):
            return Sent(outgoing.message_id, keep | {"said": digest(outgoing.text)})
        return await self._say(outgoing)

    def _takes(self, key: tuple[OutgoingAction, str], body: Json) -> bool:
        """Whether a call waits for this answer."""
        future = self._waiting.pop(key, None)
        if future is None or future.done():
            return False
        future.set_result(body)
        return True

    async def _say(self, outgoing: Outgoing) -> Sent:
        """One message, for there is one answer. Pictures are left out: nothing can carry them here."""
        chat, is_group = outgoing.chat.external_id, outgoing.chat.kind is ChatKind.GROUP
        text, rows = with_addresses(outgoing.text, outgoing.buttons)
        task_id = f"w{outgoing.id}-{secrets.token_hex(4)}"
        sent = Sent(task_id, {"said": digest(outgoing.text)})
        if not text.strip():
            raise Rejected("only words can be answered in callback mode")
        if rows and is_group:
            text = await self._offered(chat, text, rows, task_id)
        card = card_of(text, rows, task_id) if rows and not is_group else None
        body: Json = {
            "msgtype": "markdown",
            "markdown": {"content": shorten_bytes(as_markdown(text), ANSWER_BYTES)},
        }
        if card is not None and card.is_whole:
            body = {"msgtype": "template_card", "template_card": for_bot(card.body)}
        welcome: Json = {"msgtype": "text", "text": {"content": shorten_bytes(text, WELCOME_BYTES)}}
        if outgoing.action is OutgoingAction.SEND and self._takes((OutgoingAction.SEND, chat), welcome):
            return sent
        await self._post(self._take_address(chat, is_group=is_group), body, is_group=is_group)
        return sent

    async def _offered(self, group: str, text: str, rows: Rows, task_id: str) -> str:
        """The text with what can be said in place of its buttons: a card may only answer one person."""
        number = self._choices.next_number(group)
        bookmark = self._choices.offer(group, number, task_id, rows)
        named = replace(bookmark, channel=self.name, account=self.account)
        if self._deliver is None or not await is_stored(self._deliver, (), named):
            raise TryLater(AGAIN, "what can be answered could not be stored")
        return f"{text}\n{words_for(rows, number)}"

    def _take_address(self, chat: str, *, is_group: bool) -> str:
        addresses = self._addresses.get(chat, deque())
        while addresses:
            url, until = addresses.popleft()
            if self._now() < until and url.startswith(f"{self._base_url}/"):
                return url
        raise Rejected(NOTHING_LEFT) if is_group else Undeliverable(NOTHING_LEFT)

    async def _post(self, url: str, body: Json, *, is_group: bool) -> None:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, verify=trusted())
        try:
            answer = await self._client.post(url, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise TryLater(AGAIN, f"WeCom is out of reach: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise Unknown(f"WeCom gave no answer: {type(error).__name__}") from None
        try:
            found = msgspec.json.decode(answer.content)
        except (msgspec.MsgspecError, RecursionError):
            found = None
        if answer.status_code != 200 or not isinstance(found, dict):
            raise Unknown(f"WeCom gave no answer: HTTP {answer.status_code}")
        if found.get("errcode"):
            raise failure(found["errcode"], is_group=is_group)
