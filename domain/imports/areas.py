"""The grid from a file: its rows become areas and communities. Areas that the file does not name stay as they are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import or_, select

from core.ids import new_id
from domain.areas import LEVEL_NAMES, put_under
from domain.imports.columns import Column, Faults, ImportReport, Row, clean_code, rows_of
from domain.imports.reading import Table
from domain.imports.tree import ALIASES, CODE, NAME, ORDER, PARENT, Node, Spot, check_tree, plain_name
from domain.places import note_changed
from storage.areas import Area, AreaLevel, Community
from storage.base import Session

COMMUNITY = Column("community", "社区", ("所属社区",))
LEVEL = Column("level", "级别", ("层级", "类型"), is_required=True)
COLUMNS = (COMMUNITY, LEVEL, CODE, NAME, PARENT, ALIASES)

LEVEL_WORDS = {
    **{name: level for level, name in LEVEL_NAMES.items()},
    **{level.value: level for level in AreaLevel},
    "楼": AreaLevel.BUILDING,
    "楼幢": AreaLevel.BUILDING,
    "住户": AreaLevel.HOUSEHOLD,
    "地标": AreaLevel.PLACE,
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row as read; what could not be read is None or empty and has its fault already."""

    row: int
    level: AreaLevel | None
    code: str
    name: str
    aliases: tuple[str, ...]
    parent: str
    community: str

    @property
    def is_clear(self) -> bool:
        return self.level is not None and bool(self.code and self.name)


def import_areas(session: Session, table: Table) -> ImportReport:
    """Brings the areas of a file in, all or none: every fault is told with ImportFaults before anything is changed."""
    faults = Faults()
    rows, ignored = rows_of(table, COLUMNS, faults)
    entries = [_read(row, faults) for row in rows]
    known_communities = session.scalars(select(Area).where(Area.level == AreaLevel.COMMUNITY)).all()
    planned, unclear = _place(entries, _Words(entries, known_communities), faults)
    known = _known(session, known_communities, {spot[0] for spot in planned})
    nodes = _as_nodes(known)
    _check_codes(planned, nodes, faults)
    nodes.update(planned)
    check_tree(nodes, unclear, faults)
    faults.raise_if_any()
    report = _apply(session, nodes, known)
    if report.added or report.changed:
        note_changed(session, version=str(new_id()))
        session.flush()
    return replace(report, ignored=ignored)


def _read(row: Row, faults: Faults) -> _Entry:
    level = LEVEL_WORDS.get(row[LEVEL])
    if not row[LEVEL]:
        faults.add(row.number, LEVEL, "required", what="、".join(LEVEL_NAMES.values()) + " 之一")
    elif level is None:
        faults.add(row.number, LEVEL, "bad_level", value=row[LEVEL], levels="、".join(LEVEL_NAMES.values()))
    code, name = clean_code(row[CODE]), row[NAME]
    if not code:
        faults.add(row.number, CODE, "required", what="一个不和别处重复的编码，如 G2 或 B03")
    if not name:
        faults.add(row.number, NAME, "required", what="居民平时的叫法，如 3号楼")
    parent = clean_code(row[PARENT])
    if level is AreaLevel.STREET and parent:
        faults.add(row.number, PARENT, "street_has_parent")
        parent = ""
    labels = {plain_name(name): name}
    for alias in re.split(r"[、，,；;]", row[ALIASES]):
        labels.setdefault(plain_name(alias), alias.strip())
    aliases = tuple(label for label in labels.values() if label and label != name)
    return _Entry(row.number, level, code, name, aliases, parent, row[COMMUNITY])


class _Words:
    """Which community a word in the column 社区 means: a name or a code, of the file or of the tables."""

    def __init__(self, entries: Sequence[_Entry], known: Sequence[Area]) -> None:
        listed = [entry for entry in entries if entry.level is AreaLevel.COMMUNITY and entry.is_clear]
        names = {area.code: area.name for area in known}
        self.of_file = {entry.code: entry.name for entry in listed}
        self.names = names | self.of_file
        # What a faulty row may have meant to be: nothing more is said about those who refer to it.
        unclear = [entry for entry in entries if not entry.is_clear and entry.level in (None, AreaLevel.COMMUNITY)]
        self.unclear = {plain_name(word) for entry in unclear for word in (entry.code, entry.name) if word}

    def resolve(self, entry: _Entry, faults: Faults) -> str | None:
        """The community's code, or None when it cannot be told."""
        if not entry.community:
            return self._only(entry, faults)
        word = plain_name(entry.community)
        if word in {plain_name(code) for code in self.names}:
            return next(code for code in self.names if plain_name(code) == word)
        found = [code for code, name in self.names.items() if plain_name(name) == word]
        if len(found) == 1:
            return found[0]
        if found:
            faults.add(entry.row, COMMUNITY, "many_communities", value=entry.community)
        elif not self.names and word not in self.unclear:
            faults.add(entry.row, COMMUNITY, "no_community_at_all")
        elif word not in self.unclear:
            faults.add(entry.row, COMMUNITY, "no_community", value=entry.community, communities=self._list())
        return None

    def _only(self, entry: _Entry, faults: Faults) -> str | None:
        choices = list(self.of_file or self.names)
        if len(choices) == 1:
            return choices[0]
        if choices:
            faults.add(entry.row, COMMUNITY, "which_community", communities=self._list())
        elif not self.unclear:
            faults.add(entry.row, COMMUNITY, "no_community_at_all")
        return None

    def _list(self) -> str:
        return "、".join(f"{name}（{code}）" for code, name in list(self.names.items())[:8])


def _place(entries: Sequence[_Entry], words: _Words, faults: Faults) -> tuple[dict[Spot, Node], frozenset[str]]:
    """The file's rows as nodes, and the codes of the rows of which none could be made."""
    planned: dict[Spot, Node] = {}
    unclear: set[str] = set()
    for entry in entries:
        community = _community_of(entry, words, faults)
        if entry.level is None or community is None or not entry.is_clear:
            unclear.add(entry.code)
            continue
        spot = (community, entry.code)
        if spot in planned:
            faults.add(entry.row, CODE, "code_twice", value=entry.code, other=planned[spot].row)
            continue
        parent_in = "" if entry.level is AreaLevel.COMMUNITY else community
        parent = (parent_in, entry.parent) if entry.parent else None
        planned[spot] = Node(spot, entry.level, entry.name, entry.aliases, parent, entry.row)
    return planned, frozenset(unclear)


def _community_of(entry: _Entry, words: _Words, faults: Faults) -> str | None:
    if entry.level is None:
        return None
    if entry.level is AreaLevel.STREET:
        return ""
    if entry.level is not AreaLevel.COMMUNITY:
        return words.resolve(entry, faults)
    if entry.community and plain_name(entry.community) not in (plain_name(entry.name), plain_name(entry.code)):
        faults.add(entry.row, COMMUNITY, "other_community", name=entry.name)
    return entry.code


def _known(session: Session, communities: Sequence[Area], codes: set[str]) -> dict[Spot, Area]:
    """The areas in the tables that the file can touch: all streets, and the communities it names."""
    of_id = {area.id: area.code for area in communities if area.code in codes}
    query = select(Area).where(or_(Area.level == AreaLevel.STREET, Area.community_id.in_(of_id)))
    return {(of_id.get(area.community_id or 0, ""), area.code): area for area in session.scalars(query)}


def _as_nodes(known: Mapping[Spot, Area]) -> dict[Spot, Node]:
    spots = {area.id: spot for spot, area in known.items()}
    return {
        spot: Node(
            spot,
            AreaLevel(area.level),
            area.name,
            tuple(area.aliases),
            spots.get(area.parent_id or 0),
            is_standing=area.removed_at is None,
        )
        for spot, area in known.items()
    }


def _check_codes(planned: Mapping[Spot, Node], known: Mapping[Spot, Node], faults: Faults) -> None:
    """A community keeps its code, and a code that another community has is not taken for a new name of that one."""
    for spot, node in planned.items():
        before = known.get(spot)
        if before is None or before.level is not AreaLevel.COMMUNITY:
            continue
        if node.level is not AreaLevel.COMMUNITY:
            faults.add(node.row or 0, CODE, "code_taken", value=node.code, other=before.name)
            continue
        names = {plain_name(name) for name in (before.name, *before.aliases)}
        if names.isdisjoint(plain_name(name) for name in (node.name, *node.aliases)):
            faults.add(node.row or 0, CODE, "community_twice", value=node.code, other=before.name)


def _apply(session: Session, nodes: Mapping[Spot, Node], known: Mapping[Spot, Area]) -> ImportReport:
    """Writes the nodes from the top down; those of the tables only get the path that a moved parent gives them."""
    areas = dict(known)
    ordered = sorted(nodes.values(), key=lambda node: (ORDER[node.level], node.row or 0))
    new = [node for node in ordered if node.spot not in known]
    for node in new:
        areas[node.spot] = Area(id=new_id(), code=node.code)
        _write(areas[node.spot], node, areas)
        session.add(areas[node.spot])
    # The new ones stand before anything known is moved under one of them.
    session.flush()
    changed = 0
    for node in ordered:
        area = areas[node.spot]
        before = _content(area)
        _write(area, node, areas)
        changed += before != _content(area)
    session.flush()
    _write_communities(session, nodes, areas)
    of_file = sum(node.row is not None for node in ordered)
    return ImportReport(len(new), changed, of_file - len(new) - changed)


def _content(area: Area) -> tuple[object, ...]:
    return area.level, area.name, tuple(area.aliases), area.parent_id, area.removed_at


def _write(area: Area, node: Node, areas: Mapping[Spot, Area]) -> None:
    put_under(area, areas[node.parent] if node.parent else None)
    if node.row is None:
        return
    area.level = node.level
    area.name = node.name
    if area.aliases != list(node.aliases):
        area.aliases = list(node.aliases)
    community = node.spot[0]
    if community:
        area.community_id = area.id if node.level is AreaLevel.COMMUNITY else areas[community, community].id
    area.removed_at = None


def _write_communities(session: Session, nodes: Mapping[Spot, Node], areas: Mapping[Spot, Area]) -> None:
    for spot, node in nodes.items():
        if node.row is None or node.level is not AreaLevel.COMMUNITY:
            continue
        community = session.get(Community, areas[spot].id)
        if community is None:
            session.add(Community(id=areas[spot].id, name=node.name))
        elif community.name != node.name:
            community.name = node.name
    session.flush()
