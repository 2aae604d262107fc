"""A matter that came by telephone or at the door, as staff enter it: who reported it, where it is, and whether it is open already."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from core.clock import in_china
from core.errors import Refused
from core.ids import new_id
from core.messages import Understanding, Urgency, Utterance
from core.privacy import mask_for_group
from core.texts import say
from domain import access, accounts, people, roster
from domain.cases import calls, joining, opening, placing, telling, words
from domain.cases.desk import SOURCE_NAMES
from domain.cases.life import STATE_NAMES, State
from domain.cases.opening import Matter
from nlp.places import NOWHERE
from nlp.understand import understand
from storage.base import Session
from storage.cases import Case
from storage.people import Person

SHORTEST_TEXT = 2
ANOTHER = "another"


class Who(StrEnum):
    """Whose a telephone number is, where another name is known for it."""

    UNSAID = ""
    KNOWN = "known"
    OTHER = "other"


class Danger(StrEnum):
    """Whether it is an emergency, where the words sound like one and something less was chosen."""

    UNSAID = ""
    YES = "emergency"
    NO = "as_chosen"


@dataclass(frozen=True, slots=True)
class Entry:
    """What was typed; the matter's area is the one chosen beside its place. Name and telephone may be empty. `who`, `same` and
    `danger` decide what `Asked` asked: `same` is the key of the open case that it is, or ANOTHER."""

    matter: Matter
    source: str
    name: str
    phone: str
    who: Who = Who.UNSAID
    same: str = ""
    danger: Danger = Danger.UNSAID


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case that this may be, as much of it as any group may read."""

    id: int
    number: str
    what: str
    text: str
    opened: str
    state: str
    count: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What staff must say first; nothing has been written. `known_as`: the number is this person's, who is called otherwise.
    `is_danger`: the words sound like an emergency."""

    known_as: str = ""
    same: OpenCase | None = None
    is_danger: bool = False


class Became(StrEnum):
    """What became of an entry: the end of the key of its words."""

    OPENED = "opened"
    JOINED = "joined"
    ADDED = "added"  # they were with that case already: more about it


@dataclass(frozen=True, slots=True)
class Entered:
    case: Case
    became: Became


def enter(session: Session, entry: Entry, *, community_id: int, actor_id: int, now: datetime) -> Entered | Asked:
    """The case that it was opened as, or has joined; or what must be decided before."""
    typed = entry.matter
    if len(typed.text) < SHORTEST_TEXT:
        raise Refused("cases.need_text")
    understood = understand(Utterance(typed.text, is_private=True, is_addressed=True), NOWHERE)
    entry = replace(entry, matter=_as_read(session, entry, understood, community_id=community_id))
    is_desk = access.is_desk(session, actor_id, community_id, in_china(now).date())
    reporter = _reporter(session, entry, community_id=community_id if is_desk else None, now=now)
    found = _open_already(session, entry.matter, community_id=community_id, now=now)
    is_asked = found is not None and entry.same not in (ANOTHER, str(found.id))
    sounds_dangerous = Urgency.EMERGENCY == understood.urgency != typed.urgency
    is_danger = entry.danger == Danger.UNSAID and sounds_dangerous
    if isinstance(reporter, Asked) or is_asked or is_danger:
        known_as = reporter.known_as if isinstance(reporter, Asked) else ""
        return Asked(known_as, _shown(found) if found is not None and is_asked else None, is_danger)
    if reporter is not None:
        session.add(reporter)
        session.flush()
    reporter_id = reporter.id if reporter else None
    if found is not None and entry.same == str(found.id):
        return _join(session, found, entry, reporter_id=reporter_id, actor_id=actor_id, now=now)
    if entry.same not in ("", ANOTHER):
        raise Refused("cases.join_gone")
    case = _open(session, entry, reporter_id=reporter_id, community_id=community_id, actor_id=actor_id, now=now)
    return Entered(case, Became.OPENED)


def _as_read(session: Session, entry: Entry, understood: Understanding, *, community_id: int) -> Matter:
    """The matter where its place is, and about what its words say, where no topic was chosen; a message is read no otherwise."""
    typed = entry.matter
    placed = placing.read(session, community_id, place=typed.place, text=typed.text, area_id=typed.area_id)
    return replace(
        typed,
        topic=typed.topic or understood.topic,
        urgency=Urgency.EMERGENCY if entry.danger == Danger.YES else typed.urgency,
        place=placed.words,
        area_id=placed.area_id,
        has_place=bool(placed.words),
        site=placed.site,
    )


def _open_already(session: Session, matter: Matter, *, community_id: int, now: datetime) -> Case | None:
    """The open case that tells of the same trouble at the same place."""
    key = joining.key_of(session, matter, community_id)
    return joining.same_thing(session, matter, key, now=now) if key else None


def _shown(case: Case) -> OpenCase:
    return OpenCase(
        case.id,
        case.number,
        words.what(case),
        words.short(mask_for_group(case.text)),
        words.moment(case.opened_at),
        STATE_NAMES[State(case.state)],
        words.joined_count(case) if case.joined else "",
    )


def _join(
    session: Session, case: Case, entry: Entry, *, reporter_id: int | None, actor_id: int, now: datetime
) -> Entered:
    """Puts the reporter beside the one whose case it is, and hands their words to its worker."""
    text, place, source = entry.matter.text, entry.matter.place, _source(entry)
    row = joining.join_by_staff(
        session, case, reporter_id, said=text, place=place, source=source, entered_by=actor_id, now=now
    )
    if row is None:
        opening.add_note(session, case, text, actor_id=actor_id, now=now, cause_id=None)
    else:
        telling.to_worker(session, case, say("cases.card_added", number=case.number, note=text), now=now)
    accounts.audit(
        session, person_id=actor_id, act="case.join", subject=str(case.id), community_id=case.community_id, now=now
    )
    session.flush()
    session.refresh(case)
    return Entered(case, Became.JOINED if row else Became.ADDED)


def _open(
    session: Session, entry: Entry, *, reporter_id: int | None, community_id: int, actor_id: int, now: datetime
) -> Case:
    case = opening.open_case(
        session,
        entry.matter,
        community_id=community_id,
        chat=None,
        reporter_id=reporter_id,
        source=_source(entry),
        actor_id=actor_id,
        now=now,
    )
    calls.push(session, case, now=now)
    accounts.audit(
        session, person_id=actor_id, act="case.open", subject=str(case.id), community_id=community_id, now=now
    )
    session.flush()
    return case


def _source(entry: Entry) -> str:
    return entry.source if entry.source in SOURCE_NAMES else "telephone"


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
