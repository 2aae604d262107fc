"""The word tables can be edited by hand: what is broken is named by file and line, everything else counts."""

from pathlib import Path

import pytest

from nlp.lexicon import BadPhrase, Lexicon, read_phrase
from nlp.tables import Fault, load_tables
from nlp.topics import topics


def found(phrases: list[str], text: str, starts: frozenset[int] = frozenset()) -> list[str]:
    lexicon = Lexicon(entry for phrase in phrases for entry in read_phrase(phrase, "group", 1.0))
    return [text[hit.start : hit.end] for hit in lexicon.find(text, lambda: starts)]


def test_shipped_tables_have_no_fault() -> None:
    assert load_tables()[1] == ()


def test_shipped_topics_are_complete() -> None:
    known = topics()
    assert len(known) >= 40
    assert 10 <= len({topic.head for topic in known.values()}) <= 15
    assert [code for code, topic in known.items() if not 1 <= topic.hours <= 240 or not topic.petition_head] == []
    assert len({topic.name for topic in known.values()}) == len(known)
    assert known["manhole"].name == "井盖"


def test_broken_tables_are_named_and_skipped(tmp_path: Path) -> None:
    (tmp_path / "topics.toml").write_text(
        '# 说明\n[good]\nname = "井盖"\nhead = "道路"\nwords = "井盖=3 {窨,下水}井"\n\n'
        '[torn]\nname = "没写完\nhead = "道路"\n\n[nameless]\nhead = "道路"\nwords = "路灯"\n\n'
        '[odd]\nname = "电梯"\nhead = "房屋"\nhours = "快"\nwords = "电梯"\n\n'
        '[phrases]\nname = "噪音"\nhead = "环境"\nwords = """\n太吵\n{半夜,凌晨…吵\n没人…\n扰民"""\n',
        encoding="utf-8",
    )
    tables, faults = load_tables(tmp_path)
    assert [(fault.file, fault.line) for fault in faults] == [
        ("topics.toml", 7),
        ("topics.toml", 11),
        ("topics.toml", 18),
        ("topics.toml", 26),
        ("topics.toml", 27),
    ]
    assert list(tables.topics) == ["good", "phrases"]
    assert {(entry.phrase, entry.weight) for entry in tables.entries} == {
        ("井盖", 3.0),
        ("窨井", 1.0),
        ("下水井", 1.0),
        ("太吵", 1.0),
        ("扰民", 1.0),
    }


def test_pair_of_unknown_groups_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "pairs.toml").write_text(
        '[pair]\nfirst = "thing"\nsecond = "fault"\nfor = "report"\n', encoding="utf-8"
    )
    tables, faults = load_tables(tmp_path)
    assert tables.pairs == ()
    assert faults == (Fault("pairs.toml", 1, "没有名为 thing 的词组，这一对已跳过"),)


def test_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "kinds.toml").mkdir()
    assert [(fault.file, fault.line) for fault in load_tables(tmp_path)[1]] == [("kinds.toml", 1)]


@pytest.mark.parametrize(
    ("phrases", "text", "expected"),
    [
        (["{坏,断}了"], "灯坏了 线断了", ["坏了", "断了"]),
        (["没人…{管,修}"], "没人来管 没人", ["没人来管"]),
        (["没人…管"], "没人。管", []),
        (["没人…管"], "没人一二三四五六七管", []),
        (["^收到"], "，收到通知 收到", ["收到"]),
        (["好的$"], "好的 真好的！", ["好的"]),
        (["狗…叫"], "狗狗一直叫", ["狗狗一直叫"]),
    ],
)
def test_phrases_are_found_as_written(phrases: list[str], text: str, expected: list[str]) -> None:
    assert found(phrases, text) == expected


def test_quoted_phrase_must_be_a_word() -> None:
    assert found(["'断'"], "线断了 判断", frozenset({0, 1, 2, 3, 4, 6})) == ["断"]


@pytest.mark.parametrize("phrase", ["{坏,断了", "坏}了", "…管", "没人…"])
def test_phrase_that_cannot_be_read_is_refused(phrase: str) -> None:
    with pytest.raises(BadPhrase):
        read_phrase(phrase, "group", 1.0)


@pytest.mark.parametrize(
    ("phrase", "text", "found_there"),
    [
        ("没人…管", "垃圾没人来管一管", ["没人来管"]),
        ("没人…管", "没人一二三四五六管", ["没人一二三四五六管"]),
        ("没人…管", "没人一二三四五六七管", []),
        ("没人…管", "没人。管", []),
        ("没人…{管,管事}", "没人出来管事", ["没人出来管事"]),
        ("没人…{管,来}", "没人来管", ["没人来"]),
        ("有人…往下…扔", "有人从楼上往下又扔", ["有人从楼上往下又扔"]),
        ("有人…往下…扔", "有人从楼上往下。扔", []),
        ("没人…管", "没人", []),
    ],
)
def test_gap_reaches_six_characters_inside_one_sentence(phrase: str, text: str, found_there: list[str]) -> None:
    assert found([phrase], text) == found_there
