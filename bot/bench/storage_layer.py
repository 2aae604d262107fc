"""Row 5: the storage layer alone. The same rows through our session and one commit for what 64 clients left, beside bare sqlite3."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence

from bot.app import open_database
from bot.bench import community
from bot.bench.figures import Round, Row
from bot.bench.harvest import CLIENTS, Left
from bot.bench.processes import MeasuringError
from bot.bench.stage import Stage
from storage.base import Session
from storage.cases import CaseEvent, CaseMessage
from storage.database import Database
from storage.messages import Received
from storage.reminders import Reminder

# What the rules write without a mapped object.
LEFT_BEHIND = (Received, CaseEvent, CaseMessage, Reminder)


def row(stage: Stage) -> Row:
    rounds = []
    rows_of_commit: list[int] = []
    for number in range(stage.extent.rounds):
        order = ("ours", "raw") if number % 2 == 0 else ("raw", "ours")
        figures = {}
        for part in order:
            if part == "ours":
                figures[part] = _ours(stage)
            else:
                raw = stage.raw_loop(stage.extent.seconds)
                figures[part] = raw["updates"] / raw["seconds"]
                rows_of_commit.append(round(raw["rows"] / raw["updates"], 2))  # type: ignore[arg-type]  # shown only
        rounds.append(Round(figures["ours"], figures["raw"]))
    return Row(
        5,
        "只有存储层：64 个客户端一次提交 / 裸 sqlite3 逐条提交同样的行",
        "条/秒",
        tuple(rounds),
        2,
        5,
        8,
        detail={"rows_per_update": rows_of_commit[0] if rows_of_commit else None},
    )


def _ours(stage: Stage) -> float:
    work = stage.left
    data = stage.emptied("storage")
    database = open_database(community.settings_for(data))
    try:
        started = time.perf_counter()
        asyncio.run(_write(database, work))
        seconds = time.perf_counter() - started
    finally:
        database.close()
    with sqlite3.connect(data / community.DATABASE) as connection:
        stored = connection.execute("SELECT count(*) FROM received").fetchone()[0]
    connection.close()
    if stored != len(work):
        raise MeasuringError(f"{len(work)} updates written, {stored} in the database")
    return len(work) / seconds


async def _write(database: Database, work: Sequence[Left]) -> None:
    for start in range(0, len(work), CLIENTS):
        batch = work[start : start + CLIENTS]
        await database.write(lambda session: _leave(session, batch))  # noqa: B023 - awaited at once


def _leave(session: Session, batch: Sequence[Left]) -> None:
    """What nobody reads again in one statement each; the rest as mapped objects: as receiver and rules do."""
    for left in batch:
        for table, columns in left:
            if table in LEFT_BEHIND:
                session.leave(table, **columns)
            else:
                session.add(table(**columns))
