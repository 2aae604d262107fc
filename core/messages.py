"""The channel-neutral messages: what arrives, what leaves, and what was understood of it.

Everything here is frozen and says nothing about a platform. A channel turns its own shapes into `Incoming`
and sends `Outgoing`; no other part of the program knows how Telegram or WeCom look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.groups import GroupFacts


class ChatKind(StrEnum):
    GROUP = "group"
    PRIVATE = "private"


class IncomingKind(StrEnum):
    """What happened on the platform."""

    MESSAGE = "message"
    EDIT = "edit"
    WITHDRAWAL = "withdrawal"  # the sender deleted the message (channels that tell)
    PRESS = "press"  # a button under one of our messages
    BOT_ADDED = "bot_added"
    BOT_REMOVED = "bot_removed"
    BOT_BLOCKED = "bot_blocked"  # a person stopped the private chat
    BOT_STARTED = "bot_started"  # a person opened the private chat, perhaps with a payload
    CHAT_RENAMED = "chat_renamed"
    CHAT_MIGRATED = "chat_migrated"  # the chat goes on under `new_chat_id`
    GROUP_TOLD = "group_told"  # how a group stands that the bot is not in: `group`
    MEMBER_JOINED = "member_joined"
    MEMBER_LEFT = "member_left"
    COLLEAGUE_JOINED = "colleague_joined"  # somebody came into the organisation's address book
    COLLEAGUE_CHANGED = "colleague_changed"
    COLLEAGUE_LEFT = "colleague_left"
    TAKEN_OVER = "taken_over"  # a person of staff speaks with somebody in the platform's own client
    HANDED_BACK = "handed_back"  # and has done so
    UNREADABLE = "unreadable"  # kept for replay; nothing could be made of the body


class AttachmentKind(StrEnum):
    PHOTO = "photo"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class ChatRef:
    """A chat as the platform names it. `thread` is a forum topic inside a group, or None."""

    external_id: str
    kind: ChatKind
    title: str = ""
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class SenderRef:
    """Who spoke, as the platform names them.

    `is_person` is False for other bots, anonymous administrators, linked channels and the platform itself:
    such a sender is never taken for a resident.
    """

    external_id: str
    name: str = ""
    username: str | None = None
    is_person: bool = True


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message, not yet fetched.

    `size` is in bytes where the platform tells, `fetch_before` the moment its link dies.
    """

    kind: AttachmentKind
    external_id: str
    size: int | None = None
    media_type: str | None = None
    name: str | None = None
    fetch_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ColleagueChange:
    """Whose entry in the organisation's address book changed: `name` and `new_id` where they are others now.

    `is_moved` tells of another department or position; `is_active` is False for somebody who is suspended.
    """

    external_id: str
    name: str = ""
    new_id: str = ""
    is_moved: bool = False
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing that happened on a platform. (channel, account, external_id) is unique: seen twice, worked once.

    `message_id` is the platform's id of the message concerned (for a press: of the message with the button).
    `button` is the opaque key of the pressed button, `press_id` what must be answered so that the client stops waiting.
    `is_addressed` holds in private chat, when the bot is mentioned, or when one of its messages is replied to.
    `payload` is the argument of a start link. `raw` is the body as it came, kept only while a replay may be needed.
    `keep` is added to what `Sent.keep` said of the message `message_id`, so that a later edit of it gets both.
    `colleague` goes with the kinds that tell of the address book; then there is no sender.
    `group` is there where the platform told how the group stands.
    """

    channel: str
    account: str
    external_id: str
    kind: IncomingKind
    chat: ChatRef
    sender: SenderRef | None
    sent_at: datetime
    message_id: str | None = None
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    reply_to_text: str = ""
    reply_to_bot: bool = False
    album_id: str | None = None
    is_addressed: bool = False
    is_forwarded: bool = False
    button: str | None = None
    press_id: str | None = None
    payload: str | None = None
    new_chat_id: str | None = None
    raw: str = ""
    keep: Mapping[str, str] = field(default_factory=dict)
    colleague: ColleagueChange | None = None
    group: GroupFacts | None = None


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where to go on reading a platform's stream (a polling offset, a cursor); stored with the messages read.

    `channel` and `account` say whose it is where no message comes with it.
    """

    name: str
    value: str
    channel: str = ""
    account: str = ""


class OutgoingAction(StrEnum):
    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"
    ANSWER_PRESS = "answer_press"
    HAND_OVER = "hand_over"  # from now on a person of staff speaks in this chat, in the platform's own client
    HAND_BACK = "hand_back"


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A command for a platform's menu: its Latin name, two to four characters of title, and a line of help.

    `is_first` are those that most people want most often: one tap, where a menu has levels.
    """

    name: str
    title: str
    help: str
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """`key` is opaque, at most 64 bytes, and comes back in `Incoming.button`; a `url` button opens a page instead."""

    text: str
    key: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of ours to be sent: where its bytes lie and what they are."""

    path: str
    kind: AttachmentKind
    media_type: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One thing to do on a platform. Text is plain, never markup. `buttons` are rows of buttons.

    `message_id` is the message to edit or delete. `keep` is what `Sent.keep` carried when that message was sent.
    `press_id` with ANSWER_PRESS: `text` is the small notice (at most 200 characters), may be empty.
    With HAND_OVER and HAND_BACK `text` is what the person is told of it, where the platform lets that through.
    """

    id: str
    channel: str
    account: str
    action: OutgoingAction
    chat: ChatRef
    text: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    files: tuple[StoredFile, ...] = ()
    reply_to: str | None = None
    message_id: str | None = None
    press_id: str | None = None
    keep: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the platform said: the id of the message it made, and what the channel wants back for a later edit.

    An edit that had to be made as a new message has that one's id: later edits name it. `spent` is how many of the person's
    `Allowance` it took.
    """

    external_id: str | None = None
    keep: Mapping[str, str] = field(default_factory=dict)
    spent: int = 0


class Kind(StrEnum):
    """What a message is. All but CHATTER can open a case."""

    CHATTER = "chatter"
    REPORT = "report"
    WISH = "wish"
    COMPLAINT = "complaint"
    DISPUTE = "dispute"
    QUESTION = "question"
    REQUEST = "request"
    PROPOSAL = "proposal"


class Urgency(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class Decision(StrEnum):
    """What the bot may do unasked: act, ask once, or stay silent."""

    ACT = "act"
    ASK = "ask"
    SILENT = "silent"


class Signal(StrEnum):
    """What a message says about a case that is already open, beside its kind."""

    NONE = "none"
    STILL_BROKEN = "still_broken"  # 还没修
    RESOLVED = "resolved"  # 修好了
    WITHDRAWN = "withdrawn"  # 撤回、发错了
    CORRECTION = "correction"  # 打错了, 是5号楼
    ME_TOO = "me_too"  # 我家也是
    THANKS = "thanks"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text with what is needed to understand it. `has_photo` tells of a photo in this message."""

    text: str
    is_addressed: bool = False
    is_private: bool = False
    is_forwarded: bool = False
    has_photo: bool = False
    reply_to_text: str = ""


@dataclass(frozen=True, slots=True)
class PlaceMention:
    """A place found in a text: the words, the parts read from them, and the area they name (None: not in our tree).

    `building`, `unit` and `door` are normalised to Arabic digits ("三栋二单元501" gives "3", "2", "501").
    `start` and `end` are character offsets in the text.
    """

    words: str
    start: int
    end: int
    building: str | None = None
    unit: str | None = None
    door: str | None = None
    landmark: str | None = None
    area_id: int | None = None
    certainty: float = 1.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the word or pattern that counted, what it spoke for, and by how much."""

    word: str
    speaks_for: str
    weight: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a text was taken for. `certainty` is 0 to 1 for the kind; `topics` are up to three (code, certainty), best first."""

    kind: Kind
    decision: Decision
    certainty: float
    urgency: Urgency = Urgency.NORMAL
    topics: tuple[tuple[str, float], ...] = ()
    places: tuple[PlaceMention, ...] = ()
    signal: Signal = Signal.NONE
    because: tuple[Reason, ...] = ()

    @property
    def topic(self) -> str | None:
        return self.topics[0][0] if self.topics else None


class LimitScope(StrEnum):
    ACCOUNT = "account"
    CHAT = "chat"
    GROUP = "group"  # a chat, but groups only


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` sends in any window of `per`, counted for each account, chat or group."""

    scope: LimitScope
    count: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `count` messages to a person within `within` after their last word; they write again, and it starts anew.

    None is spent lightly: what waits for one person goes as one message of at most `text_bytes` of UTF-8, or `menu_bytes` where
    buttons stand under it, and what is only progress waits when no more than `reserve` are left.
    """

    count: int
    within: timedelta
    text_bytes: int
    menu_bytes: int
    reserve: int


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a channel can do; everything else in the program asks this, never the channel's name.

    `text_limit` is in UTF-16 units or characters as the platform counts; `has_dedupe_key` holds where a repeated send is
    recognised by the platform, so that a send of unknown outcome may be repeated even to a group. With `needs_person` a post goes
    out only when the group's owner sends it: it is handed over (bot/handing.py), and they may be reminded `reminders_a_day` times.
    """

    limits: tuple[Limit, ...] = ()
    text_limit: int = 4096
    can_edit: bool = True
    can_delete: bool = True
    can_write_first: bool = False
    can_hear: bool = True  # False where nobody can say anything to the bot
    tells_withdrawals: bool = False
    has_dedupe_key: bool = False
    hears_all: bool | None = None  # whether everything said in its groups is shown to the bot; None: not found out yet
    bot_name: str = ""  # what people look for to write to the bot; empty until the platform has told
    start_link: str = ""  # the link that opens the private chat, with "{payload}" in it; empty where there is none
    album_size: int = 10
    allowance: Allowance | None = None  # where the platform counts what a person is sent after their last word
    has_servicers: bool = False  # staff can speak in its private chats themselves, and the bot with them by turns
    needs_person: bool = False
    reminders_a_day: int = 0
