"""Row 16: the power plug. SIGKILL under load, then: is every update that was acknowledged in the database?"""

import random
import sqlite3
import time

from bot.bench import community
from bot.bench.contenders import GREETING, OURS, PATHS, our_command
from bot.bench.figures import Round, Row
from bot.bench.processes import Loader, MeasuringError, Server, Shape
from bot.bench.stage import Stage

EARLIEST, LATEST = 0.5, 1.5
LONGEST = 10.0


def row(stage: Stage) -> Row:
    chance = random.Random(stage.extent.kills)
    acked, lost = 0, []
    for _ in range(stage.extent.kills):
        some, gone = _kill(stage, chance.uniform(EARLIEST, LATEST))
        acked += some
        lost.append(gone)
    return Row(
        16,
        "负载中 SIGKILL：已确认却丢失的消息",
        "条",
        tuple(Round(one) for one in lost),
        0,
        0,
        0,
        judged="ours",
        is_less_better=True,
        detail={"acknowledged": acked, "kills": stage.extent.kills, "lost": sum(lost)},
    )


def _kill(stage: Stage, after: float) -> tuple[int, int]:
    """How many were acknowledged, and how many of them are gone."""
    data = stage.data("ours")
    with Server(our_command(stage, data), stage.folder / "crash.log") as server:
        server.wait_ready(PATHS[OURS], community.SECRET, GREETING)
        shape = Shape(PATHS[OURS], community.SECRET, stage.mix_bodies, 0, len(stage.mix), LONGEST)
        loader = Loader(server.port, shape)
        loader.go()
        time.sleep(after)
        server.kill()
        answers = loader.answers()
    connection = sqlite3.connect(data / community.DATABASE)
    stored = {int(key) for (key,) in connection.execute("SELECT external_id FROM received")}
    health = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    acked = {stage.mix[place].number for place in answers.acked}
    if health != "ok" or not acked:
        raise MeasuringError(f"after SIGKILL: integrity {health}, {len(acked)} acknowledged")
    return len(acked), len(acked - stored)
