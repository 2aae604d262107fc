"""The tree as it would stand after an import, and what would be wrong with it: parents, levels, circles, names that say two things."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from core.texts import say
from domain.areas import LEVEL_NAMES
from domain.imports.columns import Column, Faults
from storage.areas import AreaLevel

CODE = Column("code", "编码", ("区域编码", "编号"), is_required=True, most=40)
NAME = Column("name", "名称", ("区域名称", "区域"), is_required=True)
PARENT = Column("parent", "上级编码", ("上级", "上级区域", "上级区域编码", "parent_code"), is_required=True, most=40)
ALIASES = Column("aliases", "别名", ("俗称", "别称", "小名", "alias"), most=400)

# What a level may stand under. A parent is always of an earlier level, so a tree that keeps to this has no circle.
PARENTS: Mapping[AreaLevel, tuple[AreaLevel, ...]] = {
    AreaLevel.STREET: (),
    AreaLevel.COMMUNITY: (AreaLevel.STREET,),
    AreaLevel.GRID: (AreaLevel.COMMUNITY,),
    AreaLevel.MICRO_GRID: (AreaLevel.GRID,),
    AreaLevel.BUILDING: (AreaLevel.MICRO_GRID, AreaLevel.GRID),
    AreaLevel.HOUSEHOLD: (AreaLevel.BUILDING, AreaLevel.MICRO_GRID),
    AreaLevel.PLACE: (AreaLevel.MICRO_GRID, AreaLevel.GRID, AreaLevel.COMMUNITY, AreaLevel.BUILDING),
}
MAY_BE_ROOT = (AreaLevel.STREET, AreaLevel.COMMUNITY)
ORDER = {level: number for number, level in enumerate(AreaLevel)}

# The code of the community ("" for a street) and the code in it.
Spot = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """An area as it would be. `row` is its row in the file; None: it is in the tables only."""

    spot: Spot
    level: AreaLevel
    name: str
    aliases: tuple[str, ...]
    parent: Spot | None
    row: int | None = None
    is_standing: bool = True

    @property
    def code(self) -> str:
        return self.spot[1]


Nodes = Mapping[Spot, Node]


def check_tree(nodes: Nodes, unclear: frozenset[str], faults: Faults) -> None:
    """Notes every fault of the tree at the row that brings it in. `unclear` are codes of rows that have faults of their own already."""
    for node in nodes.values():
        if node.is_standing:
            _check_parent(node, nodes, unclear, faults)
    _check_names(nodes, faults)


def level_names(levels: tuple[AreaLevel, ...]) -> str:
    return "或".join(LEVEL_NAMES[level] for level in levels)


def _check_parent(node: Node, nodes: Nodes, unclear: frozenset[str], faults: Faults) -> None:
    allowed = PARENTS[node.level]
    if node.parent is None:
        if node.row and node.level not in MAY_BE_ROOT:
            words = {"level": LEVEL_NAMES[node.level], "parents": level_names(allowed)}
            faults.add(node.row, PARENT, "no_parent", name=node.name, **words)
        return
    parent = nodes.get(node.parent)
    if parent is None or not (parent.is_standing or parent.row):
        if node.row and node.parent[1] not in unclear:
            faults.add(node.row, PARENT, "unknown_parent", value=node.parent[1], parents=level_names(allowed))
        return
    # A row may also make its children in the tables stand wrongly.
    row = node.row or parent.row
    if row is None or parent.level in allowed:
        return
    circle = _circle(node, nodes)
    if circle:
        faults.add(row, PARENT, "parent_cycle", circle=" → ".join(circle))
    else:
        words = {"level": LEVEL_NAMES[node.level], "parent": LEVEL_NAMES[parent.level], "parents": level_names(allowed)}
        faults.add(row, PARENT, "wrong_parent", value=parent.code, **words)


def _circle(node: Node, nodes: Nodes) -> list[str]:
    """The codes from a node up to itself again; empty when its parents lead elsewhere."""
    codes = [node.code]
    above = nodes.get(node.parent) if node.parent else None
    while above is not None and len(codes) <= len(nodes):
        codes.append(above.code)
        if above.spot == node.spot:
            return codes
        above = nodes.get(above.parent) if above.parent else None
    return []


def _check_names(nodes: Nodes, faults: Faults) -> None:
    """What residents say must lead to one area of their community; a household's name only has to differ from its neighbours'."""
    taken: dict[tuple[Spot | str, str], Node] = {}
    # Those of the tables first, so that a clash is told at a row of the file.
    for node in sorted(nodes.values(), key=lambda node: node.row or 0):
        if not node.is_standing or node.level is AreaLevel.STREET:
            continue
        is_household = node.level is AreaLevel.HOUSEHOLD
        scope: Spot | str = node.parent or "" if is_household else node.spot[0]
        for label in (node.name, *node.aliases):
            other = taken.setdefault((scope, plain_name(label)), node)
            if other is node or node.row is None:
                continue
            key = "row_of" if other.row else "known_area"
            words = say(f"imports.{key}", row=other.row, name=other.name)
            column = NAME if label == node.name else ALIASES
            faults.add(node.row, column, "same_household" if is_household else "same_name", value=label, other=words)


def plain_name(name: str) -> str:
    """A name as it is compared: no blanks, no case, full-width as plain."""
    return unicodedata.normalize("NFKC", name).replace(" ", "").lower()
