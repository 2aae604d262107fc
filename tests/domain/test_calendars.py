"""The calendar: whole years of workdays against the published arrangements, lunar dates, festivals, working hours."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import CHINA
from domain.calendars import (
    FESTIVALS,
    LunarDate,
    add_hours_outside_nights,
    add_working_hours,
    festival_date,
    festival_dates,
    festival_name,
    has_holiday_data,
    is_holiday,
    is_workday,
    is_workday_before_holiday,
    leap_month,
    lunar_month_days,
    shift_workdays,
    to_lunar,
    to_solar,
    workday_before_holiday,
)

# The State Council's notices: first and last day of each holiday, and the weekend days worked for them (month, day).
HOLIDAYS = {
    2024: [
        ((1, 1), (1, 1)),
        ((2, 10), (2, 17)),
        ((4, 4), (4, 6)),
        ((5, 1), (5, 5)),
        ((6, 8), (6, 10)),
        ((9, 15), (9, 17)),
        ((10, 1), (10, 7)),
    ],
    2025: [
        ((1, 1), (1, 1)),
        ((1, 28), (2, 4)),
        ((4, 4), (4, 6)),
        ((5, 1), (5, 5)),
        ((5, 31), (6, 2)),
        ((10, 1), (10, 8)),
    ],
    2026: [
        ((1, 1), (1, 3)),
        ((2, 15), (2, 23)),
        ((4, 4), (4, 6)),
        ((5, 1), (5, 5)),
        ((6, 19), (6, 21)),
        ((9, 25), (9, 27)),
        ((10, 1), (10, 7)),
    ],
}
MAKE_UP = {
    2024: [(2, 4), (2, 18), (4, 7), (4, 28), (5, 11), (9, 14), (9, 29), (10, 12)],
    2025: [(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)],
    2026: [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)],
}
BEFORE_HOLIDAYS = {
    2024: [(2, 9), (4, 3), (4, 30), (6, 7), (9, 14), (9, 30), (12, 31)],
    2025: [(1, 27), (4, 3), (4, 30), (5, 30), (9, 30), (12, 31)],
    2026: [(2, 14), (4, 3), (4, 30), (6, 18), (9, 24), (9, 30), (12, 31)],
}


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=offset) for offset in range((date(year + 1, 1, 1) - first).days)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_workdays_of_a_whole_year_follow_the_arrangement(year: int) -> None:
    free = {
        day for first, last in HOLIDAYS[year] for day in days_of(year) if date(year, *first) <= day <= date(year, *last)
    }
    worked = {date(year, *day) for day in MAKE_UP[year]}
    expected = [day for day in days_of(year) if day in worked or (day.weekday() < 5 and day not in free)]
    assert [day for day in days_of(year) if is_workday(day)] == expected
    assert {day for day in days_of(year) if is_holiday(day)} == free


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_last_workdays_before_holidays_of_a_whole_year(year: int) -> None:
    found = [(day.month, day.day) for day in days_of(year) if is_workday_before_holiday(day)]
    assert found == BEFORE_HOLIDAYS[year]


def test_year_without_arrangement_has_the_days_fixed_by_law() -> None:
    free = [(day.month, day.day) for day in days_of(2027) if day.weekday() < 5 and not is_workday(day)]
    assert free == [(1, 1), (2, 5), (2, 8), (4, 5), (6, 9), (9, 15), (10, 1)]
    assert not any(is_workday(day) for day in days_of(2027) if day.weekday() >= 5)


def test_holiday_data_is_known_up_to_the_last_notice() -> None:
    assert [has_holiday_data(year) for year in (2024, 2025, 2026, 2035)] == [True, True, True, False]
    assert has_holiday_data(2035, {date(2035, 10, 1): False})
    assert not has_holiday_data(2035, {date(2035, 7, 1): False})


def test_override_wins_over_arrangement_and_week() -> None:
    typhoon, make_up, national_day = date(2026, 7, 15), date(2026, 5, 9), date(2026, 10, 1)
    overrides = {typhoon: False, make_up: False, national_day: True}
    assert [is_workday(day) for day in overrides] == [True, True, False]
    assert [is_workday(day, overrides) for day in overrides] == [False, False, True]
    # A free weekday is a holiday, a weekend day given back is only a weekend.
    assert [is_holiday(day, overrides) for day in overrides] == [True, False, False]
    assert is_workday_before_holiday(date(2026, 7, 14), overrides)


def test_workday_before_holiday_skips_the_weekend_and_takes_the_make_up_day() -> None:
    assert workday_before_holiday(date(2026, 2, 17)) == date(2026, 2, 14)
    assert workday_before_holiday(date(2025, 6, 2)) == date(2025, 5, 30)
    assert workday_before_holiday(date(2026, 10, 1), {date(2026, 9, 30): False}) == date(2026, 9, 29)


def test_shift_workdays_counts_both_ways() -> None:
    assert shift_workdays(date(2026, 9, 24), 1) == date(2026, 9, 28)
    assert shift_workdays(date(2026, 9, 28), -1) == date(2026, 9, 24)
    assert shift_workdays(date(2026, 9, 30), 3) == date(2026, 10, 10)
    assert shift_workdays(date(2026, 9, 30), 0) == date(2026, 9, 30)


def test_shift_workdays_stops_where_nothing_is_worked() -> None:
    closed = {date(2026, 1, 1) + timedelta(days=offset): False for offset in range(1000)}
    with pytest.raises(ValueError, match="no workday within 400 days"):
        shift_workdays(date(2026, 1, 1), 1, closed)
    assert not is_workday_before_holiday(date(2026, 1, 2), closed)


FESTIVAL_TABLE = [
    ("元旦", ["2024-01-01", "2025-01-01", "2026-01-01"]),
    ("腊八", ["2024-01-18", "2025-01-07", "2026-01-26"]),
    ("小年", ["2024-02-02", "2025-01-22", "2026-02-10"]),
    ("除夕", ["2024-02-09", "2025-01-28", "2026-02-16"]),
    ("春节", ["2024-02-10", "2025-01-29", "2026-02-17"]),
    ("元宵", ["2024-02-24", "2025-02-12", "2026-03-03"]),
    ("清明", ["2024-04-04", "2025-04-04", "2026-04-05"]),
    ("劳动节", ["2024-05-01", "2025-05-01", "2026-05-01"]),
    ("母亲节", ["2024-05-12", "2025-05-11", "2026-05-10"]),
    ("端午", ["2024-06-10", "2025-05-31", "2026-06-19"]),
    ("父亲节", ["2024-06-16", "2025-06-15", "2026-06-21"]),
    ("七夕", ["2024-08-10", "2025-08-29", "2026-08-19"]),
    ("中元节", ["2024-08-18", "2025-09-06", "2026-08-27"]),
    ("中秋", ["2024-09-17", "2025-10-06", "2026-09-25"]),
    ("国庆", ["2024-10-01", "2025-10-01", "2026-10-01"]),
    ("重阳", ["2024-10-11", "2025-10-29", "2026-10-18"]),
    ("立春", ["2024-02-04", "2025-02-03", "2026-02-04"]),
    ("冬至", ["2024-12-21", "2025-12-21", "2026-12-22"]),
]


@pytest.mark.parametrize(("name", "days"), FESTIVAL_TABLE)
def test_festival_falls_on_its_day(name: str, days: list[str]) -> None:
    assert [str(festival_date(name, year)) for year in (2024, 2025, 2026)] == days


def test_festival_of_the_twelfth_month_may_come_twice_or_never() -> None:
    assert festival_dates("腊八节", 2022) == (date(2022, 1, 10), date(2022, 12, 30))
    assert festival_dates("腊八节", 2023) == ()
    assert festival_date("腊八节", 2023) is None


def test_every_festival_has_its_days_in_every_year() -> None:
    for name in FESTIVALS:
        counts = {len(festival_dates(name, year)) for year in range(2000, 2100)}
        assert counts == ({0, 1, 2} if name == "腊八节" else {1}), name


def test_festival_names_are_known_by_their_other_names() -> None:
    assert [festival_name(words) for words in ("五一", "老人节", "大年三十", "春节", "泼水节")] == [
        "劳动节",
        "重阳节",
        "除夕",
        "春节",
        None,
    ]
    with pytest.raises(KeyError):
        festival_dates("泼水节", 2026)


LUNAR_TABLE = [
    (date(2026, 2, 16), LunarDate(2025, 12, 29)),
    (date(2026, 2, 17), LunarDate(2026, 1, 1)),
    (date(2025, 7, 24), LunarDate(2025, 6, 30)),
    (date(2025, 7, 25), LunarDate(2025, 6, 1, is_leap=True)),
    (date(2025, 8, 22), LunarDate(2025, 6, 29, is_leap=True)),
    (date(2025, 8, 23), LunarDate(2025, 7, 1)),
    (date(2023, 3, 22), LunarDate(2023, 2, 1, is_leap=True)),
    (date(2020, 5, 23), LunarDate(2020, 4, 1, is_leap=True)),
    (date(2033, 12, 22), LunarDate(2033, 11, 1, is_leap=True)),
    (date(2034, 1, 20), LunarDate(2033, 12, 1)),
    (date(2025, 1, 1), LunarDate(2024, 12, 2)),
]


@pytest.mark.parametrize(("day", "lunar"), LUNAR_TABLE)
def test_lunar_date_and_day_name_each_other(day: date, lunar: LunarDate) -> None:
    assert to_lunar(day) == lunar
    assert to_solar(lunar) == day


def test_leap_months_of_the_years() -> None:
    found = {year: leap_month(year) for year in range(2020, 2034) if leap_month(year)}
    assert found == {2020: 4, 2023: 2, 2025: 6, 2028: 5, 2031: 3, 2033: 11}


def test_lunar_month_has_29_or_30_days() -> None:
    assert lunar_month_days(LunarDate(2025, 6, 1)) == 30
    assert lunar_month_days(LunarDate(2025, 6, 1, is_leap=True)) == 29


@pytest.mark.parametrize(
    "lunar",
    [LunarDate(2026, 6, 1, is_leap=True), LunarDate(2025, 12, 30), LunarDate(2026, 13, 1), LunarDate(2300, 1, 1)],
)
def test_lunar_date_that_does_not_exist_is_an_error(lunar: LunarDate) -> None:
    with pytest.raises(ValueError, match="no "):
        to_solar(lunar)


def test_day_outside_the_lunar_calendar_is_an_error() -> None:
    with pytest.raises(ValueError, match="no lunar calendar for 1900"):
        to_lunar(date(1900, 12, 31))


@given(st.dates(date(1901, 1, 1), date(2199, 12, 31)))
def test_lunar_date_leads_back_to_its_day(day: date) -> None:
    assert to_solar(to_lunar(day)) == day


WORKING_HOURS = [
    # 2026-09-24 is a Thursday, the 25th to 27th are the Mid-Autumn holiday.
    ("2026-09-24 09:00", 2, "2026-09-24 11:00"),
    ("2026-09-24 11:00", 1, "2026-09-24 12:00"),
    ("2026-09-24 11:00", 1.5, "2026-09-24 14:30"),
    ("2026-09-24 12:30", 1, "2026-09-24 15:00"),
    ("2026-09-24 07:00", 7, "2026-09-24 18:00"),
    ("2026-09-24 17:00", 2, "2026-09-28 10:00"),
    ("2026-09-24 20:00", 0.25, "2026-09-28 09:15"),
    ("2026-09-30 17:30", 7, "2026-10-08 17:30"),
    # Saturday the 10th is a make-up workday.
    ("2026-10-09 17:00", 2, "2026-10-10 10:00"),
    ("2026-10-10 17:00", 2, "2026-10-12 10:00"),
    ("2026-02-14 16:00", 24, "2026-02-27 10:00"),
    ("2026-09-26 10:00", 0, "2026-09-26 10:00"),
]


@pytest.mark.parametrize(("start", "hours", "end"), WORKING_HOURS)
def test_working_hours_pass_only_at_work(start: str, hours: float, end: str) -> None:
    found = add_working_hours(at(start), hours)
    assert (found, found.tzinfo) == (at(end), UTC)


def test_working_hours_take_other_spans_and_overrides() -> None:
    spans = ((time(8), time(0)),)
    assert add_working_hours(at("2026-09-24 23:00"), 2, spans=spans) == at("2026-09-28 09:00")
    closed = {date(2026, 9, 28): False, date(2026, 9, 29): False}
    assert add_working_hours(at("2026-09-24 17:00"), 2, overrides=closed) == at("2026-09-30 10:00")


def test_working_hours_refuse_what_never_ends() -> None:
    with pytest.raises(ValueError, match="hours must not be negative"):
        add_working_hours(at("2026-09-24 17:00"), -1)
    with pytest.raises(ValueError, match="hours must not be negative"):
        add_working_hours(at("2026-09-24 17:00"), 1, spans=())
    closed = {day: False for year in (2026, 2027, 2028) for day in days_of(year)}
    with pytest.raises(ValueError, match="no time to count"):
        add_working_hours(at("2026-09-24 17:00"), 1, overrides=closed)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis wants naive bounds
QUARTERS = st.integers(0, 200).map(lambda quarters: quarters / 4)


@given(MOMENTS, QUARTERS, QUARTERS)
def test_working_hours_add_up(start: datetime, first: float, second: float) -> None:
    assert add_working_hours(add_working_hours(start, first), second) == add_working_hours(start, first + second)


NIGHTS = [
    ("2026-09-24 20:00", 1, "22:00", "07:00", "2026-09-24 21:00"),
    ("2026-09-24 21:00", 2, "22:00", "07:00", "2026-09-25 08:00"),
    ("2026-09-24 23:30", 1, "22:00", "07:00", "2026-09-25 08:00"),
    ("2026-09-24 03:00", 15, "22:00", "07:00", "2026-09-24 22:00"),
    ("2026-09-24 21:00", 3, "00:00", "06:00", "2026-09-25 00:00"),
    ("2026-09-24 21:00", 4, "00:00", "06:00", "2026-09-25 07:00"),
    ("2026-09-24 21:00", 4, "01:00", "05:00", "2026-09-25 01:00"),
    ("2026-09-24 21:00", 5, "01:00", "05:00", "2026-09-25 06:00"),
    ("2026-09-24 21:00", 2, "22:00", "00:00", "2026-09-25 01:00"),
    ("2026-09-24 21:00", 4, "08:00", "08:00", "2026-09-25 01:00"),
]


@pytest.mark.parametrize(("start", "hours", "night_from", "night_until", "end"), NIGHTS)
def test_hours_outside_nights_stop_at_night(
    start: str, hours: float, night_from: str, night_until: str, end: str
) -> None:
    found = add_hours_outside_nights(
        at(start), hours, night_from=time.fromisoformat(night_from), night_until=time.fromisoformat(night_until)
    )
    assert (found, found.tzinfo) == (at(end), UTC)
