"""Who gets a case: the worker on duty of the smallest area that has one, by kind and topic."""

from dataclasses import dataclass
from datetime import date
from typing import cast

from sqlalchemy import bindparam, or_, select

from core.messages import Kind, Urgency
from domain import areas, people
from domain.topics import topics
from storage.areas import Area
from storage.base import Session
from storage.cases import Case
from storage.people import Duty, Person, Role

# Kind → the roles that may get it, best first. Within one area the first role that somebody holds is asked.
FIELD = (Role.GRID_WORKER, Role.MICRO_GRID_HEAD, Role.BUILDING_STEWARD)
ROLES_BY_KIND: dict[Kind, tuple[Role, ...]] = {
    Kind.REPORT: FIELD,
    Kind.REQUEST: FIELD,
    Kind.COMPLAINT: (Role.MEDIATOR, Role.COMMUNITY_WORKER),
    Kind.DISPUTE: (Role.MEDIATOR, Role.COMMUNITY_WORKER),
    Kind.QUESTION: (Role.COMMUNITY_WORKER,),
    Kind.WISH: (Role.COMMUNITY_WORKER,),
    Kind.PROPOSAL: (Role.COMMUNITY_WORKER,),
}
# When nobody below has it: the desk.
LAST_RESORT = (Role.COMMUNITY_WORKER, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Roster:
    """A community's duties on one day, by area; read once and used for many cases."""

    by_area: dict[int, list[Duty]]


# Put together once: every batch with a case in it asks it.
TODAY = bindparam("today", type_=Duty.from_on.type)
ON_DUTY = (
    select(Duty)
    .where(
        Duty.community_id == bindparam("community_id"),
        Duty.from_on <= TODAY,
        or_(Duty.until_on.is_(None), Duty.until_on >= TODAY),
    )
    .order_by(Duty.rank, Duty.id)
)


def roster(session: Session, community_id: int, today: date) -> Roster:
    """Who is on duty where in a community today; looked up once in a transaction."""
    known = session.memo.get(("roster", community_id))
    if known is not None:
        return cast(Roster, known)
    by_area: dict[int, list[Duty]] = {}
    for duty in session.scalars(ON_DUTY, {"community_id": community_id, "today": today}):
        by_area.setdefault(duty.area_id, []).append(duty)
    people.note_people(session, {duty.person_id for duties in by_area.values() for duty in duties})
    found = session.memo["roster", community_id] = Roster(by_area)
    return found


def is_on_duty(session: Session, case: Case, today: date) -> bool:
    """Whether whoever has the case still has a duty in its community."""
    on_duty = roster(session, case.community_id, today).by_area.values()
    return any(duty.person_id == case.assignee_id for duties in on_duty for duty in duties)


def choose(
    duties: Roster, path: list[int], *, kind: Kind, topic: str | None, without: frozenset[int] = frozenset()
) -> Duty | None:
    """The duty whose holder gets the case. `path` are area keys from the smallest up; `without` are people who returned it."""
    known = topics().get(topic or "")
    head = known.head if known else None
    found = _nearest(duties, path, ROLES_BY_KIND[kind], head=head, without=without)
    return found or _nearest(duties, path, LAST_RESORT, head=head, without=without)


def _nearest(
    duties: Roster, path: list[int], wanted: tuple[Role, ...], *, head: str | None, without: frozenset[int]
) -> Duty | None:
    for area_id in path:
        here = duties.by_area.get(area_id, [])
        for role in wanted:
            holders = [duty for duty in here if duty.role == role and duty.person_id not in without]
            fitting = [duty for duty in holders if duty.topic_head in (None, head)]
            if fitting:
                # Somebody named for just this head of topics goes before one who takes all.
                return min(fitting, key=lambda duty: (duty.topic_head is None, duty.rank, duty.id))
    return None


def worker_for(session: Session, case: Case, today: date, *, without: frozenset[int] = frozenset()) -> Duty | None:
    """Who should have this case today."""
    area = session.recall(Area, case.area_id or case.community_id)
    assert area is not None  # a foreign key
    duties = roster(session, case.community_id, today)
    is_of_a_home = case.is_private and case.kind == Kind.REPORT and case.urgency != Urgency.EMERGENCY
    kind = Kind.DISPUTE if is_of_a_home else Kind(case.kind)
    return choose(duties, areas.above(area), kind=kind, topic=case.topic, without=without)


def served_by(session: Session, area_id: int, today: date) -> tuple[str, str] | None:
    """The area of whoever gets what is told of this one, and what to call them; None when nobody has a duty there."""
    area = session.recall(Area, area_id)
    if area is None:
        return None
    path = areas.above(area)
    community = next((each for each in areas.communities(session) if each.id in path), None)
    duty = choose(roster(session, community.id, today), path, kind=Kind.REPORT, topic=None) if community else None
    if duty is None:
        return None
    whose, person = session.recall(Area, duty.area_id), session.recall(Person, duty.person_id)
    assert whose is not None and person is not None  # foreign keys
    return whose.name, people.surname_title(person, duty.role)


def superior_for(session: Session, case: Case, today: date, *, without: frozenset[int] = frozenset()) -> Duty | None:
    """Who answers for what nobody below takes: the community's desk."""
    area = session.recall(Area, case.area_id or case.community_id)
    assert area is not None  # a foreign key
    known = topics().get(case.topic or "")
    head = known.head if known else None
    return _nearest(
        roster(session, case.community_id, today), areas.above(area), LAST_RESORT, head=head, without=without
    )
