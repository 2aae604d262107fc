"""The trained model: a table of weights per character, pair and finding. Reading and scoring only; `train` makes it.

The file is JSON with whole numbers (weights times 1000): small, quick to read, and the sums are exact.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

from nlp.features import EDGE, loudness
from nlp.lanes import Lanes
from nlp.tables import DATA, KINDS

MODEL = DATA / "model" / "group-talk.json"
SCALE = 1000.0
BY_MODEL = "model"  # what a reason speaks for that the model gave


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by feature. A row of `kinds` or `topics` is text, "place weight place weight …", read when first asked for:
    to read all of them at the start would cost more than everything else of it."""

    gate: Mapping[str, int] = field(default_factory=dict)
    urgent: Mapping[str, int] = field(default_factory=dict)
    emergency: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    curve: tuple[float, float] = (1.0, 0.0)
    sharpness: float = 4.0
    _kind_lanes: Lanes = field(init=False, repr=False, compare=False)
    _topic_lanes: Lanes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kind_lanes", Lanes(self.kinds, len(KINDS)))
        object.__setattr__(self, "_topic_lanes", Lanes(self.topics, len(self.codes)))

    def gate_of(self, characters: Collection[str]) -> float:
        """How far the characters alone speak for a case (above 0) or for chatter."""
        return (self.gate.get("", 0) + loudness(characters) * sum(filter(None, map(self.gate.get, characters)))) / SCALE

    def gate_of_findings(self, findings: Iterable[tuple[str, float]]) -> float:
        """What the findings of the tables add to it."""
        look_up = self.gate.get
        return sum(look_up(name, 0) * value for name, value in findings) / SCALE

    def urgent_of(self, characters: Collection[str]) -> float:
        """How far the characters alone sound like danger."""
        look_up = self.urgent.get
        return (look_up("", 0) + loudness(characters) * sum(filter(None, map(look_up, characters)))) / SCALE

    def danger_of(self, characters: Collection[str], findings: Iterable[tuple[str, float]]) -> tuple[float, float]:
        """The margins of urgent and of emergency; asked of every line that is not plainly chatter."""
        loud = loudness(characters)
        sums = []
        for weights in (self.urgent, self.emergency):
            look_up = weights.get
            told = sum([look_up(name, 0) * value for name, value in findings])
            sums.append((look_up("", 0) + loud * sum(filter(None, map(look_up, characters))) + told) / SCALE)
        return sums[0], sums[1]

    def kinds_of(self, characters: Collection[str], findings: Iterable[tuple[str, float]]) -> dict[str, float]:
        """The margin of each kind of case."""
        totals = self._kind_lanes.total(characters, loudness(characters), findings)
        return {name: total / SCALE for name, total in zip(KINDS, totals, strict=True)}

    def topics_of(self, characters: Collection[str], findings: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
        """The three likeliest topics with their certainty, best first."""
        if not self.codes:
            return []
        totals = self._topic_lanes.total(characters, loudness(characters), findings)
        sharp, most = self.sharpness / SCALE, max(totals)
        # What lies so far behind adds nothing to the whole.
        near = [(math.exp((total - most) * sharp), place) for place, total in enumerate(totals) if total > most - 1500]
        near.sort(reverse=True)
        whole = sum([power for power, _ in near])
        return [(self.codes[place], round(power / whole, 3)) for power, place in near[:3]]

    def likelihood(self, margin: float) -> float:
        """How likely a case is at this margin of the gate."""
        slope, shift = self.curve
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, slope * margin + shift))))

    def strongest(self, characters: Iterable[str], *, count: int = 3) -> list[tuple[str, float]]:
        """The characters and pairs that moved the gate most, with their weights."""
        gate = self.gate
        weighed = [
            (abs(gate[name]), name) for name in characters if name in gate and len(name) == 2 and EDGE not in name
        ]
        weighed.sort(reverse=True)
        return [(name, gate[name] / SCALE) for _, name in weighed[:count]]


def load_model(path: Path = MODEL) -> Model:
    """The model of a file; raises OSError or ValueError where there is none to read."""
    read = json.loads(path.read_text(encoding="utf-8"))
    return Model(
        read["gate"],
        read["urgent"],
        read["emergency"],
        read["kinds"],
        read["topics"],
        codes=tuple(read["codes"]),
        curve=(float(read["curve"][0]), float(read["curve"][1])),
        sharpness=float(read["sharpness"]),
    )


def save_model(model: Model, path: Path) -> None:
    """Writes the whole file beside and moves it into place, so that a reader never sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {one.name: getattr(model, one.name) for one in fields(model) if one.init}
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
