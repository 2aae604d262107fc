"""Rows 1 to 4 and 7 to 9: the whole durable path under load, beside bare echoes and beside what sqlite3 can commit one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.bench import slow_disk
from bot.bench.contenders import NONEBOT, OURS, PTB, Load, Outcome, missing, run
from bot.bench.figures import Round, Row
from bot.bench.processes import MeasuringError
from bot.bench.stage import Stage

CONNECTIONS = 64
RAW, RAW_CASES, OURS_CASES, HALF_OURS, HALF_NONEBOT = "raw", "raw cases", "ours cases", "half ours", "half nonebot"

# Row → what has to be run in each round for it.
NEEDS = {
    1: (OURS, NONEBOT),
    2: (OURS, PTB),
    3: (OURS, RAW, OURS_CASES, RAW_CASES),
    7: (OURS, NONEBOT, HALF_OURS, HALF_NONEBOT),
    8: (OURS, NONEBOT),
    9: (OURS, NONEBOT),
}
PEER_OF_ROW = {1: NONEBOT, 2: PTB, 8: NONEBOT, 9: NONEBOT}


@dataclass(slots=True)
class Seen:
    """The outcomes of one round by what was run; raw loops give a rate alone."""

    outcomes: dict[str, Outcome]
    raw: dict[str, float]


def rows(stage: Stage, wanted: Sequence[int]) -> list[Row]:
    """The rows asked for, all from the same rounds."""
    numbers = [number for number in wanted if number in NEEDS]
    absent = {name: why for name in (NONEBOT, PTB) if (why := missing(name))}
    parts = list(dict.fromkeys(part for number in numbers for part in NEEDS[number] if part not in absent))
    if NONEBOT in absent:
        parts = [part for part in parts if part != HALF_NONEBOT]
    seen = [_round(stage, parts, number) for number in range(stage.extent.rounds)] if parts else []
    made = []
    for number in numbers:
        why = absent.get(PEER_OF_ROW.get(number, ""), "")
        made.append(BUILDERS[number](seen, why))
    return made


def _round(stage: Stage, parts: list[str], number: int) -> Seen:
    """Each part once; who goes first changes from round to round. Half loads come last: they need to know the whole."""
    first = [part for part in parts if part not in (HALF_OURS, HALF_NONEBOT)]
    turn = number % len(first)
    seen = Seen({}, {})
    for part in first[turn:] + first[:turn]:
        if part in (RAW, RAW_CASES):
            figures = stage.raw_loop(stage.extent.seconds, only_cases=part == RAW_CASES)
            seen.raw[part] = figures["updates"] / figures["seconds"]
        elif part == OURS_CASES:
            seen.outcomes[part] = run(stage, OURS, Load(stage.cases_bodies, stage.cases, stage.extent.seconds))
        else:
            seen.outcomes[part] = run(stage, part, Load(stage.mix_bodies, stage.mix, stage.extent.seconds))
    for part, name in ((HALF_OURS, OURS), (HALF_NONEBOT, NONEBOT)):
        if part in parts:
            pace = CONNECTIONS / (seen.outcomes[name].rate / 2)
            seen.outcomes[part] = run(stage, name, Load(stage.mix_bodies, stage.mix, stage.extent.seconds, pace))
    return seen


def _pair(seen: list[Seen], peer: str, figure: Callable[[Outcome], float]) -> tuple[Round, ...]:
    return tuple(
        Round(figure(one.outcomes[OURS]), figure(one.outcomes[peer]) if peer in one.outcomes else None) for one in seen
    )


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _against_echo(number: int, peer: str, targets: tuple[float, float, float], seen: list[Seen], why: str) -> Row:
    floor, goal, moonshot = targets
    ours = [one.outcomes[OURS] for one in seen]
    wall = [one.outcomes[OURS].rate / one.outcomes[peer].rate for one in seen if peer in one.outcomes]
    return Row(
        number,
        f"整条路径（持久化）每 CPU 秒处理的消息 / {peer} 空回声",
        "条/CPU 秒",
        _pair(seen, peer, lambda outcome: outcome.per_cpu_second),
        floor,
        goal,
        moonshot,
        detail={
            "wall_ratio": round(_middle(wall), 2) if wall else None,
            "per_wall_second": round(_middle([one.rate for one in ours]), 0),
            "p50_ms": round(_middle([one.p50_ms for one in ours]), 1),
            "p99_ms": round(_middle([one.p99_ms for one in ours]), 1),
            "share_of_cases": round(sum(one.cases for one in ours) / sum(one.acked for one in ours), 3),
            "acked": sum(one.acked for one in ours),
        },
        skipped=why,
    )


def _against_sqlite(seen: list[Seen], _why: str) -> Row:
    cases = [Round(one.outcomes[OURS_CASES].stored_rate, one.raw[RAW_CASES]) for one in seen]
    return Row(
        3,
        "整个服务持久处理的消息 / 裸 sqlite3 逐条提交同样的行",
        "条/秒",
        tuple(Round(one.outcomes[OURS].stored_rate, one.raw[RAW]) for one in seen),
        0.5,
        0.8,
        1.0,
        detail={
            "only_cases_ours": round(_middle([one.ours for one in cases]), 0),
            "only_cases_raw": round(_middle([one.peer or 0.0 for one in cases]), 0),
            "only_cases_ratio": round(_middle([one.ratio or 0.0 for one in cases]), 3),
        },
    )


def _latency(seen: list[Seen], _why: str) -> Row:
    halves = [one.outcomes for one in seen]
    times = [one[OURS].rate / one[NONEBOT].rate for one in halves if NONEBOT in one]
    return Row(
        7,
        "半载时的 p99 延迟",
        "ms",
        tuple(
            Round(one[HALF_OURS].p99_ms, one[HALF_NONEBOT].p99_ms if HALF_NONEBOT in one else None) for one in halves
        ),
        50,
        25,
        15,
        judged="ours",
        is_less_better=True,
        detail={
            "rate": round(_middle([one[HALF_OURS].rate for one in halves]), 0),
            "p50_ms": round(_middle([one[HALF_OURS].p50_ms for one in halves]), 1),
            "rate_to_nonebot2": round(_middle(times), 2) if times else None,
        },
    )


def _start(seen: list[Seen], why: str) -> Row:
    pair = _pair(seen, NONEBOT, lambda outcome: outcome.start_seconds)
    name = "启动到能处理消息（词典已载入）/ nonebot2 空回声"
    return Row(8, name, "秒", pair, 1.5, 1.0, 0.8, is_less_better=True, skipped=why)


def _memory(seen: list[Seen], why: str) -> Row:
    pair = _pair(seen, NONEBOT, lambda outcome: outcome.mebibytes)
    return Row(9, "负载后的常驻内存 / nonebot2 空回声", "MiB", pair, 2.5, 2.0, 1.6, is_less_better=True, skipped=why)


BUILDERS: dict[int, Callable[[list[Seen], str], Row]] = {
    1: partial(_against_echo, 1, NONEBOT, (1.5, 3, 5)),
    2: partial(_against_echo, 2, PTB, (0.7, 1.3, 2)),
    3: _against_sqlite,
    7: _latency,
    8: _start,
    9: _memory,
}


def on_slow_disk(stage: Stage) -> Row:
    """Row 4: the same as row 3 where making something durable takes 3 ms more."""
    name = "同上，磁盘每次落盘多 3 ms"
    try:
        shim: Path = slow_disk.build(stage.folder)
    except slow_disk.NoCompiler as reason:
        return Row(4, name, "条/秒", skipped=str(reason))
    seconds = stage.extent.seconds
    made = []
    for number in range(stage.extent.rounds):
        load = Load(stage.mix_bodies, stage.mix, seconds, preload=shim)
        order: list[Callable[[], float]] = [
            lambda load=load: run(stage, OURS, load).stored_rate,  # type: ignore[misc]  # bound at once
            lambda: _raw_rate(stage, seconds, shim),
        ]
        figures = [order[(place + number) % 2]() for place in range(2)]
        ours, raw = figures if number % 2 == 0 else figures[::-1]
        made.append(Round(ours, raw))
    return Row(4, name, "条/秒", tuple(made), 4, 8, 12)


def _raw_rate(stage: Stage, seconds: float, shim: Path) -> float:
    figures = stage.raw_loop(seconds, preload=shim)
    if figures["seconds"] / figures["updates"] < slow_disk.PAUSE_SECONDS:
        raise MeasuringError("the slow disk was not slow")
    return figures["updates"] / figures["seconds"]
