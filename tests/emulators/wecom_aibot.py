"""A strict emulator of the AI bot's platform, on real sockets, and the hands of the members who talk to the bot.

    async with AibotEmulator() as wecom:
        wecom.add_member("zhang"), wecom.add_group("g1", ["zhang"])
        ...  # a program connected to wecom.url with BOT and SECRET works meanwhile
        wecom.say("zhang", "g1", "3号楼门口井盖坏了")  # in a group the @ is put in front
        assert [post.text for post in wecom.posts("g1")] == [...]

It runs in the caller's event loop; control methods are plain calls. Time is `now()`, so a test's own clock drives every limit.
"""

import asyncio
import base64
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Self

from starlette.types import Receive, Scope, Send
from wechatpy.crypto.base import WeChatCipher

from tests.emulators.local_server import LocalServer
from tests.emulators.wecom_aibot_line import Lines
from tests.emulators.wecom_aibot_rules import Chat, Post, Rules, Told
from tests.emulators.wecom_world import Json

__all__ = ["BOT", "NAME", "SECRET", "AibotEmulator", "Post"]

BOT, SECRET, NAME = "aib-emulated-0001", "secret-of-the-emulated-bot", "五微小助手"
MEDIA_LIVE = 300


class AibotEmulator:
    """One bot, its groups, and the members who may write to it."""

    def __init__(self, *, now: Callable[[], float] = time.time, answers_per_message: int = 1) -> None:
        self.now = now
        self.rules = Rules(now, answers_per_message=answers_per_message)
        self.lines = Lines(BOT, SECRET, self.rules)
        self._server = LocalServer()
        self._media: dict[str, tuple[bytes, float]] = {}
        self._ids = itertools.count(1)
        self._address = ""
        self.fetched: list[str] = []
        self.told = 0

    async def __aenter__(self) -> Self:
        async def serve_media(scope: Scope, receive: Receive, send: Send) -> None:
            await self._serve_media(scope, send)

        self._address = await self._server.open(serve_media)
        await self.lines.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.lines.close()
        await self._server.close()

    @property
    def url(self) -> str:
        return self.lines.url

    # Members

    def add_member(self, userid: str) -> str:
        self.rules.chats[userid] = Chat(userid, is_group=False)
        return userid

    def add_group(self, chatid: str, members: Sequence[str]) -> str:
        self.rules.chats[chatid] = Chat(chatid, is_group=True, members=set(members))
        return chatid

    def say(self, userid: str, chat: str, text: str, *, photos: Sequence[bytes] = (), quote: Json | None = None) -> str:
        """Words, with pictures among them: `mixed`. In a group the bot hears it only because it is named."""
        words = f"@{NAME} {text}" if self.rules.chats[chat].is_group else text
        body: Json = {"msgtype": "text", "text": {"content": words}}
        if photos:
            items: list[Json] = [{"msgtype": "image", "image": self.link(photo)} for photo in photos]
            body = {
                "msgtype": "mixed",
                "mixed": {"msg_item": [{"msgtype": "text", "text": {"content": words}}, *items]},
            }
        if quote is not None:
            body["quote"] = quote
        return self.tell(userid, chat, body)

    def send_image(self, userid: str, photo: bytes) -> str:
        """In private; a picture that is sent alone in a group never reaches the bot."""
        return self.tell(userid, userid, {"msgtype": "image", "image": self.link(photo)})

    def quoted_photo(self, photo: bytes) -> Json:
        return {"msgtype": "image", "image": self.link(photo)}

    def enter(self, userid: str) -> str:
        return self._event(userid, userid, {"eventtype": "enter_chat"})

    def press(self, userid: str, chat: str, message: str, label: str) -> str:
        post = next(post for post in self.posts(chat) if post.id == message)
        key = next((key for words, key in post.buttons if words == label), None)
        if key is None:
            raise ValueError(f"no such button among {[words for words, _ in post.buttons]}")
        kind: Json = {"card_type": post.body["card_type"], "event_key": key, "task_id": post.task_id}
        if "checkbox" in post.body:
            kind["event_key"] = post.body["submit_button"]["key"]
            chosen = {"question_key": post.body["checkbox"]["question_key"], "option_ids": {"option_id": [key]}}
            kind["selected_items"] = {"selected_item": [chosen]}
        return self._event(userid, chat, {"eventtype": "template_card_event", "template_card_event": kind}, post)

    def posts(self, chat: str) -> list[Post]:
        """What the people of a chat have from the bot, oldest first, as it looks now."""
        return [post for post in self.rules.posted if post.chat == chat]

    def texts(self, chat: str) -> list[str]:
        return [post.text for post in self.posts(chat)]

    def link(self, body: bytes) -> Json:
        """A file where people's files lie: encrypted, for five minutes, with a key of its own."""
        key = secrets.token_bytes(32)
        count = 32 - len(body) % 32
        name = f"m{next(self._ids)}"
        self._media[name] = (WeChatCipher(key).encrypt(body + bytes([count]) * count), self.now())
        letters = base64.b64encode(key).decode().rstrip("=")
        return {"url": f"{self._address}/media/{name}?sign={secrets.token_hex(40)}", "aeskey": letters}

    def tell(self, userid: str, chat: str, body: Json, *, cmd: str = "aibot_msg_callback") -> str:
        """One callback, on the connection that is there; without one it is lost, as with the platform."""
        where = self.rules.chats[chat]
        assert not where.is_group or userid in where.members, "not a member of the group"
        msgid = f"MSG{next(self._ids):08d}"
        head: Json = {
            "msgid": msgid,
            "create_time": int(self.now()),
            "aibotid": BOT,
            "chattype": "group" if where.is_group else "single",
            "from": {"userid": userid},
        }
        if where.is_group:
            head["chatid"] = chat
        is_event = body["msgtype"] == "event"
        self.rules.note_told(msgid, Told(msgid, chat, self.now(), body.get("event")), is_spoken=not is_event)
        self.told += self.lines.push(cmd, msgid, {**head, **body})
        return msgid

    def _event(self, userid: str, chat: str, event: Json, post: Post | None = None) -> str:
        msgid = self.tell(userid, chat, {"msgtype": "event", "event": event}, cmd="aibot_event_callback")
        self.rules.clicked(msgid, post)
        return msgid

    # What goes wrong: `lines` drops connections, swallows answers, refuses and doubles.

    async def _serve_media(self, scope: Scope, send: Send) -> None:
        name = scope["path"].rpartition("/")[2]
        self.fetched.append(name)
        body, at = self._media.get(name, (b"", 0.0))
        is_there = name in self._media and self.now() - at <= MEDIA_LIVE
        await send({"type": "http.response.start", "status": 200 if is_there else 403, "headers": []})
        await send({"type": "http.response.body", "body": body if is_there else b""})

    async def until(self, happened: Callable[[], object], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.005)
