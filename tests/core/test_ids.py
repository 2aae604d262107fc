"""Keys only grow, whatever the clock does and however many threads ask, and fit into 64 bits."""

import itertools
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ids import BLOCK_ROW, BLOCK_STRIDE, EPOCH_MS, IdMaker, new_id

MILLISECOND = 1_000_000
START = (EPOCH_MS + 60_000_000_000) * MILLISECOND


def time_of(key: int) -> int:
    """The millisecond in a key."""
    return key >> 22


def worker_of(key: int) -> int:
    return key >> 12 & 1023


@settings(deadline=None)
@given(st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=200), st.integers(0, 5000))
def test_keys_grow_whatever_the_clock_does(steps: list[int], worker: int) -> None:
    """Forward, standing still, set back by seconds: all the same."""
    maker = IdMaker(worker)
    with pytest.MonkeyPatch.context() as patched:
        moment = START
        keys = []
        for step in steps:
            moment += step * MILLISECOND
            patched.setattr(time, "time_ns", lambda at=moment: at)
            keys.append(maker())
    assert all(earlier < later for earlier, later in itertools.pairwise(keys))
    assert {worker_of(key) for key in keys} == {worker % 1024}


def test_full_millisecond_borrows_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: START)
    maker = IdMaker(7)
    keys = [maker() for _ in range(3 * 4096)]
    assert len(set(keys)) == len(keys)
    assert keys == sorted(keys)
    assert {time_of(key) - time_of(keys[0]) for key in keys} == {0, 1, 2}


@pytest.mark.parametrize("count", [0, 1, 3 * 4096])
def test_many_keys_are_those_that_one_by_one_would_give(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: START)
    at_once, singly = IdMaker(7), IdMaker(7)
    first = [at_once(), singly()]
    assert at_once.many(count) == [singly() for _ in range(count)]
    assert first[0] == first[1] < at_once()


def test_key_tells_when_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: START)
    assert time_of(IdMaker(1)()) == START // MILLISECOND - EPOCH_MS


def test_threads_never_get_the_same_key() -> None:
    maker = IdMaker(1)
    found: list[list[int]] = []
    together = threading.Barrier(8)

    def take() -> None:
        together.wait()
        found.append([maker() for _ in range(2000)])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key for keys in found for key in keys}) == 16_000
    assert all(keys == sorted(keys) for keys in found)


def test_workers_never_get_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: START)
    makers = [IdMaker(worker) for worker in range(1024)]
    assert len({maker() for maker in makers}) == 1024


def test_key_fits_into_a_signed_64_bit_column_until_2094(monkeypatch: pytest.MonkeyPatch) -> None:
    until = EPOCH_MS + (1 << 41) - 1
    monkeypatch.setattr(time, "time_ns", lambda: until * MILLISECOND)
    assert 0 < IdMaker(1023)() < 1 << 63


@settings(deadline=None)
@given(st.integers(1, 3 * BLOCK_ROW))
def test_block_holds_keys_that_nobody_else_gets(count: int) -> None:
    maker = IdMaker(3)
    before = maker()
    first = maker.block(count)
    after = maker()
    keys = [first + n // BLOCK_ROW * BLOCK_STRIDE + n % BLOCK_ROW for n in (0, count // 2, count - 1)]
    assert before < keys[0] <= keys[1] <= keys[2] < after
    assert {worker_of(key) for key in keys} == {3}


def test_process_has_one_maker() -> None:
    assert new_id() < new_id()
