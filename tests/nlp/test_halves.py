"""Half sentences are known by their words, and nothing that is whole, or talk, is taken for one."""

import pytest

from nlp.halves import is_half, may_begin
from nlp.seeds import read_seeds, seed_files


@pytest.mark.parametrize(
    "text", ["坏了", "又堵了", "坏了两天了", "漏得厉害", "都坏了好几天了", "着火了", "一直在响", "不亮了！"]
)
def test_halves_say_only_what_is_wrong(text: str) -> None:
    assert is_half(text)


@pytest.mark.parametrize("text", ["门坏了", "哈哈", "笑死了", "", "。", "好", "没人", "停水了", "坏" * 17])
def test_whole_lines_and_talk_are_no_halves(text: str) -> None:
    assert is_half(text) is False


def test_hardly_any_whole_line_is_taken_for_a_half() -> None:
    seeds = read_seeds(seed_files())[0]
    assert len([seed for seed in seeds if is_half(seed.text)]) / len(seeds) < 0.001


def test_first_half_has_some_words_and_is_none_itself() -> None:
    assert [may_begin(text) for text in ("3号楼电梯", "坏了", "", "好", "长" * 61)] == [
        True,
        False,
        False,
        False,
        False,
    ]
