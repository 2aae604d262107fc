"""The loop that hands posts over, as a process that may be killed at any moment; one life for each line on stdin, see tests/killed_process.py."""

import asyncio
import gc
import os
import secrets
import sys
from pathlib import Path

from bot.channels.wecom.app import Corp
from bot.channels.wecom.customer_groups import CustomerGroupChannel
from bot.handing import Hander
from core import ids
from core.keys import load_or_make
from storage.database import Database
from tests.emulators.wecom import AES_KEY, APP_SECRET, CORP, TOKEN
from tests.fast_clock import FastClock


async def live(folder: Path, base_url: str) -> None:
    """Works until killed."""
    clock = FastClock(int(os.environ["FACTOR"]), since=float(os.environ["SINCE"]))
    database = Database(f"sqlite:///{folder / 'wuwei.sqlite3'}", load_or_make(folder / "wuwei.key"))
    corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=base_url, token_folder=folder / "tokens")
    channel = CustomerGroupChannel(corp, now=lambda: clock.now().timestamp())
    hander = Hander(database, {(channel.name, channel.account): channel}, clock, media_folder=folder)
    while True:  # its own sleep is by the machine's clock, which is too slow here
        await hander.work_due()
        await asyncio.sleep(0.01)


def main() -> None:
    folder, base_url = sys.argv[1:]
    gc.freeze()
    for _ in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)  # standard output is for us alone
            ids.new_id._worker = secrets.randbits(ids.WORKER_BITS)
            asyncio.run(live(Path(folder), base_url))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    main()
