"""python-telegram-bot with its own webhook server: takes every update, one handler that replies nothing and keeps nothing.

Arguments: the file that gets the count of messages handled, at the end; the webhook's secret.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from telegram import Update
from telegram.ext import Application, ApplicationBuilder, ContextTypes, MessageHandler, filters
from telegram.request import BaseRequest

TOKEN = "7000001:AAMeasuredMeasuredMeasuredMeasured1"  # noqa: S105  # of a bot that does not exist
ME = b'{"ok":true,"result":{"id":7000001,"is_bot":true,"first_name":"peer","username":"peer_bot"}}'
handled = 0


class Constants(BaseRequest):
    """The platform's answers are constants: nothing leaves the process."""

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(self, url: str, *_: Any, **__: Any) -> tuple[int, bytes]:
        return 200, ME if url.endswith("getMe") else b'{"ok":true,"result":true}'


async def take(_update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    global handled  # noqa: PLW0603 - one figure of a script
    handled += 1


async def started(_application: Application[Any, Any, Any, Any, Any, Any]) -> None:
    signal.signal(signal.SIGTERM, stop)


def stop(_number: int, _frame: FrameType | None) -> None:
    Path(sys.argv[1]).write_text(str(handled), encoding="utf-8")
    os._exit(0)


def main() -> None:
    builder = ApplicationBuilder().token(TOKEN).job_queue(None).post_init(started)
    application = builder.request(Constants()).get_updates_request(Constants()).build()
    application.add_handler(MessageHandler(filters.ALL, take))
    application.run_webhook(
        "127.0.0.1",
        0,
        "telegram",
        webhook_url="https://peer.invalid/telegram",
        secret_token=sys.argv[2],
        stop_signals=None,
    )


if __name__ == "__main__":
    main()
