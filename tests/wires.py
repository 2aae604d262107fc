"""Platforms with one face, for tests that must hold on all: the strict emulators of Telegram and WeCom, and the simulated platform.

People and chats are named by the platform's own ids, messages too, all as text.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import httpx

from bot.channels.base import Channel
from bot.channels.simulator import SimulatorChannel
from bot.channels.telegram import Pace, TelegramChannel
from bot.channels.wecom.app import AppChannel, Corp
from bot.channels.wecom.kf import KfChannel
from bot.simulator.platform import SimulatedPlatform
from core.clock import ShiftedClock
from core.messages import AttachmentKind
from core.simulation import PRIVATE_PREFIX, Upload
from handlers import commands
from tests.emulators.telegram import Chat, FloodLimits, TelegramEmulator, User
from tests.emulators.wecom import (
    AES_KEY,
    AGENT,
    APP_SECRET,
    CORP,
    KF_SECRET,
    OPEN_KFID,
    TOKEN,
    WeComEmulator,
)
from tests.patience import PATIENCE
from web.hooks import HookDoor

QUICK = Pace(first_pause=0.02, longest_pause=0.1, answer_within=PATIENCE, between_parts=0)
# A clock that stands still would refuse the second message of an answer that takes two; the channel waits by the real one.
LIMITS = FloodLimits(chat=None)


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the bot as a member of the chat sees it now."""

    id: str
    text: str
    buttons: tuple[str, ...] = ()
    files: tuple[bytes, ...] = ()
    reply_to: str | None = None
    links: tuple[str, ...] = ()


Notice = Callable[[], str | None]


class Wire(Protocol):
    """A platform with people on it. `press` returns a look at the small notice: None until the bot has answered.

    `address` tells by which channel and account a person is reached: WeCom has one for members and one for residents.
    """

    name: str
    account: str
    tells_withdrawals: bool
    has_groups: bool

    @property
    def channels(self) -> Sequence[Channel]: ...
    def address(self, person: str) -> tuple[str, str]: ...

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    def add_person(self, name: str, *, has_started: bool) -> str: ...
    def add_group(self, title: str, members: Sequence[str]) -> str: ...
    def private(self, person: str) -> str: ...
    def say(
        self, person: str, chat: str, text: str, *, photos: Sequence[bytes] = (), reply_to: str | None = None
    ) -> str: ...
    def start(self, person: str, payload: str = "") -> None: ...
    def edit(self, person: str, chat: str, message: str, text: str) -> None: ...
    def press(self, person: str, chat: str, message: str, label: str) -> Notice: ...
    def posts(self, chat: str) -> list[Seen]: ...
    def is_drained(self) -> bool: ...
    def block(self, person: str) -> None: ...
    def remove_bot(self, chat: str) -> None: ...


class TelegramWire:
    """The emulator on a real socket, and the channel with the real python-telegram-bot."""

    name = "telegram"
    tells_withdrawals = False
    has_groups = True

    def __init__(self, clock: ShiftedClock) -> None:
        self.telegram = TelegramEmulator(now=lambda: clock.now().timestamp(), limits=LIMITS)
        self.account = self.telegram.token.partition(":")[0]
        self.channel: Channel
        self._users: dict[str, User] = {}
        self._chats: dict[str, Chat] = {}

    @property
    def channels(self) -> Sequence[Channel]:
        return (self.channel,)

    def address(self, person: str) -> tuple[str, str]:
        return self.name, self.account

    async def open(self) -> None:
        await self.telegram.__aenter__()
        self.channel = TelegramChannel(
            token=self.telegram.token,
            base_url=self.telegram.base_url,
            poll_seconds=5,
            pace=QUICK,
            commands=commands.menu(),
        )

    async def close(self) -> None:
        await self.telegram.__aexit__()

    def add_person(self, name: str, *, has_started: bool) -> str:
        user = self.telegram.add_user(name, started=has_started)
        self._users[str(user.id)] = user
        self._chats[str(user.id)] = self.telegram.private(user)
        return str(user.id)

    def add_group(self, title: str, members: Sequence[str]) -> str:
        group = self.telegram.add_group(title, [self._users[one] for one in members], is_supergroup=False)
        self._chats[str(group.id)] = group
        return str(group.id)

    def private(self, person: str) -> str:
        return person

    def chat(self, chat: str) -> Chat:
        return self._chats[chat]

    def user(self, person: str) -> User:
        return self._users[person]

    def note_chat(self, chat: Chat) -> str:
        """A chat that the emulator made by itself, as in a migration."""
        self._chats[str(chat.id)] = chat
        return str(chat.id)

    def say(
        self, person: str, chat: str, text: str, *, photos: Sequence[bytes] = (), reply_to: str | None = None
    ) -> str:
        user, where = self._users[person], self._chats[chat]
        if len(photos) > 1:
            return str(self.telegram.say_album(user, where, photos, text)[0])
        reply = None if reply_to is None else int(reply_to)
        photo = photos[0] if photos else None
        return str(self.telegram.say(user, where, text, photo=photo, reply_to=reply))

    def start(self, person: str, payload: str = "") -> None:
        self.telegram.start(self._users[person], payload)

    def edit(self, person: str, chat: str, message: str, text: str) -> None:
        self.telegram.edit(self._users[person], self._chats[chat], int(message), text)

    def press(self, person: str, chat: str, message: str, label: str) -> Notice:
        press = self.telegram.press(self._users[person], self._chats[chat], int(message), label)
        return lambda: press.notice if press.is_answered else None

    def forge_press(self, person: str, chat: str, message: str, data: str) -> Notice:
        press = self.telegram.forge_press(self._users[person], self._chats[chat], int(message), data)
        return lambda: press.notice if press.is_answered else None

    def posts(self, chat: str) -> list[Seen]:
        return [
            Seen(
                id=str(post.id),
                text=post.text,
                buttons=tuple(button.text for button in post.all_buttons),
                files=post.files,
                reply_to=None if post.reply_to is None else str(post.reply_to),
                links=tuple(button.url for button in post.all_buttons if button.url),
            )
            for post in self.telegram.posts(self._chats[chat])
        ]

    def is_drained(self) -> bool:
        return not self.telegram.queue.pending

    def block(self, person: str) -> None:
        self.telegram.block(self._users[person])

    def remove_bot(self, chat: str) -> None:
        where = self._chats[chat]
        creator = next(user for user, status in where.members.items() if status == "creator")
        self.telegram.kick(where, self._users[str(creator)])


class SimulatorWire:
    """The simulated platform and its channel."""

    name = account = "simulator"
    tells_withdrawals = True
    has_groups = True

    def __init__(self, clock: ShiftedClock, folder: Path) -> None:
        self.platform = SimulatedPlatform(folder / "simulator.sqlite3", clock)
        self.platform._store._connection.execute("PRAGMA synchronous=OFF")  # as all databases of the tests
        self._known = {one.id for one in self.platform.people()} | {one.id for one in self.platform.groups()}
        self.channel: Channel = SimulatorChannel(self.platform)
        self._albums = itertools.count(1)
        self._ids = itertools.count(1)

    @property
    def channels(self) -> Sequence[Channel]:
        return (self.channel,)

    def address(self, person: str) -> tuple[str, str]:
        return self.name, self.account

    async def open(self) -> None:
        return

    async def close(self) -> None:
        self.platform.close()

    def add_person(self, name: str, *, has_started: bool) -> str:
        person = f"p{next(self._ids)}"
        return person if person in self._known else self.platform.add_person(name, person_id=person).id

    def add_group(self, title: str, members: Sequence[str]) -> str:
        group = f"g{next(self._ids)}"
        if group in self._known:
            return group
        self.platform.add_group(title, group_id=group)
        for member in members:
            self.platform.join(group, member)
        return group

    def private(self, person: str) -> str:
        return f"{PRIVATE_PREFIX}{person}"

    def say(
        self, person: str, chat: str, text: str, *, photos: Sequence[bytes] = (), reply_to: str | None = None
    ) -> str:
        """Several photos come as an album of messages, the words under the first, as on Telegram."""
        if len(photos) < 2:
            uploads = [Upload(AttachmentKind.PHOTO, photo) for photo in photos]
            return self.platform.say(chat, person, text=text, uploads=uploads, reply_to=reply_to)
        album = f"album{next(self._albums)}"
        ids = [
            self.platform.say(
                chat, person, text="" if at else text, uploads=[Upload(AttachmentKind.PHOTO, photo)], album=album
            )
            for at, photo in enumerate(photos)
        ]
        return ids[0]

    def start(self, person: str, payload: str = "") -> None:
        self.platform.say(self.private(person), person, text=f"/start {payload}".rstrip())

    def edit(self, person: str, chat: str, message: str, text: str) -> None:
        self.platform.edit(message, person, text)

    def press(self, person: str, chat: str, message: str, label: str) -> Notice:
        found = next(button for button in self.platform.message(message).buttons if button.text == label)
        press = self.platform.press(message, person, found.id)
        return lambda: self.platform.press_made(press.id).answer

    def posts(self, chat: str) -> list[Seen]:
        return [
            Seen(
                id=message.id,
                text=message.text,
                buttons=tuple(button.text for button in message.buttons),
                files=tuple(self.platform.file(file.id).content for file in message.files),
                reply_to=message.reply_to,
                links=tuple(button.url for button in message.buttons if button.url),
            )
            for message in self.platform.messages(chat)
            if message.sender == "bot" and not message.is_deleted
        ]

    def is_drained(self) -> bool:
        return self.platform.bot.count_pending() == 0

    def block(self, person: str) -> None:
        self.platform.block_bot(person)

    def remove_bot(self, chat: str) -> None:
        self.platform.remove_bot(chat)


class WeComWire:
    """The emulator on a real socket with both channels of it: whoever has started the bot is a member and has the app, the
    others are residents, who come through 微信客服. There is no group that a bot could hear.
    """

    name = "wecom"
    tells_withdrawals = True
    has_groups = False

    def __init__(self, clock: ShiftedClock) -> None:
        self._now = lambda: clock.now().timestamp()
        self.wecom = WeComEmulator(now=self._now)
        self.account = f"{CORP}:{AGENT}"
        self.app: AppChannel
        self.kf: KfChannel
        self._client: httpx.AsyncClient
        self._ids = itertools.count(1)

    @property
    def channels(self) -> Sequence[Channel]:
        return (self.kf, self.app)

    def address(self, person: str) -> tuple[str, str]:
        return (self.kf.name, self.kf.account) if self._is_customer(person) else (self.app.name, self.app.account)

    async def open(self) -> None:
        await self.wecom.__aenter__()
        corp = Corp(CORP, KF_SECRET, TOKEN, AES_KEY, base_url=self.wecom.base_url)
        self.kf = KfChannel(corp, open_kfids=(OPEN_KFID,), now=self._now, first_pause=0.02)
        self.app = AppChannel(
            replace(corp, secret=APP_SECRET),
            agent_id=AGENT,
            commands=commands.menu(),
            now=self._now,
            others=self.kf.take_event,
        )
        door = HookDoor({}, {"wecom": self.app.answer_hook, "wecom_kf": self.kf.answer_hook})
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://127.0.0.1")
        self.wecom.connect(self._client)

    async def close(self) -> None:
        await self.wecom.__aexit__()
        await self._client.aclose()

    def _is_customer(self, person: str) -> bool:
        return person in self.wecom.world.customers

    def add_person(self, name: str, *, has_started: bool) -> str:
        if not has_started:
            return self.wecom.add_customer(name)
        return self.wecom.add_member(f"member{next(self._ids)}", name).userid

    def add_group(self, title: str, members: Sequence[str]) -> str:
        raise NotImplementedError("no bot is in a group of WeCom's")

    def private(self, person: str) -> str:
        return f"{OPEN_KFID}:{person}" if self._is_customer(person) else person

    def say(
        self, person: str, chat: str, text: str, *, photos: Sequence[bytes] = (), reply_to: str | None = None
    ) -> str:
        """A message holds words or one picture: the pictures come first."""
        if self._is_customer(person):
            ids = [self.wecom.kf_send_image(person, photo) for photo in photos]
            return [*ids, *([self.wecom.kf_say(person, text)] if text else [])][-1]
        pushed = [self.wecom.send_image(person, photo) for photo in photos]
        return [*pushed, *([self.wecom.say(person, text)] if text else [])][-1].text

    def start(self, person: str, payload: str = "") -> None:
        if self._is_customer(person):
            self.wecom.kf_enter(person, payload)
        else:
            self.wecom.event(person, "subscribe")

    def edit(self, person: str, chat: str, message: str, text: str) -> None:
        raise NotImplementedError("nothing that was sent can be changed there")

    def press(self, person: str, chat: str, message: str, label: str) -> Notice:
        """What is a notice elsewhere is a message here: the newest words after the press."""
        before = len(self.wecom.posts(person))
        if self._is_customer(person):
            self.wecom.kf_press(person, message, label)
        else:
            self.wecom.press(person, message, label)
        return lambda: next(
            (post.text for post in reversed(self.wecom.posts(person)[before:]) if post.kind == "text"), None
        )

    def posts(self, chat: str) -> list[Seen]:
        person = chat.partition(":")[2] or chat
        return [
            Seen(
                id=post.task_id or post.id,
                text=post.text,
                buttons=tuple(words for words, _, _ in post.buttons),
                files=post.files,
                links=tuple(url for _, _, url in post.buttons if url),
            )
            for post in self.wecom.posts(person)
        ]

    def is_drained(self) -> bool:
        return self.wecom.pending == 0 and self.kf.is_idle

    def block(self, person: str) -> None:
        self.wecom.event(person, "unsubscribe")

    def remove_bot(self, chat: str) -> None:
        raise NotImplementedError("no bot is in a group of WeCom's")


async def drained(wire: Wire) -> None:
    """Until the bot has confirmed everything that people did."""
    deadline = time.monotonic() + PATIENCE
    while not wire.is_drained():
        assert time.monotonic() < deadline, "the bot does not read what people write"
        await asyncio.sleep(0.002)
