"""The tree of areas: who is above whom, what stands, how a place is called."""

from datetime import datetime

import pytest

from domain import areas
from storage.areas import AreaLevel
from storage.base import Session
from tests import builders


@pytest.fixture
def place(session: Session) -> builders.Place:
    return builders.community(session)


def test_above_runs_from_the_area_to_the_root(place: builders.Place) -> None:
    assert areas.above(place.building) == [place.building.id, place.grid.id, place.id]


def test_within_is_the_area_itself_and_what_lies_below(place: builders.Place) -> None:
    assert areas.is_within(place.building, place.grid)
    assert areas.is_within(place.grid, place.grid)
    assert not areas.is_within(place.grid, place.building)
    assert not areas.is_within(place.other_building, place.grid)


def test_household_is_called_by_its_building(session: Session, place: builders.Place) -> None:
    home = builders.area(session, "1单元101室", AreaLevel.HOUSEHOLD, place.building, place.id)
    assert areas.full_name(session, home) == "3号楼 1单元101室"
    assert areas.full_name(session, place.building) == "3号楼"


def test_areas_of_a_community_are_those_that_stand(session: Session, place: builders.Place, now: datetime) -> None:
    builders.community(session, "别的社区")
    place.other_grid.removed_at = now
    session.flush()
    names = [area.name for area in areas.of_community(session, place.id)]
    assert sorted(names) == sorted(["和谐社区", "第一网格", "3号楼", "8号楼"])
    assert [area.name for area in areas.of_community(session, place.id, levels=[AreaLevel.GRID])] == ["第一网格"]
    assert [each.name for each in areas.communities(session)] == ["和谐社区", "别的社区"]


def test_every_level_has_its_name() -> None:
    assert set(areas.LEVEL_NAMES) == set(AreaLevel)
