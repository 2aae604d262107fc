"""Which department stands for which duty: kept by staff, and never acted upon without them."""

from sqlalchemy import select

from core.colleagues import Colleague
from core.errors import Refused
from core.ids import new_id
from domain.duties import RESERVED
from storage.areas import Area
from storage.base import Session
from storage.colleagues import ColleagueRule
from storage.people import Role

__all__ = ["ColleagueRule", "add", "fits", "of_community", "remove"]

LONGEST = 200


def add(session: Session, area: Area, *, department: str, position: str, role: str) -> ColleagueRule:
    """Refused for a duty that only an administrator gives by hand, and for one that is there already."""
    if not department or len(department) > LONGEST:
        raise Refused("colleagues.department_missing")
    if role not in frozenset(Role) - RESERVED:
        raise Refused("people.role_unknown" if role not in frozenset(Role) else "colleagues.role_reserved")
    made = ColleagueRule(
        id=new_id(),
        community_id=area.community_id,
        department=department,
        position=position[:LONGEST],
        role=role,
        area_id=area.id,
    )
    for rule, _ in of_community(session, made.community_id):
        if (rule.department, rule.position, rule.role, rule.area_id) == (department, made.position, role, area.id):
            raise Refused("colleagues.rule_twice")
    session.add(made)
    session.flush()
    return made


def of_community(session: Session, community_id: int) -> list[tuple[ColleagueRule, Area]]:
    """By department, with their areas; those of areas that are gone are left out."""
    query = (
        select(ColleagueRule, Area)
        .join(Area, Area.id == ColleagueRule.area_id)
        .where(ColleagueRule.community_id == community_id, Area.removed_at.is_(None))
        .order_by(ColleagueRule.department, ColleagueRule.position, ColleagueRule.id)
    )
    return [(rule, area) for rule, area in session.execute(query)]


def remove(session: Session, community_id: int, rule_id: int) -> ColleagueRule:
    """Duties that were given by it stay."""
    rule = session.get(ColleagueRule, rule_id)
    if rule is None or rule.community_id != community_id:
        raise Refused("colleagues.rule_not_found")
    session.delete(rule)
    session.flush()
    return rule


def fits(rule: ColleagueRule, colleague: Colleague) -> bool:
    return rule.department in colleague.departments and rule.position in colleague.position
