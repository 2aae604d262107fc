"""Pieces of the grammar: numbers in Chinese, the time of day in a phrase, and the tidy form of a phrase."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from core.errors import Refused
from domain.recurrence.rule import DEFAULT_TIME

DIGITS = "一二三四五六七八九"
# One number up to 99. Neighbours stay apart: 一三五 is three numbers, 十五二十五 is two. Atomic, so that a long row of figures is
# cut in one way only; else a phrase that fails at its end would be tried in millions.
NUMBER = rf"(?>\d{{1,2}}|[{DIGITS}]?十[{DIGITS}]?|廿[{DIGITS}]?|卅一?|[{DIGITS}两])"
SEPARATOR = "[、和及与]"
LONGEST_PHRASE = 60


def to_number(words: str) -> int:
    """The value of digits or of a Chinese number up to 99, or of single figures in a row (二零二六)."""
    if words.isdecimal():
        return int(words)
    words = words.replace("廿", "二十").replace("卅", "三十").replace("两", "二").replace("〇", "零")
    tens, ten, ones = words.rpartition("十")
    if ten:
        return 10 * (DIGITS.index(tens) + 1 if tens else 1) + (DIGITS.index(ones) + 1 if ones else 0)
    return int("".join(str("零一二三四五六七八九".index(figure)) for figure in words))


@dataclass(frozen=True, slots=True)
class Period:
    """A part of the day: which hour each spoken hour means in it, and the hour it stands for alone."""

    hours: Mapping[int, int]
    alone: int | None


def _same(first: int, last: int) -> dict[int, int]:
    return {hour: hour for hour in range(first, last + 1)}


def _later(first: int, last: int) -> dict[int, int]:
    return {hour: hour + 12 for hour in range(first, last + 1)}


ANY_HOUR = _same(0, 23)
MORNING = _same(4, 12)
EVENING = _later(5, 11) | _same(17, 23)
PERIODS = {
    "凌晨": Period(_same(0, 6) | {12: 0}, None),
    "清晨": Period(MORNING, 7),
    "早上": Period(MORNING, 8),
    "早晨": Period(MORNING, 8),
    "上午": Period(MORNING, 9),
    "中午": Period(_same(11, 14) | _later(1, 2), 12),
    "下午": Period(_same(12, 19) | _later(1, 7), 15),
    "傍晚": Period(EVENING, 18),
    "晚上": Period(EVENING, 19),
    "夜里": Period(EVENING, None),
    "早": Period(MORNING, 8),
    "晚": Period(EVENING, 19),
}
# 每周三十点 is 周三, ten o'clock: an hour never takes the figure that 周, 逢 or 初 already has.
HOUR = rf"(?:\d{{1,2}}|(?<![周逢初])(?:二十[一二三四]?|十[{DIGITS}]?|[零〇两{DIGITS}]))"
MINUTE = rf"(?:\d{{1,2}}(?!\d)|[零〇]?[{DIGITS}]?十?[{DIGITS}]|[{DIGITS}]?十)(?![月日号天])"
CLOCK = re.compile(
    rf"(?P<period>{'|'.join(PERIODS)})? ?(?:(?<!\d)(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::00)?(?!\d)"
    rf"|(?P<spoken>{HOUR})[点时](?:钟|整)?(?:(?P<half>半)|(?P<quarter>[一三13])刻|(?P<minutes>{MINUTE})分?)?)"
)
PERIOD_ALONE = re.compile("|".join(PERIODS))


def tidy(text: str) -> str:
    """One form for what people write in many: half-width, simplified, 周 for 星期, 每天晚上 for 每晚."""
    words = unicodedata.normalize("NFKC", text).translate(
        str.maketrans("週點號農曆陰節後個時鐘兩", "周点号农历阴节后个时钟两")
    )
    words = "".join(letter for letter in words if letter.isprintable() or letter.isspace())
    words = re.sub(r"(?<=\d)T(?=\d)", " ", words)
    words = re.sub(r"[,;、]+", "、", re.sub(r"\s+", " ", words)).strip(" 、。.!")
    for pattern, replacement in REWRITES:
        words = re.sub(pattern, replacement, words)
    return words


REWRITES = (
    ("星期|礼拜", "周"),
    ("周天", "周日"),
    ("早晨|早间", "早上"),
    ("午后", "下午"),
    ("正午", "中午"),
    ("晚间", "晚上"),
    ("夜间", "夜里"),
    ("今日|今儿", "今天"),
    ("明日|明儿", "明天"),
    ("([今明])([早晚])上?", r"\1天\2上"),
    ("每个?([早晚])上?", r"每天\1上"),
    ("每个?(上午|中午|下午|傍晚)", r"每天\1"),
    ("首个", "第一个"),
    ("阴历|旧历", "农历"),
    (" ?(?:自动)?(?:发送|发布|推送|提醒|通知|播报|发)$", ""),
)


def take_time(words: str) -> tuple[str, time]:
    """The phrase without its time of day, and that time; 09:00 where it names none. Refused: two times, or none that exists."""
    found = list(CLOCK.finditer(words))
    if len(found) > 1:
        raise Refused("announcements.recurrence_two_times")
    if found:
        match = found[0]
        return words[: match.start()] + " " + words[match.end() :], _clock_time(match)
    alone = PERIOD_ALONE.search(words)
    if alone is None:
        return words, DEFAULT_TIME
    hour = PERIODS[alone.group()].alone
    if hour is None:
        raise Refused("announcements.recurrence_bad_time", time=alone.group())
    return words[: alone.start()] + " " + words[alone.end() :], time(hour)


def _clock_time(match: re.Match[str]) -> time:
    spoken = to_number(match["hour"] or match["spoken"])
    period = match["period"]
    hour = (PERIODS[period].hours if period else ANY_HOUR).get(spoken)
    if match["half"]:
        minute = 30
    elif match["quarter"]:
        minute = 15 * to_number(match["quarter"])
    else:
        minute = to_number((match["minute"] or match["minutes"] or "0").lstrip("零〇") or "0")
    if hour is None or minute > 59:
        raise Refused("announcements.recurrence_bad_time", time=match.group().strip())
    return time(hour, minute)


def tidy_day(words: str) -> str:
    """The phrase without blanks and particles; a blank between two numbers becomes a separator."""
    figure = rf"[\d十廿卅{DIGITS}]"
    words = re.sub(rf"(?<={figure}) +(?={figure})", "、", words.strip())
    return re.sub("^在|[ 的]|当[天日]$", "", words).strip("、")
