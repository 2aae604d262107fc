"""Every sentence the code asks for is there with its blanks, every sentence is asked for, and all of them are well set."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from core.texts import blanks_of, say, sentences
from domain.cases.telling import Reach

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("core", "nlp", "storage", "domain", "handlers", "web", "bot")
KEY = re.compile(r"([a-z_]+)\.([a-z0-9_]+)")
# Functions whose keyword arguments are the blanks of the sentence and nothing else.
FILLS = ("say", "Refused")
# Templates are another place that may ask for a sentence.
TEMPLATES = ROOT / "web" / "templates"


@dataclass(frozen=True)
class Call:
    """A call that names a sentence outright. `blanks` is None when some are handed over unseen (**blanks)."""

    where: str
    function: str
    key: str
    blanks: frozenset[str] | None


@cache
def trees() -> dict[str, ast.Module]:
    paths = [
        path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts
    ]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def nouns() -> set[str]:
    return {key.partition(".")[0] for key in sentences()}


@cache
def literals() -> frozenset[str]:
    """Every string in the code that is written out, docstrings aside; and whatever stands in templates between quotes."""
    found = {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for template in TEMPLATES.glob("*.html"):
        found |= set(re.findall(r"[\"']([a-z_0-9.]+)[\"']", template.read_text(encoding="utf-8")))
    return frozenset(found)


@cache
def composed() -> tuple[re.Pattern[str], ...]:
    """Keys put together, such as f"cases.receipt_{kind}": a pattern with a group for each part that is filled in."""
    found = set()
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"([a-z0-9_]+)"
                    for part in node.values
                ]
                if parts and re.match(r"[a-z_]+\\\.", parts[0]) and parts[0].split("\\.")[0] in nouns():
                    found.add("".join(parts))
    return tuple(re.compile(each) for each in sorted(found))


@cache
def calls() -> tuple[Call, ...]:
    return tuple(_calls())


def _calls() -> Iterator[Call]:
    for where, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            if (
                name in FILLS
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
                and len(node.args) == 1
            ):
                words = [keyword.arg for keyword in node.keywords]
                blanks = None if None in words else frozenset(word for word in words if word)
                yield Call(f"{where}:{node.lineno}", name, first.value, blanks)


def is_asked_for(key: str) -> bool:
    """Named outright, or put together from words that stand somewhere in the code."""
    if key in literals():
        return True
    if any(end and key.endswith(end) and is_asked_for(key.removesuffix(end)) for end in Reach):
        return True  # said in three ways, by how somebody can be told
    for pattern in composed():
        filled = pattern.fullmatch(key)
        if filled and all(part in literals() for part in filled.groups()):
            return True
    return False


def test_there_is_something_to_hold() -> None:
    assert len(sentences()) > 100
    assert len(calls()) > 50
    assert composed()


def test_every_sentence_asked_for_is_there() -> None:
    missing = sorted(f"{call.where}: {call.key}" for call in calls() if call.key not in sentences())
    assert missing == []


def test_every_key_composed_leads_to_a_sentence() -> None:
    assert (
        [pattern.pattern for pattern in composed() if not any(map(pattern.fullmatch, sentences()))]
        == [
            # The names of buttons' actions look alike, and are held by the routes' own test.
        ]
    )


def test_every_sentence_is_asked_for() -> None:
    assert sorted(key for key in sentences() if not is_asked_for(key)) == []


def test_blanks_are_those_the_sentence_has() -> None:
    wrong = [
        f"{call.where}: {call.key} has {sorted(blanks_of(sentences()[call.key]))}, given {sorted(call.blanks)}"
        for call in calls()
        if call.blanks is not None and call.key in sentences() and call.blanks != blanks_of(sentences()[call.key])
    ]
    assert wrong == []


# What staff type themselves is quoted as they would type it.
QUOTED = re.compile(r"“[^”]*”|(?:例如|这样写)：[^。；\n]*|(?<=\n)[^\n]*：每[^\n]*")


def shown(text: str) -> str:
    """A sentence with its blanks closed up, and without examples of what to type."""
    return QUOTED.sub("“”", re.sub(r"\{[^}]*\}", "、", text))


@pytest.mark.parametrize(
    ("rule", "pattern"),
    [
        ("您, not 你, to residents", r"你"),
        ("full-width punctuation after Chinese", r"[\u4e00-\u9fff”）][,;:?!]"),
        ("no half-width brackets round Chinese", r"\([^)]*[\u4e00-\u9fff][^)]*\)"),
        ("Chinese quotation marks", r'[\u4e00-\u9fff]"|"[\u4e00-\u9fff]'),
        ("a space between Chinese and digits or Latin", r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]"),
        ("no dots for an ellipsis", r"\.\.\."),
        ("no blanks at the ends of lines", r"[ \t]$"),
    ],
)
def test_sentences_are_well_set(rule: str, pattern: str) -> None:
    wrong = {key: text for key, text in sentences().items() if re.search(pattern, shown(text), flags=re.MULTILINE)}
    assert wrong == {}, rule


def test_say_fills_the_blanks() -> None:
    assert say("messages.channel_off", channel="Telegram").startswith("这条消息来自 Telegram，")


def test_say_refuses_a_missing_sentence_or_blank() -> None:
    with pytest.raises(KeyError, match="no_such"):
        say("messages.no_such")
    with pytest.raises(KeyError, match="channel"):
        say("messages.channel_off")
