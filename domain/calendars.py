"""The Chinese calendar: workdays with 调休, festivals, lunar dates, and arithmetic in working hours.

Days are plain dates on the Chinese wall calendar. What staff enter by hand comes in as `overrides` (day → is it worked?) and
wins over everything. Nothing here reads a table or the clock. Repeated announcements are in domain/recurrence.
"""

import calendar
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from lunar_python import LunarYear
from lunar_python.util import HolidayUtil

from core.clock import CHINA
from core.errors import Refused

Overrides = Mapping[date, bool]
NO_OVERRIDES: Overrides = MappingProxyType({})
Spans = Sequence[tuple[time, time]]
OFFICE_HOURS: Spans = ((time(9), time(12)), (time(14), time(18)))

FIRST_YEAR, LAST_YEAR = 1901, 2199
ONE_DAY = timedelta(days=1)
# Only overrides that close a whole year get this far; then an error is better than a loop without end.
SEARCH_DAYS = 400
JULIAN_OF_ORDINAL_ZERO = 1721425

SOLAR_FESTIVALS = {
    "元旦": (1, 1), "学雷锋日": (3, 5), "妇女节": (3, 8), "植树节": (3, 12), "劳动节": (5, 1), "青年节": (5, 4), "护士节": (5, 12),
    "儿童节": (6, 1), "环境日": (6, 5), "建党节": (7, 1), "建军节": (8, 1), "教师节": (9, 10), "国庆节": (10, 1), "消防日": (11, 9),
    "宪法日": (12, 4), "志愿者日": (12, 5),
}  # fmt: skip
LUNAR_FESTIVALS = {
    "春节": (1, 1), "元宵节": (1, 15), "龙抬头": (2, 2), "端午节": (5, 5), "七夕": (7, 7), "中元节": (7, 15), "中秋节": (8, 15),
    "重阳节": (9, 9), "腊八节": (12, 8), "小年": (12, 23),
}  # fmt: skip
# Month, which one of them, weekday (1 is Monday).
WEEKDAY_FESTIVALS = {"母亲节": (5, 2, 7), "助残日": (5, 3, 7), "父亲节": (6, 3, 7)}
SOLAR_TERMS = (
    "小寒", "大寒", "立春", "雨水", "惊蛰", "春分", "清明节", "谷雨", "立夏", "小满", "芒种", "夏至", "小暑", "大暑", "立秋", "处暑",
    "白露", "秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至",
)  # fmt: skip
# The library's list of terms begins with 大雪 and 冬至 of the year before.
TERM_OFFSET = 2
FESTIVALS = (*SOLAR_FESTIVALS, *LUNAR_FESTIVALS, "除夕", *WEEKDAY_FESTIVALS, *SOLAR_TERMS)
ALIASES = {
    "元旦节": "元旦", "三八": "妇女节", "三八节": "妇女节", "三八妇女节": "妇女节", "五一": "劳动节", "五一节": "劳动节",
    "五一劳动节": "劳动节", "国际劳动节": "劳动节", "五四": "青年节", "五四青年节": "青年节", "六一": "儿童节", "六一节": "儿童节",
    "六一儿童节": "儿童节", "七一": "建党节", "七一建党节": "建党节", "八一": "建军节", "八一建军节": "建军节", "十一": "国庆节",
    "国庆": "国庆节", "十一国庆节": "国庆节", "雷锋日": "学雷锋日", "学雷锋纪念日": "学雷锋日", "世界环境日": "环境日",
    "消防宣传日": "消防日", "全国消防日": "消防日", "国家宪法日": "宪法日", "国际志愿者日": "志愿者日", "全国助残日": "助残日",
    "过年": "春节", "大年初一": "春节", "农历新年": "春节", "元宵": "元宵节", "二月二": "龙抬头", "端午": "端午节", "七夕节": "七夕",
    "中元": "中元节", "七月半": "中元节", "中秋": "中秋节", "重阳": "重阳节", "老人节": "重阳节", "腊八": "腊八节", "小年夜": "小年",
    "除夕夜": "除夕", "年三十": "除夕", "大年三十": "除夕", "大年夜": "除夕", "清明": "清明节", "冬至节": "冬至",
}  # fmt: skip
# Rest days by law since 2025, in every year, whatever the yearly arrangement adds: festival → number of days.
STATUTORY = {"元旦": 1, "除夕": 1, "春节": 3, "清明节": 1, "劳动节": 2, "端午节": 1, "中秋节": 1, "国庆节": 3}


@dataclass(frozen=True, slots=True, order=True)
class LunarDate:
    """A day of the lunar calendar; `is_leap` tells the leap month (闰六月) from the month before it (六月)."""

    year: int
    month: int
    day: int
    is_leap: bool = False


@dataclass(frozen=True, slots=True)
class LunarMonth:
    number: int
    is_leap: bool
    first: date
    days: int


def check_year(day: date) -> None:
    """Refuses a day or moment of a year that this calendar does not know: mistyped, most of the time."""
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise Refused("calendars.too_far", year=day.year)


# ── lunar dates ──────────────────────────────────────────────────────────────────────────────────────────────


def _from_julian(julian: float) -> date:
    return date.fromordinal(int(julian + 0.5) - JULIAN_OF_ORDINAL_ZERO)


@functools.cache
def lunar_months(year: int) -> tuple[LunarMonth, ...]:
    """The twelve or thirteen months of a lunar year, in order."""
    if not FIRST_YEAR - 1 <= year <= LAST_YEAR:
        raise ValueError(f"no lunar calendar for {year}")
    return tuple(
        LunarMonth(abs(month.getMonth()), month.isLeap(), _from_julian(month.getFirstJulianDay()), month.getDayCount())
        for month in LunarYear.fromYear(year).getMonthsInYear()
    )


@functools.lru_cache(maxsize=4096)
def to_lunar(day: date) -> LunarDate:
    """The lunar date of a day. ValueError outside 1901 to 2199."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"no lunar calendar for {day.year}")
    year = day.year if day >= lunar_months(day.year)[0].first else day.year - 1
    month = next(month for month in reversed(lunar_months(year)) if month.first <= day)
    return LunarDate(year, month.number, (day - month.first).days + 1, month.is_leap)


def to_solar(lunar: LunarDate) -> date:
    """The day of a lunar date. ValueError when that year has no such (leap) month or the month no such day."""
    for month in lunar_months(lunar.year):
        if (month.number, month.is_leap) == (lunar.month, lunar.is_leap) and 1 <= lunar.day <= month.days:
            return month.first + timedelta(days=lunar.day - 1)
    raise ValueError(f"no such lunar date: {lunar}")


def lunar_month_days(lunar: LunarDate) -> int:
    """29 or 30: how long the month of this lunar date is."""
    return next(
        month.days
        for month in lunar_months(lunar.year)
        if (month.number, month.is_leap) == (lunar.month, lunar.is_leap)
    )


def leap_month(year: int) -> int | None:
    """Which month of the lunar year is doubled, or None."""
    return next((month.number for month in lunar_months(year) if month.is_leap), None)


# ── festivals ────────────────────────────────────────────────────────────────────────────────────────────────


def festival_name(words: str) -> str | None:
    """The name we know a festival by (中秋 → 中秋节, 五一 → 劳动节), or None."""
    name = ALIASES.get(words, words)
    return name if name in FESTIVALS else None


@functools.cache
def _term_days(year: int) -> tuple[date, ...]:
    """The days of SOLAR_TERMS. The library computes a whole year in milliseconds, so all terms are taken at once."""
    julian_days = LunarYear.fromYear(year).getJieQiJulianDays()[TERM_OFFSET:]
    return tuple(_from_julian(julian) for julian in julian_days[: len(SOLAR_TERMS)])


@functools.cache
def festival_dates(name: str, year: int) -> tuple[date, ...]:
    """The days of a festival within a solar year: one, but 腊八节 may fall into it twice or not at all. KeyError for no festival."""
    known = festival_name(name)
    if known is None:
        raise KeyError(name)
    if known in SOLAR_FESTIVALS:
        return (date(year, *SOLAR_FESTIVALS[known]),)
    if known in WEEKDAY_FESTIVALS:
        month, ordinal, weekday = WEEKDAY_FESTIVALS[known]
        first = date(year, month, 1)
        return (first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (ordinal - 1)),)
    if known in SOLAR_TERMS:
        return (_term_days(year)[SOLAR_TERMS.index(known)],)
    if known == "除夕":
        return (to_solar(LunarDate(year, 1, 1)) - ONE_DAY,)
    found = (to_solar(LunarDate(lunar_year, *LUNAR_FESTIVALS[known])) for lunar_year in (year - 1, year))
    return tuple(day for day in found if day.year == year)


def festival_date(name: str, year: int) -> date | None:
    """The first day of that name in the solar year; None only where it misses the year (腊八节)."""
    return next(iter(festival_dates(name, year)), None)


# ── workdays ─────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def _arrangement(year: int) -> Mapping[date, bool]:
    """Days of a year that differ from the plain week: the published arrangement, or the days fixed by law while there is none."""
    known = {date.fromisoformat(item.getDay()): bool(item.isWork()) for item in HolidayUtil.getHolidays(year)}
    if date(year, 10, 1) in known:
        return known
    for name, length in STATUTORY.items():
        for first in festival_dates(name, year):
            known.update({first + timedelta(days=offset): False for offset in range(length)})
    return known


def has_holiday_data(year: int, overrides: Overrides = NO_OVERRIDES) -> bool:
    """Whether the arrangement of holidays and make-up workdays of this year is known (National Day stands in it every year)."""
    national_day = date(year, 10, 1)
    return national_day in overrides or bool(HolidayUtil.getHolidays(national_day.isoformat()))


def is_workday(day: date, overrides: Overrides = NO_OVERRIDES) -> bool:
    """Whether offices work on this day: by staff's entry, else by the arrangement (调休 included), else Monday to Friday."""
    entered = overrides.get(day)
    if entered is not None:
        return entered
    arranged = _arrangement(day.year).get(day)
    return day.weekday() < 5 if arranged is None else arranged


def is_holiday(day: date, overrides: Overrides = NO_OVERRIDES) -> bool:
    """A rest day that is more than a plain weekend: of a legal holiday, or a weekday that staff marked as free."""
    entered = overrides.get(day)
    if entered is True:
        return False
    return _arrangement(day.year).get(day) is False or (entered is False and day.weekday() < 5)


def shift_workdays(day: date, count: int, overrides: Overrides = NO_OVERRIDES) -> date:
    """The `count`-th workday strictly after `day`, or strictly before it when `count` is negative."""
    step = ONE_DAY if count > 0 else -ONE_DAY
    left = abs(count)
    idle = 0
    while left:
        day += step
        idle = 0 if is_workday(day, overrides) else idle + 1
        left -= idle == 0
        if idle > SEARCH_DAYS:
            raise ValueError(f"no workday within {SEARCH_DAYS} days")
    return day


def workday_before_holiday(holiday: date, overrides: Overrides = NO_OVERRIDES) -> date:
    """The last workday before this day."""
    return shift_workdays(holiday, -1, overrides)


def is_workday_before_holiday(day: date, overrides: Overrides = NO_OVERRIDES) -> bool:
    """Whether `day` is worked and the rest that begins on the morrow holds a legal holiday."""
    if not is_workday(day, overrides):
        return False
    for _ in range(SEARCH_DAYS):
        day += ONE_DAY
        if is_workday(day, overrides):
            return False
        if is_holiday(day, overrides):
            return True
    return False


def month_days(year: int, month: int) -> int:
    """How many days the month has."""
    return calendar.monthrange(year, month)[1]


# ── hours ────────────────────────────────────────────────────────────────────────────────────────────────────


def add_working_hours(
    start: datetime, hours: float, *, spans: Spans = OFFICE_HOURS, overrides: Overrides = NO_OVERRIDES
) -> datetime:
    """The moment (UTC) when `hours` of working time have passed since `start`. A span that ends at 00:00 ends at midnight."""
    return _add_hours(start, hours, spans, lambda day: is_workday(day, overrides))


def add_hours_outside_nights(
    start: datetime, hours: float, *, night_from: time = time(22), night_until: time = time(7)
) -> datetime:
    """The moment (UTC) when `hours` have passed since `start`, nights not counted; equal ends mean that no hour is night."""
    if night_from == night_until:
        return (start + timedelta(hours=hours)).astimezone(UTC)
    spans: Spans = ((time(), night_from), (night_until, time()))
    if night_from == time():
        spans = spans[1:]
    elif night_until == time():
        spans = spans[:1]
    elif night_from > night_until:
        spans = ((night_until, night_from),)
    return _add_hours(start, hours, spans, lambda _day: True)


def _add_hours(start: datetime, hours: float, spans: Spans, counts: Callable[[date], bool]) -> datetime:
    left = timedelta(hours=hours)
    if left < timedelta() or not spans:
        raise ValueError("hours must not be negative, and there must be a time to count")
    if not left:
        return start.astimezone(UTC)
    local = start.astimezone(CHINA)
    day, idle = local.date(), 0
    while idle <= SEARCH_DAYS:
        idle = 0 if counts(day) else idle + 1
        for opens, closes in spans if idle == 0 else ():
            begin = max(local, datetime.combine(day, opens, CHINA))
            end = datetime.combine(day if closes > opens else day + ONE_DAY, closes, CHINA)
            if begin + left <= end:
                return (begin + left).astimezone(UTC)
            left -= max(end - begin, timedelta())
        day += ONE_DAY
    raise ValueError(f"no time to count within {SEARCH_DAYS} days")
