"""The only way to fetch what is somebody's. A wrong key and a forbidden one answer alike."""

from datetime import date

from sqlalchemy import or_, select

from core.errors import Refused
from core.messages import Kind
from storage.areas import Area
from storage.base import Session
from storage.cases import Case
from storage.people import Duty, Person, Role

# Who works at the desk and sees the whole community; the others see what lies in their own areas.
DESK_ROLES = frozenset({Role.COMMUNITY_WORKER, Role.ADMINISTRATOR, Role.STREET_OFFICER})
# Who keeps the community's books (areas, people, groups, announcements); a street officer only looks at them.
CLERK_ROLES = DESK_ROLES - {Role.STREET_OFFICER}
FIELD_ROLES = frozenset({Role.GRID_WORKER, Role.MICRO_GRID_HEAD, Role.BUILDING_STEWARD, Role.MEDIATOR})
STAFF_ROLES = DESK_ROLES | FIELD_ROLES | {Role.SUPERVISOR}


def duties(session: Session, person_id: int, today: date) -> list[Duty]:
    """What a person is in charge of on this day."""
    query = select(Duty).where(
        Duty.person_id == person_id,
        Duty.from_on <= today,
        or_(Duty.until_on.is_(None), Duty.until_on >= today),
    )
    return list(session.scalars(query.order_by(Duty.rank, Duty.id)))


def roles(session: Session, person_id: int, community_id: int, today: date) -> set[Role]:
    return {Role(duty.role) for duty in duties(session, person_id, today) if duty.community_id == community_id}


def role_in(session: Session, person_id: int, community_id: int, today: date) -> Role | None:
    """As what somebody acts in this community: by the first of their duties there."""
    mine = (duty.role for duty in duties(session, person_id, today) if duty.community_id == community_id)
    return next(map(Role, mine), None)


def is_desk(session: Session, person_id: int, community_id: int, today: date) -> bool:
    """Whether a person works at this community's desk."""
    return bool(roles(session, person_id, community_id, today) & DESK_ROLES)


def may_work(session: Session, person: Person, case: Case, today: date) -> bool:
    """Whether a person may take steps on a case, and so see who reported it: its assignee, the desk, or of those in charge of its
    place whom `field_roles_for` names."""
    if case.assignee_id == person.id:
        return True
    mine = [duty for duty in duties(session, person.id, today) if duty.community_id == case.community_id]
    if any(duty.role in DESK_ROLES for duty in mine):
        return True
    allowed = field_roles_for(case)
    return any(duty.role in allowed and _covers(session, duty, case) for duty in mine)


def field_roles_for(case: Case) -> frozenset[Role]:
    """Who in charge of its place may see a case that somebody else has: of a private matter mediators alone, of a wish nobody."""
    if case.is_private:
        return frozenset({Role.MEDIATOR})
    return frozenset() if case.kind == Kind.WISH else FIELD_ROLES


def is_for_few(case: Case) -> bool:
    """Whether a case, its place and what is said of it are for those alone who work on it: a private matter, or a wish."""
    return field_roles_for(case) != FIELD_ROLES


def _covers(session: Session, duty: Duty, case: Case) -> bool:
    if case.area_id is None:
        return duty.area_id == case.community_id
    area = session.get(Area, case.area_id)
    return area is not None and f"/{duty.area_id}/" in area.path


def case_for(session: Session, person: Person, case_id: int, today: date) -> Case:
    """The case, if this person reported it or may work on it."""
    case = session.get(Case, case_id)
    if case is None or not (case.reporter_id == person.id or may_work(session, person, case, today)):
        raise Refused("cases.not_found")
    return case


def case_to_work(session: Session, person: Person, case_id: int, today: date) -> Case:
    """The case as staff see it: only for those who may take steps on it. It is locked until the end of a writing transaction."""
    case = session.get(Case, case_id, with_for_update=True)
    if case is None or not may_work(session, person, case, today):
        raise Refused("cases.not_found")
    return case
