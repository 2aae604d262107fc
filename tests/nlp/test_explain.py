"""The "why" panel: Chinese lines that name the words."""

from core.messages import Utterance
from nlp.explain import explain
from nlp.places import PlaceEntry, build_places
from nlp.understand import understand


def test_report_is_explained_by_its_words() -> None:
    places = build_places([PlaceEntry(7, "building", "3号楼")])
    lines = explain(understand(Utterance("3号楼电梯坏了"), places))
    assert lines[0].startswith("判断为报事（把握 ")
    assert lines[0].endswith("），直接办理。")
    assert lines[1:3] == ["话题：电梯 86%。", "地点：“3号楼”，已对上网格。"]
    assert "因为“坏了”像是东西坏了，偏向报事（2.2 分）。" in lines


def test_emergency_and_signal_are_named() -> None:
    assert "紧急程度：紧急，几分钟内要有人到。" in explain(understand(Utterance("楼道着火了")))
    assert "与已有的事有关：说的是还没解决。" in explain(understand(Utterance("还没修", open_case_near=True)))
    assert "地点：“9号楼”，网格里没有对上。" in explain(understand(Utterance("9号楼")))


def test_silence_is_explained_too() -> None:
    assert explain(understand(Utterance("今儿个挺清净"))) == [
        "判断为闲聊（把握 77%），不出声。",
        "因为没有看到与社区事务有关的词。",
    ]
    assert "因为“谢谢”道谢，偏向闲聊（2.2 分）。" in explain(understand(Utterance("谢谢各位")))
