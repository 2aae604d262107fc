"""The platforms' callbacks: the one path that must be cheap, so it passes by all that pages need. Only the channel's secret counts here."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from core.hooks import HookAnswer, HookCall
from web.services import Callback, Hook

PREFIX = "/hooks/"
# A platform's callback is a few kilobytes; more than this is not read to its end.
LARGEST_BODY = 1024 * 1024


class Front:
    """Sends callbacks to the door for hooks, everything else to the pages behind their guards."""

    def __init__(self, hooks: ASGIApp, pages: ASGIApp) -> None:
        self._hooks, self._pages = hooks, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_hook = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        await (self._hooks if is_hook else self._pages)(scope, receive, send)


class HookDoor:
    """/hooks/{name}: the channel checks its own secret, works the body and says the status, after the commit."""

    def __init__(self, hooks: Mapping[str, Hook], callbacks: Mapping[str, Callback] | None = None) -> None:
        self._hooks = hooks
        self._callbacks = callbacks or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        if answer is None:
            return
        headers = [
            (b"content-length", str(len(answer.body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if answer.body:
            headers.append((b"content-type", b"text/plain; charset=utf-8"))
        if answer.status >= 400:
            headers.append((b"connection", b"close"))  # the rest of a body may still be on its way
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> HookAnswer | None:
        """None when the caller has gone before its body was read: there is nobody to answer."""
        name = scope["path"].removeprefix(PREFIX)
        hook, callback = self._hooks.get(name), self._callbacks.get(name)
        if hook is None and callback is None:
            return HookAnswer(404)
        if scope["method"] != "POST" and (callback is None or scope["method"] != "GET"):
            return HookAnswer(405)
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LARGEST_BODY:
                return HookAnswer(413)
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        if callback is not None:
            query = scope.get("query_string", b"").decode("latin-1")
            return await callback(HookCall(scope["method"], query, headers, body))
        assert hook is not None
        return HookAnswer(await hook(headers, body))
