"""Who may see and work on what. A wrong key and a forbidden one are refused alike."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from core.errors import Refused
from core.messages import Kind
from domain import access
from storage.base import Session
from storage.cases import Case
from storage.people import Person, Role
from tests import builders

TODAY = date(2026, 11, 21)


@dataclass
class Town:
    session: Session
    place: builders.Place
    now: datetime

    def somebody(self, role: Role | None = None, area_id: int | None = None) -> Person:
        return builders.person(self.session, "某人", role, area_id, community_id=self.place.id)

    def may_work(self, who: Person, case: Case, on: date = TODAY) -> bool:
        return access.may_work(self.session, who, case, on)


@pytest.fixture
def town(session: Session, now: datetime) -> Town:
    return Town(session, builders.community(session), now)


@pytest.mark.parametrize(
    ("role", "here", "private", "wish"),
    [
        (None, False, False, False),
        (Role.VOLUNTEER, False, False, False),
        (Role.SUPERVISOR, False, False, False),
        (Role.GRID_WORKER, True, False, False),
        (Role.MICRO_GRID_HEAD, True, False, False),
        (Role.BUILDING_STEWARD, True, False, False),
        (Role.MEDIATOR, True, True, False),
        (Role.COMMUNITY_WORKER, True, True, True),
        (Role.STREET_OFFICER, True, True, True),
        (Role.ADMINISTRATOR, True, True, True),
    ],
)
def test_work_goes_by_role_and_secrecy(town: Town, role: Role | None, here: bool, private: bool, wish: bool) -> None:
    who = town.somebody(role)
    public = builders.case(town.session, town.place, town.now)
    secret = builders.case(town.session, town.place, town.now, kind=Kind.DISPUTE)
    hoped = builders.case(town.session, town.place, town.now, kind=Kind.WISH, topic=None)
    for case in (public, secret, hoped):
        case.assignee_id = None
    assert [town.may_work(who, case) for case in (public, secret, hoped)] == [here, private, wish]


def test_a_wish_is_open_to_the_field_worker_who_has_it(town: Town) -> None:
    holder, other = (town.somebody(Role.GRID_WORKER, town.place.grid.id) for _ in range(2))
    wish = builders.case(town.session, town.place, town.now, kind=Kind.WISH, topic=None)
    wish.assignee_id = holder.id
    assert [town.may_work(who, wish) for who in (holder, other)] == [True, False]


def test_work_of_field_staff_ends_at_their_area(town: Town) -> None:
    here = town.somebody(Role.GRID_WORKER, town.place.grid.id)
    elsewhere = town.somebody(Role.GRID_WORKER, town.place.other_grid.id)
    case = builders.case(town.session, town.place, town.now)
    case.assignee_id = None
    assert (town.may_work(here, case), town.may_work(elsewhere, case)) == (True, False)
    case.area_id = None
    assert (town.may_work(here, case), town.may_work(elsewhere, case)) == (False, False)


def test_work_of_another_community_is_nobodys_here(town: Town) -> None:
    other = builders.community(town.session, "别的社区")
    clerk = builders.person(town.session, "外人", Role.COMMUNITY_WORKER, community_id=other.id)
    case = builders.case(town.session, town.place, town.now)
    assert not town.may_work(clerk, case)
    assert not access.is_desk(town.session, clerk.id, town.place.id, TODAY)
    assert access.is_desk(town.session, clerk.id, other.id, TODAY)


def test_work_stays_with_the_assignee_and_ends_with_the_duty(town: Town) -> None:
    worker = town.somebody(Role.GRID_WORKER, town.place.grid.id)
    case = builders.case(town.session, town.place, town.now)
    duty = access.duties(town.session, worker.id, TODAY)[0]
    duty.until_on = TODAY - timedelta(days=1)
    town.session.flush()
    assert access.duties(town.session, worker.id, TODAY) == []
    assert town.may_work(worker, case)
    case.assignee_id = None
    assert not town.may_work(worker, case)


def test_case_is_shown_to_its_reporter_who_may_not_work_on_it(town: Town) -> None:
    reporter = town.somebody()
    case = builders.case(town.session, town.place, town.now, reporter=reporter)
    assert access.case_for(town.session, reporter, case.id, TODAY) is case
    with pytest.raises(Refused) as forbidden:
        access.case_to_work(town.session, reporter, case.id, TODAY)
    with pytest.raises(Refused) as missing:
        access.case_to_work(town.session, reporter, case.id + 1, TODAY)
    assert forbidden.value.key == missing.value.key == "cases.not_found"


def test_case_of_a_stranger_is_refused_like_one_that_is_not_there(town: Town) -> None:
    stranger = town.somebody()
    case = builders.case(town.session, town.place, town.now)
    keys = []
    for key in (case.id, 1):
        with pytest.raises(Refused) as refused:
            access.case_for(town.session, stranger, key, TODAY)
        keys.append((refused.value.key, refused.value.blanks))
    assert keys[0] == keys[1]
