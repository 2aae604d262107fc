"""What the bot says: `say("cases.receipt", number=…)` looks a sentence up in zh/cases.toml and fills its blanks.

A missing sentence or a missing blank is an error, found by the tests.
"""

import functools
import string
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "zh"


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is to be said, by its key, and what stands in its blanks: for whoever decides it and leaves the saying to others."""

    key: str
    blanks: dict[str, str] = field(default_factory=dict)


@functools.cache
def sentences() -> dict[str, str]:
    """All sentences by key: the file's name and the name in it, joined with a dot."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for name, text in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if not isinstance(text, str):
                raise TypeError(f"{path.name}: {name} is not a sentence")
            found[f"{path.stem}.{name}"] = text.strip()
    return found


def blanks_of(text: str) -> frozenset[str]:
    """The names of the blanks in a sentence."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def say(key: str, /, **blanks: object) -> str:
    """The sentence with its blanks filled. A missing key or blank raises KeyError."""
    return sentences()[key].format_map(blanks)
