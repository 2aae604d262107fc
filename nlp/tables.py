"""Reading the word tables in nlp/data, which a clerk may edit.

A file is read table by table: what is broken is named with its file and line and skipped, everything else counts.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nlp.lexicon import BadPhrase, Entry, read_phrase

DATA = Path(__file__).parent / "data"
KINDS = ("report", "wish", "complaint", "dispute", "question", "request", "proposal")
_HEADING = re.compile(r"^\[([^\[\]\n]+)\][ \t]*(?:#.*)?$", re.MULTILINE)
_WEIGHT = re.compile(r"(.+)=(-?\d+(?:\.\d+)?)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a data file that was skipped. `line` counts from 1; `text` says what to change."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What a case is about. `head` is the group of topics it stands under, `hours` the usual deadline, `role` who does it.
    `is_by_rule`: no words lead to it and no lines are learned from, a rule of nlp names it."""

    code: str
    name: str
    head: str
    hours: int
    role: str = "grid_worker"
    petition_head: str = ""
    is_by_rule: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A set of phrases that say the same thing. `speaks_for` is a kind, "silence", "urgent", "emergency", a signal, or ""."""

    name: str
    speaks_for: str
    say: str
    weight: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups that say more together than apart; `ordered` when `first` must stand before `second`."""

    first: str
    second: str
    speaks_for: str
    weight: float
    within: int = 0
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything read from nlp/data. `words` are the dictionary words of the segmenter."""

    topics: Mapping[str, Topic] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    entries: tuple[Entry, ...] = ()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Section:
    file: str
    line: int
    name: str
    text: str


def _sections(path: Path) -> Iterator[_Section]:
    text = path.read_text(encoding="utf-8", errors="replace")
    headings = list(_HEADING.finditer(text))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        end = following.start() if following else len(text)
        line = text.count("\n", 0, heading.start()) + 1
        yield _Section(path.name, line, heading[1].strip(), text[heading.start() : end])


class _Reader:
    """Gathers tables and faults while the files are read."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.topics: dict[str, Topic] = {}
        self.groups: dict[str, Group] = {}
        self.pairs: list[Pair] = []
        self.entries: list[Entry] = []
        self.words: set[str] = set()

    def tables(self) -> Tables:
        return Tables(self.topics, self.groups, tuple(self.pairs), tuple(self.entries), frozenset(self.words))

    def read(self, path: Path) -> None:
        for section in _sections(path):
            values = self._parse(section)
            if values is None:
                continue
            if path.name == "topics.toml":
                self._topic(section, values)
            elif path.name == "pairs.toml":
                self._pair(section, values)
            else:
                self._group(section, values)

    def _fault(self, section: _Section, text: str, near: str = "") -> None:
        """Notes a fault at the line of `near`, or at the table's first line."""
        found = section.text.find(near) if near else 0
        line = section.line + section.text.count("\n", 0, max(found, 0))
        self.faults.append(Fault(section.file, line, text))

    def _parse(self, section: _Section) -> dict[str, object] | None:
        try:
            values = tomllib.loads(section.text)[section.name]
        except (tomllib.TOMLDecodeError, KeyError) as fault:
            self._fault(section, f"[{section.name}] 这一段读不懂，已跳过：{fault}")
            return None
        if isinstance(values, dict):
            return values
        self._fault(section, f"[{section.name}] 这一段应写成“名称 = 值”")
        return None

    def _text(
        self, section: _Section, values: Mapping[str, object], key: str, default: str | None = None
    ) -> str | None:
        value = values.get(key, default)
        if isinstance(value, str):
            return value
        self._fault(section, f"[{section.name}] 缺少文字 {key}，已跳过", key)
        return None

    def _number(self, section: _Section, values: Mapping[str, object], key: str, default: float) -> float | None:
        value = values.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        self._fault(section, f"[{section.name}] {key} 要写数字，已跳过", key)
        return None

    def _topic(self, section: _Section, values: Mapping[str, object]) -> None:
        name, head = self._text(section, values, "name"), self._text(section, values, "head")
        role = self._text(section, values, "role", "grid_worker")
        petition_head = self._text(section, values, "petition_head", "")
        hours = self._number(section, values, "hours", 72)
        if name is None or head is None or role is None or petition_head is None or hours is None:
            return
        self.topics[section.name] = Topic(
            section.name, name, head, int(hours), role, petition_head, values.get("by_rule") is True
        )
        group = Group(f"topic:{section.name}", "", name, 1.0)
        self.groups[group.name] = group
        self._words(section, values, group, are_words=True)

    def _group(self, section: _Section, values: Mapping[str, object]) -> None:
        say = self._text(section, values, "say", section.name)
        speaks_for = self._text(section, values, "for", "")
        weight = self._number(section, values, "weight", 1.0)
        if say is None or speaks_for is None or weight is None:
            return
        group = Group(section.name, speaks_for, say, weight)
        self.groups[group.name] = group
        self._words(section, values, group, are_words=values.get("dictionary") is True)

    def _pair(self, section: _Section, values: Mapping[str, object]) -> None:
        first, second = self._text(section, values, "first"), self._text(section, values, "second")
        speaks_for = self._text(section, values, "for")
        weight = self._number(section, values, "weight", 1.0)
        within = self._number(section, values, "within", 0)
        if first is None or second is None or speaks_for is None or weight is None or within is None:
            return
        self.pairs.append(Pair(first, second, speaks_for, weight, int(within), values.get("ordered") is True))

    def _words(self, section: _Section, values: Mapping[str, object], group: Group, *, are_words: bool) -> None:
        """Phrases stand in `words`, apart by spaces or lines; `词=2.5` gives one phrase its own weight."""
        listed = self._text(section, values, "words")
        for token in (listed or "").split():
            weighted = _WEIGHT.fullmatch(token)
            phrase, weight = (weighted[1], float(weighted[2])) if weighted else (token, group.weight)
            try:
                found = read_phrase(phrase.lower().replace("_", " "), group.name, weight)
            except BadPhrase as fault:
                self._fault(section, f"[{section.name}] {fault}，已跳过", token)
                continue
            self.entries.extend(found)
            if are_words:
                self.words.update(entry.head for entry in found if entry.rest is None and _is_word(entry))


def _is_word(entry: Entry) -> bool:
    plain = entry.head.isalpha() and not entry.head.isascii() and 1 < len(entry.head) <= 6
    return plain and not entry.at_start and not entry.at_end


def load_tables(folder: Path = DATA) -> tuple[Tables, tuple[Fault, ...]]:
    """All tables of the folder, and what had to be skipped. A file that cannot be read is a fault, never an exception."""
    reader = _Reader()
    for path in sorted(folder.glob("*.toml")):
        try:
            reader.read(path)
        except OSError as fault:
            reader.faults.append(Fault(path.name, 1, f"打不开这个文件：{fault.strerror}"))
    known = reader.groups.keys()
    pairs = [pair for pair in reader.pairs if pair.first in known and pair.second in known]
    for pair in reader.pairs:
        if pair not in pairs:
            missing = pair.first if pair.first not in known else pair.second
            reader.faults.append(Fault("pairs.toml", 1, f"没有名为 {missing} 的词组，这一对已跳过"))
    reader.pairs = pairs
    return reader.tables(), tuple(reader.faults)
