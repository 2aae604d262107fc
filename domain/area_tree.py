"""The tree of areas as staff see it: branches with their counts and people in charge, one area, and an area added or changed by hand.

How areas stand to each other is domain/areas.py; what may stand where is decided by the same rules as an import file's.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import case, func, or_, select

from core.errors import ImportFaults, Refused
from core.ids import new_id
from domain import places
from domain.areas import LEVEL_NAMES, of_community
from domain.imports import Table, import_areas
from domain.imports.reading import Line
from domain.imports.tree import PARENTS
from storage.areas import Area, AreaLevel, Community
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat, ChatState
from storage.people import Duty, Person

__all__ = [
    "Area",
    "AreaView",
    "Branch",
    "InCharge",
    "add",
    "area_of",
    "change",
    "children_levels",
    "choices",
    "tree",
    "view",
]

HEADERS = ("社区", "级别", "编码", "名称", "上级编码", "别名")
ABOVE_HOMES = tuple(level for level in AreaLevel if level != AreaLevel.HOUSEHOLD)
ROW_MARK = re.compile(r"^第 \d+ 行")


@dataclass(frozen=True, slots=True)
class InCharge:
    """Somebody in charge of an area today."""

    person_id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Branch:
    """An area with what is below it, down to buildings; `households` counts those below."""

    id: int
    name: str
    level: str
    code: str
    in_charge: tuple[InCharge, ...]
    households: int
    branches: tuple["Branch", ...]


@dataclass(frozen=True, slots=True)
class AreaView:
    """One area: the way to it from the community down, what is directly below, its groups, and cases below it by state."""

    area: Area
    above: tuple[tuple[int, str], ...]
    below: tuple[Area, ...]
    in_charge: tuple[InCharge, ...]
    groups: tuple[tuple[int, str], ...] = field(default=())
    open_cases: int = 0
    all_cases: int = 0


def area_of(session: Session, community_id: int, area_id: int) -> Area:
    """An area of this community; one of another community is refused like one that is not there."""
    area = session.get(Area, area_id)
    if area is None or area.community_id != community_id or area.removed_at is not None:
        raise Refused("areas.not_found")
    return area


def tree(session: Session, community_id: int, today: date) -> Branch:
    """The community with everything below it but households, in three statements however large it is."""
    below: dict[int | None, list[Area]] = defaultdict(list)
    areas = of_community(session, community_id, levels=ABOVE_HOMES)
    for area in areas:
        below[area.parent_id].append(area)
    query = (
        select(Area.parent_id, func.count())
        .where(Area.community_id == community_id, Area.level == AreaLevel.HOUSEHOLD, Area.removed_at.is_(None))
        .group_by(Area.parent_id)
    )
    households = {parent: count for parent, count in session.execute(query) if parent is not None}
    in_charge = _in_charge(session, community_id, today)
    root = next(area for area in areas if area.id == community_id)
    return _branch(root, below, households, in_charge)


def _in_charge(
    session: Session, community_id: int, today: date, *, area_id: int | None = None
) -> dict[int, list[InCharge]]:
    """Who is in charge of what: in the whole community, or of one area itself."""
    found: dict[int, list[InCharge]] = defaultdict(list)
    query = (
        select(Duty.area_id, Duty.role, Person.id, Person.name)
        .join(Person, Person.id == Duty.person_id)
        .where(
            Duty.community_id == community_id,
            Duty.from_on <= today,
            or_(Duty.until_on.is_(None), Duty.until_on >= today),
            Person.erased_at.is_(None),
        )
        .order_by(Duty.rank, Duty.id)
    )
    if area_id is not None:
        query = query.where(Duty.area_id == area_id)
    for key, role, person_id, name in session.execute(query):
        found[key].append(InCharge(person_id, name, role))
    return found


def _branch(
    area: Area,
    below: Mapping[int | None, Sequence[Area]],
    households: Mapping[int, int],
    in_charge: Mapping[int, Sequence[InCharge]],
) -> Branch:
    branches = tuple(
        _branch(each, below, households, in_charge) for each in sorted(below.get(area.id, ()), key=_natural)
    )
    return Branch(
        id=area.id,
        name=area.name,
        level=area.level,
        code=area.code,
        in_charge=tuple(in_charge.get(area.id, ())),
        households=households.get(area.id, 0) + sum(branch.households for branch in branches),
        branches=branches,
    )


def _natural(area: Area) -> tuple[int, list[tuple[bool, int, str]]]:
    """Landmarks last; 3号楼 before 12号楼."""
    parts = re.findall(r"\d+|\D+", f"{area.code} {area.name}")
    return area.level == AreaLevel.PLACE, [
        (part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts
    ]


def view(session: Session, community_id: int, area_id: int, today: date) -> AreaView:
    """One area of this community as its page shows it."""
    area = area_of(session, community_id, area_id)
    keys = [int(key) for key in area.path.strip("/").split("/")]
    names = {row.id: row.name for row in session.execute(select(Area.id, Area.name).where(Area.id.in_(keys)))}
    first = keys.index(community_id)
    below = session.scalars(select(Area).where(Area.parent_id == area.id, Area.removed_at.is_(None)))
    groups = session.execute(
        select(Chat.id, Chat.title)
        .where(Chat.area_id == area.id, Chat.state == ChatState.BOUND)
        .order_by(Chat.title, Chat.id)
    )
    is_open = case((Case.closed_at.is_(None), 1), else_=0)
    counts = session.execute(
        select(func.count(), func.coalesce(func.sum(is_open), 0))
        .select_from(Case)
        .join(Area, Area.id == Case.area_id)
        .where(Case.community_id == community_id, Area.path.startswith(area.path))
    ).one()
    return AreaView(
        area=area,
        above=tuple((key, names[key]) for key in keys[first:-1]),
        below=tuple(sorted(below, key=_natural)),
        in_charge=tuple(_in_charge(session, community_id, today, area_id=area.id).get(area.id, ())),
        groups=tuple((key, title) for key, title in groups),
        open_cases=int(counts[1]),
        all_cases=int(counts[0]),
    )


def choices(session: Session, community_id: int, *, levels: Sequence[AreaLevel] = ABOVE_HOMES) -> list[tuple[int, str]]:
    """The community's areas of these levels, for a choice: names set in by depth."""
    below: dict[int | None, list[Area]] = defaultdict(list)
    areas = of_community(session, community_id, levels=levels)
    for area in areas:
        below[area.parent_id].append(area)
    found: list[tuple[int, str]] = []

    def walk(area: Area, depth: int) -> None:
        found.append((area.id, "　" * depth + area.name))
        for each in sorted(below.get(area.id, ()), key=_natural):
            walk(each, depth + 1)

    for area in areas:
        if area.id == community_id:
            walk(area, 0)
    return found


def children_levels(level: str) -> list[tuple[str, str]]:
    """What may stand directly under an area of this level, as (level, name)."""
    return [(each.value, LEVEL_NAMES[each]) for each, parents in PARENTS.items() if level in parents]


def add(session: Session, parent: Area, *, level: str, code: str, name: str, aliases: str) -> Area:
    """A new area under `parent`. Refused by the rules of an import file, each fault with its column."""
    known = select(Area.id).where(Area.community_id == parent.community_id, Area.code == code)
    if code and session.scalar(known) is not None:
        raise Refused("areas.code_taken", code=code)
    level_name = dict(children_levels(parent.level)).get(level, "")
    _put(session, parent.community_id, (level_name, code, name, parent.code, aliases))
    return session.scalars(select(Area).where(Area.community_id == parent.community_id, Area.code == code)).one()


def change(session: Session, area: Area, *, name: str, aliases: str) -> None:
    """A new name, or other names that people say. What has been said of it before is still found under its code."""
    parent = session.get(Area, area.parent_id) if area.parent_id else None
    level = LEVEL_NAMES[AreaLevel(area.level)]
    _put(session, area.community_id, (level, area.code, name, parent.code if parent else "", aliases))


def _put(session: Session, community_id: int | None, cells: tuple[str, ...]) -> None:
    community = session.get_one(Area, community_id)
    table = Table("", (Line(1, HEADERS), Line(2, (community.code, *cells))))
    try:
        import_areas(session, table)
    except ImportFaults as refusal:
        raise ImportFaults([ROW_MARK.sub("", fault) for fault in refusal.faults]) from None
    places.note_changed(session, str(new_id()))


def is_only_community(session: Session) -> bool:
    """Whether the installation serves one community: then all of its books are this community's."""
    return len(session.scalars(select(Community.id).limit(2)).all()) == 1
