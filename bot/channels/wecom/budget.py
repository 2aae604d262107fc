"""How much one person may still be sent: above its limits WeCom drops messages without a word, so they are counted here."""

from collections import deque
from collections.abc import Callable, Sequence

from core.messages import Limit

MOST_PEOPLE = 50_000


class Budget:
    """Counts every message of the platform, where the program's limiter counts what it hands over: a long text is several."""

    def __init__(self, limits: Sequence[Limit], now: Callable[[], float]) -> None:
        self._limits = [(one.per.total_seconds(), one.count) for one in limits]
        self._longest = max(per for per, _ in self._limits)
        self._now = now
        self._sent: dict[str, deque[float]] = {}

    def seconds_until(self, person: str, count: int) -> float:
        """How long until so many messages may go to this person; 0 when they may now."""
        now, times = self._now(), self._sent.get(person, deque())
        wait = 0.0
        for per, most in self._limits:
            lately = [at for at in times if at > now - per]
            free = most - min(count, most)
            if len(lately) > free:
                wait = max(wait, lately[len(lately) - free - 1] + per - now)
        return wait

    def note(self, person: str) -> None:
        """One message goes out now."""
        now = self._now()
        times = self._sent.pop(person, deque())
        times.append(now)
        while times[0] <= now - self._longest:
            times.popleft()
        self._sent[person] = times  # the person written to last stands last
        while len(self._sent) > MOST_PEOPLE:
            del self._sent[next(iter(self._sent))]
