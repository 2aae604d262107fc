"""What the tables hold that a people file speaks of, read in a handful of statements however long the file is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from domain.imports.columns import Column, Faults, clean_code
from domain.imports.entries import AREA, COMMUNITY, HOME, Entry
from domain.imports.tree import plain_name
from domain.people import find_accounts
from storage.areas import Area, AreaLevel
from storage.base import Session
from storage.people import Account, Duty, Person, Residence

TELEGRAM_CHANNEL = "telegram"
HOMES = (AreaLevel.HOUSEHOLD, AreaLevel.BUILDING)


@dataclass(frozen=True, slots=True)
class Register:
    """People by code, areas by code (several communities may use one), accounts by id, duties and homes by person."""

    people: dict[str, Person]
    areas: dict[str, list[Area]]
    communities: Sequence[Area]
    accounts: dict[str, Account]
    owners: dict[int, Person]
    duties: dict[int, list[Duty]]
    homes: set[tuple[int, int]]

    def areas_for(self, entry: Entry, column: Column, faults: Faults) -> list[Area]:
        """The areas that a cell means: one, or for a street each of its communities. None, with a fault, when it cannot be told."""
        code = entry.area if column is AREA else entry.home
        found = [area for area in self.areas.get(code, []) if self._is_in(area, entry.community)]
        if not found:
            faults.add(entry.number, column, "unknown_area", value=code)
            return []
        if len(found) > 1:
            faults.add(entry.number, column, "area_in_many", value=code)
            return []
        if found[0].level != AreaLevel.STREET or column is HOME:
            return found
        # A duty belongs to a community, so that a street is looked after in each of its communities.
        below = [area for area in self.communities if area.parent_id == found[0].id]
        if not below:
            faults.add(entry.number, column, "street_is_empty", value=found[0].name)
        return below

    def _is_in(self, area: Area, word: str) -> bool:
        if not word or area.level == AreaLevel.STREET:
            return True
        community = next((each for each in self.communities if each.id == area.community_id), None)
        return community is not None and plain_name(word) in (plain_name(community.name), plain_name(community.code))

    def check_community(self, entry: Entry, faults: Faults) -> None:
        """A community that is named must be there, even where the row names no area."""
        word = plain_name(entry.community)
        names = {plain_name(name) for area in self.communities for name in (area.name, area.code)}
        if word and word not in names:
            listed = "、".join(f"{area.name}（{area.code}）" for area in self.communities[:8])
            key = "no_community" if listed else "no_community_at_all"
            faults.add(entry.number, COMMUNITY, key, value=entry.community, communities=listed)


def load_register(session: Session, entries: Sequence[Entry]) -> Register:
    people = session.scalars(select(Person).where(Person.code.in_({entry.code for entry in entries}))).all()
    ids = [person.id for person in people]
    codes = {clean_code(code) for entry in entries for code in (entry.area, entry.home) if code}
    areas = session.scalars(select(Area).where(Area.code.in_(codes), Area.removed_at.is_(None))).all()
    standing = select(Area).where(Area.level == AreaLevel.COMMUNITY, Area.removed_at.is_(None)).order_by(Area.id)
    accounts = find_accounts(session, {(TELEGRAM_CHANNEL, entry.telegram) for entry in entries if entry.telegram})
    owner_ids = {account.person_id for account in accounts.values()}
    owners = session.scalars(select(Person).where(Person.id.in_(owner_ids))).all()
    residences = session.scalars(select(Residence).where(Residence.person_id.in_(ids)))
    return Register(
        people={person.code or "": person for person in people},
        areas=_grouped_areas(areas),
        communities=session.scalars(standing).all(),
        accounts={external_id: account for (_, external_id), account in accounts.items()},
        owners={person.id: person for person in owners},
        duties=_grouped_duties(session.scalars(select(Duty).where(Duty.person_id.in_(ids)).order_by(Duty.from_on))),
        homes={(each.person_id, each.area_id) for each in residences},
    )


def _grouped_areas(areas: Iterable[Area]) -> dict[str, list[Area]]:
    grouped: dict[str, list[Area]] = {}
    for area in areas:
        grouped.setdefault(area.code, []).append(area)
    return grouped


def _grouped_duties(duties: Iterable[Duty]) -> dict[int, list[Duty]]:
    grouped: dict[int, list[Duty]] = {}
    for duty in duties:
        grouped.setdefault(duty.person_id, []).append(duty)
    return grouped
