"""The program as a process that may be killed at any moment; started by tests/test_killed.py, one life for each line on stdin.

What takes long (the imports, the dictionary) is done once; each life is a fork of its own with nothing but the disk to remember.
"""

import asyncio
import gc
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import uvicorn  # noqa: F401 - loaded here once, and not by each life that has pages

import web.app  # noqa: F401
from bot.app import ALL_ROLES, WEB, App
from bot.channels.base import Channel
from bot.channels.telegram import Pace, TelegramChannel
from bot.channels.wecom.aibot import AibotChannel, Bot
from bot.channels.wecom.aibot_socket import Pace as SocketPace
from bot.channels.wecom.app import AppChannel, Corp
from bot.channels.wecom.kf import KfChannel
from core import ids
from core.config import Settings, WebSettings
from nlp.understand import warm_up
from tests.emulators import wecom
from tests.fast_clock import FastClock

SECRET = "hook-secret-of-the-test"
PACE = Pace(first_pause=0.02, longest_pause=0.2, answer_within=5.0, between_parts=0.05)


SOCKET_PACE = SocketPace(first_pause=0.02, longest_pause=0.2, answer_within=5.0, line_within=5.0)


Mode = Literal["polling", "webhook", "aibot", "wecom"]
MODES: dict[str, Mode] = {"polling": "polling", "webhook": "webhook", "aibot": "aibot", "wecom": "wecom"}


def channels_for(base_url: str, token: str, mode: Mode, port: int, clock: FastClock) -> list[Channel]:
    """On Telegram `token` is the bot's; for WeCom's AI bot `base_url` is its socket's, and `token` the bot's id and secret."""
    if mode == "wecom":
        return _on_wecom(base_url, lambda: clock.now().timestamp())
    if mode == "aibot":
        bot_id, _, secret = token.partition(" ")
        bot = Bot(bot_id, secret, "五微小助手", base_url)
        return [AibotChannel(bot, now=lambda: clock.now().timestamp(), pace=SOCKET_PACE)]
    telegram = TelegramChannel(
        token=token,
        base_url=base_url,
        mode=mode,
        webhook_secret=SECRET,
        public_url=f"http://127.0.0.1:{port}/hooks/telegram",
        poll_seconds=5,
        pace=PACE,
    )
    return [telegram]


def _on_wecom(base_url: str, now: Callable[[], float]) -> list[Channel]:
    """The app and 微信客服, as bot/channels/registry.py makes them."""
    corp = Corp(wecom.CORP, wecom.KF_SECRET, wecom.TOKEN, wecom.AES_KEY, base_url=base_url)
    kf = KfChannel(corp, open_kfids=(wecom.OPEN_KFID,), now=now, first_pause=0.05)
    own = replace(corp, secret=wecom.APP_SECRET)
    return [kf, AppChannel(own, agent_id=wecom.AGENT, now=now, others=kf.take_event)]


async def live(folder: Path, base_url: str, token: str, mode: Mode, port: int) -> None:
    """Works until killed."""
    clock = FastClock(int(os.environ["FACTOR"]), since=float(os.environ["SINCE"]))
    channels = channels_for(base_url, token, mode, port, clock)
    settings = Settings(data_folder=folder, web=WebSettings(port=port))
    roles = ALL_ROLES if mode in ("webhook", "wecom") else ALL_ROLES - {WEB}
    await App(settings, clock, channels=channels, roles=roles).start()
    await asyncio.Event().wait()


def main() -> None:
    folder, base_url, token, mode, port = sys.argv[1:]
    warm_up()
    gc.freeze()
    for _ in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)  # standard output is for us alone
            # A process started anew would have drawn a number of its own.
            ids.new_id._worker = secrets.randbits(ids.WORKER_BITS)
            asyncio.run(live(Path(folder), base_url, token, MODES[mode], int(port)))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    main()
