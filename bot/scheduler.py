"""The bell: APScheduler wakes a tick every second and the clean-up every night. What is due is a query, never a job of its own."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import metrics
from bot.sweeper import sweep
from core.clock import CHINA, Clock
from core.config import KeepSettings
from domain import announcements, due, retention, sending
from domain.customer_groups import handing
from storage.base import Session
from storage.database import Database

log = structlog.get_logger(__name__)

TICK_SECONDS = 1
NIGHT_HOUR = 3
ANNOUNCEMENTS_AT_ONCE = 20


class Ticker:
    """Does what is due, a chunk a transaction, so that nothing else waits long."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keep: KeepSettings,
        *,
        wake: Callable[[], None],
        media_folder: Path | None = None,
    ) -> None:
        self._database = database
        self._media_folder = media_folder
        self._clock = clock
        self._keep = keep
        self._wake = wake
        self._turn = asyncio.Lock()
        self.last_tick_at: datetime | None = None

    async def tick(self) -> int:
        """Everything that is due now; returns how much it was."""
        async with self._turn:
            started, done = time.perf_counter(), 0
            # A look first, for most ticks find nothing: they need not wait for the writer, nor he for them.
            if await self._database.read(self._is_any_due):
                done = await self._run_due() + await self._post_announcements()
            self.last_tick_at = self._clock.now()
            metrics.LAST_TICK.set(self.last_tick_at.timestamp())
            metrics.TICK_SECONDS.observe(time.perf_counter() - started)
        if done:
            self._wake()
        return done

    def _is_any_due(self, session: Session) -> bool:
        now = self._clock.now()
        moments = (due.next_due(session), announcements.next_due(session))
        return any(moment is not None and moment <= now for moment in moments)

    async def _run_due(self) -> int:
        total = 0
        while True:
            now = self._clock.now()
            count = await self._database.write(lambda session: due.run_due(session, now=now))  # noqa: B023 - awaited at once
            total += count
            if count < due.BATCH:
                return total

    async def _post_announcements(self) -> int:
        now = self._clock.now()
        return await self._database.write(
            lambda session: announcements.post_due(session, now, limit=ANNOUNCEMENTS_AT_ONCE)
        )

    async def watch(self) -> None:
        """Brings the gauges up to date."""
        counts = await self._database.read(sending.counts)
        metrics.WAITING.set(counts.get("queued", 0) + counts.get("sending", 0))
        metrics.HELD.set(counts.get("held", 0) + counts.get("given_up", 0))

    async def clean(self) -> None:
        """What has been kept long enough is forgotten."""
        now = self._clock.now()
        forgotten = await self._database.write(lambda session: retention.forget(session, now=now, keep=self._keep))
        swept = await sweep(self._database, self._media_folder) if self._media_folder else 0
        log.info("forgotten", **forgotten, files=swept)

    async def next_due(self) -> datetime | None:
        """When the next thing is due: a reminder, an announcement, a message put off, or a post in an owner's hands."""
        return await self._database.read(_next_due)

    async def close_gathering(self) -> None:
        """For the simulator's `settle`: open gather windows end now."""
        now = self._clock.now()
        await self._database.write(lambda session: due.close_gathering(session, now=now))


def _next_due(session: Session) -> datetime | None:
    moments = [
        due.next_due(session),
        announcements.next_due(session),
        sending.next_due(session),
        handing.next_due(session),
    ]
    return min((moment for moment in moments if moment is not None), default=None)


def make_scheduler(ticker: Ticker) -> AsyncIOScheduler:
    """The short list of named times. Misfires are harmless: each call asks the database what is due."""
    scheduler = AsyncIOScheduler(timezone=CHINA)
    options = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    scheduler.add_job(_guarded(ticker.tick), "interval", seconds=TICK_SECONDS, id="tick", **options)
    scheduler.add_job(_guarded(ticker.watch), "interval", seconds=15, id="watch", **options)
    scheduler.add_job(_guarded(ticker.clean), "cron", hour=NIGHT_HOUR, id="clean", **options)
    return scheduler


def _guarded(work: Callable[[], object]) -> Callable[[], object]:
    """A bell must go on ringing: what fails is logged and tried again at the next stroke."""

    async def run() -> None:
        try:
            await work()  # type: ignore[misc]  # a coroutine function
        except asyncio.CancelledError:
            log.debug("tick_cut_short")  # the program stops; what was due is still due
        except Exception:  # an edge: whatever went wrong, the rest goes on
            log.error("tick_failed", exc_info=True)

    return run


STALE_TICK = timedelta(seconds=30)
