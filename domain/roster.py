"""Who is in a community's register: the list with its search, one person with everything about them, and people entered by hand."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_, select

from core.errors import Refused
from core.ids import new_id
from domain.people import clean_phone, set_phone
from storage.areas import Area
from storage.base import Session
from storage.cases import Case
from storage.people import Account, Duty, Person, PrivateChat, Residence

__all__ = [
    "Listed",
    "Person",
    "PersonView",
    "PhoneTaken",
    "add",
    "belongs",
    "change",
    "check_phone",
    "people_of",
    "person_of",
    "view",
]

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list. `can_be_written_to` tells of a private chat open to the bot."""

    id: int
    code: str
    name: str
    duties: tuple[tuple[str, str], ...]  # (role, area)
    has_phone: bool
    can_be_written_to: bool
    is_erased: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person: duties with the names of their areas, accounts, homes, and what they reported here."""

    person: Person
    duties: tuple[tuple[Duty, str], ...]
    accounts: tuple[Account, ...]
    homes: tuple[str, ...]
    cases: int


def _belongs(community_id: int) -> ColumnElement[bool]:
    """Works, lives or has reported something here."""
    return or_(
        Person.id.in_(select(Duty.person_id).where(Duty.community_id == community_id)),
        Person.id.in_(select(Residence.person_id).where(Residence.community_id == community_id)),
        Person.id.in_(select(Case.reporter_id).where(Case.community_id == community_id)),
    )


def belongs(session: Session, community_id: int, person_id: int) -> bool:
    """Whether somebody works, lives or has reported something in this community, so that its desk may see them."""
    return session.scalar(select(Person.id).where(Person.id == person_id, _belongs(community_id))) is not None


def people_of(
    session: Session,
    community_id: int,
    *,
    today: date,
    words: str = "",
    role: str = "",
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[Listed], int]:
    """A page of the register and how many there are: those with duties first, then by name. `words` is a name, a code or a number."""
    conditions = [_belongs(community_id), Person.erased_at.is_(None)]
    is_on_duty = (
        select(Duty.id)
        .where(
            Duty.person_id == Person.id,
            Duty.community_id == community_id,
            Duty.from_on <= today,
            or_(Duty.until_on.is_(None), Duty.until_on >= today),
        )
        .correlate(Person)
    )
    if role:
        conditions.append(is_on_duty.where(Duty.role == role).exists())
    if words:
        conditions.append(_fits(session, words))
    total = session.scalar(select(func.count()).select_from(Person).where(*conditions)) or 0
    query = select(Person).where(*conditions).order_by(is_on_duty.exists().desc(), Person.name, Person.id)
    people = session.scalars(query.offset(offset).limit(limit)).all()
    return _listed(session, people, community_id, today), total


def _fits(session: Session, words: str) -> ColumnElement[bool]:
    plain = unicodedata.normalize("NFKC", words).strip()  # Ｗ０１ and W01 are one code to whoever types it
    named = [Person.name.contains(each, autoescape=True) for each in dict.fromkeys((words, plain)) if each]
    found = or_(*named, func.upper(Person.code) == plain.upper())
    phone = clean_phone(words)
    return or_(found, Person.phone_hash == session.keyring.fingerprint(phone)) if phone else found


def _listed(session: Session, people: Sequence[Person], community_id: int, today: date) -> list[Listed]:
    keys = [person.id for person in people]
    duties: dict[int, list[tuple[str, str]]] = {key: [] for key in keys}
    query = (
        select(Duty.person_id, Duty.role, Area.name)
        .join(Area, Area.id == Duty.area_id)
        .where(
            Duty.person_id.in_(keys),
            Duty.community_id == community_id,
            Duty.from_on <= today,
            or_(Duty.until_on.is_(None), Duty.until_on >= today),
        )
        .order_by(Duty.id)
    )
    for person_id, role, area in session.execute(query):
        duties[person_id].append((role, area))
    can = set(
        session.scalars(
            select(Account.person_id).where(Account.person_id.in_(keys), Account.private_chat == PrivateChat.OPEN)
        )
    )
    return [
        Listed(
            id=person.id,
            code=person.code or "",
            name=person.name,
            duties=tuple(duties[person.id]),
            has_phone=person.phone_sealed is not None,
            can_be_written_to=person.id in can,
            is_erased=person.erased_at is not None,
        )
        for person in people
    ]


def person_of(session: Session, community_id: int, person_id: int) -> Person:
    """Somebody who belongs to this community; anybody else is refused like one who is not there."""
    person = session.scalars(select(Person).where(Person.id == person_id, _belongs(community_id))).one_or_none()
    if person is None or person.erased_at is not None:
        raise Refused("people.not_found")
    return person


def view(session: Session, community_id: int, person_id: int) -> PersonView:
    """One person of this community as their page shows them; duties elsewhere are not shown."""
    person = person_of(session, community_id, person_id)
    duties = session.execute(
        select(Duty, Area.name)
        .join(Area, Area.id == Duty.area_id)
        .where(Duty.person_id == person.id, Duty.community_id == community_id)
        .order_by(Duty.until_on.is_not(None), Duty.from_on.desc(), Duty.id)
    )
    homes = session.scalars(
        select(Area.name)
        .join(Residence, Residence.area_id == Area.id)
        .where(Residence.person_id == person.id, Residence.community_id == community_id)
    )
    reported = select(func.count()).select_from(Case)
    return PersonView(
        person=person,
        duties=tuple((duty, name) for duty, name in duties),
        accounts=tuple(session.scalars(select(Account).where(Account.person_id == person.id).order_by(Account.id))),
        homes=tuple(homes),
        cases=session.scalar(reported.where(Case.reporter_id == person.id, Case.community_id == community_id)) or 0,
    )


def add(session: Session, *, code: str, name: str, phone: str, now: datetime) -> Person:
    """Somebody new in the register; belongs to no community before a duty is given."""
    if not code:
        raise Refused("people.code_missing")
    if session.scalar(select(Person.id).where(Person.code == code)) is not None:
        raise Refused("people.code_taken", code=code)
    person = Person(id=new_id(), code=code, name=_checked_name(name), created_at=now)
    set_phone(session, person, phone)
    session.add(person)
    session.flush()
    return person


class PhoneTaken(Refused):
    """`person_id` has this number already."""

    def __init__(self, names: str, person_id: int) -> None:
        super().__init__("people.phone_taken", names=names)
        self.person_id = person_id


def check_phone(session: Session, community_id: int, phone: str, *, but_id: int) -> None:
    """Refuses a number that somebody else of this community has: most of the time it is the same person once more.

    Families share a telephone: staff may keep it all the same, then this is not asked. The refusal tells whose it is.
    """
    digits = clean_phone(phone)
    if digits is None:
        return
    query = select(Person).where(
        Person.phone_hash == session.keyring.fingerprint(digits),
        Person.id != but_id,
        Person.erased_at.is_(None),
        _belongs(community_id),
    )
    found = session.scalars(query.order_by(Person.id)).all()
    if found:
        names = "、".join(f"{one.name or '（没有名字）'}{f'（{one.code}）' if one.code else ''}" for one in found)
        raise PhoneTaken(names, found[0].id)


def change(session: Session, person: Person, *, name: str, phone: str | None) -> None:
    """Another name; another number, or none when `phone` is empty. None leaves the number as it is."""
    person.name = _checked_name(name)
    if phone is not None:
        set_phone(session, person, phone)
    session.flush()


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused("people.name_missing", most=LONGEST_NAME)
    return name
