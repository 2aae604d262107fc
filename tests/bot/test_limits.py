"""The limiter: never more than the limit in any window, and never waiting longer than needed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.limits import Limiter, Target
from core.messages import Limit, LimitScope

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TELEGRAM = (
    Limit(LimitScope.ACCOUNT, 30, SECOND),
    Limit(LimitScope.CHAT, 1, SECOND),
    Limit(LimitScope.GROUP, 20, timedelta(minutes=1)),
)


def target(chat: int, *, is_group: bool = False, account: str = "bot") -> Target:
    return Target("telegram", account, chat, is_group)


def most_in_window(times: list[datetime], span: timedelta) -> int:
    return max((sum(start <= at < start + span for at in times) for start in times), default=0)


@settings(max_examples=80, deadline=None)
@given(sends=st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 400)), min_size=1, max_size=150))
def test_no_window_ever_holds_more_than_the_limit(sends: list[tuple[int, bool, int]]) -> None:
    """Chats, groups (even numbers) and pauses in milliseconds, drawn at random; each send goes at the first moment allowed."""
    limiter, now = Limiter(), NOON
    sent: dict[int, list[datetime]] = {}
    for chat, waits, pause in sends:
        now += timedelta(milliseconds=pause if waits else 0)
        to = target(chat, is_group=chat % 2 == 0)
        at = limiter.ready_at(to, TELEGRAM, now)
        assert at >= now
        assert limiter.ready_at(to, TELEGRAM, at) == at
        limiter.note(to, TELEGRAM, at)
        sent.setdefault(chat, []).append(at)
        now = at
    everything = [at for times in sent.values() for at in times]
    assert most_in_window(everything, SECOND) <= 30
    for chat, times in sent.items():
        assert most_in_window(times, SECOND) <= 1
        if chat % 2 == 0:
            assert most_in_window(times, timedelta(minutes=1)) <= 20


def test_next_chat_need_not_wait_for_a_busy_one() -> None:
    limiter = Limiter()
    limiter.note(target(1), TELEGRAM, NOON)
    assert limiter.ready_at(target(1), TELEGRAM, NOON) == NOON + SECOND
    assert limiter.ready_at(target(2), TELEGRAM, NOON) == NOON
    assert limiter.ready_at(target(1, account="other"), TELEGRAM, NOON) == NOON


def test_account_waits_when_all_chats_together_are_too_many() -> None:
    limiter = Limiter()
    for chat in range(30):
        limiter.note(target(chat), TELEGRAM, NOON)
    assert limiter.ready_at(target(99), TELEGRAM, NOON) == NOON + SECOND


def test_group_has_its_own_minute() -> None:
    limiter = Limiter()
    for second in range(20):
        limiter.note(target(1, is_group=True), TELEGRAM, NOON + second * SECOND)
        limiter.note(target(2), TELEGRAM, NOON + second * SECOND)
    later = NOON + 20 * SECOND
    assert limiter.ready_at(target(1, is_group=True), TELEGRAM, later) == NOON + timedelta(minutes=1)
    assert limiter.ready_at(target(2), TELEGRAM, later) == later


def test_pause_asked_for_is_kept_by_chat_or_by_account() -> None:
    limiter = Limiter()
    limiter.pause(target(1), NOON + 5 * SECOND, whole_account=False)
    limiter.pause(target(1), NOON + 3 * SECOND, whole_account=False)
    assert limiter.ready_at(target(1), (), NOON) == NOON + 5 * SECOND
    assert limiter.ready_at(target(2), (), NOON) == NOON
    limiter.pause(target(1), NOON + 9 * SECOND, whole_account=True)
    assert limiter.ready_at(target(2), (), NOON) == NOON + 9 * SECOND
    assert limiter.ready_at(target(2, account="other"), (), NOON) == NOON


def test_channel_without_limits_never_waits() -> None:
    limiter = Limiter()
    for _ in range(1000):
        limiter.note(target(1), (), NOON)
    assert limiter.ready_at(target(1), (), NOON) == NOON


def test_what_no_longer_matters_is_forgotten() -> None:
    limiter = Limiter()
    limiter.note(target(1, is_group=True), TELEGRAM, NOON)
    limiter.pause(target(1), NOON + SECOND, whole_account=True)
    limiter.forget_old(NOON + timedelta(hours=23))
    assert len(limiter._sent) == 3
    limiter.forget_old(NOON + timedelta(days=1, seconds=2))
    assert (dict(limiter._sent), limiter._pauses) == ({}, {})
