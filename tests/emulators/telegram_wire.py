"""The emulator's HTTP side: a real server on 127.0.0.1 that checks the token, reads the fields, plays faults and keeps a log."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.emulators.local_server import LocalServer
from tests.emulators.telegram_fields import ApiError, Params, Upload, method_name, read_params

Answerer = Callable[[str, Params, dict[str, Upload]], Awaitable[Any]]
Files = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the log: what was asked, with which fields, and the HTTP status (0: the connection was cut)."""

    method: str
    params: Params
    status: int


@dataclass
class Fault:
    """What shall go wrong the next `times` calls of `method` (None: any but getUpdates)."""

    times: int
    method: str | None = None
    refusal: ApiError | None = None
    cuts_before: bool = False
    cuts_after: bool = False
    delay: float = 0.0
    garbles: bytes | None = None
    spares: int = 0

    def strikes(self, method: str) -> bool:
        """Whether this call is one that goes wrong; counts it."""
        if self.times == 0 or (method != self.method if self.method else method == "getUpdates"):
            return False
        if self.spares:
            self.spares -= 1
            return False
        self.times -= 1
        return True


class _Cut(Response):
    """Promises a body and ends without it, so that the server drops the connection in mid-answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class Wire:
    """Serves one bot's API. `address` is known after `open`."""

    def __init__(self, token: str, answer: Answerer, files: Files, *, strict: bool) -> None:
        self._token = token
        self._answer = answer
        self._files = files
        self._strict = strict
        self._server = LocalServer()
        self.address = ""
        self.faults: list[Fault] = []
        self.log: list[Call] = []

    async def open(self) -> None:
        app = Starlette(
            routes=[
                Route("/bot{token}/{method}", self._method, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self._download),
            ]
        )
        self.address = await self._server.open(app)

    async def close(self) -> None:
        await self._server.close()

    async def _method(self, request: Request) -> Response:
        if request.path_params["token"] != self._token:
            return _refusal(ApiError(401, "Unauthorized"))
        params: Params = {}
        asked = request.path_params["method"]
        try:
            asked = method_name(asked)
            given, uploads = await _fields(request)
            params = read_params(asked, given, uploads, strict=self._strict)
            response = await self._work(asked, params, uploads)
        except ApiError as refusal:
            response = _refusal(refusal)
        except ClientDisconnect:
            response = _Cut()
        self.log.append(Call(asked, params, 0 if isinstance(response, _Cut) else response.status_code))
        return response

    async def _work(self, method: str, params: Params, uploads: dict[str, Upload]) -> Response:
        fault = next((fault for fault in self.faults if fault.strikes(method)), None)
        if fault is None:
            return _good(await self._answer(method, params, uploads))
        if fault.cuts_before:
            return _Cut()
        if fault.refusal is not None:
            raise fault.refusal
        if fault.delay:
            result = await self._answer(method, params, uploads)
            await asyncio.sleep(fault.delay)
            return _good(result)
        result = await self._answer(method, params, uploads)
        if fault.garbles is not None:
            return Response(fault.garbles, media_type="application/json")
        return _Cut() if fault.cuts_after else _good(result)

    async def _download(self, request: Request) -> Response:
        body = self._files(request.path_params["path"])
        if request.path_params["token"] != self._token or body is None:
            return _refusal(ApiError(404, "Not Found"))
        fault = next((fault for fault in self.faults if fault.strikes("download")), None)
        if fault is not None:
            return _refusal(fault.refusal) if fault.refusal is not None else _Cut()
        return Response(body, media_type="application/octet-stream")


def _good(result: Any) -> Response:
    """ASCII throughout, so that even half a character, which a test may send, travels as an escape."""
    return Response(json.dumps({"ok": True, "result": result}), media_type="application/json")


def _refusal(refusal: ApiError) -> Response:
    return JSONResponse(refusal.body(), status_code=refusal.status)


async def _fields(request: Request) -> tuple[dict[str, Any], dict[str, Upload]]:
    """The fields of a query, a form, a multipart body or JSON: the platform takes them all."""
    given: dict[str, Any] = dict(request.query_params)
    uploads: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json":
        try:
            given |= json.loads(await request.body() or b"{}")
        except ValueError:
            raise ApiError(400, "Bad Request: can't parse JSON object") from None
    elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form(max_files=100, max_part_size=64 * 1024 * 1024) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    media_type = value.content_type or "application/octet-stream"
                    uploads[name] = Upload(value.filename or "", media_type, await value.read())
                else:
                    given[name] = value
    return given, uploads
