"""Downloading a file that came with a message, never more of it than allowed."""

import httpx
from telegram import Bot
from telegram.error import BadRequest, TelegramError

from bot.channels.telegram.failures import AGAIN, delivery_error
from core.errors import DeliveryError, Rejected, TryLater


async def fetch_file(bot: Bot, client: httpx.AsyncClient, file_id: str, *, most: int, token: str) -> bytes:
    """The bytes of the file. Raises Rejected (too large, gone) or TryLater; the address, which holds the token, stays in here."""
    try:
        file = await bot.get_file(file_id)
    except BadRequest as error:
        raise Rejected(str(error)) from None
    except TelegramError as error:
        raise _only_later(delivery_error(error, is_repeatable=True, token=token)) from None
    if file.file_size is not None and file.file_size > most:
        raise Rejected(f"the file has {file.file_size} bytes, more than {most}")
    if not file.file_path:
        raise Rejected("the platform gives no way to the file")
    try:
        return await _download(client, file.file_path, most)
    except httpx.HTTPError as error:
        raise TryLater(AGAIN, f"download broke: {type(error).__name__}") from None


async def _download(client: httpx.AsyncClient, address: str, most: int) -> bytes:
    async with client.stream("GET", address) as answer:
        if answer.status_code in (400, 404, 410):
            raise Rejected("the file is gone")
        if answer.status_code != 200:
            raise TryLater(AGAIN, f"download refused ({answer.status_code})")
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > most:
                raise Rejected(f"the file has more than {most} bytes")
        return bytes(body)


def _only_later(failure: DeliveryError) -> DeliveryError:
    """A file has no address that could be dead: what is not a refusal of the file itself may be asked for again."""
    return failure if isinstance(failure, TryLater) else TryLater(AGAIN, failure.reason)
