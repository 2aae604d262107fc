"""Doing one `Outgoing` on Telegram: send, edit, delete, answer a press."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from telegram import (
    Bot,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.error import BadRequest, TelegramError

from bot.channels.telegram.failures import delivery_error, is_already_done
from bot.channels.telegram.parts import AlbumPart, FilePart, Part, TextPart, keyboard, plan
from core.errors import DeliveryError, Rejected, TryLater, Undeliverable, Unknown
from core.messages import AttachmentKind, Outgoing, OutgoingAction, Sent, StoredFile

# Telegram's platform would fetch every link to draw a preview; links of ours are for one person and one use.
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
# Between the messages of one `Outgoing` a short flood pause is waited out here: giving up would leave it half said.
LONGEST_WAIT = 30.0
TRIES_IN_MIDST = 3
# Shapes of an answer that the library did not expect; the request itself was accepted.
UNREADABLE_ANSWER = (KeyError, TypeError, ValueError, AttributeError)
# General is the topic that must not be named.
GENERAL_TOPIC = "1"

NOTICE_LIMIT = 200


class Mouth:
    """Says things through one bot. Keeps nothing between two calls."""

    def __init__(self, bot: Bot, token: str, *, between_parts: float) -> None:
        self._bot = bot
        self._token = token
        self._between_parts = between_parts

    async def do(self, outgoing: Outgoing) -> Sent:
        match outgoing.action:
            case OutgoingAction.SEND:
                return await self._send(outgoing)
            case OutgoingAction.EDIT:
                await self._settle(lambda: self._edit(outgoing))
            case OutgoingAction.DELETE:
                await self._settle(lambda: self._delete(outgoing))
            case OutgoingAction.ANSWER_PRESS:
                await self._settle(lambda: self._answer(outgoing))
        return Sent(outgoing.message_id, outgoing.keep)

    async def _settle(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Does what may be done twice; "it is so already" counts as done."""
        try:
            await ask()
        except TelegramError as error:
            if not is_already_done(error):
                raise delivery_error(error, is_repeatable=True, token=self._token) from None
        except UNREADABLE_ANSWER:
            raise TryLater(5.0, "the answer could not be read") from None

    async def _edit(self, outgoing: Outgoing) -> None:
        chat, message = _number(outgoing.chat.external_id), _number(outgoing.message_id)
        markup = keyboard(outgoing.buttons)
        if not outgoing.text:
            await self._bot.edit_message_reply_markup(chat_id=chat, message_id=message, reply_markup=markup)
        elif "caption" in outgoing.keep:
            await self._bot.edit_message_caption(
                chat_id=chat, message_id=message, caption=outgoing.text, reply_markup=markup
            )
        else:
            await self._bot.edit_message_text(
                outgoing.text,
                chat_id=chat,
                message_id=message,
                reply_markup=markup,
                link_preview_options=NO_PREVIEW,
            )

    async def _delete(self, outgoing: Outgoing) -> None:
        """All the messages of a text or an album that took several; one that is gone already does not keep the others."""
        chat = _number(outgoing.chat.external_id)
        ids = outgoing.keep.get("ids", outgoing.message_id or "").split(",")
        for message in ids:
            try:
                await self._bot.delete_message(chat_id=chat, message_id=_number(message))
            except BadRequest as error:
                if not is_already_done(error):
                    raise

    async def _answer(self, outgoing: Outgoing) -> None:
        if outgoing.press_id is None:
            raise Rejected("no press to answer")
        await self._bot.answer_callback_query(outgoing.press_id, text=outgoing.text[:NOTICE_LIMIT] or None)

    async def _send(self, outgoing: Outgoing) -> Sent:
        """Once the first of several messages is out, a failure is Unknown: repeating the whole would say the first twice."""
        parts = plan(outgoing)
        made: list[Message] = []
        for part in parts:
            if made:
                await asyncio.sleep(self._between_parts)
            try:
                made += await self._once(part, outgoing, first=not made)
            except DeliveryError as error:
                if not made:
                    raise
                raise Unknown(f"{len(made)} messages went out, then: {error.reason}") from None
        last = parts[-1]
        # An album's caption stands under its first item: that is the one a later edit must name.
        named = made[-len(last.files)] if isinstance(last, AlbumPart) else made[-1]
        keep = {} if isinstance(last, TextPart) else {"caption": "1"}
        if len(made) > 1:
            keep["ids"] = ",".join(str(message.message_id) for message in made)
        return Sent(str(named.message_id), keep)

    async def _once(self, part: Part, outgoing: Outgoing, *, first: bool) -> list[Message]:
        for tries_left in reversed(range(1 if first else TRIES_IN_MIDST)):
            try:
                return await self._part(part, outgoing, outgoing.reply_to if first else None)
            except TelegramError as error:
                failure = delivery_error(error, is_repeatable=False, token=self._token)
                if not tries_left or not isinstance(failure, TryLater) or failure.seconds > LONGEST_WAIT:
                    raise failure from None
                await asyncio.sleep(failure.seconds)
            except UNREADABLE_ANSWER:
                raise Unknown("the answer could not be read") from None
        raise AssertionError("the last try returns or raises")

    async def _part(self, part: Part, outgoing: Outgoing, reply_to: str | None) -> list[Message]:
        chat = _number(outgoing.chat.external_id)
        thread = outgoing.chat.thread
        topic = int(thread) if thread is not None and thread != GENERAL_TOPIC else None
        reply = None if reply_to is None else ReplyParameters(_number(reply_to), allow_sending_without_reply=True)
        match part:
            case TextPart():
                message = await self._bot.send_message(
                    chat,
                    part.text,
                    reply_markup=keyboard(part.buttons),
                    reply_parameters=reply,
                    message_thread_id=topic,
                    link_preview_options=NO_PREVIEW,
                )
                return [message]
            case AlbumPart():
                media = [await _medium(file, part.caption if at == 0 else "") for at, file in enumerate(part.files)]
                return list(
                    await self._bot.send_media_group(chat, media, reply_parameters=reply, message_thread_id=topic)
                )
            case FilePart():
                return [await self._file(part, chat, topic, reply)]

    async def _file(self, part: FilePart, chat: int, topic: int | None, reply: ReplyParameters | None) -> Message:
        body = await _read(part.file)
        name = part.file.name or Path(part.file.path).name
        caption, markup = part.caption or None, keyboard(part.buttons)
        match part.file.kind:
            case AttachmentKind.PHOTO:
                return await self._bot.send_photo(
                    chat, body, caption, reply_markup=markup, reply_parameters=reply, message_thread_id=topic, filename=name
                )  # fmt: skip
            case AttachmentKind.VIDEO:
                return await self._bot.send_video(
                    chat, body, caption=caption, reply_markup=markup, reply_parameters=reply, message_thread_id=topic, filename=name
                )  # fmt: skip
            case AttachmentKind.VOICE:
                return await self._bot.send_voice(
                    chat, body, caption=caption, reply_markup=markup, reply_parameters=reply, message_thread_id=topic, filename=name
                )  # fmt: skip
            case AttachmentKind.FILE:
                return await self._bot.send_document(
                    chat, body, caption=caption, reply_markup=markup, reply_parameters=reply, message_thread_id=topic, filename=name
                )  # fmt: skip


async def _medium(file: StoredFile, caption: str) -> InputMediaPhoto | InputMediaVideo | InputMediaDocument:
    body = await _read(file)
    name = file.name or Path(file.path).name
    match file.kind:
        case AttachmentKind.PHOTO:
            return InputMediaPhoto(body, caption or None, filename=name)
        case AttachmentKind.VIDEO:
            return InputMediaVideo(body, caption or None, filename=name)
        case _:
            return InputMediaDocument(body, caption or None, filename=name)


async def _read(file: StoredFile) -> bytes:
    try:
        return await asyncio.to_thread(Path(file.path).read_bytes)
    except OSError as error:
        raise Rejected(f"a stored file cannot be read: {error.strerror}") from None


def _number(external_id: str | None) -> int:
    try:
        return int(external_id or "")
    except ValueError:
        raise Undeliverable("not a Telegram id") from None
