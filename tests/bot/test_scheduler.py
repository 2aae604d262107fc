"""The bell's strokes: what most of them, which find nothing, must not cost."""

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.app import CLOCK, App
from bot.scheduler import Ticker
from core.clock import CHINA, FixedClock, SystemClock
from core.config import KeepSettings, Settings
from domain import reminders
from storage.database import Database
from tests import builders
from tests.fixtures import start_anew


async def test_stroke_takes_the_writers_turn_only_for_what_is_due(database: Database, now: datetime) -> None:
    rung: list[bool] = []
    ticker = Ticker(database, FixedClock(now), KeepSettings(), wake=lambda: rung.append(True))
    with database.writing() as session:
        case = builders.case(session, builders.community(session), now)
        reminders.add(session, reminders.DEADLINE_NEAR, case, due_at=now + timedelta(seconds=1))
    with database.writing():  # until it ends nobody else can write
        assert (await ticker.tick(), ticker.last_tick_at, rung) == (0, now, [])
    later = Ticker(database, FixedClock(now + timedelta(seconds=1)), KeepSettings(), wake=lambda: rung.append(True))
    assert (await later.tick(), await later.tick(), rung) == (1, 0, [True])


async def test_stroke_of_the_moment_of_the_stop_ends_in_silence(
    tmp_path: Path, sqlite_template: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start_anew(sqlite_template, tmp_path / "data")
    app = App(Settings(data_folder=tmp_path / "data"), SystemClock(), roles=frozenset({CLOCK}), channels=[])
    await app.start()
    await asyncio.sleep(0.01)  # the bell has looked when it rings first
    with caplog.at_level(logging.WARNING):
        stopping = asyncio.create_task(app.stop())
        app._scheduler.modify_job("tick", next_run_time=datetime.now(CHINA))  # rings right after the stop has begun
        await stopping
        await asyncio.sleep(0.01)  # what was cut off tells of it a moment later
    assert caplog.messages == []
