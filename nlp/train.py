"""Training the model from labelled lines, and what cross-checking says about it. Plain Python; half a minute for all seeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.classify import Classifier, shipped_classifier
from nlp.evaluate import interval
from nlp.features import characters, featurise
from nlp.learner import Rows, calibrate, fit, fit_each, margins, number, parts
from nlp.model import SCALE, SURE_CHATTER, Model, save_model
from nlp.normalise import normalise
from nlp.seeds import Seed, read_seeds
from nlp.tables import KINDS, Fault
from nlp.typos import mend

COST = 0.1
URGENT_FAVOUR = 3.0  # a danger passed over is worse than one too many
FOLDS = 5
CURVE = (3.33, 0.15)  # of the shipped model, where no cross-checking is wanted
MADE = "made"
_SMALLEST = 0.02  # weights below are dropped: a tenth of a percent of any decision


@dataclass(frozen=True, slots=True)
class Training:
    """What was trained on, the cross-checked figures (name to value, of how many, 95 % interval), and what was skipped."""

    lines: int
    figures: Mapping[str, tuple[float, int, tuple[float, float]]]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """All heads as the learner gives them."""

    first: list[float]
    gate: list[float]
    urgent: list[float]
    emergency: list[float]
    kinds: dict[str, list[float]]
    topics: dict[str, list[float]]


def train(files: Sequence[Path], out: Path, *, cross_check: bool = True) -> Training:
    """Trains on all lines of the files, writes the model to `out`, and tells what five-fold cross-checking shows."""
    seeds, faults = read_seeds(files)
    names, rows = prepare(seeds)
    plain = rows.only(of_characters(names))
    crossed = cross(seeds, rows, plain) if cross_check else None
    own = [place for place, seed in enumerate(seeds) if seed.note != MADE]
    curve = (
        calibrate([crossed.gate[place] for place in own], [seeds[place].is_case for place in own]) if crossed else CURVE
    )
    save_model(export(names, learn(seeds, rows, plain), curve), out)
    figures = measure(seeds, crossed) if crossed else {}
    return Training(len(seeds), figures, tuple(faults))


def prepare(seeds: Iterable[Seed], classifier: Classifier | None = None) -> tuple[list[str], Rows]:
    """The seeds as rows of features."""
    classifier = classifier or shipped_classifier()
    texts = [mend(text, characters(text)) for text in (normalise(seed.text) for seed in seeds)]
    return number([featurise(text, classifier.score(text)) for text in texts])


def of_characters(names: Sequence[str]) -> frozenset[int]:
    """The numbers of single characters and pairs; names of findings are longer."""
    return frozenset(place for place, name in enumerate(names) if 0 < len(name) <= 2)


def learn(seeds: Sequence[Seed], rows: Rows, plain: Rows) -> Weights:
    """All heads. Kind and topic are learned from the cases only: the gate has decided before. `plain` are the rows with
    nothing but characters, for the first look."""
    cases = [place for place, seed in enumerate(seeds) if seed.is_case]
    of_cases = rows.pick(cases)
    told = [place for place in cases if seeds[place].topic]
    return Weights(
        fit(plain, [seed.is_case for seed in seeds], cost=COST),
        fit(rows, [seed.is_case for seed in seeds], cost=COST),
        fit(rows, [seed.urgency != "normal" for seed in seeds], cost=COST, favour=URGENT_FAVOUR),
        fit(rows, [seed.urgency == "emergency" for seed in seeds], cost=COST, favour=URGENT_FAVOUR),
        fit_each(of_cases, [seeds[place].kind for place in cases], cost=COST, names=KINDS),
        fit_each(rows.pick(told), [seeds[place].topic for place in told], cost=COST),
    )


def export(names: Sequence[str], weights: Weights, curve: tuple[float, float]) -> Model:
    """The model with whole numbers and without what is next to nothing."""
    return Model(
        _single(names, weights.first),
        _single(names, weights.gate),
        _single(names, weights.urgent),
        _single(names, weights.emergency),
        _beside(names, [weights.kinds[kind] for kind in KINDS]),
        _beside(names, list(weights.topics.values())),
        codes=tuple(weights.topics),
        curve=curve,
    )


def _single(names: Sequence[str], head: Sequence[float]) -> dict[str, int]:
    return {
        name: round(weight * SCALE)
        for name, weight in zip(names, head, strict=True)
        if abs(weight) >= _SMALLEST or not name
    }


def _beside(names: Sequence[str], heads: Sequence[Sequence[float]]) -> dict[str, str]:
    """For each feature the numbers of the heads that it speaks to, each with its weight."""
    rows = {}
    for place, name in enumerate(names):
        row = [
            f"{number_} {round(head[place] * SCALE)}"
            for number_, head in enumerate(heads)
            if abs(head[place]) >= _SMALLEST or not name
        ]
        if row:
            rows[name] = " ".join(row)
    return rows


@dataclass(frozen=True, slots=True)
class Crossed:
    """For each seed what was said by the weights that had not seen it."""

    first: list[float]
    gate: list[float]
    urgent: list[float]
    kind: list[str]
    topics: list[list[str]]


def cross(seeds: Sequence[Seed], rows: Rows, plain: Rows, folds: int = FOLDS) -> Crossed:
    """Trains `folds` times, each time without one part, and asks about that part."""
    count = len(seeds)
    crossed = Crossed([0.0] * count, [0.0] * count, [0.0] * count, [""] * count, [[] for _ in range(count)])
    for part in parts(count, folds):
        out = set(part)
        kept = [place for place in range(count) if place not in out]
        weights = learn([seeds[place] for place in kept], rows.pick(kept), plain.pick(kept))
        asked, first = rows.pick(part), margins(plain.pick(part), weights.first)
        gate, urgent = margins(asked, weights.gate), margins(asked, weights.urgent)
        kinds = {kind: margins(asked, one) for kind, one in weights.kinds.items()}
        topics = {code: margins(asked, one) for code, one in weights.topics.items()}
        for index, place in enumerate(part):
            crossed.first[place], crossed.gate[place], crossed.urgent[place] = first[index], gate[index], urgent[index]
            crossed.kind[place] = max(kinds, key=lambda kind: kinds[kind][index])
            crossed.topics[place] = sorted(topics, key=lambda code: -topics[code][index])[:3]
    return crossed


def measure(seeds: Sequence[Seed], crossed: Crossed) -> dict[str, tuple[float, int, tuple[float, float]]]:
    """The figures of the model alone, at margin 0. Lines put together from patterns are learned from, not counted: those of
    one pattern are so alike that knowing one is knowing all."""
    pairs = [(seed, place) for place, seed in enumerate(seeds) if seed.note != MADE]
    fired = [(seed, place) for seed, place in pairs if crossed.gate[place] > 0]
    called = [(seed, place) for seed, place in pairs if crossed.urgent[place] > 0]
    cases = [(seed, place) for seed, place in pairs if seed.is_case]
    chatter = [(seed, place) for seed, place in pairs if not seed.is_case]
    urgent = [(seed, place) for seed, place in cases if seed.urgency != "normal"]
    told = [(seed, place) for seed, place in cases if seed.topic]
    counted = {
        "precision": (sum(seed.is_case for seed, _ in fired), len(fired)),
        "recall": (sum(crossed.gate[place] > 0 for _, place in cases), len(cases)),
        "false_alarms": (sum(crossed.gate[place] > 0 for _, place in chatter), len(chatter)),
        "ended_at_first_look": (sum(crossed.first[place] < SURE_CHATTER for _, place in chatter), len(chatter)),
        "lost_at_first_look": (sum(crossed.first[place] < SURE_CHATTER for _, place in cases), len(cases)),
        "kind_of_cases": (sum(crossed.kind[place] == seed.kind for seed, place in cases), len(cases)),
        "urgent_recall": (sum(crossed.urgent[place] > 0 for _, place in urgent), len(urgent)),
        "urgent_precision": (sum(seed.urgency != "normal" for seed, _ in called), len(called)),
        "topic": (sum(crossed.topics[place][:1] == [seed.topic] for seed, place in told), len(told)),
        "topic_in_three": (sum(seed.topic in crossed.topics[place] for seed, place in told), len(told)),
    }
    return {
        name: (round(part / whole, 4), whole, _interval(part, whole))
        for name, (part, whole) in counted.items()
        if whole
    }


def _interval(part: int, whole: int) -> tuple[float, float]:
    low, high = interval(part, whole) or (0.0, 1.0)
    return low, high
