"""The program is killed again and again under a stream of updates: nothing is lost, nothing is done twice without a word."""

import asyncio
import random
import shutil
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.keys import load_or_make
from core.messages import ChatKind, ChatRef
from domain import chats
from domain.sending import MOST_INTERRUPTIONS
from storage.chats import ChatState
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.emulators.telegram import Chat, TelegramEmulator, User
from tests.emulators.telegram_limits import NO_LIMITS
from tests.fast_clock import FastClock
from tests.nursery import Nursery, Program
from tests.patience import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FACTOR = 30  # the platform's limits in a thirtieth of their time
MATTERS = (
    "{at}号楼门口井盖坏了",
    "{at}号楼电梯坏了，按了没反应",
    "{at}号楼楼道灯不亮了，晚上看不见",
    "{at}号楼水管爆了，水流了一地",
    "{at}号楼门口垃圾没人清，臭死了",
)
CHATTER = ("大家早上好", "今天天气真好", "收到，谢谢", "哈哈哈", "晚上一起吃饭吗")
RESIDENTS, GROUPS = 400, 20
FIRST_BUILDING = 101  # among them 110, 119 and 120, where no emergency is called


@dataclass
class Ordeal:
    """What was said, by the number of its update; and the process that is killed meanwhile. `birth` is how long the last start took."""

    telegram: TelegramEmulator
    folder: Path
    program: Program
    luck: random.Random
    groups: list[Chat]
    residents: list[User]
    reports: set[tuple[int, int]] = field(default_factory=set)
    kills: int = 0
    birth: float = 0.0
    kills_at_work: int = 0

    def say_something(self, number: int) -> None:
        """About every eighth update is a report in a group, every eighth one in private, the rest is talk."""
        resident = self.residents[number % RESIDENTS]
        # Nothing is said twice, of one building least of all: the same again would join the open case.
        matter = MATTERS[number // RESIDENTS].format(at=FIRST_BUILDING + number % RESIDENTS)
        group = self.groups[number % GROUPS]
        match self.luck.randrange(8):
            case 0:
                where = group
            case 1:
                where = self.telegram.private(resident)
            case _:
                self.telegram.say(resident, group, self.luck.choice(CHATTER))
                return
        self.reports.add((where.id, self.telegram.say(resident, where, matter)))

    async def live(self) -> None:
        """Begins a life; returns when the program listens."""
        before = self._signs_of_life()
        await self.program.live()
        began = time.monotonic()
        await self.telegram.wait_for(lambda: self._signs_of_life() > before, seconds=PATIENCE)
        self.birth = time.monotonic() - began

    def _signs_of_life(self) -> int:
        return len(self.telegram.calls("getMe"))

    async def kill(self) -> None:
        self.kills_at_work += bool(self.telegram.queue.pending) or bool(self.count("state IN ('queued', 'sending')"))
        await self.program.kill()
        self.kills += 1

    async def stream(self, updates: int, kills: int) -> None:
        """Speaks `updates` times and kills as often as told, each time a random while after the program came to life."""
        share = -(-updates // kills)
        for life in range(kills):
            await self.live()
            said = range(life * share, min(updates, (life + 1) * share))
            # On a machine that is slow to begin a life it is also slow to do something in it.
            until = time.monotonic() + self.birth + self.luck.uniform(0.05, 0.7)
            # The last words find it at work, however fast it has been with the others.
            last = self.luck.randrange(1, 20)
            for number in said[:-last]:
                self.say_something(number)
                if self.luck.random() < 0.1 and time.monotonic() < until:
                    await asyncio.sleep(self.luck.uniform(0, 0.04))
            await asyncio.sleep(max(0.0, until - time.monotonic()))
            for number in said[-last:]:
                self.say_something(number)
            await asyncio.sleep(self.luck.uniform(0, 0.02))
            await self.kill()

    async def finish(self) -> None:
        """One more life, until everything has been worked and sent."""
        await self.live()
        deadline = time.monotonic() + 90
        while self.telegram.queue.pending or self.count("state IN ('queued', 'sending') AND action = 'send'"):
            assert time.monotonic() < deadline, "it does not come to an end"
            await asyncio.sleep(0.1)
        await self.kill()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        path = self.folder / "wuwei.sqlite3"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def count(self, condition: str) -> int:
        ((found,),) = self.rows(f"SELECT count(*) FROM outbox WHERE {condition}")
        assert isinstance(found, int)
        return found


@asynccontextmanager
async def ordeal(nursery: Nursery, folder: Path, template: Path, mode: str) -> AsyncIterator[Ordeal]:
    folder.mkdir()
    shutil.copyfile(template, folder / "wuwei.sqlite3")
    clock = FastClock(FACTOR, since=time.time())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with TelegramEmulator(now=lambda: clock.now().timestamp(), limits=NO_LIMITS) as telegram:
        residents = [telegram.add_user(f"居民{number}", started=True) for number in range(RESIDENTS)]
        groups = [telegram.add_group(f"邻里群{number}", residents) for number in range(GROUPS)]
        settle_in(folder, telegram, groups, clock)
        words = ("killed", str(folder), telegram.base_url, telegram.token, mode, str(port))
        async with nursery.program(*words, folder=folder, environment=clock.environment()) as program:
            yield Ordeal(telegram, folder, program, random.Random(20261121), groups, residents)


def settle_in(folder: Path, telegram: TelegramEmulator, groups: list[Chat], clock: FastClock) -> None:
    """The groups are bound; the worker on duty cannot be written to, so that only residents get answers."""
    database = Database(f"sqlite:///{folder / 'wuwei.sqlite3'}", load_or_make(folder / "wuwei.key"))
    account = telegram.token.partition(":")[0]
    with database.writing() as session:
        place = builders.community(session)
        builders.person(session, "张伟", Role.GRID_WORKER, community_id=place.id)
        for group in groups:
            ref = ChatRef(str(group.id), ChatKind.GROUP, group.title)
            chat = chats.find_or_make(session, "telegram", account, ref, now=clock.now())
            chat.community_id, chat.area_id, chat.state = place.id, place.id, ChatState.BOUND
    database.close()


def check_nothing_is_lost_or_doubled(after: Ordeal) -> None:
    assert after.rows("PRAGMA integrity_check") == [("ok",)]
    opened = after.rows(
        "SELECT chat.external_id, received.message_id FROM received JOIN chat ON chat.id = received.chat_id"
        " WHERE received.outcome = 'opened'"
    )
    assert Counter(opened) == Counter((str(chat), str(message)) for chat, message in after.reports)
    assert after.rows("SELECT count(*) FROM received WHERE outcome = 'failed'") == [(0,)]
    assert after.rows("SELECT count(DISTINCT external_id) - count(*) FROM received") == [(0,)]
    cases = after.rows('SELECT id, number FROM "case"')
    assert len({number for _, number in cases}) == len(cases) == len(after.reports)
    events = after.rows("SELECT case_id FROM case_event WHERE step = 'open'")
    assert Counter(case_id for (case_id,) in events) == Counter(key for key, _ in cases)
    check_answers(after)


def check_answers(after: Ordeal) -> None:
    """In private every answer has come; in a group it has come once, or is held for a person to decide.

    What was interrupted again and again in private is held too, shown to staff; that is rare even here.
    """
    too_often = 0
    shown: Counter[str] = Counter()
    for chat in (*after.groups, *(after.telegram.private(user) for user in after.residents)):
        shown.update(post.text.split(" ")[0] for post in after.telegram.posts(chat, with_deleted=True))
    receipts = after.rows(
        'SELECT "case".number, chat.kind, outbox.state, outbox.attempts FROM "case" JOIN outbox ON outbox.id = "case".receipt_id'
        " JOIN chat ON chat.id = outbox.chat_id"
    )
    assert len(receipts) == len(after.reports)
    for number, kind, state, attempts in receipts:
        times = shown[str(number)]
        if kind == "private":
            is_held = (state, attempts) == ("held", MOST_INTERRUPTIONS)
            assert is_held or (state, times >= 1) == ("sent", True), number
            too_often += is_held
        elif state == "sent":
            assert times == 1, number
        else:
            assert (state, times <= 1) == ("held", True), number
    assert too_often <= len(receipts) // 50


async def test_killed_anywhere_while_polling(nursery: Nursery, tmp_path: Path, sqlite_template: Path) -> None:
    async with ordeal(nursery, tmp_path / "data", sqlite_template, "polling") as going_on:
        await going_on.stream(updates=2000, kills=24)
        await going_on.finish()
        assert going_on.kills == 25
        assert going_on.kills_at_work >= 20
        assert len(going_on.reports) > 400
        check_nothing_is_lost_or_doubled(going_on)


async def test_killed_anywhere_with_a_webhook(nursery: Nursery, tmp_path: Path, sqlite_template: Path) -> None:
    async with ordeal(nursery, tmp_path / "data", sqlite_template, "webhook") as going_on:
        await going_on.stream(updates=120, kills=6)
        await going_on.finish()
        check_nothing_is_lost_or_doubled(going_on)
        assert 200 in going_on.telegram.queue.pushes
