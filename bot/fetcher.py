"""The hands: fetches the files that messages brought, checks and cleans them, and puts them into the media folder.

A loop like the sender's: claim (a row with a lease), download, check in a thread, mark. What fails for an unknown reason keeps its lease
and is tried again when that has run out, here or in another process.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from core.clock import Clock
from core.config import MediaSettings
from core.errors import DeliveryError, Refused, Rejected, TryLater, Undeliverable
from core.media import StoredMedia, check_and_save, check_size
from core.messages import Attachment
from core.texts import say
from domain import files
from domain.cases import photos
from domain.files import WantedFile
from storage.base import Session
from storage.database import Database

AT_ONCE = 4
LEASE_SECONDS = 300.0
DOWNLOAD_SECONDS = 120.0  # with the waiting for a thread well within the lease
IDLE_SECONDS = 5.0  # how long a file that became due by itself may wait to be noticed
FILL_SECONDS = 1.0  # the same while other downloads run
NO_CHANNEL_SECONDS = 60.0

log = structlog.get_logger(__name__)


class Source(Protocol):
    """As much of a Channel as is needed here."""

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes: ...


class Fetcher:
    """Fetches wanted files for all channels, by (name, account), at most AT_ONCE at a time."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[tuple[str, str], Source],
        clock: Clock,
        settings: MediaSettings,
        media_folder: Path,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._settings = settings
        self._media_folder = media_folder
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()
        # A large photo unfolds to over a hundred megabytes: never two of them at a time.
        self._drawing = asyncio.Lock()

    def wake(self) -> None:
        """Something may have become due. Called on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Fetches until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self.fetch_due()
            except Exception:  # an edge: the database may be away for a while, and the loop must outlive that
                log.exception("fetching_failed")
            # Not `wait_for`: on Python 3.11 it may swallow a cancellation that comes together with the waking.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._woken.wait()

    async def fetch_due(self) -> int:
        """Fetches until nothing is due and nothing is under way; returns how many were tried. A second caller waits for the first."""
        async with self._turn:
            return await self._fetch_all()

    async def _fetch_all(self) -> int:
        count = 0
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                claimed = await self._claim(AT_ONCE - len(running))
                count += len(claimed)
                running |= {asyncio.create_task(self._fetch(wanted)) for wanted in claimed}
                if not running:
                    return count
                # Looks again before all are done: a link that dies soon must not wait for somebody's slow film.
                _, running = await asyncio.wait(running, timeout=FILL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _claim(self, limit: int) -> list[WantedFile]:
        if limit == 0:
            return []
        now = self._clock.now()
        if not await self._database.read(lambda session: files.is_any_due(session, now)):
            return []
        return await self._database.write(lambda session: files.claim_wanted(session, now, limit, LEASE_SECONDS))

    async def _fetch(self, wanted: WantedFile) -> None:
        """One file from the platform to its place. Whatever happens is written into its row."""
        try:
            await self._settle(wanted)
        except Exception:  # an edge: one poisonous file must not keep the others from coming
            log.exception("file_failed", file=wanted.id)

    async def _settle(self, wanted: WantedFile) -> None:
        try:
            stored = await self._take_in(wanted)
        except Refused as refusal:
            await self._refuse(wanted, say(refusal.key, **refusal.blanks))
        except (Rejected, Undeliverable) as error:
            log.info("file_rejected", file=wanted.id, reason=error.reason)
            most = f"{self._settings.largest_bytes / 1024 / 1024:.3g}"
            await self._refuse(wanted, say("files.rejected", most=most))
        except (DeliveryError, TimeoutError) as error:
            seconds = error.seconds if isinstance(error, TryLater) else 0.0
            log.info("file_later", file=wanted.id, error=type(error).__name__)
            await self._postpone(wanted, seconds)
        else:
            now = self._clock.now()
            await self._database.write(lambda session: _note_stored(session, wanted.id, stored, now))

    async def _take_in(self, wanted: WantedFile) -> StoredMedia:
        channel = self._channels.get((wanted.channel, wanted.account))
        if channel is None:
            raise TryLater(NO_CHANNEL_SECONDS, "the channel is not set up")
        most = self._settings.largest_bytes
        if wanted.attachment.size is not None:
            check_size(wanted.attachment.size, most)
        async with asyncio.timeout(DOWNLOAD_SECONDS):
            data = await channel.fetch(wanted.attachment, most=most)
        check = partial(
            check_and_save,
            self._media_folder,
            data,
            kind=wanted.attachment.kind,
            largest_bytes=most,
            largest_pixels=self._settings.largest_pixels,
        )
        async with self._drawing:
            return await asyncio.to_thread(check)

    async def _refuse(self, wanted: WantedFile, sentence: str) -> None:
        now = self._clock.now()
        await self._database.write(lambda session: files.mark_refused(session, wanted.id, sentence, now))

    async def _postpone(self, wanted: WantedFile, seconds: float) -> None:
        now = self._clock.now()
        await self._database.write(lambda session: files.mark_later(session, wanted.id, now, seconds))


def _note_stored(session: Session, file_id: int, stored: StoredMedia, now: datetime) -> None:
    files.mark_stored(session, file_id, stored)
    photos.note_stored(session, file_id, now=now)
