"""The "why" panel: Chinese lines that name the words."""

from core.messages import Decision, Kind, Reason, Understanding, Utterance
from nlp.explain import explain, says
from nlp.places import PlaceEntry, build_places
from nlp.understand import understand


def test_report_is_explained_by_its_words() -> None:
    places = build_places([PlaceEntry(7, "building", "3号楼")])
    lines = explain(understand(Utterance("3号楼电梯坏了"), places))
    assert lines[0].startswith("判断为报事（把握 ")
    assert lines[0].endswith("），直接办理。")
    assert lines[1].startswith("话题：电梯 ")
    assert lines[2:3] == ["地点：“3号楼”，已对上网格。"]
    assert "因为“坏了”像是东西坏了，偏向报事（2.2 分）。" in lines


def test_emergency_and_signal_are_named() -> None:
    assert "紧急程度：紧急，几分钟内要有人到。" in explain(understand(Utterance("楼道着火了")))
    assert "与已有的事有关：说的是还没解决。" in explain(understand(Utterance("还没修")))
    assert "地点：“9号楼”，网格里没有对上。" in explain(understand(Utterance("9号楼")))


def test_silence_is_explained_too() -> None:
    lines = explain(understand(Utterance("今儿个挺清净")))
    assert lines[0].startswith("判断为闲聊（把握 ")
    assert lines[0].endswith("），不出声。")
    assert [line[:10] for line in lines[1:]] == ["模型看到“整句话”，"]
    assert any(line.startswith("模型看到“") for line in explain(understand(Utterance("今天晚上吃火锅"))))
    assert explain(Understanding(Kind.CHATTER, Decision.SILENT, 1.0))[1:] == ["因为没有看到与社区事务有关的词。"]


def test_model_is_quoted_with_its_direction() -> None:
    reasons = (Reason("停了", "model", 0.41), Reason("哈哈", "model", -0.5))
    lines = explain(Understanding(Kind.REPORT, Decision.ACT, 0.9, because=reasons))
    assert lines[1:] == ["模型看到“停了”，偏向有事（+0.41）。", "模型看到“哈哈”，偏向闲聊（-0.5）。"]
    assert "因为“谢谢”道谢，偏向对已有的事的回应（2 分）。" in explain(understand(Utterance("谢谢各位")))


def test_reason_says_what_it_leans_to_without_its_word() -> None:
    reasons = [Reason("停了", "model", 0.41), Reason("谢谢", "thanking", 2.0), Reason("大白鹅", "taken_away", 4.0)]
    assert [says(reason) for reason in reasons] == ["模型看来偏向有事", "道谢，偏向对已有的事的回应", ""]
