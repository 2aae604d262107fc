"""What understanding costs, and whether any text at all breaks it: random texts of the greatest length, timed one by one."""

import random
import statistics
import time
from collections.abc import Sequence

from core.messages import Decision, Utterance
from nlp.normalise import MAX_LENGTH
from nlp.understand import understand, warm_up

TEXTS = 60
# Latin, ideographs, kana, right-to-left, combining marks, emoji, private use, lone surrogates and the last plane.
RANGES = (
    (0x0, 0x7F),
    (0x4E00, 0x9FFF),
    (0x3040, 0x30FF),
    (0x590, 0x6FF),
    (0x300, 0x36F),
    (0x1F300, 0x1FAFF),
    (0xE000, 0xE0FF),
    (0xD800, 0xDFFF),
    (0x10FF00, 0x10FFFF),
)


def endure(words: str, *, texts: int = TEXTS) -> dict[str, float | int]:
    """The slowest of so many texts of 4,096 characters in milliseconds, and how many of them raised.

    Half are random characters, half the letters of `words` thrown together, which come closer to our phrases.
    """
    draw = random.Random(20)  # fixed, so that two runs measure the same
    warm_up()
    slowest, raised = 0, 0
    for number in range(texts):
        if number % 2 and words:
            text = "".join(draw.choices(words, k=MAX_LENGTH))
        else:
            text = "".join(chr(draw.randint(*draw.choice(RANGES))) for _ in range(MAX_LENGTH))
        started = time.thread_time_ns()
        try:
            understand(Utterance(text))
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError):
            raised += 1
        slowest = max(slowest, time.thread_time_ns() - started)
    return {"slowest_ms": round(slowest / 1e6, 2), "raised": raised, "texts": texts}


def clock(lines: Sequence[str]) -> dict[str, float | int]:
    """The median processor time of a line in microseconds, of those answered with silence and of the others; warm."""
    warm_up()
    for line in lines:
        understand(Utterance(line))
    silent: list[float] = []
    other: list[float] = []
    for line in lines:
        utterance, started = Utterance(line), time.thread_time_ns()
        understood = understand(utterance)
        taken = (time.thread_time_ns() - started) / 1000
        (silent if understood.decision is Decision.SILENT else other).append(taken)
    return {
        "silent_us": round(statistics.median(silent), 1) if silent else 0.0,
        "other_us": round(statistics.median(other), 1) if other else 0.0,
        "lines": len(lines),
    }
