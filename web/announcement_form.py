"""The form of an announcement: what was typed, when it should go out, and the choices it offers. What may be is decided in domain/."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from core.clock import CHINA, in_china
from core.errors import Refused
from domain import announcements, area_tree, chats
from domain.announcements import Announcement, Plan
from domain.areas import AreaLevel, Community
from domain.calendars import check_year
from domain.outbox import Session
from domain.people import ROLE_NAMES
from domain.recurrence import describe
from web.forms import BY_RULE, Posted, read_day, read_key, read_moment

# Whole buildings have no group of their own in most communities; a list of sixty could not be read.
LEVELS = (AreaLevel.COMMUNITY, AreaLevel.GRID, AreaLevel.MICRO_GRID)
WHENS = (("now", "马上发"), ("once", "定时发一次"), ("again", "按规律重复发"))
LAST_MINUTE = time(23, 59)


@dataclass(frozen=True, slots=True)
class When:
    """When to send, in the words of the form. `kind` is one of WHENS; empty: nobody has said."""

    kind: str = ""
    at: str = ""
    recurrence: str = ""
    ends: str = ""

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        fields = {"when": self.kind, "at": self.at, "recurrence": self.recurrence, "ends": self.ends}
        return urlencode({name: value for name, value in fields.items() if value})

    @property
    def moment(self) -> datetime | None:
        """The time chosen for a single sending. Refused when none was chosen."""
        if self.kind != "once":
            return None
        chosen = read_moment(self.at)
        if chosen is None:
            raise Refused("announcements.no_when")
        check_year(chosen)
        return chosen

    @property
    def words(self) -> str | None:
        """The recurrence asked for. Refused when its words are missing."""
        if self.kind != "again":
            return None
        if not self.recurrence:
            raise Refused("announcements.recurrence_empty")
        return self.recurrence

    @property
    def ends_at(self) -> datetime | None:
        """The end of the last day."""
        last = read_day(self.ends) if self.kind == "again" else None
        return datetime.combine(last, LAST_MINUTE, CHINA) if last else None

    def plan(self, now: datetime) -> Plan:
        """What it comes to. Refused with what to write instead."""
        if self.kind not in dict(WHENS):
            raise Refused("announcements.no_when")
        return announcements.plan(at=self.moment, recurrence=self.words, now=now, ends_at=self.ends_at)


def read_when(fields: Mapping[str, str]) -> When:
    """From a form's fields or an address's query."""
    kind = fields.get("when", "")
    words = {name: fields.get(name, "").strip()[:100] for name in ("at", "recurrence", "ends")}
    return When(kind if kind in dict(WHENS) else "", **words)


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in the form; keys as text."""

    title: str = ""
    text: str = ""
    areas: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    when: When = field(default_factory=When)
    version: int = 0

    @property
    def area_ids(self) -> list[int]:
        return _keys(self.areas)

    @property
    def chat_ids(self) -> list[int]:
        return _keys(self.chats)

    @property
    def file_ids(self) -> list[int]:
        return _keys(self.files)


def _keys(words: tuple[str, ...]) -> list[int]:
    keys = [read_key(word) for word in words]
    if None in keys:
        raise Refused("announcements.bad_key")
    return [key for key in keys if key is not None]


def read_form(form: Posted) -> Filled:
    """The fields as they were typed. The longest text is refused by the rule, not cut here."""
    return Filled(
        title=form.text("title", longest=BY_RULE),
        text=form.text("text", longest=BY_RULE),
        areas=tuple(form.texts("areas")[:500]),
        chats=tuple(form.texts("chats")[:500]),
        roles=tuple(form.texts("roles")[:50]),
        files=tuple(form.texts("files")[:20]),
        when=read_when(form.values()),
        version=form.key("version") or 0,
    )


def fill(announcement: Announcement) -> Filled:
    """The form as an announcement would fill it."""
    return Filled(
        title=announcement.title,
        text=announcement.text,
        areas=tuple(announcement.area_ids),
        chats=tuple(announcement.chat_ids),
        roles=tuple(announcement.roles),
        files=tuple(announcement.file_ids),
        when=when_of(announcement),
        version=announcement.version,
    )


def when_of(announcement: Announcement) -> When:
    """When it is planned for, as the form says it."""
    ends = f"{in_china(announcement.ends_at):%Y-%m-%d}" if announcement.ends_at else ""
    if announcement.recurrence:
        return When("again", recurrence=announcement.recurrence, ends=ends)
    if announcement.next_due_at:
        return When("once", at=f"{in_china(announcement.next_due_at):%Y-%m-%dT%H:%M}")
    return When()


@dataclass(frozen=True, slots=True)
class Choices:
    """Whom an announcement may be for, as (key, name) pairs."""

    areas: list[tuple[int, str]]
    groups: list[tuple[int, str]]
    roles: list[tuple[str, str]]


def choices(session: Session, community_id: int) -> Choices:
    groups = chats.groups_for(session, community_id, sees_unbound=False)
    return Choices(
        areas=area_tree.choices(session, community_id, levels=LEVELS),
        groups=[(chat.id, chat.title or "（没有群名）") for chat, _ in groups if chat.state == chats.ChatState.BOUND],
        roles=[(role.value, name) for role, name in ROLE_NAMES.items()],
    )


@dataclass(frozen=True, slots=True)
class Explained:
    """What the words for "when" come to: in plain words with the next five times, or why they cannot be taken."""

    words: str = ""
    times: tuple[datetime, ...] = ()
    fault: Refused | None = None


def explain(session: Session, community_id: int, when: When, *, now: datetime) -> Explained:
    """Nothing asked, nothing explained."""
    if not when.kind:
        return Explained()
    try:
        plan = when.plan(now)
    except Refused as refusal:
        return Explained(fault=refusal)
    community = session.get_one(Community, community_id)
    found = Explained(times=announcements.times(plan, community))
    if plan.rule is not None:
        return replace(found, words=describe(plan.rule))
    return replace(found, words="马上发出" if when.kind == "now" else "只发一次")


def month_of(words: str, today: date) -> date:
    """The first day of the month asked for (2026-11); of this one when that is nonsense or far away."""
    try:
        first = date.fromisoformat(f"{words}-01")
    except ValueError:
        return today.replace(day=1)
    return first if abs(first.year - today.year) <= 5 else today.replace(day=1)


def weeks_of(first: date) -> list[list[date]]:
    """The weeks, Monday to Sunday, that a month touches."""
    monday = first - timedelta(days=first.weekday())
    following = (first + timedelta(days=31)).replace(day=1)
    count = -(-(following - monday).days // 7)
    return [[monday + timedelta(days=7 * week + day) for day in range(7)] for week in range(count)]
