"""The duty that a row of a people file means: which one it is among those known, and what of it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from core.ids import new_id
from domain.imports.entries import HEAD, RANK, UNTIL_ON, Entry
from storage.areas import Area
from storage.base import Session
from storage.people import Duty, Person


class Outcome(Enum):
    """What became of something that a row says."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Known:
    """The duties of one person so far. `claimed` are the first days that some row of the file writes out, by role and area."""

    duties: list[Duty]
    claimed: frozenset[tuple[str, int, date]]

    def match(self, entry: Entry, area: Area, today: date) -> Duty | None:
        """The one that begins the same day; else one that goes on now, or whose time the row's overlaps, and no other row means."""
        here = [duty for duty in self.duties if duty.role == entry.role and duty.area_id == area.id]
        exact = next((duty for duty in here if duty.from_on == entry.from_on), None)
        if exact is not None:
            return exact
        free = [duty for duty in here if (duty.role, duty.area_id, duty.from_on) not in self.claimed]
        return next((duty for duty in reversed(free) if _continues(entry, duty, today)), None)


def first_day(entry: Entry, today: date) -> date:
    """The day a new duty of this row begins; without one today, or its last day where that has passed."""
    if entry.from_on:
        return entry.from_on
    return min(today, entry.until_on) if entry.until_on else today


def overlap(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    """Whether two spans of days share one; None: no last day."""
    return one[0] <= (other[1] or date.max) and other[0] <= (one[1] or date.max)


def span(entry: Entry, today: date) -> tuple[date, date | None]:
    return first_day(entry, today), entry.until_on


def _continues(entry: Entry, duty: Duty, today: date) -> bool:
    if entry.from_on is None:
        return duty.until_on in (None, entry.until_on) or duty.until_on >= today
    return overlap(span(entry, today), (duty.from_on, duty.until_on))


def write_duty(session: Session, person: Person, plan: tuple[Entry, Area], known: Known, today: date) -> Outcome:
    """Afterwards the duty stands as the row says; columns that the file does not have are left as they were."""
    entry, area = plan
    duty = known.match(entry, area, today)
    if duty is None:
        duty = Duty(id=new_id(), community_id=area.community_id, person_id=person.id, area_id=area.id, role=entry.role)
        duty.from_on, duty.until_on = span(entry, today)
        duty.rank, duty.topic_head = entry.rank, entry.topic_head
        session.add(duty)
        known.duties.append(duty)
        return Outcome.ADDED
    before = _content(duty)
    duty.from_on = entry.from_on or duty.from_on
    if entry.row.has(UNTIL_ON):
        duty.until_on = entry.until_on
    if entry.row.has(RANK):
        duty.rank = entry.rank
    if entry.row.has(HEAD):
        duty.topic_head = entry.topic_head
    return Outcome.CHANGED if before != _content(duty) else Outcome.UNCHANGED


def _content(duty: Duty) -> Sequence[object]:
    return duty.from_on, duty.until_on, duty.rank, duty.topic_head
