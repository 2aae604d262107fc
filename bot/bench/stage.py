"""What all measurements share: a temporary folder, the community to copy, the load's bodies, and how much is to be done."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.bench import community, harvest
from bot.bench.processes import HERE, platform
from bot.bench.updates import CASE, SHARES, Update, updates

WARM_UP = 500
HARVESTED = 3000
# Enough that no server runs out of updates before the time is up.
MOST_PER_SECOND = 7000
ONLY_CASES = ((CASE, 100),)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: rounds of each pair and seconds of each load."""

    rounds: int
    seconds: float
    kills: int
    timer_rounds: int
    blocking_jobs: int
    broadcast_sends: int


FULL = Extent(rounds=5, seconds=3.0, kills=10, timer_rounds=5, blocking_jobs=50_000, broadcast_sends=3000)
QUICK = Extent(rounds=2, seconds=1.5, kills=2, timer_rounds=2, blocking_jobs=10_000, broadcast_sends=600)


class Stage:
    """One run of the command. What a row needs is made when first asked for."""

    def __init__(self, folder: Path, extent: Extent, telegram: str) -> None:
        self.folder = folder
        self.extent = extent
        self.telegram = telegram

    @cached_property
    def template(self) -> Path:
        return community.make_template(self.folder / "template")

    def data(self, name: str) -> Path:
        """A data folder with nothing but the community in it."""
        return community.copy_of(self.template, self.folder / name)

    @cached_property
    def mix(self) -> list[Update]:
        return list(updates(WARM_UP + int(self.extent.seconds * MOST_PER_SECOND), shares=SHARES))

    @cached_property
    def mix_bodies(self) -> Path:
        return self._written("mix", self.mix)

    @cached_property
    def cases(self) -> list[Update]:
        return list(updates(WARM_UP + int(self.extent.seconds * MOST_PER_SECOND), shares=ONLY_CASES))

    @cached_property
    def cases_bodies(self) -> Path:
        return self._written("cases", self.cases)

    def _written(self, name: str, some: list[Update]) -> Path:
        file = self.folder / f"{name}.jsonl"
        file.write_bytes(b"\n".join(update.body for update in some))
        return file

    @cached_property
    def left(self) -> list[harvest.Left]:
        """What the first updates of the mix leave in the tables, taken from a run of the program itself."""
        batch = self.mix[:HARVESTED]
        data = self.data("harvest")
        asyncio.run(harvest.work(data, batch))
        return harvest.left_by(data, batch)

    @cached_property
    def rows(self) -> Path:
        """The same as a file, for the bare loop."""
        file = self.folder / "rows.jsonl"
        harvest.write_rows(self.folder / "harvest", self.left, file)
        return file

    @cached_property
    def _emptied(self) -> Path:
        assert self.rows.exists()
        return harvest.empty(community.copy_of(self.folder / "harvest", self.folder / "emptied"))

    def emptied(self, name: str) -> Path:
        """A data folder with everybody who spoke but nothing of what they said."""
        return community.copy_of(self._emptied, self.folder / name)

    def raw_loop(self, seconds: float, *, only_cases: bool = False, preload: Path | None = None) -> dict[str, float]:
        """Bare sqlite3 over those rows, in a process and a database of its own."""
        data = self.emptied("raw")
        command = [
            sys.executable,
            str(HERE / "raw_loop.py"),
            str(data / community.DATABASE),
            str(self.rows),
            str(seconds),
        ]
        done = subprocess.run(
            [*command, *(["cases"] if only_cases else [])],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | environment_with(preload),
        )
        figures: dict[str, float] = json.loads(done.stdout)
        return figures


def environment_with(preload: Path | None) -> dict[str, str]:
    return {"LD_PRELOAD": str(preload)} if preload else {}


@contextlib.contextmanager
def stage(extent: Extent) -> Iterator[Stage]:
    """The stage, with the stand-in for Telegram beside it; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="wuwei-bench-") as folder, platform() as telegram:
        yield Stage(Path(folder), extent, telegram)
