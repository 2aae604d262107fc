"""The platform's calls for the event loop: each runs in a worker thread of this client's own, and fails with core/errors only."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from requests.exceptions import RequestException
from wechatpy.exceptions import WeChatClientException

from bot.channels.wecom.client import Json, MendedClient, NoToken, TooLarge
from bot.channels.wecom.failures import delivery_error
from core.errors import Rejected, TryLater, Unknown

THREADS = 16
Result = TypeVar("Result")


class Calls:
    """`await calls.post("message/send", {...})`. `is_repeatable` tells that a second time does no harm."""

    def __init__(
        self, corp_id: str, secret: str, *, base_url: str, token_folder: Path | None, now: Callable[[], float]
    ) -> None:
        # Their lines hold whole addresses, with the secret and the token in them.
        for library in ("urllib3", "wechatpy"):
            logging.getLogger(library).setLevel(logging.ERROR)
        self._client = MendedClient(
            corp_id, secret, base_url=base_url, token_folder=token_folder, now=now, threads=THREADS
        )
        self._threads: ThreadPoolExecutor | None = None

    def close(self) -> None:
        """What is under way ends by itself; the next call opens new threads."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    async def get(self, path: str, **params: str) -> Json:
        return _as_object(await self._run(lambda: self._client.get(path, params=params), is_repeatable=True), True)

    async def post(self, path: str, body: Json, *, is_repeatable: bool = False) -> Json:
        found = await self._run(lambda: self._client.post(path, data=body), is_repeatable=is_repeatable)
        return _as_object(found, is_repeatable)

    async def upload(self, kind: str, body: bytes, name: str) -> str:
        """The media id, good for three days."""
        found = await self._run(lambda: self._client.media.upload(kind, (name, body)), is_repeatable=True)
        return str(_as_object(found, True)["media_id"])

    async def download(self, media_id: str, *, most: int) -> bytes:
        """Raises Rejected for a file that is gone or too large."""
        try:
            return await self._run(lambda: self._client.download(media_id, most), is_repeatable=True)
        except TooLarge:
            raise Rejected(f"the file has more than {most} bytes") from None

    async def _run(self, work: Callable[[], Result], *, is_repeatable: bool) -> Result:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="wecom")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except NoToken as error:
            raise delivery_error(error.args[0], is_repeatable=True) from None
        except (WeChatClientException, RequestException, OSError) as error:
            raise delivery_error(error, is_repeatable=is_repeatable) from None


def _as_object(found: object, is_repeatable: bool) -> Json:
    """Where the answer is no JSON object, the library hands back the bare answer."""
    if isinstance(found, dict):
        return found
    raise TryLater(5.0, "the answer could not be read") if is_repeatable else Unknown("the answer could not be read")
