"""The loop that hands posts to owners is killed while it does: each post lies once with its owner, whatever moment it was."""

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from core.groups import GroupFacts
from core.keys import load_or_make
from core.messages import ChatKind, ChatRef
from domain import announcements, chats
from domain.customer_groups import registry
from storage.areas import Area
from storage.customer_groups import PostTask
from storage.database import Database
from tests import builders
from tests.emulators.wecom import CORP, WeComEmulator
from tests.fast_clock import FastClock
from tests.nursery import Nursery, Program
from tests.patience import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FACTOR = 90  # a lease of a minute takes two thirds of a second
ADD = "externalcontact/add_msg_template"
LIST = "externalcontact/get_groupmsg_list_v2"


@dataclass
class Ordeal:
    wecom: WeComEmulator
    database: Database
    program: Program
    community_id: int
    clock: FastClock

    def announce(self, text: str) -> None:
        now = self.clock.now()
        with self.database.writing() as session:
            made = announcements.draft(
                session, community_id=self.community_id, title=text, text="请储水。", area_ids=[self.community_id],
                chat_ids=[], roles=[], file_ids=[], by=None, now=now,
            )  # fmt: skip
            announcements.schedule(session, made, at=now, recurrence=None, now=now)
            session.flush()
            announcements.post_due(session, now)

    async def live(self) -> None:
        await self.program.live()

    async def kill(self) -> None:
        await self.program.kill()

    async def until(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.01)

    def states(self) -> list[tuple[str, str | None]]:
        with self.database.reading() as session:
            query = select(PostTask.state, PostTask.external_id).order_by(PostTask.id)
            return [(state, external_id) for state, external_id in session.execute(query)]


@asynccontextmanager
async def ordeal(nursery: Nursery, folder: Path, template: Path) -> AsyncIterator[Ordeal]:
    folder.mkdir()
    shutil.copyfile(template, folder / "wuwei.sqlite3")
    clock = FastClock(FACTOR, since=time.time())
    async with WeComEmulator(now=lambda: clock.now().timestamp()) as wecom:
        database = Database(f"sqlite:///{folder / 'wuwei.sqlite3'}", load_or_make(folder / "wuwei.key"))
        community_id = settle_in(database, wecom, clock)
        words = ("handing", str(folder), wecom.base_url)
        async with nursery.program(*words, folder=folder, environment=clock.environment()) as program:
            yield Ordeal(wecom, database, program, community_id, clock)
        database.close()


def settle_in(database: Database, wecom: WeComEmulator, clock: FastClock) -> int:
    """A group of each of two owners, both in the first grid."""
    with database.writing() as session:
        place = builders.community(session)
        area = session.get_one(Area, place.grid.id)
        for owner, name in (("zhang", "张伟"), ("li", "李娜")):
            wecom.add_member(owner, name)
            group = wecom.add_group(f"{name}的群", owner, tells=False)
            ref = ChatRef(group, ChatKind.GROUP, f"{name}的群")
            chat = chats.find_or_make(session, "wecom_group", CORP, ref, now=clock.now())
            registry.note(session, chat, ref.title, GroupFacts(clock.now(), owner, name, 3, 2), now=clock.now())
            registry.bind(session, place.id, chat.id, area, sees_unbound=True)
        return place.id


async def test_death_after_the_task_was_made_and_before_it_was_noted(
    nursery: Nursery, tmp_path: Path, sqlite_template: Path
) -> None:
    async with ordeal(nursery, tmp_path / "data", sqlite_template) as on:
        on.wecom.delay_answer(2, 30.0, path=ADD)  # it works, and says so only when nobody lives to hear it
        on.announce("停水")
        await on.live()
        await on.until(lambda: len(on.wecom.groups.tasks) == 1)
        await on.kill()
        assert on.states() == [("making", None), ("making", None)]
        on.wecom.wire.faults.clear()
        await on.live()
        await on.until(lambda: {state for state, _ in on.states()} == {"created"})
        await on.kill()
        made = [task.msgid for task in on.wecom.groups.tasks]
        assert sorted(str(one) for _, one in on.states()) == sorted(made)
        assert len(made) == 2
        assert on.wecom.calls(LIST) != []


async def test_killed_anywhere_each_post_lies_once_with_its_owner(
    nursery: Nursery, tmp_path: Path, sqlite_template: Path
) -> None:
    luck = random.Random(20261121)
    async with ordeal(nursery, tmp_path / "data", sqlite_template) as on:
        for life in range(4):
            await on.live()
            for number in range(2):
                on.announce(f"公告 {life}{number}")
                await asyncio.sleep(luck.uniform(0, 0.05))
            await asyncio.sleep(luck.uniform(0, 0.4))
            await on.kill()
        await on.live()
        await on.until(lambda: len(on.states()) == 16 and {state for state, _ in on.states()} == {"created"})
        await on.kill()
        lying = Counter((task.owner, task.text) for task in on.wecom.groups.tasks)
        assert set(lying.values()) == {1}
        assert sorted(task.msgid for task in on.wecom.groups.tasks) == sorted(str(one) for _, one in on.states())
