"""Obeys the limits that a channel declares: at most so many sends in any window, for an account, a chat or a group.

Times of what was sent are kept in memory and restored from the outbox after a restart, so that a restart never lets more through.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.messages import Limit, LimitScope


@dataclass(frozen=True, slots=True)
class Target:
    """Where a send goes."""

    channel: str
    account: str
    chat_id: int
    is_group: bool


class Limiter:
    """Remembers the last sends in each scope. Exact sliding windows: no burst at a window's edge gets through."""

    def __init__(self) -> None:
        self._sent: dict[tuple[object, ...], deque[datetime]] = defaultdict(deque)
        self._pauses: dict[tuple[str, str, int], datetime] = {}

    def ready_at(self, target: Target, limits: Iterable[Limit], now: datetime) -> datetime:
        """The first moment at which a send to this target breaks no limit; `now` when it may go at once."""
        ready = max(
            now,
            self._pauses.get((target.channel, target.account, 0), now),
            self._pauses.get((target.channel, target.account, target.chat_id), now),
        )
        for key, limit in _keys(target, limits):
            times = self._sent.get(key)
            if times is None:
                continue
            while times and times[0] <= now - limit.per:
                times.popleft()
            if len(times) >= limit.count:
                ready = max(ready, times[len(times) - limit.count] + limit.per)
        return ready

    def note(self, target: Target, limits: Iterable[Limit], at: datetime) -> None:
        """A send to this target leaves at this moment."""
        for key, limit in _keys(target, limits):
            times = self._sent[key]
            times.append(at)
            while len(times) > limit.count:
                times.popleft()

    def pause(self, target: Target, until: datetime, *, whole_account: bool) -> None:
        """The platform asked to wait: this chat, or everything of the account."""
        key = (target.channel, target.account, 0 if whole_account else target.chat_id)
        self._pauses[key] = max(until, self._pauses.get(key, until))

    def forget_old(self, now: datetime) -> None:
        """Drops what can no longer matter; called now and then so that memory stays bounded."""
        day = timedelta(days=1)
        for key in [key for key, times in self._sent.items() if not times or times[-1] < now - day]:
            del self._sent[key]
        for pause in [key for key, until in self._pauses.items() if until < now]:
            del self._pauses[pause]


def _keys(target: Target, limits: Iterable[Limit]) -> Iterable[tuple[tuple[object, ...], Limit]]:
    for limit in limits:
        if limit.scope == LimitScope.ACCOUNT:
            yield (target.channel, target.account, limit.per), limit
        elif limit.scope == LimitScope.CHAT or target.is_group:
            yield (target.channel, target.account, target.chat_id, limit.per), limit
