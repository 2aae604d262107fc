"""The AI bot in callback mode: sealed JSON both ways, one answer for each message, and events answered in their own call."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from bot.channels.wecom.aibot import Bot
from bot.channels.wecom.aibot_hook import AibotHookChannel
from bot.channels.wecom.crypto import Envelope
from core.errors import Rejected, Undeliverable
from core.hooks import HookAnswer, HookCall
from core.messages import Button, ChatKind, ChatRef, IncomingKind, Outgoing, OutgoingAction
from tests.bot.channels.wecom_stage import Ears, Watch
from tests.emulators.local_server import LocalServer

TOKEN, KEY, GROUP = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wrGroup1"
CARD = "【报事】BX-20261121-0001\n状态：已派单"


@dataclass
class Set:
    """`answered` is what came to the addresses of messages: path and body. Each takes one."""

    watch: Watch
    channel: AibotHookChannel
    ears: Ears
    base_url: str
    answered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    envelope: Envelope = field(default_factory=lambda: Envelope(TOKEN, KEY, ""))
    count: int = 0

    async def call(self, **fields: Any) -> HookAnswer:
        self.count += 1
        body = {"msgid": f"M{self.count}", "aibotid": "aib1", "chattype": "single", "from": {"userid": "zhang"}}
        body |= {"response_url": f"{self.base_url}/cgi-bin/aibot/response?response_code=R{self.count}", **fields}
        sealed = self.envelope.seal(json.dumps(body, ensure_ascii=False))
        timestamp, nonce = str(int(self.watch.at)), f"n{self.count}"
        signed = self.envelope.sign(timestamp, nonce, sealed)
        query = urlencode({"msg_signature": signed, "timestamp": timestamp, "nonce": nonce})
        return await self.channel.answer_hook(HookCall("POST", query, {}, json.dumps({"encrypt": sealed}).encode()))

    def outgoing(self, text: str, to: str = "zhang", **rest: object) -> Outgoing:
        self.count += 1
        made: dict[str, object] = {"action": OutgoingAction.SEND, "text": text, **rest}
        kind = ChatKind.GROUP if to == GROUP else ChatKind.PRIVATE
        return Outgoing(str(self.count), "wecom_bot", "aib1", chat=ChatRef(to, kind), **made)  # type: ignore[arg-type]

    def opened(self, answer: HookAnswer) -> dict[str, Any]:
        """What an encrypted answer says; its signature is looked at too."""
        found = json.loads(answer.body)
        assert set(found) == {"encrypt", "msgsignature", "timestamp", "nonce"}
        assert self.envelope.is_signed(found["msgsignature"], str(found["timestamp"]), found["nonce"], found["encrypt"])
        opened: dict[str, Any] = json.loads(self.envelope.open(found["encrypt"]) or "")
        return opened


@asynccontextmanager
async def on_hook() -> AsyncIterator[Set]:
    answered: list[tuple[str, dict[str, Any]]] = []

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message.get("more_body"):
                break
        query = scope["query_string"].decode()
        code = 60140 if any(known == query for known, _ in answered) else 0
        if not code:
            answered.append((query, json.loads(body)))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"errcode": code, "errmsg": "x"}).encode()})

    server, watch, ears = LocalServer(), Watch(), Ears()
    base_url = await server.open(respond)
    channel = AibotHookChannel(Bot("aib1", name="五微小助手", token=TOKEN, aes_key=KEY), base_url=base_url, now=watch)
    await channel.start(ears, {})
    yield Set(watch, channel, ears, base_url, answered)
    await channel.stop()
    await server.close()


async def test_address_is_proven_and_what_is_not_ours_refused() -> None:
    async with on_hook() as there:
        sealed = there.envelope.seal("1616140317555161061")
        signed = there.envelope.sign(str(int(there.watch.at)), "n", sealed)
        query = {"msg_signature": signed, "timestamp": int(there.watch.at), "nonce": "n", "echostr": sealed}
        answer = await there.channel.answer_hook(HookCall("GET", urlencode(query)))
        assert (answer.status, answer.body) == (200, b"1616140317555161061")
        assert (await there.channel.answer_hook(HookCall("GET", "msg_signature=x"))).status == 403
        assert (await there.channel.answer_hook(HookCall("POST", urlencode(query), {}, b"{}"))).status == 403


async def test_message_is_answered_once_at_the_address_that_came_with_it() -> None:
    async with on_hook() as there:
        answer = await there.call(
            msgtype="text", text={"content": "@五微小助手 井盖坏了"}, chattype="group", chatid=GROUP
        )
        assert (answer.status, answer.body) == (200, b"")
        (heard,) = there.ears.heard
        assert (heard.text, heard.chat.external_id) == ("井盖坏了", GROUP)
        assert "response" not in repr(heard)
        await there.channel.send(there.outgoing("已登记", GROUP))
        assert there.answered == [("response_code=R1", {"msgtype": "markdown", "markdown": {"content": "已登记"}})]
        with pytest.raises(Rejected):
            await there.channel.send(there.outgoing("已接单", GROUP))
        with pytest.raises(Undeliverable):
            await there.channel.send(there.outgoing("任务来了"))


async def test_answer_goes_nowhere_else_and_not_after_an_hour() -> None:
    async with on_hook() as there:
        await there.call(msgtype="text", text={"content": "在吗"}, response_url="https://example.org/steal")
        await there.call(msgtype="text", text={"content": "在吗"})
        there.watch.at += 3600
        with pytest.raises(Undeliverable):
            await there.channel.send(there.outgoing("在"))
        assert there.answered == []


async def test_buttons_are_a_card_in_private_and_words_in_a_group() -> None:
    async with on_hook() as there:
        await there.call(msgtype="text", text={"content": "任务"})
        await there.call(msgtype="text", text={"content": "@五微小助手 任务"}, chattype="group", chatid=GROUP)
        rows = ((Button("接单", "t.0.0"),),)
        await there.channel.send(there.outgoing(CARD, buttons=rows))
        await there.channel.send(there.outgoing("满意吗", GROUP, buttons=rows))
        (_, card), (_, words) = there.answered
        assert card["template_card"]["button_list"] == [{"text": "接单", "style": 1, "key": "t.0.0"}]
        assert words["markdown"]["content"] == "满意吗\n请 @我 回复 “接单 1”。"
        await there.call(msgtype="text", text={"content": "@五微小助手 接单 1"}, chattype="group", chatid=GROUP)
        assert (there.ears.heard[-1].kind, there.ears.heard[-1].button) == (IncomingKind.PRESS, "t.0.0")


async def test_events_are_answered_in_their_own_call() -> None:
    async with on_hook() as there:

        async def welcome() -> None:
            while not there.ears.heard:
                await asyncio.sleep(0.005)
            await there.channel.send(there.outgoing("您好"))

        answer, _ = await asyncio.gather(
            there.call(msgtype="event", event={"eventtype": "enter_chat"}, response_url=""), welcome()
        )
        assert there.opened(answer) == {"msgtype": "text", "text": {"content": "您好"}}

        async def change() -> None:
            while there.ears.heard[-1].kind is not IncomingKind.PRESS:
                await asyncio.sleep(0.005)
            edit = there.outgoing(
                CARD.replace("已派单", "已接单"),
                action=OutgoingAction.EDIT,
                message_id="w1-ab",
                buttons=((Button("办结", "u.0.0"),),),
            )
            assert (await there.channel.send(edit)).external_id == "w1-ab"

        press = {"eventtype": "template_card_event", "template_card_event": {"event_key": "t.0.0", "task_id": "w1-ab"}}
        answer, _ = await asyncio.gather(there.call(msgtype="event", event=press, response_url=""), change())
        changed = there.opened(answer)
        assert (changed["response_type"], changed["template_card"]["task_id"]) == ("update_template_card", "w1-ab")
        assert changed["template_card"]["button_list"] == [{"text": "办结", "style": 1, "key": "u.0.0"}]


async def test_call_that_comes_again_is_worked_once_and_one_not_stored_comes_again() -> None:
    async with on_hook() as there:
        there.ears.is_deaf = True
        assert (await there.call(msgtype="text", text={"content": "一"})).status == 503
        there.ears.is_deaf = False
        there.count = 0
        assert (await there.call(msgtype="text", text={"content": "一"})).status == 200
        assert [one.text for one in there.ears.heard] == ["一"]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"msgid":1}', '{"msgid":"1","from":{}}', '{"msgid":"1","msgtype":7}'])
async def test_what_cannot_be_read_is_kept(body: str) -> None:
    async with on_hook() as there:
        sealed = there.envelope.seal(body)
        timestamp = str(int(there.watch.at))
        query = {"msg_signature": there.envelope.sign(timestamp, "n", sealed), "timestamp": timestamp, "nonce": "n"}
        call = HookCall("POST", urlencode(query), {}, json.dumps({"encrypt": sealed}).encode())
        assert (await there.channel.answer_hook(call)).status == 200
        assert [(one.kind, one.raw) for one in there.ears.heard] == [(IncomingKind.UNREADABLE, body)]
        again = await there.channel.reread(body)
        assert again is not None
        assert again.kind is IncomingKind.UNREADABLE


async def test_door_of_the_program_leads_there() -> None:
    from web.hooks import HookDoor

    async with on_hook() as there:
        door = HookDoor({}, {there.channel.name: there.channel.answer_hook})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://127.0.0.1") as client:
            assert (await client.post("/hooks/wecom_bot?x=1", content=b"{}")).status_code == 403
