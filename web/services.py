"""The one typed object that the running process hands to the pages: how to read, write and wake, and what they may know of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from core.clock import Clock
from core.colleagues import AddressBook
from core.config import Settings
from core.hooks import HookAnswer, HookCall
from domain.outbox import Session
from web.simulator import Simulation

Result = TypeVar("Result")


class Transactions(Protocol):
    """Runs a plain function in a transaction, off the event loop; `write` returns after the commit."""

    def read(self, work: Callable[[Session], Result]) -> Awaitable[Result]: ...

    def write(self, work: Callable[[Session], Result]) -> Awaitable[Result]: ...


class Hook(Protocol):
    """A channel's webhook: header names in lower case; returns the HTTP status, after the commit."""

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Awaitable[int]: ...


class Callback(Protocol):
    """A webhook of a platform that proves itself by the query, and wants a body back."""

    def __call__(self, call: HookCall) -> Awaitable[HookAnswer]: ...


class LoginServer(Protocol):
    """A platform's login for websites. Both raise a DeliveryError of core/errors."""

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> str:
        """The id token for a code, unchecked."""
        ...

    async def keys(self, *, anew: bool = False) -> Sequence[Mapping[str, object]]:
        """The keys by which its tokens are signed; `anew` where a token names another."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """`hooks` are webhooks by the last part of their path (/hooks/telegram). So are `callbacks`. `is_ready` tells what is not ready yet, in words.

    `simulation` is None outside the demo; `demo_link` makes the address by which the demo's clerk comes in. `wake` tells sender and clock that something was committed.
    `with_servicers` names the channels where people of staff can speak with residents in the platform's own client; `has_phone_tasks` that one counts its messages, so that
    some residents must be told by telephone.
    `member_behind` tells whose account in WeCom stands behind the code of a sign-in, empty for nobody's; it raises a DeliveryError.
    `address_book` is the organisation's, where a platform has one. `telegram_login` is there where its newer login is set up.
    """

    database: Transactions
    clock: Clock
    settings: Settings
    media_folder: Path
    wake: Callable[[], None]
    is_ready: Callable[[], Awaitable[list[str]]]
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    simulation: Simulation | None = None
    demo_link: Callable[[], Awaitable[str]] | None = None
    bot_names: Mapping[str, str] = field(default_factory=dict)
    callbacks: Mapping[str, Callback] = field(default_factory=dict)
    member_behind: Callable[[str], Awaitable[str]] | None = None
    address_book: AddressBook | None = None
    telegram_login: LoginServer | None = None
    with_servicers: Set[str] = frozenset()
    has_phone_tasks: bool = False
