"""The guards before every page: headers, host names, where a request came from, how large it may be."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.types import Message

from web.security import HEADERS, Protection, protect, protection_for

PROTECTION = Protection(
    hosts=frozenset({"desk.example"}),
    origins=frozenset({"desk.example"}),
    largest_body=1000,
    larger_bodies={"/uploads": 3000, "/uploads/large": 2 * 1024 * 1024},
)


class Note(BaseModel):
    text: str


def error_page(status: int, sentence: str, next_step: str) -> str:
    return f"<h1>{status} {sentence}</h1><p>{next_step}</p>"


def make_app() -> FastAPI:
    app = FastAPI(openapi_url=None)

    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def note(note: Note) -> JSONResponse:
        return JSONResponse({"text": note.text})

    async def kept(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(
            "kept", headers={"cache-control": "private, max-age=60", "content-security-policy": "default-src 'none'"}
        )

    for path in (
        "/",
        "/uploads/photo",
        "/uploads/large/photo",
        "/hooks/telegram",
        "/healthz",
        "/static/wuwei.css",
        "/simulator/api/messages",
    ):
        app.add_route(path, echo, methods=["GET", "POST", "PUT"])
    app.add_route("/kept", kept)
    app.add_api_route("/note", note, methods=["POST"])
    return app


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(protect(make_app(), PROTECTION, error_page))
    async with httpx.AsyncClient(transport=transport, base_url="https://desk.example") as client:
        yield client


async def in_pieces(count: int, piece: bytes) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield piece


async def test_every_answer_carries_the_headers(browser: httpx.AsyncClient) -> None:
    for answer in (
        await browser.get("/"),
        await browser.get("/nowhere"),
        await browser.get("/", headers={"host": "evil.example"}),
    ):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == "no-store"


async def test_what_the_answer_says_itself_stands(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/kept")

    assert answer.headers.get_list("cache-control") == ["private, max-age=60"]
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'"]


@pytest.mark.parametrize(
    ("path", "keeping"),
    [
        ("/static/wuwei.css?v=abc", "public, max-age=31536000, immutable"),
        ("/static/wuwei.css", "no-cache"),
        ("/static/nowhere.css?v=abc", "no-store"),
    ],
)
async def test_static_files_are_kept_by_their_mark(browser: httpx.AsyncClient, path: str, keeping: str) -> None:
    assert (await browser.get(path)).headers["cache-control"] == keeping


@pytest.mark.parametrize("host", ["desk.example", "DESK.example:8600", "desk.example."])
async def test_own_host_is_answered(browser: httpx.AsyncClient, host: str) -> None:
    assert (await browser.get("/", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "desk.example.evil.example", "", "[::1", "127.0.0.1:8600", "desk.example@evil.example"]
)
async def test_foreign_host_is_refused_with_advice(browser: httpx.AsyncClient, host: str) -> None:
    answer = await browser.get("/", headers={"host": host})

    assert answer.status_code == 400
    assert answer.text == error_page(
        400, "这个网址不是本系统的地址。", "请从机器人发给您的链接进入，或请管理员核对配置里的 web.public_url。"
    )


async def test_health_is_answered_by_number(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/healthz", headers={"host": "10.0.0.7:8600"})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "https://desk.example"},
        {"origin": "https://DESK.example:443"},
        {"origin": "http://desk.example:8600", "host": "desk.example:8600"},
    ],
)
async def test_own_form_is_taken(browser: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await browser.post("/", content=b"12345", headers=headers)).text == "5"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "https://desk.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://desk.example.evil.example"},
        {"origin": "http://["},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_foreign_form_is_refused_with_advice(
    browser: httpx.AsyncClient, method: str, headers: dict[str, str]
) -> None:
    answer = await browser.request(method, "/", headers=headers)

    assert answer.status_code == 403
    assert answer.text == error_page(
        403, "这次提交不是从本系统的页面发出的，没有执行。", "请回到本系统的页面，刷新后再提交一次。"
    )


async def test_links_from_other_sites_open_pages(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/", headers={"sec-fetch-site": "cross-site"})).status_code == 200


async def test_hooks_need_no_origin_but_nothing_like_them(browser: httpx.AsyncClient) -> None:
    foreign = {"origin": "https://evil.example"}

    assert (await browser.post("/hooks/telegram", headers=foreign)).status_code == 200
    assert (await browser.post("/simulator/api/messages", headers=foreign)).status_code == 403


async def test_programs_get_the_refusal_as_json(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/simulator/api/messages", headers={"origin": "https://evil.example"})

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "error": "这次提交不是从本系统的页面发出的，没有执行。请回到本系统的页面，刷新后再提交一次。"
    }


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/", 1000, 200),
        ("/", 1001, 413),
        ("/uploads/photo", 3000, 200),
        ("/uploads/photo", 3001, 413),
        ("/uploads/large/photo", 5000, 200),
    ],
)
async def test_body_is_taken_up_to_the_cap_of_its_path(
    browser: httpx.AsyncClient, path: str, size: int, status: int
) -> None:
    announced = await browser.post(path, content=b"x" * size)
    streamed = await browser.post(path, content=in_pieces(size, b"x"))

    assert (announced.status_code, streamed.status_code) == (status, status)
    if status == 200:
        assert (announced.text, streamed.text) == (str(size), str(size))


async def test_large_body_is_refused_in_words(browser: httpx.AsyncClient) -> None:
    small = await browser.post("/", content=b"x" * 1001)
    large = await browser.post("/uploads/large/photo", content=b"x" * (2 * 1024 * 1024 + 1))

    assert small.text == error_page(413, "提交的内容太大，最多 1 KB。", "请减少或压缩照片、文件，分几次提交。")
    assert large.text == error_page(413, "提交的内容太大，最多 2 MB。", "请减少或压缩照片、文件，分几次提交。")


async def test_framework_cannot_hide_that_a_body_was_too_large(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/note", content=in_pieces(2000, b"x"), headers={"content-type": "application/json"})

    assert answer.status_code == 413


async def test_announced_length_is_judged_before_a_byte_is_read() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"",
        "headers": [(b"host", b"desk.example"), (b"content-length", b"99999999999")],
    }  # fmt: skip
    await protect(make_app(), PROTECTION, error_page)(scope, receive, send)

    assert [message.get("status") for message in sent] == [413, None]


async def test_foreign_socket_is_closed_before_it_opens() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket", "path": "/socket", "query_string": b"",
        "headers": [(b"host", b"desk.example"), (b"origin", b"https://evil.example")],
    }  # fmt: skip
    await protect(make_app(), PROTECTION, error_page)(scope, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


async def test_head_is_refused_without_a_body(browser: httpx.AsyncClient) -> None:
    answer = await browser.head("/", headers={"host": "evil.example"})

    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize(
    ("public_url", "host", "hosts"),
    [
        ("https://Desk.example", "127.0.0.1", {"desk.example", "127.0.0.1", "localhost", "::1"}),
        ("https://desk.example", "0.0.0.0", {"desk.example", "127.0.0.1", "localhost", "::1"}),
        ("http://192.168.1.5:8600", "192.168.1.5", {"192.168.1.5"}),
    ],
)
def test_protection_follows_from_the_addresses(public_url: str, host: str, hosts: set[str]) -> None:
    protection = protection_for(public_url, host=host, largest_body=1, larger_bodies={})

    assert protection.hosts == hosts
    assert protection.origins == {public_url.lower().partition("://")[2]}
