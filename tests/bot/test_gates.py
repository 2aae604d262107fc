"""Gates without clocks: exact counts that hold on any machine. A change that makes one of them worse has to say so here."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.app import open_database
from bot.bench import community, pacing, updates
from bot.bench.updates import CASE, CHATTER, Update
from bot.channels.telegram import to_incoming
from bot.channels.telegram.channel import ABILITIES
from bot.receiver import Receiver
from core.clock import FixedClock
from core.messages import ChatKind, ChatRef, Limit, LimitScope, Outgoing, OutgoingAction
from domain import due, files, sending
from storage.base import Session
from storage.cases import Case
from storage.database import Database
from storage.messages import Received

CLIENTS = 64
# Statements of one transaction of 64 messages that open 64 cases, the slowest kind of batch: look-ups and one insert a table.
MOST_STATEMENTS_OF_64_CASES = 29
# The same for 64 lines of chatter, some of which ("谢谢") may concern an open case and are looked up together.
MOST_STATEMENTS_OF_CHATTER = 12
# Nothing of this is needed to run: training, measuring, other bots, spreadsheets by another library.
NEVER = ("sklearn", "scipy", "pandas", "nonebot", "openpyxl", "tornado", "aiohttp", "pytest", "psutil", "jieba")
# Loaded where a migration is due, on PostgreSQL, with a token, for WeCom, or for pages.
NOT_AT_START = (*NEVER, "alembic", "mako", "psycopg", "telegram", "wechatpy", "requests", "uvicorn", "fastapi")
START = f"""
import asyncio, sys
from pathlib import Path
from bot.app import ALL_ROLES, WEB, App
from core.clock import SystemClock
from core.config import Settings

async def live():
    app = App(Settings(data_folder=Path(sys.argv[1])), SystemClock(), roles=ALL_ROLES - {{WEB}})
    await app.start()
    await app.stop()

asyncio.run(live())
print(*[name for name in {NOT_AT_START!r} if name in sys.modules], file=sys.stderr)
"""


class Counts:
    """What went to the database since the last `clear`."""

    def __init__(self, database: Database) -> None:
        self.statements: list[str] = []
        self.commits = 0
        event.listen(database.engine, "before_cursor_execute", self._statement)
        event.listen(database.engine, "commit", self._commit)

    def _statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            self.statements.append(statement)

    def _commit(self, _connection: object) -> None:
        self.commits += 1

    def clear(self) -> None:
        self.statements.clear()
        self.commits = 0


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return community.make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def busy(template: Path, tmp_path: Path) -> Iterator[Database]:
    """The made-up community, bound to its Telegram groups."""
    made = open_database(community.settings_for(community.copy_of(template, tmp_path / "data")))
    yield made
    made.close()


async def work(database: Database, clock: FixedClock, batch: list[Update]) -> None:
    """The updates through the receiver from 64 clients, each of which waits for its answer."""
    receiver = Receiver(database, clock)
    running = asyncio.create_task(receiver.run())
    coming = iter(batch)

    async def client() -> None:
        for update in coming:
            incoming = to_incoming(update.body, community.ACCOUNT, "measured_bot")
            assert incoming is not None
            await receiver.deliver([incoming])

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    running.cancel()


def count_rows(database: Database, table: type[Case] | type[Received]) -> int:
    with database.reading() as session:
        return session.query(table).count()


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    return FixedClock(now)


async def test_cases_of_a_batch_share_their_statements(busy: Database, clock: FixedClock) -> None:
    """A statement more for each case would be 64 more here."""
    batch = list(updates.updates(CLIENTS * 2, shares=((CASE, 100),)))
    await work(busy, clock, batch[:CLIENTS])
    counts = Counts(busy)
    await work(busy, clock, batch[CLIENTS:])
    assert (count_rows(busy, Case), counts.commits) == (CLIENTS * 2, 1)
    assert len(counts.statements) <= MOST_STATEMENTS_OF_64_CASES, "\n".join(counts.statements)


async def test_no_look_up_of_a_batch_reads_a_whole_table(busy: Database, clock: FixedClock) -> None:
    """One that did would slow down with every message ever received."""
    batch = list(updates.updates(CLIENTS * 2))
    await work(busy, clock, batch[:CLIENTS])
    counts = Counts(busy)
    await work(busy, clock, batch[CLIENTS:])
    asked = {statement for statement in counts.statements if statement.startswith("SELECT")}
    assert len(asked) > 5
    with busy.reading() as session:
        plans = {statement: plan_of(session, statement) for statement in asked}
    assert {statement: plan for statement, plan in plans.items() if GROWING.search(plan)} == {}


# What grows without end; a community's duties and areas are read as a whole, once for each batch.
GROWING = re.compile(r"SCAN (received|outbox|\"?case\"?|case_\w+|chat|person|account|conversation|reminder|file)\b")


async def test_chatter_of_a_batch_costs_a_handful_of_statements(busy: Database, clock: FixedClock) -> None:
    counts = Counts(busy)
    await work(busy, clock, list(updates.updates(CLIENTS, shares=((CHATTER, 100),))))
    assert (count_rows(busy, Received), counts.commits) == (CLIENTS, 1)
    assert len(counts.statements) <= MOST_STATEMENTS_OF_CHATTER, "\n".join(counts.statements)


async def test_a_thousand_updates_of_64_clients_are_sixteen_commits(busy: Database, clock: FixedClock) -> None:
    counts = Counts(busy)
    await work(busy, clock, list(updates.updates(1000)))
    # A batch is what queued while the last one was committed: at 64 clients at most 64 messages, and never one alone.
    assert 1000 // CLIENTS <= counts.commits <= 1000 // CLIENTS * 2


def test_what_is_due_is_found_by_its_index(database: Database, now: datetime) -> None:
    """The poll reads what is due and nothing else, however much is done or still to come."""
    counts = Counts(database)
    with database.writing() as session:
        due.run_due(session, now=now)
        due.next_due(session)
        sending.candidates(session, now=now, not_chats=())
        sending.next_due(session)
        sending.recover(session, now=now, repeatable=())
        files.claim_wanted(session, now, 10, 60)
        plans = {statement: plan_of(session, statement) for statement in tuple(counts.statements)}
    without = {statement: plan for statement, plan in plans.items() if not any(index in plan for index in INDEXES)}
    assert without == {}
    assert {index for plan in plans.values() for index in INDEXES if index in plan} == set(INDEXES)


INDEXES = ("ix_reminder_due", "ix_outbox_queued", "ix_outbox_sending", "ix_file_wanted")


def plan_of(session: Session, statement: str) -> str:
    asked = session.connection().exec_driver_sql(
        f"EXPLAIN QUERY PLAN {statement}", tuple(["2026-11-21 02:00:00"] * statement.count("?"))
    )
    return " | ".join(str(row[-1]) for row in asked)


def test_start_imports_nothing_that_running_does_not_need(tmp_path: Path, sqlite_template: Path) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "wuwei.sqlite3")
    command = [sys.executable, "-c", START, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("restarts", [0, 3])
async def test_no_window_holds_more_sends_than_the_platform_allows(
    template: Path, tmp_path: Path, restarts: int
) -> None:
    data = community.copy_of(template, tmp_path / "data")
    recorder = await pacing.broadcast(data, 150, restarts=restarts)
    assert len(recorder.sent) == 150
    assert pacing.over_limits(recorder.sent, ABILITIES.limits) == []
    assert pacing.busiest([at for at, _ in recorder.sent], timedelta(seconds=1)) == 30


def outgoing(number: int) -> Outgoing:
    chat = ChatRef(str(-number), ChatKind.GROUP)
    return Outgoing(str(number), "telegram", "bot", OutgoingAction.SEND, chat)


def test_a_window_over_the_limit_is_seen() -> None:
    """The judge of the test above: 31 sends that just fit into one second are found, 31 in exactly one second are not."""
    start = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    limit = Limit(LimitScope.ACCOUNT, 30, timedelta(seconds=1))

    def sends(last: timedelta) -> list[tuple[datetime, Outgoing]]:
        return [(start + last * number / 30, outgoing(number)) for number in range(31)]

    assert len(pacing.over_limits(sends(timedelta(milliseconds=999)), [limit])) == 1
    assert pacing.over_limits(sends(timedelta(seconds=1)), [limit]) == []
