"""Wakes the other processes on the same PostgreSQL after a commit, by LISTEN/NOTIFY; on SQLite there are none, and nothing happens.

Only a nudge: whoever misses it looks by itself within a second. So nothing is kept, and a lost connection is simply made again.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from storage.database import Database

if TYPE_CHECKING:
    from psycopg import AsyncConnection

TOPIC = "wuwei"
RECONNECT_SECONDS = 2.0
# A server that vanished without a word (a power cut, a firewall) is noticed within about a minute.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "connect_timeout": 10}

log = structlog.get_logger(__name__)


class Wakeups:
    """`wake` is called on the event loop when another process has committed something."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._has_others = not database.is_sqlite
        self._address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._wake = wake
        self._name = secrets.token_hex(8)
        self._told = asyncio.Event()

    def tell(self) -> None:
        """Something was committed here. Called on the event loop; however often in a moment, the others hear it once."""
        self._told.set()

    async def run(self) -> None:
        """Listens and tells until cancelled."""
        if self._has_others:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._stay_connected(self._listen))
                group.create_task(self._stay_connected(self._speak))

    async def _stay_connected(self, work: Callable[["AsyncConnection"], Awaitable[None]]) -> None:
        from psycopg import AsyncConnection, Error  # noqa: PLC0415 - slow, and of no use on SQLite
        from psycopg.conninfo import make_conninfo  # noqa: PLC0415

        address = make_conninfo(self._address, **KEEPALIVES)
        while True:
            try:
                connection = await AsyncConnection.connect(address, autocommit=True)
                async with connection:
                    await work(connection)
            except (Error, OSError) as fault:
                log.warning("wakeups_lost", kind=type(fault).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self, connection: "AsyncConnection") -> None:
        await connection.execute(f"listen {TOPIC}")
        self._wake()  # for what was said while nobody listened
        async for note in connection.notifies():
            if note.payload != self._name:
                self._wake()

    async def _speak(self, connection: "AsyncConnection") -> None:
        from psycopg import Error  # noqa: PLC0415 - as above

        while True:
            await self._told.wait()
            self._told.clear()
            try:
                await connection.execute("select pg_notify(%s, %s)", (TOPIC, self._name))
            except Error:
                self._told.set()  # to be said on the next connection
                raise
