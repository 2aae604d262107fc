"""The administrators of a community: the first one comes from the command line, because nobody could let them in otherwise."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import or_, select

from core.clock import in_china
from core.errors import Refused
from core.ids import new_id
from domain import accounts, areas
from domain.areas import Community
from storage.areas import Area
from storage.base import Session
from storage.people import Duty, Person, Role

__all__ = ["appoint", "community_named"]


def community_named(session: Session, name: str) -> Community:
    """The community of this name or code; with no name the only one there is."""
    known = areas.communities(session)
    if not known:
        raise Refused("administrators.no_community")
    if not name:
        if len(known) == 1:
            return known[0]
        raise Refused("administrators.which_community", names="、".join(each.name for each in known))
    codes = {area_id: code for area_id, code in session.execute(select(Area.id, Area.code)) if code == name}
    for community in known:
        if community.name == name or community.id in codes:
            return community
    raise Refused("administrators.unknown_community", name=name, names="、".join(each.name for each in known))


def appoint(session: Session, community: Community, name: str, *, now: datetime) -> Person:
    """Somebody of this name (or code) is an administrator of the community afterwards; who is one already stays one."""
    name = name.strip()
    if not name:
        raise Refused("administrators.name_missing")
    today = in_china(now).date()
    found = _with_duty_here(session, community, name, today)
    if len(found) > 1:
        raise Refused("administrators.several", name=name, count=len(found))
    person = found[0] if found else _new_person(session, name, now)
    if not _is_administrator(session, community, person, today):
        session.add(
            Duty(
                id=new_id(),
                community_id=community.id,
                person_id=person.id,
                area_id=community.id,
                role=Role.ADMINISTRATOR,
                from_on=today,
            )
        )
        session.flush()
        accounts.audit(
            session,
            person_id=None,
            act="administrator.appoint",
            now=now,
            community_id=community.id,
            subject=str(person.id),
        )
    return person


def _with_duty_here(session: Session, community: Community, name: str, today: date) -> Sequence[Person]:
    here = select(Duty.person_id).where(
        Duty.community_id == community.id, or_(Duty.until_on.is_(None), Duty.until_on >= today)
    )
    query = select(Person).where(
        or_(Person.name == name, Person.code == name), Person.erased_at.is_(None), Person.id.in_(here)
    )
    return session.scalars(query.order_by(Person.id)).all()


def _new_person(session: Session, name: str, now: datetime) -> Person:
    person = Person(id=new_id(), name=name, created_at=now)
    session.add(person)
    session.flush()
    return person


def _is_administrator(session: Session, community: Community, person: Person, today: date) -> bool:
    query = select(Duty.id).where(
        Duty.community_id == community.id,
        Duty.person_id == person.id,
        Duty.role == Role.ADMINISTRATOR,
        Duty.from_on <= today,
        or_(Duty.until_on.is_(None), Duty.until_on >= today),
    )
    return session.scalars(query.limit(1)).one_or_none() is not None
