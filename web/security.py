"""What stands before every page, as plain ASGI middlewares: headers, hosts, where a request came from, and how large it may be.

Who somebody is and what they may do is web/auth.py; the CSRF field of forms too.
"""

import ipaddress
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Not `no-referrer`: under it browsers send `Origin: null` with our own forms, and over plain http on an office network
# there is no Sec-Fetch-Site to tell them from a stranger's. Other sites learn nothing either way.
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MEBIBYTE = 1024 * 1024

# (status, sentence, what to do next) → the page
ErrorPage = Callable[[int, str, str], str]


@dataclass(frozen=True, slots=True)
class Protection:
    """What an installation allows. `hosts` are names without ports, `origins` are host:port beside the request's own Host.

    `larger_bodies` lets paths that start with a key take more than `largest_body` bytes: uploads. Paths of `hosts_free` are for
    machines that ask by number (health checks); paths of `origin_free` prove themselves by a secret of their own.
    """

    hosts: Collection[str]
    origins: Collection[str] = ()
    largest_body: int = MEBIBYTE
    larger_bodies: Mapping[str, int] = field(default_factory=dict)
    hosts_free: Collection[str] = ("/healthz", "/readyz", "/metrics")
    origin_free: tuple[str, ...] = ("/hooks/",)

    def body_cap(self, path: str) -> int:
        """The most bytes for this path: that of the longest prefix named, else the general one."""
        fitting = [prefix for prefix in self.larger_bodies if path.startswith(prefix)]
        return self.larger_bodies[max(fitting, key=len)] if fitting else self.largest_body


def protection_for(public_url: str, *, host: str, largest_body: int, larger_bodies: Mapping[str, int]) -> Protection:
    """The protection of an installation reached at `public_url` and listening on `host`: these two names and no other.

    A process that listens on loopback, or on all addresses, also answers to the loopback names.
    """
    public = urlsplit(public_url)
    listens_everywhere = host in {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    names = {public.hostname or ""} | (set() if listens_everywhere else {host})
    if listens_everywhere or host in LOOPBACK_NAMES:
        names |= LOOPBACK_NAMES
    return Protection(
        hosts=frozenset(name.lower() for name in names if name),
        origins=frozenset({_without_default_port(public.netloc)}),
        largest_body=largest_body,
        larger_bodies=larger_bodies,
    )


def protect(app: ASGIApp, protection: Protection, error_page: ErrorPage) -> ASGIApp:
    """The app behind all guards. The headers stand outermost, so that refusals carry them too."""
    capped = BodyCap(app, protection, error_page)
    addressed = AddressCheck(OriginCheck(capped, protection, error_page), error_page)
    checked = HostCheck(addressed, protection, error_page)
    return SecurityHeaders(checked)


class SecurityHeaders:
    """Gives every answer the headers of HEADERS and says how long it may be kept; what the answer itself says stands."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        keeping = _keeping(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                # A refusal is never kept, whatever its address.
                headers.setdefault("cache-control", keeping if message["status"] < 400 else "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _keeping(scope: Scope) -> str:
    """Pages hold people's matters and are never kept; a static file with its mark in the address never changes."""
    if not scope["path"].startswith("/static/"):
        return "no-store"
    return "public, max-age=31536000, immutable" if scope["query_string"].startswith(b"v=") else "no-cache"


class HostCheck:
    """Refuses requests that name another host: a foreign page cannot reach us under a name of its own."""

    def __init__(self, app: ASGIApp, protection: Protection, error_page: ErrorPage) -> None:
        self._app, self._protection, self._error_page = app, protection, error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in self._protection.hosts_free:
            await self._app(scope, receive, send)
            return
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) == 1 and _host_name(hosts[0]) in self._protection.hosts:
            await self._app(scope, receive, send)
            return
        sentence = "这个网址不是本系统的地址。"
        await _refuse(
            scope,
            send,
            400,
            (sentence, "请从机器人发给您的链接进入，或请管理员核对配置里的 web.public_url。"),
            self._error_page,
        )


class AddressCheck:
    """Refuses addresses with a NUL: no keyboard types one, and PostgreSQL takes it in no search."""

    def __init__(self, app: ASGIApp, error_page: ErrorPage) -> None:
        self._app, self._error_page = app, error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_nul = scope["type"] != "lifespan" and ("\0" in scope["path"] or b"%00" in scope["query_string"])
        if has_nul:
            words = ("网址里有不能识别的字符。", "请返回上一页核对后再试。")
            await _refuse(scope, send, 400, words, self._error_page)
            return
        await self._app(scope, receive, send)


class OriginCheck:
    """Refuses requests that change something when another site's page made the browser send them.

    The browser's own word, Sec-Fetch-Site, counts first; where it is absent, Origin. With neither it is no browser's cross-site
    form (or a very old one, which the CSRF field still stops). A socket is checked like a request that changes something.
    """

    def __init__(self, app: ASGIApp, protection: Protection, error_page: ErrorPage) -> None:
        self._app, self._protection, self._error_page = app, protection, error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_fine(scope):
            await self._app(scope, receive, send)
            return
        await _refuse(
            scope,
            send,
            403,
            ("这次提交不是从本系统的页面发出的，没有执行。", "请回到本系统的页面，刷新后再提交一次。"),
            self._error_page,
        )

    def _is_fine(self, scope: Scope) -> bool:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["method"] in SAFE_METHODS):
            return True
        if scope["path"].startswith(self._protection.origin_free):
            return True
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        origin = headers.get("origin")
        if origin is None:
            return True
        own = {_without_default_port(headers.get("host", "")), *self._protection.origins}
        return _without_default_port(origin.partition("://")[2]) in own - {""}


class _BodyTooLarge(Exception):
    """Breaks off the reading of a body that said nothing about its size."""


class BodyCap:
    """Refuses bodies over the path's cap: by the announced length before a byte is read, else as soon as it is passed."""

    def __init__(self, app: ASGIApp, protection: Protection, error_page: ErrorPage) -> None:
        self._app, self._protection, self._error_page = app, protection, error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cap = self._protection.body_cap(scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > cap:
            await self._say_too_large(scope, send, cap)
            return
        await self._run_counted(scope, receive, send, cap=cap)

    async def _run_counted(self, scope: Scope, receive: Receive, send: Send, *, cap: int) -> None:
        read = 0
        has_started = False

        async def counted_receive() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > cap:
                raise _BodyTooLarge
            return message

        async def watched_send(message: Message) -> None:
            nonlocal has_started
            # A framework may answer the broken reading with a fault of its own: ours takes its place.
            if read > cap and not has_started:
                raise _BodyTooLarge
            has_started = True
            await send(message)

        try:
            await self._app(scope, counted_receive, watched_send)
        except _BodyTooLarge:
            # Half an answer cannot be taken back: the server closes the connection on it.
            if not has_started:
                await self._say_too_large(scope, send, cap)

    async def _say_too_large(self, scope: Scope, send: Send, cap: int) -> None:
        sentence = f"提交的内容太大，最多 {_size_words(cap)}。"
        await _refuse(scope, send, 413, (sentence, "请减少或压缩照片、文件，分几次提交。"), self._error_page)


async def _refuse(scope: Scope, send: Send, status: int, words: tuple[str, str], error_page: ErrorPage) -> None:
    """Answers with `words`, sentence and advice: as a page, as JSON to a program, as a closed socket to a socket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    if _wants_json(scope):
        kind, body = "application/json", json.dumps({"error": "".join(words)}, ensure_ascii=False)
    else:
        kind, body = "text/html; charset=utf-8", error_page(status, *words)
    content = body.encode()
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),  # the rest of a body may still be on its way
    ]
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})


def _wants_json(scope: Scope) -> bool:
    accepted = Headers(scope=scope).get("accept", "")
    return "/api/" in scope["path"] or scope["path"].startswith("/hooks/") or accepted.startswith("application/json")


def _host_name(host: str) -> str:
    """The name in a Host header, without port and without the brackets of IPv6; empty for nonsense."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().removesuffix(".")


def _without_default_port(netloc: str) -> str:
    return netloc.lower().removesuffix(":80").removesuffix(":443")


def _size_words(size: int) -> str:
    return f"{size / MEBIBYTE:.0f} MB" if size >= MEBIBYTE else f"{max(size // 1024, 1)} KB"
