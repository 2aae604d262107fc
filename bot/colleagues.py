"""Looks once an hour whether somebody who has a duty has left the organisation: where the platform does not tell by itself, nobody else would."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot.channels.base import Channel, Listing
from core.clock import Clock, in_china
from core.errors import DeliveryError
from domain import people
from domain.colleagues import leaving
from storage.base import Session
from storage.database import Database

log = structlog.get_logger(__name__)

EVERY, FIRST = 3600.0, 60.0  # seconds
# More at once is rather a changed configuration than so many leavers: staff decide then, on the page.
MOST_AT_ONCE = 5


class Watch:
    """The address books of these channels beside who is on duty."""

    def __init__(
        self, database: Database, channels: Sequence[Channel], clock: Clock, *, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._books = [channel for channel in channels if isinstance(channel, Listing)]
        self._clock = clock
        self._wake = wake

    async def run(self) -> None:
        """Until cancelled; ends at once where there is no address book."""
        await asyncio.sleep(FIRST)
        while self._books:
            for book in self._books:
                try:
                    await self.look(book)
                except DeliveryError as error:
                    log.info("address_book_not_read", channel=book.name, reason=error.reason)
                except Exception:  # an edge: the database may be away for a while, and the loop must outlive that
                    log.error("address_book_not_compared", channel=book.name, exc_info=True)
            await asyncio.sleep(EVERY)

    async def look(self, book: Listing) -> int:
        """Parts with those of whom the platform says that they are no more; returns how many. Not to be shown is not to be gone."""
        today = in_china(self._clock.now()).date()
        staff = await self._database.read(lambda session: leaving.staff_of(session, book.name, today=today))
        listed = {one.external_id for one in await book.colleagues()}
        missing = sorted(set(staff) - listed)
        if not missing or listed.isdisjoint(staff):
            return 0  # in the book of another organisation everybody of ours would be missing
        gone = [external_id for external_id in missing if await book.is_gone(external_id)]
        if len(gone) > MOST_AT_ONCE:
            log.warning("too_many_gone", channel=book.name, count=len(gone))
            return 0
        for external_id in gone:
            await self._database.write(lambda session: self._part(session, book.name, external_id))  # noqa: B023 - awaited at once
        if gone:
            self._wake()
        return len(gone)

    def _part(self, session: Session, channel: str, external_id: str) -> None:
        account = people.account_of(session, channel, external_id)
        if account is not None:
            leaving.leave(session, account, now=self._clock.now())
