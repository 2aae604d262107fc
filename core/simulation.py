"""The nouns of the simulated platform, shared by the platform, its channel and its page. No rules here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.messages import AttachmentKind

BOT_SENDER = "bot"
PRIVATE_PREFIX = "private:"

# What the platform takes, as its page and its interface must know too.
TEXT_LIMIT = 4096
FILE_LIMIT = 20 * 1024 * 1024
PHOTO_COUNT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Persona:
    """A made-up person. `roles` and `area` are words for the page; duties are the program's own matter."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    area: str = ""


@dataclass(frozen=True, slots=True)
class SimulatedGroup:
    """A made-up group; `members` are ids of people, in the order they joined."""

    id: str
    name: str
    area: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedFile:
    """A file under a message, without its bytes."""

    id: str
    kind: AttachmentKind
    media_type: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of a file that somebody sends. `media_type` empty: the platform looks for itself."""

    kind: AttachmentKind
    content: bytes
    name: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class SimulatedButton:
    """A button under a message of the bot; with a `url` it opens a page and cannot be pressed."""

    id: str
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class SimulatedMessage:
    """A message as a member of the chat sees it now. `sender` is a person's id or "bot"."""

    id: str
    chat: str
    sender: str
    text: str
    files: tuple[SimulatedFile, ...]
    buttons: tuple[SimulatedButton, ...]
    reply_to: str | None
    at: datetime
    is_edited: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedPress:
    """A pressed button; `answer` is the bot's small notice, None until it comes."""

    id: str
    chat: str
    message: str
    person: str
    answer: str | None = None


class ChangeKind(StrEnum):
    MESSAGE = "message"  # new, edited or withdrawn: look it up
    NOTICE = "notice"  # the bot answered a press
    MEMBERS = "members"  # people or groups changed
    CLOCK = "clock"
    PULSE = "pulse"  # nothing happened for a while; lets a dead connection be noticed


@dataclass(frozen=True, slots=True)
class Change:
    """Something a watching page should show."""

    kind: ChangeKind
    chat: str = ""
    message: str = ""
    person: str = ""
    text: str = ""
