"""Each part of a message is judged by itself: what is dangerous is an emergency whatever else is said, and no part vanishes."""

import pytest

from core.messages import Understanding, Urgency, Utterance
from domain.cases import splitting
from domain.cases.splitting import heard
from nlp.places import NOWHERE, Places
from nlp.understand import understand

NORMAL, EMERGENCY = Urgency.NORMAL, Urgency.EMERGENCY


def matters(said: str) -> list[tuple[str, str | None, str]]:
    _, parts = heard(Utterance(said), NOWHERE)
    return [(part.text, part.understanding.topic, part.understanding.urgency) for part in parts]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "25号楼门口路灯不亮，地下室有煤气味，还有那个高龄补贴怎么领啊",
            [
                ("25号楼门口路灯不亮", "street_light", NORMAL),
                ("地下室有煤气味", "gas", EMERGENCY),
                ("那个高龄补贴怎么领啊", "elder_allowance", NORMAL),
            ],
        ),
        (
            "楼道有煤气味，高龄补贴怎么领啊",
            [("楼道有煤气味", "gas", EMERGENCY), ("高龄补贴怎么领啊", "elder_allowance", NORMAL)],
        ),
        (
            "3号楼电梯坏了，另外402那家天天打孩子，你们也管管",
            [("3号楼电梯坏了", "lift", NORMAL), ("402那家天天打孩子，你们也管管", "family", NORMAL)],
        ),
        (
            "楼道灯坏了，还有隔壁天天打孩子",
            [("楼道灯坏了", "corridor_light", NORMAL), ("隔壁天天打孩子", "family", NORMAL)],
        ),
        (
            "电梯又坏了，还有王奶奶在楼梯上摔倒了起不来",
            [("电梯又坏了", "lift", NORMAL), ("王奶奶在楼梯上摔倒了起不来", "medical_emergency", EMERGENCY)],
        ),
    ],
)
def test_each_part_is_judged_by_itself(said: str, expected: list[tuple[str, str | None, str]]) -> None:
    assert matters(said) == expected
    whole, _ = heard(Utterance(said), NOWHERE)
    assert (whole.urgency == EMERGENCY) is any(urgency == EMERGENCY for _, _, urgency in expected)


@pytest.mark.parametrize(
    "said",
    [
        "3号楼着火了，烟好大，有人困在里面",
        "厨房煤气味好大，阀门拧不紧",
        "电梯停了，我妈被困在里面",
        "我不想活了，另外路灯坏了",
        "屋里全是煤气味，门打不开，头好晕",
    ],
)
def test_danger_told_in_several_clauses_is_one(said: str) -> None:
    whole, parts = heard(Utterance(said), NOWHERE)
    assert (whole.urgency, parts) == (EMERGENCY, ())


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("3号楼路灯不亮了，晚上黑漆漆的，老人不敢走", 1),
        ("3号楼电梯坏了，王奶奶摔倒起不来", 3),
        ("今天天气真好，出去走走", 1),
    ],
)
def test_message_and_its_clauses_are_read_once(text: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Understanding is the dearest step of a report: clauses are read only where one of them can be a danger or a matter of its own."""
    read: list[str] = []

    def counted(utterance: Utterance, places: Places) -> Understanding:
        read.append(utterance.text)
        return understand(utterance, places)

    monkeypatch.setattr(splitting, "understand", counted)
    splitting.heard(Utterance(text), NOWHERE)
    assert (len(read), len(set(read))) == (times, times)
