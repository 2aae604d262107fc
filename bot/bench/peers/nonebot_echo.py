"""nonebot2 with its Telegram adapter: takes every update, matches one handler that replies nothing and keeps nothing.

Arguments: the file that gets the count of messages handled, at the end; the webhook's secret.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import nonebot  # type: ignore[import-not-found,unused-ignore]
import uvicorn
from nonebot.adapters.telegram import Adapter, Bot  # type: ignore[import-not-found,unused-ignore]

TOKEN = "7000001:AAMeasuredMeasuredMeasuredMeasured1"  # noqa: S105  # of a bot that does not exist
ME = {"id": 7000001, "is_bot": True, "first_name": "peer", "username": "peer_bot"}
handled = 0


class Silent(Adapter):  # type: ignore[misc,unused-ignore]
    """The platform's answers are constants: nothing leaves the process."""

    async def _call_api(self, bot: Any, api: str, **data: Any) -> Any:  # noqa: ARG002 - the library's signature
        return ME if api in ("getMe", "get_me") else True


def main() -> None:
    count_file, secret = Path(sys.argv[1]), sys.argv[2]
    nonebot.init(
        driver="~fastapi",
        log_level="ERROR",
        telegram_bots=[{"token": TOKEN, "is_webhook": True}],
        telegram_webhook_url="https://peer.invalid",
    )
    driver = nonebot.get_driver()
    driver.register_adapter(Silent)
    matcher = nonebot.on_message()

    @matcher.handle()
    async def _() -> None:
        global handled  # noqa: PLW0603 - one figure of a script
        handled += 1

    @driver.on_bot_connect
    async def _(bot: Bot) -> None:
        bot.secret_token = secret

    def stop(_number: int, _frame: FrameType | None) -> None:
        count_file.write_text(str(handled), encoding="utf-8")
        os._exit(0)

    @driver.on_startup
    async def _() -> None:
        signal.signal(signal.SIGTERM, stop)

    # The server that nonebot.run would start, on a free port: its own settings refuse port 0.
    uvicorn.run(nonebot.get_asgi(), host="127.0.0.1", port=0, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
