"""The trained model: a table of weights per character, pair and finding. Reading and scoring only; `train` makes it.

The file is JSON with whole numbers (weights times 1000): small, quick to read, and the sums are exact.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nlp.features import loudness
from nlp.tables import DATA

MODEL = DATA / "model" / "group-talk.json"
SCALE = 1000.0
BY_MODEL = "model"  # what a reason speaks for that the model gave
# Heads whose weights stand side by side for each feature; the gate has a table of its own, because it is asked always.
HEADS = ("urgent", "emergency", "report", "wish", "complaint", "dispute", "question", "request", "proposal")


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by feature. `topics` holds, per feature, pairs of topic number and weight."""

    gate: Mapping[str, int] = field(default_factory=dict)
    heads: Mapping[str, Sequence[int]] = field(default_factory=dict)
    topics: Mapping[str, Sequence[int]] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    curve: tuple[float, float] = (1.0, 0.0)
    sharpness: float = 2.0
    calm: Mapping[str, int] = field(default_factory=dict)  # the first head again, for a quick look

    def gate_of(self, characters: Collection[str]) -> float:
        """How far the characters alone speak for a case (above 0) or for chatter."""
        return (self.gate.get("", 0) + loudness(characters) * sum(filter(None, map(self.gate.get, characters)))) / SCALE

    def gate_of_findings(self, findings: Iterable[tuple[str, float]]) -> float:
        """What the findings of the tables add to it."""
        look_up = self.gate.get
        return sum(look_up(name, 0) * value for name, value in findings) / SCALE

    def urgent_of(self, characters: Collection[str]) -> float:
        """How far the characters alone sound like danger."""
        return (self.calm.get("", 0) + loudness(characters) * sum(filter(None, map(self.calm.get, characters)))) / SCALE

    def heads_of(self, characters: Collection[str], findings: Iterable[tuple[str, float]]) -> dict[str, float]:
        """The margin of each head."""
        look_up, loud = self.heads.get, loudness(characters)
        constant = look_up("") or (0,) * len(HEADS)
        rows = [row for row in map(look_up, characters) if row is not None]
        sums = map(sum, zip(*rows, strict=True)) if rows else constant
        totals = [one + loud * total for one, total in zip(constant, sums, strict=True)] if rows else list(constant)
        for name, value in findings:
            row = look_up(name)
            if row is not None:
                totals = [total + one * value for total, one in zip(totals, row, strict=True)]
        return {name: total / SCALE for name, total in zip(HEADS, totals, strict=True)}

    def topics_of(self, characters: Collection[str], findings: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
        """The three likeliest topics with their certainty, best first."""
        if not self.codes:
            return []
        totals = [0.0] * len(self.codes)
        loud = loudness(characters)
        for name, value in (("", 1.0), *((name, loud) for name in characters), *findings):
            row = self.topics.get(name, ())
            for place in range(0, len(row), 2):
                totals[row[place]] += row[place + 1] * value
        most = max(totals)
        powers = [math.exp(max(-60.0, (total - most) * self.sharpness / SCALE)) for total in totals]
        whole = sum(powers)
        best = sorted(range(len(totals)), key=totals.__getitem__, reverse=True)[:3]
        return [(self.codes[place], round(powers[place] / whole, 3)) for place in best]

    def likelihood(self, margin: float) -> float:
        """How likely a case is at this margin of the gate."""
        slope, shift = self.curve
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, slope * margin + shift))))

    def strongest(self, characters: Iterable[str], *, count: int = 3) -> list[tuple[str, float]]:
        """The characters and pairs that moved the gate most, with their weights."""
        weighed = [(name, self.gate.get(name, 0) / SCALE) for name in characters if len(name) == 2 and "|" not in name]
        weighed.sort(key=lambda item: (-abs(item[1]), item[0]))
        return [item for item in weighed[:count] if item[1]]


def load_model(path: Path = MODEL) -> Model:
    """The model of a file; raises OSError or ValueError where there is none to read."""
    read = json.loads(path.read_text(encoding="utf-8"))
    return Model(
        read["gate"],
        read["heads"],
        read["topics"],
        tuple(read["codes"]),
        (float(read["curve"][0]), float(read["curve"][1])),
        float(read["sharpness"]),
        {name: row[0] for name, row in read["heads"].items()},
    )


def save_model(model: Model, path: Path) -> None:
    """Writes the whole file beside and moves it into place, so that a reader never sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "gate": model.gate,
        "heads": model.heads,
        "topics": model.topics,
        "codes": model.codes,
        "curve": model.curve,
        "sharpness": model.sharpness,
    }
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(written, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    beside.replace(path)


@cache
def shipped_model() -> Model:
    """The model that comes with the program; an empty one where the file is missing, so that the tables decide alone."""
    try:
        return load_model()
    except FileNotFoundError:
        return Model()
