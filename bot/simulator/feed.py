"""Tells watching pages what changed. Nothing is kept: a page that was away asks for the chat again."""

import asyncio
from collections.abc import AsyncIterator

from core.simulation import Change, ChangeKind

BACKLOG = 500
PULSE_SECONDS = 10


class Feed:
    """Hands every change to every watcher; all calls come from the event loop's thread."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[Change | None]] = set()

    def publish(self, change: Change) -> None:
        for queue in tuple(self._watchers):
            if queue.full():  # a page that reads nothing is cut off; its browser connects again and reloads
                self._cut_off(queue)
            else:
                queue.put_nowait(change)

    def watch(self) -> AsyncIterator[Change]:
        """Changes from this call on, until `close` or until the watcher falls too far behind; a pulse when all is quiet."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(BACKLOG)
        self._watchers.add(queue)
        return self._follow(queue)

    async def _follow(self, queue: asyncio.Queue[Change | None]) -> AsyncIterator[Change]:
        try:
            while True:
                try:
                    async with asyncio.timeout(PULSE_SECONDS):
                        change = await queue.get()
                except TimeoutError:
                    change = Change(ChangeKind.PULSE)
                if change is None:
                    return
                yield change
        finally:
            self._watchers.discard(queue)

    def close(self) -> None:
        """Ends all streams, so that a server that waits for its connections can stop."""
        for queue in tuple(self._watchers):
            self._cut_off(queue)

    def _cut_off(self, queue: asyncio.Queue[Change | None]) -> None:
        self._watchers.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
