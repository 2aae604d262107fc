"""Reads a recurrence from Chinese words: 每周一三五 18点半, 逢四, 农历初一十五, 重阳节前一天, 下周五下午三点.

A bounded grammar: a phrase is either read whole or refused with a sentence that says what to write instead.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from core.clock import CHINA
from core.errors import Refused
from domain.calendars import LAST_YEAR, festival_name
from domain.recurrence.rule import LAST, LUNAR_MONTHS, Pattern, Recurrence
from domain.recurrence.words import DIGITS, LONGEST_PHRASE, NUMBER, SEPARATOR, take_time, tidy, tidy_day, to_number

Reader = Callable[[str, datetime | None], Recurrence | None]

DAILY = re.compile("每天|每日|天天|日日")
WORKDAYS = re.compile("(?:每个?)?(?:工作日|上班日)(?:每天)?")
BEFORE_HOLIDAY = re.compile(
    "(?:每个?|每逢|所有)?(?:法定)?(?:节假日|节日|假期|长假|放假|节)之?前(?:最后)?(?:一|1)?个?(?:工作日|天)"
)
WEEKDAY = rf"[{DIGITS[:6]}日末1-9]"
WEEKDAY_LIST = re.compile(rf"{WEEKDAY}(?:{SEPARATOR}?{WEEKDAY})*")
WEEKDAY_RANGE = re.compile(rf"({WEEKDAY})[到至~-]({WEEKDAY})")
MONTH_DAY = rf"最后一?[天日]|月?[底末]|倒数第(?P<back>{NUMBER})[天日]|(?P<day>{NUMBER})[日号]?"
MONTH_DAYS = re.compile(re.sub(r"\?P<\w+>", "?:", f"(?:{MONTH_DAY})(?:{SEPARATOR}?(?:{MONTH_DAY}))*"))
ORDINAL = rf"最后一?|倒数第一|第?{NUMBER}"
NTH = re.compile(rf"(?P<ordinals>(?:{ORDINAL})(?:个?{SEPARATOR}(?:{ORDINAL}))*)个?(?:周(?P<weekday>{WEEKDAY})|工作日)")
LUNAR_FIRST = rf"初(?>10|十|\d|[{DIGITS}])"
LUNAR_DAY = rf"{LUNAR_FIRST}|{NUMBER}[日号]?"
LUNAR_DAYS = re.compile(f"(?:{LUNAR_DAY})(?:{SEPARATOR}?(?:{LUNAR_DAY}))*")
LUNAR_HEAD = re.compile("(?:每年|每逢|逢|每个?月|每)?(?P<named>农历)?(?:每年|每逢|每个?月|每)?")
LUNAR_DATE = re.compile(rf"(?P<month>正|冬|腊|{NUMBER})月(?P<day>{LUNAR_DAY})")
YEARLY = re.compile(rf"每年(?P<month>{NUMBER})[月/.-](?P<day>{NUMBER})[日号]?")
ONCE = re.compile(
    rf"(?:(?P<year>\d{{4}}|[零〇{DIGITS}]{{4}}|今年|明年)[年/.-]?)?(?P<month>{NUMBER})[月/.-](?P<day>{NUMBER})[日号]?"
)
BARE_LUNAR = re.compile(rf"[{DIGITS}十]+月[{DIGITS}十廿]+")
IN_MONTH = re.compile(rf"(?P<which>本|这个?|下个?)月(?P<day>{NUMBER})[日号]")
IN_WEEK = re.compile(rf"(?P<which>本|这个?|下个?|下下个?)周(?P<weekday>{WEEKDAY})")
IN_DAYS = re.compile(rf"({NUMBER})天[之以]?后")
IN_HOURS = re.compile(rf"(?P<count>半|{NUMBER}) ?个?(?P<unit>小时|钟头|分钟)[之以]?后")
DAY_NAMES = {"今天": 0, "明天": 1, "后天": 2, "大后天": 3}
ONCE_OR_EVERY = re.compile(rf"周{WEEKDAY}|{NUMBER}[日号]|月[底末]|{LUNAR_FIRST}")
SHIFT = re.compile(
    rf"(?P<base>.+?)(?:(?:之|以|提)?(?P<way>前|后)第?(?P<count>{NUMBER})个?(?P<unit>天|日|工作日)|(?P<eve>前夕))"
)
MOVABLE = {Pattern.FESTIVAL, Pattern.LUNAR_YEARLY, Pattern.LUNAR_MONTHLY, Pattern.YEARLY, Pattern.MONTHLY}
MOST_DAYS, MOST_WORKDAYS = 30, 5


def parse_recurrence(text: str, *, now: datetime | None = None) -> Recurrence:
    """The recurrence that the words name; Refused with what to write instead when they name none.

    Words such as 明天 or 12月1日 are counted from `now`; without it (reading canonical text back) only full dates are taken.
    With it, a single moment that is over is refused.
    """
    words = tidy(text)
    if not words:
        raise Refused("announcements.recurrence_empty")
    if len(words) > LONGEST_PHRASE:
        raise Refused("announcements.recurrence_not_understood", text=words[:20] + "……")
    local = now.astimezone(CHINA) if now else None
    if soon := IN_HOURS.fullmatch(words):
        return _in_hours(soon, local)
    rest, at = take_time(words)
    rest = tidy_day(rest)
    if not rest:
        raise Refused("announcements.recurrence_no_day", time=f"{at:%H:%M}")
    rule = _read(rest, local)
    if rule is None:
        raise Refused("announcements.recurrence_not_understood", text=words)
    rule = replace(rule, at=at)
    if rule.on and local and datetime.combine(rule.on, at, CHINA) <= local:
        raise Refused("announcements.recurrence_past", when=str(rule))
    return rule


def _read(words: str, now: datetime | None) -> Recurrence | None:
    for reader in READERS:
        rule = reader(words, now)
        if rule is not None:
            return rule
    return None


def _unique(numbers: Sequence[int]) -> tuple[int, ...]:
    """In the order of a month: 1, 15, …, and what is counted from its end last."""
    return tuple(sorted(set(numbers), key=lambda number: (number < 0, number)))


# ── days and weeks ───────────────────────────────────────────────────────────────────────────────────────────


def _read_daily(words: str, _now: datetime | None) -> Recurrence | None:
    if DAILY.fullmatch(words):
        return Recurrence(Pattern.DAILY)
    if WORKDAYS.fullmatch(words):
        return Recurrence(Pattern.WORKDAYS)
    if BEFORE_HOLIDAY.fullmatch(words):
        return Recurrence(Pattern.BEFORE_HOLIDAY)
    return None


def _weekday(figure: str) -> int:
    """1 to 7; Refused for 周八."""
    number = 7 if figure == "日" else to_number(figure)
    if number > 7:
        raise Refused("announcements.recurrence_bad_weekday", weekday=f"周{figure}")
    return number


def _read_weekly(words: str, _now: datetime | None) -> Recurrence | None:
    match = re.fullmatch("(?P<every>每逢?个?)?周(?P<days>.*)", words)
    if match is None:
        return None
    days = re.sub("[每周]", "", match["days"]).replace("末", "六日")
    spread = WEEKDAY_RANGE.fullmatch(days)
    if spread:
        first, last = _weekday(spread[1]), _weekday(spread[2])
        numbers = [(first + offset - 1) % 7 + 1 for offset in range((last - first) % 7 + 1)]
    elif WEEKDAY_LIST.fullmatch(days):
        numbers = [_weekday(figure) for figure in re.findall(WEEKDAY, days)]
    elif match["every"]:
        raise Refused("announcements.recurrence_bad_weekday", weekday=words)
    else:
        return None
    if not match["every"] and len(numbers) == 1:
        return None
    return Recurrence(Pattern.WEEKLY, numbers=_unique(numbers))


# ── months ───────────────────────────────────────────────────────────────────────────────────────────────────


def _read_monthly(words: str, _now: datetime | None) -> Recurrence | None:
    match = re.fullmatch("每个?月份?(?P<days>.+)", words)
    if match is None:
        return None
    days = match["days"].replace("每月", "")
    if MONTH_DAYS.fullmatch(days):
        items = list(re.finditer(MONTH_DAY, days))
        return Recurrence(Pattern.MONTHLY, numbers=_unique([_month_day(item) for item in items]))
    nth = NTH.fullmatch(days)
    if nth is None:
        return None
    weekday = nth["weekday"]
    most = 5 if weekday else 23
    ordinals = _unique([_ordinal(found, most) for found in re.findall(ORDINAL, nth["ordinals"])])
    if weekday:
        return Recurrence(Pattern.NTH_WEEKDAY, ordinals=ordinals, numbers=(_weekday(weekday),))
    return Recurrence(Pattern.NTH_WORKDAY, ordinals=ordinals)


def _month_day(item: re.Match[str]) -> int:
    written = item["day"] or item["back"]
    if written is None:
        return LAST
    number = to_number(written)
    if not 1 <= number <= (31 if item["day"] else 28):
        raise Refused("announcements.recurrence_bad_day", day=item.group(), most=31)
    return number if item["day"] else -number


def _ordinal(words: str, most: int) -> int:
    if words.startswith(("最后", "倒数")):
        return LAST
    number = to_number(words.removeprefix("第"))
    if not 1 <= number <= most:
        raise Refused("announcements.recurrence_bad_ordinal", ordinal=words, most=most)
    return number


def _read_digits(words: str, _now: datetime | None) -> Recurrence | None:
    match = re.fullmatch(rf"每?月?逢(?P<digits>[\d十零、和逢日号{DIGITS}]+)", words)
    if match is None:
        return None
    numbers: list[int] = []
    for part in filter(None, re.split("[、和逢日号]", match["digits"])):
        # 三六九 is three days; 十五 or 19 may be one day or two figures, so only rising ones that are no day are taken together.
        found = [to_number(figure) or 10 for figure in re.findall(rf"10|\d|[十零{DIGITS}]", part)]
        if found != sorted(set(found)) or (part.isdecimal() and 10 < int(part) <= 31):
            raise Refused("announcements.recurrence_bad_digit", digit=part)
        numbers += found
    return Recurrence(Pattern.DIGITS, numbers=_unique(numbers)) if numbers else None


# ── years, festivals, the lunar calendar ─────────────────────────────────────────────────────────────────────


def _read_festival(words: str, _now: datetime | None) -> Recurrence | None:
    bare = re.sub("^(?:每年|每个|每逢|每)", "", words)
    name = festival_name(bare) or festival_name(bare.removeprefix("农历"))
    if name:
        return Recurrence(Pattern.FESTIVAL, festival=name)
    if re.fullmatch(r"\D{1,6}节", bare) and not re.search("季节|节假|前|后", bare):
        raise Refused("announcements.recurrence_unknown_festival", festival=bare)
    return None


def _read_yearly(words: str, _now: datetime | None) -> Recurrence | None:
    match = YEARLY.fullmatch(words)
    if match is None:
        return None
    # A leap year, so that 2月29日 can be named.
    day = _date(2024, to_number(match["month"]), to_number(match["day"]), words)
    return Recurrence(Pattern.YEARLY, numbers=(day.month, day.day))


def _read_lunar(words: str, _now: datetime | None) -> Recurrence | None:
    head = LUNAR_HEAD.match(words)
    assert head is not None
    bare = words[head.end() :]
    if not (head["named"] or re.match("初|廿|正月|腊月|冬月|闰", bare) or re.search("月[初廿]", bare)):
        return None
    if "闰" in bare:
        raise Refused("announcements.recurrence_leap_month")
    if found := LUNAR_DATE.fullmatch(bare):
        name = found["month"]
        month = LUNAR_MONTHS.index(name) + 1 if name in "正冬腊" else to_number(name)
        if not 1 <= month <= 12:
            raise Refused("announcements.recurrence_bad_date", date=words)
        return Recurrence(Pattern.LUNAR_YEARLY, numbers=(month, _lunar_day(found["day"])))
    if LUNAR_DAYS.fullmatch(bare):
        days = [_lunar_day(item) for item in re.findall(LUNAR_DAY, bare)]
        if head.end() or len(days) > 1:
            return Recurrence(Pattern.LUNAR_MONTHLY, numbers=_unique(days))
    return None


def _lunar_day(words: str) -> int:
    number = to_number(words.strip("初日号"))
    if not 1 <= number <= 30:
        raise Refused("announcements.recurrence_bad_day", day=words, most=30)
    return number


def _read_shifted(words: str, now: datetime | None) -> Recurrence | None:
    match = SHIFT.fullmatch(words)
    if match is None:
        return None
    rule = _read(match["base"], now)
    if rule is None or rule.pattern not in MOVABLE:
        return None
    if match["eve"]:
        return replace(rule, shift_days=-1)
    count = to_number(match["count"])
    is_workdays = match["unit"] == "工作日"
    if not 1 <= count <= (MOST_WORKDAYS if is_workdays else MOST_DAYS):
        raise Refused("announcements.recurrence_bad_shift", days=MOST_DAYS, workdays=MOST_WORKDAYS)
    moved = count if match["way"] == "后" else -count
    return replace(rule, shift_workdays=moved) if is_workdays else replace(rule, shift_days=moved)


# ── one moment ───────────────────────────────────────────────────────────────────────────────────────────────


def _date(year: int, month: int, day: int, words: str) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise Refused("announcements.recurrence_bad_date", date=words) from None
    if not 2000 <= year < LAST_YEAR:
        raise Refused("announcements.recurrence_bad_date", date=words)
    return found


def _needed(now: datetime | None) -> datetime:
    if now is None:
        raise Refused("announcements.recurrence_absolute_date")
    return now


def _in_hours(match: re.Match[str], now: datetime | None) -> Recurrence:
    unit = 1 if match["unit"] == "分钟" else 60
    minutes = unit // 2 if match["count"] == "半" else unit * to_number(match["count"])
    if minutes == 0:
        raise Refused("announcements.recurrence_not_understood", text=match.group())
    # Seconds are dropped, so that the moment is one that canonical text can name.
    moment = _needed(now) + timedelta(minutes=minutes)
    return Recurrence(Pattern.ONCE, on=moment.date(), at=moment.time().replace(second=0, microsecond=0))


def _read_date(words: str, now: datetime | None) -> Recurrence | None:
    match = ONCE.fullmatch(words)
    if match is None:
        return None
    if match["year"] is None and BARE_LUNAR.fullmatch(words):
        raise Refused("announcements.recurrence_lunar_or_solar", text=words)
    month, day, named = to_number(match["month"]), to_number(match["day"]), match["year"]
    if named in ("今年", "明年"):
        on = _date(_needed(now).year + (named == "明年"), month, day, words)
    elif named:
        on = _date(to_number(named), month, day, words)
    else:
        today = _needed(now).date()
        on = _date(today.year, month, day, words)
        if on < today:
            on = _date(today.year + 1, month, day, words)
    return Recurrence(Pattern.ONCE, on=on)


def _read_relative(words: str, now: datetime | None) -> Recurrence | None:
    later = IN_DAYS.fullmatch(words)
    if later or words in DAY_NAMES:
        days = to_number(later[1]) if later else DAY_NAMES[words]
        return Recurrence(Pattern.ONCE, on=_needed(now).date() + timedelta(days=days))
    if week := IN_WEEK.fullmatch(words):
        if week["weekday"] == "末":
            raise Refused("announcements.recurrence_once_or_every", text=words)
        today = _needed(now).date()
        days = 7 * week["which"].count("下") + _weekday(week["weekday"]) - today.isoweekday()
        return Recurrence(Pattern.ONCE, on=today + timedelta(days=days))
    if month := IN_MONTH.fullmatch(words):
        today = _needed(now).date()
        years, index = divmod(today.month - 1 + ("下" in month["which"]), 12)
        return Recurrence(Pattern.ONCE, on=_date(today.year + years, index + 1, to_number(month["day"]), words))
    return None


def _read_doubtful(words: str, _now: datetime | None) -> Recurrence | None:
    if ONCE_OR_EVERY.fullmatch(words):
        raise Refused("announcements.recurrence_once_or_every", text=words)
    return None


# Order counts: 五一 is a festival before it is two figures, 重阳节前一天 a moved day before it is an unknown festival.
READERS: tuple[Reader, ...] = (
    _read_daily,
    _read_weekly,
    _read_monthly,
    _read_digits,
    _read_relative,
    _read_shifted,
    _read_festival,
    _read_yearly,
    _read_doubtful,
    _read_lunar,
    _read_date,
)
