"""`wuwei check`: says in plain words what is set up wrongly."""

import asyncio
from pathlib import Path

import typer

from bot.channels.base import Finding
from bot.channels.registry import make_channels
from bot.checking import findings
from bot.commands.opening import settings_of
from core.clock import SystemClock
from core.config import Settings


def check(config: Path | None) -> None:
    found = asyncio.run(_check(settings_of(config)))
    for finding in found:
        typer.echo(line(finding))
    wrong = sum(not finding.is_well for finding in found)
    typer.echo(f"发现 {wrong} 个问题。" if wrong else "没有发现问题。")
    if wrong:
        raise SystemExit(1)


def line(finding: Finding) -> str:
    """正常 / 注意 / 问题, what it is about, and what to do."""
    word = "问题" if not finding.is_well else "注意" if finding.advice else "正常"
    return f"[{word}] {finding.about}{'。' + finding.advice if finding.advice else ''}"


async def _check(settings: Settings) -> list[Finding]:
    channels = make_channels(settings, ())
    try:
        return await findings(settings, channels, now=SystemClock().now())
    finally:
        for channel in channels:
            await channel.stop()
