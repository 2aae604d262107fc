"""The moments that a recurrence names, and how a moment is moved out of the quiet hours."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from core.clock import CHINA
from domain.calendars import (
    LAST_YEAR,
    NO_OVERRIDES,
    ONE_DAY,
    Overrides,
    festival_dates,
    is_workday,
    is_workday_before_holiday,
    lunar_month_days,
    month_days,
    shift_workdays,
    to_lunar,
)
from domain.recurrence.rule import LAST, Pattern, Recurrence

# The longest gap of any rule is that of 腊八节, which can miss a solar year.
HORIZON_DAYS = 800
# A moved day can come from this far: 30 days, or five workdays across the longest holidays.
REACH_DAYS = 45


def next_after(rule: Recurrence, moment: datetime, overrides: Overrides = NO_OVERRIDES) -> datetime | None:
    """The first moment (UTC) of the rule strictly later than `moment`, or None when there is none any more."""
    local = moment.astimezone(CHINA)
    for day in _days(rule, local.date(), overrides):
        found = datetime.combine(day, rule.at, CHINA)
        if found > local:
            return found.astimezone(UTC)
    return None


def upcoming(
    rule: Recurrence, after: datetime, count: int, overrides: Overrides = NO_OVERRIDES
) -> tuple[datetime, ...]:
    """The next `count` moments (UTC), fewer when the rule ends before."""
    found: list[datetime] = []
    for _ in range(count):
        moment = next_after(rule, found[-1] if found else after, overrides)
        if moment is None:
            break
        found.append(moment)
    return tuple(found)


def out_of_quiet(moment: datetime, quiet_from: time, quiet_until: time) -> datetime:
    """The moment itself (UTC), or the end of the quiet hours it lies in; equal ends mean that no hour is quiet."""
    local = moment.astimezone(CHINA)
    clock = local.time()
    if quiet_from <= quiet_until:
        is_quiet = quiet_from <= clock < quiet_until
    else:
        is_quiet = clock >= quiet_from or clock < quiet_until
    if not is_quiet:
        return moment.astimezone(UTC)
    day = local.date() if clock < quiet_until else local.date() + ONE_DAY
    return datetime.combine(day, quiet_until, CHINA).astimezone(UTC)


def _days(rule: Recurrence, first: date, overrides: Overrides) -> Iterator[date]:
    """Days of the rule, moved as it says, never falling; they begin at or before `first`."""
    if rule.on is not None:
        yield rule.on
        return
    is_moved = rule.shift_days or rule.shift_workdays
    day = first - timedelta(days=REACH_DAYS) if is_moved else first
    falls_on = FALLS_ON[rule.pattern]
    for _ in range(HORIZON_DAYS):
        # The last year is left out, so that a day moved forward still has a calendar.
        if day.year >= LAST_YEAR:
            return
        if falls_on(rule, day, overrides):
            yield _moved(rule, day, overrides)
        day += ONE_DAY


def _moved(rule: Recurrence, day: date, overrides: Overrides) -> date:
    if rule.shift_workdays:
        return shift_workdays(day, rule.shift_workdays, overrides)
    return day + timedelta(days=rule.shift_days)


def _falls_monthly(rule: Recurrence, day: date, _overrides: Overrides) -> bool:
    days = month_days(day.year, day.month)
    return any(day.day == (min(number, days) if number > 0 else max(days + 1 + number, 1)) for number in rule.numbers)


def _falls_on_digit(rule: Recurrence, day: date, _overrides: Overrides) -> bool:
    # 逢一 is the 1st, 11th and 21st: custom counts three days a month, so the 31st is none of them.
    return day.day <= 30 and any(day.day % 10 == number % 10 for number in rule.numbers)


def _falls_on_nth_weekday(rule: Recurrence, day: date, _overrides: Overrides) -> bool:
    if day.isoweekday() != rule.numbers[0]:
        return False
    is_last = day.day + 7 > month_days(day.year, day.month)
    return (day.day - 1) // 7 + 1 in rule.ordinals or (is_last and LAST in rule.ordinals)


def _falls_on_nth_workday(rule: Recurrence, day: date, overrides: Overrides) -> bool:
    if not is_workday(day, overrides):
        return False
    before = sum(is_workday(day.replace(day=number), overrides) for number in range(1, day.day))
    if before + 1 in rule.ordinals:
        return True
    rest = range(day.day + 1, month_days(day.year, day.month) + 1)
    return LAST in rule.ordinals and not any(is_workday(day.replace(day=number), overrides) for number in rest)


def _falls_yearly(rule: Recurrence, day: date, _overrides: Overrides) -> bool:
    month, number = rule.numbers
    return day.month == month and day.day == min(number, month_days(day.year, month))


def _falls_lunar_monthly(rule: Recurrence, day: date, _overrides: Overrides) -> bool:
    lunar = to_lunar(day)
    if lunar.day in rule.numbers:
        return True
    return lunar.day == 29 and 30 in rule.numbers and lunar_month_days(lunar) == 29


def _falls_lunar_yearly(rule: Recurrence, day: date, _overrides: Overrides) -> bool:
    month, number = rule.numbers
    lunar = to_lunar(day)
    if lunar.month != month or lunar.is_leap:
        return False
    return lunar.day == min(number, lunar_month_days(lunar))


FALLS_ON: Mapping[Pattern, Callable[[Recurrence, date, Overrides], bool]] = {
    Pattern.DAILY: lambda _rule, _day, _overrides: True,
    Pattern.WORKDAYS: lambda _rule, day, overrides: is_workday(day, overrides),
    Pattern.BEFORE_HOLIDAY: lambda _rule, day, overrides: is_workday_before_holiday(day, overrides),
    Pattern.WEEKLY: lambda rule, day, _overrides: day.isoweekday() in rule.numbers,
    Pattern.MONTHLY: _falls_monthly,
    Pattern.DIGITS: _falls_on_digit,
    Pattern.NTH_WEEKDAY: _falls_on_nth_weekday,
    Pattern.NTH_WORKDAY: _falls_on_nth_workday,
    Pattern.YEARLY: _falls_yearly,
    Pattern.LUNAR_MONTHLY: _falls_lunar_monthly,
    Pattern.LUNAR_YEARLY: _falls_lunar_yearly,
    Pattern.FESTIVAL: lambda rule, day, _overrides: day in festival_dates(rule.festival, day.year),
}
