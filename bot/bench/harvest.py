"""The rows that updates really leave, taken from a run of the program itself: what a bare loop has to write to be a fair peer."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from bot.app import open_database
from bot.bench import community
from bot.bench.updates import REPEAT, Update
from bot.channels.telegram import to_incoming
from bot.receiver import Receiver
from core.clock import SystemClock

# Table → the column that leads to the case. `received` stands for the update itself.
OF_A_CASE = {
    "case": "id",
    "case_event": "case_id",
    "case_message": "case_id",
    "outbox": "case_id",
    "reminder": "subject_id",
}
CLIENTS = 64


async def work(folder: Path, batch: Sequence[Update]) -> None:
    """The updates through the receiver, 64 at a time, into the database of this folder."""
    database = open_database(community.settings_for(folder))
    receiver = Receiver(database, SystemClock())
    running = asyncio.create_task(receiver.run())
    incomings = [to_incoming(update.body, community.ACCOUNT, "measured_bot") for update in batch]
    for start in range(0, len(incomings), CLIENTS):
        some = [one for one in incomings[start : start + CLIENTS] if one is not None]
        await asyncio.gather(*(receiver.deliver([one]) for one in some))
    running.cancel()
    database.close()


def rows_of(folder: Path, batch: Sequence[Update], file: Path) -> None:
    """Writes, a line for each update, the (table, values) it left; a case's rows stand with the update that opened it."""
    connection = sqlite3.connect(folder / community.DATABASE)
    received = {str(row[3]): row for row in connection.execute("SELECT * FROM received")}
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(received)")]
    assert columns[3] == "external_id"
    case_at = columns.index("case_id")
    by_case: dict[str, dict[int, list[Sequence[object]]]] = {}
    for table, column in OF_A_CASE.items():
        names = [name for _, name, *_ in connection.execute(f'PRAGMA table_info("{table}")')]
        rows = by_case[table] = {}
        for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of our own tables
            rows.setdefault(row[names.index(column)], []).append(row)
    connection.close()
    with file.open("w", encoding="utf-8") as out:
        for update in batch:
            if update.part == REPEAT:
                continue
            row = received[str(update.number)]
            left: list[tuple[str, Sequence[object]]] = [("received", row)]
            for table, rows in by_case.items():
                left += [(table, one) for one in rows.pop(row[case_at], [])]
            out.write(json.dumps(left) + "\n")
