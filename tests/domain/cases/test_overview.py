"""Who sees which cases: the rule for many at once is the rule for one."""

from datetime import datetime

import pytest

from core.clock import in_china
from core.messages import Kind
from domain import access
from domain.cases import overview
from domain.cases.overview import Filters
from storage.areas import AreaLevel
from storage.base import Session
from storage.people import Role
from tests import builders


@pytest.mark.parametrize("role", list(Role))
def test_what_a_list_shows_is_what_one_may_work_on(session: Session, now: datetime, role: Role) -> None:
    today = in_china(now).date()
    place, elsewhere = builders.community(session), builders.community(session, "幸福社区")
    places = [place.id, place.grid.id, place.building.id, place.other_building.id]
    people = [builders.person(session, f"{role}{key}", role, key) for key in places]
    cases = [
        builders.case(session, where, now, kind=kind, area_id=area)
        for kind in (Kind.REPORT, Kind.DISPUTE, Kind.WISH)
        for where, area in [*((place, key) for key in places), (elsewhere, elsewhere.building.id)]
    ]
    cases.append(builders.case(session, place, now))
    cases[-1].area_id = None
    session.flush()
    for person in people:
        sight = overview.sight_of(session, person.id, place.id, today)
        page = overview.page_of(session, sight, Filters(), number=1, now=now)
        allowed = {
            case.id for case in cases if case.community_id == place.id and access.may_work(session, person, case, today)
        }
        assert {row.id for row in page.rows} == allowed
        counts = overview.counts_of(session, sight, now=now)
        assert sum(counts.by_state.values()) == counts.active == len(allowed)


def test_signs_of_a_pattern_in_a_search_are_only_signs(session: Session, now: datetime) -> None:
    place = builders.community(session)
    odd = builders.case(session, place, now, text="水费涨了 100%_真的")
    builders.case(session, place, now, text="水费涨了 1000 元")
    clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
    sight = overview.sight_of(session, clerk.id, place.id, in_china(now).date())
    found = [
        [row.id for row in overview.page_of(session, sight, Filters(words=words), number=1, now=now).rows]
        for words in ("100%", "%_", "\\")
    ]
    assert found == [[odd.id], [odd.id], []]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("13号楼", {"plain", "wide", "spaced", "chinese", "by area"}),
        ("１３号楼", {"plain", "wide", "spaced", "chinese", "by area"}),
        ("13 号楼", {"plain", "wide", "spaced", "chinese", "by area"}),
        ("十三号楼", {"plain", "wide", "spaced", "chinese", "by area"}),
        ("13号楼 电梯", {"wide", "chinese"}),
        ("電梯", {"wide", "chinese"}),
        ("一 单元", {"plain"}),
        ("13 幢", set()),
        ("电梯 13 号楼", {"wide", "chinese"}),
        ("漏水 灯", set()),
        ("　", {"plain", "wide", "spaced", "chinese", "by area", "other"}),
    ],
)
def test_words_are_found_however_they_are_typed(session: Session, now: datetime, words: str, found: set[str]) -> None:
    place = builders.community(session)
    building = builders.area(session, "13号楼", AreaLevel.BUILDING, place.grid, place.id)
    texts = {
        "plain": "13号楼1单元漏水",
        "wide": "１３号楼电梯坏了",
        "spaced": "13 号楼 灯不亮",
        "chinese": "十三号楼电梯有异响",
        "by area": "咱们楼门口堆了垃圾",
        "other": "3号楼路灯不亮",
    }
    cases = {
        builders.case(
            session, place, now, text=text, where="", area_id=building.id if name in ("by area", "chinese") else None
        ).id: name
        for name, text in texts.items()
    }
    clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
    sight = overview.sight_of(session, clerk.id, place.id, in_china(now).date())
    page = overview.page_of(session, sight, Filters(words=words.strip()), number=1, now=now)
    assert {cases[row.id] for row in page.rows} == found
