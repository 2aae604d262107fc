"""The people, chats, messages and files of the made-up platform, and how they look on the wire."""

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

MENTION = re.compile(r"(?<!\w)@([A-Za-z][A-Za-z0-9_]{3,31})")
COMMAND = re.compile(r"(?:(?<=\s)|^)/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{4,32})?")
ADMIN_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
ANONYMOUS_ADMIN = 1087968824
GROUP_TYPES = ("group", "supergroup")


@dataclass
class User:
    id: int
    first_name: str
    username: str | None = None
    is_bot: bool = False
    has_started: bool = False
    has_blocked: bool = False

    def json(self) -> Json:
        shown: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        return shown | ({"username": self.username} if self.username else {})


@dataclass
class Chat:
    """`members` maps a user id to a status. `bot_reads_all` is fixed when the bot joins, as on the real platform."""

    id: int
    type: str
    title: str = ""
    members: dict[int, str] = field(default_factory=dict)
    is_forum: bool = False
    bot_reads_all: bool = False
    migrated_to: int | None = None
    topics: set[int] = field(default_factory=set)
    last_speaking_bot: int | None = None
    first_name: str = ""

    @property
    def is_group(self) -> bool:
        return self.type in GROUP_TYPES

    def json(self) -> Json:
        shown: Json = {"id": self.id, "type": self.type}
        if not self.is_group:
            return shown | {"first_name": self.first_name}
        return shown | {"title": self.title} | ({"is_forum": True} if self.is_forum else {})


@dataclass
class StoredMessage:
    """`body` is the message as the Bot API shows it; `files` are the bytes the bot or a person attached, biggest size only."""

    chat_id: int
    id: int
    sender_id: int | None
    body: Json
    files: tuple[bytes, ...] = ()
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class PlatformFile:
    id: str
    path: str
    body: bytes
    size: int


class World:
    """The state. It decides nothing about visibility or limits."""

    def __init__(self, bot: User, now: Callable[[], float]) -> None:
        self.bot = bot
        self.now = now
        self.users: dict[int, User] = {bot.id: bot}
        self.chats: dict[int, Chat] = {}
        self.messages: dict[tuple[int, int], StoredMessage] = {}
        self.files: dict[str, PlatformFile] = {}
        self.sizes: dict[str, int] = {}
        self._user_ids = itertools.count(1001)
        self._group_ids = itertools.count(4001)
        self._message_ids = itertools.count(1)
        self._supergroup_message_ids: dict[int, itertools.count[int]] = {}
        self._file_ids = itertools.count(1)

    def new_user(self, name: str, username: str | None, *, is_bot: bool) -> User:
        user = User(next(self._user_ids), name, username, is_bot)
        self.users[user.id] = user
        self.chats[user.id] = Chat(user.id, "private", first_name=name)
        return user

    def new_group(self, title: str, *, is_supergroup: bool, is_forum: bool) -> Chat:
        number = next(self._group_ids)
        chat = Chat(
            int(f"-100{number}000") if is_supergroup else -number,
            "supergroup" if is_supergroup else "group",
            title,
            is_forum=is_forum,
        )
        self.chats[chat.id] = chat
        return chat

    def new_message_id(self, chat: Chat) -> int:
        """Supergroups count for themselves; the same number names different messages in different chats."""
        if chat.type == "supergroup":
            return next(self._supergroup_message_ids.setdefault(chat.id, itertools.count(1)))
        return next(self._message_ids)

    def new_message(
        self, chat: Chat, sender: User | None, fields: Mapping[str, Any], files: tuple[bytes, ...] = ()
    ) -> StoredMessage:
        """`fields` set to None are left out."""
        message_id = self.new_message_id(chat)
        body: Json = {"message_id": message_id, "date": int(self.now()), "chat": chat.json()}
        if sender is not None:
            body["from"] = sender.json()
        body |= {name: value for name, value in fields.items() if value is not None}
        stored = StoredMessage(chat.id, message_id, None if sender is None else sender.id, body, files)
        self.messages[chat.id, message_id] = stored
        return stored

    def new_file(self, kind: str, body: bytes, size: int | None = None) -> PlatformFile:
        """`size` may claim more than there are bytes, to play a file over the download limit."""
        number = next(self._file_ids)
        file = PlatformFile(f"{kind}-{number:06d}", f"{kind}s/file_{number}", body, len(body) if size is None else size)
        self.files[file.id] = file
        return file

    def message(self, chat_id: int, message_id: int) -> StoredMessage | None:
        found = self.messages.get((chat_id, message_id))
        return None if found is None or found.is_deleted else found

    def replied(self, chat: Chat, message_id: int | None) -> Json | None:
        """The replied-to message as it is shown inside another: one level deep only."""
        found = None if message_id is None else self.message(chat.id, message_id)
        return None if found is None else {k: v for k, v in found.body.items() if k != "reply_to_message"}

    def member_json(self, chat: Chat, user: User, status: str | None = None) -> Json:
        status = status or chat.members.get(user.id, "left")
        shown: Json = {"status": status, "user": user.json()}
        if status == "administrator":
            shown |= dict.fromkeys(ADMIN_RIGHTS, False)
        if status == "creator":
            shown["is_anonymous"] = False
        if status == "kicked":
            shown["until_date"] = 0
        return shown


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def find_entities(text: str) -> list[Json]:
    """Mentions and commands, placed in UTF-16 units."""
    found = [(match, "mention") for match in MENTION.finditer(text)]
    commands = [(match, "bot_command") for match in COMMAND.finditer(text)]
    inside = [(c.start(), c.end()) for c, _ in commands]
    found = [(m, kind) for m, kind in found if not any(start <= m.start() < end for start, end in inside)] + commands
    return [
        {"type": kind, "offset": utf16_length(text[: match.start()]), "length": utf16_length(match[0])}
        for match, kind in sorted(found, key=lambda one: one[0].start())
    ]


def text_fields(text: str, *, is_caption: bool) -> Json:
    if not text:
        return {}
    name = "caption" if is_caption else "text"
    entities = find_entities(text)
    return {name: text} | ({"caption_entities" if is_caption else "entities": entities} if entities else {})
