"""The load, in a process of its own, as cheap as possible: a closed loop over raw connections that posts bodies read from a file.

Run by its path, never imported: it must not load what is measured. Told by one JSON object on the first line of its input; says
"ready" on a line, starts at the next line of input, and prints what came of it as one JSON object.
"""

import asyncio
import json
import random
import sys
import time
from pathlib import Path

try:
    import uvloop
except ImportError:  # the standard loop does, a little slower
    uvloop = None  # type: ignore[assignment,unused-ignore]


class Load:
    """What is to be sent and what came back. `pace` is the mean pause of a connection before each request, in seconds."""

    def __init__(self, requests: list[bytes], *, seconds: float, pace: float) -> None:
        self.requests = requests
        self.seconds = seconds
        self.pace = pace
        self.next = 0
        self.deadline = 0.0
        self.acked: list[int] = []
        self.refused = 0
        self.waits: list[float] = []
        self.open = 0
        self.done = asyncio.Event()

    def take(self) -> int | None:
        if self.next >= len(self.requests) or time.perf_counter() >= self.deadline:
            return None
        self.next += 1
        return self.next - 1


class Caller(asyncio.Protocol):
    """One connection: the next request goes out when the last one is answered (and the pause is over)."""

    def __init__(self, load: Load, seed: int) -> None:
        self.load = load
        self.chance = random.Random(seed)
        self.transport: asyncio.Transport | None = None
        self.current = -1
        self.sent_at = 0.0
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream; uvloop's is no subclass
        self.load.open += 1
        self.go_on()

    def go_on(self) -> None:
        if self.load.pace:
            asyncio.get_running_loop().call_later(self.chance.expovariate(1 / self.load.pace), self.send)
        else:
            self.send()

    def send(self) -> None:
        taken = self.load.take()
        assert self.transport is not None
        if taken is None or self.transport.is_closing():
            self.transport.close()
            return
        self.current = taken
        self.sent_at = time.perf_counter()
        self.transport.write(self.load.requests[taken])

    def data_received(self, data: bytes) -> None:
        self.got += data
        if not _is_whole(self.got):
            return
        self.load.waits.append(time.perf_counter() - self.sent_at)
        if self.got.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            self.load.acked.append(self.current)
        else:
            self.load.refused += 1
        self.got = b""
        self.go_on()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the library's signature
        self.load.open -= 1
        if self.load.open == 0:
            self.load.done.set()


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    lower = head.lower()
    place = lower.find(b"content-length:")
    if place < 0:
        return b" 204 " in head or not lower.endswith(b"chunked") or body.endswith(b"0\r\n\r\n")
    return len(body) >= int(lower[place + 15 :].split(b"\r\n", 1)[0])


async def run(told: dict[str, object], requests: list[bytes]) -> dict[str, object]:
    load = Load(requests, seconds=float(str(told["seconds"])), pace=float(str(told["pace"])))
    loop = asyncio.get_running_loop()
    load.deadline = time.perf_counter() + load.seconds
    started = time.perf_counter()
    port = int(str(told["port"]))
    for number in range(int(str(told["connections"]))):
        await loop.create_connection(lambda seed=number: Caller(load, seed), "127.0.0.1", port)  # type: ignore[misc]
    await load.done.wait()
    elapsed = time.perf_counter() - started
    return {"acked": load.acked, "refused": load.refused, "elapsed": elapsed, "waits": sorted(load.waits)}


def prepare(told: dict[str, object]) -> list[bytes]:
    """A line of the file is a body, or a query, a tab and a body."""
    start = f"POST {told['path']}".encode()
    rest = (
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {told['secret']}\r\nContent-Length: "
    ).encode()
    lines = Path(str(told["bodies"])).read_bytes().splitlines()
    skipped, count = int(str(told["skip"])), int(str(told["count"]))
    made = []
    for line in lines[skipped : skipped + count]:
        query, _, body = line.rpartition(b"\t")
        made.append(start + (b"?" + query if query else b"") + rest + str(len(body)).encode() + b"\r\n\r\n" + body)
    return made


def main() -> None:
    told = json.loads(sys.stdin.readline())
    requests = prepare(told)
    print("ready", flush=True)
    sys.stdin.readline()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uvloop else None) as runner:
        print(json.dumps(runner.run(run(told, requests))), flush=True)


if __name__ == "__main__":
    main()
