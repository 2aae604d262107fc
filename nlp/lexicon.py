"""Finding many phrases in one text at the cost of one look per character.

A phrase is written as a clerk would write it: `{坏,断}了` is two phrases, `没人…管` allows up to six characters between,
`^` and `$` hold it to the start or end of the text, `'坏'` must be a word by itself after cutting.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

GAP = "…"
LONGEST_GAP = 6
_ENDS = frozenset("。！？\n")  # of a sentence, over which no gap reaches
_MARGIN = 6  # marks and spaces that may stand before a phrase "at the start" or after one "at the end"
_MARKS = " ，。！~.、"
_BRACES = re.compile(r"\{([^{}]*)\}")


class BadPhrase(ValueError):
    """A phrase that cannot be read; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What may follow a head after a gap: any of the choices, which may have gaps of their own.

    Looked for by first characters and not by a regular expression: hundreds of those would have to be compiled first.
    """

    choices: tuple[str, ...]
    firsts: frozenset[str] = field(init=False, repr=False, compare=False)  # what a choice may begin with
    # The choices by their first character; empty until one of them is near.
    _by_first: dict[str, list[tuple[str, list[str]]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "firsts", frozenset(choice[0] for choice in self.choices))

    def _sorted(self) -> Mapping[str, list[tuple[str, list[str]]]]:
        """The choices by first character, the longest first. Two threads at once write the same."""
        if not self._by_first:
            made: dict[str, list[tuple[str, list[str]]]] = {}
            for choice in sorted(self.choices, key=len, reverse=True):
                first, *others = choice.split(GAP)
                made.setdefault(first[0], []).append((first, others))
            self._by_first.update(made)
        return self._by_first

    def end(self, text: str, start: int) -> int:
        """Where the nearest choice ends, of those equally near the longest; -1 when none follows."""
        near = text[start : start + LONGEST_GAP + 1]
        if self.firsts.isdisjoint(near):
            return -1  # nine times in ten
        by_first = self._sorted()
        for place, character in enumerate(near, start):
            for first, others in by_first.get(character, ()):
                if text.startswith(first, place):
                    end = _end_of_parts(text, place + len(first), others) if others else place + len(first)
                    if end >= 0:
                        return end
            if character in _ENDS:
                break
        return -1


def _end_of_parts(text: str, start: int, parts: list[str]) -> int:
    """Where the last of the parts ends when each follows the one before after a gap; -1 when one does not."""
    for part in parts:
        found = text.find(part, start, start + LONGEST_GAP + len(part))
        if found < 0 or not _ENDS.isdisjoint(text[start:found]):
            return -1
        start = found + len(part)
    return start


@dataclass(frozen=True, slots=True)
class Entry:
    """One phrase of one group. `rest` is what follows `head`, or None when `head` is the whole phrase."""

    phrase: str
    group: str
    weight: float
    head: str
    rest: Rest | None = None
    at_start: bool = False
    at_end: bool = False
    must_be_word: bool = False


class Hit(NamedTuple):
    """An entry and where it was found. A tuple, because a message makes dozens of them."""

    entry: Entry
    start: int
    end: int


def _spread(phrase: str) -> Iterator[str]:
    """All phrases that the braces stand for."""
    parts = _BRACES.split(phrase)
    if any(brace in part for part in parts for brace in "{}"):
        raise BadPhrase(f"大括号不成对，或者套了两层：{phrase}")
    choices = [part.split(",") if index % 2 else [part] for index, part in enumerate(parts)]
    for chosen in itertools.product(*choices):
        yield "".join(chosen)


def _split(body: str) -> tuple[str, str | None]:
    """What stands before the first gap outside braces, and what after."""
    depth = 0
    for index, character in enumerate(body):
        depth += (character == "{") - (character == "}")
        if character == GAP and not depth:
            return body[:index], body[index + 1 :]
    return body, None


@lru_cache
def _tail(heads_tail: str, tail: str | None) -> Rest | None:
    """What follows the head; alternatives stay together, so that a head costs one try."""
    parts = [part for part in (heads_tail, tail) if part]
    return Rest(tuple(_spread(GAP.join(parts)))) if parts else None


def read_phrase(phrase: str, group: str, weight: float) -> list[Entry]:
    """All entries that one written phrase stands for. Raises BadPhrase."""
    at_start = phrase.startswith("^")
    at_end = phrase.endswith("$")
    body = phrase[at_start : len(phrase) - at_end]
    must_be_word = len(body) > 2 and body[0] == body[-1] == "'"
    before, tail = _split(body[1:-1] if must_be_word else body)
    entries = []
    for spread in _spread(before):
        head, _, inner = spread.partition(GAP)
        if not head or tail == "":
            raise BadPhrase(f"“…”两边都要有字：{phrase}")
        rest = _tail(inner, tail)
        entries.append(Entry(spread, group, weight, head, rest, at_start, at_end, must_be_word))
    return entries


class _Told(NamedTuple):
    """An entry with what is asked of it first, at hand: most are ruled out by that."""

    entry: Entry
    head: str
    size: int
    firsts: frozenset[str] | None
    is_plain: bool


def _told_apart(entry: Entry) -> _Told:
    is_plain = entry.rest is None and not (entry.at_start or entry.at_end or entry.must_be_word)
    firsts = None if entry.rest is None else entry.rest.firsts
    return _Told(entry, entry.head, len(entry.head), firsts, is_plain)


class _Beginning(NamedTuple):
    """The entries that begin with the same two characters, in the order of the tables: by their third character those
    that have this one or none, and for any other character those that have none."""

    by_third: Mapping[str, tuple[_Told, ...]]
    others: tuple[_Told, ...]


def _beginning(entries: Sequence[Entry]) -> _Beginning:
    told = tuple(map(_told_apart, entries))
    thirds = {one.head[2] for one in told if one.size > 2}
    by_third = {third: tuple(one for one in told if one.size == 2 or one.head[2] == third) for third in thirds}
    return _Beginning(by_third, tuple(one for one in told if one.size == 2))


class _Single(NamedTuple):
    """The entries that begin with one character and a gap. `firsts` may follow, or None where nothing need."""

    entries: tuple[Entry, ...]
    firsts: frozenset[str] | None


def _single(entries: Sequence[Entry]) -> _Single:
    rests = [entry.rest for entry in entries]
    following = [rest.firsts for rest in rests if rest is not None]
    return _Single(tuple(entries), frozenset().union(*following) if len(following) == len(rests) else None)


class Lexicon:
    """All entries, indexed by their first two characters."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        pairs: dict[str, list[Entry]] = {}
        singles: dict[str, list[Entry]] = {}
        for entry in entries:
            if len(entry.head) > 1:
                pairs.setdefault(entry.head[:2], []).append(entry)
            else:
                singles.setdefault(entry.head, []).append(entry)
        self._pairs = {key: _beginning(found) for key, found in pairs.items()}
        self._singles = {key: _single(found) for key, found in singles.items()}

    def find(self, text: str, word_starts: Callable[[], frozenset[int]]) -> list[Hit]:
        """All hits in text order. `word_starts` is asked only when an entry must be a word."""
        hits: list[Hit] = []
        padded = text + "\n\n"
        last = "\n"
        begins, alone = self._pairs.get, self._singles.get
        for index, character in enumerate(text):
            beginning = begins(padded[index : index + 2])
            if beginning is not None:
                by_third, others = beginning
                for entry, head, size, firsts, is_plain in by_third.get(padded[index + 2], others):
                    if size > 3 and not text.startswith(head, index):  # three are the keys
                        continue
                    end = index + size
                    if is_plain:
                        hits.append(Hit(entry, index, end))
                    elif firsts is None or not firsts.isdisjoint(text[end : end + LONGEST_GAP + 1]):
                        self._check(text, index, entry, word_starts, hits)
            single = alone(character)
            if single is not None and character != last:
                entries, firsts = single
                if firsts is None or not firsts.isdisjoint(text[index + 1 : index + LONGEST_GAP + 2]):
                    for entry in entries:
                        self._check(text, index, entry, word_starts, hits)
            last = character
        return hits

    @staticmethod
    def _check(text: str, start: int, entry: Entry, word_starts: Callable[[], frozenset[int]], hits: list[Hit]) -> None:
        end = start + len(entry.head)
        if entry.rest is not None:
            end = entry.rest.end(text, end)
            if end < 0:
                return
        if entry.at_start and (start > _MARGIN or text[:start].strip(_MARKS)):
            return
        if entry.at_end and (len(text) - end > _MARGIN or text[end:].strip(_MARKS)):
            return
        if entry.must_be_word and not word_starts().issuperset((start, end)):
            return
        hits.append(Hit(entry, start, end))
