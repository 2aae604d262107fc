"""Buttons in a group to which the AI bot may only push words: they are said with a number, and the number finds their key.

They are kept as a bookmark for each group, so that a number holds after a restart.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from bot.channels.wecom.aibot_text import Choice, Rows, said_choice
from core.messages import Bookmark, Incoming, IncomingKind

NAME = "choices:"
MOST_IN_GROUP, MOST_GROUPS = 40, 5_000
LARGEST_NUMBER = 999


class _Offer(msgspec.Struct):
    """One message with its choices: label → key."""

    number: int
    message_id: str
    keys: dict[str, str]


_offers = msgspec.json.Decoder(list[_Offer])


class Choices:
    """What was offered in each group lately, the newest last."""

    def __init__(self) -> None:
        self._groups: OrderedDict[str, list[_Offer]] = OrderedDict()

    def load(self, bookmarks: Mapping[str, str]) -> None:
        for name, value in bookmarks.items():
            if name.startswith(NAME):
                try:
                    self._groups[name.removeprefix(NAME)] = _offers.decode(value)
                except msgspec.MsgspecError:
                    continue

    def next_number(self, group: str) -> int:
        offers = self._groups.get(group)
        return offers[-1].number % LARGEST_NUMBER + 1 if offers else 1

    def offer(self, group: str, number: int, message_id: str, rows: Rows) -> Bookmark:
        """From now on the number stands for this message. What is to be stored of it."""
        keys = {button.text: button.key for row in rows for button in row}
        offers = [*self._groups.pop(group, []), _Offer(number, message_id, keys)][-MOST_IN_GROUP:]
        self._groups[group] = offers
        while len(self._groups) > MOST_GROUPS:
            self._groups.popitem(last=False)
        return Bookmark(f"{NAME}{group}", msgspec.json.encode(offers).decode())

    def read(self, incoming: Incoming) -> Incoming:
        """Words that were offered in place of a button are a press of it; everything else stays what it is."""
        if incoming.kind is not IncomingKind.MESSAGE or incoming.attachments:
            return incoming
        choice = self.find(incoming.chat.external_id, incoming.text)
        if choice is None:
            return incoming
        return replace(
            incoming,
            kind=IncomingKind.PRESS,
            message_id=choice.message_id,
            button=choice.key,
            press_id=incoming.external_id,
            text="",
        )

    def find(self, group: str, text: str) -> Choice | None:
        """The choice that was said, if it is one that was offered here."""
        said = said_choice(text)
        if said is None:
            return None
        label, number = said
        for offer in reversed(self._groups.get(group, [])):
            if offer.number == number:
                key = offer.keys.get(label)
                return None if key is None else Choice(key, offer.message_id)
        return None
