"""A matter that came by telephone or at the door, as staff enter it: who reported it, and what must be decided before it is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from core.clock import in_china
from core.errors import Refused
from core.ids import new_id
from core.messages import Urgency
from core.texts import say
from domain import access, accounts, people, roster
from domain.cases import opening, telling, words
from domain.cases.desk import SOURCE_NAMES
from domain.cases.opening import Matter
from storage.areas import Area
from storage.base import Session
from storage.cases import Case
from storage.people import Person

SHORTEST_TEXT = 2


class Who(StrEnum):
    """Whose a telephone number is, where another name is known for it."""

    UNSAID = ""
    KNOWN = "known"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """What was typed. Name and telephone may be empty; `who` decides what `Asked` asked."""

    matter: Matter
    source: str
    name: str
    phone: str
    who: Who = Who.UNSAID


@dataclass(frozen=True, slots=True)
class Asked:
    """What staff must say first; nothing has been written. `known_as`: the number is this person's, who is called otherwise."""

    known_as: str


def enter(session: Session, entry: Entry, *, community_id: int, actor_id: int, now: datetime) -> Case | Asked:
    """The case that was opened, or what must be decided before."""
    matter = entry.matter
    if len(matter.text) < SHORTEST_TEXT:
        raise Refused("cases.need_text")
    area = session.get(Area, matter.area_id) if matter.area_id else None
    if area is None or area.community_id != community_id:
        raise Refused("cases.place_not_ours")
    is_desk = access.is_desk(session, actor_id, community_id, in_china(now).date())
    reporter = _reporter(session, entry, community_id=community_id if is_desk else None, now=now)
    if isinstance(reporter, Asked):
        return reporter
    if reporter is not None:
        session.add(reporter)
        session.flush()
    return _open(
        session,
        entry,
        reporter_id=reporter.id if reporter else None,
        community_id=community_id,
        actor_id=actor_id,
        now=now,
    )


def _open(
    session: Session, entry: Entry, *, reporter_id: int | None, community_id: int, actor_id: int, now: datetime
) -> Case:
    case = opening.open_case(
        session,
        entry.matter,
        community_id=community_id,
        chat=None,
        reporter_id=reporter_id,
        source=entry.source if entry.source in SOURCE_NAMES else "telephone",
        actor_id=actor_id,
        now=now,
    )
    if case.urgency == Urgency.EMERGENCY:
        what, place = words.what_for_staff(case), words.place_for_staff(session, case)
        push = say("cases.emergency_push", number=case.number, what=what, place=place)
        telling.to_desk(session, case, push, now=now)
    accounts.audit(
        session, person_id=actor_id, act="case.open", subject=str(case.id), community_id=community_id, now=now
    )
    session.flush()
    return case


def _reporter(session: Session, entry: Entry, *, community_id: int | None, now: datetime) -> Person | Asked | None:
    """Who it was; somebody new is not in the session yet. None when nothing was said.

    A number alone is enough for the desk, which sees the register: for it alone `community_id` is given, and nobody else learns
    from a number whose it is. Several people may have one telephone.
    """
    name = " ".join(entry.name.split())[: people.NAME_LENGTH]
    if not name and not entry.phone:
        return None
    made = Person(id=new_id(), name=name, created_at=now)
    people.set_phone(session, made, entry.phone)  # refuses what is no number
    known = _with_number(session, made)
    same = next((person for person in known if person.name == name), None)
    if same is not None or community_id is None:
        return same or made
    named = next((person for person in known if person.name and roster.belongs(session, community_id, person.id)), None)
    if named is None or entry.who == Who.OTHER:
        return made
    return named if not name or entry.who == Who.KNOWN else Asked(named.name)


def _with_number(session: Session, made: Person) -> Sequence[Person]:
    """Those who have this number, the registered first."""
    if made.phone_hash is None:
        return ()
    query = select(Person).where(Person.phone_hash == made.phone_hash, Person.erased_at.is_(None))
    return session.scalars(query.order_by(Person.code.is_(None), Person.id)).all()
