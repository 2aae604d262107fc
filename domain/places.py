"""A community's own place matcher, built from its areas and kept until they change."""

from sqlalchemy import bindparam, select

from domain.areas import of_community
from nlp.places import PlaceEntry, Places, build_places
from storage.areas import Area
from storage.base import Session
from storage.messages import SystemMark

__all__ = ["PlaceBook", "Places", "note_changed"]

MARK = "areas_changed"
# Put together once: every batch asks it.
MARKS = select(SystemMark.name, SystemMark.value).where(SystemMark.name.in_(bindparam("names", expanding=True)))


class PlaceBook:
    """The matchers of all communities; `of` builds one when it is first asked for and again after the areas have changed."""

    def __init__(self) -> None:
        self._version = ""
        self._matchers: dict[tuple[int, int | None], Places] = {}
        self._nowhere = build_places(())

    def refresh(self, session: Session, *, also: str = "") -> str:
        """Forgets what was built from areas that have changed since. One look-up, which also fetches the mark of that name."""
        marks: dict[str, str] = {row.name: row.value for row in session.execute(MARKS, {"names": [MARK, also]})}
        version = marks.get(MARK, "")
        if version != self._version:
            self._version, self._matchers = version, {}
        return marks.get(also, "")

    def of(self, session: Session, community_id: int | None, *, near: int | None = None) -> Places:
        """The community's matcher; of two places with one name it takes the one in the area `near`."""
        if community_id is None:
            return self._nowhere
        whole = self._matchers.get((community_id, None))
        if whole is None:
            entries = tuple(_entry(area) for area in of_community(session, community_id))
            whole = self._matchers[community_id, None] = build_places(entries)
        if (community_id, near) not in self._matchers and near is not None:
            self._matchers[community_id, near] = whole.within(near)
        return self._matchers[community_id, near]


def _entry(area: Area) -> PlaceEntry:
    return PlaceEntry(
        area_id=area.id, level=area.level, name=area.name, aliases=tuple(area.aliases), parent_id=area.parent_id
    )


def note_changed(session: Session, version: str) -> None:
    """Areas have been added or renamed: all processes build their matchers again."""
    session.merge(SystemMark(name=MARK, value=version))
