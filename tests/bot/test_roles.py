"""Four processes on one PostgreSQL, each with one role, between a strict Telegram and a browser: the main job goes through all of them."""

import asyncio
import json
import os
import re
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from tests.patience import PATIENCE
from tests.postgres import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(240)]

ROOT = Path(__file__).parent.parent.parent
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


async def start(file: Path, role: str) -> Process:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WUWEI_")}
    environment = kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    words = ("-m", "bot", "run", "--config", str(file), "--role", role)
    return await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=file.parent, env=environment, stdout=PIPE, stderr=PIPE
    )


async def started(process: Process, role: str) -> None:
    """Returns when the process says that it has started."""
    assert process.stderr is not None
    said = []
    async with asyncio.timeout(PATIENCE):
        while line := await process.stderr.readline():
            said.append(line.decode())
            if b'"started"' in line:
                assert json.loads(line)["roles"] == [role]
                return
    raise AssertionError("".join(said))


@asynccontextmanager
async def running(file: Path) -> AsyncIterator[dict[str, Process]]:
    """All four, started side by side: most of a start is loading."""
    processes: dict[str, Process] = {}
    try:
        for role in ROLES:
            processes[role] = await start(file, role)
        await asyncio.gather(*(started(process, role) for role, process in processes.items()))
        yield processes
    finally:
        for process in processes.values():
            if process.returncode is None:
                process.kill()
            await process.communicate()


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


async def test_each_process_does_its_part(shared: Database, tmp_path: Path) -> None:
    group_code, worker_code = furnish(shared)
    async with TelegramEmulator() as telegram:
        clerk, worker, resident = (telegram.add_user(name) for name in ("董海燕", "李明", "王阿姨"))
        group = telegram.add_group("3号楼居民群", [clerk, resident])
        port = free_port()
        async with running(config(tmp_path, shared, telegram, port)) as processes:
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
            for process in processes.values():
                process.terminate()
            async with asyncio.timeout(PATIENCE):
                assert [await process.wait() for process in processes.values()] == [0, 0, 0, 0]
    with shared.reading() as session:
        assert session.scalars(select(Case.number)).all() == [number]
        assert session.scalar(select(func.count()).where(Received.outcome == "failed")) == 0
    shared.close()
