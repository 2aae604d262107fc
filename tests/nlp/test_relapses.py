"""Trouble that is back is told from praise and talk."""

import pytest

from nlp.relapses import LONGEST, is_back


@pytest.mark.parametrize(
    "said",
    [
        *(
            "又坏了，刷不开",
            "又响起来了",
            "还是晃，就拍了张照糊弄人",
            "装的灯太暗了，跟没装一样",
            "还在漏",
            "又开始漏水了",
            "根本没修",
        ),
        *("敷衍了事，盖子都盖不严", "没两天又不亮了", "还是老样子", "一点都不亮", "没什么用", "又堵了"),
    ],
)
def test_trouble_is_back(said: str) -> None:
    assert is_back(said)


@pytest.mark.parametrize(
    "said",
    [
        *(
            "谢谢",
            "还不错",
            "不响了",
            "又亮了，谢谢",
            "还是社区好",
            "修好了，又快又好",
            "辛苦师傅又跑一趟",
            "那周六开不开门",
            "没问题",
            "没事了",
        ),
        *("真快", "还行", "又麻烦你们了", "好的", "还是你们靠谱", "又漏" + "啊" * LONGEST),
    ],
)
def test_praise_and_talk_are_no_trouble(said: str) -> None:
    assert not is_back(said)
