"""A plain text with buttons → a template card. What does not fit a card's fields goes before it as plain text: nothing is lost."""

import re
from dataclasses import dataclass

from bot.channels.wecom.client import Json
from bot.channels.wecom.text import shorten
from core.errors import Rejected
from core.messages import Button

TITLE, SUBTITLE, KEY_NAME, VALUE, BUTTON = 26, 112, 5, 26, 10  # characters
MOST_LINES = 6
MOST_BUTTONS = 6
KEY_BYTES = 1024
# A vote card, for more choices than buttons: its options, their words and keys, and the words under its title.
MOST_OPTIONS, OPTION, OPTION_KEY_BYTES, DESCRIPTION = 20, 17, 128, 30
SUBMIT = {"text": "提交", "key": "submit"}
# "位置：3号楼东边" stands better as a line of its own kind.
NAMED = re.compile(rf"([^：\s]{{1,{KEY_NAME}}})：(\S.{{0,{VALUE - 1}}})")
ANSWERED = "已更新"

Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """`is_whole` tells that the card says everything; otherwise the text must be said beside it."""

    body: Json
    is_whole: bool


def card_of(text: str, rows: Rows, task_id: str) -> Card:
    """A card with these buttons, or a vote where they are too many; without any, one that shows grey words where they were."""
    if sum(len(row) for row in rows) > MOST_BUTTONS:
        return _vote_of(text, rows, task_id)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first, *others = lines or ["　"]
    named: list[Json] = []
    loose = [] if len(first) <= TITLE else [first]
    for line in others:
        found = NAMED.fullmatch(line)
        if found is not None and len(named) < MOST_LINES:
            named.append({"keyname": found[1], "value": found[2]})
        else:
            loose.append(line)
    more = "\n".join(loose)
    body: Json = {
        "card_type": "button_interaction",
        "task_id": task_id,
        "main_title": {"title": shorten(first, TITLE)},
        "button_list": _buttons(rows),
    }
    if more:
        body["sub_title_text"] = shorten(more, SUBTITLE)
    if named:
        body["horizontal_content_list"] = named
    if not body["button_list"]:
        body["button_list"] = [{"text": ANSWERED, "key": "none", "style": 1}]
        body["replace_text"] = ANSWERED
    return Card(body, len(more) <= SUBTITLE)


def _vote_of(text: str, rows: Rows, task_id: str) -> Card:
    """One of many, chosen and then submitted."""
    shown = [button for row in rows for button in row]
    if len(shown) > MOST_OPTIONS or any(button.url is not None for button in shown):
        raise Rejected(f"a card takes at most {MOST_BUTTONS} buttons, or {MOST_OPTIONS} choices without links")
    if not all(1 <= len(button.key.encode()) <= OPTION_KEY_BYTES for button in shown):
        raise Rejected(f"a choice's key must have 1 to {OPTION_KEY_BYTES} bytes")
    first, _, more = text.strip().partition("\n")
    more = " ".join(more.split())
    title: Json = {"title": shorten(first or "　", TITLE)}
    if more:
        title["desc"] = shorten(more, DESCRIPTION)
    options = [{"id": button.key, "text": shorten(button.text, OPTION), "is_checked": False} for button in shown]
    body: Json = {
        "card_type": "vote_interaction",
        "task_id": task_id,
        "main_title": title,
        "checkbox": {"question_key": "choice", "mode": 0, "option_list": options},
        "submit_button": SUBMIT,
    }
    return Card(body, len(first) <= TITLE and len(more) <= DESCRIPTION)


def _buttons(rows: Rows) -> list[Json]:
    return [_button(button, place) for place, button in enumerate(button for row in rows for button in row)]


def _button(button: Button, place: int) -> Json:
    """The first is the one to press."""
    look: Json = {"text": shorten(button.text, BUTTON), "style": 1 if place == 0 else 2}
    if button.url is not None:
        return {**look, "type": 1, "url": button.url}
    if not 1 <= len(button.key.encode()) <= KEY_BYTES:
        raise Rejected(f"a button's key must have 1 to {KEY_BYTES} bytes")
    return {**look, "type": 0, "key": button.key}
