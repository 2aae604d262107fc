"""Recurrences: what phrases mean, which moments they name through three whole years, and what is refused with which sentence."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from core.clock import CHINA
from core.errors import Refused
from core.texts import blanks_of, say, sentences
from domain.recurrence import Pattern, Recurrence, describe, next_after, out_of_quiet, parse_recurrence, upcoming

# A Saturday.
NOW = datetime(2026, 11, 21, 10, tzinfo=CHINA)

PHRASES = [
    ("每天 8:30", "每天 08:30", "11-22 08:30"),
    ("每天早上8点", "每天 08:00", "11-22 08:00"),
    ("每晚8点", "每天 20:00", "11-21 20:00"),
    ("每天中午", "每天 12:00", "11-21 12:00"),
    ("晚上七点每天", "每天 19:00", "11-21 19:00"),
    ("每日 20：00 推送", "每天 20:00", "11-21 20:00"),
    ("工作日 9:00", "工作日 09:00", "11-23 09:00"),
    ("每个工作日上午十点一刻", "工作日 10:15", "11-23 10:15"),
    ("每周五 15:00", "每周五 15:00", "11-27 15:00"),
    ("每周一三五", "每周一、三、五 09:00", "11-23 09:00"),
    ("每周135 7点", "每周一、三、五 07:00", "11-23 07:00"),
    ("每周一、三 18点半", "每周一、三 18:30", "11-23 18:30"),
    ("每周一 三 五", "每周一、三、五 09:00", "11-23 09:00"),
    ("每周一和周四", "每周一、四 09:00", "11-23 09:00"),
    ("每周三十点", "每周三 10:00", "11-25 10:00"),
    ("每周三十二点", "每周三 12:00", "11-25 12:00"),
    ("每周日晚8点半", "每周日 20:30", "11-22 20:30"),
    ("每星期五下午3点", "每周五 15:00", "11-27 15:00"),
    ("每個礼拜天", "每周日 09:00", "11-22 09:00"),
    # A mark that turns the writing direction is dropped.
    ("每周五\u202e", "每周五 09:00", "11-27 09:00"),
    ("周一至周五8点", "每周一、二、三、四、五 08:00", "11-23 08:00"),
    ("每周五到周一", "每周一、五、六、日 09:00", "11-22 09:00"),
    ("每周末上午", "每周六、日 09:00", "11-22 09:00"),
    ("每逢周五", "每周五 09:00", "11-27 09:00"),
    ("每月15日", "每月15日 09:00", "12-15 09:00"),
    ("每月十五号晚上8点", "每月15日 20:00", "12-15 20:00"),
    ("每月5 15 25日 10:00", "每月5日、15日、25日 10:00", "11-25 10:00"),
    ("每月15号和1号", "每月1日、15日 09:00", "12-01 09:00"),
    ("每月最后一天", "每月最后一天 09:00", "11-30 09:00"),
    ("每月底下午五点", "每月最后一天 17:00", "11-30 17:00"),
    ("每月倒数第三天", "每月倒数第三天 09:00", "11-28 09:00"),
    ("每月15日、最后一天", "每月15日、最后一天 09:00", "11-30 09:00"),
    ("每月25日前一个工作日", "每月25日前一个工作日 09:00", "11-24 09:00"),
    ("逢四", "逢四 09:00", "11-24 09:00"),
    ("逢五逢十", "逢五逢十 09:00", "11-25 09:00"),
    ("每月逢三六九 8:00", "逢三逢六逢九 08:00", "11-23 08:00"),
    ("每月最后一个周五", "每月最后一个周五 09:00", "11-27 09:00"),
    ("每月第一个周一", "每月第一个周一 09:00", "12-07 09:00"),
    ("每月第一、第三个周六 9点", "每月第一、第三个周六 09:00", "12-05 09:00"),
    ("每月第二个工作日", "每月第二个工作日 09:00", "12-02 09:00"),
    ("每月首个工作日", "每月第一个工作日 09:00", "12-01 09:00"),
    ("每月最后一个工作日", "每月最后一个工作日 09:00", "11-30 09:00"),
    ("农历初一十五", "农历每月初一、十五 09:00", "11-23 09:00"),
    ("初一十五八点", "农历每月初一、十五 08:00", "11-23 08:00"),
    ("農曆每月廿三", "农历每月廿三 09:00", "12-01 09:00"),
    ("农历八月十五", "农历八月十五 09:00", "2027-09-15 09:00"),
    ("八月初一", "农历八月初一 09:00", "2027-09-01 09:00"),
    ("正月十五 18:00", "农历正月十五 18:00", "2027-02-20 18:00"),
    ("腊月二十三", "农历腊月廿三 09:00", "2027-01-30 09:00"),
    ("中秋节", "中秋节 09:00", "2027-09-15 09:00"),
    ("每年中秋", "中秋节 09:00", "2027-09-15 09:00"),
    ("重阳节前一天", "重阳节前一天 09:00", "2027-10-07 09:00"),
    ("重阳节的前夕", "重阳节前一天 09:00", "2027-10-07 09:00"),
    ("春节前三天 10:00", "春节前三天 10:00", "2027-02-03 10:00"),
    ("国庆节前一个工作日", "国庆节前一个工作日 09:00", "2027-09-30 09:00"),
    ("春节后第一个工作日", "春节后一个工作日 09:00", "2027-02-09 09:00"),
    ("节假日前一个工作日", "节假日前一个工作日 09:00", "12-31 09:00"),
    ("放假前一天", "节假日前一个工作日 09:00", "12-31 09:00"),
    ("除夕", "除夕 09:00", "2027-02-05 09:00"),
    ("五一", "劳动节 09:00", "2027-05-01 09:00"),
    ("冬至当天", "冬至 09:00", "12-22 09:00"),
    ("每年3月5日", "每年3月5日 09:00", "2027-03-05 09:00"),
    ("2026-12-01 08:00", "2026-12-01 08:00", "12-01 08:00"),
    ("2026-12-01T08:00:00", "2026-12-01 08:00", "12-01 08:00"),
    ("2026年12月1日 下午三点三刻", "2026-12-01 15:45", "12-01 15:45"),
    ("二零二六年十二月一日八点零五分", "2026-12-01 08:05", "12-01 08:05"),
    ("12月1日 8点", "2026-12-01 08:00", "12-01 08:00"),
    ("8点 12月1日", "2026-12-01 08:00", "12-01 08:00"),
    ("１２/５　１５：３０", "2026-12-05 15:30", "12-05 15:30"),
    ("3月5日", "2027-03-05 09:00", "2027-03-05 09:00"),
    ("明年3月5日", "2027-03-05 09:00", "2027-03-05 09:00"),
    ("明天上午9点", "2026-11-22 09:00", "11-22 09:00"),
    ("今晚8点", "2026-11-21 20:00", "11-21 20:00"),
    ("明早七点", "2026-11-22 07:00", "11-22 07:00"),
    ("后天", "2026-11-23 09:00", "11-23 09:00"),
    ("大后天中午", "2026-11-24 12:00", "11-24 12:00"),
    ("三天后 9点", "2026-11-24 09:00", "11-24 09:00"),
    ("下周五下午三点", "2026-11-27 15:00", "11-27 15:00"),
    ("这周日", "2026-11-22 09:00", "11-22 09:00"),
    ("下下周一", "2026-11-30 09:00", "11-30 09:00"),
    ("本月30日", "2026-11-30 09:00", "11-30 09:00"),
    ("下月31日", "2026-12-31 09:00", "12-31 09:00"),
    ("下个月5号", "2026-12-05 09:00", "12-05 09:00"),
    ("半小时后", "2026-11-21 10:30", "11-21 10:30"),
    ("2小时后", "2026-11-21 12:00", "11-21 12:00"),
    ("45分钟后", "2026-11-21 10:45", "11-21 10:45"),
]


def china(text: str) -> datetime:
    """11-24 09:00 of the year of NOW, or with a year of its own."""
    full = text if len(text) > len("11-24 09:00") else f"{NOW.year}-{text}"
    return datetime.fromisoformat(full).replace(tzinfo=CHINA)


@pytest.mark.parametrize(("phrase", "canonical", "first"), PHRASES)
def test_phrase_is_read_and_named_and_comes_round(phrase: str, canonical: str, first: str) -> None:
    rule = parse_recurrence(phrase, now=NOW)
    assert (str(rule), next_after(rule, NOW)) == (canonical, china(first))
    # What is stored is read back without a clock.
    assert parse_recurrence(canonical) == rule


def test_default_time_is_nine() -> None:
    assert parse_recurrence("每周五") == Recurrence(Pattern.WEEKLY, time(9), numbers=(5,))


DESCRIPTIONS = [
    ("每天 8:30", "每天 08:30"),
    ("工作日", "每个工作日（含调休上班日）09:00"),
    ("每周一三五", "每周一、周三、周五 09:00"),
    ("每月15日", "每月 15 日 09:00"),
    ("每月最后一天", "每月最后一天 09:00"),
    ("每月31日", "每月 31 日（没有这一天的月份改在最后一天）09:00"),
    ("逢四", "每月 4、14、24 日（逢四）09:00"),
    ("逢一", "每月 1、11、21 日（逢一）09:00"),
    ("每月最后一个周五", "每月最后一个周五 09:00"),
    ("每月第二个工作日", "每月第二个工作日 09:00"),
    ("初一十五", "农历每月初一、十五 09:00"),
    ("农历八月十五", "每年农历八月十五 09:00"),
    ("每年3月5日", "每年 3 月 5 日 09:00"),
    ("重阳节前一天", "每年重阳节的前一天 09:00"),
    ("节假日前一个工作日", "每个法定节假日前的最后一个工作日 09:00"),
    ("12月1日 8点", "2026 年 12 月 1 日（周二）08:00"),
]


@pytest.mark.parametrize(("phrase", "description"), DESCRIPTIONS)
def test_description_says_what_is_meant(phrase: str, description: str) -> None:
    assert describe(parse_recurrence(phrase, now=NOW)) == description


YEARS = [
    ("每月31日", 2026, "1-31 2-28 3-31 4-30 5-31 6-30 7-31 8-31 9-30 10-31 11-30 12-31"),
    ("每月最后一天", 2024, "1-31 2-29 3-31 4-30 5-31 6-30 7-31 8-31 9-30 10-31 11-30 12-31"),
    ("每月30日、31日", 2025, "1-30 1-31 2-28 3-30 3-31 4-30 5-30 5-31 6-30 7-30 7-31 8-30 8-31 9-30 10-30 10-31 11-30 12-30 12-31"),
    ("逢十", 2025, "1-10 1-20 1-30 2-10 2-20 3-10 3-20 3-30 4-10 4-20 4-30 5-10 5-20 5-30 6-10 6-20 6-30 7-10 7-20 7-30 8-10 8-20 8-30 "
     "9-10 9-20 9-30 10-10 10-20 10-30 11-10 11-20 11-30 12-10 12-20 12-30"),
    ("每月第一个周一", 2024, "1-1 2-5 3-4 4-1 5-6 6-3 7-1 8-5 9-2 10-7 11-4 12-2"),
    ("每月最后一个周五", 2025, "1-31 2-28 3-28 4-25 5-30 6-27 7-25 8-29 9-26 10-31 11-28 12-26"),
    ("每月第五个周六", 2026, "1-31 5-30 8-29 10-31"),
    ("每月第二个工作日", 2026, "1-5 2-3 3-3 4-2 5-7 6-2 7-2 8-4 9-2 10-9 11-3 12-2"),
    ("每月最后一个工作日", 2024, "1-31 2-29 3-29 4-30 5-31 6-28 7-31 8-30 9-30 10-31 11-29 12-31"),
    # The doubled sixth month has its own first and fifteenth.
    ("农历初一十五", 2025, "1-14 1-29 2-12 2-28 3-14 3-29 4-12 4-28 5-12 5-27 6-10 6-25 7-9 7-25 8-8 8-23 9-6 9-22 10-6 10-21 11-4 "
     "11-20 12-4 12-20"),
    # A yearly lunar date comes once, in the first of the two months.
    ("农历六月初一", 2025, "6-25"),
    ("农历二月初二", 2023, "2-21"),
    ("农历腊月三十", 2026, "2-16"),
    ("节假日前一个工作日", 2024, "2-9 4-3 4-30 6-7 9-14 9-30 12-31"),
    ("节假日前一个工作日", 2025, "1-27 4-3 4-30 5-30 9-30 12-31"),
    ("节假日前一个工作日", 2026, "2-14 4-3 4-30 6-18 9-24 9-30 12-31"),
    ("元旦前一天", 2025, "12-31"),
    ("春节前一个工作日", 2026, "2-14"),
    ("腊八节", 2022, "1-10 12-30"),
    ("腊八节", 2023, ""),
    ("每年2月29日", 2023, "2-28"),
    ("每年2月29日", 2024, "2-29"),
]  # fmt: skip


@pytest.mark.parametrize(("phrase", "year", "expected"), YEARS)
def test_recurrence_names_its_days_of_a_whole_year(phrase: str, year: int, expected: str) -> None:
    rule = parse_recurrence(phrase)
    moments = upcoming(rule, datetime(year, 1, 1, tzinfo=CHINA) - timedelta(seconds=1), 40)
    days = [moment.astimezone(CHINA) for moment in moments]
    assert " ".join(f"{day.month}-{day.day}" for day in days if day.year == year) == expected
    assert {day.time() for day in days} == {time(9)}


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_workday_rule_follows_make_up_days_through_a_year(year: int, count: int) -> None:
    moments = upcoming(parse_recurrence("工作日"), datetime(year, 1, 1, tzinfo=CHINA), 300)
    assert len([moment for moment in moments if moment.astimezone(CHINA).year == year]) == count


def test_workday_rule_obeys_overrides() -> None:
    rule = parse_recurrence("工作日")
    overrides = {date(2026, 11, 22): True, date(2026, 11, 23): False}
    assert upcoming(rule, NOW, 2, overrides) == (china("11-22 09:00"), china("11-24 09:00"))
    rule = parse_recurrence("每月25日前一个工作日")
    assert next_after(rule, NOW, {date(2026, 11, 24): False}) == china("11-23 09:00")


def test_next_moment_is_strictly_later_and_utc() -> None:
    rule = parse_recurrence("每天 9:00")
    found = next_after(rule, china("11-21 09:00"))
    assert found == china("11-22 09:00")
    assert found is not None
    assert found.tzinfo is UTC
    assert next_after(rule, china("11-21 08:59")) == china("11-21 09:00")
    # Half past midnight in China is still the day before in UTC.
    assert next_after(parse_recurrence("每月1日 0:30"), china("11-30 23:00")) == china("12-01 00:30")


def test_single_moment_is_over_when_it_has_passed() -> None:
    rule = parse_recurrence("2026-12-01 08:00")
    assert upcoming(rule, NOW, 5) == (china("12-01 08:00"),)
    assert next_after(rule, china("12-01 08:00")) is None
    assert [rule.is_once, parse_recurrence("每天").is_once] == [True, False]


def test_recurrence_ends_with_the_calendar() -> None:
    assert next_after(parse_recurrence("除夕前一天"), datetime(2198, 12, 1, tzinfo=CHINA)) is None


REFUSALS = [
    ("", "empty"),
    ("　 。", "empty"),
    ("abc", "not_understood"),
    ("每月", "not_understood"),
    ("农历", "not_understood"),
    ("每两周五", "not_understood"),
    ("隔周周五 9:00", "not_understood"),
    ("每月5日到10日", "not_understood"),
    ("每天前一天", "not_understood"),
    ("每天8:3", "not_understood"),
    ("昨天", "not_understood"),
    ("0分钟后", "not_understood"),
    ("每" * 70, "not_understood"),
    ("每月" + "1" * 55 + "x", "not_understood"),
    ("8点", "no_day"),
    ("早上", "no_day"),
    ("每天25:00", "bad_time"),
    ("每天8:60", "bad_time"),
    ("每天24点", "bad_time"),
    ("晚上3点", "bad_time"),
    ("上午13点", "bad_time"),
    ("明天凌晨", "bad_time"),
    ("每天8点和18点", "two_times"),
    ("每周八", "bad_weekday"),
    ("每周", "bad_weekday"),
    ("每周五和节假日", "bad_weekday"),
    ("每月32日", "bad_day"),
    ("每月0日", "bad_day"),
    ("每月倒数第三十天", "bad_day"),
    ("农历八月三十一", "bad_day"),
    ("每月第六个周一", "bad_ordinal"),
    ("每月第三十个工作日", "bad_ordinal"),
    ("逢十五", "bad_digit"),
    ("逢19号", "bad_digit"),
    ("逢日", "not_understood"),
    ("每周三天", "bad_weekday"),
    ("三农历2", "not_understood"),
    ("初一", "once_or_every"),
    ("2月30日", "bad_date"),
    ("2026-02-30", "bad_date"),
    ("1999-01-01", "bad_date"),
    ("每年13月1日", "bad_date"),
    ("农历十三月初一", "bad_date"),
    ("春节前0天", "bad_shift"),
    ("中秋节前四十天", "bad_shift"),
    ("中秋节前六个工作日", "bad_shift"),
    ("2025-01-01 08:00", "past"),
    ("今天8点", "past"),
    ("这周五", "past"),
    ("周五 15:00", "once_or_every"),
    ("这周末", "once_or_every"),
    ("15号", "once_or_every"),
    ("月底", "once_or_every"),
    ("八月十五", "lunar_or_solar"),
    ("泼水节", "unknown_festival"),
    ("泼水节前一天", "unknown_festival"),
    ("逢年过节", "unknown_festival"),
    ("闰六月初一", "leap_month"),
]


@pytest.mark.parametrize(("phrase", "name"), REFUSALS)
def test_wrong_phrase_is_refused_with_its_own_sentence(phrase: str, name: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_recurrence(phrase, now=NOW)
    assert refused.value.key == f"announcements.recurrence_{name}"
    # The sentence has exactly the blanks that the refusal fills.
    assert blanks_of(sentences()[refused.value.key]) == set(refused.value.blanks)
    assert say(refused.value.key, **refused.value.blanks).endswith("。")


@pytest.mark.parametrize("phrase", ["明天", "12月1日", "下周五", "半小时后", "本月30日", "明年3月5日"])
def test_relative_words_need_a_clock(phrase: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_recurrence(phrase)
    assert refused.value.key == "announcements.recurrence_absolute_date"


def test_every_refusal_sentence_is_used() -> None:
    keys = {key for key in sentences() if key.startswith("announcements.recurrence_")}
    used = {f"announcements.recurrence_{name}" for _, name in REFUSALS}
    assert keys == used | {"announcements.recurrence_absolute_date"}


QUIET = [
    ("11-21 12:00", "22:00", "07:00", "11-21 12:00"),
    ("11-21 22:00", "22:00", "07:00", "11-22 07:00"),
    ("11-21 23:30", "22:00", "07:00", "11-22 07:00"),
    ("11-21 06:59", "22:00", "07:00", "11-21 07:00"),
    ("11-21 07:00", "22:00", "07:00", "11-21 07:00"),
    ("11-21 12:30", "12:00", "14:00", "11-21 14:00"),
    ("11-21 11:59", "12:00", "14:00", "11-21 11:59"),
    ("11-21 23:30", "22:00", "00:00", "11-22 00:00"),
    ("11-21 00:00", "22:00", "00:00", "11-21 00:00"),
    ("11-21 08:00", "08:00", "08:00", "11-21 08:00"),
]


@pytest.mark.parametrize(("moment", "quiet_from", "quiet_until", "expected"), QUIET)
def test_quiet_hours_put_a_moment_off(moment: str, quiet_from: str, quiet_until: str, expected: str) -> None:
    found = out_of_quiet(china(moment), time.fromisoformat(quiet_from), time.fromisoformat(quiet_until))
    assert (found, found.tzinfo) == (china(expected), UTC)
