"""The bell's strokes: what most of them, which find nothing, must not cost."""

from datetime import datetime, timedelta

from bot.scheduler import Ticker
from core.clock import FixedClock
from core.config import KeepSettings
from domain import reminders
from storage.database import Database
from tests import builders


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
