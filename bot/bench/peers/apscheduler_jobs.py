"""APScheduler's own way: one job a reminder in its SQLAlchemyJobStore, all due at once, each a coroutine that does nothing.

Arguments: how many jobs, a folder for its database, and PRAGMA synchronous (FULL or NORMAL). Prints {"seconds", "cpu", "block_ms"}: from the bell to the last job run.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

GLANCE = 0.005
fired = 0


async def remind() -> None:
    global fired  # noqa: PLW0603 - one figure of a script
    fired += 1


async def run(count: int, folder: Path, durability: str) -> dict[str, float]:
    scheduler = AsyncIOScheduler(timezone=UTC)
    store = SQLAlchemyJobStore(
        url=f"sqlite:///{folder / 'jobs.sqlite3'}", engine_options={"connect_args": {"isolation_level": None}}
    )
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    scheduler.add_jobstore(store)
    scheduler.start(paused=True)
    due = datetime.now(UTC) - timedelta(seconds=1)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA synchronous=OFF")  # only filling, not measured
    for _ in range(count):
        scheduler.add_job(remind, "date", run_date=due, misfire_grace_time=None, coalesce=True)
    with store.engine.connect() as connection:  # the pool's one connection: as durable as ours
        connection.exec_driver_sql(f"PRAGMA synchronous={durability}")
    worst = 0.0
    started, cpu = time.perf_counter(), time.process_time()
    scheduler.resume()
    while fired < count:
        before = time.perf_counter()
        await asyncio.sleep(GLANCE)
        worst = max(worst, time.perf_counter() - before - GLANCE)
    seconds, spent = time.perf_counter() - started, time.process_time() - cpu
    scheduler.shutdown(wait=False)
    return {"seconds": seconds, "cpu": spent, "block_ms": worst * 1000}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))))
