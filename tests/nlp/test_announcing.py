"""我要投诉 announces a matter; 投诉电话多少, 我要报名 and 去投诉吧 do not."""

import pytest

from core.messages import Decision, Kind, Utterance
from nlp.announcing import announced, begun, may_announce
from nlp.features import characters
from nlp.normalise import normalise
from nlp.understand import understand


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我要投诉", Kind.COMPLAINT),
        ("投诉！", Kind.COMPLAINT),
        ("我想投诉一下", Kind.COMPLAINT),
        ("您好，我要投诉3号楼的保安", Kind.COMPLAINT),
        ("我要投诉楼上那家", Kind.COMPLAINT),
        ("我要告物业", Kind.COMPLAINT),
        ("我要舉報", Kind.COMPLAINT),
        ("你好我要报修", Kind.REPORT),
        ("报个修", Kind.REPORT),
        ("有个问题想跟社区反映一下", Kind.REPORT),
        ("我想反应个情况", Kind.REPORT),
        ("我有个建议", Kind.PROPOSAL),
        ("提点意见", Kind.PROPOSAL),
        ("我想许个愿", Kind.WISH),
        ("登记微心愿", Kind.WISH),
    ],
)
def test_announcement_names_its_sort(text: str, kind: Kind) -> None:
    text = normalise(text)
    assert (announced(text), may_announce(characters(text))) == (kind, True)
    understood = understand(Utterance(text))
    assert (understood.decision, understood.kind) == (Decision.ASK, kind)


def test_forwarded_announcement_is_somebody_elses() -> None:
    assert understand(Utterance("我要投诉", is_forwarded=True)).decision == Decision.SILENT


@pytest.mark.parametrize(
    "text",
    [
        "投诉电话多少",
        "怎么投诉",
        "投诉了也没用",
        "去投诉吧",
        "再吵我要投诉你了",
        "我要投诉物业乱收费",
        "报修三次没人来",
        "我要报名",
        "我要报警",
        "我要报销",
        "反映好多次了",
        "没意见",
        "有意见",
        "听听大家的意见",
        "祝愿大家",
        "我愿意",
        "我要告诉你",
        "我要告辞了",
        "举报有奖",
    ],
)
def test_talk_with_the_same_words_announces_nothing(text: str) -> None:
    assert announced(normalise(text)) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我想许个愿，陪我去看一次升旗", Kind.WISH),
        ("我要举报有人群租", Kind.COMPLAINT),
        ("我想反映一下后门的垃圾", Kind.REPORT),
        ("我要投诉你了哈哈", None),
        ("我要投诉快递不送上门", None),
        ("我要投诉的是", None),
        ("我要投诉", None),
    ],
)
def test_announced_and_told_at_once(text: str, kind: Kind | None) -> None:
    assert begun(normalise(text)) == kind
    if kind is not None:
        assert understand(Utterance(text)).decision != Decision.SILENT
