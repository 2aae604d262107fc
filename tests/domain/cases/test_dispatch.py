"""Who gets a case: the smallest area that has somebody, the role by kind, the head of topics, the desk at last."""

from dataclasses import dataclass
from datetime import date, datetime

import pytest

from core.messages import Kind
from domain.areas import above
from domain.cases import dispatch
from storage.areas import Area, AreaLevel
from storage.base import Session
from storage.people import Duty, Person, Role
from tests import builders

TODAY = date(2026, 11, 21)


@dataclass
class Town:
    session: Session
    place: builders.Place

    def worker(self, name: str, role: Role, area: Area | None = None, **columns: object) -> Person:
        who = builders.person(self.session, name)
        area_id = area.id if area else self.place.id
        duty = Duty(community_id=self.place.id, person_id=who.id, area_id=area_id, role=role, from_on=TODAY, rank=0)
        for name_, value in columns.items():
            setattr(duty, name_, value)
        self.session.add(duty)
        self.session.flush()
        return who

    def chosen(
        self,
        kind: Kind = Kind.REPORT,
        topic: str | None = "manhole",
        *,
        without: frozenset[int] = frozenset(),
        on: date = TODAY,
    ) -> int | None:
        self.session.memo.clear()
        duties = dispatch.roster(self.session, self.place.id, on)
        found = dispatch.choose(duties, above(self.place.building), kind=kind, topic=topic, without=without)
        return found.person_id if found else None


@pytest.fixture
def town(session: Session) -> Town:
    return Town(session, builders.community(session))


def test_smallest_area_goes_first(town: Town) -> None:
    town.worker("社区", Role.GRID_WORKER)
    town.worker("网格", Role.GRID_WORKER, town.place.grid)
    steward = town.worker("楼栋", Role.BUILDING_STEWARD, town.place.building)
    town.worker("别的网格", Role.GRID_WORKER, town.place.other_grid)
    assert town.chosen() == steward.id


def test_micro_grid_stands_between_grid_and_building(town: Town) -> None:
    micro = builders.area(town.session, "第一微网格", AreaLevel.MICRO_GRID, town.place.grid, town.place.id)
    town.place.building.path = f"{micro.path}{town.place.building.id}/"
    town.worker("网格", Role.GRID_WORKER, town.place.grid)
    head = town.worker("微网格", Role.MICRO_GRID_HEAD, micro)
    assert town.chosen() == head.id


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (Kind.REPORT, Role.GRID_WORKER),
        (Kind.REQUEST, Role.GRID_WORKER),
        (Kind.COMPLAINT, Role.MEDIATOR),
        (Kind.DISPUTE, Role.MEDIATOR),
        (Kind.QUESTION, Role.COMMUNITY_WORKER),
        (Kind.WISH, Role.COMMUNITY_WORKER),
        (Kind.PROPOSAL, Role.COMMUNITY_WORKER),
    ],
)
def test_role_goes_by_kind(town: Town, kind: Kind, role: Role) -> None:
    people = {one: town.worker(one, one) for one in (Role.GRID_WORKER, Role.MEDIATOR, Role.COMMUNITY_WORKER)}
    assert town.chosen(kind) == people[role].id


def test_every_kind_of_a_case_has_its_roles() -> None:
    assert set(dispatch.ROLES_BY_KIND) == set(Kind) - {Kind.CHATTER}


def test_head_of_topics_goes_before_who_takes_all(town: Town) -> None:
    town.worker("都管", Role.GRID_WORKER, town.place.grid)
    roads = town.worker("道路", Role.GRID_WORKER, town.place.grid, topic_head="道路与路灯", rank=5)
    assert town.chosen(topic="manhole") == roads.id


def test_head_of_other_topics_is_passed_over(town: Town) -> None:
    town.worker("道路", Role.GRID_WORKER, town.place.grid, topic_head="道路与路灯")
    everything = town.worker("都管", Role.GRID_WORKER, town.place.grid, rank=5)
    assert town.chosen(topic="lift") == everything.id
    assert town.chosen(topic=None) == everything.id


def test_smaller_rank_is_asked_first(town: Town) -> None:
    town.worker("第二", Role.GRID_WORKER, town.place.grid, rank=2)
    first = town.worker("第一", Role.GRID_WORKER, town.place.grid, rank=1)
    assert town.chosen() == first.id


def test_duty_counts_on_its_days_only(town: Town) -> None:
    worker = town.worker("临时", Role.GRID_WORKER, town.place.grid, from_on=date(2026, 11, 20), until_on=TODAY)
    days = [date(2026, 11, day) for day in (19, 20, 21, 22)]
    assert [town.chosen(on=day) for day in days] == [None, worker.id, worker.id, None]


def test_who_returned_it_is_not_asked_again(town: Town) -> None:
    first = town.worker("甲", Role.GRID_WORKER, town.place.grid)
    second = town.worker("乙", Role.GRID_WORKER, town.place.grid, rank=1)
    assert town.chosen(without=frozenset({first.id})) == second.id
    assert town.chosen(without=frozenset({first.id, second.id})) is None


def test_desk_is_the_last_resort(town: Town) -> None:
    assert town.chosen() is None
    admin = town.worker("管理员", Role.ADMINISTRATOR)
    assert town.chosen() == admin.id
    clerk = town.worker("社工", Role.COMMUNITY_WORKER)
    assert town.chosen() == clerk.id
    assert town.chosen(Kind.COMPLAINT) == clerk.id


def test_volunteers_and_supervisors_get_nothing(town: Town) -> None:
    town.worker("志愿者", Role.VOLUNTEER, town.place.building)
    town.worker("监督委员", Role.SUPERVISOR, town.place.building)
    assert town.chosen() is None


def test_case_without_a_place_goes_to_the_community(town: Town, now: datetime) -> None:
    town.worker("网格", Role.GRID_WORKER, town.place.grid)
    everywhere = town.worker("社区", Role.GRID_WORKER)
    case = builders.case(town.session, town.place, now, area_id=town.place.id, where="")
    assert case.assignee_id == everywhere.id
