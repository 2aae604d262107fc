"""Keys: they only grow, whoever asks and however many are set aside at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core.ids import BLOCK_ROW, BLOCK_STRIDE, IdMaker


def _keys_of_block(maker: IdMaker, count: int) -> list[int]:
    first = maker.block(count)
    return [first + n // BLOCK_ROW * BLOCK_STRIDE + n % BLOCK_ROW for n in range(count)]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(min_value=0, max_value=3 * BLOCK_ROW), max_size=6), st.integers(min_value=0, max_value=1023)
)
def test_keys_grow_through_blocks_and_single_ones(blocks: list[int], worker: int) -> None:
    maker, keys = IdMaker(worker), []
    for count in blocks:
        keys += [maker(), *_keys_of_block(maker, count)]
    keys.append(maker())
    assert keys == sorted(set(keys))


def test_keys_of_two_workers_never_meet() -> None:
    one, other = IdMaker(1), IdMaker(2)
    assert set(_keys_of_block(one, BLOCK_ROW + 1)) & set(_keys_of_block(other, BLOCK_ROW + 1)) == set()
