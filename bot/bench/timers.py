"""Rows 10 to 12: many reminders due at once through the tick, beside APScheduler's own store, and a notice to a city's groups."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.app import load_what_is_said, open_database
from bot.bench import community
from bot.bench.figures import Round, Row
from bot.bench.processes import HERE, MeasuringError
from bot.bench.stage import Stage
from bot.collecting import spare_what_is_loaded
from bot.scheduler import Ticker
from core.clock import SystemClock
from core.config import KeepSettings
from core.ids import new_id
from core.messages import ChatKind, Kind, Urgency
from domain import announcements, reminders
from domain.areas import communities
from domain.cases.life import State
from storage.areas import Community
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat, ChatState
from storage.database import Database
from storage.people import Duty, Role

GLANCE = 0.005
LONGEST_ROUNDS = 60.0
JOBS = 10_000
GROUPS = 60_000
CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Fired:
    """How long it took until all was done and durable, and the longest that the event loop stood still meanwhile."""

    seconds: float
    block_ms: float


def rows(stage: Stage, wanted: Sequence[int]) -> list[Row]:
    made = []
    if 10 in wanted:
        made.append(_reminders(stage))
    if 11 in wanted:
        made.append(_blocking(stage))
    if 12 in wanted:
        made.append(_broadcast(stage))
    return made


def _reminders(stage: Stage) -> Row:
    rounds, ours_block, peer_block = [], 0.0, 0.0
    started = time.perf_counter()
    for number in range(stage.extent.timer_rounds):
        if number % 2 == 0:
            ours, peer = _ours(stage, JOBS), _apscheduler(stage, JOBS)
        else:
            peer, ours = _apscheduler(stage, JOBS), _ours(stage, JOBS)
        ours_block, peer_block = max(ours_block, ours.block_ms), max(peer_block, peer.block_ms)
        rounds.append(Round(JOBS / ours.seconds, JOBS / peer.seconds))
        # On a slow disk the peer's ten thousand commits take a minute: two rounds are then enough.
        if number and time.perf_counter() - started > LONGEST_ROUNDS:
            break
    careless = JOBS / _apscheduler(stage, JOBS, "NORMAL").seconds
    return Row(
        10,
        f"{JOBS:,} 条提醒同时到期 / APScheduler SQLAlchemyJobStore",
        "条/秒",
        tuple(rounds),
        5,
        10,
        20,
        detail={
            "worst_loop_block_ms": round(ours_block, 1),
            "peer_worst_loop_block_ms": round(peer_block, 1),
            "peer_not_durable": round(careless, 0),
        },
    )


def _blocking(stage: Stage) -> Row:
    jobs = stage.extent.blocking_jobs
    fired = [_ours(stage, jobs) for _ in range(max(2, stage.extent.timer_rounds // 2 + 1))]
    return Row(
        11,
        f"{jobs:,} 条提醒到期时事件循环最长的停顿",
        "ms",
        tuple(Round(one.block_ms) for one in fired),
        100,
        50,
        20,
        judged="ours",
        is_less_better=True,
        detail={"jobs_per_second": round(jobs / min(one.seconds for one in fired), 0)},
    )


def _ours(stage: Stage, jobs: int) -> Fired:
    data = stage.data("timers")
    database = open_database(community.settings_for(data))
    due_cases(database, jobs)
    # As every start of the program does.
    load_what_is_said()
    spare_what_is_loaded()
    fired = asyncio.run(_tick(database, jobs))
    database.close()
    with sqlite3.connect(data / community.DATABASE) as connection:
        posted = connection.execute("SELECT count(*) FROM outbox WHERE priority = 2").fetchone()[0]
        left = connection.execute(
            "SELECT count(*) FROM reminder WHERE kind = ? AND done_at IS NULL", [reminders.DEADLINE_NEAR]
        ).fetchone()[0]
    connection.close()
    if (posted, left) != (jobs, 0):
        raise MeasuringError(f"{jobs} reminders were due, {posted} were posted, {left} are left")
    return fired


async def _tick(database: Database, at_least: int) -> Fired:
    """One tick, beside a task that only wants to be woken every 5 ms: what it waits longer, everybody waits."""
    ticker = Ticker(database, SystemClock(), KeepSettings(), wake=lambda: None)
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            before = time.perf_counter()
            await asyncio.sleep(GLANCE)
            worst = max(worst, time.perf_counter() - before - GLANCE)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(GLANCE * 4)
    worst = 0.0
    started = time.perf_counter()
    done = await ticker.tick()
    seconds = time.perf_counter() - started
    watching.cancel()
    if done < at_least:
        raise MeasuringError(f"the tick did {done} of {at_least}")
    return Fired(seconds, worst * 1000)


def due_cases(database: Database, count: int) -> None:
    """So many cases with the community's workers, each with a reminder that its deadline is near, due now."""
    now = SystemClock().now()
    with database.writing() as session:
        workers = session.query(Duty).filter_by(role=Role.GRID_WORKER).all()
        groups = session.query(Chat).filter_by(channel=community.CHANNEL, kind=ChatKind.GROUP).all()
        # Measured at any hour: no night.
        session.query(Community).update({Community.quiet_until: Community.quiet_from})
    for numbers in _chunks(count):
        with database.writing() as session:
            for number in numbers:
                duty = workers[number % len(workers)]
                case = Case(
                    id=new_id(),
                    community_id=duty.community_id,
                    number=f"BX-20261121-{number:06}",
                    kind=Kind.REPORT,
                    topic="lift",
                    urgency=Urgency.NORMAL,
                    text="3号楼2单元的电梯又坏了，停在5楼不动",
                    place="3号楼2单元",
                    area_id=duty.area_id,
                    chat_id=groups[number % len(groups)].id,
                    state=State.ACCEPTED,
                    assignee_id=duty.person_id,
                    assignee_role=duty.role,
                    opened_at=now - timedelta(hours=4),
                    deadline_at=now + timedelta(hours=1),
                )
                session.add(case)
                reminders.add(session, reminders.DEADLINE_NEAR, case, due_at=now - timedelta(seconds=1))


def _chunks(count: int) -> Iterator[range]:
    for start in range(0, count, CHUNK):
        yield range(start, min(start + CHUNK, count))


def _apscheduler(_stage: Stage, jobs: int, durability: str = "FULL") -> Fired:
    """With FULL as durable as ours; NORMAL forgets on a power cut that it has fired."""
    with tempfile.TemporaryDirectory(prefix="wuwei-bench-") as folder:
        script = str(HERE / "peers" / "apscheduler_jobs.py")
        done = subprocess.run(
            [sys.executable, script, str(jobs), folder, durability], check=True, capture_output=True, text=True
        )
    said = json.loads(done.stdout)
    return Fired(said["seconds"], said["block_ms"])


def _broadcast(stage: Stage) -> Row:
    with _city(stage) as template:
        fired = [_post_to_all(template, stage.folder / "broadcast") for _ in range(stage.extent.timer_rounds)]
    return Row(
        12,
        f"向 {GROUPS:,} 个群发一条通知：收下并落盘",
        "ms",
        tuple(Round(one.seconds * 1000) for one in fired),
        1000,
        200,
        100,
        judged="ours",
        is_less_better=True,
        detail={"worst_loop_block_ms": round(max(one.block_ms for one in fired), 1)},
    )


@contextmanager
def _city(stage: Stage) -> Iterator[Path]:
    """A data folder with that many bound groups and one announcement that is due."""
    folder = stage.data("city")
    database = open_database(community.settings_for(folder))
    now = SystemClock().now()
    with database.writing() as session:
        place = communities(session)[0]
        for number in range(GROUPS):
            session.leave(Chat, **_group(number, place.id) | {"created_at": now})
    with database.writing() as session:
        _schedule(session, place.id)
    database.close()
    yield folder


def _group(number: int, community_id: int) -> dict[str, object]:
    return {
        "channel": community.CHANNEL,
        "account": community.ACCOUNT,
        "external_id": str(-3_000_000_000 - number),
        "kind": ChatKind.GROUP,
        "title": f"第{number}群",
        "state": ChatState.BOUND,
        "community_id": community_id,
        "area_id": community_id,
    }


def _schedule(session: Session, community_id: int) -> None:
    now = SystemClock().now()
    for standing in announcements.announcements_of(session, community_id):
        announcements.cancel(session, standing)
    draft = announcements.draft(
        session,
        community_id=community_id,
        title="停水通知",
        text="明天 9 点到 17 点停水，请提前储水。",
        area_ids=[community_id],
        chat_ids=(),
        roles=(),
        file_ids=(),
        by=None,
        now=now,
    )
    announcements.schedule(session, draft, at=now + timedelta(milliseconds=1), recurrence=None, now=now)


def _post_to_all(template: Path, folder: Path) -> Fired:
    data = community.copy_of(template, folder)
    database = open_database(community.settings_for(data))
    fired = asyncio.run(_tick(database, 1))
    database.close()
    with sqlite3.connect(data / community.DATABASE) as connection:
        posted = connection.execute("SELECT count(*) FROM outbox WHERE priority = 3").fetchone()[0]
    connection.close()
    if posted < GROUPS:
        raise MeasuringError(f"{posted} of {GROUPS} posts are in the outbox")
    return fired
