"""Training the model from labelled lines, and what cross-checking says about it. Plain Python; some minutes for all seeds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from nlp.classify import Classifier, shipped_classifier
from nlp.evaluate import interval
from nlp.features import characters, featurise
from nlp.lanes import REACH, as_dense, as_sparse
from nlp.learner import Rows, calibrate, fit, fit_each, margins, number, parts
from nlp.model import FIRST_SHARE, OWN_SHARE, SCALE, SURE_CHATTER, Model, save_model
from nlp.network import Lesson, Network, fit_network
from nlp.normalise import normalise
from nlp.seeds import Seed, read_seeds
from nlp.tables import KINDS, Fault
from nlp.topics import topics
from nlp.typos import mend

COST = 0.1
URGENT_FAVOUR = 3.0  # a danger passed over is worse than one too many
FOLDS = 3
# A feature that only one line has (three, for the network) tells nothing of others.
LEAST, LEAST_FOR_NETWORK = 2, 4
# How much each head of the network counts while it learns. Only the first three are asked afterwards: the others are there
# because vectors that must also tell kinds and topics apart tell a case from talk better.
FIRST_HEADS = {"case": 1.0, "urgent": 0.5, "emergency": 0.5}
_KIND_SHARE, _TOPIC_SHARE = 0.3, 0.2
# The network's logarithms of odds times these, for its first heads, stand well beside the plain sums.
LOGARITHMS = (0.14, 0.1, 0.1)
_SPREAD = 0.999  # of the numbers in vectors so many are kept whole; the rest reach no farther
CURVE = (4.12, -0.29)  # of the shipped model, where no cross-checking is wanted
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
    """All heads as the learners give them."""

    first: list[float]
    network: Network
    urgent: list[float]
    emergency: list[float]
    kinds: dict[str, list[float]]
    topics: dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Lines:
    """The seeds as rows of features: all of these, those of characters alone for the first look, and what is common enough
    for the network. Feature numbers are the same in all three."""

    names: list[str]
    rows: Rows
    plain: Rows
    common: Rows

    def pick(self, chosen: Sequence[int]) -> "Lines":
        return Lines(self.names, self.rows.pick(chosen), self.plain.pick(chosen), self.common.pick(chosen))


def train(files: Sequence[Path], out: Path, *, cross_check: bool = True) -> Training:
    """Trains on all lines of the files, writes the model to `out`, and tells what cross-checking in three parts shows."""
    seeds, faults = read_seeds(files)
    lines = prepare(seeds)
    crossed = cross(seeds, lines) if cross_check else None
    own = [place for place, seed in enumerate(seeds) if seed.note != MADE]
    curve = (
        calibrate([crossed.gate[place] for place in own], [seeds[place].is_case for place in own]) if crossed else CURVE
    )
    save_model(export(lines, learn(seeds, lines), curve), out)
    figures = measure(seeds, crossed) if crossed else {}
    return Training(len(seeds), figures, tuple(faults))


def prepare(seeds: Iterable[Seed], classifier: Classifier | None = None) -> Lines:
    """The seeds as rows of features."""
    classifier = classifier or shipped_classifier()
    texts = [mend(text, characters(text)) for text in (normalise(seed.text) for seed in seeds)]
    names, rows = number([featurise(text, classifier.score(text)) for text in texts], least=LEAST)
    # Names of findings are longer than any pair of characters.
    plain = rows.only(frozenset(place for place, name in enumerate(names) if 0 < len(name) <= 2))
    counts = Counter(chain.from_iterable(rows.numbers))
    common = rows.only(frozenset(place for place, count in counts.items() if count >= LEAST_FOR_NETWORK))
    return Lines(names, rows, plain, common)


def learn(seeds: Sequence[Seed], lines: Lines) -> Weights:
    """All heads. Kind and topic are learned from the cases only: the gate has decided before."""
    cases = [place for place, seed in enumerate(seeds) if seed.is_case]
    of_cases = lines.rows.pick(cases)
    told = [place for place in cases if seeds[place].topic]
    return Weights(
        fit(lines.plain, [seed.is_case for seed in seeds], cost=COST),
        fit_network(lines.common, *_lessons(seeds)),
        fit(lines.rows, [seed.urgency != "normal" for seed in seeds], cost=COST, favour=URGENT_FAVOUR),
        fit(lines.rows, [seed.urgency == "emergency" for seed in seeds], cost=COST, favour=URGENT_FAVOUR),
        fit_each(of_cases, [seeds[place].kind for place in cases], cost=COST, names=KINDS),
        fit_each(lines.rows.pick(told), [seeds[place].topic for place in told], cost=COST),
    )


def _lessons(seeds: Sequence[Seed]) -> tuple[list[Lesson], list[float]]:
    """What the network is told of each seed, and how much each head counts; the first are FIRST_HEADS. Talk is not asked for
    its kind and topic."""
    known = topics()
    told = []
    for seed in seeds:
        heads = {"case", seed.kind} if seed.is_case else set()
        heads |= {"urgent"} if seed.urgency != "normal" else set()
        heads |= {"emergency"} if seed.urgency == "emergency" else set()
        heads |= {f"about:{known[seed.topic].head if seed.topic in known else seed.topic}"} if seed.topic else set()
        told.append(heads)
    shares = FIRST_HEADS | dict.fromkeys(KINDS, _KIND_SHARE)
    shares |= dict.fromkeys(sorted(set().union(*told) - shares.keys()), _TOPIC_SHARE)
    numbers = {head: place for place, head in enumerate(shares)}
    lessons = [
        Lesson(frozenset(numbers[head] for head in heads), len(shares) if "case" in heads else len(FIRST_HEADS))
        for heads in told
    ]
    return lessons, list(shares.values())


def export(lines: Lines, weights: Weights, curve: tuple[float, float]) -> Model:
    """The model with whole numbers and without what is next to nothing."""
    vectors, units = _network(lines, weights.network)
    return Model(
        _single(lines.names, weights.first),
        _single(lines.names, weights.urgent),
        _single(lines.names, weights.emergency),
        _beside(lines.names, [weights.kinds[kind] for kind in KINDS]),
        _beside(lines.names, list(weights.topics.values())),
        vectors,
        units,
        codes=tuple(weights.topics),
        curve=curve,
    )


def _network(lines: Lines, network: Network) -> tuple[dict[str, str], tuple[tuple[float, ...], ...]]:
    """The vectors of what the network has seen in whole numbers, and its first heads' weights for sums of such numbers."""
    seen = sorted(set(chain.from_iterable(lines.common.numbers)))
    sizes = sorted(abs(value) for place in seen for value in network.vectors[place])
    step = (sizes[int(_SPREAD * (len(sizes) - 1))] or 1.0) / REACH
    vectors = {
        lines.names[place]: as_dense([round(value / step) for value in network.vectors[place]]) for place in seen
    }
    units = []
    for times, (*weights, constant) in zip(LOGARITHMS, network.heads, strict=False):
        units.append((*(round(weight * step * times, 7) for weight in weights), round(constant * times, 5)))
    return vectors, tuple(units)


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
            (number_, round(head[place] * SCALE))
            for number_, head in enumerate(heads)
            if abs(head[place]) >= _SMALLEST or not name
        ]
        if row:
            rows[name] = as_sparse(row)
    return rows


@dataclass(frozen=True, slots=True)
class Crossed:
    """For each seed what was said by the weights that had not seen it."""

    first: list[float]
    gate: list[float]
    urgent: list[float]
    kind: list[str]
    topics: list[list[str]]


def cross(seeds: Sequence[Seed], lines: Lines, folds: int = FOLDS) -> Crossed:
    """Trains `folds` times, each time without one part, and asks about that part."""
    count = len(seeds)
    crossed = Crossed([0.0] * count, [0.0] * count, [0.0] * count, [""] * count, [[] for _ in range(count)])
    for part in parts(count, folds):
        out = set(part)
        kept = [place for place in range(count) if place not in out]
        weights, asked = learn([seeds[place] for place in kept], lines.pick(kept)), lines.pick(part)
        first, urgent = margins(asked.plain, weights.first), margins(asked.rows, weights.urgent)
        network = [weights.network.margins(asked.common, head) for head in (0, 1)]
        kinds = {kind: margins(asked.rows, one) for kind, one in weights.kinds.items()}
        subjects = {code: margins(asked.rows, one) for code, one in weights.topics.items()}
        for index, place in enumerate(part):
            crossed.first[place] = first[index]
            crossed.gate[place] = LOGARITHMS[0] * network[0][index] + FIRST_SHARE * first[index]
            crossed.urgent[place] = LOGARITHMS[1] * network[1][index] + OWN_SHARE * urgent[index]
            crossed.kind[place] = max(kinds, key=lambda kind: kinds[kind][index])
            crossed.topics[place] = sorted(subjects, key=lambda code: -subjects[code][index])[:3]
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
