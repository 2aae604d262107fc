"""A strict emulator of one group robot's webhook: shapes, byte limits, twenty a minute, and files of its own."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from typing import Self
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from tests.emulators import wecom_checks as checks
from tests.emulators.local_server import LocalServer
from tests.emulators.wecom_world import ApiError, Json

KEY = "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"
MB = 1024 * 1024
IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
A_MINUTE = 20


class RobotEmulator:
    """`posts` is what the group has: msgtype and what stands under it, files in place of their ids."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._server = LocalServer()
        self._sent: list[float] = []
        self.base_url = ""
        self.posts: list[tuple[str, Json]] = []
        self.media: dict[str, bytes] = {}
        self.codes: list[int] = []
        self.refusals: list[int] = []
        self.is_answer_lost = False

    async def __aenter__(self) -> Self:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            await self._serve(scope, receive, send)

        self.base_url = await self._server.open(serve)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        found: Json = {}
        code = 0
        try:
            found = self._work(scope["path"], parse_qs(scope["query_string"].decode()), body)
        except ApiError as error:
            code = error.code
        self.codes.append(code)
        if self.is_answer_lost:
            self.is_answer_lost = False
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b"bad gateway"})
            return
        answer = json.dumps({"errcode": code, "errmsg": f"code {code}", **found}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    def _work(self, path: str, query: dict[str, list[str]], body: bytes) -> Json:
        if query.get("key") != [KEY]:
            raise ApiError(93000, "invalid webhook url")
        if self.refusals:
            raise ApiError(self.refusals.pop(0))
        if path == "/cgi-bin/webhook/upload_media":
            return self._keep(query, body)
        if path != "/cgi-bin/webhook/send":
            raise ApiError(40008, "unknown path")
        message: Json = json.loads(body)
        kind = message.get("msgtype", "")
        checks.only(message, {"msgtype", kind}, "message")
        shown = self._shown(kind, message[kind])
        now = self._now()
        if sum(at > now - 60 for at in self._sent) >= A_MINUTE:
            raise ApiError(45009, "api freq out of limit")
        self._sent.append(now)
        self.posts.append((kind, shown))
        return {}

    def _shown(self, kind: str, inner: Json) -> Json:
        match kind:
            case "text":
                checks.only(inner, {"content", "mentioned_list", "mentioned_mobile_list"}, "text")
                checks.text(inner["content"], 2048)
                assert all(isinstance(one, str) for one in inner.get("mentioned_list", []))
                return inner
            case "markdown" | "markdown_v2":
                checks.only(inner, {"content"}, kind)
                checks.text(inner["content"], 4096)
                return inner
            case "image":
                checks.only(inner, {"base64", "md5"}, "image")
                picture = base64.b64decode(inner["base64"], validate=True)
                if len(picture) > 2 * MB or not picture.startswith(IMAGE_STARTS):
                    raise ApiError(45001, "size or format of the picture")
                if hashlib.md5(picture, usedforsecurity=False).hexdigest() != inner["md5"]:
                    raise ApiError(40058, "md5")
                return {"file": picture}
            case "file":
                checks.only(inner, {"media_id"}, "file")
                if inner["media_id"] not in self.media:
                    raise ApiError(40007, "no such medium")
                return {"file": self.media[inner["media_id"]]}
        raise ApiError(40008, f"msgtype {kind}")

    def _keep(self, query: dict[str, list[str]], body: bytes) -> Json:
        """One part of a form, named media, with a file name."""
        assert query["type"] == ["file"]
        boundary = body[: body.index(b"\r\n")]
        head, _, rest = body[len(boundary) + 2 :].partition(b"\r\n\r\n")
        assert re.search(rb'name="media"; filename="[^"]+"', head), head
        content = rest[: rest.rindex(b"\r\n" + boundary + b"--")]
        if not 5 < len(content) <= 20 * MB:
            raise ApiError(45001, "media size")
        name = f"ROBOT{len(self.media) + 1}"
        self.media[name] = content
        return {"type": "file", "media_id": name, "created_at": str(int(self._now()))}
