"""The demo with a visitor at the terminal: a line typed becomes a case, and the end of the input ends the demo."""

import asyncio
from pathlib import Path

from bot import demo
from bot.channels.console import Terminal
from core.config import Settings, WebSettings
from tests.patience import PATIENCE


async def test_visitor_reports_at_the_terminal_and_leaves(tmp_path: Path) -> None:
    said: list[str] = []
    settings = Settings(data_folder=tmp_path, web=WebSettings(port=0))
    answered = asyncio.Event()

    def write(line: str) -> None:
        said.append(line)
        if "BX-" in line:
            loop.call_soon_threadsafe(answered.set)

    def lines() -> list[str]:
        return ["今天天气不错", "3号楼门口井盖坏了"]

    async def until() -> None:
        await answered.wait()

    loop = asyncio.get_running_loop()
    told: list[str] = []
    terminal = Waiting(lines(), answered, loop)
    async with asyncio.timeout(PATIENCE):
        await demo.run(
            settings,
            announce=lambda simulator, console: told.extend([simulator, console]),
            until=until,
            terminal=Terminal(terminal, write),
        )
    receipts = [line for line in said if "已登记" in line]
    assert len(receipts) == 1
    assert "井盖 · 3号楼" in receipts[0]
    assert told[0].endswith("/simulator")
    assert "/sign-in/" in told[1]


class Waiting:
    """Lines of a terminal whose visitor stays until they have been answered."""

    def __init__(self, lines: list[str], answered: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        self._lines, self._answered, self._loop = iter(lines), answered, loop

    def __iter__(self) -> "Waiting":
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is not None:
            return line
        asyncio.run_coroutine_threadsafe(self._answered.wait(), self._loop).result(60)
        raise StopIteration
