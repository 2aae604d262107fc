"""`wuwei replay`: works again on a message that failed."""

import asyncio
from pathlib import Path

import typer

from bot.channels.registry import make_channels
from bot.commands.opening import database_of, settings_of
from bot.receiver import Receiver
from bot.replay import Replayed
from bot.replay import replay as work_again
from core.clock import SystemClock
from core.config import Settings
from domain.inbox import Outcome
from handlers.context import Site

WHAT_BECAME = {
    Outcome.SILENT: "没有什么要办的",
    Outcome.ANSWERED: "已经答复",
    Outcome.ASKED: "已经追问",
    Outcome.OPENED: "已经立案",
    Outcome.JOINED: "已经并入",
    Outcome.SUPPOSED: "已经并入",
    Outcome.REFUSED: "已经说明为什么不能办",
}


def replay(config: Path | None, received_id: int) -> None:
    replayed = asyncio.run(_replay(settings_of(config), received_id))
    number = f"（{replayed.case_number}）" if replayed.case_number else ""
    typer.echo(f"已重新处理：{WHAT_BECAME.get(Outcome(replayed.outcome), replayed.outcome)}{number}。")


async def _replay(settings: Settings, received_id: int) -> Replayed:
    channels = make_channels(settings, ())
    try:
        with database_of(settings) as database:
            site = Site(settings.web.public_url)
            receiver = Receiver(database, SystemClock(), site=lambda: site)
            return await work_again(database, receiver, channels, received_id)
    finally:
        for channel in channels:
            await channel.stop()
