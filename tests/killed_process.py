"""The program as a process that may be killed at any moment; started by tests/test_killed.py, one life for each line on stdin.

What takes long (the imports, the dictionary, statements that are compiled) is done once; each life is a fork of its own with
nothing but the disk to remember.
"""

import asyncio
import contextlib
import gc
import importlib
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.app import ALL_ROLES, WEB, App
from bot.channels.base import Channel
from bot.channels.simulator import SimulatorChannel
from bot.simulator.platform import SimulatedPlatform
from core import ids
from core.clock import ShiftedClock
from core.config import Settings, WebSettings
from core.simulation import PRIVATE_PREFIX
from storage import database as databases
from tests.engines import maker
from tests.fast_clock import FastClock

if TYPE_CHECKING:
    from bot.channels.telegram import TelegramChannel

SECRET = "hook-secret-of-the-test"

Mode = Literal["polling", "webhook", "aibot", "wecom"]
MODES: dict[str, Mode] = {"polling": "polling", "webhook": "webhook", "aibot": "aibot", "wecom": "wecom"}
WITH_PAGES = ("webhook", "wecom")


def channels_for(base_url: str, token: str, mode: Mode, port: int, clock: FastClock) -> Sequence[Channel]:
    """On Telegram `token` is the bot's; for WeCom's AI bot `base_url` is its socket's, and `token` the bot's id and secret."""

    def now() -> float:
        return clock.now().timestamp()

    match mode:
        case "wecom":
            return _on_wecom(base_url, now)
        case "aibot":
            return [_aibot(base_url, token, now)]
        case _:
            return [_telegram(base_url, token, mode, port)]


def _telegram(base_url: str, token: str, mode: Literal["polling", "webhook"], port: int) -> "TelegramChannel":
    from bot.channels.telegram import Pace, TelegramChannel

    return TelegramChannel(
        token=token,
        base_url=base_url,
        mode=mode,
        webhook_secret=SECRET,
        public_url=f"http://127.0.0.1:{port}/hooks/telegram",
        poll_seconds=5,
        pace=Pace(first_pause=0.02, longest_pause=0.2, answer_within=5.0, between_parts=0.05),
    )


def _aibot(base_url: str, token: str, now: Callable[[], float]) -> Channel:
    from bot.channels.wecom.aibot import AibotChannel, Bot
    from bot.channels.wecom.aibot_socket import Pace

    bot_id, _, secret = token.partition(" ")
    pace = Pace(first_pause=0.02, longest_pause=0.2, answer_within=5.0, line_within=5.0)
    return AibotChannel(Bot(bot_id, secret, "五微小助手", base_url), now=now, pace=pace)


def _on_wecom(base_url: str, now: Callable[[], float]) -> Sequence[Channel]:
    """The app and 微信客服, as bot/channels/registry.py makes them."""
    from bot.channels.wecom.app import AppChannel, Corp
    from bot.channels.wecom.kf import KfChannel
    from tests.emulators import wecom

    corp = Corp(wecom.CORP, wecom.KF_SECRET, wecom.TOKEN, wecom.AES_KEY, base_url=base_url)
    kf = KfChannel(corp, open_kfids=(wecom.OPEN_KFID,), now=now, first_pause=0.05)
    own = replace(corp, secret=wecom.APP_SECRET)
    return [kf, AppChannel(own, agent_id=wecom.AGENT, now=now, others=kf.take_event)]


async def live(folder: Path, base_url: str, token: str, mode: Mode, port: int) -> None:
    """Works until killed."""
    clock = FastClock(int(os.environ["FACTOR"]), since=float(os.environ["SINCE"]))
    channels = channels_for(base_url, token, mode, port, clock)
    settings = Settings(data_folder=folder, web=WebSettings(port=port))
    roles = ALL_ROLES if mode in WITH_PAGES else ALL_ROLES - {WEB}
    await App(settings, clock, channels=channels, roles=roles).start()
    await asyncio.Event().wait()


async def rehearse(folder: Path) -> None:
    """A matter goes through a copy of the data, so that no life need compile what this one has."""
    copy = folder.with_name("rehearsal")
    shutil.copytree(folder, copy)
    clock = ShiftedClock()
    platform = SimulatedPlatform(copy / "simulator.sqlite3", clock)
    app = App(Settings(data_folder=copy), clock, channels=[SimulatorChannel(platform)], roles=ALL_ROLES - {WEB})
    await app.start()
    resident = platform.add_person("王阿姨").id
    for words in ("大家早上好", "3号楼门口井盖坏了"):
        platform.say(PRIVATE_PREFIX + resident, resident, text=words)
    while platform.bot.count_pending():
        await asyncio.sleep(0.01)
    await app.settle()
    await app.stop()
    platform.close()


def main() -> None:
    folder, base_url, token, mode, port = sys.argv[1:]
    # The first made is not used: it loads what this platform needs.
    channels_for(base_url, token, MODES[mode], int(port), FastClock(1, since=0))
    if mode in WITH_PAGES:
        for name in ("uvicorn", "web.app"):
            importlib.import_module(name)
    databases.create_engine = maker()  # type: ignore[attr-defined]  # as tests/conftest.py does
    with contextlib.redirect_stdout(sys.stderr):  # standard output is for us alone
        asyncio.run(rehearse(Path(folder)))
    gc.freeze()
    for _ in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)
            # A process started anew would have drawn a number of its own.
            ids.new_id._worker = secrets.randbits(ids.WORKER_BITS)
            asyncio.run(live(Path(folder), base_url, token, MODES[mode], int(port)))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    main()
