"""The processes that are measured: started on a free port of 127.0.0.1, watched from outside, ended by their own number."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped,import-not-found,unused-ignore]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LONGEST_START = 60.0
SETTLE_STEP, SETTLE_LONGEST = 0.2, 1.0
# Mute: Python's own messages would be mixed with ours; the files tell what went wrong.
QUIET = {"PYTHONWARNINGS": "ignore"}


class MeasuringError(Exception):
    """Something under measurement did not behave; the figures would be worth nothing."""


class Server:
    """A process that listens on one port. Left alone it ends with the `with` block."""

    def __init__(self, command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        self.started_at = time.perf_counter()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=output,
                stderr=output,
                env=os.environ | QUIET | dict(environment or {}),
            )
        self._watched = psutil.Process(self._process.pid)
        self.port = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def wait_ready(self, path: str, secret: str, body: bytes) -> float:
        """Until an update posted to it is taken; seconds since its start."""
        while time.perf_counter() - self.started_at < LONGEST_START:
            if self._process.poll() is not None:
                raise MeasuringError(f"{self._log.name}: {self._log.read_text(encoding='utf-8')[-2000:]}")
            if self.port == 0:
                self.port = self._listening_port()
            if self.port and _is_taken(f"http://127.0.0.1:{self.port}{path}", secret, body):
                return time.perf_counter() - self.started_at
            time.sleep(0.005)
        raise MeasuringError(f"{self._log.name}: not ready after {LONGEST_START:.0f} s")

    def _listening_port(self) -> int:
        listening = [one for one in self._watched.net_connections(kind="tcp") if one.status == psutil.CONN_LISTEN]
        return int(listening[0].laddr.port) if listening else 0

    def cpu_seconds(self) -> float:
        """Of the process and all its children, user and system."""
        total = 0.0
        for process in (self._watched, *self._watched.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def settled_cpu_seconds(self) -> float:
        """After what was taken has also been worked: until it stands still, at most a second longer."""
        deadline = time.perf_counter() + SETTLE_LONGEST
        last = self.cpu_seconds()
        while time.perf_counter() < deadline:
            time.sleep(SETTLE_STEP)
            now = self.cpu_seconds()
            if now - last < SETTLE_STEP / 10:
                return now
            last = now
        return last

    def mebibytes(self) -> float:
        """Resident memory of the process tree."""
        return (
            float(sum(one.memory_info().rss for one in (self._watched, *self._watched.children(recursive=True))))
            / 2**20
        )

    def kill(self) -> None:
        """SIGKILL: nothing can be tidied up."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=12)
            except subprocess.TimeoutExpired:
                self.kill()


def _is_taken(address: str, secret: str, body: bytes) -> bool:
    headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}
    request = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310 - loopback, our own server
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return int(answer.status) in (200, 204)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextlib.contextmanager
def platform() -> Iterator[str]:
    """The stand-in for Telegram; its address."""
    process = subprocess.Popen([sys.executable, str(HERE / "telegram_stub.py")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True, slots=True)
class Shape:
    """How a load is shaped. `pace` is each connection's mean pause in seconds; 0 is as fast as answers come."""

    path: str
    secret: str
    bodies: Path
    skip: int
    count: int
    seconds: float
    pace: float = 0.0
    connections: int = 64


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back: which of the bodies were acknowledged (by place in the file), how long answers took, sorted."""

    acked: tuple[int, ...]
    refused: int
    elapsed: float
    waits: tuple[float, ...]

    @property
    def rate(self) -> float:
        return len(self.acked) / self.elapsed

    def wait_ms(self, share: float) -> float:
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))] * 1000 if self.waits else 0.0


class Loader:
    """The load's process: ready when made, running from `go`, read by `answers`."""

    def __init__(self, port: int, shape: Shape) -> None:
        self._shape = shape
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "load.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        told = {name: getattr(shape, name) for name in shape.__slots__} | {"port": port, "bodies": str(shape.bodies)}
        self._write(json.dumps(told))
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise MeasuringError("the load did not start")

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def go(self) -> None:
        self._write("go")

    def answers(self) -> Answers:
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise MeasuringError("the load broke off")
        said = json.loads(output)
        acked = tuple(self._shape.skip + place for place in said["acked"])
        return Answers(acked, said["refused"], said["elapsed"], tuple(said["waits"]))


def run_load(port: int, shape: Shape) -> Answers:
    """From start to end."""
    loader = Loader(port, shape)
    loader.go()
    return loader.answers()
