"""The console as a whole: who is let in, what refusals and faults look like, and the doors for machines."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from storage.database import Database
from storage.people import Role
from tests import builders
from tests.builders import Desk
from web.app import SIGNED_IN

KEY_OF_NOTHING = 1 << 40
PHONE = "138" + "12345678"


async def ping(headers: Mapping[str, str], body: bytes) -> int:
    if body == b"fall":
        raise RuntimeError(f"a secret {PHONE}")
    return 200 if headers.get("x-secret") == "right" else 401


@pytest.fixture
def desk(database: Database, now: datetime, tmp_path: Path) -> Desk:
    return builders.desk(database, now, tmp_path, hooks={"telegram": ping})


@pytest.fixture
async def stranger(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.browser() as browser:
        yield browser


@pytest.fixture
async def worker(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody from the desk, signed in."""
    with desk.database.writing() as session:
        place = builders.community(session)
        person = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
        key = person.id
    async with await desk.sign_in(key) as browser:
        yield browser


def routes() -> list[tuple[str, str]]:
    """Every (method, address) behind the sign-in, with keys of nothing in the blanks."""
    found = []
    for router in SIGNED_IN:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            address = route.path
            for name in route.param_convertors:
                address = address.replace(f"{{{name}}}", str(KEY_OF_NOTHING))
            found += [(method, address) for method in route.methods or ()]
    return found


async def test_a_stranger_is_sent_to_the_sign_in_from_every_page(stranger: httpx.AsyncClient) -> None:
    for method, address in routes():
        answer = await stranger.request(method, address)
        assert (address, answer.status_code, answer.headers.get("location")) == (address, 303, "/sign-in")


async def test_every_form_without_its_mark_is_refused(worker: httpx.AsyncClient) -> None:
    for address in (address for method, address in routes() if method == "POST"):
        for data in ({}, {"csrf": "guessed"}):
            answer = await worker.post(address, data=data)
            assert (address, answer.status_code) == (address, 403)
            assert "这张表单已经过期" in answer.text


async def test_a_post_from_another_site_is_refused(worker: httpx.AsyncClient) -> None:
    mark = await builders.csrf_of(worker)
    answer = await worker.post("/sign-out", data={"csrf": mark}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert (await worker.get("/sessions")).status_code == 200


async def test_unknown_pages_and_wrong_keys_look_alike(worker: httpx.AsyncClient) -> None:
    for address in ("/nowhere", "/desk/cases/abc", "/desk/cases/99999999999999999999999999"):
        answer = await worker.get(address)
        assert answer.status_code == 404
        assert "<h1>没有找到" in answer.text


async def test_no_documentation_of_the_interface_is_served(worker: httpx.AsyncClient) -> None:
    assert [(await worker.get(path)).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


async def test_a_fault_shows_a_trace_id_and_no_words_of_the_fault(
    stranger: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await stranger.post("/hooks/telegram", content=b"fall")
    assert answer.status_code == 500
    assert "系统出了差错" in answer.text
    trace_id = answer.text.split("错误编号 500 · ")[1].split("。")[0]
    logged = "".join(capsys.readouterr())  # on which of the two depends on what was set up before
    assert trace_id in logged
    assert "RuntimeError" in logged
    assert PHONE not in logged + answer.text


async def test_a_fault_in_a_page_is_caught_too(
    desk: Desk, worker: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.database.engine.dispose()
    desk.database._readers.shutdown()
    answer = await worker.get("/sessions")
    assert answer.status_code == 500
    assert "web_fault" in "".join(capsys.readouterr())


async def test_a_hook_is_answered_with_its_channels_status(stranger: httpx.AsyncClient) -> None:
    said = [
        (await stranger.post("/hooks/telegram", content=b"{}", headers={"X-Secret": secret})).status_code
        for secret in ("right", "wrong")
    ]
    assert said == [200, 401]
    assert (await stranger.post("/hooks/unknown", content=b"{}")).status_code == 404
    assert (await stranger.get("/hooks/telegram")).status_code == 405


async def test_health_and_readiness(desk: Desk, stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/healthz", headers={"host": "10.0.0.7"})).text == "ok"
    ready = await stranger.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "missing": []})
    desk.missing.append("定时任务停了")
    waiting = await stranger.get("/readyz")
    assert (waiting.status_code, waiting.json()) == (503, {"ready": False, "missing": ["定时任务停了"]})


async def test_metrics_are_for_this_machine_only(desk: Desk, stranger: httpx.AsyncClient) -> None:
    assert "# HELP" in (await stranger.get("/metrics")).text
    assert (await stranger.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})).status_code == 404
    async with desk.browser(client="192.168.1.20") as neighbour:
        assert (await neighbour.get("/metrics")).status_code == 404


async def test_static_files_are_served_and_kept(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/static/wuwei.css?v=1")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert (await stranger.get("/static/nothing.css")).status_code == 404


async def test_the_simulator_is_there_only_in_the_demo(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/simulator")).status_code == 404
    assert (await stranger.get("/simulator/api/people")).status_code == 404
