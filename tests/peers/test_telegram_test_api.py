"""The basic flows of our Telegram channel against somebody else's emulator: npm telegram-test-api, through a shim."""

import asyncio
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.channels.telegram import Pace, TelegramChannel
from core.messages import Bookmark, Button, ChatKind, ChatRef, Incoming, IncomingKind, Outgoing, OutgoingAction
from tests.emulators.local_server import LocalServer
from tests.patience import PATIENCE
from tests.peers.telegram_shim import Shim

HERE = Path(__file__).parent
NODE = shutil.which("node")
MODULES = Path(os.environ.get("WUWEI_NODE_MODULES", HERE / "node_modules"))
TOKEN = "666:peer"

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="needs node"),
    pytest.mark.skipif(
        not (MODULES / "telegram-test-api" / "package.json").is_file(),
        reason="needs npm telegram-test-api: run npm install in tests/peers, or set WUWEI_NODE_MODULES",
    ),
]


@dataclass
class Peer:
    """The other emulator, with the hands of one person in a group and in private."""

    http: httpx.AsyncClient
    channel: TelegramChannel
    shim: Shim
    got: list[Incoming] = field(default_factory=list)

    async def deliver(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        self.got += incomings

    async def heard(self, count: int) -> Incoming:
        """The newest of `count` messages, once they are there."""
        deadline = time.monotonic() + PATIENCE
        while len(self.got) < count:
            assert time.monotonic() < deadline, "the peer's message did not arrive"
            await asyncio.sleep(0.02)
        return self.got[count - 1]

    async def do(self, path: str, **fields: Any) -> Any:
        answer = await self.http.post(path, json=fields)
        return answer.raise_for_status().json()["result"]

    async def say(self, path: str, chat: dict[str, Any], text: str, **more: Any) -> None:
        await self.do(path, botToken=TOKEN, **{"from": WANG}, chat=chat, date=int(time.time()), text=text, **more)

    async def shown(self, chat: dict[str, Any]) -> list[dict[str, Any]]:
        """Every message of the bot in the chat as the peer keeps it."""
        history = await self.do("/getUpdatesHistory", token=TOKEN)
        mine = [one for one in history if str(one.get("message", {}).get("chat_id")) == str(chat["id"])]
        return [one["message"] | {"message_id": one["messageId"]} for one in mine]

    def outgoing(self, chat: dict[str, Any], text: str, **more: Any) -> Outgoing:
        kind = ChatKind.PRIVATE if chat["type"] == "private" else ChatKind.GROUP
        action = more.pop("action", OutgoingAction.SEND)
        return Outgoing("1", "telegram", "666", action, ChatRef(str(chat["id"]), kind), text, **more)


WANG = {"id": 1, "first_name": "王阿姨", "username": "wang_ayi", "is_bot": False}
GROUP = {"id": -100500, "title": "阳光小区", "type": "supergroup"}
PRIVATE = {"id": 1, "first_name": "王阿姨", "type": "private"}


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = str(HERE / "telegram_test_api.cjs")
    pipe = asyncio.subprocess.PIPE
    node = await asyncio.create_subprocess_exec(
        NODE or "node", script, str(MODULES.parent.resolve()), str(port), stdin=pipe, stdout=pipe
    )
    assert node.stdin is not None
    assert node.stdout is not None
    assert await asyncio.wait_for(node.stdout.readline(), 20) == b"ready\n"
    upstream = f"http://127.0.0.1:{port}"
    shim, server = Shim(upstream), LocalServer()
    address = await server.open(shim.app)
    channel = TelegramChannel(token=TOKEN, base_url=address, poll_seconds=0, pace=Pace(first_pause=0.2))
    async with httpx.AsyncClient(base_url=upstream) as http:
        made = Peer(http, channel, shim)
        await channel.start(made.deliver, {})
        yield made
        await channel.stop()
    await server.close()
    await shim.close()
    node.stdin.close()
    await asyncio.wait_for(node.wait(), 10)


async def test_start_is_heard_and_answered_with_buttons(peer: Peer) -> None:
    assert peer.channel.username == "TestNameBot"
    entities = [{"offset": 0, "length": 6, "type": "bot_command"}]
    await peer.say("/sendCommand", PRIVATE, "/start k3X9", entities=entities)
    heard = await peer.heard(1)
    assert (heard.kind, heard.text, heard.payload) == (IncomingKind.BOT_STARTED, "/start k3X9", "k3X9")
    assert (heard.sender and heard.sender.name) == "王阿姨"
    buttons = ((Button("我的", "k-1"),),)
    sent = await peer.channel.send(peer.outgoing(PRIVATE, "您好", buttons=buttons))
    (shown,) = await peer.shown(PRIVATE)
    assert (shown["text"], str(shown["message_id"])) == ("您好", sent.external_id)
    assert shown["reply_markup"]["inline_keyboard"] == [[{"text": "我的", "callback_data": "k-1"}]]


async def test_words_in_a_group_get_a_reply(peer: Peer) -> None:
    await peer.say("/sendMessage", GROUP, "3号楼门口井盖坏了")
    heard = await peer.heard(1)
    assert (heard.kind, heard.text) == (IncomingKind.MESSAGE, "3号楼门口井盖坏了")
    assert heard.chat == ChatRef("-100500", ChatKind.GROUP, "阳光小区")
    await peer.channel.send(peer.outgoing(GROUP, "已登记", reply_to=heard.message_id))
    (shown,) = await peer.shown(GROUP)
    assert (shown["text"], f'"message_id":{heard.message_id}' in shown["reply_parameters"].replace(" ", "")) == (
        "已登记",
        True,
    )


async def test_press_is_answered_and_the_message_edited(peer: Peer) -> None:
    sent = await peer.channel.send(peer.outgoing(GROUP, "待接单", buttons=((Button("接单", "k-7"),),)))
    under = {"message_id": int(sent.external_id or 0), "date": int(time.time()), "chat": GROUP}
    await peer.do("/sendCallback", botToken=TOKEN, **{"from": WANG}, message=under, data="k-7")
    press = await peer.heard(1)
    assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, "k-7", sent.external_id)
    answer = peer.outgoing(GROUP, "好", action=OutgoingAction.ANSWER_PRESS, press_id=press.press_id)
    await peer.channel.send(answer)
    edit = peer.outgoing(GROUP, "已接单", action=OutgoingAction.EDIT, message_id=sent.external_id)
    await peer.channel.send(edit)
    assert [shown["text"] for shown in await peer.shown(GROUP)] == ["已接单"]
    assert [method for method in peer.shim.asked if method not in ("getUpdates", "getMe", "deleteWebhook")] == [
        "sendMessage",
        "answerCallbackQuery",
        "editMessageText",
    ]


async def test_deleted_message_is_gone(peer: Peer) -> None:
    sent = await peer.channel.send(peer.outgoing(GROUP, "发错了"))
    await peer.channel.send(peer.outgoing(GROUP, "", action=OutgoingAction.DELETE, message_id=sent.external_id))
    assert await peer.shown(GROUP) == []
