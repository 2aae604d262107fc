"""What the emulated WeCom knows: members and customers, what they were sent, media, and the refusals it speaks."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
MEDIA_LIVE = 3 * 24 * 3600


class ApiError(Exception):
    """A refusal: HTTP 200 with a code, as WeCom does."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words or f"emulated refusal {code}"


@dataclass
class Member:
    userid: str
    name: str
    is_visible: bool = True
    is_disabled: bool = False
    departments: tuple[int, ...] = ()
    position: str = ""


@dataclass(frozen=True)
class Medium:
    id: str
    kind: str
    name: str
    body: bytes
    at: float


@dataclass
class Posted:
    """One message as a person sees it now. `body` is what stands under its msgtype; `id` is the platform's."""

    id: str
    to: str
    kind: str
    body: Json
    at: float
    task_id: str = ""
    is_recalled: bool = False
    files: tuple[bytes, ...] = ()

    @property
    def text(self) -> str:
        if self.kind in ("text", "markdown"):
            return str(self.body["content"])
        if self.kind == "template_card":
            return card_text(self.body)
        if self.kind == "msgmenu":
            return str(self.body.get("head_content", ""))
        return ""

    @property
    def buttons(self) -> list[tuple[str, str, str | None]]:
        """What can be pressed: words, key, and the page where it opens one. A card that was answered has none."""
        if self.kind == "msgmenu":
            items = [(one["type"], one[one["type"]]) for one in self.body["list"]]
            return [(item["content"], item.get("id", ""), item.get("url")) for _, item in items]
        if self.kind != "template_card" or self.body.get("replace_text"):
            return []
        if "checkbox" in self.body:
            return [(one["text"], one["id"], None) for one in self.body["checkbox"]["option_list"]]
        return [(one["text"], one.get("key", ""), one.get("url")) for one in self.body.get("button_list", [])]


def card_text(card: Json) -> str:
    """All the words of a card, a line each, in the order in which the client shows them."""
    title = card.get("main_title", {})
    lines = [title.get("title", ""), title.get("desc", ""), card.get("sub_title_text", "")]
    lines += [f"{one['keyname']}：{one.get('value', '')}" for one in card.get("horizontal_content_list", [])]
    return "\n".join(line for line in lines if line)


@dataclass
class World:
    """`now` is the time in seconds; everything that ends asks it."""

    now: Callable[[], float]
    corp_id: str
    agent_id: int
    members: dict[str, Member] = field(default_factory=dict)
    departments: dict[int, tuple[str, int]] = field(default_factory=dict)  # name and parent, by id
    hidden_departments: set[int] = field(default_factory=set)
    customers: dict[str, str] = field(default_factory=dict)
    media: dict[str, Medium] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers):06d}"

    def keep(self, kind: str, name: str, body: bytes) -> Medium:
        medium = Medium(self.new_id("MEDIA_"), kind, name, body, self.now())
        self.media[medium.id] = medium
        return medium

    def medium(self, media_id: str) -> Medium:
        found = self.media.get(media_id)
        if found is None or self.now() - found.at > MEDIA_LIVE:
            raise ApiError(40007, "invalid media_id")
        return found
