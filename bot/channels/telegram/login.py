"""Telegram's login for websites (OpenID Connect): a code is redeemed for a signed token, and the keys are read by which it is signed.

What a token must hold is web/telegram_token.py.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

import httpx

from bot.channels.certificates import trusted
from core.errors import DeliveryError, Rejected, TryLater

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LARGEST = 64 * 1024
KEYS_LIVE = 3600.0  # seconds
NOT_SOONER = 60.0  # a token with an unknown key makes us look again, but not at every one
AGAIN = 5.0

Key = Mapping[str, object]


class LoginServer:
    """One client of Telegram's login. `url` is the issuer; the client's id is the bot's."""

    def __init__(self, url: str, client_id: str, secret: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._auth = httpx.BasicAuth(client_id, secret)
        self._client_id = client_id
        self._now = now
        self._keys: Sequence[Key] = ()
        self._read_at = -KEYS_LIVE
        self._turn = asyncio.Lock()

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> str:
        """The id token, unchecked. Raises Rejected for a code that is wrong or spent, TryLater where nobody answers."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        found = await self._ask("POST", "/token", form)
        token = found.get("id_token")
        if not isinstance(token, str):
            raise Rejected("the login server gave no token")
        return token

    async def keys(self, *, anew: bool = False) -> Sequence[Key]:
        """The published keys, kept for an hour. `anew` asks for others than those, where they are older than a minute."""
        async with self._turn:
            age = self._now() - self._read_at
            if age < (NOT_SOONER if anew else KEYS_LIVE):
                return self._keys
            found = (await self._ask("GET", "/.well-known/jwks.json")).get("keys")
            self._keys = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
            self._read_at = self._now()
            return self._keys

    async def _ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Mapping[str, object]:
        # Its lines hold whole addresses; here they hold no secret, but nobody needs them.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        auth = self._auth if form is not None else None
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, verify=trusted()) as client:
                answer = await client.request(method, f"{self._url}{path}", data=form, auth=auth)
        except httpx.HTTPError as error:
            raise TryLater(AGAIN, f"the login server is out of reach: {type(error).__name__}") from None
        return _read(answer)


def _read(answer: httpx.Response) -> Mapping[str, object]:
    if answer.status_code == 401:
        raise TryLater(AGAIN, "Telegram 登录的 client secret 不对（401）")
    if answer.status_code >= 500 or answer.status_code == 429:
        raise TryLater(AGAIN, f"the login server is out of reach: HTTP {answer.status_code}")
    if answer.status_code != 200 or len(answer.content) > LARGEST:
        raise Rejected(f"the login server refuses: HTTP {answer.status_code}")
    fault: DeliveryError = TryLater(AGAIN, "the login server's answer could not be read")
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        raise fault from None
    if not isinstance(found, dict):
        raise fault
    return found
