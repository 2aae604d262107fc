"""Training topics alone from long labelled texts, such as petitions: words and pairs of characters, weighed by rarity.

Rows are {text, label} and perhaps {title}. A text that was cut into words before (tokens apart by spaces) is taken so.
The same learner as for the group's talk; the figures are what it is worth on texts it has not seen.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from nlp.evaluate import interval
from nlp.learner import Rows, fit_each, margins, number, parts
from nlp.normalise import normalise
from nlp.segment import Segmenter, build_segmenter
from nlp.topics import shipped_tables

COST = 1.0
LEAST = 2  # a feature of one text alone teaches nothing
_NOT_WORDS = re.compile(r"[^\u4e00-\u9fffa-z]+")


@dataclass(frozen=True, slots=True)
class Petition:
    """A text with its topic; `is_cut` when it is tokens already."""

    text: str
    label: str
    is_cut: bool = False


def read_petitions(rows: Sequence[Mapping[str, object]]) -> list[Petition]:
    """A title stands for twice itself: it says what the text is about."""
    read = []
    for row in rows:
        title, text = str(row.get("title") or ""), str(row.get("text") or "")
        tokens = text.split()
        is_cut = len(tokens) > 5 and sum(map(len, tokens)) < 4 * len(tokens)
        read.append(Petition(text if is_cut else f"{title} {title} {text}", str(row.get("label")), is_cut))
    return read


def describe(petition: Petition, segmenter: Segmenter) -> dict[str, float]:
    """How often each word and each pair of characters stands in it, flattened."""
    text = normalise(petition.text)
    words = text.split() if petition.is_cut else segmenter.cut(text)
    counts = Counter(f"w:{word}" for word in words if not _NOT_WORDS.fullmatch(word))
    for run in _NOT_WORDS.split(text):
        counts.update(map("".join, pairwise(run)))
    return {name: 1.0 + math.log(count) for name, count in counts.items()}


def weigh(rows: Rows, rarity: Sequence[float]) -> Rows:
    """The rows with rare features louder, each row as loud as the next."""
    weighed = []
    for numbers, values in zip(rows.numbers, rows.values, strict=True):
        louder = [value * rarity[place] for place, value in zip(numbers[1:], values[1:], strict=True)]
        size = math.sqrt(sum(value * value for value in louder)) or 1.0
        weighed.append((1.0, *(value / size for value in louder)))
    return Rows(rows.numbers, tuple(weighed), rows.width)


def rarities(rows: Rows) -> list[float]:
    """For each feature how few of the rows have it."""
    counts = [0] * rows.width
    for numbers in rows.numbers:
        for place in numbers:
            counts[place] += 1
    total = 1 + len(rows.numbers)
    return [math.log(total / (1 + count)) + 1.0 for count in counts]


def train_topics(petitions: Sequence[Petition], out: Path) -> None:
    """Writes the weights of all labels as JSON: {labels, rarity, weights}, by feature."""
    segmenter = build_segmenter(shipped_tables().words)
    names, rows = number([describe(one, segmenter) for one in petitions], least=LEAST)
    rarity = rarities(rows)
    weights = fit_each(weigh(rows, rarity), [one.label for one in petitions], cost=COST)
    table = {
        name: [round(rarity[place], 3), *(round(head[place], 3) for head in weights.values())]
        for place, name in enumerate(names)
    }
    written = json.dumps({"labels": list(weights), "weights": table}, ensure_ascii=False, separators=(",", ":"))
    out.write_text(written, encoding="utf-8")


def cross_check(petitions: Sequence[Petition], folds: int = 5) -> dict[str, tuple[float, int, tuple[float, float]]]:
    """Macro-F1, accuracy and the share with the right label among three, asked of whole texts only."""
    segmenter = build_segmenter(shipped_tables().words)
    described = [describe(one, segmenter) for one in petitions]
    whole = [place for place, one in enumerate(petitions) if not one.is_cut] or list(range(len(petitions)))
    cut = sorted(set(range(len(petitions))) - set(whole))
    said: dict[int, list[str]] = {}
    for part in parts(len(whole), folds):
        asked = [whole[place] for place in part]
        out = set(asked)
        kept = [*(place for place in whole if place not in out), *cut]
        said.update(_ask(described, [petitions[place].label for place in kept], kept, asked))
    labels = sorted({one.label for one in petitions})
    right = sum(said[place][0] == petitions[place].label for place in whole)
    near = sum(petitions[place].label in said[place] for place in whole)
    scores = [_f1([(petitions[place].label == label, said[place][0] == label) for place in whole]) for label in labels]
    return {
        "macro_f1": (round(sum(scores) / len(scores), 4), len(labels), (min(scores), max(scores))),
        "accuracy": _rate(right, len(whole)),
        "in_three": _rate(near, len(whole)),
    }


def _ask(
    described: Sequence[Mapping[str, float]], labels: Sequence[str], kept: Sequence[int], asked: Sequence[int]
) -> dict[int, list[str]]:
    """The three best labels of each asked row, by weights learned from the kept ones."""
    names, rows = number([described[place] for place in kept], least=LEAST)
    rarity = rarities(rows)
    weights = fit_each(weigh(rows, rarity), labels, cost=COST)
    index = {name: place for place, name in enumerate(names) if name}
    found = [[(index[name], value) for name, value in described[place].items() if name in index] for place in asked]
    rows = Rows(
        tuple((0, *(place for place, _ in row)) for row in found),
        tuple((1.0, *(value for _, value in row)) for row in found),
        len(names),
    )
    heads = {label: margins(weigh(rows, rarity), head) for label, head in weights.items()}
    return {place: sorted(heads, key=lambda label: -heads[label][row])[:3] for row, place in enumerate(asked)}


def _f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    both = sum(true and said for true, said in pairs)
    either = sum(true for true, _ in pairs) + sum(said for _, said in pairs)
    return round(2 * both / either, 4) if either else 0.0


def _rate(part: int, whole: int) -> tuple[float, int, tuple[float, float]]:
    low, high = interval(part, whole) or (0.0, 1.0)
    return round(part / whole, 4), whole, (low, high)
