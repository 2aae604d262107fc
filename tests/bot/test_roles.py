"""Four processes on one PostgreSQL, each with one role, between a strict Telegram and a browser: the main job goes through all of them."""

import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from core.keys import load_or_make
from domain import chats
from storage.cases import Case
from storage.chats import ChatPurpose
from storage.database import Database
from storage.messages import Received
from storage.people import Role
from tests import builders
from tests.emulators.telegram import Chat, TelegramEmulator
from tests.nursery import Nursery, Program
from tests.patience import PATIENCE
from tests.postgres import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(240)]

ROLES = ("intake", "sender", "clock", "web")


@pytest.fixture
def shared(postgres: Postgres, tmp_path: Path) -> Database:
    """The database of all four, with the key in the folder they share."""
    return Database(postgres.fresh(), load_or_make(tmp_path / "wuwei.key"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config(folder: Path, database: Database, telegram: TelegramEmulator, port: int) -> Path:
    file = folder / "config.toml"
    lines = (
        f'data_folder = "{folder}"',
        f'database.url = "{database.url.render_as_string(hide_password=False)}"',
        f'telegram.token = "{telegram.token}"',
        f'telegram.base_url = "{telegram.base_url}"',
        f"web.port = {port}",
        f'web.public_url = "http://127.0.0.1:{port}"',
    )
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@asynccontextmanager
async def running(nursery: Nursery, file: Path) -> AsyncIterator[list[Program]]:
    """All four, when each has said that it has started. Each is in a folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WUWEI_")}
    async with AsyncExitStack() as stack:
        programs = []
        for role in ROLES:
            (file.parent / role).mkdir()
            words = ("wuwei", "run", "--config", str(file), "--role", role)
            born = nursery.program(*words, folder=file.parent / role, environment=kept)
            programs.append(await stack.enter_async_context(born))
        for program in programs:
            await program.live()
        for role, program in zip(ROLES, programs, strict=True):
            assert (await program.logged("started"))["roles"] == [role]
        yield programs


def furnish(database: Database) -> tuple[str, str]:
    """A community with a grid worker; returns the codes that bind its group and the worker's account."""
    now = datetime.now(UTC)
    with database.writing() as session:
        place = builders.community(session)
        worker = builders.person(session, "李明", Role.GRID_WORKER, place.grid.id, community_id=place.id)
        group = chats.make_code(
            session,
            community_id=place.id,
            now=now,
            by_id=None,
            area_id=place.grid.id,
            purpose=ChatPurpose.RESIDENTS,
        )
        return group, chats.make_code(session, community_id=place.id, now=now, by_id=None, person_id=worker.id)


async def heard(telegram: TelegramEmulator, chat: Chat, words: str) -> str:
    """Waits for a post of the bot that matches, and returns the match."""

    def found() -> re.Match[str] | None:
        matches = (re.search(words, post.text) for post in telegram.posts(chat))
        return next((match for match in matches if match), None)

    await telegram.wait_for(found, seconds=PATIENCE)
    match = found()
    assert match
    return match[0]


async def test_each_process_does_its_part(nursery: Nursery, shared: Database, tmp_path: Path) -> None:
    group_code, worker_code = furnish(shared)
    async with TelegramEmulator() as telegram:
        clerk, worker, resident = (telegram.add_user(name) for name in ("董海燕", "李明", "王阿姨"))
        group = telegram.add_group("3号楼居民群", [clerk, resident])
        port = free_port()
        async with running(nursery, config(tmp_path, shared, telegram, port)) as programs:
            telegram.say(clerk, group, f"/bind {group_code}")
            await heard(telegram, group, "第一网格")
            telegram.start(worker)
            telegram.say(worker, telegram.private(worker), f"/bind {worker_code}")
            await heard(telegram, telegram.private(worker), "李明")
            telegram.say(resident, group, "3号楼门口井盖坏了")
            number = await heard(telegram, group, r"BX-\d{8}-\d{4}")  # taken by one process, sent by another
            await heard(telegram, telegram.private(worker), number)  # the card, when the third one's clock says so
            async with httpx.AsyncClient(trust_env=False) as browser:
                assert (await browser.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
            for program in programs:
                program.signal(signal.SIGTERM)
            assert [await program.ended() for program in programs] == [0, 0, 0, 0]
    with shared.reading() as session:
        assert session.scalars(select(Case.number)).all() == [number]
        assert session.scalar(select(func.count()).where(Received.outcome == "failed")) == 0
    shared.close()
