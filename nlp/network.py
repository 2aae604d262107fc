"""A small network in plain Python: every feature is a vector, a line is the sum of its vectors, and what of that sum is above nought
speaks to every head.

The heads share the vectors: what tells kinds and topics apart helps to tell a case from talk, and two features together may
say what neither says alone, which no sum of weights can. Learned line by line by Adagrad; at each line some features and some units
are left out by chance, so that none comes to rely on another.
After Duchi et al., Adaptive Subgradient Methods, 2011, and Srivastava et al., Dropout, 2014.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

from nlp.learner import Rows

SIZE = 32  # numbers in a vector
ROUNDS = 10
LEAST_STEPS = 2000  # so few lines are gone through more often
HIDDEN_FEATURES, HIDDEN_UNITS = 0.3, 0.3  # the share left out at each line
_RATE = 0.1
_FELT = 1.0  # what every weight is taken to have felt before the first line: keeps its first steps small
_SMALL = 0.003  # an error so small teaches nothing
_FARTHEST = 30.0


@dataclass(frozen=True, slots=True)
class Network:
    """A vector for each feature number, and for each head a weight for each of the vector's numbers, and its constant."""

    vectors: list[list[float]]
    heads: list[list[float]]

    def margins(self, rows: Rows, head: int = 0) -> list[float]:
        """How far each row lies on the positive side of one head, as the logarithm of the odds."""
        *weights, constant = self.heads[head]
        look_up, said = self.vectors.__getitem__, []
        for numbers, values in zip(rows.numbers, rows.values, strict=True):
            sums = [sum(map(mul, column, values)) for column in zip(*map(look_up, numbers), strict=True)]
            said.append(constant + sum([weight * sum_ for weight, sum_ in zip(weights, sums, strict=True) if sum_ > 0]))
        return said


class Lesson(NamedTuple):
    """What a row teaches: the heads it is positive for, and how many of the heads, from the first, it is asked of at all."""

    positive: frozenset[int]
    asked: int


def fit_network(
    rows: Rows, told: Sequence[Lesson], shares: Sequence[float], *, size: int = SIZE, rounds: int = ROUNDS
) -> Network:
    """Learns from rows and what each teaches; `shares` is how much each head counts."""
    learner = _Learner(rows.width, shares, size)
    order = list(range(len(told)))
    for _ in range(max(rounds, LEAST_STEPS // max(1, len(order)))):
        learner.chance.shuffle(order)
        for row in order:
            learner.learn(rows.numbers[row], rows.values[row], told[row])
    return Network(learner.vectors, learner.heads)


class _Learner:
    """A network while it learns, with the squares of all that each weight has felt so far."""

    def __init__(self, width: int, shares: Sequence[float], size: int) -> None:
        self.chance = random.Random(1)  # fixed, so that the same files give the same model
        near = self.chance.gauss
        self.vectors = [[0.0] * size, *([near(0.0, 0.1) for _ in range(size)] for _ in range(width - 1))]
        self.heads = [[*(near(0.0, 1 / math.sqrt(size)) for _ in range(size)), 0.0] for _ in shares]
        self._size, self._shares = size, list(enumerate(shares))
        self._felt = [_FELT] * width
        self._felt_by_heads = [[_FELT] * (size + 1) for _ in shares]

    def learn(self, numbers: Sequence[int], values: Sequence[float], told: Lesson) -> None:
        """One step down for one line."""
        drawn, louder = self.chance.random, 1 / (1 - HIDDEN_FEATURES)
        seen = [
            (number, value * louder)
            for number, value in zip(numbers, values, strict=True)
            if not number or drawn() > HIDDEN_FEATURES
        ]
        weights = [value for _, value in seen]
        units, said = [], []
        for unit, column in enumerate(zip(*[self.vectors[number] for number, _ in seen], strict=True)):
            if drawn() > HIDDEN_UNITS and (sum_ := sum(map(mul, column, weights))) > 0:
                units.append(unit)
                said.append(sum_ / (1 - HIDDEN_UNITS))
        back = self._correct_heads([*units, self._size], [*said, 1.0], told)
        if units:
            steps = [(unit, error / (1 - HIDDEN_UNITS)) for unit, error in zip(units, back, strict=False)]
            self._correct_vectors(seen, steps)

    def _correct_heads(self, units: list[int], said: list[float], told: Lesson) -> list[float]:
        """What each unit should have said less of, after the heads have learned."""
        back = [0.0] * len(units)
        for number, share in self._shares[: told.asked]:
            head = self.heads[number]
            weights = [head[unit] for unit in units]
            sum_ = max(-_FARTHEST, min(_FARTHEST, sum(map(mul, weights, said))))
            error = (1 / (1 + math.exp(-sum_)) - (number in told.positive)) * share
            if -_SMALL < error < _SMALL:
                continue
            back = [before + error * weight for before, weight in zip(back, weights, strict=True)]
            felt = self._felt_by_heads[number]
            for unit, one in zip(units, said, strict=True):
                slope = error * one
                felt[unit] += slope * slope
                head[unit] -= _RATE * slope / math.sqrt(felt[unit])
        return back

    def _correct_vectors(self, seen: list[tuple[int, float]], steps: list[tuple[int, float]]) -> None:
        strength, felt = sum([error * error for _, error in steps]) / self._size, self._felt
        for number, value in seen:
            felt[number] += value * value * strength
            rate, vector = _RATE * value / math.sqrt(felt[number]), self.vectors[number]
            for unit, error in steps:
                vector[unit] -= rate * error
