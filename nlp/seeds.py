"""Labelled lines to train with: our own in nlp/data/seeds, and corrections that staff made.

A seed file is a table with tabs: kind, urgency, topic, note, text. What is broken is named by file and line and skipped.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.messages import Kind, Urgency
from nlp.tables import DATA, Fault

SEEDS = DATA / "seeds"
# So many of a hundred lines are never trained on when figures are taken; which ones, the line itself decides.
HELD_BACK = 15


@dataclass(frozen=True, slots=True)
class Seed:
    """A line and what it means. `topic` is a code, "" for chatter; `note` says what is special about it."""

    text: str
    kind: Kind
    urgency: Urgency = Urgency.NORMAL
    topic: str = ""
    note: str = ""

    @property
    def is_case(self) -> bool:
        return self.kind is not Kind.CHATTER

    @property
    def is_held_back(self) -> bool:
        return (
            int(hashlib.sha1(self.text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest(), 16) % 100
            < HELD_BACK
        )


def seed_files() -> list[Path]:
    """The files that come with the program."""
    return sorted(SEEDS.glob("*.tsv"))


def read_seeds(files: Sequence[Path]) -> tuple[list[Seed], list[Fault]]:
    """All seeds of the files (.tsv, or .jsonl with text, kind, urgency and topic), and what was skipped."""
    seeds: list[Seed] = []
    faults: list[Fault] = []
    for path in files:
        read = _from_json if path.suffix == ".jsonl" else _from_table
        for line, seed in read(path):
            if isinstance(seed, Seed):
                seeds.append(seed)
            else:
                faults.append(Fault(path.name, line, seed))
    return seeds, faults


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _from_table(path: Path) -> Iterator[tuple[int, Seed | str]]:
    for number, line in _lines(path):
        cells = line.split("\t")
        if len(cells) == 5:
            yield number, _seed(cells[4], cells[0], cells[1], cells[2], cells[3])
        else:
            yield number, "每行要有五格，用 Tab 隔开：类别、紧急程度、话题、备注、原话"


def _from_json(path: Path) -> Iterator[tuple[int, Seed | str]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict) and isinstance(row.get("text"), str):
            cells = [str(row.get(name) or "") for name in ("kind", "urgency", "topic", "note")]
            yield number, _seed(row["text"], *cells)
        else:
            yield number, '这一行不是带 "text" 的 JSON 对象'


def _seed(text: str, kind: str, urgency: str, topic: str, note: str) -> Seed | str:
    try:
        return Seed(text.strip(), Kind(kind), Urgency(urgency or Urgency.NORMAL), topic, note)
    except ValueError as fault:
        return f"类别或紧急程度写错了：{fault}"
