"""Stands between our channel and npm telegram-test-api 4.2.1, and mends what differs there from the real Bot API.

getMe lacks is_bot, sendMessage dates in milliseconds and echoes form fields, edits and answers say null for true, unknown methods are 500.
"""

import json
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

NULL_MEANS_DONE = frozenset({"answerCallbackQuery", "deleteMessage", "editMessageReplyMarkup", "setWebhook"})
NOT_OFFERED = {
    "setMyCommands": True,
    "getWebhookInfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
}
# Of a sent message only these come back as the Bot API has them; the rest is the request's form fields, unparsed.
ECHOED = ("message_id", "chat", "text", "reply_markup")


class Shim:
    """Passes every bot request on to `upstream` and mends the answer. `asked` lists the methods in order."""

    def __init__(self, upstream: str) -> None:
        self._client = httpx.AsyncClient(base_url=upstream)
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/bot{token}/{method}", self._pass_on, methods=["GET", "POST"])])

    async def close(self) -> None:
        await self._client.aclose()

    async def _pass_on(self, request: Request) -> Response:
        method = request.path_params["method"]
        self.asked.append(method)
        if method in NOT_OFFERED:
            return _answer(200, {"ok": True, "result": NOT_OFFERED[method]})
        body = await request.body()
        kind = request.headers.get("content-type", "application/x-www-form-urlencoded")
        given = await self._client.post(request.url.path, content=body, headers={"content-type": kind})
        answer = given.json()
        if not answer.get("ok"):
            return _answer(answer.get("error_code", given.status_code), answer)
        return _answer(200, answer | {"result": _mended(method, answer["result"])})


def _mended(method: str, result: Any) -> Any:
    if method == "getMe":
        return result | {"is_bot": True}
    if method == "sendMessage":
        return {name: result[name] for name in ECHOED if name in result} | {"date": result["date"] // 1000}
    if method == "editMessageText":
        return True
    return True if method in NULL_MEANS_DONE else result


def _answer(status: int, body: Any) -> Response:
    return Response(json.dumps(body), status_code=status, media_type="application/json")
