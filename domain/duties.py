"""Giving and ending duties by hand, and what of administrators nobody else may touch. Whose duty somebody has is domain/access.py."""

from datetime import date, timedelta

from sqlalchemy import or_, select

from core.errors import Refused
from core.ids import new_id
from storage.areas import Area
from storage.base import Session
from storage.people import Account, Duty, Person, Role

__all__ = ["Duty", "administrators", "check_may_touch", "duty_of", "end", "give", "is_administrator"]

# Who could take these could let himself in everywhere.
RESERVED = frozenset({Role.ADMINISTRATOR, Role.STREET_OFFICER})


def give(
    session: Session, person: Person, area: Area, role: str, *, from_on: date, until_on: date | None = None
) -> Duty:
    """A duty from a day until a day, both included. Refused when the same one goes on at that time."""
    if role not in frozenset(Role):
        raise Refused("people.role_unknown")
    if until_on is not None and until_on < from_on:
        raise Refused("people.duty_dates")
    same = select(Duty.id).where(
        Duty.person_id == person.id,
        Duty.role == role,
        Duty.area_id == area.id,
        Duty.from_on <= (until_on or date.max),
        or_(Duty.until_on.is_(None), Duty.until_on >= from_on),
    )
    if session.scalar(same.limit(1)) is not None:
        raise Refused("people.duty_twice")
    # One that was ended and begins anew on its old first day is the same row.
    old = session.scalars(
        select(Duty).where(
            Duty.person_id == person.id, Duty.role == role, Duty.area_id == area.id, Duty.from_on == from_on
        )
    ).one_or_none()
    duty = old or Duty(
        id=new_id(), community_id=area.community_id, person_id=person.id, area_id=area.id, role=role, from_on=from_on
    )
    duty.until_on = until_on
    session.add(duty)
    session.flush()
    return duty


def duty_of(session: Session, community_id: int, person_id: int, duty_id: int) -> Duty:
    """A duty of this person in this community; any other is refused like one that is not there."""
    duty = session.get(Duty, duty_id)
    if duty is None or duty.community_id != community_id or duty.person_id != person_id:
        raise Refused("people.duty_not_found")
    return duty


def end(session: Session, duty: Duty, *, last_day: date, today: date) -> None:
    """`last_day` is the last one; before the first day it means that the duty never begins. Somebody always administers."""
    if duty.role == Role.ADMINISTRATOR and last_day <= today and not _others_administer(session, duty, today):
        raise Refused("people.last_administrator")
    duty.until_on = max(last_day, duty.from_on - timedelta(days=1))
    session.flush()


def _others_administer(session: Session, duty: Duty, today: date) -> bool:
    others = select(Duty.id).where(
        Duty.role == Role.ADMINISTRATOR,
        Duty.id != duty.id,
        Duty.from_on <= today,
        or_(Duty.until_on.is_(None), Duty.until_on > today),
    )
    return session.scalar(others.limit(1)) is not None


def is_administrator(session: Session, person_id: int) -> bool:
    """Whether a person has a duty reserved for administrators to give, now or later."""
    query = select(Duty.id).where(Duty.person_id == person_id, Duty.role.in_(RESERVED))
    return session.scalar(query.limit(1)) is not None


def check_may_touch(session: Session, person_id: int, *, role: str = "", is_administrator_asking: bool) -> None:
    """Lets only an administrator change what lets administrators and street officers in."""
    if not is_administrator_asking and (role in RESERVED or is_administrator(session, person_id)):
        raise Refused("people.only_administrator")


def administrators(session: Session) -> frozenset[tuple[object, ...]]:
    """All reserved duties and the accounts behind them, to be compared before and after an import."""
    query = select(Duty.id, Duty.person_id, Duty.role, Duty.area_id, Duty.from_on, Duty.until_on)
    rows = [tuple(row) for row in session.execute(query.where(Duty.role.in_(RESERVED)))]
    keys = {row[1] for row in rows}
    accounts = select(Account.person_id, Account.channel, Account.external_id, Person.phone_hash, Person.name)
    joined = accounts.join(Person, Person.id == Account.person_id).where(Account.person_id.in_(keys))
    return frozenset([*rows, *(tuple(row) for row in session.execute(joined))])
