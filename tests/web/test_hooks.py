"""The door for the platforms' callbacks: whole bodies, no endless ones, and nobody answered who has gone."""

from collections.abc import Mapping

import httpx
import pytest
from starlette.types import Message, Scope

from web.hooks import LARGEST_BODY, HookDoor

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/hooks/telegram", "headers": [(b"x-secret", b"right")]}


class Taken:
    """A channel that writes down what it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[Mapping[str, str], bytes]] = []

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> int:
        self.calls.append((headers, body))
        return 200


@pytest.fixture
def channel() -> Taken:
    return Taken()


async def answers(channel: Taken, *parts: Message) -> list[Message]:
    coming = iter(parts)
    sent: list[Message] = []

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        sent.append(message)

    await HookDoor({"telegram": channel})(SCOPE, receive, send)
    return sent


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_pieces_arrives_whole(channel: Taken) -> None:
    sent = await answers(channel, part(b'{"a":', more=True), part(b"1}", more=False))
    assert channel.calls == [({"x-secret": "right"}, b'{"a":1}')]
    assert [message.get("status") for message in sent] == [200, None]


async def test_an_endless_body_is_refused_before_its_end(channel: Taken) -> None:
    sent = await answers(channel, part(b"x" * LARGEST_BODY, more=True), part(b"x", more=True))
    assert channel.calls == []
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_a_caller_who_has_gone_is_not_answered(channel: Taken) -> None:
    assert await answers(channel, part(b"{", more=True), {"type": "http.disconnect"}) == []
    assert channel.calls == []


async def test_names_and_methods_that_are_none_are_refused(channel: Taken) -> None:
    transport = httpx.ASGITransport(HookDoor({"telegram": channel}))
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as caller:
        said = [
            (await caller.post("/hooks/unknown")).status_code,
            (await caller.post("/hooks/telegram/more")).status_code,
            (await caller.get("/hooks/telegram")).status_code,
        ]
    assert said == [404, 404, 405]
    assert channel.calls == []
