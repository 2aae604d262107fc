"""Rows of weights that are added many at a time: each row is one large whole number with a lane for each weight.

Python adds two numbers of three hundred bytes in less time than it takes to look at one item of a list.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping

_OFFSET = 1 << 14  # lifts every weight above nought, so that no lane borrows from its neighbour
FINE = 16  # how finely values are told apart


class Lanes:
    """Tables side by side: rows by name, each a text of places (below the table's width) and weights in turn. Packed at
    their first use."""

    def __init__(self, *tables: tuple[Mapping[str, str], int]) -> None:
        self._tables, width = tables, sum(width for _, width in tables)
        self._width = width
        # Every name that has a row; 0 until it is packed.
        self._packed: dict[str, int] = {}
        for rows, _ in tables:
            self._packed.update(dict.fromkeys(rows, 0))
        self._empty = [0.0] * width

    def total(self, names: Iterable[str], loudness: float, values: Iterable[tuple[str, float]]) -> list[float]:
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
        if not weight:
            return self._empty
        lanes = array("I")
        lanes.frombytes(sum_.to_bytes(4 * self._width, sys.byteorder))
        lifted = _OFFSET * weight
        return [(lane - lifted) / FINE for lane in lanes]

    def _pack(self, name: str) -> int:
        """The row as one number, kept. Two threads at once write the same."""
        lanes, shift = array("I", [_OFFSET]) * self._width, 0
        for rows, width in self._tables:
            told = list(map(int, rows.get(name, "").split()))
            for place, weight in zip(told[::2], told[1::2], strict=True):
                lanes[shift + place] = _OFFSET + max(1 - _OFFSET, min(_OFFSET, weight))
            shift += width
        number = self._packed[name] = int.from_bytes(lanes.tobytes(), sys.byteorder)
        return number
