"""People and their duties from a file: several rows with one code are several duties of one person. What a file does not name stays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.clock import in_china
from core.ids import new_id
from domain.areas import LEVEL_NAMES
from domain.imports.columns import Faults, ImportReport, rows_of
from domain.imports.duties import Known, Outcome, overlap, span, write_duty
from domain.imports.entries import AREA, CODE, COLUMNS, HOME, NAME, PHONE, TELEGRAM, Entry, read_entry
from domain.imports.reading import Table
from domain.imports.register import HOMES, TELEGRAM_CHANNEL, Register, load_register
from domain.people import link_account, set_phone
from storage.areas import Area
from storage.base import Session
from storage.people import Person, Residence, Role


@dataclass(frozen=True, slots=True)
class _Plan:
    """A row with the areas it means; with no role `areas` is empty."""

    entry: Entry
    areas: Sequence[Area]
    homes: Sequence[Area]


def import_people(session: Session, table: Table, *, now: datetime) -> ImportReport:
    """Brings the people of a file in, all or none: every fault is told with ImportFaults before anything is changed.

    A duty without a first day begins today, or goes on as it was; an empty name, number or account leaves what is known.
    """
    faults = Faults()
    rows, ignored = rows_of(table, COLUMNS, faults)
    entries = [read_entry(row, faults) for row in rows]
    register = load_register(session, entries)
    plans = [_plan(entry, register, faults) for entry in entries]
    today = in_china(now).date()
    _check_people(entries, register, faults)
    _check_accounts(entries, register, faults)
    _check_duties(plans, today, faults)
    faults.raise_if_any()
    return replace(_apply(session, plans, register, now), ignored=ignored)


def _plan(entry: Entry, register: Register, faults: Faults) -> _Plan:
    areas: Sequence[Area] = ()
    register.check_community(entry, faults)
    if entry.area:
        areas = register.areas_for(entry, AREA, faults)
    homes: Sequence[Area] = register.areas_for(entry, HOME, faults) if entry.home else ()
    for home in homes:
        if home.level not in HOMES:
            level = next(name for each, name in LEVEL_NAMES.items() if each == home.level)
            faults.add(entry.number, HOME, "not_a_home", value=home.name, level=level)
    return _Plan(entry, areas, homes)


def _check_people(entries: Sequence[Entry], register: Register, faults: Faults) -> None:
    names: dict[str, Entry] = {}
    phones: dict[str, Entry] = {}
    for entry in entries:
        if entry.name and names.setdefault(entry.code, entry).name != entry.name and entry.code:
            faults.add(entry.number, NAME, "name_differs", code=entry.code, other=names[entry.code].number)
        if entry.phone and phones.setdefault(entry.code, entry).phone != entry.phone and entry.code:
            faults.add(entry.number, PHONE, "phone_differs", code=entry.code, other=phones[entry.code].number)
        person = register.people.get(entry.code)
        if person is not None and person.erased_at is not None:
            faults.add(entry.number, CODE, "erased", code=entry.code)
    nameless: set[str] = set()
    for entry in entries:
        is_known = entry.code in names or entry.code in register.people or entry.code in nameless
        # Rows without a code stand each for themselves.
        if (entry.code and is_known) or entry.name:
            continue
        nameless.add(entry.code)
        faults.add(entry.number, NAME, "required", what="姓名")


def _check_accounts(entries: Sequence[Entry], register: Register, faults: Faults) -> None:
    holders: dict[str, Entry] = {}
    for entry in entries:
        if not entry.telegram:
            continue
        first = holders.setdefault(entry.telegram, entry)
        if first.code != entry.code:
            faults.add(entry.number, TELEGRAM, "telegram_twice", other=first.number)
            continue
        account = register.accounts.get(entry.telegram)
        owner = register.owners.get(account.person_id) if account else None
        if owner is not None and owner.code is not None and owner.code != entry.code:
            faults.add(entry.number, TELEGRAM, "telegram_taken", code=owner.code)


def _check_duties(plans: Sequence[_Plan], today: date, faults: Faults) -> None:
    seen: dict[tuple[str, Role, int], list[Entry]] = {}
    for plan in plans:
        entry = plan.entry
        if entry.role is None or not entry.code:
            continue
        for area in plan.areas:
            before = seen.setdefault((entry.code, entry.role, area.id), [])
            clash = next((other for other in before if overlap(span(other, today), span(entry, today))), None)
            if clash is not None:
                faults.add(entry.number, AREA, "same_duty", other=clash.number)
                break
            before.append(entry)


def _apply(session: Session, plans: Sequence[_Plan], register: Register, now: datetime) -> ImportReport:
    new = _make_people(session, [plan.entry for plan in plans], register, now)
    known = _known_duties(plans, register)
    count = dict.fromkeys(Outcome, 0)
    for plan in plans:
        person = register.people[plan.entry.code]
        outcomes = {_write_person(session, person, plan, register, now)}
        for area in plan.areas:
            outcomes.add(write_duty(session, person, (plan.entry, area), known[person.id], in_china(now).date()))
        if plan.entry.code in new:
            new.discard(plan.entry.code)
            outcomes.add(Outcome.ADDED)
        # Listed from the strongest to the weakest.
        count[next(outcome for outcome in Outcome if outcome in outcomes)] += 1
    session.flush()
    return ImportReport(count[Outcome.ADDED], count[Outcome.CHANGED], count[Outcome.UNCHANGED])


def _make_people(session: Session, entries: Sequence[Entry], register: Register, now: datetime) -> set[str]:
    """Makes those who are not there yet, before anything refers to them; returns their codes."""
    new = {entry.code for entry in entries} - register.people.keys()
    for code in dict.fromkeys(entry.code for entry in entries if entry.code in new):
        register.people[code] = Person(id=new_id(), code=code, name="", created_at=now)
        session.add(register.people[code])
    session.flush()
    return new


def _known_duties(plans: Sequence[_Plan], register: Register) -> dict[int, Known]:
    claimed: dict[int, set[tuple[str, int, date]]] = {person.id: set() for person in register.people.values()}
    for plan in plans:
        entry = plan.entry
        if entry.role is not None and entry.from_on is not None:
            of_person = claimed[register.people[entry.code].id]
            of_person.update((entry.role, area.id, entry.from_on) for area in plan.areas)
    return {key: Known(list(register.duties.get(key, ())), frozenset(days)) for key, days in claimed.items()}


def _write_person(session: Session, person: Person, plan: _Plan, register: Register, now: datetime) -> Outcome:
    """Name, number, account and home as the row says; what it leaves empty stays."""
    entry = plan.entry
    is_changed = False
    if entry.name and person.name != entry.name:
        person.name = entry.name
        is_changed = True
    if entry.phone and person.phone_hash != session.keyring.fingerprint(entry.phone):
        set_phone(session, person, entry.phone)
        is_changed = True
    account = register.accounts.get(entry.telegram)
    if entry.telegram and (account is None or account.person_id != person.id):
        register.accounts[entry.telegram] = link_account(
            session, person, channel=TELEGRAM_CHANNEL, external_id=entry.telegram, now=now
        )
        is_changed = True
    for home in plan.homes:
        if (person.id, home.id) not in register.homes:
            register.homes.add((person.id, home.id))
            session.add(Residence(community_id=home.community_id, person_id=person.id, area_id=home.id))
            is_changed = True
    return Outcome.CHANGED if is_changed else Outcome.UNCHANGED
