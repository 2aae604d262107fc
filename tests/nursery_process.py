"""The whole program, loaded once: each start of it that a test asks for is a fork, with nothing but the disk to remember.

Started by tests/nursery.py, which tells over a socket what is to be started, in which folder and environment. For each of those
there is a keeper, which begins one life for each line it hears, tells the life's process id, and how it ended.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

import bot.cli
from bot.app import App
from bot.channels.simulator import SimulatorChannel
from bot.simulator.platform import SimulatedPlatform
from core import ids
from core.clock import ShiftedClock
from core.config import Settings, WebSettings
from core.simulation import PRIVATE_PREFIX
from storage import database as databases
from tests import handing_process, killed_process
from tests.engines import maker
from tests.fast_clock import FastClock

LONGEST_REQUEST = 200_000
# What the program, or a library of it, loads only where it is asked for.
MORE = (
    "anyio._backends._asyncio",
    "bot.commands.running",
    "sqlalchemy.dialects.postgresql.psycopg",
    "psycopg",
    "uvloop",
    "uvicorn",
    "web.app",
)


class Request(TypedDict):
    """What is to live: a name of LIVES and its words, in this folder and environment."""

    words: list[str]
    folder: str
    environment: dict[str, str]


def command_line(words: Sequence[str]) -> None:
    """What `wuwei` does with these words."""
    sys.argv = ["wuwei", *words]
    bot.cli.main()


LIVES: dict[str, Callable[[Sequence[str]], None]] = {
    "wuwei": command_line,
    "killed": killed_process.live,
    "handing": handing_process.live,
}


async def rehearse(folder: Path) -> None:
    """A matter goes through data of its own, so that no life need compile or read what this one has."""
    clock = ShiftedClock()
    platform = SimulatedPlatform(folder / "simulator.sqlite3", clock)
    app = App(Settings(data_folder=folder, web=WebSettings(port=0)), clock, channels=[SimulatorChannel(platform)])
    await app.start()
    resident = platform.add_person("王阿姨").id
    for words in ("大家早上好", "3号楼门口井盖坏了"):
        platform.say(PRIVATE_PREFIX + resident, resident, text=words)
    while platform.bot.count_pending():
        await asyncio.sleep(0.01)
    await app.settle()
    await app.stop()
    platform.close()


def load(template: Path) -> None:
    """Afterwards no life need load or compile anything."""
    for name in MORE:
        with contextlib.suppress(ImportError):  # not every machine has them all
            importlib.import_module(name)
    for mode in killed_process.MODES.values():  # never used: they load what their platform needs
        killed_process.channels_for("http://127.0.0.1:9", "1:a", mode, 9, FastClock(1, since=0))
    databases.create_engine = maker()  # type: ignore[attr-defined]  # as tests/fixtures.py does
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(template, Path(folder) / "wuwei.sqlite3")
        asyncio.run(rehearse(Path(folder)))
    gc.freeze()


def keep(request: Request, control: int, out: int, err: int) -> None:
    """One life for each line heard, until nobody is there to tell one."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line = os.fdopen(control, "r+b", buffering=0)
    line.write(b"%d\n" % os.getpid())
    while line.readline():
        child = os.fork()
        if child == 0:
            line.close()
            os.dup2(out, 1)
            os.dup2(err, 2)
            begin(request)
            return
        line.write(b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        line.write(b"%d\n" % os.waitstatus_to_exitcode(status))


def begin(request: Request) -> None:
    """As a process started anew would: it has drawn numbers of its own, and finds only what it was given."""
    random.seed()
    ids.new_id._worker = secrets.randbits(ids.WORKER_BITS)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    name, *words = request["words"]
    LIVES[name](words)


def main() -> None:
    line, template = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    load(template)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a keeper ended
    while True:
        request, files, _, _ = socket.recv_fds(line, LONGEST_REQUEST, 3)
        if not request:
            return
        if os.fork() == 0:
            line.close()
            keep(json.loads(request), *files)
            return
        for each in files:
            os.close(each)


if __name__ == "__main__":
    main()
