"""Numbers that people read out: one row of counters, never one number twice. On both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from core.messages import Kind
from domain.numbers import PREFIXES, next_number
from storage.base import Session
from storage.database import Database
from tests import builders


def test_numbers_count_by_prefix_day_and_community(session: Session, now: datetime) -> None:
    here, there = builders.community(session), builders.community(session, "别的社区")
    tomorrow = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    given = [
        next_number(session, here.id, "BX", now=now),
        next_number(session, here.id, "BX", now=now),
        next_number(session, here.id, "XY", now=now),
        next_number(session, there.id, "BX", now=now),
        next_number(session, here.id, "BX", now=tomorrow),
    ]
    assert given == [
        *("BX-20261121-0001", "BX-20261121-0002", "XY-20261121-0001", "BX-20261121-0001"),
        "BX-20261122-0001",
    ]


def test_numbers_go_on_in_the_next_transaction_and_past_four_digits(database: Database, now: datetime) -> None:
    with database.writing() as session:
        place = builders.community(session)
        for _ in range(9999):
            next_number(session, place.id, "BX", now=now)
    with database.writing() as session:
        assert next_number(session, place.id, "BX", now=now) == "BX-20261121-10000"


def test_number_of_a_rolled_back_transaction_is_given_again(database: Database, now: datetime) -> None:
    with database.writing() as session:
        place = builders.community(session)
    try:
        with database.writing() as session:
            next_number(session, place.id, "BX", now=now)
            session.flush()
            raise KeyError("something else failed")
    except KeyError:
        pass
    with database.writing() as session:
        assert next_number(session, place.id, "BX", now=now) == "BX-20261121-0001"


def test_numbers_drawn_at_the_same_time_are_all_different(database: Database, now: datetime) -> None:
    with database.writing() as session:
        place = builders.community(session)

    def draw(_: int) -> list[str]:
        with database.writing() as session:
            return [next_number(session, place.id, "BX", now=now) for _ in range(5)]

    with ThreadPoolExecutor(4) as threads:
        drawn = [number for numbers in threads.map(draw, range(20)) for number in numbers]
    assert sorted(drawn) == [f"BX-20261121-{count:04d}" for count in range(1, 101)]


def test_every_kind_of_a_case_has_a_prefix_of_its_own() -> None:
    assert set(PREFIXES) == set(Kind) - {Kind.CHATTER}
    assert len(set(PREFIXES.values())) == len(PREFIXES)
