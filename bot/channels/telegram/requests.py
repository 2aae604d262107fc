"""How the library reaches the network: one request class that tells failures apart, one that keeps updates unparsed."""

import logging

import msgspec
from telegram.error import NetworkError, TelegramError
from telegram.request import HTTPXRequest, RequestData

# The library and its HTTP client log whole bodies and addresses with the token in them.
TALKATIVE = ("telegram", "httpx", "httpcore")


class FloodControl(TelegramError):
    """429: again after `seconds`. Raised here because the library's own class warns about itself whenever it is made."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too Many Requests: retry after {seconds:g}")
        self.seconds = seconds


class ServerTrouble(NetworkError):
    """The platform or a proxy before it answered with 5xx."""

    def __init__(self, status: int) -> None:
        super().__init__(f"server trouble ({status})")
        self.status = status


class _Parameters(msgspec.Struct):
    retry_after: float = 1.0


class _Refusal(msgspec.Struct):
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


class TellingRequest(HTTPXRequest):
    """Raises FloodControl and ServerTrouble with their figures, which the library would fold into sentences."""

    async def do_request(self, url: str, method: str, request_data: RequestData | None = None, *args: object, **kwargs: object) -> tuple[int, bytes]:  # fmt: skip
        status, payload = await super().do_request(url, method, request_data, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        if status == 429:
            raise FloodControl(_retry_after(payload))
        if status >= 500:
            raise ServerTrouble(status)
        return status, payload


class RawRequest(TellingRequest):
    """Keeps the body of a good answer in `body` and hands the library an empty list, so that it parses no update."""

    body = b""

    async def do_request(self, url: str, method: str, request_data: RequestData | None = None, *args: object, **kwargs: object) -> tuple[int, bytes]:  # fmt: skip
        status, payload = await super().do_request(url, method, request_data, *args, **kwargs)
        if status != 200:
            return status, payload
        self.body = payload
        return status, b'{"ok":true,"result":[]}'


def _retry_after(payload: bytes) -> float:
    try:
        return msgspec.json.decode(payload, type=_Refusal).parameters.retry_after
    except (msgspec.MsgspecError, UnicodeError):
        return 1.0


def silence_libraries() -> None:
    """No body and no token ever reaches a log; what matters is logged by the channel, with ids only."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
