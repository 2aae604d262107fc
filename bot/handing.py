"""Posts that a person must send: handed to the owners of groups, followed until it is known what became of them.

The sender leaves out channels whose abilities say `needs_person`; their due rows become tasks here. Each task is claimed and
committed before the platform is asked, and its answer committed after, so that a death in between leaves a task that is looked for
among the platform's before it is made again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import structlog

from bot import metrics
from bot.channels.base import Channel, Handing
from core.clock import Clock
from core.customer_groups import Handed, HandedPost, TimeSpan
from core.errors import DeliveryError, Rejected, TryLater, Undeliverable, Unknown
from domain.customer_groups import handing, posts, welcome
from domain.customer_groups.handing import Job, Looked
from storage.base import Session
from storage.database import Database

log = structlog.get_logger()

LONGEST_SLEEP = 2.0
PAUSE_AFTER_FAULT = 2.0
Result = TypeVar("Result")


class Hander:
    """One of its kind in a process; works for those of its channels that need a person."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[tuple[str, str], Channel],
        clock: Clock,
        *,
        media_folder: Path,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._media_folder = media_folder
        self._after_commit = after_commit
        self.wake = asyncio.Event()
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Works until cancelled; where no channel needs a person there is nothing to do."""
        while True:
            done = 0
            try:
                done = await self.work_due()
            except Exception:  # an edge: the database may be away for a while, and the loop must outlive that
                log.error("handing_failed", exc_info=True)
                await asyncio.sleep(PAUSE_AFTER_FAULT)
            if not done:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_SLEEP):
                        await self.wake.wait()
                self.wake.clear()

    async def work_due(self) -> int:
        """One round for each channel, after the one that may be under way; returns how much was done."""
        done = 0
        async with self._turn:
            for key, channel in list(self._channels.items()):
                if channel.abilities.needs_person and isinstance(channel, Handing):
                    done += await self._work(key, channel, channel)
        return done

    async def _work(self, key: tuple[str, str], channel: Channel, hands: Handing) -> int:
        now, limit = self._clock.now(), channel.abilities.reminders_a_day
        gathered = await self._database.read(lambda session: posts.are_due(session, *key, now=now))
        if gathered:
            await self._write(lambda session: posts.gather(session, *key, reminders_a_day=limit, now=now))
        jobs: list[Job] = []
        if await self._database.read(lambda session: handing.is_due(session, *key, now=now)):
            link, folder = channel.abilities.start_link, self._media_folder
            jobs = await self._write(
                lambda session: handing.claim(session, *key, now=now, media_folder=folder, start_link=link)
            )
        for job in jobs:
            if self._clock.now() - now > handing.LEASE / 2:
                break  # a platform this slow: whoever claims the rest next looks for them first
            await self._do(key[0], hands, job)
        if jobs:
            self._after_commit()  # staff may have been told something
        return len(jobs) + gathered + await self._keep_welcome(key, hands, channel.abilities.start_link)

    async def _do(self, name: str, hands: Handing, job: Job) -> None:
        """One thing with the platform, and what it said, in a transaction of its own."""
        try:
            if job.external_id is None:
                await self._make(hands, job)
            else:
                await self._look(hands, job, job.external_id)
            outcome = "handed" if job.external_id is None else "looked"
        except DeliveryError as error:
            await self._note_failure(job, error)
            outcome = type(error).__name__
        except Exception as error:  # an edge: one poisonous task must not keep the others from their owners
            log.error("task_failed", id=job.task_id, exc_info=True)
            await self._note_failure(job, Unknown(type(error).__name__))
            outcome = "failed"
        metrics.SENT.labels(name, outcome).inc()

    async def _make(self, hands: Handing, job: Job) -> None:
        if job.doubt is not None:
            found = await self._find(hands, job.post, job.doubt)
            ours = await self._database.read(lambda session: handing.unknown(session, job, found))
            if ours:
                log.warning("task_found_again", id=job.task_id, twins=len(ours) - 1)
                await self._made(job, Handed(ours[0]), twins=len(ours) - 1)
                return
            if job.is_withdrawal:
                await self._write(lambda session: handing.mark_never_made(session, job, now=self._clock.now()))
                return
        await self._made(job, await hands.hand(job.post))

    async def _find(self, hands: Handing, post: HandedPost, doubt: TimeSpan) -> list[str]:
        """A search that is refused clears no doubt: the owner may have it all the same."""
        try:
            return await hands.find(post, doubt)
        except (Rejected, Undeliverable) as error:
            raise Unknown(error.reason) from None

    async def _made(self, job: Job, handed: Handed, *, twins: int = 0) -> None:
        await self._write(lambda session: handing.mark_made(session, job, handed, now=self._clock.now(), twins=twins))

    async def _look(self, hands: Handing, job: Job, external_id: str) -> None:
        looked = Looked(await hands.look(external_id, job.post))
        if not looked.progress.is_confirmed and job.is_withdrawal:
            await hands.withdraw(external_id)
            # Whatever the owner did until that moment counts.
            looked = Looked(await hands.look(external_id, job.post), is_withdrawn=True)
        elif not looked.progress.is_confirmed and job.is_reminder:
            looked = await self._remind(hands, external_id, looked)
        await self._write(lambda session: handing.mark_looked(session, job, looked, now=self._clock.now()))

    async def _remind(self, hands: Handing, external_id: str, looked: Looked) -> Looked:
        try:
            await hands.remind(external_id)
        except Unknown:
            return looked  # it may have come: it counts
        except DeliveryError as error:
            return Looked(looked.progress, fault=error.reason)
        return looked

    async def _note_failure(self, job: Job, error: DeliveryError) -> None:
        def work(session: Session) -> None:
            now = self._clock.now()
            match error:
                case Unknown():
                    handing.mark_unknown(session, job, now=now, reason=error.reason)
                case Rejected() | Undeliverable():
                    handing.mark_refused(session, job, now=now, reason=error.reason)
                case _:
                    seconds = error.seconds if isinstance(error, TryLater) else 0.0
                    handing.mark_later(session, job, now=now, seconds=seconds, reason=error.reason)

        await self._write(work)

    async def _keep_welcome(self, key: tuple[str, str], hands: Handing, start_link: str) -> int:
        """One area's words for new members, where they are missing."""
        now = self._clock.now()
        found = await self._database.read(lambda session: welcome.wanted(session, *key, start_link=start_link, now=now))
        if found is None:
            return 0
        try:
            external_id = await hands.keep_welcome(found.external_id, found.text, found.link)
        except DeliveryError as error:
            reason, is_gone = error.reason, isinstance(error, Rejected | Undeliverable)
            await self._write(
                lambda session: welcome.mark_failed(session, *key, found, reason=reason, now=now, is_gone=is_gone)
            )
            return 0
        await self._write(lambda session: welcome.mark_kept(session, *key, found, external_id))
        return 1

    async def _write(self, work: Callable[[Session], Result]) -> Result:
        return await self._database.write(work)
