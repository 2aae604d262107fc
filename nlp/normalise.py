"""One writing for every text before it is read: simplified, half width, lower case, nothing invisible, a bounded length.

Each character stays one character or goes, so that `offsets` can lead a place in the result back to the message.
"""

import re
import unicodedata

from nlp.traditional import SIMPLIFIED

MAX_LENGTH = 4096

# Dashes, tildes and quotes that telephones put in place of the plain ones.
_LOOKALIKES = {
    **dict.fromkeys("‐‑‒–—―−﹣", "-"),
    **dict.fromkeys("〜～∼", "~"),
    **dict.fromkeys("『“”〝〞", '"'),
    "﹟": "#",
    "﹢": "+",
    "〇": "零",
    "（": "(",
    "）": ")",
}
_KEPT_WIDE = frozenset("，！？：；")


def _build_table() -> dict[int, str]:
    table: dict[int, str] = {}
    for code in range(0xFF01, 0xFF5F):
        if chr(code) not in _KEPT_WIDE:
            table[code] = chr(code - 0xFEE0).lower()
    for code in range(0x2460, 0x2469):  # ① to ⑨ stand for list numbers and buildings
        table[code] = chr(code - 0x2460 + ord("1"))
    for source, target in _LOOKALIKES.items():
        table[ord(source)] = target
    table[0x3000] = " "
    table.update({ord(written): read for written, read in SIMPLIFIED.items()})
    for wide, half in (("，", ","), ("！", "!"), ("？", "?"), ("：", ":"), ("；", ";")):
        table[ord(half)] = wide if half in ",!?;" else half
        table[ord(wide)] = wide if half in ",!?;" else half
    return table


_TABLE = _build_table()
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})
_SPACES = "\t\n\r\v\f\x85\u2028\u2029\xa0"


def _read(character: str) -> str:
    """The one character it stands for, or "" when it shows nothing."""
    if character in _SPACES:
        return " "
    replaced = _TABLE.get(ord(character))
    if replaced is not None:
        return replaced
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    lowered = character.lower()
    if len(lowered) != 1:
        return character
    if lowered > "\u2000":
        folded = unicodedata.normalize("NFKC", lowered)
        if len(folded) == 1:
            folded = folded.lower() if len(folded.lower()) == 1 else folded
            if unicodedata.category(folded) in _INVISIBLE:
                return ""
            return _TABLE.get(ord(folded), folded)
    return lowered


class _Readings(dict[int, str]):
    """What each character stands for, worked out when it is first met; most of Unicode is never met."""

    def __missing__(self, code: int) -> str:
        read = _read(chr(code))
        if len(self) < _MOST_READINGS:
            self[code] = read
        return read


_MOST_READINGS = 40_000
_READINGS = _Readings()


def normalise(text: str) -> str:
    """The text as every layer reads it, at most 4096 characters. Never raises, and twice gives what once gave."""
    return text[:MAX_LENGTH].translate(_READINGS)


def offsets(text: str) -> list[int]:
    """For each character of `normalise(text)` its index in `text`; one more entry for the end."""
    text = text[:MAX_LENGTH]
    kept = [index for index, character in enumerate(text) if _READINGS[ord(character)]]
    return [*kept, len(text)]


_FACES = re.compile(r"\[[\u4e00-\u9fffa-z]{1,4}\]")


def has_words(normalised: str) -> bool:
    """False for a text of emoji, [强]-like faces, marks and spaces only: such a line says nothing to act on."""
    if "[" in normalised:
        normalised = _FACES.sub("", normalised)
    return any(map(str.isalnum, normalised))
