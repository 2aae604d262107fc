"""`wuwei bench`: the rows of the table of targets that this program can measure on one machine, each beside its peer."""

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence

from bot.bench.figures import Row
from core.errors import ConfigError

MEASURED = (1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 16, 17)
INTAKE = frozenset({1, 2, 3, 7, 8, 9})
TIMERS = frozenset({10, 11, 12})


def main(rows: list[int] | None, quick: bool, as_json: bool) -> None:
    """Measures the rows asked for (all when none is named) and prints them, as JSON or as lines for a person."""
    wanted = _wanted(rows or [])
    if importlib.util.find_spec("psutil") is None:
        raise ConfigError(["测量需要 psutil；请用 ./run bench（会自动安装），或安装 requirements-bench.lock"])
    machine, measured = _measure(wanted, quick)
    if as_json:
        print(
            json.dumps({"rows": [row.as_json() for row in measured], "machine": machine}, ensure_ascii=False, indent=1)
        )
        return
    for name, value in machine.items():
        print(f"{name}: {value}")
    for row in measured:
        print(row.as_line())


def _wanted(rows: Sequence[int]) -> tuple[int, ...]:
    unknown = sorted(set(rows) - set(MEASURED))
    if unknown:
        known = "、".join(map(str, MEASURED))
        raise ConfigError([f"没有第 {'、'.join(map(str, unknown))} 行的测量；可以测的行：{known}"])
    return tuple(sorted(set(rows))) or MEASURED


def _measure(wanted: Sequence[int], quick: bool) -> tuple[dict[str, object], list[Row]]:
    # Here, because what is measured needs psutil, which an installation that never measures has not.
    from bot.bench import callbacks, crash, intake, pacing, storage_layer, timers  # noqa: PLC0415
    from bot.bench.machine import describe  # noqa: PLC0415
    from bot.bench.stage import FULL, QUICK, stage  # noqa: PLC0415

    with stage(QUICK if quick else FULL) as here:
        machine = describe(here.folder)
        print(f"fdatasync: {machine['fdatasync_ms']} ms", file=sys.stderr)
        parts: list[tuple[frozenset[int], Callable[[list[int]], list[Row]]]] = [
            (INTAKE, lambda numbers: intake.rows(here, numbers)),
            (frozenset({4}), lambda _: [intake.on_slow_disk(here)]),
            (frozenset({5}), lambda _: [storage_layer.row(here)]),
            (TIMERS, lambda numbers: timers.rows(here, numbers)),
            (frozenset({13}), lambda _: [pacing.row(here)]),
            (frozenset({16}), lambda _: [crash.row(here)]),
            (frozenset({17}), lambda _: [callbacks.row(here)]),
        ]
        measured: list[Row] = []
        for rows, measure in parts:
            if numbers := [number for number in wanted if number in rows]:
                measured += measure(numbers)
                print(*(row.as_line() for row in measured[-len(numbers) :]), sep="\n", file=sys.stderr, flush=True)
    return machine, sorted(measured, key=lambda row: row.number)
