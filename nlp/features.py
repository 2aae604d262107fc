"""What the trained model sees of a text: its characters, alone and in pairs, and what the word tables found in it."""

import re
from collections.abc import Sized
from functools import cache
from math import sqrt
from operator import add

from nlp.classify import Scores

_DIGITS = re.compile(r"\d+")
_OTHERS = re.compile(r"[^\u4e00-\u9fffa-z0]+")
# A longer text must not speak louder because it has more characters, nor a short one be passed over for having few.
_WHOLE, _LOUDEST = 24, 1.6
TOGETHER = 0.5  # what a pair of findings counts
_MOST = 6.0  # points beyond say no more: no line to learn from has many more
EDGE = "|"  # stands for every mark and space, and for both ends


def spread(text: str) -> str:
    """The normalised text with all numbers as 0 and all marks as one edge: 3号楼 and 12号楼 are the same to the model."""
    if not text.isalpha():
        text = _OTHERS.sub(EDGE, _DIGITS.sub("0", text)).strip(EDGE)
    return f"{EDGE}{text}{EDGE}"


def characters(text: str) -> set[str]:
    """All characters and all pairs of neighbours of a normalised text."""
    edged = spread(text)
    found = set(map(add, edged, edged[1:]))
    found.update(edged)
    return found


def loudness(characters: Sized) -> float:
    """What one character of so many counts: 1 in a line of a dozen, less in a longer one, more in a very short one."""
    return min(_LOUDEST, sqrt(_WHOLE / (len(characters) or 1)))


@cache
def _named(sort: str, name: str) -> str:
    """The feature's name, put together once: there are as many as groups, kinds and topics."""
    return f"{sort}:{name}"


def findings(scores: Scores) -> list[tuple[str, float]]:
    """What the tables found, as named values of about 1; names are longer than any pair of characters, so that they
    never meet."""
    values = [(_named("in", name), one.weight / 2) for name, one in scores.findings.items()]
    values += [(_named("for", kind), min(weight, _MOST) / 3) for kind, weight in scores.kinds.items()]
    values += [(_named(pair.first, pair.second), TOGETHER) for pair in scores.pairs]
    if scores.topic_hits:
        values += [(_named("topic", code), weight / 2) for code, weight in scores.topics()]
    if scores.silence:
        values.append(("for:silence", min(scores.silent, _MOST) / 2))
    if scores.emergency:
        values.append(("for:emergency", min(scores.emergency, _MOST) / 2))
    if scores.urgent:
        values.append(("for:urgent", min(scores.urgent, _MOST) / 2))
    return values


def featurise(text: str, scores: Scores) -> dict[str, float]:
    """All features of a text, as training wants them."""
    seen = characters(text)
    features = dict.fromkeys(sorted(seen), loudness(seen))
    features.update(findings(scores))
    return features
