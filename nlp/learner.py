"""A linear support vector machine in plain Python: dual coordinate descent with shrinking, squared hinge loss.

Gives what liblinear gives, needs nothing but the standard library, and is quick enough for ten thousand short lines.
After Hsieh et al., A Dual Coordinate Descent Method for Large-scale Linear SVM, 2008.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul

TOLERANCE = 0.1
_INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Rows:
    """Examples as parallel tuples of feature numbers and values. Feature 0 is the constant 1."""

    numbers: tuple[tuple[int, ...], ...]
    values: tuple[tuple[float, ...], ...]
    width: int

    def pick(self, chosen: Sequence[int]) -> "Rows":
        return Rows(
            tuple(self.numbers[index] for index in chosen), tuple(self.values[index] for index in chosen), self.width
        )

    def only(self, kept: frozenset[int]) -> "Rows":
        """The same examples with these features alone, and the constant."""
        numbers, values = [], []
        for row, value in zip(self.numbers, self.values, strict=True):
            pairs = [pair for pair in zip(row, value, strict=True) if not pair[0] or pair[0] in kept]
            numbers.append(tuple(place for place, _ in pairs))
            values.append(tuple(one for _, one in pairs))
        return Rows(tuple(numbers), tuple(values), self.width)


def number(examples: Sequence[Mapping[str, float]], *, least: int = 1) -> tuple[list[str], Rows]:
    """Names by number, and the examples in numbers; a feature that fewer than `least` examples have is left out."""
    counts: dict[str, int] = {}
    for example in examples:
        for name in example:
            counts[name] = counts.get(name, 0) + 1
    names = ["", *sorted(name for name, count in counts.items() if count >= least)]
    index = {name: place for place, name in enumerate(names)}
    numbers, values = [], []
    for example in examples:
        known = [(index[name], value) for name, value in example.items() if name in index and name]
        numbers.append((0, *(place for place, _ in known)))
        values.append((1.0, *(value for _, value in known)))
    return names, Rows(tuple(numbers), tuple(values), len(names))


def fit(rows: Rows, is_positive: Sequence[bool], *, cost: float, favour: float = 1.0, rounds: int = 60) -> list[float]:
    """The weights that part the positive rows from the others; `favour` is how much more a missed positive costs."""
    signs = [1.0 if positive else -1.0 for positive in is_positive]
    ridge = [0.5 / (cost * favour) if positive else 0.5 / cost for positive in is_positive]
    norms = [sum(map(mul, value, value)) + ridge[row] for row, value in enumerate(rows.values)]
    weights, alphas = [0.0] * rows.width, [0.0] * len(signs)
    numbers, values, look_up = rows.numbers, rows.values, weights.__getitem__
    active = list(range(len(signs)))
    shuffle = random.Random(1).shuffle  # fixed, so that the same files give the same model
    upper, is_whole = _INFINITY, True
    for _ in range(rounds):
        shuffle(active)
        most, least, kept = -_INFINITY, _INFINITY, []
        for row in active:
            sign, alpha = signs[row], alphas[row]
            gradient = sign * sum(map(mul, map(look_up, numbers[row]), values[row])) - 1.0 + alpha * ridge[row]
            if alpha == 0.0 and gradient > upper:
                continue
            kept.append(row)
            projected = min(gradient, 0.0) if alpha == 0.0 else gradient
            most, least = max(most, projected), min(least, projected)
            if projected > 1e-12 or projected < -1e-12:
                alphas[row] = max(alpha - gradient / norms[row], 0.0)
                step = (alphas[row] - alpha) * sign
                for place, value in zip(numbers[row], values[row], strict=True):
                    weights[place] += step * value
        if most - least <= TOLERANCE:
            if is_whole:
                break
            active, upper, is_whole = list(range(len(signs))), _INFINITY, True
        else:
            active, upper, is_whole = kept, most if most > 0 else _INFINITY, len(kept) == len(signs)
    return weights


def margins(rows: Rows, weights: Sequence[float]) -> list[float]:
    """How far each row lies on the positive side."""
    look_up = weights.__getitem__
    return [
        sum(map(mul, map(look_up, numbers), values)) for numbers, values in zip(rows.numbers, rows.values, strict=True)
    ]


def fit_each(rows: Rows, labels: Sequence[str], *, cost: float, names: Sequence[str] = ()) -> dict[str, list[float]]:
    """One against the rest, for each label."""
    return {label: fit(rows, [one == label for one in labels], cost=cost) for label in (names or sorted(set(labels)))}


def parts(count: int, folds: int) -> list[list[int]]:
    """The numbers below `count` in so many parts, dealt out by a fixed shuffle."""
    order = list(range(count))
    random.Random(7).shuffle(order)
    return [sorted(order[start::folds]) for start in range(folds)]


def calibrate(margin: Sequence[float], is_true: Sequence[bool]) -> tuple[float, float]:
    """Slope and shift of the curve that turns a margin into a likelihood (Platt's, by Newton's steps)."""
    slope, shift = 1.0, 0.0
    for _ in range(30):
        g0 = g1 = h00 = h01 = h11 = 1e-9
        for value, true in zip(margin, is_true, strict=True):
            likely = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, slope * value + shift))))
            error, curve = likely - true, likely * (1.0 - likely)
            g0, g1 = g0 + error * value, g1 + error
            h00, h01, h11 = h00 + curve * value * value, h01 + curve * value, h11 + curve
        determinant = h00 * h11 - h01 * h01
        if abs(determinant) < 1e-12:
            break
        down, aside = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        slope, shift = slope - down, shift - aside
        if abs(down) + abs(aside) < 1e-6:
            break
    return round(slope, 4), round(shift, 4)
