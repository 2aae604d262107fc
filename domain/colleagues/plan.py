"""The address book beside the register: who is new, what is changed, who is gone. Nothing here changes anything."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import or_, select

from core.colleagues import Colleague
from domain.colleagues import rules
from domain.colleagues.leaving import HAS_NOT_LEFT
from domain.duties import RESERVED
from domain.people import find_accounts
from storage.areas import Area
from storage.base import Session
from storage.people import Account, Duty, Person


class Standing(StrEnum):
    """How somebody in the address book stands to the register."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Offer:
    """A duty that a rule proposes. `is_held` tells that it is theirs already."""

    role: str
    area_id: int
    area: str
    is_held: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One person. `namesakes` are registered people of this community who have no account on the channel: (key, name, code).

    `held` are the duties here, as (role, area). `is_listed` is False where the address book has them no longer; of those gone who are
    listed the platform says that they are suspended. `is_reserved` tells that only an administrator may touch this person.
    """

    external_id: str
    standing: Standing
    name: str
    departments: tuple[str, ...] = ()
    position: str = ""
    is_listed: bool = True
    person_id: int | None = None
    person_name: str = ""
    namesakes: tuple[tuple[int, str, str], ...] = ()
    offers: tuple[Offer, ...] = ()
    held: tuple[tuple[str, str], ...] = ()
    is_reserved: bool = False

    @property
    def digest(self) -> str:
        """What somebody has looked at: another digest means that something is no longer so."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Plan:
    """`lines` are those who concern this community; `others` counts who else is listed. `departments` are all, with how many are in each."""

    lines: tuple[Line, ...]
    departments: tuple[tuple[str, int], ...]
    others: int

    def of(self, standing: Standing) -> list[Line]:
        return [line for line in self.lines if line.standing == standing]


Held = dict[int, list[tuple[Duty, str]]]


def make_plan(
    session: Session, community_id: int, channel: str, colleagues: Sequence[Colleague], *, today: date
) -> Plan:
    """What the address book means for one community: those whom a rule of its names, and those who have a duty there."""
    table = rules.of_community(session, community_id)
    accounts = find_accounts(session, {(channel, one.external_id) for one in colleagues})
    owners = _people(session, {account.person_id for account in accounts.values()})
    staff = _staff_accounts(session, community_id, channel, today)
    held = _duties(session, {*owners, *(account.person_id for account, _ in staff)}, today)
    known = _Known(
        {external_id: owners[account.person_id] for (_, external_id), account in accounts.items()},
        held,
        _namesakes(session, community_id, channel, {one.name for one in colleagues if one.name}),
        community_id,
    )
    lines = [line for one in colleagues if (line := known.line(one, table)) is not None]
    listed = {one.external_id for one in colleagues}
    for account, person in staff:
        if account.external_id not in listed:
            lines.append(known.gone(account.external_id, person))
    count: dict[str, int] = defaultdict(int)
    for name in (name for one in colleagues for name in one.departments):
        count[name] += 1
    order = list(Standing)
    lines.sort(key=lambda line: (order.index(line.standing), line.departments, line.name, line.external_id))
    others = len(colleagues) - sum(line.external_id in listed for line in lines)
    return Plan(tuple(lines), tuple(sorted(count.items())), others)


@dataclass(frozen=True, slots=True)
class _Known:
    """The register: whose each listed account is, what they hold, and who has the same name."""

    owners: dict[str, Person]
    held: Held
    namesakes: dict[str, list[Person]]
    community_id: int

    def line(self, one: Colleague, table: Sequence[tuple[rules.ColleagueRule, Area]]) -> Line | None:
        """None for somebody who does not concern this community."""
        person = self.owners.get(one.external_id)
        duties = self.held.get(person.id, []) if person is not None else []
        mine = {(duty.role, duty.area_id) for duty, _ in duties}
        here = self._here(duties)
        wanted = {(rule.role, area.id): area.name for rule, area in table if rules.fits(rule, one)}
        if not wanted and not here:
            return None
        if not one.is_active:
            return self.gone(one.external_id, person, one) if person is not None and here else None
        offers = tuple(Offer(role, key, area, (role, key) in mine) for (role, key), area in sorted(wanted.items()))
        is_registered = person is not None and (person.code is not None or bool(duties))
        standing = Standing.NEW
        if is_registered:
            standing = Standing.SAME if all(offer.is_held for offer in offers) else Standing.CHANGED
        assert person is not None or not is_registered
        return Line(
            one.external_id,
            standing,
            one.name,
            one.departments,
            one.position,
            person_id=person.id if person is not None and is_registered else None,
            person_name=person.name if person is not None and is_registered else "",
            namesakes=() if is_registered else self._with_name(one.name),
            offers=offers,
            held=here,
            is_reserved=_is_reserved(duties),
        )

    def gone(self, external_id: str, person: Person, one: Colleague | None = None) -> Line:
        """Parting ends all duties: of who has some elsewhere too, one community does not decide."""
        duties = self.held.get(person.id, [])
        return Line(
            external_id,
            Standing.GONE,
            person.name,
            one.departments if one is not None else (),
            one.position if one is not None else "",
            is_listed=one is not None,
            person_id=person.id,
            person_name=person.name,
            held=self._here(duties),
            is_reserved=_is_reserved(duties) or any(duty.community_id != self.community_id for duty, _ in duties),
        )

    def _here(self, duties: Sequence[tuple[Duty, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((duty.role, area) for duty, area in duties if duty.community_id == self.community_id)

    def _with_name(self, name: str) -> tuple[tuple[int, str, str], ...]:
        return tuple((person.id, person.name, person.code or "") for person in self.namesakes.get(name, ()))


def _is_reserved(duties: Sequence[tuple[Duty, str]]) -> bool:
    return any(duty.role in RESERVED for duty, _ in duties)


def _people(session: Session, ids: Collection[int]) -> dict[int, Person]:
    return {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(ids)))}


def _duties(session: Session, people: Collection[int], today: date) -> Held:
    """What they are in charge of today, in all communities, with the names of the areas."""
    query = (
        select(Duty, Area.name)
        .join(Area, Area.id == Duty.area_id)
        .where(
            Duty.person_id.in_(people),
            Duty.from_on <= today,
            or_(Duty.until_on.is_(None), Duty.until_on >= today),
        )
        .order_by(Duty.id)
    )
    held: Held = defaultdict(list)
    for duty, area in session.execute(query):
        held[duty.person_id].append((duty, area))
    return held


def _staff_accounts(session: Session, community_id: int, channel: str, today: date) -> list[tuple[Account, Person]]:
    """The accounts on the channel of who has a duty here today."""
    on_duty = select(Duty.person_id).where(
        Duty.community_id == community_id,
        Duty.from_on <= today,
        or_(Duty.until_on.is_(None), Duty.until_on >= today),
    )
    query = (
        select(Account, Person)
        .join(Person, Person.id == Account.person_id)
        .where(Account.channel == channel, HAS_NOT_LEFT, Account.person_id.in_(on_duty))
        .order_by(Account.id)
    )
    return [(account, person) for account, person in session.execute(query)]


def _namesakes(session: Session, community_id: int, channel: str, names: Collection[str]) -> dict[str, list[Person]]:
    """Who is registered with a duty here, has no account on the channel (any more), and is called like somebody listed."""
    here = select(Duty.person_id).where(Duty.community_id == community_id)
    has_account = select(Account.person_id).where(Account.channel == channel, HAS_NOT_LEFT)
    query = select(Person).where(
        Person.name.in_(names), Person.id.in_(here), Person.id.not_in(has_account), Person.erased_at.is_(None)
    )
    found: dict[str, list[Person]] = defaultdict(list)
    for person in session.scalars(query.order_by(Person.id)):
        found[person.name].append(person)
    return found
