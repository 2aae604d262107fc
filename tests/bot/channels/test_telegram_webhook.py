"""The webhook, with the emulator's pusher on a real socket and with forged calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.telegram import TelegramChannel
from core.messages import IncomingKind
from tests.bot.channels.telegram_stage import Inbox, Stage, stage
from tests.emulators.local_server import LocalServer

SECRET = "s3cret_-"
HEADER = "x-telegram-bot-api-secret-token"
BODY = b'{"update_id":9,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"text":"hi"}}'


@asynccontextmanager
async def hooked() -> AsyncIterator[Stage]:
    """The channel behind a web server of its own, its address registered with the emulator."""
    taker: list[TelegramChannel] = []

    async def hook(request: Request) -> Response:
        return Response(status_code=await taker[0].take_hook(request.headers, await request.body()))

    server = LocalServer()
    address = await server.open(Starlette(routes=[Route("/hook", hook, methods=["POST"])]))
    async with stage(listens=False, mode="webhook", webhook_secret=SECRET, public_url=f"{address}/hook") as on:
        taker.append(on.channel)
        await on.channel.start(on.inbox.deliver, {})
        try:
            yield on
        finally:
            await on.telegram.queue.close()
            await server.close()


async def test_update_is_pushed_committed_and_acknowledged() -> None:
    async with hooked() as on:
        wang = on.telegram.add_user("王阿姨")
        on.telegram.start(wang, "abc")
        (heard,) = await on.heard(1)
        assert (heard.kind, heard.payload) == (IncomingKind.BOT_STARTED, "abc")
        await on.telegram.wait_for(lambda: not on.telegram.queue.pending)
        assert on.telegram.queue.pushes == [200]


async def test_update_not_stored_is_pushed_again() -> None:
    async with hooked() as on:
        wang = on.telegram.add_user("王阿姨")
        on.inbox.refusals = 2
        on.telegram.start(wang)
        await on.heard(1)
        await on.telegram.wait_for(lambda: not on.telegram.queue.pending)
        assert on.telegram.queue.pushes == [503, 503, 200]


async def test_out_of_order_and_twice_is_taken_as_it_comes() -> None:
    async with hooked() as on:
        wang = on.telegram.add_user("王阿姨")
        private = on.telegram.private(wang)
        on.telegram.queue.hold()
        on.telegram.say(wang, private, "一")
        on.telegram.deliver_twice()
        on.telegram.say(wang, private, "二")
        on.telegram.queue.release(is_reversed=True)
        await on.heard(3)
        assert on.inbox.texts == ["二", "二", "一"]


async def test_setting_is_registered_with_secret_and_kinds() -> None:
    async with hooked() as on:
        (call,) = on.telegram.calls("setWebhook")
        assert call.params["secret_token"] == SECRET
        assert call.params["allowed_updates"] == [
            "message",
            "edited_message",
            "callback_query",
            "my_chat_member",
            "chat_member",
        ]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({HEADER: SECRET}, BODY, 200),
        ({HEADER: "wrong"}, BODY, 403),
        ({HEADER: "密"}, BODY, 403),
        ({}, BODY, 403),
        ({HEADER: SECRET}, b"not json", 400),
        ({HEADER: SECRET}, b"", 400),
        ({HEADER: SECRET}, b" " * 2_000_000, 400),
        ({HEADER: SECRET}, b'{"update_id":10,"poll":{"id":"1"}}', 200),
        ({HEADER: SECRET}, b'{"update_id":11,"message":{"text":1}}', 200),
    ],
)
async def test_forged_and_broken_calls_get_their_status(headers: dict[str, str], body: bytes, status: int) -> None:
    async with hooked() as on:
        assert await on.channel.take_hook(headers, body) == status


async def test_unreadable_update_is_kept_so_that_it_is_not_pushed_for_ever() -> None:
    async with hooked() as on:
        on.telegram.push_raw({"update_id": 77, "message": {"text": 1}})
        (heard,) = await on.heard(1)
        assert (heard.kind, heard.external_id) == (IncomingKind.UNREADABLE, "77")
        await on.telegram.wait_for(lambda: not on.telegram.queue.pending)


async def test_call_before_the_bot_knows_its_name_is_put_off() -> None:
    async with stage(listens=False, mode="webhook", webhook_secret=SECRET, public_url="https://a.example/h") as on:
        assert await on.channel.take_hook({HEADER: SECRET}, BODY) == 503
        await on.channel.start(on.inbox.deliver, {})
        assert await on.channel.take_hook({HEADER: SECRET}, BODY) == 200


async def test_without_a_secret_no_call_is_let_in() -> None:
    inbox = Inbox()
    async with stage(listens=False) as on:
        await on.channel.start(inbox.deliver, {})
        assert await on.channel.take_hook({HEADER: ""}, BODY) == 403
        assert inbox.got == []
