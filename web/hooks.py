"""The platforms' callbacks: the one path that must be cheap, so it passes by all that pages need. Only the channel's secret counts here."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from web.services import Hook

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

    def __init__(self, hooks: Mapping[str, Hook]) -> None:
        self._hooks = hooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = await self._status(scope, receive)
        if status is None:
            return
        headers = [(b"content-length", b"0"), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
        if status >= 400:
            headers.append((b"connection", b"close"))  # the rest of a body may still be on its way
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _status(self, scope: Scope, receive: Receive) -> int | None:
        """None when the caller has gone before its body was read: there is nobody to answer."""
        hook = self._hooks.get(scope["path"].removeprefix(PREFIX))
        if hook is None:
            return 404
        if scope["method"] != "POST":
            return 405
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LARGEST_BODY:
                return 413
        return await hook({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}, body)
