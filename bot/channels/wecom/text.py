"""Text as WeCom counts it, in bytes of UTF-8: where a long one is cut, and how a short field is filled."""

import re

TEXT_BYTES = 2048
# Where a long text may be cut, best first: between paragraphs, lines, sentences, clauses, words.
CUTS = (r"\n\n", r"\n", r"[。！？；!?;]|\. ", r"[，、,：:]", r"\s")


def split(text: str, most: int = TEXT_BYTES) -> list[str]:
    """The text in pieces of at most `most` bytes, cut at the best place of the second half of each piece."""
    pieces = []
    rest = text.encode("utf-8", "replace").decode().strip()
    while len(rest.encode()) > most:
        # A character that would be halved by the limit is left to the next piece.
        window = rest.encode()[:most].decode("utf-8", "ignore")
        at = _cut(window)
        pieces.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    if rest:
        pieces.append(rest)
    return pieces


def _cut(window: str) -> int:
    for pattern in CUTS:
        last = 0
        for found in re.finditer(pattern, window):
            last = found.end()
        if last > len(window) // 2:
            return last
    return len(window)


def shorten(text: str, letters: int) -> str:
    """At most so many characters; an ellipsis stands for the rest."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def shorten_bytes(text: str, most: int) -> str:
    """At most so many bytes; an ellipsis stands for the rest."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode("utf-8", "ignore") + "…"
