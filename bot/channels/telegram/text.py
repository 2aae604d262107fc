"""Text as Telegram counts it, in UTF-16 units: who is addressed, what a start link carries, where a long text is cut."""

import re
from collections.abc import Sequence

from bot.channels.telegram.updates import Entity

START = re.compile(r"/start ([A-Za-z0-9_-]{1,64})\Z")
AFTER_NAME = " \t\r\n\u3000,，、:：;；"
# Where a long text may be cut, best first: between paragraphs, lines, sentences, clauses, words.
CUTS = (r"\n\n", r"\n", r"[。！？；!?;]|\. ", r"[，、,：:]", r"\s")


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_slice(text: str, offset: int, length: int) -> str:
    if text.isascii():
        return text[offset : offset + length]
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


def address(text: str, entities: Sequence[Entity], account: str, username: str) -> tuple[str, bool]:
    """The text without our name in front of it, and whether it names us at all.

    "@bot 井盖坏了" gives "井盖坏了"; "/mine@bot" gives "/mine"; another bot's command stays as it is and does not name us.
    """
    ours = f"@{username}".lower()
    is_named = False
    rest = text
    for entity in entities:
        words = utf16_slice(text, entity.offset, entity.length)
        if entity.type == "bot_command":
            command, at, name = words.partition("@")
            if at and f"@{name}".lower() == ours:
                is_named = True
                rest = rest.replace(words, command, 1)
            continue
        names_us = (entity.type == "mention" and words.lower() == ours) or (
            entity.type == "text_mention" and entity.user is not None and str(entity.user.id) == account
        )
        if names_us:
            is_named = True
            if entity.offset == 0:
                rest = rest.removeprefix(words).lstrip(AFTER_NAME)
    return rest, is_named


def start_payload(text: str) -> str | None:
    """What a start link carried: "/start k3X9" gives "k3X9"."""
    found = START.match(text)
    return None if found is None else found[1]


def split(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` UTF-16 units, cut at the best place of the second half of each piece."""
    pieces = []
    rest = text.strip()
    while utf16_length(rest) > limit:
        window = _longest_start(rest, limit)
        at = _cut(window)
        pieces.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    if rest:
        pieces.append(rest)
    return pieces


def _longest_start(text: str, limit: int) -> str:
    """As many whole characters as fit: a character beyond the basic plane counts two and is never halved."""
    if text.isascii():
        return text[:limit]
    return text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")


def _cut(window: str) -> int:
    for pattern in CUTS:
        last = 0
        for found in re.finditer(pattern, window):
            last = found.end()
        if last > len(window) // 2:
            return last
    return len(window)
