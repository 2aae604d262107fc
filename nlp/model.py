"""The trained model: weights and a vector per character, pair and finding. Reading and scoring only; `train` makes it.

The file is JSON with whole numbers (weights times 1000): small, quick to read, and the sums are exact.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from operator import mul
from pathlib import Path
from typing import NamedTuple

import msgspec

from nlp.features import EDGE, loudness
from nlp.lanes import FINE, Lanes, Table, Total, dense
from nlp.tables import DATA, KINDS

MODEL = DATA / "model" / "group-talk.json"
SCALE = 1000.0
_FINEST = SCALE * FINE  # of the sums of lanes
BEHIND = 1.5  # a topic whose margin is so much less than the best one has no part in its certainty
# Of the first margin: a line on this side is not looked at further.
SURE_CHATTER = -0.4
BY_MODEL = "model"  # what a reason speaks for that the model gave
# What the plain sums count beside the network, of the first look in the gate and of each their own in urgency: one errs where
# the other does not.
FIRST_SHARE, OWN_SHARE = 0.2, 0.5
_WIDE = 32  # bits of one of the three weights
_LANE = (1 << _WIDE) - 1
_LIFT = 1 << 18  # lifts every weight above nought, so that none borrows from its neighbour


class Margins(NamedTuple):
    """How far a line lies on the side of a case, of danger and of an emergency; 0 is the border.

    `first` is what a model of characters alone says of a case: it knows nothing of findings, and so can tell before any are looked for.
    """

    first: float
    gate: float
    urgent: float
    emergency: float


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by feature. A row of `kinds` or `topics` is a sparse one of nlp/lanes.py, one of `vectors` a dense one; they are
    read when first asked for: to read all of them at the start would cost more than everything else of it. `units` weighs what of the sum of the vectors is above nought, for the gate, urgent and emergency;
    each ends with a constant."""

    first: Mapping[str, int] = field(default_factory=dict)
    urgent: Mapping[str, int] = field(default_factory=dict)
    emergency: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, str] = field(default_factory=dict)
    units: tuple[tuple[float, ...], ...] = ()
    codes: tuple[str, ...] = ()
    curve: tuple[float, float] = (1.0, 0.0)
    sharpness: float = 4.0
    _margins: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _lanes: Lanes = field(init=False, repr=False, compare=False)
    _ends: tuple[int, ...] = field(init=False, repr=False, compare=False)  # of kinds, topics and vectors, in a total
    _nothing: Margins = field(init=False, repr=False, compare=False)  # of a text of nothing

    def __post_init__(self) -> None:
        heads = (self.first, self.urgent, self.emergency)
        object.__setattr__(self, "_margins", _packed(heads))
        first, urgent, emergency = (head.get("", 0) / SCALE for head in heads)
        object.__setattr__(self, "_nothing", Margins(first, first, urgent, emergency))
        size = len(self.units[0]) - 1 if self.units else 0
        tables = Table(self.kinds, len(KINDS)), Table(self.topics, len(self.codes)), Table(self.vectors, size, dense)
        object.__setattr__(self, "_lanes", Lanes(*tables))
        object.__setattr__(self, "_ends", tuple(accumulate(table.width for table in tables)))

    def margins_of(self, characters: Collection[str]) -> Margins:
        """How far the characters alone speak for a case (above 0) or for chatter, and how far they sound like danger."""
        numbers = list(filter(None, map(self._margins.get, characters)))
        total, lifted = sum(numbers), _LIFT * len(numbers)
        first, _, urgent, emergency = self._nothing
        loud = loudness(characters) / SCALE
        first += loud * ((total & _LANE) - lifted)
        return Margins(
            first,
            first,
            urgent + loud * ((total >> _WIDE & _LANE) - lifted),
            emergency + loud * ((total >> 2 * _WIDE) - lifted),
        )

    def total_of(self, characters: Collection[str], findings: Iterable[tuple[str, float]]) -> Total:
        """What a line's characters and findings say to kinds and topics, and the sum of their vectors, all in one look."""
        return self._lanes.total(characters, loudness(characters), findings)

    def with_findings(self, margins: Margins, findings: Iterable[tuple[str, float]], total: Total) -> Margins:
        """The same margins with what the findings of the tables add, and what the network says of all."""
        first, gate, urgent, emergency = margins
        look_up = self._margins.get
        for name, value in findings:
            number = look_up(name)
            if number:
                share = value / SCALE
                urgent += ((number >> _WIDE & _LANE) - _LIFT) * share
                emergency += ((number >> 2 * _WIDE) - _LIFT) * share
        if not self.units:
            return Margins(first, gate, urgent, emergency)
        heard = total.above_nought(*self._ends[1:])
        heard.append(FINE)
        gate, dangerous, at_once = [sum(map(mul, units, heard)) / FINE for units in self.units]
        return Margins(
            first, FIRST_SHARE * first + gate, OWN_SHARE * urgent + dangerous, OWN_SHARE * emergency + at_once
        )

    @staticmethod
    def kinds_in(total: Total) -> dict[str, float]:
        """The margin of each kind of case."""
        return {name: sum_ / _FINEST for name, sum_ in zip(KINDS, total.part(0, len(KINDS)), strict=True)}

    def topics_in(self, total: Total) -> list[tuple[str, float]]:
        """The three likeliest topics with their certainty, best first."""
        if not self.codes:
            return []
        sums = total.lanes[self._ends[0] : self._ends[1]]
        sharp, most = self.sharpness / _FINEST, max(sums)
        # What lies so far behind adds nothing to the whole.
        least = most - round(BEHIND * _FINEST)
        near = sorted([(sum_, place) for place, sum_ in enumerate(sums) if sum_ > least], reverse=True)
        powers = [math.exp((sum_ - most) * sharp) for sum_, _ in near]
        whole = sum(powers)
        return [
            (self.codes[place], round(power / whole, 3)) for (_, place), power in zip(near[:3], powers, strict=False)
        ]

    def likelihood(self, margin: float) -> float:
        """How likely a case is at this margin of the gate."""
        slope, shift = self.curve
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, slope * margin + shift))))

    def strongest(self, characters: Iterable[str], *, count: int = 3) -> list[tuple[str, float]]:
        """The pairs of characters that moved the first look most, with their weights."""
        look_up = self._margins.get
        weighed = [
            (abs(weight), name, weight)
            for name in characters
            if len(name) == 2
            and (number := look_up(name))
            and (weight := (number & _LANE) - _LIFT)
            and EDGE not in name
        ]
        weighed.sort(reverse=True)
        return [(name, weight / SCALE) for _, name, weight in weighed[:count]]


class _File(msgspec.Struct, tag_field="form", tag="characters"):
    """What a model's file holds, in the order of the model's own parts. One of another form is refused."""

    first: dict[str, int]
    urgent: dict[str, int]
    emergency: dict[str, int]
    kinds: dict[str, str]
    topics: dict[str, str]
    vectors: dict[str, str]
    units: tuple[tuple[float, ...], ...]
    codes: tuple[str, ...]
    curve: tuple[float, float]
    sharpness: float


_file = msgspec.json.Decoder(_File)


def _packed(heads: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The weights of a name side by side in one number, so that a line is looked through once for all heads."""
    packed: dict[str, int] = {}
    nothing = sum(_LIFT << place * _WIDE for place in range(len(heads)))
    for place, head in enumerate(heads):
        shift, look_up = place * _WIDE, packed.get
        for name, weight in head.items():
            packed[name] = look_up(name, nothing) + (weight << shift)
    return packed


def load_model(path: Path = MODEL) -> Model:
    """The model of a file; raises OSError or ValueError where there is none to read."""
    return Model(*msgspec.structs.astuple(_file.decode(path.read_bytes())))


def save_model(model: Model, path: Path) -> None:
    """Writes the whole file beside and moves it into place, so that a reader never sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _File(*(getattr(model, name) for name in _File.__struct_fields__))
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(written))
    beside.replace(path)


@cache
def shipped_model() -> Model:
    """The model that comes with the program; an empty one where the file is missing, so that the tables decide alone."""
    try:
        return load_model()
    except FileNotFoundError:
        return Model()
