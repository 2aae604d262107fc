"""Lines that say only where, and lines that put right what was said."""

import pytest

from nlp.spots import beyond, is_spot, puts_right


@pytest.mark.parametrize(
    "text",
    [
        "在门口",
        "是二单元的",
        "二单元三楼",
        "就是菜鸟驿站那里",
        "三楼",
        "502",
        "我家502",
        "2单元502",
        "小区东门",
        "就那个亭子旁边",
        "北门出去右手边",
        "3-2-301",
        "就在3号楼后面那个小广场",
    ],
)
def test_place_in_anybodys_words_is_known(text: str) -> None:
    assert is_spot(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "好的",
        "我在",
        "来了",
        "在家里",
        "是的",
        "三点",
        "那边在干嘛",
        "13812345678",
        "你在哪里",
        "我到楼下了",
        "就是这里",
        "那边",
        "3号楼嘅垃圾冇人清呀",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_spot(text)


@pytest.mark.parametrize(
    "text",
    [
        "不是滑梯 是跷跷板",
        "哎不对 8号楼后面",
        "不是3号楼是5号楼",
        "打错了，是电梯",
        "是电梯不是楼梯",
        "我说错了是3号楼",
        "更正：5号楼",
    ],
)
def test_line_that_puts_right_is_known(text: str) -> None:
    assert puts_right(text)


@pytest.mark.parametrize("text", ["", "不是吧", "是不是坏了", "不对啊", "这不对", "不是坏了吗", "你说的不对", "不是"])
def test_line_that_only_disagrees_is_none(text: str) -> None:
    assert not puts_right(text)


def test_what_a_line_says_beside_its_place_is_counted() -> None:
    assert beyond("3号楼旁边那个", [(0, 3)]) == 0
    assert beyond("8号楼没坏 我刚坐过", [(0, 3)]) == 5
