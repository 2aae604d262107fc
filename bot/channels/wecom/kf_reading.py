"""One message or event of 微信客服, as sync_msg gives it → one `Incoming`. Pure, and never raises."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from core.messages import Attachment, AttachmentKind, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef

CHANNEL = "wecom_kf"
MEDIA_LIVE = timedelta(days=3)
FROM_CUSTOMER, FROM_SYSTEM = 3, 4
# What a session's change may be: taken from the pool, handed on among servicers, ended, taken up again by a servicer.
TAKEN, HANDED_ON, ENDED, TAKEN_UP_AGAIN = 1, 2, 3, 4
# Behind the key of a menu's item stands the message it belongs to: a press tells nothing else of it.
OF_MESSAGE = "|"

Id = Annotated[str, Meta(max_length=128)]


class Text(Struct, frozen=True):
    content: str = ""
    menu_id: str = ""


class Medium(Struct, frozen=True):
    media_id: Id = ""


class Location(Struct, frozen=True):
    latitude: float = 0.0
    longitude: float = 0.0
    name: str = ""
    address: str = ""


class Link(Struct, frozen=True):
    title: str = ""
    url: str = ""


class Event(Struct, frozen=True):
    event_type: str = ""
    open_kfid: Id = ""
    external_userid: Id = ""
    scene: str = ""
    scene_param: str = ""
    welcome_code: str = ""
    recall_msgid: Id = ""
    fail_msgid: Id = ""
    fail_type: int = 0
    change_type: int = 0
    new_servicer_userid: Id = ""
    msg_code: str = ""
    reject_switch: int = 0


class Message(Struct, frozen=True):
    msgid: Id
    send_time: Annotated[int, Meta(ge=0, le=2**33)]
    origin: int
    msgtype: str
    open_kfid: Id = ""
    external_userid: Id = ""
    text: Text = Text()
    image: Medium = Medium()
    voice: Medium = Medium()
    video: Medium = Medium()
    file: Medium = Medium()
    location: Location = Location()
    link: Link = Link()
    event: Event = Event()


class Page(Struct, frozen=True):
    """An answer of sync_msg, each message left as it came."""

    next_cursor: str = ""
    has_more: int = 0
    msg_list: tuple[Raw, ...] = ()


class _Numbered(Struct, frozen=True):
    msgid: Id


@dataclass(frozen=True, slots=True)
class Read:
    """A message as read, and what the channel itself must know of it."""

    incoming: Incoming | None
    message: Message | None


_message = msgspec.json.Decoder(Message)
_numbered = msgspec.json.Decoder(_Numbered)


def chat_of(open_kfid: str, customer: str) -> str:
    """A customer's private chat with one KF account."""
    return f"{open_kfid}:{customer}"


def read(raw: bytes, account: str, names: Mapping[str, str]) -> Read:
    """What came, with the customers' names as far as they are known."""
    try:
        message = _message.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return Read(_unreadable(raw, account), None)
    return Read(_Reader(message, raw.decode("utf-8", "replace"), account, names).read(), message)


def customer_of(message: Message) -> str:
    return message.external_userid or message.event.external_userid


def _unreadable(raw: bytes, account: str) -> Incoming:
    try:
        external_id = _numbered.decode(raw).msgid
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        external_id = f"unreadable:{hashlib.sha256(raw).hexdigest()[:32]}"
    return Incoming(
        channel=CHANNEL,
        account=account,
        external_id=external_id,
        kind=IncomingKind.UNREADABLE,
        chat=ChatRef("", ChatKind.PRIVATE),
        sender=None,
        sent_at=datetime.now(UTC),
        raw=raw.decode("utf-8", "replace"),
    )


class _Reader:
    """Reads one message; holds what every `Incoming` made of it needs."""

    def __init__(self, message: Message, raw: str, account: str, names: Mapping[str, str]) -> None:
        self._message = message
        self._raw = raw
        self._account = account
        self._names = names
        self._at = datetime.fromtimestamp(message.send_time, UTC)

    def read(self) -> Incoming | None:
        if self._message.origin == FROM_SYSTEM:
            return self._event(self._message.event)
        if self._message.origin != FROM_CUSTOMER:
            return None  # a person of the staff writes in WeCom's own client
        if self._message.text.menu_id:
            return self._press()
        return self._words()

    def _words(self) -> Incoming | None:
        message = self._message
        files = {
            AttachmentKind.PHOTO: message.image,
            AttachmentKind.VOICE: message.voice,
            AttachmentKind.VIDEO: message.video,
            AttachmentKind.FILE: message.file,
        }
        attachments = tuple(
            Attachment(kind, medium.media_id, fetch_before=self._at + MEDIA_LIVE)
            for kind, medium in files.items()
            if medium.media_id
        )
        text = self._text()
        if not text and not attachments:
            return None
        return self._make(IncomingKind.MESSAGE, message_id=message.msgid, text=text, attachments=attachments)

    def _text(self) -> str:
        message = self._message
        match message.msgtype:
            case "text":
                return message.text.content.replace("\x00", "")
            case "location":
                place = message.location
                named = " ".join(part for part in (place.name, place.address) if part)
                return named or f"{place.latitude},{place.longitude}"
            case "link":
                return "\n".join(part for part in (message.link.title, message.link.url) if part)
        return ""

    def _press(self) -> Incoming:
        """An item of a menu was tapped: its words come as a text, with its key."""
        key, _, message_id = self._message.text.menu_id.partition(OF_MESSAGE)
        return self._make(IncomingKind.PRESS, message_id=message_id or None, button=key, press_id=self._message.msgid)

    def _event(self, event: Event) -> Incoming | None:
        match event.event_type:
            case "enter_session":
                # Without a code the platform lets no welcome through, and the five messages are too few for one: only a
                # link's own matter is worth an answer then.
                is_told = bool(event.welcome_code or event.scene_param)
                return self._make(
                    IncomingKind.BOT_STARTED,
                    message_id=self._message.msgid if is_told else None,
                    payload=event.scene_param or None,
                )
            case "user_recall_msg":
                return self._make(IncomingKind.WITHDRAWAL, message_id=event.recall_msgid)
            case "session_status_change" if event.change_type == ENDED:
                # With a code one word may be said at once.
                return self._make(IncomingKind.HANDED_BACK, message_id=self._message.msgid if event.msg_code else None)
            case "session_status_change" if event.change_type in (TAKEN, HANDED_ON, TAKEN_UP_AGAIN):
                return self._make(IncomingKind.TAKEN_OVER, payload=event.new_servicer_userid or None)
            case "reject_customer_msg_switch_change" if event.reject_switch:
                return self._make(IncomingKind.BOT_BLOCKED)
        return None

    def _make(self, kind: IncomingKind, **rest: object) -> Incoming:
        message = self._message
        customer = customer_of(message)
        return Incoming(
            channel=CHANNEL,
            account=self._account,
            external_id=message.msgid,
            kind=kind,
            chat=ChatRef(chat_of(message.open_kfid or message.event.open_kfid, customer), ChatKind.PRIVATE),
            sender=SenderRef(customer, self._names.get(customer, "")),
            sent_at=self._at,
            is_addressed=True,
            raw=self._raw,
            **rest,  # type: ignore[arg-type]  # the callers name the fields
        )
