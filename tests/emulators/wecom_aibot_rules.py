"""What the emulated platform lets the AI bot do: limits, shapes, what may be answered and for how long, cards, files."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.emulators import wecom_checks as checks
from tests.emulators.wecom_world import ApiError, Json, card_text

STALE, STREAM_OVER, BAD_CHAT, UNKNOWN_FIELD = 846605, 846608, 93006, 40058
ANSWER_WITHIN, EVENT_WITHIN, STREAM_WITHIN = 24 * 3600, 5, 360
CONTENT_BYTES, WELCOME_BYTES = 20_480, 2048
A_MINUTE, AN_HOUR = 30, 1000
PIECE = 512 * 1024
MB = 1024 * 1024
MEDIA_BYTES = {"image": 2 * MB, "voice": 2 * MB, "video": 10 * MB, "file": 20 * MB}
RESPOND, WELCOME, UPDATE, SEND = (
    "aibot_respond_msg",
    "aibot_respond_welcome_msg",
    "aibot_respond_update_msg",
    "aibot_send_msg",
)


@dataclass
class Chat:
    id: str
    is_group: bool
    members: set[str] = field(default_factory=set)
    is_spoken_to: bool = False  # somebody has spoken to the bot there


@dataclass
class Post:
    """One message as people see it now; `answers` is what it quotes."""

    id: str
    chat: str
    kind: str
    body: Json
    at: float
    answers: str | None = None
    files: tuple[bytes, ...] = ()

    @property
    def text(self) -> str:
        return card_text(self.body) if self.kind == "template_card" else str(self.body.get("content", ""))

    @property
    def task_id(self) -> str:
        return str(self.body.get("task_id", ""))

    @property
    def buttons(self) -> list[tuple[str, str]]:
        if "checkbox" in self.body:
            return [(one["text"], one["id"]) for one in self.body["checkbox"]["option_list"]]
        return [(one["text"], one["key"]) for one in self.body.get("button_list", [])]


@dataclass
class Told:
    """A callback that may be answered. `post` is the card that was clicked."""

    msgid: str
    chat: str
    at: float
    event: Json | None = None
    post: Post | None = None
    answers: int = 0
    stream: Post | None = None  # the one that is still being written


@dataclass
class Upload:
    kind: str
    size: int
    pieces: dict[int, bytes]
    count: int
    md5: str


class Rules:
    """Everything of one bot but its sockets."""

    def __init__(self, now: Callable[[], float], *, answers_per_message: int) -> None:
        self._now = now
        self._most_answers = answers_per_message
        self.chats: dict[str, Chat] = {}
        self.posted: list[Post] = []
        self.media: dict[str, tuple[str, bytes]] = {}
        self._calls: dict[str, Told] = {}
        self._uploads: dict[str, Upload] = {}
        self._uploaded: list[float] = []
        self._spent: dict[str, list[float]] = {}
        self._task_ids: set[str] = set()

    def note_told(self, req_id: str, told: Told, *, is_spoken: bool) -> None:
        self._calls[req_id] = told
        if is_spoken:
            self.chats[told.chat].is_spoken_to = True

    def clicked(self, req_id: str, post: Post | None) -> None:
        self._calls[req_id].post = post

    def forget_calls(self) -> None:
        """A new connection knows nothing of what the old one was told."""
        self._calls.clear()

    def work(self, cmd: str, req_id: str, body: Json) -> Json:
        match cmd:
            case "aibot_respond_msg":
                self._respond(req_id, body)
            case "aibot_respond_welcome_msg":
                self._welcome(req_id, body)
            case "aibot_respond_update_msg":
                self._update(req_id, body)
            case "aibot_send_msg":
                self._send(body)
            case "aibot_upload_media_init":
                return self._begin(body)
            case "aibot_upload_media_chunk":
                self._piece(body)
            case "aibot_upload_media_finish":
                return self._finish(body)
            case _:
                raise ApiError(40008, "unknown cmd")
        return {}

    def _call(self, req_id: str, seconds: float, most: int) -> Told:
        told = self._calls.get(req_id)
        if told is None or self._now() - told.at > seconds or told.answers >= most:
            raise ApiError(STALE, "req_id unknown or too old")
        return told

    def _respond(self, req_id: str, body: Json) -> None:
        known = self._calls.get(req_id)
        if known is not None and known.stream is not None and body.get("msgtype") == "stream":
            self._go_on(known, known.stream, body["stream"])
            return
        told = self._call(req_id, ANSWER_WITHIN, self._most_answers)
        if told.event is not None:
            raise ApiError(STALE, "an event is answered otherwise")
        self._say(told.chat, body, ("stream", "markdown", "template_card", "image", "file", "voice", "video"), told)

    def _go_on(self, told: Told, post: Post, inner: Json) -> None:
        """A further frame of a stream holds the whole text so far, and is no message of its own."""
        if inner.get("id") != post.body["id"] or self._now() - told.at > STREAM_WITHIN:
            raise ApiError(STREAM_OVER, "the stream can no longer be written")
        _stream(inner)
        post.body = inner
        told.stream = None if inner["finish"] else post

    def _welcome(self, req_id: str, body: Json) -> None:
        told = self._call(req_id, EVENT_WITHIN, 1)
        if (told.event or {}).get("eventtype") != "enter_chat":
            raise ApiError(STALE, "nobody came in")
        self._say(told.chat, body, ("text", "template_card"), told)

    def _update(self, req_id: str, body: Json) -> None:
        told = self._call(req_id, EVENT_WITHIN, 1)
        checks.only(body, {"response_type", "userids", "template_card"}, "update")
        if body.get("response_type") != "update_template_card":
            raise ApiError(UNKNOWN_FIELD, "response_type")
        _card(body["template_card"])
        if told.post is None or body["template_card"]["task_id"] != told.post.task_id:
            raise ApiError(UNKNOWN_FIELD, "another task_id")
        told.answers += 1
        told.post.body = body["template_card"]

    def _send(self, body: Json) -> None:
        chat = self.chats.get(body.get("chatid", ""))
        if chat is None or not chat.is_spoken_to:
            raise ApiError(BAD_CHAT, "nobody has spoken to the bot there")
        if body.get("chat_type", 0) not in (0, 2 if chat.is_group else 1):
            raise ApiError(BAD_CHAT, "chat_type")
        rest = {name: value for name, value in body.items() if name not in ("chatid", "chat_type")}
        if chat.is_group and rest.get("msgtype") == "template_card":
            raise ApiError(UNKNOWN_FIELD, "a card is pushed to one person only")
        self._say(chat.id, rest, ("markdown", "template_card", "image", "file", "voice", "video"), None)

    def _say(self, chat: str, body: Json, kinds: tuple[str, ...], told: Told | None) -> None:
        kind = body.get("msgtype", "")
        if kind not in kinds:
            raise ApiError(40008, f"msgtype {kind}")
        checks.only(body, {"msgtype", kind}, "message")
        inner: Json = body[kind]
        files: tuple[bytes, ...] = ()
        if kind in ("markdown", "text"):
            checks.only(inner, {"content"}, kind)
            _bytes(inner["content"], WELCOME_BYTES if kind == "text" else CONTENT_BYTES)
        elif kind == "stream":
            _stream(inner)
        elif kind == "template_card":
            _card(inner)
            if inner["task_id"] in self._task_ids:
                raise ApiError(42014, "task_id was used before")
            self._task_ids.add(inner["task_id"])
        else:
            checks.only(inner, {"media_id", "title", "description"}, kind)
            found = self.media.get(inner.get("media_id", ""))
            if found is None or found[0] != kind:
                raise ApiError(40007, "no such medium")
            files = (found[1],)
        self._spend(chat)
        if told is not None:
            told.answers += 1
        answers = told.msgid if told is not None and told.event is None else None
        post_id = inner.get("task_id") or f"P{len(self.posted) + 1}"
        post = Post(post_id, chat, kind, inner, self._now(), answers, files)
        self.posted.append(post)
        if told is not None and kind == "stream" and not inner["finish"]:
            told.stream = post

    def _spend(self, chat: str) -> None:
        now, times = self._now(), self._spent.setdefault(chat, [])
        if sum(at > now - 60 for at in times) >= A_MINUTE or sum(at > now - 3600 for at in times) >= AN_HOUR:
            raise ApiError(45009, "too many messages in this conversation")
        times.append(now)

    def _begin(self, body: Json) -> Json:
        checks.only(body, {"type", "filename", "total_size", "total_chunks", "md5"}, "init")
        checks.need(body, ("type", "filename", "total_size", "total_chunks", "md5"), "init")
        now = self._now()
        if sum(at > now - 60 for at in self._uploaded) >= A_MINUTE:
            raise ApiError(45009, "too many uploads")
        if not 5 <= body["total_size"] <= MEDIA_BYTES[body["type"]] or not 1 <= body["total_chunks"] <= 100:
            raise ApiError(45001, "size")
        if len(body["filename"].encode()) > 256:
            raise ApiError(UNKNOWN_FIELD, "filename")
        self._uploaded.append(now)
        name = f"U{len(self._uploads) + 1}"
        self._uploads[name] = Upload(body["type"], body["total_size"], {}, body["total_chunks"], body["md5"])
        return {"upload_id": name}

    def _piece(self, body: Json) -> None:
        checks.only(body, {"upload_id", "chunk_index", "base64_data"}, "chunk")
        upload = self._upload(body)
        piece = base64.b64decode(body["base64_data"], validate=True)
        if len(piece) > PIECE or not 0 <= body["chunk_index"] < upload.count:
            raise ApiError(45001, "piece")
        upload.pieces[body["chunk_index"]] = piece

    def _finish(self, body: Json) -> Json:
        checks.only(body, {"upload_id"}, "finish")
        upload = self._upload(body)
        whole = b"".join(upload.pieces[place] for place in sorted(upload.pieces))
        if len(upload.pieces) != upload.count or len(whole) != upload.size:
            raise ApiError(45001, "pieces are missing")
        if hashlib.md5(whole, usedforsecurity=False).hexdigest() != upload.md5:
            raise ApiError(UNKNOWN_FIELD, "md5")
        name = f"MEDIA{len(self.media) + 1}"
        self.media[name] = (upload.kind, whole)
        return {"type": upload.kind, "media_id": name, "created_at": int(self._now())}

    def _upload(self, body: Json) -> Upload:
        found = self._uploads.get(body["upload_id"])
        if found is None:
            raise ApiError(40007, "no such upload")
        return found


def _bytes(content: str, most: int) -> None:
    if not content or len(content.encode()) > most:
        raise ApiError(45002, "empty or too long")


def _stream(inner: Json) -> None:
    checks.only(inner, {"id", "finish", "content"}, "stream")
    checks.need(inner, ("id", "finish", "content"), "stream")
    _bytes(inner["content"], CONTENT_BYTES)


def _card(given: Json) -> None:
    """Like the app's, but with buttons of one sort and without words in their place."""
    checks.card(given, is_update=False)
    if "replace_text" in given:
        raise ApiError(UNKNOWN_FIELD, "strict: replace_text")
    for button in given.get("button_list", []):
        checks.only(button, {"text", "style", "key"}, "button")
