"""Two texts about one place: the same trouble, or another one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.likeness import ALIKE, likeness
from nlp.teaching import Taught, teach, trying

PAIRS = Path(__file__).parent / "data" / "pairs.tsv"


def test_likeness_joins_the_same_trouble_in_other_words() -> None:
    assert likeness("3号楼电梯坏了", "3栋电梯又停了 爬楼爬死人") >= ALIKE


@pytest.mark.parametrize(("one", "other"), [("停水了", "停电了"), ("3号楼电梯坏了", "电梯里有狗尿")])
def test_likeness_keeps_another_trouble_apart(one: str, other: str) -> None:
    assert likeness(one, other) < ALIKE


def test_likeness_of_most_labelled_pairs_is_right() -> None:
    lines = [line.split("\t") for line in PAIRS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    same = [likeness(one, other) >= ALIKE for label, one, other in lines if label == "same"]
    others = [likeness(one, other) >= ALIKE for label, one, other in lines if label == "other"]
    assert sum(same) / len(same) >= 0.7
    assert sum(others) / len(others) <= 0.2


def test_likeness_goes_by_the_words_that_count_now() -> None:
    one, other = "3号楼嘎吱盒子停了", "3号楼电梯停了不动"
    lift = [Taught("嘎吱盒子", "topic:lift", 12.0)]
    before = likeness(one, other)
    with trying(lift):
        assert before < ALIKE <= likeness(one, other)
    teach(lift)
    try:
        assert likeness(one, other) >= ALIKE
    finally:
        teach([])
    assert likeness(one, other) == before


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_never_raises_and_knows_no_order(one: str, other: str) -> None:
    there = likeness(one, other)
    assert 0.0 <= there <= 1.0
    assert likeness(other, one) == there
