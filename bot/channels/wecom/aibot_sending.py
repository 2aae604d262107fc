"""Doing one `Outgoing` through the AI bot's long connection: an answer to a message, a card changed after a click, or a push.

A card may be pushed to one person; in a group it may only answer a message, so elsewhere its buttons become words with a number.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wechatpy.exceptions import WeChatClientException

from bot.channels.wecom.aibot_choices import Choices
from bot.channels.wecom.aibot_files import send_up
from bot.channels.wecom.aibot_reading import Callback
from bot.channels.wecom.aibot_socket import Refusal
from bot.channels.wecom.aibot_text import ANSWER_BYTES, Rows, as_markdown, with_addresses, words_for
from bot.channels.wecom.app_sending import digest
from bot.channels.wecom.budget import Budget
from bot.channels.wecom.cards import card_of
from bot.channels.wecom.client import Json
from bot.channels.wecom.failures import delivery_error
from bot.channels.wecom.files import LARGEST, MB, SMALLEST, kind_of, name_of
from bot.channels.wecom.text import shorten_bytes, split
from core.errors import DeliveryError, LimitReached, Rejected, TryLater, Undeliverable, Unknown
from core.messages import Bookmark, ChatKind, Outgoing, OutgoingAction, Sent, StoredFile

RESPOND, WELCOME, UPDATE, SEND = (
    "aibot_respond_msg",
    "aibot_respond_welcome_msg",
    "aibot_respond_update_msg",
    "aibot_send_msg",
)
ANSWER_WITHIN, EVENT_WITHIN = 24 * 3600.0, 4.5  # seconds; the platform gives an event 5
IMAGE_BYTES = 2 * MB
WELCOME_BYTES = 2048
BUSY_CHAT = 60.0
MOST_CALLS = 20_000
ALL_UPLOADS = "uploads"


class Asking(Protocol):
    """As much of the connection as is needed here."""

    async def ask(self, cmd: str, body: Json | None, req_id: str = "") -> Json: ...


@dataclass(frozen=True, slots=True)
class Call:
    """What the platform has told, as long as it may be answered, and about what: a message, a person, a card."""

    cmd: str
    about: str
    req_id: str
    until: float

    @property
    def key(self) -> tuple[str, str]:
        return self.cmd, self.about


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the platform: a text as Markdown, a card, or the file it will carry."""

    text: str = ""
    card: Json | None = None
    file: StoredFile | None = None


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much a conversation may still be sent, and how many files the bot may still send up."""

    chats: Budget
    uploads: Budget


class AibotMouth:
    """Says things to people and groups. What it may answer is kept in memory: a new connection knows none of it any more."""

    def __init__(
        self,
        line: Asking,
        budgets: Budgets,
        choices: Choices,
        store: Callable[[Bookmark], Awaitable[None]],
        now: Callable[[], float],
    ) -> None:
        self._line = line
        self._budgets = budgets
        self._choices = choices
        self._store = store
        self._now = now
        self._calls: OrderedDict[tuple[str, str], Call] = OrderedDict()

    def note_heard(self, callback: Callback, req_id: str) -> None:
        """What may be answered: a message of a group by its id, a welcome by the person, a click by the card."""
        now, event = self._now(), callback.event
        if event is None:
            if callback.is_group:
                self._note(Call(RESPOND, callback.msgid, req_id, now + ANSWER_WITHIN))
        elif event.eventtype == "enter_chat":
            self._note(Call(WELCOME, callback.chat, req_id, now + EVENT_WITHIN))
        elif event.template_card_event is not None:
            self._note(Call(UPDATE, event.template_card_event.task_id, req_id, now + EVENT_WITHIN))

    async def do(self, outgoing: Outgoing) -> Sent:
        match outgoing.action:
            case OutgoingAction.SEND:
                return await self._send(outgoing)
            case OutgoingAction.EDIT:
                return await self._edit(outgoing)
            case OutgoingAction.DELETE:
                raise Rejected("what the AI bot has said cannot be taken back")
            case OutgoingAction.ANSWER_PRESS:
                if outgoing.text:  # the client shows no notice under a pressed button: it is said
                    await self._send(outgoing)
        return Sent(outgoing.message_id, outgoing.keep)

    def _note(self, call: Call) -> None:
        self._calls.pop(call.key, None)
        self._calls[call.key] = call
        while len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)

    def _find(self, cmd: str, name: str | None) -> Call | None:
        call = self._calls.get((cmd, name or ""))
        return call if call is not None and self._now() < call.until else None

    async def _answer(self, call: Call, body: Json) -> bool:
        """Each call is answered once. False when it may not be answered any more, or not like that: nothing was said then."""
        self._calls.pop(call.key, None)
        try:
            await self._line.ask(call.cmd, body, call.req_id)
        except Refusal:
            return False
        return True

    async def _send(self, outgoing: Outgoing) -> Sent:
        """Once the first of several messages is out, a failure is Unknown: repeating the whole would say the first twice."""
        task_id = f"w{outgoing.id}-{secrets.token_hex(4)}"
        chat, is_group = outgoing.chat.external_id, outgoing.chat.kind is ChatKind.GROUP
        call = self._find(RESPOND, outgoing.reply_to) if is_group else self._find(WELCOME, chat)
        text, rows = with_addresses(outgoing.text, outgoing.buttons)
        parts = plan(text, rows if call or not is_group else (), outgoing.files, task_id)
        if rows and not (call or not is_group):
            parts = plan(await self._offered(chat, text, rows, task_id), (), outgoing.files, task_id)
        wait = self._budgets.chats.seconds_until(chat, len(parts))
        if wait > 0:
            raise LimitReached(wait, "the conversation has been sent as much as WeCom lets through")
        for place, part in enumerate(parts):
            try:
                if part is not parts[-1] or call is None or not await self._is_answered(outgoing, part, call):
                    await self._push(outgoing, part, task_id)
            except DeliveryError as error:
                if not place:
                    raise
                raise Unknown(f"{place} messages went out, then: {error.reason}") from None
        return Sent(task_id, {"said": digest(outgoing.text)})

    async def _offered(self, group: str, text: str, rows: Rows, task_id: str) -> str:
        """The text with what can be said in place of its buttons; stored before it is said."""
        number = self._choices.next_number(group)
        await self._store(self._choices.offer(group, number, task_id, rows))
        return f"{text}\n{words_for(rows, number)}"

    async def _is_answered(self, outgoing: Outgoing, part: Part, call: Call) -> bool:
        """False where it has to be pushed instead."""
        body = await self._body(part, outgoing.chat.kind)
        if call.cmd == WELCOME:
            if part.file is not None:
                return False
            if part.card is None:
                body = {"msgtype": "text", "text": {"content": shorten_bytes(part.text, WELCOME_BYTES)}}
        elif part.card is None and part.file is None:
            stream = {"id": secrets.token_hex(8), "finish": True, "content": part.text}
            body = {"msgtype": "stream", "stream": stream}
        self._budgets.chats.note(outgoing.chat.external_id)
        return await self._answer(call, body)

    async def _push(self, outgoing: Outgoing, part: Part, task_id: str) -> None:
        chat, is_group = outgoing.chat.external_id, outgoing.chat.kind is ChatKind.GROUP
        if is_group and part.card is not None:
            text, rows = with_addresses(outgoing.text, outgoing.buttons)
            part = Part(as_markdown(await self._offered(chat, text, rows, task_id)))
        body = await self._body(part, outgoing.chat.kind)
        self._budgets.chats.note(chat)
        try:
            await self._line.ask(SEND, {"chatid": chat, "chat_type": 2 if is_group else 1, **body})
        except Refusal as refusal:
            raise failure(refusal.code, is_group=is_group) from None

    async def _body(self, part: Part, kind: ChatKind) -> Json:
        if part.file is not None:
            media, media_id = await self._upload(part.file, is_group=kind is ChatKind.GROUP)
            return {"msgtype": media, media: {"media_id": media_id}}
        if part.card is not None:
            return {"msgtype": "template_card", "template_card": part.card}
        return {"msgtype": "markdown", "markdown": {"content": part.text}}

    async def _upload(self, file: StoredFile, *, is_group: bool) -> tuple[str, str]:
        try:
            body = await asyncio.to_thread(Path(file.path).read_bytes)
        except OSError as error:
            raise Rejected(f"a stored file cannot be read: {error.strerror}") from None
        kind = kind_of(file, len(body))
        kind = "file" if kind == "image" and len(body) > IMAGE_BYTES else kind
        if not SMALLEST <= len(body) <= LARGEST[kind]:
            raise Rejected(f"a {kind} of {len(body)} bytes is not taken")
        wait = self._budgets.uploads.seconds_until(ALL_UPLOADS, 1)
        if wait > 0:
            raise LimitReached(wait, "the bot has sent up as many files as WeCom takes")
        self._budgets.uploads.note(ALL_UPLOADS)
        try:
            return kind, await send_up(self._line.ask, kind, body, name_of(file))
        except Refusal as refusal:
            raise failure(refusal.code, is_group=is_group) from None
        except Unknown as error:
            raise TryLater(BUSY_CHAT, error.reason) from None  # a file that nobody was sent may be sent up again

    async def _edit(self, outgoing: Outgoing) -> Sent:
        """The card that was pressed a moment ago is changed; otherwise new words are said anew, for nothing can be taken back."""
        keep = dict(outgoing.keep)
        if keep.get("said") == digest(outgoing.text) and not outgoing.buttons:
            return Sent(outgoing.message_id, keep)
        if await self._is_card_changed(outgoing):
            return Sent(outgoing.message_id, keep | {"said": digest(outgoing.text)})
        return await self._send(outgoing)

    async def _is_card_changed(self, outgoing: Outgoing) -> bool:
        call = self._find(UPDATE, outgoing.message_id)
        if call is None:
            return False
        text, rows = with_addresses(outgoing.text, outgoing.buttons)
        card = card_of(text, rows, outgoing.message_id or "")
        if not card.is_whole:
            return False
        change = {"response_type": "update_template_card", "template_card": for_bot(card.body)}
        return await self._answer(call, change)


def plan(text: str, rows: Rows, files: tuple[StoredFile, ...], task_id: str) -> list[Part]:
    """The messages in order: files first, then the text, and where there are buttons a card at the end."""
    parts = [Part(file=file) for file in files]
    card = card_of(text, tuple(tuple(row) for row in rows), task_id) if rows else None
    if card is None or not card.is_whole:
        parts += [Part(piece) for piece in split(as_markdown(text), ANSWER_BYTES)]
    if card is not None:
        parts.append(Part(card=for_bot(card.body)))
    if not parts:
        raise Rejected("nothing to send: neither text nor file")
    return parts


def for_bot(card: Json) -> Json:
    """The AI bot's cards have buttons of one sort only, and no grey words in their place. A vote is as everywhere."""
    if "button_list" not in card:
        return card
    buttons = [
        {name: value for name, value in button.items() if name in ("text", "style", "key")}
        for button in card["button_list"]
    ]
    return {name: value for name, value in card.items() if name != "replace_text"} | {"button_list": buttons}


def failure(code: int, *, is_group: bool) -> DeliveryError:
    """What a code means to the sender. That a group was not reached never ends its being bound."""
    if code == 45009:
        return LimitReached(BUSY_CHAT, f"企业微信请稍后再试（{code}）")
    error = delivery_error(WeChatClientException(code, "", client=None), is_repeatable=False)
    return Rejected(error.reason) if is_group and isinstance(error, Undeliverable) else error
