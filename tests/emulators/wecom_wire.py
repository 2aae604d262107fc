"""The emulator's HTTP side: tokens and trusted addresses first, then the call; plays faults and keeps a log."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.emulators import wecom_checks as checks
from tests.emulators.local_server import LocalServer
from tests.emulators.wecom_world import ApiError, Json, World

TOKEN_LIVES = 7200
ERRORS_AN_HOUR = 2000
BY_GET = frozenset(
    {
        "gettoken",
        "media/get",
        "auth/getuserinfo",
        "user/get",
        "user/list",
        "department/list",
        "tag/get",
        "agent/get",
        "getcallbackip",
        "kf/account/list",
    }
)


@dataclass
class Grant:
    """A secret's token."""

    token: str = ""
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the log: what was asked, with what, and the code it was answered (None: the connection was cut)."""

    path: str
    given: Json
    code: int | None


@dataclass
class Fault:
    """What goes wrong the next `times` calls of `path` (None: any but gettoken), after `spares` that go well."""

    times: int
    path: str | None = None
    code: int | None = None
    status: int | None = None
    cuts_before: bool = False
    cuts_after: bool = False
    garbles: bytes | None = None
    delay: float = 0.0
    spares: int = 0

    def strikes(self, path: str) -> bool:
        if self.times == 0 or (path != self.path if self.path else path == "gettoken"):
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


@dataclass
class Wire:
    """Serves one corp. `secrets` are those it has; `calls` the functions by path; `most_a_minute` holds for each of them."""

    world: World
    calls: Mapping[str, Callable[[Json], Json]]
    secrets: dict[str, Grant]
    most_a_minute: int = 10_000
    trusts_us: bool = True
    refused_paths: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    log: list[Call] = field(default_factory=list)
    address: str = ""

    def __post_init__(self) -> None:
        self._server = LocalServer()
        self._errors: deque[float] = deque()
        self._times: dict[str, deque[float]] = defaultdict(deque)

    async def open(self) -> None:
        app = Starlette(routes=[Route("/cgi-bin/{path:path}", self._answer, methods=["GET", "POST"])])
        self.address = await self._server.open(app)

    async def close(self) -> None:
        await self._server.close()

    def revoke(self) -> None:
        """Every token ends at once."""
        for grant in self.secrets.values():
            grant.token = ""

    async def _answer(self, request: Request) -> Response:
        path = str(request.path_params["path"])
        given: Json = dict(request.query_params)
        try:
            response = await self._work(path, given, request)
        except ApiError as refusal:
            response = JSONResponse(
                {"errcode": refusal.code, "errmsg": f"{refusal.words}, hint: [1], from ip: 127.0.0.1"}
            )
            self.log.append(Call(path, given, refusal.code))
            return response
        self.log.append(Call(path, given, None if isinstance(response, _Cut) else 0))
        return response

    async def _work(self, path: str, given: Json, request: Request) -> Response:
        fault = next((fault for fault in self.faults if fault.strikes(path)), None)
        if fault is not None:
            if fault.cuts_before:
                return _Cut()
            if fault.status is not None:
                return Response(status_code=fault.status)
            if fault.code is not None:
                raise ApiError(fault.code)
        response = await self._do(path, given, request)
        if fault is None:
            return response
        await asyncio.sleep(fault.delay)
        if fault.garbles is not None:
            return Response(fault.garbles, media_type="application/json")
        return _Cut() if fault.cuts_after else response

    async def _do(self, path: str, given: Json, request: Request) -> Response:
        if request.method != ("GET" if path in BY_GET else "POST"):
            raise ApiError(43001 if path in BY_GET else 43002, "wrong method")
        if path == "gettoken":
            return _good(self._token(given))
        self._check_token(given.pop("access_token", ""))
        self._check_frequency(path)
        if path in self.refused_paths:
            raise ApiError(self.refused_paths[path])
        if path == "media/upload":
            return _good(await self._upload(given, request))
        if path == "media/get":
            medium = self.world.medium(str(given.get("media_id")))
            disposition = f"attachment; filename*=UTF-8''{quote(medium.name)}"
            return Response(
                medium.body, media_type="application/octet-stream", headers={"content-disposition": disposition}
            )
        if path not in self.calls:
            raise ApiError(-1, f"strict: no call {path}")
        if request.method == "POST":
            given |= await _object(request)
        return _good(self.calls[path](given))

    def _token(self, given: Json) -> Json:
        now = self.world.now()
        while self._errors and self._errors[0] <= now - 3600:
            self._errors.popleft()
        if len(self._errors) >= ERRORS_AN_HOUR:
            raise ApiError(45009, "gettoken is blocked for an hour")
        grant = self.secrets.get(str(given.get("corpsecret")))
        if given.get("corpid") != self.world.corp_id or grant is None:
            self._errors.append(now)
            raise ApiError(40001 if grant is None else 40013, "invalid credential")
        if not grant.token or grant.until <= now:
            grant.token, grant.until = self.world.new_id("TOKEN_"), now + TOKEN_LIVES
        return {"access_token": grant.token, "expires_in": max(1, int(grant.until - now))}

    def _check_token(self, token: str) -> None:
        if not self.trusts_us:
            raise ApiError(60020, "not allow to access from your ip")
        grant = next((one for one in self.secrets.values() if token and one.token == token), None)
        if grant is None:
            raise ApiError(40014, "invalid access_token")
        if grant.until <= self.world.now():
            raise ApiError(42001, "access_token expired")

    def _check_frequency(self, path: str) -> None:
        times, now = self._times[path], self.world.now()
        while times and times[0] <= now - 60:
            times.popleft()
        if len(times) >= self.most_a_minute:
            raise ApiError(45009, "api freq out of limit")
        times.append(now)

    async def _upload(self, given: Json, request: Request) -> Json:
        async with request.form(max_part_size=64 * checks.MB) as form:
            part = form.get("media")
            if not isinstance(part, UploadFile) or not part.filename:
                raise ApiError(41005, "media data missing")
            body, name = await part.read(), part.filename
        kind = str(given.get("type"))
        checks.upload(kind, body)
        medium = self.world.keep(kind, name, body)
        return {"type": kind, "media_id": medium.id, "created_at": str(int(medium.at))}


def _good(result: Json) -> Response:
    return JSONResponse({"errcode": 0, "errmsg": "ok", **result})


async def _object(request: Request) -> Json:
    try:
        found = json.loads(await request.body())
    except ValueError:
        raise ApiError(47001, "data format error") from None
    if not isinstance(found, dict):
        raise ApiError(47001, "data format error")
    return found
