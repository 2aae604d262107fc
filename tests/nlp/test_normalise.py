"""One writing for every text, whatever comes in."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlp.normalise import MAX_LENGTH, has_words, normalise, offsets
from nlp.traditional import SIMPLIFIED


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("３号楼Ａ座", "3号楼a座"),
        ("灯坏了!真的?", "灯坏了！真的？"),
        ("通知：停水", "通知:停水"),
        ("3—2—501", "3-2-501"),
        ("灯\u200b坏\ufeff了", "灯坏了"),
        ("灯\x00坏\x07了\t\n", "灯坏了  "),
        ("\u202e反了\u202c", "反了"),
        ("坏\ud800了", "坏了"),
        ("③号楼", "3号楼"),
        ("路燈壞了", "路灯坏了"),
        ("電梯停咗，邊個管", "电梯停咗，边个管"),
        ("", ""),
    ],
)
def test_text_gets_one_writing(sent: str, expected: str) -> None:
    assert normalise(sent) == expected


def test_table_of_traditional_characters_is_one_for_one() -> None:
    assert len(SIMPLIFIED) >= 500
    assert all(len(written) == len(read) == 1 for written, read in SIMPLIFIED.items())
    assert not set(SIMPLIFIED.values()) & set(SIMPLIFIED)


def test_long_text_is_cut() -> None:
    assert normalise("长" * 9000) == "长" * MAX_LENGTH


@pytest.mark.parametrize("text", ["", "   ", "😂😂😂", "[强][强]", "……", "👍🏻", "！！！"])
def test_text_without_words_says_nothing(text: str) -> None:
    assert not has_words(normalise(text))


@pytest.mark.parametrize("text", ["好", "a", "灯😂", "[强]灯坏了", "【通知】"])
def test_text_with_words_says_something(text: str) -> None:
    assert has_words(normalise(text))


@example("\ufe10")  # a comma of upright print, folded to the plain one
@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_text_is_normalised_once_and_for_all(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert len(offsets(text)) == len(once) + 1
    once.encode()  # no lone surrogate is left
