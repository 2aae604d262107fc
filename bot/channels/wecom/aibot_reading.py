"""One callback of the AI bot (智能机器人), as JSON → one `Incoming`. Pure, and never raises: what cannot be read is kept as UNREADABLE.

The bot is shown what names it in a group, and what is said to it in private. What a message quotes comes with it: a photo that
was sent alone in a group never reaches the bot, a photo that is quoted does.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec

from bot.channels.wecom.callbacks import CONTROL
from core.messages import Attachment, AttachmentKind, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef

CHANNEL = "wecom_bot"
MEDIA_LIVE = timedelta(minutes=5)
LONGEST_ID = 256
# The key of a button that only shows that a card was answered.
NO_BUTTON = "none"
LATEST = 253_402_300_799  # the last second of the year 9999
BLANKS = " \t\r\n\u2005\u3000,，:："
NAME_FIRST, NAME_LAST = re.compile(r"@\S+[\s\u2005]*"), re.compile(r"[\s\u2005]+@\S+\s*\Z")


class _Words(msgspec.Struct):
    content: str = ""


class _Link(msgspec.Struct):
    url: str = ""
    aeskey: str = ""


class _Item(msgspec.Struct):
    msgtype: str
    text: _Words | None = None
    image: _Link | None = None


class _Mixed(msgspec.Struct):
    msg_item: list[_Item] = []


class _Said(msgspec.Struct):
    """What a message holds, and what it quotes."""

    msgtype: str
    text: _Words | None = None
    markdown: _Words | None = None
    voice: _Words | None = None
    image: _Link | None = None
    file: _Link | None = None
    video: _Link | None = None
    mixed: _Mixed | None = None


class _From(msgspec.Struct):
    userid: str


class _Options(msgspec.Struct):
    option_id: list[str] = []


class _Selected(msgspec.Struct):
    option_ids: _Options = msgspec.field(default_factory=_Options)


class _SelectedItems(msgspec.Struct):
    selected_item: list[_Selected] = []


class _Press(msgspec.Struct):
    """A button, or of a vote card what was chosen."""

    event_key: str = ""
    task_id: str = ""
    selected_items: _SelectedItems = msgspec.field(default_factory=_SelectedItems)

    @property
    def key(self) -> str:
        chosen = [one for item in self.selected_items.selected_item for one in item.option_ids.option_id]
        return chosen[0] if chosen else self.event_key


class _Event(msgspec.Struct):
    eventtype: str
    template_card_event: _Press | None = None


class Callback(_Said, kw_only=True):
    """One callback. `answer_url` takes one answer within the hour, and is a secret."""

    msgid: str
    sender: _From = msgspec.field(name="from")
    chattype: str = "single"
    chatid: str = ""
    create_time: int | None = None
    answer_url: str = msgspec.field(name="response_url", default="")
    quote: _Said | None = None
    event: _Event | None = None

    @property
    def is_group(self) -> bool:
        return self.chattype == "group"

    @property
    def chat(self) -> str:
        """The chat as it is named when something is sent to it."""
        return self.chatid if self.is_group else self.sender.userid

    @property
    def event_name(self) -> str:
        return self.event.eventtype if self.event is not None else ""


@dataclass(frozen=True, slots=True)
class Read:
    """What was made of a callback: the message for the program, and the callback where it could be read."""

    incoming: Incoming | None
    callback: Callback | None = None


@dataclass(slots=True)
class _Content:
    words: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(one for one in self.words if one)


_callback = msgspec.json.Decoder(Callback)


def read(body: bytes, account: str, at: datetime, bot_name: str = "") -> Read:
    """What the callback says; no message where it holds nothing for us. `at` is when it came, for what carries no time."""
    try:
        text = body.decode("utf-8", "replace")
        callback = _callback.decode(CONTROL.sub("", text))
        _check(callback)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return Read(_unreadable(body, account, at))
    moment = at
    if callback.create_time is not None and 0 < callback.create_time < LATEST:
        moment = datetime.fromtimestamp(callback.create_time, UTC)
    if callback.msgtype == "event":
        return Read(_event(callback, account, moment), callback)
    return Read(_message(callback, account, moment, at, bot_name), callback)


def _check(callback: Callback) -> None:
    ids = [callback.msgid, callback.sender.userid, callback.chat]
    press = callback.event.template_card_event if callback.event is not None else None
    pressed = [] if press is None else [press.task_id, press.key]
    if not all(0 < len(one) <= LONGEST_ID for one in ids) or any(CONTROL.search(one) for one in [*ids, *pressed]):
        raise ValueError


def _unreadable(body: bytes, account: str, at: datetime) -> Incoming:
    return Incoming(
        channel=CHANNEL,
        account=account,
        external_id=f"unreadable:{hashlib.sha256(body).hexdigest()[:32]}",
        kind=IncomingKind.UNREADABLE,
        chat=ChatRef("", ChatKind.PRIVATE),
        sender=None,
        sent_at=at,
        raw=CONTROL.sub("", body.decode("utf-8", "replace")),
    )


def _message(callback: Callback, account: str, moment: datetime, at: datetime, bot_name: str) -> Incoming | None:
    """A quoted picture or file belongs to what is said about it."""
    said = _content(callback, at)
    if said is None:
        return None
    quoted = (_content(callback.quote, at) if callback.quote is not None else None) or _Content()
    return replace(
        _made(callback, account, moment, callback.msgid, IncomingKind.MESSAGE),
        message_id=callback.msgid,
        text=without_name(said.text, bot_name) if callback.is_group else said.text,
        attachments=(*said.files, *quoted.files),
        reply_to_text=quoted.text,
    )


def _content(said: _Said, at: datetime) -> _Content | None:
    """The words and files; None for a kind that is not known. The link of a file is good for five minutes."""
    content = _Content()
    match said.msgtype:
        case "text" | "voice" | "markdown":
            content.words = [_plain(words) for words in (said.text, said.voice, said.markdown) if words is not None]
        case "image":
            _add(content, AttachmentKind.PHOTO, said.image, at)
        case "file":
            _add(content, AttachmentKind.FILE, said.file, at)
        case "video":
            _add(content, AttachmentKind.VIDEO, said.video, at)
        case "mixed":
            for item in said.mixed.msg_item if said.mixed is not None else ():
                if item.text is not None:
                    content.words.append(_plain(item.text))
                _add(content, AttachmentKind.PHOTO, item.image, at)
        case _:
            return None
    return content


def _plain(words: _Words) -> str:
    """JSON may hold any character; PostgreSQL stores no NUL."""
    return CONTROL.sub("", words.content)


def _add(content: _Content, kind: AttachmentKind, link: _Link | None, at: datetime) -> None:
    """Where a file lies and the key that opens it go together: neither is of use without the other."""
    if link is not None and link.url:
        where = CONTROL.sub("", f"{link.url} {link.aeskey}".strip())
        content.files.append(Attachment(kind, where, fetch_before=at + MEDIA_LIVE))


def without_name(text: str, bot_name: str) -> str:
    """What was said in a group, without the name that called the bot; where its name is not known, the first or last one."""
    text = text.strip()
    if bot_name and f"@{bot_name}" in text:
        before, _, after = text.partition(f"@{bot_name}")
        return f"{before.strip()} {after.strip(BLANKS)}".strip()
    first = NAME_FIRST.match(text)
    return text[first.end() :] if first is not None else NAME_LAST.sub("", text)


def _event(callback: Callback, account: str, moment: datetime) -> Incoming | None:
    """`enter_chat` comes at most once a day and is answered by a welcome; what people think of an answer is not asked."""
    if callback.event is None:
        return None
    known = f"event:{callback.msgid}"
    if callback.event.eventtype == "enter_chat" and not callback.is_group:
        return replace(_made(callback, account, moment, known, IncomingKind.BOT_STARTED), message_id=known)
    press = callback.event.template_card_event
    if callback.event.eventtype != "template_card_event" or press is None or not press.task_id:
        return None
    if press.key == NO_BUTTON:
        return None
    made = _made(callback, account, moment, known, IncomingKind.PRESS)
    return replace(made, message_id=press.task_id, button=press.key, press_id=known)


def _made(callback: Callback, account: str, moment: datetime, external_id: str, kind: IncomingKind) -> Incoming:
    where = ChatKind.GROUP if callback.is_group else ChatKind.PRIVATE
    return Incoming(
        channel=CHANNEL,
        account=account,
        external_id=external_id,
        kind=kind,
        # The platform tells no name of a group; staff must tell two of them apart.
        chat=ChatRef(callback.chat, where, f"智能机器人群 {callback.chat[-4:]}" if callback.is_group else ""),
        sender=SenderRef(callback.sender.userid),
        sent_at=moment,
        is_addressed=True,
    )
