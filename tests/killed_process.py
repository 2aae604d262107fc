"""The program with a clock of its own, as a process that may be killed at any moment; begun by tests/nursery_process.py."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.app import ALL_ROLES, WEB, App
from bot.channels.base import Channel
from core.config import Settings, WebSettings
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


def live(words: Sequence[str]) -> None:
    """Works until killed: on the data of a folder, with a platform at an address; on which one, the fourth word says."""
    folder, base_url, token, mode, port = words
    asyncio.run(work(Path(folder), base_url, token, MODES[mode], int(port)))


async def work(folder: Path, base_url: str, token: str, mode: Mode, port: int) -> None:
    clock = FastClock.of_environment()
    channels = channels_for(base_url, token, mode, port, clock)
    settings = Settings(data_folder=folder, web=WebSettings(port=port))
    roles = ALL_ROLES if mode in WITH_PAGES else ALL_ROLES - {WEB}
    await App(settings, clock, channels=channels, roles=roles).start()
    await asyncio.Event().wait()
