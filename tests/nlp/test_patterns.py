"""No line can make a pattern of ours try without end: what repeats more than a character takes all it can and gives nothing back.

Two readings of one word in a repeated group (刚|刚刚, 真|真是) double the work with each word, and forty of them stand in one message.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import nlp

parser, codes = importlib.import_module("re._parser"), importlib.import_module("re._constants")
ONE_CHARACTER = {codes.IN, codes.LITERAL, codes.NOT_LITERAL, codes.ANY}
MODULES = [importlib.import_module(f"nlp.{module.name}") for module in pkgutil.iter_modules(nlp.__path__)]
PATTERNS = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern)
}


def gives_back(tree: Any) -> Iterator[Any]:
    """Each part that repeats more than a character without end, and may be read another way afterwards."""
    for code, value in tree:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            _, most, body = value
            if most is codes.MAXREPEAT and not (len(body) == 1 and body[0][0] in ONE_CHARACTER):
                yield body
        if code is codes.BRANCH:
            bodies = value[1]
        elif code is codes.SUBPATTERN:
            bodies = [value[3]]
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            bodies = [value[2]]
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            bodies = [value[1]]
        elif code is codes.ATOMIC_GROUP:
            bodies = [value]
        else:
            bodies = []
        for body in bodies:
            yield from gives_back(body)


@pytest.mark.parametrize("name", PATTERNS)
def test_repeated_words_are_read_one_way(name: str) -> None:
    pattern = PATTERNS[name]
    assert list(gives_back(parser.parse(pattern.pattern, pattern.flags))) == []


def test_what_gives_back_is_found() -> None:
    assert len(list(gives_back(parser.parse("x(?:刚|刚刚)*y(?=(?:a|bc)+)")))) == 2
    assert list(gives_back(parser.parse("x(?:刚|刚刚)*+y[ab]*(?:a|bc){0,3}"))) == []


@pytest.mark.parametrize("words", ["我真是", "里倒是倒是", "人刚刚", "我家从刚刚", "老公又站在在", "还在", "楼上真是"])
def test_a_line_of_nothing_else_is_read_and_left(words: str) -> None:
    """Each of these once took longer than anybody waits."""
    from core.messages import Utterance
    from nlp.understand import understand

    for end in ("想死你", "没水", "自杀", "出来了", "太吵"):
        assert understand(Utterance(words[0] + words[1:] * 60 + end)).places == ()
