"""The tree of areas: who is above whom, what a community holds, and the entries of its place matcher."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select

from storage.areas import Area, AreaLevel, Community
from storage.base import Session

__all__ = [
    "LEVEL_NAMES",
    "Area",
    "AreaLevel",
    "Community",
    "above",
    "communities",
    "full_name",
    "of_community",
    "put_under",
]

LEVEL_NAMES = {
    AreaLevel.STREET: "街道",
    AreaLevel.COMMUNITY: "社区",
    AreaLevel.GRID: "网格",
    AreaLevel.MICRO_GRID: "微网格",
    AreaLevel.BUILDING: "楼栋",
    AreaLevel.HOUSEHOLD: "户",
    AreaLevel.PLACE: "地点",
}

# Small enough for two reports from there to be about the same thing.
SITE_LEVELS = frozenset({AreaLevel.BUILDING, AreaLevel.HOUSEHOLD, AreaLevel.PLACE})


def put_under(area: Area, parent: Area | None) -> None:
    """Gives a new area (its key must be set) its parent and path."""
    area.parent_id = parent.id if parent else None
    area.path = f"{parent.path if parent else '/'}{area.id}/"


def above(area: Area) -> list[int]:
    """Keys from the area itself up to the root."""
    return [int(key) for key in reversed(area.path.strip("/").split("/"))]


def is_within(area: Area, ancestor: Area) -> bool:
    """Whether `area` is `ancestor` or lies below it."""
    return area.path.startswith(ancestor.path)


def full_name(session: Session, area: Area, *, since: AreaLevel = AreaLevel.MICRO_GRID) -> str:
    """The name as said to people: from the level below the community down, e.g. 第二网格 3号楼; a building alone is its own name."""
    names = [area.name]
    if area.level == AreaLevel.HOUSEHOLD and area.parent_id:
        parent = session.get(Area, area.parent_id)
        if parent is not None and parent.level != since:
            names.insert(0, parent.name)
    return " ".join(names)


def site_of(area: Area | None) -> str:
    """The building or landmark that an area is or lies in, as cases keep it; empty for anything wider."""
    if area is None or area.level not in SITE_LEVELS:
        return ""
    return str(area.parent_id if area.level == AreaLevel.HOUSEHOLD else area.id)


THESE = select(Area).where(Area.id.in_(bindparam("ids", expanding=True)))  # put together once: every batch asks it


def note_areas(session: Session, area_ids: Collection[int]) -> None:
    """Looks these areas up in one statement, for the `recall` that follow."""
    if not area_ids:
        return
    for area in session.scalars(THESE, {"ids": list(area_ids)}):
        session.memo[Area, area.id] = area


def communities(session: Session) -> Sequence[Community]:
    return session.scalars(select(Community).order_by(Community.id)).all()


def of_community(session: Session, community_id: int, *, levels: Sequence[AreaLevel] = ()) -> Sequence[Area]:
    """The areas of a community that still stand, from the top down; of these levels only, where given."""
    query = select(Area).where(Area.community_id == community_id, Area.removed_at.is_(None))
    if levels:
        query = query.where(Area.level.in_(levels))
    return session.scalars(query.order_by(Area.path)).all()
