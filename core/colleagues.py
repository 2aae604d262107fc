"""Colleagues: the people of an organisation as its platform's address book lists them, before anybody of ours has looked at them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colleague:
    """One entry. `departments` are written from the top, 街道办/春晖社区; `is_active` is False for somebody who is suspended."""

    external_id: str
    name: str = ""
    departments: tuple[str, ...] = ()
    position: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Where the colleagues of a channel are read. `read` raises a DeliveryError of core/errors."""

    channel: str
    read: Callable[[], Awaitable[Sequence[Colleague]]]
