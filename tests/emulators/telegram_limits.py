"""The platform's flood limits, counted in sliding windows on the emulator's own clock."""

import math
from collections import defaultdict, deque
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `seconds`."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """None means unlimited. The defaults are the published ones."""

    account: Rate | None = Rate(30, 1)
    chat: Rate | None = Rate(1, 1)
    group: Rate | None = Rate(20, 60)


NO_LIMITS = FloodLimits(account=None, chat=None, group=None)


class FloodGate:
    """Counts accepted sends; a refused one costs nothing. `refusals` counts how often it said no."""

    def __init__(self, limits: FloodLimits) -> None:
        self.limits = limits
        self.refusals = 0
        self._sent: dict[Hashable, deque[float]] = defaultdict(deque)

    def retry_after(self, chat_id: int, *, is_group: bool, now: float) -> int | None:
        """Seconds to wait, or None when the send is let through and counted."""
        rates = [("account", self.limits.account), (("chat", chat_id), self.limits.chat)]
        if is_group:
            rates.append((("group", chat_id), self.limits.group))
        wait = 0.0
        for key, rate in rates:
            if rate is not None:
                wait = max(wait, self._wait(self._sent[key], rate, now))
        if wait > 0:
            self.refusals += 1
            return max(1, math.ceil(wait))
        for key, rate in rates:
            if rate is not None:
                self._sent[key].append(now)
        return None

    def _wait(self, sent: deque[float], rate: Rate, now: float) -> float:
        while sent and sent[0] <= now - rate.seconds:
            sent.popleft()
        return 0.0 if len(sent) < rate.count else sent[-rate.count] + rate.seconds - now
