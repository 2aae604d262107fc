"""A NUL comes through each door of the web and reaches neither database: PostgreSQL cannot store one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.receiver import Receiver
from bot.simulator.interface import SimulatorInterface
from bot.simulator.platform import SimulatedPlatform
from core.clock import FixedClock, ShiftedClock
from storage.cases import Case
from storage.chats import Chat
from storage.database import Database
from storage.messages import Received
from storage.people import Person
from tests import builders
from tests.web.office import Office, open_office
from web.simulator import simulator_routes


@pytest.fixture
def office(database: Database, now: datetime, tmp_path: Path) -> Office:
    return open_office(database, now, tmp_path)


async def nothing(*_: object) -> None:
    """The platform alone: no program behind it."""


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[SimulatedPlatform]:
    made = SimulatedPlatform(tmp_path / "simulator.sqlite3", ShiftedClock())
    made.add_group("邻里群", group_id="g1")
    yield made
    made.close()


async def sent(platform: SimulatedPlatform, path: str, body: object) -> int:
    app = FastAPI()
    interface = SimulatorInterface(platform, settle=nothing, advance_to=nothing, why=lambda *_: None)
    app.include_router(simulator_routes(interface))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        return (await http.post(f"/simulator/api{path}", json=body)).status_code


async def test_nul_in_what_a_simulated_person_sends_is_left_out(
    database: Database, platform: SimulatedPlatform, now: datetime
) -> None:
    with database.writing() as session:
        group = builders.group(session, builders.community(session), now)
        group.channel = group.account = "simulator"
        group.external_id = "g1"
    assert await sent(platform, "/people", {"name": "王\0阿姨"}) == 201
    who = platform.people()[0].id
    platform.join("g1", who)
    file = {"data": "JVBERi0xLjc=", "name": "清\0单.pdf"}
    said = {"chat": "g1", "person": f"{who}\0", "text": "3号楼门口井盖\0坏了\0", "file": file, "album": "a\0b"}
    assert await sent(platform, "/messages", said) == 201
    receiver = Receiver(database, FixedClock(now))
    running = asyncio.create_task(receiver.run())
    await receiver.deliver(platform.bot.pending(100))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    with database.reading() as session:
        (row,) = session.scalars(select(Received).where(Received.kind == "message")).all()
        case = session.scalars(select(Case)).one()
        assert (row.text, row.outcome, row.error) == ("3号楼门口井盖坏了", "opened", None)
        assert (row.attachments or [])[0]["name"] == "清单.pdf"
        assert (case.text, session.get_one(Person, case.reporter_id).name) == ("3号楼门口井盖坏了", "王阿姨")
        assert session.get_one(Chat, row.chat_id).external_id == "g1"


async def test_nul_in_a_form_is_left_out(office: Office) -> None:
    browser = await office.browser(office.clerk)
    answer = await browser.post(
        "/people/new", {"name": "李\0\0婷", "code": "x\0y", "role": "volunteer\0", "area": f"{office.here.grid.id}"}
    )
    assert answer.status_code == 303
    assert "李婷" in {person.name for person in office.rows(Person)}


@pytest.mark.parametrize("path", ["/people?q=%00", "/desk?q=a%00b", "/audit?act=%00", "/people/%00"])
async def test_address_with_a_nul_is_refused_with_a_sentence(office: Office, path: str) -> None:
    answer = await (await office.browser(office.clerk)).get(path)
    assert (answer.status_code, "网址里有不能识别的字符。" in answer.text) == (400, True)
