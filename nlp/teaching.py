"""Words that people add to the tables while the program runs: what each speaks for, and a second classifier that knows them.

A classifier is never changed: another one is built beside it and takes its place in one step.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nlp.classify import TAUGHT, Classifier, put_classifier, use_classifier
from nlp.lexicon import BadPhrase, Entry, read_phrase
from nlp.tables import KINDS, Group, Tables
from nlp.topics import shipped_tables

__all__ = ["SPEAKS_FOR", "BadPhrase", "Taught", "is_readable", "teach", "trying"]

SILENCE, URGENT, EMERGENCY, TOPIC = "silence", "urgent", "emergency", "topic:"
SPEAKS_FOR = (*KINDS, SILENCE, URGENT, EMERGENCY)
# A word taught for a topic stands alone against all that the model knows of the line's other words.
_TOPIC_LOUDER = 2.0


@dataclass(frozen=True, slots=True)
class Taught:
    """A word as the tables have it, what it speaks for (of SPEAKS_FOR, or `topic:<code>`), and how strongly."""

    word: str
    speaks_for: str
    weight: float


def is_readable(word: Taught) -> bool:
    """Whether the tables can take it: a phrase they understand, for something that they know."""
    try:
        return bool(_entries(word, shipped_tables()))
    except BadPhrase:
        return False


def teach(words: Sequence[Taught]) -> None:
    """From now on these words count beside those that came with the program, and no others; one that cannot be read is skipped."""
    put_classifier(_classifier(words) if words else None)


@contextmanager
def trying(words: Sequence[Taught]) -> Iterator[None]:
    """What is understood inside counts with these words added; nothing outside this thread notices."""
    with use_classifier(_classifier(words)):
        yield


def _classifier(words: Sequence[Taught]) -> Classifier:
    tables = shipped_tables()
    added: list[Entry] = []
    for word in words:
        if is_readable(word):
            added.extend(_entries(word, tables))
    groups = dict(tables.groups)
    for speaks_for in {word.speaks_for for word in words} & set(SPEAKS_FOR):
        groups[_group_of(speaks_for)] = Group(_group_of(speaks_for), speaks_for, "社区添加的词", 1.0)
    # Where a phrase stands in the tables already, what people say of it counts.
    heads = {(entry.phrase, entry.group) for entry in added}
    kept = tuple(entry for entry in tables.entries if (entry.phrase, entry.group) not in heads)
    return Classifier(replace(tables, groups=groups, entries=(*kept, *added)), taught=added)


def _group_of(speaks_for: str) -> str:
    return speaks_for if speaks_for.startswith(TOPIC) else f"{TAUGHT}{speaks_for}"


def _entries(word: Taught, tables: Tables) -> list[Entry]:
    if word.speaks_for not in SPEAKS_FOR and word.speaks_for not in tables.groups:
        raise BadPhrase(f"没有这一类：{word.speaks_for}")
    if not word.word.strip():
        raise BadPhrase("没有写词")
    weight = word.weight * (_TOPIC_LOUDER if word.speaks_for.startswith(TOPIC) else 1.0)
    return list(read_phrase(word.word.strip().lower().replace(" ", "_"), _group_of(word.speaks_for), weight))
