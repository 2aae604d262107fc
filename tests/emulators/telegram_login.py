"""Telegram's login for websites on a real socket: a page where somebody agrees, codes of one use, tokens signed with published keys.

Strict: what is asked must be whole and right, and a code is given out only with its verifier, to its client, at its address.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.emulators.local_server import LocalServer

CODE_LIVES = 300
ASKED = {
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
}
FORM = {"grant_type", "code", "redirect_uri", "client_id", "code_verifier"}


@cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    """Made once for each name: a key takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encoded(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def published(name: str) -> dict[str, str]:
    """A key as it stands among the published ones."""
    numbers = key_of(name).public_key().public_numbers()
    n, e = (encoded(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": n, "e": e}


def signed(claims: Mapping[str, object], name: str, **head: object) -> str:
    """A token by this key; `head` changes its header."""
    header = {"alg": "RS256", "typ": "JWT", "kid": name, **head}
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{text}.{encoded(key_of(name).sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


@dataclass
class Code:
    user: int
    asked: dict[str, str]
    at: float
    is_used: bool = False


@dataclass
class TelegramLogin:
    """One client. `redirect_uris` are those that BotFather was told; `claims` are put over those of the next tokens."""

    client_id: str
    secret: str
    redirect_uris: tuple[str, ...]
    now: Callable[[], float] = time.time
    key: str = "first"
    claims: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    asked_for: list[str] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._server = LocalServer()
        self._codes: dict[str, Code] = {}

    async def __aenter__(self) -> Self:
        routes = [
            Route("/token", self._token, methods=["POST"]),
            Route("/.well-known/jwks.json", self._keys, methods=["GET"]),
        ]
        self.url = await self._server.open(Starlette(routes=routes))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    def agree(self, address: str, user: int) -> str:
        """Somebody at this address of ours says yes: where their browser is sent."""
        parts = urlsplit(address)
        pairs = parse_qsl(parts.query, strict_parsing=True)
        asked = dict(pairs)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.url}/auth"
        assert (set(asked), len(pairs)) == (ASKED, len(ASKED))
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert (asked["client_id"], "openid" in asked["scope"].split()) == (self.client_id, True)
        assert asked["redirect_uri"] in self.redirect_uris
        assert len(asked["code_challenge"]) == 43
        assert len(asked["nonce"]) >= 16
        code = f"code-{len(self._codes) + 1}"
        self._codes[code] = Code(user, asked, self.now())
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    async def _keys(self, _request: Request) -> Response:
        self.asked_for.append("keys")
        return JSONResponse({"keys": [published(self.key)]}, self.status)

    async def _token(self, request: Request) -> Response:
        self.asked_for.append("token")
        if self.status != 200:
            return Response(status_code=self.status)
        basic = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 401)
        form = {name: str(value) for name, value in (await request.form()).items()}
        code = self._codes.get(form.get("code", ""))
        if set(form) != FORM or code is None or not self._is_right(form, code):
            return JSONResponse({"error": "invalid_grant"}, 400)
        code.is_used = True
        claims = {
            "iss": self.url,
            "aud": self.client_id,
            "sub": f"sub-{code.user}",
            "id": code.user,
            "name": "测试",
            "iat": int(self.now()),
            "exp": int(self.now()) + 3600,
            "nonce": code.asked["nonce"],
        }
        token = signed({**claims, **self.claims}, self.key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token})

    def _is_right(self, form: dict[str, str], code: Code) -> bool:
        challenge = encoded(hashlib.sha256(form["code_verifier"].encode()).digest())
        return (
            form["grant_type"] == "authorization_code"
            and form["client_id"] == self.client_id
            and form["redirect_uri"] == code.asked["redirect_uri"]
            and challenge == code.asked["code_challenge"]
            and not code.is_used
            and self.now() - code.at <= CODE_LIVES
        )
