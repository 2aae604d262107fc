"""From the phrases found in a text to scores for each kind, for silence and for danger. No decision is taken here."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import NamedTuple

from core.messages import Signal
from nlp.lexicon import Entry, Hit, Lexicon
from nlp.segment import Segmenter, build_segmenter
from nlp.tables import KINDS, Group, Pair, Tables
from nlp.topics import shipped_tables

# A second phrase of the same group says the same again; it counts for little.
SECOND = 0.25
# What turns a phrase into its opposite when it stands right before it: 没坏, 不堵, 别着火.
_NEGATIONS = frozenset("没不未别无")
_NEGATED_GROUPS = frozenset(
    {"fault", "dirt", "disorder", "noise", "fire", "gas_leak", "medical", "trapped", "missing", "violence", "collapse"}
)
# 还没修好, 什么时候能修好, 要修好: not yet.
_UNDONE = (
    "没",
    "不",
    "未",
    "能",
    "时候",
    "几时",
    "要",
    "会",
    "给",
    "谁",
    "没有",
    "赶紧",
    "快点",
    "就",
    "请",
    "麻烦",
    "才能",
)
_SIGNALS = frozenset(signal.value for signal in Signal)
_DONE_GROUPS = frozenset({"resolved", "resolved_signal"})
# 119 and 120 are emergency numbers only where nothing is counted or numbered by them: not 119号楼, 120-3-501, 120块.
_NUMBERS = re.compile(r"\s?(?:号|[栋幢#]|单元)|[座弄层室户房楼元块米平斤克度个人台辆分天年次期路]|公里|-\d")
_CALLED = ("打", "拨", "叫")
_DANGERS = frozenset({"emergency", "urgent"})
TAUGHT = "taught:"  # the names of groups of words that people added begin so


class Finding(NamedTuple):
    """One group found in a text: its weight, where its best words stand, and all its hits."""

    group: Group
    weight: float
    start: int
    end: int
    hits: list[Hit]


@dataclass(slots=True)
class Scores:
    """What was found, summed. `silence` holds each silencing group's weight."""

    kinds: dict[str, float] = field(default_factory=dict)
    silence: dict[str, float] = field(default_factory=dict)
    signals: dict[str, float] = field(default_factory=dict)
    emergency: float = 0.0
    urgent: float = 0.0
    topic_hits: dict[str, list[Hit]] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)

    def best(self) -> tuple[str, float]:
        """The strongest kind; "" when nothing speaks for any."""
        if not self.kinds:
            return "", 0.0
        kind = max(self.kinds, key=self.kinds.__getitem__)
        return kind, self.kinds[kind]

    def topics(self) -> list[tuple[str, float]]:
        """Topic codes with their weights, best first."""
        weighed = [(name[len("topic:") :], _together(hits)[0]) for name, hits in self.topic_hits.items()]
        return sorted(weighed, key=lambda item: -item[1])

    def is_idle(self) -> bool:
        """Nothing speaks for a case or about one: the common line of a busy group."""
        return not (self.kinds or self.signals or self.emergency or self.urgent or "asking" in self.findings)

    @property
    def silent(self) -> float:
        """The strongest reason for silence counts whole, further ones half."""
        if not self.silence:
            return 0.0
        most = max(self.silence.values())
        return most + 0.5 * (sum(self.silence.values()) - most)


_MADE = count()


class Classifier:
    """Tables made ready. Immutable after building: a reload builds another and swaps. `number` tells them apart, for what is remembered."""

    def __init__(self, tables: Tables, taught: Iterable[Entry] = ()) -> None:
        """`taught` are those of the entries that people added: the model has never seen them."""
        self.tables = tables
        self.taught_heads = frozenset(entry.head[:2] for entry in taught)
        self.number = next(_MADE)
        self._lexicon = Lexicon(tables.entries)
        self._segmenter: Segmenter = build_segmenter(tables.words)
        signals = {name for name, group in tables.groups.items() if group.speaks_for in _SIGNALS}
        # What a line about an open case begins its words with; a text without any of these says nothing about one.
        # (是…不是…号楼 begins with one character, which stands in every other line; it names a place, which tells as well.)
        about_open = [entry for entry in tables.entries if entry.group in signals]
        self.signal_heads = frozenset(entry.head[:2] for entry in about_open if len(entry.head) > 1)
        self._about_open = Lexicon(about_open)
        self._pairs: dict[str, list[Pair]] = {}
        for pair in tables.pairs:
            self._pairs.setdefault(pair.first, []).append(pair)

    def word_starts(self, text: str) -> frozenset[int]:
        """The offsets at which a word begins, and the end of the text."""
        starts, position = {len(text)}, 0
        for word in self._segmenter.cut(text):
            starts.add(position)
            position += len(word)
        return frozenset(starts)

    def score(self, text: str) -> Scores:
        """All scores of a normalised text."""
        return self._score(text, self._lexicon)

    def score_signals(self, text: str) -> Scores:
        """Only what a normalised text says about an open case: a tenth of all phrases."""
        return self._score(text, self._about_open)

    def _score(self, text: str, lexicon: Lexicon) -> Scores:
        cut: list[frozenset[int]] = []

        def word_starts() -> frozenset[int]:
            if not cut:
                cut.append(self.word_starts(text))
            return cut[0]

        scores = Scores()
        grouped: dict[str, list[Hit]] = {}
        groups, topic_hits = self.tables.groups, scores.topic_hits
        for hit in lexicon.find(text, word_starts):
            name = hit[0].group
            if (
                (name in _NEGATED_GROUPS and _is_negated(text, hit))
                or (name in _DONE_GROUPS and _is_undone(text, hit))
                or (hit[0].head[-1].isdigit() and groups[name].speaks_for in _DANGERS and _numbers_something(text, hit))
            ):
                continue
            into = topic_hits if name.startswith("topic:") else grouped
            listed = into.get(name)
            if listed is None:
                into[name] = [hit]
            else:
                listed.append(hit)
        for name, hits in grouped.items():
            self._add(scores, groups[name], hits)
        if scores.findings:
            self._add_pairs(scores)
        return scores

    @staticmethod
    def _add(scores: Scores, group: Group, hits: list[Hit]) -> None:
        weight, best = _together(hits)
        scores.findings[group.name] = Finding(group, weight, best.start, best.end, hits)
        target = group.speaks_for
        if target == "silence":
            scores.silence[group.name] = weight
        elif target == "emergency":
            scores.emergency = max(scores.emergency, weight)
        elif target == "urgent":
            scores.urgent = max(scores.urgent, weight)
        elif target in KINDS:
            # Two groups for one kind: the stronger whole, the weaker a little.
            before = scores.kinds.get(target, 0.0)
            scores.kinds[target] = max(before, weight) + SECOND * min(before, weight)
        elif target:
            scores.signals[target] = max(scores.signals.get(target, 0.0), weight)

    def _add_pairs(self, scores: Scores) -> None:
        found = scores.findings
        for name, first in found.items():
            for pair in self._pairs.get(name, ()):
                second = found.get(pair.second)
                if second is not None and _stand_together(pair, first, second):
                    scores.pairs.append(pair)
        for pair in scores.pairs:
            if pair.speaks_for == "emergency":
                scores.emergency = max(scores.emergency, pair.weight)
            elif pair.speaks_for == "urgent":
                scores.urgent = max(scores.urgent, pair.weight)
            else:
                scores.kinds[pair.speaks_for] = scores.kinds.get(pair.speaks_for, 0.0) + pair.weight


def _together(hits: list[Hit]) -> tuple[float, Hit]:
    """What several hits of one group weigh, and the best of them; a second one counts only where it stands apart."""
    best = hits[0]
    if len(hits) == 1:
        return best.entry.weight, best
    for hit in hits:
        if hit.entry.weight > best.entry.weight:
            best = hit
    second = 0.0
    for hit in hits:
        if hit.entry.weight > second and (hit.start >= best.end or hit.end <= best.start):
            second = hit.entry.weight
    return best.entry.weight + SECOND * second, best


def _is_negated(text: str, hit: Hit) -> bool:
    start = hit.start
    return start > 0 and (
        text[start - 1] in _NEGATIONS or text[max(0, start - 2) : start] in {"没有", "不是", "不会", "不再"}
    )


def _numbers_something(text: str, hit: Hit) -> bool:
    """Whether a number that was found is part of a longer one, or names a building or an amount."""
    before, after = text[: hit.start], text[hit.start + len(hit.entry.head) :]
    if before[-1:].isdigit() or after[:1].isdigit() or before[-1:] in {"-", ".", "第"}:
        return True
    return _NUMBERS.match(after) is not None and not (before + hit.entry.head.rstrip("0123456789")).endswith(_CALLED)


def _is_undone(text: str, hit: Hit) -> bool:
    if text.startswith(("吗", "没", "么"), hit.end):
        return True  # 修好了吗 asks
    return text[max(0, hit.start - 4) : hit.start].rstrip().endswith(_UNDONE)


def _stand_together(pair: Pair, first: Finding, second: Finding) -> bool:
    """Whether two findings stand as the pair wants them; the 滑 inside 滑梯 says nothing about the 滑梯."""
    for _, start, end in first.hits[:8]:
        for _, other_start, other_end in second.hits[:8]:
            if start <= other_start and other_end <= end:
                continue
            if pair.ordered and other_start < end:
                continue
            if pair.within and max(start, other_start) - min(end, other_end) > pair.within:
                continue
            return True
    return False


@cache
def _shipped() -> Classifier:
    return Classifier(shipped_tables())


# What counts now instead of what was shipped: for everybody, and for a trial in one thread.
_put: list[Classifier | None] = [None]
_on_trial: ContextVar[Classifier | None] = ContextVar("classifier on trial", default=None)


def shipped_classifier() -> Classifier:
    """The classifier over the tables that come with the program, or the one put in its place; built at its first use."""
    return _on_trial.get() or _put[0] or _shipped()


def put_classifier(classifier: Classifier | None) -> None:
    """Another one counts from now on; None: the shipped one again. Whoever is at work with the old one finishes with it."""
    _put[0] = classifier


@contextmanager
def use_classifier(classifier: Classifier) -> Iterator[None]:
    """Another one counts for what is done inside, in this thread."""
    token = _on_trial.set(classifier)
    try:
        yield
    finally:
        _on_trial.reset(token)
