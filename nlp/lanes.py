"""Rows of weights that are added many at a time: each row is one large whole number with a lane for each weight.

Python adds two numbers of three hundred bytes in less time than it takes to look at one item of a list.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

_OFFSET = 1 << 14  # lifts every weight above nought, so that no lane borrows from its neighbour
FINE = 64  # how finely values are told apart
# A dense row is one character for each weight: whole numbers from -REACH to REACH, all of them printed ASCII.
_NOUGHT = ord("P")
REACH = 45
# A sparse row is three for each: the place, and the weight in two digits to this base, also printed ASCII.
_BASE, _FIRST = 92, ord("#")
_LIFT = _BASE * _BASE // 2

Told = Iterable[tuple[int, int]]


def sparse(row: str) -> Told:
    """Places and weights of a text with three characters for each."""
    places, highs, lows = (map(ord, row[start::3]) for start in range(3))
    for place, high, low in zip(places, highs, lows, strict=True):
        yield place - _FIRST, (high - _FIRST) * _BASE + low - _FIRST - _LIFT


def as_sparse(told: Told) -> str:
    """The text of a sparse row, of places below 92; a weight beyond 4231 is cut."""
    written: list[str] = []
    for place, weight in told:
        high, low = divmod(_LIFT + max(1 - _LIFT, min(_LIFT - 1, weight)), _BASE)
        written += (chr(_FIRST + place), chr(_FIRST + high), chr(_FIRST + low))
    return "".join(written)


def dense(row: str) -> Told:
    """Places and weights of a text with one character for each place."""
    return ((place, ord(character) - _NOUGHT) for place, character in enumerate(row))


def as_dense(weights: Sequence[int]) -> str:
    """The text of a dense row; what reaches too far is cut."""
    return "".join(chr(_NOUGHT + max(-REACH, min(REACH, weight))) for weight in weights)


class Table(NamedTuple):
    """Rows by name, each a text that `read` turns into places (below `width`) and weights."""

    rows: Mapping[str, str]
    width: int
    read: Callable[[str], Told] = sparse


class Total(NamedTuple):
    """A sum of rows, lane by lane; each is read only where it is asked for."""

    lanes: "array[int]"
    lifted: int

    def part(self, start: int, end: int) -> list[int]:
        """The sums of these lanes, times FINE."""
        lifted = self.lifted
        return [lane - lifted for lane in self.lanes[start:end]]

    def above_nought(self, start: int, end: int) -> list[int]:
        """The same, and 0 for what is below it."""
        lifted = self.lifted
        return [lane - lifted if lane > lifted else 0 for lane in self.lanes[start:end]]


class Lanes:
    """Tables side by side, so that a name is looked up once for all of them. Rows are packed at their first use."""

    def __init__(self, *tables: Table) -> None:
        self._tables, self._width = tables, sum(table.width for table in tables)
        # Every name that has a row; 0 until it is packed.
        self._packed: dict[str, int] = {}
        for table in tables:
            self._packed.update(dict.fromkeys(table.rows, 0))

    def total(self, names: Iterable[str], loudness: float, values: Iterable[tuple[str, float]]) -> Total:
        """The sum of the named rows, each times `loudness`, of the valued rows, and of the constant row ""."""
        look_up, load = self._packed.get, self._pack
        numbers = [number or load(name) for name in names if (number := look_up(name)) is not None]
        loud = round(loudness * FINE)
        sum_, weight = sum(numbers) * loud, len(numbers) * loud
        for name, value in (("", 1.0), *values):
            number, times = look_up(name), int(value * FINE + 0.5)
            if number is not None and times > 0:
                sum_ += (number or load(name)) * times
                weight += times
        lanes = array("I")
        lanes.frombytes(sum_.to_bytes(4 * self._width, sys.byteorder))
        return Total(lanes, _OFFSET * weight)

    def _pack(self, name: str) -> int:
        """The row as one number, kept. Two threads at once write the same."""
        lanes, shift = array("I", [_OFFSET]) * self._width, 0
        for rows, width, read in self._tables:
            for place, weight in read(rows.get(name, "")):
                lanes[shift + place] = _OFFSET + max(1 - _OFFSET, min(_OFFSET, weight))
            shift += width
        number = self._packed[name] = int.from_bytes(lanes.tobytes(), sys.byteorder)
        return number
