"""A platform's call at our door, and what it is answered. Only for platforms that need more than a status: a query, a body."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HookCall:
    """`query` is what stands behind the question mark, not decoded; header names are in lower case."""

    method: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """The body goes out as it is, as plain text."""

    status: int
    body: bytes = b""
