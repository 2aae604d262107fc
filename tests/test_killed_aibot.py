"""The program is killed on the AI bot's long connection: while an answer is under way, and at any moment. What was stored is answered
once, or held for a person; what the platform told while nobody was connected is gone there, and it tells nothing twice.
"""

import asyncio
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.keys import load_or_make
from core.messages import ChatKind, ChatRef
from domain import chats, outbox
from domain.sending import MOST_INTERRUPTIONS
from storage.chats import ChatState
from storage.database import Database
from storage.messages import Outbox
from storage.people import Role
from tests import builders
from tests.emulators.wecom_aibot import BOT, SECRET, AibotEmulator
from tests.fast_clock import FastClock
from tests.nursery import Nursery, Program
from tests.patience import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FACTOR = 30
GROUP = "wrGroup1"
RESIDENTS = [f"m{number}" for number in range(40)]


@dataclass
class Ordeal:
    """The process that is killed, the platform, and the disk between its lives."""

    wecom: AibotEmulator
    folder: Path
    program: Program
    clock: FastClock
    kills: int = 0

    async def live(self) -> None:
        """Begins a life; returns when the bot is connected."""
        before = self.wecom.lines.subscribed
        await self.program.live()
        await self.wecom.until(lambda: self.wecom.lines.subscribed > before, seconds=PATIENCE)

    async def kill(self) -> None:
        await self.program.kill()
        await self.until(lambda: not self.wecom.lines.is_connected)
        self.kills += 1

    async def until(self, happened: Callable[[], object]) -> None:
        await self.wecom.until(happened, seconds=PATIENCE)

    async def settled(self) -> None:
        """Everything that waited has been sent, held or given up; what has not, and what the program said of it, is told."""
        query = (
            "SELECT id, state, attempts, due_at, lease_until, error FROM outbox WHERE state IN ('queued', 'sending')"
        )
        try:
            await self.until(lambda: not self.rows(query))
        except AssertionError as error:
            said = self.program.errors.read_text(encoding="utf-8").splitlines()[-20:]
            raise AssertionError("\n".join([f"{self.clock.now()}: {self.rows(query)}", *said])) from error

    def rows(self, query: str) -> list[tuple[object, ...]]:
        path = self.folder / "wuwei.sqlite3"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def received(self) -> int:
        return len(self.rows("SELECT 1 FROM received"))

    def receipts(self) -> list[tuple[str, str, str, int]]:
        """Of each case in order: its number, private or group, what became of its receipt, and how often it was tried."""
        query = (
            'SELECT "case".number, chat.kind, outbox.state, outbox.attempts FROM "case"'
            ' JOIN outbox ON outbox.id = "case".receipt_id JOIN chat ON chat.id = outbox.chat_id ORDER BY "case".id'
        )
        return [
            (str(number), str(kind), str(state), int(str(times))) for number, kind, state, times in self.rows(query)
        ]

    def shown(self) -> Counter[str]:
        """How often each number was said, in whichever chat."""
        words = [post.text.split(" ")[0] for post in self.wecom.rules.posted]
        return Counter(word for word in words if word.startswith(("BX-", "JB-")))

    def send_again(self) -> None:
        """Staff let what is held go."""
        database = Database(f"sqlite:///{self.folder / 'wuwei.sqlite3'}", load_or_make(self.folder / "wuwei.key"))
        with database.writing() as session:
            for row in session.query(Outbox).filter(Outbox.state == "held"):
                outbox.resend(session, row, now=self.clock.now())
        database.close()


@asynccontextmanager
async def ordeal(nursery: Nursery, folder: Path, template: Path) -> AsyncIterator[Ordeal]:
    folder.mkdir()
    shutil.copyfile(template, folder / "wuwei.sqlite3")
    clock = FastClock(FACTOR, since=time.time())
    async with AibotEmulator(now=lambda: clock.now().timestamp()) as wecom:
        for member in RESIDENTS:
            wecom.add_member(member)
        wecom.add_group(GROUP, RESIDENTS)
        settle_in(folder, clock)
        words = ("killed", str(folder), wecom.url, f"{BOT} {SECRET}", "aibot", "0")
        async with nursery.program(*words, folder=folder, environment=clock.environment()) as program:
            yield Ordeal(wecom, folder, program, clock)


def settle_in(folder: Path, clock: FastClock) -> None:
    """The group is bound; the worker on duty cannot be written to, so that only residents get answers."""
    database = Database(f"sqlite:///{folder / 'wuwei.sqlite3'}", load_or_make(folder / "wuwei.key"))
    with database.writing() as session:
        place = builders.community(session)
        builders.person(session, "张伟", Role.GRID_WORKER, community_id=place.id)
        chat = chats.find_or_make(session, "wecom_bot", BOT, ChatRef(GROUP, ChatKind.GROUP), now=clock.now())
        chat.community_id, chat.area_id, chat.state = place.id, place.id, ChatState.BOUND
    database.close()


async def test_killed_while_an_answer_is_under_way(nursery: Nursery, tmp_path: Path, sqlite_template: Path) -> None:
    """In a group nobody can know whether it was said, so a person decides; in private it is said again."""
    async with ordeal(nursery, tmp_path / "data", sqlite_template) as going_on:
        wecom = going_on.wecom
        await going_on.live()
        wecom.say("m0", GROUP, "101号楼门口井盖坏了")
        await going_on.until(lambda: len(wecom.posts(GROUP)) == 1)
        # The stream frame is worked, and its answer lost with the process.
        wecom.lines.swallowed = 1
        wecom.say("m1", GROUP, "102号楼电梯坏了，按了没反应")
        await going_on.until(lambda: len(wecom.posts(GROUP)) == 2)
        await going_on.kill()
        await going_on.live()
        # The frame leaves us, and nothing becomes of it.
        wecom.lines.holds = True
        wecom.say("m2", GROUP, "103号楼楼道灯不亮了，晚上看不见")
        await going_on.until(lambda: wecom.lines.held)
        await going_on.kill()
        wecom.lines.holds = False
        await going_on.live()
        wecom.lines.swallowed = 1
        wecom.say("m3", "m3", "104号楼水管爆了，水流了一地")
        await going_on.until(lambda: wecom.posts("m3"))
        await going_on.kill()
        await going_on.live()
        await going_on.settled()
        first, second, third, fourth = going_on.receipts()
        assert [first[1:3], second[1:3], third[1:3]] == [("group", "sent"), ("group", "held"), ("group", "held")]
        assert (fourth[1:], first[3]) == (("private", "sent", 1), 0)
        shown = going_on.shown()
        assert [shown[one[0]] for one in (first, second, third)] == [1, 1, 0]
        assert shown[fourth[0]] >= 2, "said again, and its row tells that it was interrupted"
        going_on.send_again()
        await going_on.until(lambda: going_on.shown()[third[0]] == 1)
        await going_on.settled()
        assert {state for _, _, state, _ in going_on.receipts()} == {"sent"}
        await going_on.kill()


async def test_killed_anywhere_nothing_stored_is_lost_or_doubled(
    nursery: Nursery, tmp_path: Path, sqlite_template: Path
) -> None:
    luck = random.Random(20261121)
    async with ordeal(nursery, tmp_path / "data", sqlite_template) as going_on:
        said = 0
        for _ in range(6):
            await going_on.live()
            before = going_on.received()
            for _ in range(8):
                resident = RESIDENTS[said % len(RESIDENTS)]
                going_on.wecom.say(resident, resident if said % 3 else GROUP, f"{101 + said}号楼门口井盖坏了")
                said += 1
                await asyncio.sleep(luck.uniform(0, 0.02))
            # A life that heard nothing shows nothing, however slow the machine is.
            await going_on.until(lambda: going_on.received() >= before + 2)  # noqa: B023 - awaited at once
            await asyncio.sleep(luck.uniform(0, 0.3))
            await going_on.kill()
        await going_on.live()
        await going_on.settled()
        await going_on.kill()
        assert going_on.kills == 7
        check(going_on, said)


def check(after: Ordeal, said: int) -> None:
    assert after.rows("PRAGMA integrity_check") == [("ok",)]
    opened = after.rows("SELECT external_id FROM received WHERE outcome = 'opened'")
    receipts = after.receipts()
    assert len(set(opened)) == len(opened) == len(receipts) == after.rows('SELECT count(*) FROM "case"')[0][0]
    assert 8 <= len(receipts) <= said
    shown = after.shown()
    for number, kind, state, attempts in receipts:
        times = shown[number]
        if kind == "private":
            is_held = (state, attempts) == ("held", MOST_INTERRUPTIONS)
            assert is_held or (state, times >= 1) == ("sent", True), (number, state, times)
        elif state == "sent":
            assert times == 1, number
        else:
            assert (state, times <= 1) == ("held", True), number
    assert {code for cmd, _, _, code in after.wecom.lines.log if cmd != "aibot_respond_msg"} == {0}
