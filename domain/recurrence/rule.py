"""The rule of a recurrence as data, its canonical text, and its description for people. Reading words is in grammar.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

DEFAULT_TIME = time(9)
NUMERALS = "零一二三四五六七八九十"
WEEKDAYS = "一二三四五六日"
LUNAR_MONTHS = ("正", "二", "三", "四", "五", "六", "七", "八", "九", "十", "冬", "腊")
LAST = -1


class Pattern(StrEnum):
    """Which days a recurrence names; the comment tells what `numbers` and `ordinals` hold."""

    ONCE = "once"  # `on`
    DAILY = "daily"
    WORKDAYS = "workdays"
    BEFORE_HOLIDAY = "before_holiday"  # the last workday before each legal holiday
    WEEKLY = "weekly"  # numbers: weekdays, 1 is Monday
    MONTHLY = "monthly"  # numbers: days; -1 is the last one, -2 the one before
    DIGITS = "digits"  # numbers: 逢四 is 4 (4th, 14th, 24th), 逢十 is 10
    NTH_WEEKDAY = "nth_weekday"  # ordinals: which ones, -1 is the last; numbers: the weekday
    NTH_WORKDAY = "nth_workday"  # ordinals
    YEARLY = "yearly"  # numbers: month, day
    LUNAR_MONTHLY = "lunar_monthly"  # numbers: days
    LUNAR_YEARLY = "lunar_yearly"  # numbers: month, day; never in the leap month
    FESTIVAL = "festival"  # `festival`


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Days and a time on the Chinese wall clock. `str` gives the canonical text, which parses back to an equal value.

    A day that a month does not have (31日, 农历三十) falls on its last day; 逢十 and 第五个周五 leave that month out.
    `shift_days` and `shift_workdays` move each day: -1 is the day or workday before.
    """

    pattern: Pattern
    at: time = DEFAULT_TIME
    numbers: tuple[int, ...] = ()
    ordinals: tuple[int, ...] = ()
    festival: str = ""
    on: date | None = None
    shift_days: int = 0
    shift_workdays: int = 0

    @property
    def is_once(self) -> bool:
        return self.pattern is Pattern.ONCE

    def __str__(self) -> str:
        return f"{DAY_TEXTS[self.pattern](self)}{_shift_text(self)} {self.at:%H:%M}"


def numeral(number: int) -> str:
    """A number up to 99 in Chinese: 15 → 十五."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else NUMERALS[tens] + "十"
    return head + (NUMERALS[ones] if ones or not tens else "")


def lunar_day(number: int) -> str:
    """初一, 十五, 廿三, 三十."""
    if number <= 10:
        return "初" + NUMERALS[number]
    return numeral(number).replace("二十", "廿") if 20 < number < 30 else numeral(number)


def _weekdays(rule: Recurrence) -> str:
    return "每周" + "、".join(WEEKDAYS[number - 1] for number in rule.numbers)


def _month_day(number: int) -> str:
    if number > 0:
        return f"{number}日"
    return "最后一天" if number == LAST else f"倒数第{numeral(-number)}天"


def _ordinals(rule: Recurrence) -> str:
    return "、".join("最后一" if number == LAST else f"第{numeral(number)}" for number in rule.ordinals)


def _lunar_date(rule: Recurrence) -> str:
    month, day = rule.numbers
    return f"农历{LUNAR_MONTHS[month - 1]}月{lunar_day(day)}"


DAY_TEXTS: Mapping[Pattern, Callable[[Recurrence], str]] = {
    Pattern.ONCE: lambda rule: f"{rule.on:%Y-%m-%d}",
    Pattern.DAILY: lambda _: "每天",
    Pattern.WORKDAYS: lambda _: "工作日",
    Pattern.BEFORE_HOLIDAY: lambda _: "节假日前一个工作日",
    Pattern.WEEKLY: _weekdays,
    Pattern.MONTHLY: lambda rule: "每月" + "、".join(_month_day(number) for number in rule.numbers),
    Pattern.DIGITS: lambda rule: "".join(f"逢{numeral(number)}" for number in rule.numbers),
    Pattern.NTH_WEEKDAY: lambda rule: f"每月{_ordinals(rule)}个周{WEEKDAYS[rule.numbers[0] - 1]}",
    Pattern.NTH_WORKDAY: lambda rule: f"每月{_ordinals(rule)}个工作日",
    Pattern.YEARLY: lambda rule: "每年{}月{}日".format(*rule.numbers),
    Pattern.LUNAR_MONTHLY: lambda rule: "农历每月" + "、".join(lunar_day(number) for number in rule.numbers),
    Pattern.LUNAR_YEARLY: _lunar_date,
    Pattern.FESTIVAL: lambda rule: rule.festival,
}


def _shift_text(rule: Recurrence) -> str:
    count, unit = (rule.shift_days, "天") if rule.shift_days else (rule.shift_workdays, "个工作日")
    if not count:
        return ""
    return f"{'前' if count < 0 else '后'}{numeral(abs(count))}{unit}"


def describe(rule: Recurrence) -> str:
    """What the rule means, for a person to confirm: 每月 4、14、24 日（逢四）09:00."""
    days = DESCRIPTIONS.get(rule.pattern, DAY_TEXTS[rule.pattern])(rule)
    shift = _shift_text(rule)
    gap = "" if days.endswith("）") else " "
    return f"{days}{'的' if shift else ''}{shift}{gap}{rule.at:%H:%M}"


def _describe_once(rule: Recurrence) -> str:
    assert rule.on is not None
    return f"{rule.on.year} 年 {rule.on.month} 月 {rule.on.day} 日（周{WEEKDAYS[rule.on.isoweekday() - 1]}）"


def _describe_monthly(rule: Recurrence) -> str:
    days = "、".join(f"{number} 日" if number > 0 else _month_day(number) for number in rule.numbers)
    gap = " " if rule.numbers[0] > 0 else ""
    note = "（没有这一天的月份改在最后一天）" if any(number > 28 for number in rule.numbers) else ""
    return f"每月{gap}{days}{note}"


def _describe_digits(rule: Recurrence) -> str:
    days = sorted(day for day in range(1, 31) if any(day % 10 == number % 10 for number in rule.numbers))
    return f"每月 {'、'.join(map(str, days))} 日（{DAY_TEXTS[Pattern.DIGITS](rule)}）"


DESCRIPTIONS: Mapping[Pattern, Callable[[Recurrence], str]] = {
    Pattern.ONCE: _describe_once,
    Pattern.WORKDAYS: lambda _: "每个工作日（含调休上班日）",
    Pattern.BEFORE_HOLIDAY: lambda _: "每个法定节假日前的最后一个工作日",
    Pattern.WEEKLY: lambda rule: "每" + "、".join(f"周{WEEKDAYS[number - 1]}" for number in rule.numbers),
    Pattern.MONTHLY: _describe_monthly,
    Pattern.DIGITS: _describe_digits,
    Pattern.YEARLY: lambda rule: "每年 {} 月 {} 日".format(*rule.numbers),
    Pattern.LUNAR_YEARLY: lambda rule: "每年" + _lunar_date(rule),
    Pattern.FESTIVAL: lambda rule: "每年" + rule.festival,
}
