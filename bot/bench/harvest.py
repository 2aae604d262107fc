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
from storage.base import Base
from storage.cases import Case, CaseEvent, CaseMessage
from storage.messages import Outbox, Received
from storage.reminders import Reminder

Columns = dict[str, object]
Left = Sequence[tuple[type[Base], Columns]]

# Table → the column that leads to the case. `received` stands for the update itself.
OF_A_CASE: dict[type[Base], str] = {
    Case: "id",
    CaseEvent: "case_id",
    CaseMessage: "case_id",
    Outbox: "case_id",
    Reminder: "subject_id",
}
TABLES: tuple[type[Base], ...] = (Received, *OF_A_CASE)
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


def left_by(folder: Path, batch: Sequence[Update]) -> list[Left]:
    """What each update left, as columns; a case's rows stand with the update that opened it."""
    database = open_database(community.settings_for(folder))
    with database.reading() as session:
        received = {row.external_id: row for row in session.query(Received)}
        by_case: dict[type[Base], dict[int, list[Columns]]] = {}
        for table, column in OF_A_CASE.items():
            rows = by_case[table] = {}
            for row in session.query(table):
                rows.setdefault(getattr(row, column), []).append(_columns(row))
    database.close()
    left: list[Left] = []
    for update in batch:
        if update.part == REPEAT:
            continue
        row = received[str(update.number)]
        mine: list[tuple[type[Base], Columns]] = [(Received, _columns(row))]
        for table, rows in by_case.items():
            mine += [(table, columns) for columns in rows.pop(row.case_id or 0, [])]
        left.append(mine)
    return left


def _columns(row: Base) -> Columns:
    return {name: getattr(row, name) for name in row.__table__.columns.keys()}  # noqa: SIM118 - a collection of columns


def write_rows(folder: Path, left: Sequence[Left], file: Path) -> None:
    """The same, a line for each update, as sqlite3 holds the values: [[table, values], …]."""
    connection = sqlite3.connect(folder / community.DATABASE)
    stored: dict[tuple[str, object], Sequence[object]] = {}
    for table in TABLES:
        name = table.__tablename__
        for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - names of our own tables
            stored[name, row[0]] = row
    connection.close()
    with file.open("w", encoding="utf-8") as out:
        for mine in left:
            names = [(table.__tablename__, columns["id"]) for table, columns in mine]
            out.write(json.dumps([[name, stored[name, key]] for name, key in names]) + "\n")


def empty(folder: Path) -> Path:
    """Takes those rows out again: what is left is the community with everybody who spoke."""
    connection = sqlite3.connect(folder / community.DATABASE, isolation_level=None)
    for table in TABLES:
        connection.execute(f'DELETE FROM "{table.__tablename__}"')  # noqa: S608
    connection.execute("VACUUM")
    connection.close()
    return folder
