"""Counting in UTF-16 units and cutting long texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.text import split, start_payload, utf16_length, utf16_slice


def test_emoji_counts_two_units() -> None:
    assert (utf16_length("井盖"), utf16_length("😀井盖"), utf16_slice("😀井盖", 2, 2)) == (2, 4, "井盖")


def test_short_text_stays_whole() -> None:
    assert split("  井盖坏了 ", 4096) == ["井盖坏了"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("一二三四五。六七八九十甲乙", ["一二三四五。", "六七八九十甲乙"]),
        ("一二三四五六\n七八九十。甲乙", ["一二三四五六", "七八九十。甲乙"]),
        ("一二三四五六七八九十", ["一二三四五六七八", "九十"]),
        ("😀😀😀😀😀", ["😀😀😀😀", "😀"]),
    ],
)
def test_long_text_is_cut_at_the_best_place(text: str, pieces: list[str]) -> None:
    assert split(text, 8) == pieces


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(2, 40))
def test_pieces_fit_and_nothing_but_space_is_lost(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < utf16_length(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "payload"),
    [("/start abc_-9", "abc_-9"), ("/start", None), ("/start 井盖", None), ("/start a b", None), ("/startabc", None)],
)
def test_start_payload_is_what_a_link_can_carry(text: str, payload: str | None) -> None:
    assert start_payload(text) == payload
