"""Turns templates into pages: one Jinja2 environment, the filters pages use, and addresses of static files.

What a page shows is decided by its noun's file; nothing here reads a table.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import CodeType
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from core.clock import Clock, in_china
from core.privacy import mask, mask_for_group

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"

Tone = Literal["grey", "blue", "green", "amber", "red", "teal", "purple"]


class NavigationItem(NamedTuple):
    """One line of the navigation; `icon` names a drawing of static/vendor/icons."""

    href: str
    text: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Flash:
    """A sentence shown once above the page: what was done, what to notice, or what went wrong."""

    text: str
    tone: Tone = "green"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step on a timeline: when, what, by whom, and in whose words."""

    at: datetime
    title: str
    who: str = ""
    text: str = ""
    tone: Tone = "grey"


class Compiled(BytecodeCache):
    """Keeps what templates were compiled to, by their names and their text."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


# Shared by all renderers of a process: compiling is most of what a first page costs.
COMPILED = Compiled()


class Renderer:
    """Renders templates. A name that a template uses and nobody gave is an error, not a blank."""

    def __init__(self, clock: Clock, folders: Sequence[Path] = (TEMPLATES,)) -> None:
        self._clock = clock
        self._environment = Environment(
            loader=FileSystemLoader([*folders, STATIC / "vendor"]),  # vendor: macros.html includes its icons
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=COMPILED,
        )
        self._environment.filters |= {
            "china_time": self._china_time,
            "ago": self._ago,
            "mask": mask,
            "mask_group": mask_for_group,
            "number_id": number_id,
            "with_query": with_query,
        }
        self._environment.globals["static"] = static_address

    def render(self, template: str, /, **context: object) -> str:
        """The whole page as text."""
        return self._environment.get_template(template).render(context)

    def error_page(self, status: int, sentence: str, next_step: str) -> str:
        """The page for a refusal or a fault: what happened, and what to do next."""
        return self.render("error.html", status=status, sentence=sentence, next_step=next_step)

    def _china_time(self, moment: datetime | None) -> str:
        return china_time(moment, now=self._clock.now())

    def _ago(self, moment: datetime | None) -> str:
        return ago(moment, now=self._clock.now())


def china_time(moment: datetime | None, *, now: datetime) -> str:
    """11月21日 09:05, with the year when it is not this one; a dash for no time at all."""
    if moment is None:
        return "—"
    local = _on_the_wall(moment)
    day = f"{local.month}月{local.day}日 {local:%H:%M}"
    return day if local.year == in_china(now).year else f"{local.year}年{day}"


def ago(moment: datetime | None, *, now: datetime) -> str:
    """How long ago, or how long still: 刚刚, 5 分钟前, 3 小时后, 昨天 09:05; the date when it is over six days away."""
    if moment is None:
        return "—"
    local, today = _on_the_wall(moment), in_china(now)
    side = "前" if local <= today else "后"
    distance = abs(today - local)
    days = (local.date() - today.date()).days
    if distance < timedelta(minutes=1):
        return "刚刚" if side == "前" else "马上"
    if distance < timedelta(hours=1):
        return f"{distance // timedelta(minutes=1)} 分钟{side}"
    if days == 0:
        return f"{distance // timedelta(hours=1)} 小时{side}"
    near = {-2: "前天", -1: "昨天", 1: "明天", 2: "后天"}
    if days in near:
        return f"{near[days]} {local:%H:%M}"
    if abs(days) <= 6:
        return f"{abs(days)} 天{side}"
    return china_time(moment, now=now)


def number_id(key: int) -> str:
    """A key as text: scripts and JSON cannot hold 64 bits in a number."""
    return str(key)


def with_query(address: str, **changes: object) -> str:
    """The address with these query fields set; None takes a field out. The others stay, in their order."""
    parts = urlsplit(address)
    fields = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in changes]
    fields += [(name, str(value)) for name, value in changes.items() if value is not None]
    return urlunsplit(parts._replace(query=urlencode(fields)))


@functools.cache
def static_address(path: str) -> str:
    """/static/… with a mark made from the file's bytes, so that browsers may keep it for ever and still get a new one."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()
    return f"/static/{path}?v={digest[:10]}"


def _on_the_wall(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    return in_china(moment)
