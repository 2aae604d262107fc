"""Words that people add: they count at once, for what they were added for, and can be taken away again."""

import threading
from collections.abc import Iterator

import pytest

from core.messages import Decision, Kind, Utterance
from nlp.classify import shipped_classifier
from nlp.teaching import Taught, is_readable, teach, trying
from nlp.understand import understand


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    teach(())


def test_word_of_a_topic_counts_inside_the_trial_alone() -> None:
    said = Utterance("3号楼门口的大白鹅坏了")
    before = understand(said)
    with trying([Taught("大白鹅", "topic:street_light", 4.0)]):
        inside = understand(said)
    assert inside.topic == "street_light"
    assert before.topic != "street_light"
    assert understand(said) == before


def test_word_for_silence_holds_the_bot_back() -> None:
    said = Utterance("楼下的大喇叭广播又坏了没人修")
    assert understand(said).decision is Decision.ACT
    with trying([Taught("大喇叭广播", "silence", 12.0)]):
        assert understand(said).decision is not Decision.ACT


def test_word_for_a_kind_makes_a_case_likelier() -> None:
    said = Utterance("楼下的大喇叭广播有点不对劲")
    before = understand(said)
    with trying([Taught("大喇叭广播", "report", 12.0)]):
        assert (understand(said).decision, understand(said).kind) == (Decision.ACT, Kind.REPORT)
    assert understand(said) == before


def test_word_that_is_taught_is_seen_in_what_else_is_plain_talk() -> None:
    said = Utterance("哈哈今天中午吃红烧肉配大白鹅")
    silent = understand(said)
    assert [reason.speaks_for for reason in silent.because] == ["model"]
    with trying([Taught("大白鹅", "emergency", 30.0)]):
        inside = understand(said)
    assert "taught:emergency" in {reason.speaks_for for reason in inside.because}
    assert (silent.decision, understand(said)) == (Decision.SILENT, silent)


def test_what_is_taught_replaces_what_was_taught_before() -> None:
    first = shipped_classifier()
    teach([Taught("大白鹅", "topic:street_light", 4.0)])
    assert understand(Utterance("3号楼门口的大白鹅坏了")).topic == "street_light"
    teach(())
    assert shipped_classifier() is first
    assert understand(Utterance("早上好")).kind is Kind.CHATTER


@pytest.mark.parametrize(
    ("word", "speaks_for", "readable"),
    [
        ("大白鹅", "report", True),
        ("大白鹅", "topic:street_light", True),
        ("{大,小}白鹅…坏", "report", True),
        ("大白鹅", "topic:nothing", False),
        ("大白鹅", "nonsense", False),
        ("{大,小白鹅", "report", False),
        ("  ", "report", False),
    ],
)
def test_word_that_the_tables_cannot_take_is_known(word: str, speaks_for: str, readable: bool) -> None:
    taught = Taught(word, speaks_for, 2.0)
    assert is_readable(taught) is readable
    with trying([taught]):
        understand(Utterance("大白鹅坏了"))


def test_words_are_taught_while_another_thread_understands() -> None:
    stop, broken, read = threading.Event(), [], []

    def work() -> None:
        while not stop.is_set():
            try:
                read.append(understand(Utterance("3号楼门口的大白鹅坏了 消防通道堵了没人管")).decision)
            except Exception as fault:
                broken.append(fault)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for word in ("大白鹅", "大灰鹅"):
            teach([Taught(word, "topic:street_light", 4.0)])
    finally:
        stop.set()
        worker.join()
    assert broken == []
    assert set(read) == {Decision.ACT}
    assert understand(Utterance("3号楼门口的大灰鹅坏了")).topic == "street_light"
