"""One update as Telegram sent it → one `Incoming`. Pure, and never raises: what cannot be read is kept as UNREADABLE."""

import hashlib
import json
import re
from datetime import UTC, datetime

import msgspec

from bot.channels.telegram.text import address, start_payload
from bot.channels.telegram.updates import (
    CallbackQuery,
    Chat,
    File,
    Member,
    MemberChange,
    Message,
    Numbered,
    Update,
    User,
)
from core.messages import Attachment, AttachmentKind, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef

CHANNEL = "telegram"
GROUP_TYPES = ("group", "supergroup")
# Telegram's own voice: service notices and the posts of a linked channel come from this account.
TELEGRAM_ITSELF = 777000
# PostgreSQL stores no NUL: a message with one could be neither worked nor kept, and would be sent to us for ever.
# The backslashes before it are counted: an escaped backslash followed by "u0000" is plain text.
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

_update = msgspec.json.Decoder(Update)
_numbered = msgspec.json.Decoder(Numbered)


def to_incoming(body: bytes | str, account: str, username: str, at: datetime | None = None) -> Incoming | None:
    """What the update says, or None when it holds nothing for us (a pinned message, a promotion, a channel's post).

    `account` is our bot's id, `username` its name without @. `at` is when the update came, for those that carry no time of
    their own: presses and what cannot be read.
    """
    raw = body if isinstance(body, str) else body.decode("utf-8", "replace")
    if "\\u0000" in raw:
        body = NUL.sub(r"\1", raw)
    try:
        update = _update.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _unreadable(raw, account, at)
    return _Reader(update.update_id, raw, account, username).read(update, at)


def number_of(body: bytes | str) -> int | None:
    """The number of an update, even of one that cannot be read otherwise."""
    try:
        return _numbered.decode(body).update_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _number_in_loose_json(body)


def _number_in_loose_json(body: bytes | str) -> int | None:
    """The standard library lets half a character pass, on which msgspec gives up whatever the field."""
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return None
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _unreadable(raw: str, account: str, at: datetime | None) -> Incoming:
    number = number_of(raw)
    digest = hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()[:32]
    return Incoming(
        channel=CHANNEL,
        account=account,
        external_id=f"unreadable:{digest}" if number is None else str(number),
        kind=IncomingKind.UNREADABLE,
        chat=ChatRef("", ChatKind.GROUP),
        sender=None,
        sent_at=at or datetime.now(UTC),
        raw=raw,
    )


class _Reader:
    """Reads one update; holds what every `Incoming` made of it needs."""

    __slots__ = ("account", "external_id", "raw", "username")

    def __init__(self, update_id: int, raw: str, account: str, username: str) -> None:
        self.external_id = str(update_id)
        self.raw = raw
        self.account = account
        self.username = username

    def read(self, update: Update, at: datetime | None) -> Incoming | None:
        if update.message is not None:
            return self._message(update.message, IncomingKind.MESSAGE)
        if update.edited_message is not None:
            return self._message(update.edited_message, IncomingKind.EDIT)
        if update.callback_query is not None:
            return self._press(update.callback_query, at or datetime.now(UTC))
        if update.my_chat_member is not None:
            return self._own_membership(update.my_chat_member)
        if update.chat_member is not None:
            return self._membership(update.chat_member)
        return None

    def _message(self, message: Message, kind: IncomingKind) -> Incoming | None:
        if message.chat.type != "private" and message.chat.type not in GROUP_TYPES:
            return None
        if message.migrate_to_chat_id is not None:
            return self._migration(message, message.chat.id, message.migrate_to_chat_id)
        if message.migrate_from_chat_id is not None:
            return self._migration(message, message.migrate_from_chat_id, message.chat.id)
        if message.new_chat_title is not None:
            return self._rename(message, message.new_chat_title)
        if not _has_content(message):
            return None
        return self._words(message, kind)

    def _words(self, message: Message, kind: IncomingKind) -> Incoming:
        entities = message.entities or message.caption_entities
        text = message.text or message.caption or ""
        is_named = False
        if entities:
            text, is_named = address(text, entities, self.account, self.username)
        is_private = message.chat.type == "private"
        payload = start_payload(text) if text.startswith("/start") else None
        if is_private and kind is IncomingKind.MESSAGE and (text == "/start" or payload is not None):
            kind = IncomingKind.BOT_STARTED
        reply = message.reply_to_message
        if reply is not None and message.is_topic_message and reply.message_id == message.message_thread_id:
            reply = None  # Telegram shows every message of a topic as a reply to the notice that opened the topic
        replied_user = None if reply is None else reply.sender
        reply_to_bot = replied_user is not None and str(replied_user.id) == self.account
        moment = message.date if message.edit_date is None or kind is not IncomingKind.EDIT else message.edit_date
        return Incoming(
            channel=CHANNEL,
            account=self.account,
            external_id=self.external_id,
            kind=kind,
            chat=_chat(message.chat, _thread(message)),
            sender=self._sender(message),
            sent_at=datetime.fromtimestamp(moment, UTC),
            message_id=str(message.message_id),
            text=text,
            attachments=_attachments(message),
            reply_to=None if reply is None else str(reply.message_id),
            reply_to_text="" if reply is None else reply.text or reply.caption or "",
            reply_to_bot=reply_to_bot,
            album_id=message.media_group_id,
            is_addressed=is_private or is_named or reply_to_bot,
            is_forwarded=message.forward_origin is not None,
            payload=payload,
            raw=self.raw,
        )

    def _sender(self, message: Message) -> SenderRef | None:
        """Anonymous administrators and channels speak through a chat, inline results through another bot: none is a person."""
        user, through = message.sender, message.sender_chat
        if user is None:
            return None if through is None else SenderRef(str(through.id), through.title or "", None, is_person=False)
        is_person = (
            not user.is_bot
            and through is None
            and not message.is_automatic_forward
            and user.id != TELEGRAM_ITSELF
            and (message.via_bot is None or str(message.via_bot.id) == self.account)
        )
        return _sender_ref(user, is_person)

    def _migration(self, message: Message, old: int, new: int) -> Incoming:
        """Telegram tells it twice, in the old chat and in the new one; the key made of both ids makes them one."""
        return Incoming(
            channel=CHANNEL,
            account=self.account,
            external_id=f"migrated:{old}:{new}",
            kind=IncomingKind.CHAT_MIGRATED,
            chat=ChatRef(str(old), ChatKind.GROUP, message.chat.title or ""),
            sender=None,
            sent_at=datetime.fromtimestamp(message.date, UTC),
            new_chat_id=str(new),
            raw=self.raw,
        )

    def _rename(self, message: Message, title: str) -> Incoming:
        return Incoming(
            channel=CHANNEL,
            account=self.account,
            external_id=self.external_id,
            kind=IncomingKind.CHAT_RENAMED,
            chat=ChatRef(str(message.chat.id), ChatKind.GROUP, title),
            sender=self._sender(message),
            sent_at=datetime.fromtimestamp(message.date, UTC),
            message_id=str(message.message_id),
            raw=self.raw,
        )

    def _press(self, query: CallbackQuery, at: datetime) -> Incoming | None:
        """A game's button or one under an inline result has no data or no message: neither is ours."""
        message = query.message
        if query.data is None or message is None:
            return None
        return Incoming(
            channel=CHANNEL,
            account=self.account,
            external_id=self.external_id,
            kind=IncomingKind.PRESS,
            chat=_chat(message.chat, _thread(message)),
            sender=_sender_ref(query.sender, not query.sender.is_bot),
            sent_at=at,
            message_id=str(message.message_id),
            is_addressed=True,
            button=query.data,
            press_id=query.id,
            raw=self.raw,
        )

    def _own_membership(self, change: MemberChange) -> Incoming | None:
        was, now = _is_in(change.old_chat_member), _is_in(change.new_chat_member)
        if was == now:
            return None
        if change.chat.type == "private":
            kind = IncomingKind.BOT_STARTED if now else IncomingKind.BOT_BLOCKED
        else:
            kind = IncomingKind.BOT_ADDED if now else IncomingKind.BOT_REMOVED
        return self._change(change, kind, change.sender)

    def _membership(self, change: MemberChange) -> Incoming | None:
        was, now = _is_in(change.old_chat_member), _is_in(change.new_chat_member)
        if was == now:
            return None
        kind = IncomingKind.MEMBER_JOINED if now else IncomingKind.MEMBER_LEFT
        return self._change(change, kind, change.new_chat_member.user)

    def _change(self, change: MemberChange, kind: IncomingKind, who: User) -> Incoming | None:
        if change.chat.type != "private" and change.chat.type not in GROUP_TYPES:
            return None
        return Incoming(
            channel=CHANNEL,
            account=self.account,
            external_id=self.external_id,
            kind=kind,
            chat=_chat(change.chat, None),
            sender=_sender_ref(who, not who.is_bot),
            sent_at=datetime.fromtimestamp(change.date, UTC),
            raw=self.raw,
        )


def _chat(chat: Chat, thread: str | None) -> ChatRef:
    kind = ChatKind.PRIVATE if chat.type == "private" else ChatKind.GROUP
    return ChatRef(str(chat.id), kind, chat.title or "", thread)


def _thread(message: Message) -> str | None:
    """Replies in ordinary supergroups carry a thread id too; only topic messages are in a topic."""
    return str(message.message_thread_id) if message.is_topic_message and message.message_thread_id else None


def _sender_ref(user: User, is_person: bool) -> SenderRef:
    name = f"{user.first_name} {user.last_name}".strip() if user.last_name else user.first_name
    return SenderRef(str(user.id), name, user.username, is_person=is_person)


def _is_in(member: Member) -> bool:
    return member.status not in ("left", "kicked") and (member.status != "restricted" or member.is_member)


def _has_content(message: Message) -> bool:
    """False for service notices: somebody joined, a message was pinned, a call began."""
    if message.text is not None or message.caption is not None or message.photo:
        return True
    files = (message.voice, message.audio, message.video, message.video_note, message.animation, message.document)
    others = (
        message.sticker,
        message.location,
        message.venue,
        message.contact,
        message.poll,
        message.dice,
        message.story,
    )
    return any(file is not None for file in files) or any(other is not None for other in others)


def _attachments(message: Message) -> tuple[Attachment, ...]:
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return (Attachment(AttachmentKind.PHOTO, largest.file_id, largest.file_size, "image/jpeg"),)
    if message.voice is not None:
        return (_attachment(AttachmentKind.VOICE, message.voice),)
    video = message.video or message.video_note or message.animation
    if video is not None:
        return (_attachment(AttachmentKind.VIDEO, video),)
    file = message.document or message.audio
    return () if file is None else (_attachment(AttachmentKind.FILE, file),)


def _attachment(kind: AttachmentKind, file: File) -> Attachment:
    return Attachment(kind, file.file_id, file.file_size, file.mime_type, file.file_name)
