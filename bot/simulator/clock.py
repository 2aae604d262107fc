"""Keeps the demo's clock where it was put, also through a restart."""

from datetime import datetime, timedelta

from bot.simulator.store import Store
from core.clock import ShiftedClock
from core.errors import Refused

OFFSET_FACT = "clock_offset_seconds"


class KeptClock:
    """The shifted clock and its stored offset. At the start the clock goes to the stored offset, never back."""

    def __init__(self, store: Store, clock: ShiftedClock) -> None:
        self._store = store
        self._clock = clock
        stored = timedelta(seconds=float(store.fact(OFFSET_FACT) or 0))
        clock.offset = max(clock.offset, stored)

    def now(self) -> datetime:
        return self._clock.now()

    def move_to(self, moment: datetime) -> None:
        """The clock stands at `moment` or later, and will after a restart. Refuses to go back."""
        by = moment - self._clock.now()
        if by < timedelta():
            raise Refused("simulator.clock_backward")
        self._clock.advance(by)
        self.keep()

    def keep(self) -> None:
        """Stores the offset as it is, for whoever moved the clock without us."""
        self._store.keep_fact(OFFSET_FACT, repr(self._clock.offset.total_seconds()))
