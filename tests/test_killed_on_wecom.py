"""The program is killed while it pulls from 微信客服 and while cards of the app are pressed: nothing is lost, no step is taken twice."""

import asyncio
import random
import shutil
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from core.keys import load_or_make
from core.messages import ChatKind, ChatRef
from domain import chats, people
from storage.chats import ChatState
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.emulators.wecom import CORP, OPEN_KFID, WeComEmulator
from tests.emulators.wecom_pusher import Pushed
from tests.fast_clock import FastClock
from tests.nursery import Nursery, Program
from tests.patience import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FACTOR = 30
RESIDENTS, MATTERS, LIVES = 20, 60, 4
WORKER = "zhangwei"
TROUBLES = ("门口井盖坏了", "电梯坏了，按了没反应", "楼道灯不亮了，晚上看不见", "水管爆了，水流了一地")


@dataclass
class Ordeal:
    """The corp, the data of the program, and the process that is killed."""

    wecom: WeComEmulator
    folder: Path
    program: Program
    port: int
    residents: list[str]
    luck: random.Random

    async def live(self) -> None:
        """Begins a life; returns when callbacks are taken."""
        await self.program.live()
        await self.until(self._is_listening)

    def _is_listening(self) -> bool:
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", self.port)) == 0

    async def kill(self) -> None:
        await self.program.kill()

    async def until(self, happened: Callable[[], object], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "it does not come to an end"
            await asyncio.sleep(0.02)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(f"file:{self.folder / 'wuwei.sqlite3'}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def is_all_sent(self) -> bool:
        # What only tells of progress may wait for days.
        waiting = "state IN ('queued', 'sending') AND action = 'send'"
        return self.rows(f"SELECT count(*) FROM outbox WHERE {waiting}") == [(0,)]


@asynccontextmanager
async def ordeal(nursery: Nursery, folder: Path, template: Path) -> AsyncIterator[Ordeal]:
    folder.mkdir()
    shutil.copyfile(template, folder / "wuwei.sqlite3")
    clock = FastClock(FACTOR, since=time.time())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with (
        WeComEmulator(now=lambda: clock.now().timestamp()) as wecom,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"connection": "close"}) as client,
    ):
        wecom.add_member(WORKER, "张伟")
        wecom.connect(client)
        residents = [wecom.add_customer(f"居民{number}") for number in range(RESIDENTS)]
        settle_in(folder, residents, clock)
        words = ("killed", str(folder), wecom.base_url, "-", "wecom", str(port))
        async with nursery.program(*words, folder=folder, environment=clock.environment()) as program:
            yield Ordeal(wecom, folder, program, port, residents, random.Random(20261121))


def settle_in(folder: Path, residents: list[str], clock: FastClock) -> None:
    """Each resident's chat belongs to the community, and the worker on duty has the app."""
    database = Database(f"sqlite:///{folder / 'wuwei.sqlite3'}", load_or_make(folder / "wuwei.key"))
    now = clock.now()
    with database.writing() as session:
        place = builders.community(session)
        worker = builders.person(session, "张伟", Role.GRID_WORKER, community_id=place.id)
        account = people.link_account(session, worker, channel="wecom", external_id=WORKER, now=now)
        own = chats.find_or_make(session, "wecom", f"{CORP}:1000002", ChatRef(WORKER, ChatKind.PRIVATE), now=now)
        chats.note_private(own, account)
        for resident in residents:
            ref = ChatRef(f"{OPEN_KFID}:{resident}", ChatKind.PRIVATE)
            chat = chats.find_or_make(session, "wecom_kf", CORP, ref, now=now)
            chat.community_id, chat.area_id, chat.state = place.id, place.id, ChatState.BOUND
    database.close()


def report(on: Ordeal, number: int) -> str:
    """A matter of its own: no two are about one building and one thing."""
    resident, trouble = on.residents[number % RESIDENTS], TROUBLES[number // RESIDENTS]
    return on.wecom.kf_say(resident, f"{201 + number}号楼{trouble}")


async def test_killed_while_pulling_by_the_cursor(nursery: Nursery, tmp_path: Path, sqlite_template: Path) -> None:
    async with ordeal(nursery, tmp_path / "data", sqlite_template) as on:
        on.wecom.kf.page = 3
        on.wecom.kf.repeats = "send"
        await on.live()
        await on.until(lambda: on.rows("SELECT count(*) FROM channel_bookmark") == [(1,)])
        said: list[str] = []
        pulled_in_mid_stream = 0
        for life in range(LIVES):
            if life:
                await on.live()
            until = time.monotonic() + on.luck.uniform(0.05, 0.5)
            *early, last = range(life * MATTERS // LIVES, (life + 1) * MATTERS // LIVES)
            for number in early:
                said.append(report(on, number))
                await asyncio.sleep(0.002)
            await asyncio.sleep(max(0.0, until - time.monotonic()))
            # However fast it has been with the others, there is something left to pull.
            said.append(report(on, last))
            await asyncio.sleep(on.luck.uniform(0, 0.02))
            await on.kill()
            stored = len(on.rows("SELECT 1 FROM received"))
            pulled_in_mid_stream += stored < len(said)
        await on.live()
        await on.until(lambda: len(on.rows("SELECT 1 FROM received")) >= MATTERS and on.is_all_sent())
        await on.kill()
        assert pulled_in_mid_stream >= 1, "most kills came when there was nothing to pull"
        assert on.rows("PRAGMA integrity_check") == [("ok",)]
        opened = Counter(key for (key,) in on.rows("SELECT external_id FROM received WHERE outcome = 'opened'"))
        assert opened == Counter(said)
        assert len(on.rows("SELECT 1 FROM received")) == MATTERS
        assert on.rows("SELECT value FROM channel_bookmark") == [(f"c_{MATTERS}",)]
        assert len({number for (number,) in on.rows('SELECT number FROM "case"')}) == MATTERS
        receipts = on.rows(
            'SELECT "case".number, outbox.state FROM "case" JOIN outbox ON outbox.id = "case".receipt_id'
        )
        assert Counter(state for _, state in receipts) == {"sent": MATTERS}
        told = [post.text for post in on.wecom.world.posted]
        assert [number for number, _ in receipts if not any(str(number) in text for text in told)] == []


async def test_killed_between_the_click_and_the_card(nursery: Nursery, tmp_path: Path, sqlite_template: Path) -> None:
    """A press that was answered is never lost, and none counts twice; at the end every card shows what has been done."""
    cases = 6
    async with ordeal(nursery, tmp_path / "data", sqlite_template) as on:
        await on.live()
        for matter in range(cases):
            report(on, matter)
        await on.until(lambda: len(on.wecom.posts(WORKER)) >= cases)
        pressed: dict[str, list[Pushed]] = {}
        waiting = [post.task_id for post in on.wecom.posts(WORKER)]
        keys = {post.task_id: post.text.split("】")[1].split("\n")[0] for post in on.wecom.posts(WORKER)}
        for round_ in range(cases // 3):
            if round_:
                await on.live()
            for task_id in waiting[round_ * 3 : round_ * 3 + 3]:
                pressed[keys[task_id]] = [on.wecom.press(WORKER, task_id, "接单")]
            await asyncio.sleep(on.luck.uniform(0.0, 0.25))
            await on.kill()
            await on.until(lambda: on.wecom.pusher.pending == 0)
        await on.live()
        await on.until(on.is_all_sent)
        answered = {number for number, pushes in pressed.items() if any(200 in push.statuses for push in pushes)}
        assert accepted(on).keys() >= answered, "what was answered is in the history"
        for unheard in pressed.keys() - accepted(on).keys():  # the worker presses again
            task_id = next(task_id for task_id, number in keys.items() if number == unheard)
            on.wecom.press(WORKER, task_id, "接单")
        await on.until(lambda: len(accepted(on)) == cases and edits_are_done(on))
        await on.kill()
        assert accepted(on) == dict.fromkeys(pressed, 1)
        shown = [post for post in on.wecom.posts(WORKER) if post.text.startswith("【")]
        stale = [post.text for post in shown if "接单" in [words for words, _, _ in post.buttons]]
        assert stale == []
        assert {number for number in pressed if any(number in post.text for post in shown)} == pressed.keys()


def accepted(on: Ordeal) -> dict[object, int]:
    """How often each case was accepted, by its number."""
    query = (
        'SELECT "case".number, count(*) FROM case_event JOIN "case" ON "case".id = case_event.case_id'
        " WHERE case_event.step = 'accept' GROUP BY 1"
    )
    return {number: count for number, count in on.rows(query) if isinstance(count, int)}


def edits_are_done(on: Ordeal) -> bool:
    query = (
        "SELECT count(*) FROM outbox JOIN chat ON chat.id = outbox.chat_id"
        " WHERE chat.channel = 'wecom' AND outbox.state IN ('queued', 'sending')"
    )
    return on.rows(query) == [(0,)]
