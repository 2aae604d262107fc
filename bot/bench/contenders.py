"""Who is loaded: our whole program, and the bare echo of each peer. What each acknowledged is checked against what it kept."""

import importlib.util
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.bench import community
from bot.bench.processes import HERE, Answers, MeasuringError, Server, Shape, run_load
from bot.bench.stage import WARM_UP, Stage, environment_with
from bot.bench.updates import Update, updates

OURS, NONEBOT, PTB = "wuwei", "nonebot2", "python-telegram-bot"
# Peer → its script and what must be importable.
PEERS = {NONEBOT: ("nonebot_echo.py", ("nonebot", "nonebot.adapters.telegram")), PTB: ("ptb_echo.py", ("tornado",))}
PATHS = {OURS: "/hooks/telegram", NONEBOT: "/telegram", PTB: "/telegram"}
GREETING = next(updates(1, first=1)).body


@dataclass(frozen=True, slots=True)
class Load:
    """Which bodies, for how long, how fast (0: as fast as answers come), and over which disk."""

    bodies: Path
    updates: Sequence[Update]
    seconds: float
    pace: float = 0.0
    preload: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one contender."""

    acked: int
    rate: float
    per_cpu_second: float
    start_seconds: float
    mebibytes: float
    p50_ms: float
    p99_ms: float
    stored: int = 0
    stored_rate: float = 0.0
    cases: int = 0


def missing(name: str) -> str:
    """Why a peer cannot be run here; empty when it can."""
    _, modules = PEERS[name]
    for module in modules:
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            return f"没有安装 {name} 的测量部分（{module}）；用 ./run bench 会自动安装"
    return ""


def run(stage: Stage, name: str, load: Load) -> Outcome:
    """Starts the contender, warms it up, loads it, ends it, and checks that nothing acknowledged was dropped."""
    count_file = stage.folder / f"handled-{name}"
    data = stage.data("ours") if name == OURS else None
    command = _command(stage, name, data, count_file)
    with Server(command, stage.folder / f"{name}.log", environment=environment_with(load.preload)) as server:
        start_seconds = server.wait_ready(PATHS[name], community.SECRET, GREETING)
        warm = run_load(server.port, _shape(name, load, 0, WARM_UP, 30.0, 0.0))
        cpu = server.cpu_seconds()
        answers = run_load(
            server.port, _shape(name, load, WARM_UP, len(load.updates) - WARM_UP, load.seconds, load.pace)
        )
        cpu = server.settled_cpu_seconds() - cpu
        mebibytes = server.mebibytes()
    if answers.refused or not answers.acked:
        raise MeasuringError(f"{name}: {answers.refused} updates refused, {len(answers.acked)} taken")
    stored = cases = 0
    if data is not None:
        stored, cases = check_stored(data, load.updates, warm, answers)
    else:
        _check_handled(name, count_file, len(warm.acked) + len(answers.acked) + 1)
    return Outcome(
        acked=len(answers.acked),
        rate=answers.rate,
        per_cpu_second=len(answers.acked) / cpu,
        start_seconds=start_seconds,
        mebibytes=mebibytes,
        p50_ms=answers.wait_ms(0.5),
        p99_ms=answers.wait_ms(0.99),
        stored=stored,
        stored_rate=stored / answers.elapsed,
        cases=cases,
    )


def our_command(stage: Stage, data: Path) -> list[str]:
    """The program as anybody runs it."""
    return [sys.executable, "-m", "bot", "run", "--config", str(community.write_config(data, stage.telegram))]


def _command(stage: Stage, name: str, data: Path | None, count_file: Path) -> list[str]:
    if data is not None:
        return our_command(stage, data)
    count_file.unlink(missing_ok=True)
    return [sys.executable, str(HERE / "peers" / PEERS[name][0]), str(count_file), community.SECRET]


def _shape(name: str, load: Load, skip: int, count: int, seconds: float, pace: float) -> Shape:
    return Shape(PATHS[name], community.SECRET, load.bodies, skip, count, seconds, pace)


def check_stored(data: Path, sent: Sequence[Update], warm: Answers, answers: Answers) -> tuple[int, int]:
    """Every acknowledged number stands in the inbox, and every case has its history. Returns what the load itself left."""
    with sqlite3.connect(data / community.DATABASE) as connection:
        stored = {int(key) for (key,) in connection.execute("SELECT external_id FROM received")}
        opened = {
            int(key) for (key,) in connection.execute("SELECT external_id FROM received WHERE outcome = 'opened'")
        }
        cases = connection.execute('SELECT count(*) FROM "case"').fetchone()[0]
        with_history = connection.execute(
            "SELECT count(DISTINCT case_id) FROM case_event WHERE step = 'open'"
        ).fetchone()[0]
    connection.close()
    before = {sent[place].number for place in warm.acked}
    acked = {sent[place].number for place in answers.acked}
    if lost := (acked | before) - stored:
        raise MeasuringError(f"{len(lost)} acknowledged updates are not in the database")
    if not len(opened) == cases == with_history:
        raise MeasuringError(f"{len(opened)} messages opened a case, {cases} cases, {with_history} with a history")
    return len(acked - before), len(opened & (acked - before))


def _check_handled(name: str, count_file: Path, expected: int) -> None:
    handled = int(count_file.read_text(encoding="utf-8"))
    if handled != expected:
        raise MeasuringError(f"{name} acknowledged {expected} updates and worked {handled}")
