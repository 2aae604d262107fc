"""The Channel protocol: what a platform must be able to do for the rest of the program.

A channel knows neither handlers nor tables. What it must keep (a cursor, a card's response code) it hands over: a `Bookmark`
with `deliver` on the way in, `Sent.keep` on the way out.
"""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from core.colleagues import Colleague
from core.customer_groups import Handed, HandedPost, Progress, TimeSpan
from core.hooks import HookAnswer, HookCall
from core.messages import Abilities, Attachment, Bookmark, Incoming, Outgoing, Sent

log = logging.getLogger(__name__)


class NotStored(Exception):
    """Nothing of a delivery is in the database, not even a note of it. The cause is why."""


class Deliver(Protocol):
    """Hands messages to the receiver. Returns only when they are committed; then, and not before, may the platform be told
    "received". Raises NotStored when they could not be: the platform must then be left to send them again."""

    def __call__(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> Awaitable[None]: ...


async def is_stored(deliver: Deliver, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> bool:
    """Whether the receiver committed them. Why not is for the receiver to log; here it only means: not received."""
    try:
        await deliver(incomings, bookmark)
    except NotStored as fault:
        why = type(fault.__cause__ or fault).__name__
        log.warning("not stored, %s: %s", why, [f"{one.channel} {one.external_id}" for one in incomings])
        return False
    return True


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `wuwei check`: is it well, what it is about, and what a person should do, in plain Chinese."""

    is_well: bool
    about: str
    advice: str = ""


class Channel(Protocol):
    """One account on one platform."""

    @property
    def name(self) -> str:
        """The platform, as in `Incoming.channel`: telegram, simulator, console."""
        ...

    @property
    def account(self) -> str:
        """Our account there, as in `Incoming.account`; known after `start`."""
        ...

    @property
    def abilities(self) -> Abilities: ...

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:
        """Begins to listen, in the background. `bookmarks` are those stored for this channel and account, by name.

        With `listens` False it only sends and fetches: another process is the ears of this account.
        """
        ...

    async def stop(self) -> None:
        """Stops listening within a few seconds; what was not yet delivered stays unconfirmed on the platform."""
        ...

    async def send(self, outgoing: Outgoing) -> Sent:
        """Does one thing on the platform. Raises TryLater, Undeliverable, Closed, Rejected, Migrated or Unknown of core/errors."""
        ...

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        """The bytes of a file, at most `most`. Raises Rejected (too large, gone) or TryLater."""
        ...

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:
        """A webhook call: header names in lower case. Returns the HTTP status to answer with, after the commit."""
        ...

    async def check(self) -> list[Finding]:
        """Asks the platform read-only what is set up wrongly."""
        ...


@runtime_checkable
class Vouching(Protocol):
    """A channel whose platform tells who signed in on its own page."""

    async def member_behind(self, code: str) -> str:
        """The account of who brings this code, empty where it is nobody's of ours. Raises a DeliveryError of core/errors."""
        ...


@runtime_checkable
class Listing(Protocol):
    """A channel whose platform has an address book of the organisation."""

    @property
    def name(self) -> str: ...

    async def colleagues(self) -> Sequence[Colleague]:
        """Everybody whom we are shown there, each once. Raises a DeliveryError of core/errors."""
        ...

    async def is_gone(self, external_id: str) -> bool:
        """Whether there is nobody of this id any more, shown to us or not. Raises a DeliveryError where that cannot be told."""
        ...


@runtime_checkable
class Recalling(Protocol):
    """A channel that cannot ask its platform everything without doing harm: its check wants what the running program wrote down."""

    @property
    def name(self) -> str: ...

    def recall(self, bookmarks: Mapping[str, str]) -> None:
        """`bookmarks` are those stored for this channel, by name. Called before `check` where the channel is not started."""
        ...


@runtime_checkable
class Answering(Protocol):
    """A channel whose platform proves itself by the query of its calls, or wants a body back. Its `take_hook` is not called."""

    async def answer_hook(self, call: HookCall) -> HookAnswer:
        """What to answer, after the commit."""
        ...


@runtime_checkable
class Handing(Protocol):
    """A channel whose abilities say `needs_person`: its posts go out when the owner of the groups sends them. Every call raises
    a DeliveryError of core/errors when it was not done; `hand` raises Unknown when nobody knows."""

    async def hand(self, post: HandedPost) -> Handed:
        """The task is in the owner's hands; nothing has been sent."""
        ...

    async def find(self, post: HandedPost, span: TimeSpan) -> list[str]:
        """The ids of tasks that look like this post and were made in the span, oldest first: for a `hand` of unknown outcome."""
        ...

    async def look(self, external_id: str, post: HandedPost) -> Progress:
        """How the task stands."""
        ...

    async def remind(self, external_id: str) -> None:
        """The platform tells the owner once more."""
        ...

    async def withdraw(self, external_id: str) -> None:
        """Whoever has not sent it cannot send it any more; what was sent stays."""
        ...

    async def keep_welcome(self, external_id: str | None, text: str, link: str) -> str:
        """Puts the words for new members, with the link to the bot, where owners choose them for their groups; or changes those
        of this id. The id."""
        ...
