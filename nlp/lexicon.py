"""Finding many phrases in one text at the cost of one look per character.

A phrase is written as a clerk would write it: `{坏,断}了` is two phrases, `没人…管` allows up to six characters between,
`^` and `$` hold it to the start or end of the text, `'坏'` must be a word by itself after cutting.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

GAP = "…"
_GAP_PATTERN = "[^。！？\n]{0,6}?"
_MARGIN = 6  # marks and spaces that may stand before a phrase "at the start" or after one "at the end"
_MARKS = " ，。！~.、"
_BRACES = re.compile(r"\{([^{}]*)\}")


# Compiled at first use: all of them at the start would cost a quarter of a second.
_compiled = cache(re.compile)


class BadPhrase(ValueError):
    """A phrase that cannot be read; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One phrase of one group. `rest` matches what follows `head`, or is None when `head` is the whole phrase."""

    phrase: str
    group: str
    weight: float
    head: str
    rest: str | None = None
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


def _tail(heads_tail: str | None, tail: str | None) -> str | None:
    """The pattern of what follows the head; alternatives stay one pattern, so that a head costs one try."""
    parts = [part for part in (heads_tail, tail) if part is not None]
    if not parts:
        return None
    choices = sorted(_spread(GAP.join(parts)), key=len, reverse=True)
    return f"{_GAP_PATTERN}(?:{'|'.join(map(_escaped, choices))})"


def _escaped(phrase: str) -> str:
    return _GAP_PATTERN.join(map(re.escape, phrase.split(GAP)))


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
        rest = _tail(inner or None, tail)
        entries.append(Entry(spread, group, weight, head, rest, at_start, at_end, must_be_word))
    return entries


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
        self._pairs = {key: tuple(found) for key, found in pairs.items()}
        self._singles = {key: tuple(found) for key, found in singles.items()}

    def find(self, text: str, word_starts: Callable[[], frozenset[int]]) -> list[Hit]:
        """All hits in text order. `word_starts` is asked only when an entry must be a word."""
        hits: list[Hit] = []
        pairs, singles = self._pairs, self._singles
        size = len(text)
        padded = text + "\n"
        last = "\n"
        for index in range(size):
            entries = pairs.get(padded[index : index + 2])
            if entries is not None:
                for entry in entries:
                    if text.startswith(entry.head, index):
                        self._check(text, index, entry, word_starts, hits)
            character = padded[index]
            entries = singles.get(character)
            if entries is not None and character != last:
                for entry in entries:
                    self._check(text, index, entry, word_starts, hits)
            last = character
        return hits

    @staticmethod
    def _check(text: str, start: int, entry: Entry, word_starts: Callable[[], frozenset[int]], hits: list[Hit]) -> None:
        end = start + len(entry.head)
        if entry.rest is not None:
            match = _compiled(entry.rest).match(text, end)
            if match is None:
                return
            end = match.end()
        if entry.at_start and (start > _MARGIN or text[:start].strip(_MARKS)):
            return
        if entry.at_end and (len(text) - end > _MARGIN or text[end:].strip(_MARKS)):
            return
        if entry.must_be_word and not word_starts().issuperset((start, end)):
            return
        hits.append(Hit(entry, start, end))
