"""Plain text → what the AI bot's messages take: Markdown in which nothing that people wrote is taken for markup, and words to say
where no button can be pressed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.messages import Button

ANSWER_BYTES = 20_480
# What would be set in bold or slanted, as code or as a tag, stands there in its wide form, which reads alike.
WIDE = str.maketrans({"*": "＊", "`": "｀", "<": "＜", "~": "～"})
HEAD = re.compile(r"^(\s*)([#>])(?=\s|[#>])", re.MULTILINE)
RULE = re.compile(r"^[ \t]*([-=_])[-=_ \t]{2,}$", re.MULTILINE)
UNDERLINE = re.compile(r"(?<![A-Za-z0-9_])_|_(?![A-Za-z0-9_])")
LINK = re.compile(r"\](?=\()")
ADDRESS = re.compile(r"(https?://[^\s，。；！？、）】》]+)")


def as_markdown(text: str) -> str:
    """Reads as it was written. A web address stays one."""
    pieces = ADDRESS.split(text)
    return "".join(piece if place % 2 else _tamed(piece) for place, piece in enumerate(pieces))


def _tamed(text: str) -> str:
    text = text.translate(WIDE)
    text = HEAD.sub(lambda found: found[1] + ("＃" if found[2] == "#" else "＞"), text)
    text = RULE.sub(lambda _: "——", text)
    return LINK.sub("] ", UNDERLINE.sub("＿", text))


Rows = Sequence[Sequence[Button]]


def with_addresses(text: str, rows: Rows) -> tuple[str, tuple[tuple[Button, ...], ...]]:
    """Buttons that open a page do not exist here: their addresses stand below the text, the others are left."""
    pages = [f"{button.text}：{button.url}" for row in rows for button in row if button.url is not None]
    left = tuple(tuple(button for button in row if button.url is None) for row in rows)
    return "\n".join([text, *pages]) if pages else text, tuple(row for row in left if row)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody said instead of pressing: the key of the button, and the message that it belongs to."""

    key: str
    message_id: str


def words_for(rows: Rows, number: int) -> str:
    """What to say where no button can be pressed."""
    said = " 或 ".join(f"“{button.text} {number}”" for row in rows for button in row)
    return f"请 @我 回复 {said}。"


SAID = re.compile(r"[“\"]?(.{1,40}?)\s*(\d{1,4})[”\"]?[。.！!]?")


def said_choice(text: str) -> tuple[str, int] | None:
    """A label and a number, as `words_for` asks for them."""
    found = SAID.fullmatch(text.strip())
    return None if found is None else (found[1], int(found[2]))
