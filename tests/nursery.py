"""Starts of the program for tests that stop or kill it: forks of one process that has loaded it, see tests/nursery_process.py.

A start of Python for each would take most of the time. What a real start does is looked at where tests say `python -m bot`.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent


@dataclass
class Program:
    """Lives of one program, one after the other. All of them write into the same two files."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    output: Path
    errors: Path
    pid: int = 0

    async def live(self) -> None:
        """Begins a life. It has begun when this returns, and has done nothing yet."""
        self.writer.write(b"live\n")
        self.pid = int(await self.reader.readline())

    async def ended(self) -> int:
        """Waits for the end of this life: its exit code, or the signal that killed it as a negative number."""
        async with asyncio.timeout(PATIENCE):
            return int(await self.reader.readline())

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    async def told(self, lines: int) -> list[str]:
        """The first lines of its standard output, as soon as there are as many."""
        async with asyncio.timeout(PATIENCE):
            while len(said := self.output.read_text(encoding="utf-8").splitlines()) < lines:
                await asyncio.sleep(0.02)
        return said[:lines]

    async def logged(self, event: str) -> dict[str, object]:
        """The line of its log that tells of this, as soon as there is one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for line in self.errors.read_text(encoding="utf-8").splitlines():
                    if f'"event": "{event}"' in line:
                        return dict(json.loads(line))
                await asyncio.sleep(0.02)


class Nursery:
    """The process in which programs are born."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = folder / "nursery.log"
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery_process", str(theirs.fileno()), str(template)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )

    @asynccontextmanager
    async def program(
        self, *words: str, folder: Path, environment: Mapping[str, str] | None = None
    ) -> AsyncIterator[Program]:
        """What the first of the words names, see LIVES there; in the end the life that may still be going on is killed."""
        output, errors = folder / "output.txt", folder / "errors.txt"
        asked = {"words": words, "folder": str(folder), "environment": dict(environment or os.environ)}
        ours, theirs = socket.socketpair()
        with theirs, output.open("ab") as out, errors.open("ab") as err:
            socket.send_fds(
                self._line, [json.dumps(asked).encode()], [theirs.fileno(), out.fileno(), err.fileno()]
            )  # fmt: skip
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        keeper = await reader.readline()
        assert keeper, self._log.read_text(encoding="utf-8")
        try:
            yield Program(reader, writer, output, errors)
        finally:
            os.killpg(int(keeper), signal.SIGKILL)
            writer.close()
            await writer.wait_closed()

    def close(self) -> None:
        self._line.close()
        self._process.wait(PATIENCE)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Nursery]:
    """All who ask for it run in one worker, see dealing.py."""
    made = Nursery(tmp_path_factory.mktemp("nursery"), sqlite_template)
    yield made
    made.close()
