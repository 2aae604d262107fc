"""The loop that hands posts over, as a process that may be killed at any moment; begun by tests/nursery_process.py."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.channels.wecom.app import Corp
from bot.channels.wecom.customer_groups import CustomerGroupChannel
from bot.handing import Hander
from core.keys import load_or_make
from storage.database import Database
from tests.emulators.wecom import AES_KEY, APP_SECRET, CORP, TOKEN
from tests.fast_clock import FastClock


def live(words: Sequence[str]) -> None:
    """Works until killed: on the data of a folder, with WeCom at an address."""
    folder, base_url = words
    asyncio.run(work(Path(folder), base_url))


async def work(folder: Path, base_url: str) -> None:
    clock = FastClock.of_environment()
    database = Database(f"sqlite:///{folder / 'wuwei.sqlite3'}", load_or_make(folder / "wuwei.key"))
    corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=base_url, token_folder=folder / "tokens")
    channel = CustomerGroupChannel(corp, now=lambda: clock.now().timestamp())
    hander = Hander(database, {(channel.name, channel.account): channel}, clock, media_folder=folder)
    while True:  # its own sleep is by the machine's clock, which is too slow here
        await hander.work_due()
        await asyncio.sleep(0.01)
