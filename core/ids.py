"""Keys: time-ordered 64-bit numbers made by the application, so that no insert has to ask the database for one.

Layout: 41 bits of milliseconds since 2025, 10 bits of worker, 12 bits of sequence. A full millisecond borrows the next one; a clock
set back never repeats a key, because the last key only ever grows.
"""

import secrets
import threading
import time

EPOCH_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
WORKER_BITS = 10
SEQUENCE_BITS = 12


class IdMaker:
    """Makes keys that grow. One maker serves all threads of a process."""

    def __init__(self, worker: int) -> None:
        self._worker = worker % (1 << WORKER_BITS)
        self._tick = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        milliseconds = time.time_ns() // 1_000_000 - EPOCH_MS
        with self._lock:
            # One counter of (millisecond, sequence): adding one carries into the next millisecond by itself.
            self._tick = max(self._tick + 1, milliseconds << SEQUENCE_BITS)
            tick = self._tick
        millisecond, sequence = tick >> SEQUENCE_BITS, tick & ((1 << SEQUENCE_BITS) - 1)
        return (((millisecond << WORKER_BITS) | self._worker) << SEQUENCE_BITS) | sequence


# The process's own maker: a random worker number keeps processes apart without a registry.
new_id = IdMaker(secrets.randbits(WORKER_BITS))
