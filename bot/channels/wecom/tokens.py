"""Access tokens, one for each (corp, secret): kept in a file that all processes of a machine share, fetched by one at a time.

Asking again while a token is valid gives the same one, so two machines need not share. What must never happen is a loop: more than
2,000 refused requests an hour lock the corp out, so after a refusal nobody asks for a while.
"""

import contextlib
import fcntl
import hashlib
import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from wechatpy.exceptions import WeChatClientException

EARLY = 300.0  # seconds before its end at which a token is replaced
JITTER = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 900.0


@dataclass(frozen=True, slots=True)
class Token:
    """`until` is when it should be replaced, in seconds."""

    value: str
    until: float


_token = msgspec.json.Decoder(Token)


class TokenKeeper:
    """The token of one secret. Blocking: for worker threads. `fetch` asks the platform and returns the token and its seconds."""

    def __init__(
        self, folder: Path | None, name: str, *, fetch: Callable[[], tuple[str, float]], now: Callable[[], float]
    ) -> None:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        self._path = None if folder is None else folder / f"wecom-{digest}.token"
        self._fetch = fetch
        self._now = now
        self._turn = threading.Lock()
        self._known: Token | None = None
        self._refusal: WeChatClientException | None = None
        self._refused_until = 0.0
        self._pause = FIRST_PAUSE

    def get(self) -> str:
        """A token that should be valid. Raises what `fetch` raised, without asking again, while it is too early to."""
        with self._turn:
            if self._known is None or self._known.until <= self._now():
                self._known = self._renew(stale=None)
            return self._known.value

    def replace(self, stale: str) -> str:
        """Another token than the one that was refused; somebody else may have fetched it already."""
        with self._turn:
            if self._known is None or self._known.value == stale:
                self._known = None
                self._known = self._renew(stale=stale)
            return self._known.value

    def _renew(self, *, stale: str | None) -> Token:
        with self._alone():
            kept = self._read()
            if kept is not None and kept.until > self._now() and kept.value != stale:
                return kept
            if self._refusal is not None and self._now() < self._refused_until:
                raise self._refusal
            try:
                value, seconds = self._fetch()
            except WeChatClientException as error:
                if error.errcode is not None:
                    self._refusal, self._refused_until = error, self._now() + self._pause
                    self._pause = min(LONGEST_PAUSE, self._pause * 2)
                raise
            self._refusal, self._pause = None, FIRST_PAUSE
            early = min(EARLY + random.uniform(0, JITTER), seconds / 2)
            token = Token(value, self._now() + seconds - early)
            self._write(token)
            return token

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time; the others find the token in the file."""
        if self._path is None:
            yield
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> Token | None:
        if self._path is None:
            return None
        try:
            return _token.decode(self._path.read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None

    def _write(self, token: Token) -> None:
        """For the owner's eyes alone, and never half written."""
        if self._path is None:
            return
        made = self._path.with_suffix(".new")
        made.unlink(missing_ok=True)
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(token))
        made.replace(self._path)
