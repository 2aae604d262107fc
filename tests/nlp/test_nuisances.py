"""What is called too much, or done though it is forbidden, is a matter in three words; what is nobody's nuisance is talk."""

import pytest

from core.messages import Decision, Kind, Utterance
from nlp.understand import understand


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("蟑螂太多", Kind.REPORT),
        ("楼道垃圾太多了", Kind.REPORT),
        ("有人高空抛物", Kind.REPORT),
        ("油烟太大", Kind.COMPLAINT),
        ("外卖小哥把车停在消防通道", Kind.REPORT),
        ("快递的三轮车又堵着楼下的生命通道了", Kind.REPORT),
        ("3号楼楼上太吵了", Kind.COMPLAINT),
    ],
)
def test_nuisance_told_in_few_words_is_a_matter(said: str, kind: Kind) -> None:
    understood = understand(Utterance(said))
    assert (understood.kind, understood.decision) == (kind, Decision.ACT)


@pytest.mark.parametrize(
    "said",
    [
        "今天太吵了",
        "作业太多",
        "人太多了",
        "快递太多",
        "垃圾短信太多",
        "高空抛物",
        "电影里有人高空抛物那段",
        "别把车停在消防通道",
        "我的车停在消防通道被贴条了",
        "这首歌太吵了",
    ],
)
def test_too_much_of_what_is_nobodys_nuisance_is_talk(said: str) -> None:
    assert understand(Utterance(said)).decision is Decision.SILENT
