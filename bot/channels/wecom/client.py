"""wechatpy's enterprise client, mended in this one place: it refreshes a token once instead of without end, takes its base
address from the configuration, shares its token, follows no redirects, and never reads more of a file than allowed. Blocking.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from requests import Response
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

from bot.channels.wecom.tokens import TokenKeeper

# Said of a token by the platform when it is no longer good.
STALE = frozenset({40001, 40014, 42001})
TIMEOUT = (5.0, 20.0)  # seconds to connect, to answer
CHUNK = 64 * 1024

Json = dict[str, Any]


class TooLarge(Exception):
    """A file has more bytes than asked for."""


class NoToken(Exception):
    """There is no token, for the reason in `args`: so nothing was asked for."""


class MendedClient(WeChatClient):  # type: ignore[misc]  # the library has no types
    """One secret of one corp. `token_folder` None keeps the token in memory only."""

    def __init__(
        self,
        corp_id: str,
        secret: str,
        *,
        base_url: str,
        token_folder: Path | None,
        now: Callable[[], float],
        threads: int,
    ) -> None:
        super().__init__(corp_id, secret, timeout=TIMEOUT, auto_retry=False)
        self.API_BASE_URL = f"{base_url}/cgi-bin/"
        self._http.max_redirects = 0
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=threads))
        name = f"{base_url} {corp_id} {secret}"
        self._tokens = TokenKeeper(token_folder, name, fetch=self._ask_for_token, now=now)

    @property
    def access_token(self) -> str:
        return self._token(self._tokens.get)

    def _token(self, find: Callable[[], str]) -> str:
        try:
            return find()
        except (WeChatClientException, RequestException) as error:
            raise NoToken(error) from None

    def fetch_access_token(self) -> None:
        """wechatpy's own way to a token, which nothing here goes."""
        raise NotImplementedError

    def _ask_for_token(self) -> tuple[str, float]:
        params = {"corpid": self.corp_id, "corpsecret": self.secret}
        found = super()._request("get", "gettoken", params={**params, "access_token": None})
        try:
            return str(found["access_token"]), float(found["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise WeChatClientException(errcode=None, errmsg="no token in the answer", client=self) from None

    def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> Any:
        """Every call of the library goes through here. A stale token is replaced once; the second refusal is final."""
        params = kwargs.pop("params", None) or {}
        token = self.access_token
        try:
            return super()._request(method, url_or_endpoint, params={**params, "access_token": token}, **kwargs)
        except WeChatClientException as error:
            if error.errcode not in STALE:
                raise
        newer = self._token(lambda: self._tokens.replace(token))
        return super()._request(method, url_or_endpoint, params={**params, "access_token": newer}, **kwargs)

    def download(self, media_id: str, most: int) -> bytes:
        """The bytes of a medium. Raises TooLarge before more than `most` are read."""
        token = self.access_token
        try:
            return self._download(media_id, most, token)
        except WeChatClientException as error:
            if error.errcode not in STALE:
                raise
        return self._download(media_id, most, self._token(lambda: self._tokens.replace(token)))

    def _download(self, media_id: str, most: int, token: str) -> bytes:
        params = {"media_id": media_id, "access_token": token}
        with self._http.get(f"{self.API_BASE_URL}media/get", params=params, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code != 200:
                raise WeChatClientException(errcode=None, errmsg=None, client=self, response=answer)
            body = bytearray()
            for chunk in answer.iter_content(CHUNK):
                body += chunk
                if len(body) > most:
                    raise TooLarge
        if "content-disposition" not in answer.headers:
            self._raise_refusal(answer, bytes(body))
        return bytes(body)

    def _raise_refusal(self, answer: Response, body: bytes) -> None:
        """A refusal comes with 200 too, as JSON in place of the file."""
        try:
            found = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError):
            return
        if isinstance(found, dict) and found.get("errcode"):
            raise WeChatClientException(int(found["errcode"]), found.get("errmsg"), client=self, response=answer)
