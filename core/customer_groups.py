"""Customer groups: groups of residents that no bot is let into. What a platform tells of one, and the post that is handed to its owner,
who alone can send it there. Channel-neutral, like core/messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.messages import StoredFile


class Outcome(StrEnum):
    """What became of a handed post in one group."""

    WAITING = "waiting"
    SENT = "sent"
    OVER_QUOTA = "over_quota"  # the group has got as many such posts as the platform lets through
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HandedPost:
    """One post for some groups of one owner, sent by them with one press. `owner` and `chats` are the platform's ids; `link` opens
    the bot for who reads it, empty where there is none."""

    id: str
    owner: str
    chats: tuple[str, ...]
    text: str
    files: tuple[StoredFile, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class Handed:
    """The platform took the post: by which id it is known there, and for which groups it refused it."""

    external_id: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How a handed post stands: whether its owner has pressed "send", and what became of it in each group."""

    is_confirmed: bool
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From `since` to `until`, both aware."""

    since: datetime
    until: datetime
