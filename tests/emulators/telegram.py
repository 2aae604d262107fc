"""A strict Telegram Bot API emulator for one bot, on a real socket, and the hands of the people who chat with it.

    async with TelegramEmulator() as telegram:
        resident = telegram.add_user("王阿姨")
        group = telegram.add_group("阳光小区", [resident])
        telegram.say(resident, group, "3号楼门口井盖坏了", photo=JPEG)
        ...  # a bot with base_url=telegram.base_url and token=telegram.token works meanwhile
        assert [post.text for post in telegram.posts(group)] == [...]

It runs in the caller's event loop; control methods are plain calls. Time is `now()`, so a test's own clock drives the limits.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from tests.emulators.telegram_fields import ApiError, Params, Upload
from tests.emulators.telegram_limits import FloodGate, FloodLimits
from tests.emulators.telegram_methods import Methods, Press, media_fields
from tests.emulators.telegram_platform import Platform
from tests.emulators.telegram_posts import Post, PostedButton, post_of
from tests.emulators.telegram_wire import Call, Fault, Wire
from tests.emulators.telegram_world import ANONYMOUS_ADMIN, Chat, Json, StoredMessage, User, text_fields

__all__ = ["ApiError", "Call", "Chat", "FloodLimits", "Post", "PostedButton", "TelegramEmulator", "User"]


class TelegramEmulator(Platform):
    """`privacy` is BotFather's switch: on, the bot reads in groups only what is meant for it, unless it is administrator."""

    def __init__(
        self,
        *,
        token: str = "7000001:AAEmulatedEmulatedEmulatedEmulated1",
        username: str = "wuwei_test_bot",
        privacy: bool = False,
        now: Callable[[], float] = time.time,
        limits: FloodLimits = FloodLimits(),  # noqa: B008  # frozen
        strict: bool = True,
        retry_pause: float = 0.05,
    ) -> None:
        super().__init__(token=token, username=username, privacy=privacy, now=now, retry_pause=retry_pause)
        self.methods = Methods(self.world, can_read_all=lambda: not self.privacy, left=self._bot_left)
        self.gate = FloodGate(limits)
        self.wire = Wire(token, self._answer, self._file_at, strict=strict)
        self._press_ids = itertools.count(1)
        self._albums = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self.wire.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.queue.close()
        await self.wire.close()

    @property
    def base_url(self) -> str:
        return self.wire.address

    @property
    def log(self) -> list[Call]:
        return self.wire.log

    def calls(self, method: str) -> list[Call]:
        return [call for call in self.wire.log if call.method == method]

    # People speak

    def start(self, user: User, payload: str = "") -> int:
        """The person opens the private chat through the bot's link and presses Start."""
        if user.has_blocked:
            self.unblock(user)
        user.has_started = True
        return self.say(user, self.private(user), f"/start {payload}".rstrip())

    def say(
        self,
        user: User,
        chat: Chat,
        text: str = "",
        *,
        reply_to: int | None = None,
        photo: bytes | None = None,
        voice: bytes | None = None,
        video: bytes | None = None,
        document: bytes | None = None,
        thread: int | None = None,
        claimed_size: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """A message with at most one file. `extra` adds or overrides fields of the wire, such as forward_origin or via_bot."""
        media = {"photo": photo, "voice": voice, "video": video, "document": document}
        given = [(kind, body) for kind, body in media.items() if body is not None]
        if len(given) > 1:
            raise ValueError("one file a message; use say_album")
        fields: Json = text_fields(text, is_caption=bool(given))
        for kind, body in given:
            fields |= media_fields(self.world, kind, body, f"{kind}.bin", claimed_size)
        return self._speak(user, chat, fields | dict(extra or {}), reply_to, thread).id

    def say_album(self, user: User, chat: Chat, photos: Sequence[bytes], text: str = "") -> tuple[int, ...]:
        """An album: separate messages that share a media_group_id, the caption on the first."""
        album = f"1388{next(self._albums):013d}"
        ids = []
        for at, photo in enumerate(photos):
            caption = text_fields(text, is_caption=True) if at == 0 else {}
            fields = media_fields(self.world, "photo", photo, "") | caption | {"media_group_id": album}
            ids.append(self._speak(user, chat, fields, None, None).id)
        return tuple(ids)

    def say_anonymously(self, chat: Chat, text: str) -> int:
        """An administrator who hides behind the group's name."""
        ghost = self.world.users.setdefault(ANONYMOUS_ADMIN, User(ANONYMOUS_ADMIN, "Group", "GroupAnonymousBot", True))
        fields = text_fields(text, is_caption=False) | {"sender_chat": chat.json(), "author_signature": "管理员"}
        message = self.world.new_message(chat, ghost, fields)
        self._tell("message", chat, message)
        return message.id

    def edit(self, user: User, chat: Chat, message_id: int, text: str) -> None:
        message = self._message(chat, message_id)
        if message.sender_id != user.id:
            raise ValueError("people edit only their own messages")
        is_caption = "text" not in message.body
        gone = ("text", "entities", "caption", "caption_entities")
        kept = {name: value for name, value in message.body.items() if name not in gone}
        message.body = kept | text_fields(text, is_caption=is_caption) | {"edit_date": int(self.now())}
        self._tell("edited_message", chat, message)

    def press(self, user: User, chat: Chat, message_id: int, button: str) -> Press:
        """Presses the button with this text or key under a message of the bot. The Press tells later whether it was answered."""
        message = self._message(chat, message_id)
        shown = post_of(message).all_buttons
        found = next((one for one in shown if button in (one.text, one.data)), None)
        if found is None or found.data is None:
            raise ValueError(f"no such button among {[one.text for one in shown]}")
        return self.forge_press(user, chat, message_id, found.data)

    def forge_press(self, user: User, chat: Chat, message_id: int, data: str) -> Press:
        """A press as a modified client could send it: any data, any message, any person."""
        press = Press(f"49{next(self._press_ids):016d}", user.id, self.now())
        self.methods.presses[press.id] = press
        query: Json = {"id": press.id, "from": user.json(), "chat_instance": f"-{abs(chat.id)}", "data": data}
        message = self.world.message(chat.id, message_id)
        gone: Json = {"chat": chat.json(), "message_id": message_id, "date": 0}
        self.queue.put("callback_query", query | {"message": gone if message is None else message.body})
        return press

    # What the bot did

    def posts(self, chat: Chat, *, with_deleted: bool = False) -> list[Post]:
        """The bot's messages in the chat, oldest first, as they look now."""
        mine = (m for m in self.world.messages.values() if m.chat_id == chat.id and m.sender_id == self.bot.id)
        return [post_of(message) for message in mine if with_deleted or not message.is_deleted]

    async def wait_for(self, happened: Callable[[], object], seconds: float = 60.0) -> None:
        """Until `happened()` is true; fails after `seconds` of real time."""
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError("it did not happen in time")
            await asyncio.sleep(0.01)

    # What goes wrong

    def fail_next(
        self,
        times: int,
        status: int,
        *,
        method: str | None = None,
        description: str = "",
        retry_after: int | None = None,
        after: int = 0,
    ) -> None:
        """Refuses the next calls, once `after` more went well, before any work is done. "download" refuses file downloads."""
        parameters = None if retry_after is None else {"retry_after": retry_after}
        refusal = ApiError(status, description or f"Emulated failure {status}", parameters)
        self.wire.faults.append(Fault(times, method, refusal=refusal, spares=after))

    def drop_answer_after_work(self, times: int = 1, *, method: str | None = None) -> None:
        """Does the work and cuts the connection in mid-answer."""
        self.wire.faults.append(Fault(times, method, cuts_after=True))

    def drop_before_work(self, times: int = 1, *, method: str | None = None) -> None:
        """Cuts the connection; the client cannot know that nothing was done."""
        self.wire.faults.append(Fault(times, method, cuts_before=True))

    def delay_answer(self, times: int, seconds: float, *, method: str | None = None) -> None:
        """Does the work at once and answers late."""
        self.wire.faults.append(Fault(times, method, delay=seconds))

    def garble_answer(self, times: int, body: bytes, *, method: str | None = None) -> None:
        """Does the work and answers 200 with this body."""
        self.wire.faults.append(Fault(times, method, garbles=body))

    def deliver_twice(self) -> None:
        """The next update comes twice, with the same number."""
        self.queue.copies = 2

    def push_raw(self, *updates: Json) -> None:
        """Sends the bot updates exactly as given; those without update_id get one."""
        self.queue.put_raw(*updates)

    def _message(self, chat: Chat, message_id: int) -> StoredMessage:
        message = self.world.message(chat.id, message_id)
        if message is None:
            raise ValueError("no such message")
        return message

    async def _answer(self, method: str, params: Params, uploads: dict[str, Upload]) -> Any:
        if method == "getUpdates":
            self.queue.allow(params.get("allowed_updates"))
            return await self.queue.poll(
                offset=params.get("offset", 0), limit=params.get("limit", 100), timeout=params.get("timeout", 0)
            )
        if method in ("setWebhook", "deleteWebhook"):
            self.queue.allow(params.get("allowed_updates"))
            await self.queue.set_webhook(
                params.get("url", ""),
                secret=params.get("secret_token"),
                max_connections=params.get("max_connections", 40),
                drop_pending=params.get("drop_pending_updates", False),
            )
            return True
        if method == "getWebhookInfo":
            return self.queue.info()
        if method.startswith("send"):
            self._check_flood(params["chat_id"])
        return self.methods.call(method, params, uploads)

    def _check_flood(self, chat_id: int | str) -> None:
        chat = self.world.chats.get(chat_id) if isinstance(chat_id, int) else None
        if chat is None:
            return
        wait = self.gate.retry_after(chat.id, is_group=chat.is_group, now=self.now())
        if wait is not None:
            raise ApiError(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})

    def _file_at(self, path: str) -> bytes | None:
        return next((file.body for file in self.world.files.values() if file.path == path), None)
