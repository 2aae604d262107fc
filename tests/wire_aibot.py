"""The AI bot's platform with the one face of tests/wires.py: groups of members that the bot reads where it is named, and private chats."""

import itertools
import re
from collections.abc import Sequence

from bot.channels.base import Channel
from bot.channels.wecom.aibot import AibotChannel, Bot
from bot.channels.wecom.aibot_socket import Pace
from core.clock import ShiftedClock
from tests.emulators.wecom_aibot import BOT, NAME, SECRET, AibotEmulator, Post
from tests.patience import PATIENCE
from tests.wires import Notice, Seen

QUICK = Pace(first_pause=0.02, longest_pause=0.1, heartbeat=30, answer_within=PATIENCE, line_within=PATIENCE)
# What stands in a group where no button can be pressed: “满意 3”.
SPOKEN = re.compile(r"“(\S+ \d+)”")


class AibotWire:
    """The emulator on a real socket, and the channel. In a group people name the bot, and quote a photo to show it."""

    name = "wecom_bot"
    account = BOT
    tells_withdrawals = False
    has_groups = True

    def __init__(self, clock: ShiftedClock) -> None:
        self._now = lambda: clock.now().timestamp()
        self.wecom = AibotEmulator(now=self._now)
        self.channel: AibotChannel
        self._ids = itertools.count(1)

    @property
    def channels(self) -> Sequence[Channel]:
        return (self.channel,)

    def address(self, person: str) -> tuple[str, str]:
        return self.name, self.account

    async def open(self) -> None:
        await self.wecom.__aenter__()
        self.channel = AibotChannel(Bot(BOT, SECRET, NAME, self.wecom.url), now=self._now, pace=QUICK)

    async def close(self) -> None:
        await self.wecom.__aexit__()

    def add_person(self, name: str, *, has_started: bool) -> str:
        userid = self.wecom.add_member(f"member{next(self._ids)}")
        self.wecom.rules.chats[userid].is_spoken_to = has_started
        return userid

    def add_group(self, title: str, members: Sequence[str]) -> str:
        """Its code was said there, so the bot may write there."""
        group = self.wecom.add_group(f"wrGroup{next(self._ids)}", members)
        self.wecom.rules.chats[group].is_spoken_to = True
        return group

    def private(self, person: str) -> str:
        return person

    def say(
        self, person: str, chat: str, text: str, *, photos: Sequence[bytes] = (), reply_to: str | None = None
    ) -> str:
        """One photo is quoted in a group and sent by itself in private; several stand among the words."""
        if len(photos) == 1 and chat == person and not text:
            return self.wecom.send_image(person, photos[0])
        if len(photos) == 1 and chat != person:
            return self.wecom.say(person, chat, text, quote=self.wecom.quoted_photo(photos[0]))
        quoted = next((post for post in self.wecom.posts(chat) if post.id == reply_to), None)
        quote = None if quoted is None else {"msgtype": "text", "text": {"content": quoted.text}}
        return self.wecom.say(person, chat, text, photos=photos, quote=quote)

    def start(self, person: str, payload: str = "") -> None:
        self.wecom.enter(person)

    def edit(self, person: str, chat: str, message: str, text: str) -> None:
        raise NotImplementedError("the bot is not told")

    def press(self, person: str, chat: str, message: str, label: str) -> Notice:
        """A card's button is pressed, words are said. What is a notice elsewhere is a message here."""
        before = len(self.wecom.posts(chat))
        post = next(post for post in self.wecom.posts(chat) if post.id == message)
        words = next((words for words in SPOKEN.findall(post.text) if words.startswith(f"{label} ")), None)
        if words is None:
            self.wecom.press(person, chat, message, label)
        else:
            self.wecom.say(person, chat, words)
        return lambda: next(
            (post.text for post in self.wecom.posts(chat)[before:] if post.kind != "template_card"), None
        )

    def posts(self, chat: str) -> list[Seen]:
        return [
            Seen(id=post.id, text=post.text, buttons=_buttons(post), files=post.files, reply_to=post.answers)
            for post in self.wecom.posts(chat)
        ]

    def is_drained(self) -> bool:
        return self.channel.heard == self.wecom.told and self.channel.is_idle

    def block(self, person: str) -> None:
        raise NotImplementedError("the bot is not told")

    def remove_bot(self, chat: str) -> None:
        raise NotImplementedError("the bot is not told")


def _buttons(post: Post) -> tuple[str, ...]:
    """What can be pressed, or said in its place."""
    return (*(words for words, _ in post.buttons), *(words.partition(" ")[0] for words in SPOKEN.findall(post.text)))
