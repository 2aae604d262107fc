"""Clocks tell aware moments in UTC; a moved clock only goes forward."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.clock import CHINA, FixedClock, ShiftedClock, SystemClock, in_china

MOMENT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def test_system_clock_is_the_machines_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_shifted_clock_runs_on_from_where_it_was_put() -> None:
    clock = ShiftedClock(timedelta(days=1))
    clock.advance(timedelta(hours=8))
    clock.advance(timedelta())
    ahead = clock.now() - datetime.now(UTC)
    assert abs(ahead - timedelta(days=1, hours=8)) < timedelta(seconds=5)
    assert clock.now() <= clock.now()


def test_shifted_clock_never_goes_back() -> None:
    clock = ShiftedClock()
    with pytest.raises(ValueError, match="forward"):
        clock.advance(timedelta(microseconds=-1))
    assert clock.offset == timedelta()


def test_fixed_clock_stands_still_until_moved() -> None:
    clock = FixedClock(MOMENT.astimezone(timezone(timedelta(hours=8))))
    assert clock.now() == clock.now() == MOMENT
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(minutes=1))
    assert clock.now() == MOMENT + timedelta(minutes=1)


def test_in_china_is_the_same_moment_on_another_wall() -> None:
    there = in_china(MOMENT)
    assert there == MOMENT
    assert (there.tzinfo, there.hour, there.date().isoformat()) == (CHINA, 10, "2026-11-21")
    assert in_china(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)).date().isoformat() == "2027-01-01"
