"""A clock for tests with processes of their own: the hours of the program pass in seconds of the machine."""

import os
from datetime import UTC, datetime, timedelta


class FastClock:
    """Runs `factor` times as fast as the machine's; two processes with the same factor agree."""

    def __init__(self, factor: int, *, since: float) -> None:
        self._factor = factor
        self._since = datetime.fromtimestamp(since, UTC)

    def environment(self) -> dict[str, str]:
        """What a process must find in its environment to have this clock too."""
        return {**os.environ, "FACTOR": str(self._factor), "SINCE": repr(self._since.timestamp())}

    @classmethod
    def of_environment(cls) -> "FastClock":
        return cls(int(os.environ["FACTOR"]), since=float(os.environ["SINCE"]))

    def now(self) -> datetime:
        real = datetime.now(UTC) - self._since
        return datetime(2026, 11, 21, 2, 0, tzinfo=UTC) + timedelta(seconds=real.total_seconds() * self._factor)
