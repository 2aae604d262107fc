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
# How a block of keys runs on: so many next to each other, then a jump to the next millisecond.
BLOCK_ROW = 1 << SEQUENCE_BITS
BLOCK_STRIDE = 1 << (WORKER_BITS + SEQUENCE_BITS)


class IdMaker:
    """Makes keys that grow. One maker serves all threads of a process."""

    def __init__(self, worker: int) -> None:
        self._worker = worker % (1 << WORKER_BITS)
        self._tick = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        now = (time.time_ns() // 1_000_000 - EPOCH_MS) << SEQUENCE_BITS
        with self._lock:
            # One counter of (millisecond, sequence): adding one carries into the next millisecond by itself.
            self._tick = tick = now if now > self._tick else self._tick + 1
        return self._key(tick)

    def many(self, count: int) -> list[int]:
        """So many keys at once, growing."""
        now = (time.time_ns() // 1_000_000 - EPOCH_MS) << SEQUENCE_BITS
        with self._lock:
            first = now if now > self._tick else self._tick + 1
            self._tick = first + max(count, 1) - 1
        return [self._key(tick) for tick in range(first, first + count)]

    def block(self, count: int) -> int:
        """The first of `count` keys set aside for one statement that numbers its own rows.

        Its n-th key, from 0, is first + n // BLOCK_ROW * BLOCK_STRIDE + n % BLOCK_ROW.
        """
        milliseconds = time.time_ns() // 1_000_000 - EPOCH_MS
        with self._lock:
            # Begins with a whole millisecond, so that the rule above needs no other number.
            first = max((self._tick >> SEQUENCE_BITS) + 1, milliseconds) << SEQUENCE_BITS
            self._tick = first + max(count, 1) - 1
        return self._key(first)

    def _key(self, tick: int) -> int:
        millisecond, sequence = tick >> SEQUENCE_BITS, tick & ((1 << SEQUENCE_BITS) - 1)
        return (((millisecond << WORKER_BITS) | self._worker) << SEQUENCE_BITS) | sequence


# The process's own maker: a random worker number keeps processes apart without a registry.
new_id = IdMaker(secrets.randbits(WORKER_BITS))
