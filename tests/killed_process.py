"""The program as a process that may be killed at any moment; started by tests/test_killed.py, one life for each line on stdin.

What takes long (the imports, the dictionary) is done once; each life is a fork of its own with nothing but the disk to remember.
"""

import asyncio
import gc
import os
import secrets
import sys
from pathlib import Path
from typing import Literal

import uvicorn  # noqa: F401 - loaded here once, and not by each life that has pages

import web.app  # noqa: F401
from bot.app import ALL_ROLES, WEB, App
from bot.channels.telegram import Pace, TelegramChannel
from core import ids
from core.config import Settings, WebSettings
from nlp.understand import warm_up
from tests.fast_clock import FastClock

SECRET = "hook-secret-of-the-test"
PACE = Pace(first_pause=0.02, longest_pause=0.2, answer_within=5.0, between_parts=0.05)


async def live(folder: Path, base_url: str, token: str, mode: Literal["polling", "webhook"], port: int) -> None:
    """Works until killed."""
    channel = TelegramChannel(
        token=token,
        base_url=base_url,
        mode=mode,
        webhook_secret=SECRET,
        public_url=f"http://127.0.0.1:{port}/hooks/telegram",
        poll_seconds=5,
        pace=PACE,
    )
    settings = Settings(data_folder=folder, web=WebSettings(port=port))
    clock = FastClock(int(os.environ["FACTOR"]), since=float(os.environ["SINCE"]))
    roles = ALL_ROLES if mode == "webhook" else ALL_ROLES - {WEB}
    await App(settings, clock, channels=[channel], roles=roles).start()
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
            way: Literal["polling", "webhook"] = "webhook" if mode == "webhook" else "polling"
            asyncio.run(live(Path(folder), base_url, token, way, int(port)))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    main()
