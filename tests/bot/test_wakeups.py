"""Processes wake each other after a commit: two `Wakeups` on one database stand for two processes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from bot import wakeups
from bot.wakeups import Wakeups
from core.keys import load_or_make
from storage.database import Database
from tests.patience import PATIENCE


class Process:
    """Counts how often it was woken."""

    def __init__(self, database: Database) -> None:
        self.woken = 0
        self.wakeups = Wakeups(database, self._wake)

    def _wake(self) -> None:
        self.woken += 1


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(*processes: Process) -> AsyncIterator[None]:
    """All of them listen. Each has woken itself once by then: something may have been said before."""
    tasks = [asyncio.create_task(process.wakeups.run()) for process in processes]
    await until(lambda: all(process.woken == 1 for process in processes))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_others_are_woken_and_oneself_is_not(database: Database) -> None:
    one, other, third = Process(database), Process(database), Process(database)
    async with listening(one, other, third):
        one.wakeups.tell()
        await until(lambda: other.woken == 2 and third.woken == 2)
        other.wakeups.tell()
        await until(lambda: one.woken == 2 and third.woken == 3)
        assert other.woken == 2


async def test_many_commits_in_a_moment_wake_once(database: Database) -> None:
    one, other = Process(database), Process(database)
    async with listening(one, other):
        for _ in range(100):
            one.wakeups.tell()
        await until(lambda: other.woken == 2)
        other.wakeups.tell()
        await until(lambda: one.woken == 2)
        assert other.woken == 2


async def test_a_lost_connection_is_made_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "RECONNECT_SECONDS", 0.05)
    one, other = Process(database), Process(database)
    async with listening(one, other):
        with capture_logs() as logs:
            _cut_all(database)
            await until(lambda: one.woken == 2 and other.woken == 2)
        assert {(entry["event"], entry["log_level"]) for entry in logs} == {("wakeups_lost", "warning")}
        one.wakeups.tell()
        await until(lambda: other.woken == 3)


def _cut_all(database: Database) -> None:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


async def test_on_sqlite_there_is_nobody_to_wake(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'wuwei.sqlite3'}", load_or_make(tmp_path / "wuwei.key"))
    alone = Process(database)
    alone.wakeups.tell()
    async with asyncio.timeout(PATIENCE):
        await alone.wakeups.run()
    assert alone.woken == 0
    database.close()
