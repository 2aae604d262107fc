"""What holds for every recurrence: its text reads back, its moments rise and none is passed over; any text is read or refused."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import CHINA
from core.errors import Refused
from core.texts import say
from domain.calendars import FESTIVALS
from domain.recurrence import Pattern, Recurrence, next_after, parse_recurrence, upcoming

NOW = datetime(2026, 11, 21, 10, tzinfo=CHINA)


def numbers(least: int, most: int, size: int = 4) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(least, most), min_size=1, max_size=size).map(lambda found: tuple(sorted(found)))


TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
SHIFTS: st.SearchStrategy[dict[str, int]] = st.one_of(
    st.just({}),
    st.integers(-30, 30).map(lambda days: {"shift_days": days}),
    st.integers(-5, 5).map(lambda days: {"shift_workdays": days}),
)
PLAIN_RULES = st.one_of(
    st.builds(Recurrence, st.sampled_from([Pattern.DAILY, Pattern.WORKDAYS, Pattern.BEFORE_HOLIDAY]), TIMES),
    st.builds(Recurrence, st.just(Pattern.WEEKLY), TIMES, numbers(1, 7)),
    st.builds(Recurrence, st.just(Pattern.DIGITS), TIMES, numbers(1, 10)),
    st.builds(Recurrence, st.just(Pattern.NTH_WEEKDAY), TIMES, numbers(1, 7, 1), numbers(1, 5)),
    st.builds(Recurrence, st.just(Pattern.NTH_WORKDAY), TIMES, ordinals=st.one_of(numbers(1, 16), st.just((-1,)))),
)
MOVED_RULES = st.one_of(
    st.builds(lambda at, found, moved: Recurrence(Pattern.MONTHLY, at, found, **moved), TIMES, numbers(1, 31), SHIFTS),
    st.builds(lambda at, back, moved: Recurrence(Pattern.MONTHLY, at, (-back,), **moved), TIMES, st.integers(1, 28), SHIFTS),
    st.builds(lambda at, found, moved: Recurrence(Pattern.LUNAR_MONTHLY, at, found, **moved), TIMES, numbers(1, 30), SHIFTS),
    st.builds(
        lambda at, month, day, moved: Recurrence(Pattern.LUNAR_YEARLY, at, (month, day), **moved),
        TIMES, st.integers(1, 12), st.integers(1, 30), SHIFTS,
    ),
    st.builds(
        lambda at, day, moved: Recurrence(Pattern.YEARLY, at, (day.month, day.day), **moved),
        TIMES, st.dates(date(2024, 1, 1), date(2024, 12, 31)), SHIFTS,
    ),
    st.builds(
        lambda at, name, moved: Recurrence(Pattern.FESTIVAL, at, festival=name, **moved), TIMES, st.sampled_from(FESTIVALS), SHIFTS
    ),
)  # fmt: skip
RULES = PLAIN_RULES | MOVED_RULES
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis wants naive bounds


@given(RULES)
def test_canonical_text_reads_back_to_the_same_rule(rule: Recurrence) -> None:
    assert parse_recurrence(str(rule)) == rule
    assert str(parse_recurrence(str(rule))) == str(rule)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2198, 12, 31)))  # noqa: DTZ001  a wall clock without zone is meant
def test_canonical_text_of_a_single_moment_reads_back(moment: datetime) -> None:
    rule = Recurrence(Pattern.ONCE, moment.time().replace(second=0, microsecond=0), on=moment.date())
    assert parse_recurrence(str(rule)) == rule


@settings(deadline=None)
@given(RULES, MOMENTS)
def test_upcoming_moments_rise_and_keep_the_hour(rule: Recurrence, after: datetime) -> None:
    found = upcoming(rule, after, 4)
    assert len(found) == 4
    assert all(earlier < later for earlier, later in zip((after, *found), found, strict=False))
    assert {moment.astimezone(CHINA).time() for moment in found} == {rule.at}


@settings(deadline=None)
@given(RULES, MOMENTS, st.integers(0, 2000))
def test_no_moment_is_passed_over(rule: Recurrence, after: datetime, hours: int) -> None:
    between = after + timedelta(hours=hours)
    first, later = next_after(rule, after), next_after(rule, between)
    assert first is not None
    assert later is not None
    assert later == first if first > between else later > first


@given(
    st.one_of(
        st.text(max_size=80),
        st.text("每周月日天号农历初一二三十廿逢五最后第个工作前节点半:0123456789 、上下午今明年", max_size=14),
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        rule = parse_recurrence(text, now=NOW)
    except Refused as refused:
        assert say(refused.key, **refused.blanks).endswith("。")
        return
    assert parse_recurrence(str(rule)) == rule
