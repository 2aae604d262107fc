"""The AI bot's files: what people sent is fetched within five minutes and decrypted, what is ours is sent up in pieces."""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx
from wechatpy.crypto.base import WeChatCipher

from bot.channels.certificates import trusted
from bot.channels.wecom.client import Json
from bot.channels.wecom.crypto import BLOCK
from core.errors import Rejected, TryLater

AGAIN = 2.0  # seconds; the link dies soon
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
PIECE = 512 * 1024
MOST_PIECES = 100
NAME_BYTES = 256
KEY_BYTES = 32
HERE = ("127.0.0.1", "localhost", "::1")

Ask = Callable[[str, Json], Awaitable[Json]]


def key_of(letters: str) -> bytes | None:
    """The key beside a link, or the bot's own: base64 of 32 bytes, with its padding or without."""
    try:
        key = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def decrypted(body: bytes, key: bytes) -> bytes | None:
    """The file in it; None where it was not encrypted with this key."""
    if not body or len(body) % BLOCK:
        return None
    plain: bytes = WeChatCipher(key).decrypt(body)
    count = plain[-1]
    if not 1 <= count <= BLOCK or plain[-count:] != bytes([count]) * count:
        return None
    return plain[:-count]


class Downloads:
    """Takes files from where the platform put them: over https alone, unless the platform itself is on this machine."""

    def __init__(self, *, is_local: bool, own_key: str = "") -> None:
        self._is_local = is_local
        self._own_key = own_key
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def fetch(self, where: str, *, most: int) -> bytes:
        """`where` is the link, and the key behind a blank. Raises Rejected for what is gone, too large or not to be opened."""
        url, _, letters = where.partition(" ")
        key = key_of(letters or self._own_key)
        if key is None:
            raise Rejected("the file has no key")
        self._check(url)
        plain = decrypted(await self._download(url, most), key)
        if plain is None:
            raise Rejected("the file cannot be decrypted")
        if len(plain) > most:
            raise Rejected(f"the file has more than {most} bytes")
        return plain

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise Rejected("the link of a file cannot be read") from None
        if parts.scheme != "https" and not (self._is_local and parts.scheme == "http" and host in HERE):
            raise Rejected("the link of a file is not https")

    async def _download(self, url: str, most: int) -> bytes:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, verify=trusted())
        try:
            async with self._client.stream("GET", url) as answer:
                if answer.status_code != 200:
                    _raise(answer.status_code)
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > most + BLOCK:
                        raise Rejected(f"the file has more than {most} bytes")
                return bytes(body)
        except httpx.InvalidURL:
            raise Rejected("the link of a file cannot be read") from None
        except httpx.HTTPError as error:
            raise TryLater(AGAIN, f"the file is out of reach: {type(error).__name__}") from None


def _raise(status: int) -> None:
    if status == 429 or status >= 500:
        raise TryLater(AGAIN, f"the file is out of reach: HTTP {status}")
    raise Rejected(f"the file is gone: HTTP {status}")


async def send_up(ask: Ask, kind: str, body: bytes, name: str) -> str:
    """The media id, good for three days."""
    pieces = [body[start : start + PIECE] for start in range(0, len(body), PIECE)]
    if len(pieces) > MOST_PIECES:
        raise Rejected(f"a file of {len(body)} bytes is not taken")
    begun = await ask(
        "aibot_upload_media_init",
        {
            "type": kind,
            "filename": name.encode()[-NAME_BYTES:].decode("utf-8", "ignore"),
            "total_size": len(body),
            "total_chunks": len(pieces),
            "md5": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        },
    )
    upload_id = str(begun.get("upload_id", ""))
    for place, piece in enumerate(pieces):
        chunk = {"upload_id": upload_id, "chunk_index": place, "base64_data": base64.b64encode(piece).decode()}
        await ask("aibot_upload_media_chunk", chunk)
    found = await ask("aibot_upload_media_finish", {"upload_id": upload_id})
    return str(found.get("media_id", ""))
