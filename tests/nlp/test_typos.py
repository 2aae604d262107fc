"""Typing errors by sound are read as what was meant, and nothing else is."""

from pathlib import Path

import pytest

from core.messages import Urgency, Utterance
from nlp.features import characters
from nlp.places import PlaceEntry, build_places
from nlp.tables import Fault
from nlp.typos import load_typos, mend, shipped_typos
from nlp.understand import understand


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("门口警盖坏了", "门口井盖坏了"),
        ("媒气味好大", "煤气味好大"),
        ("垃级没人收", "垃圾没人收"),
        ("井盖坏了", "井盖坏了"),
        ("晚上风景很美", "晚上风景很美"),
        ("", ""),
    ],
)
def test_typing_error_by_sound_is_mended(typed: str, meant: str) -> None:
    assert mend(typed, characters(typed)) == meant


def test_shipped_list_has_no_fault_and_mends_nothing_twice() -> None:
    assert load_typos()[1] == ()
    typos = shipped_typos()
    assert len(typos) > 1000
    assert typos.keys().isdisjoint(typos.values())


def test_broken_line_is_named_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "typos.txt"
    path.write_text("# 说明\n井盖 警景 -\n电梯 电\n井盖子 警 -\n", encoding="utf-8")
    typos, faults = load_typos(path)
    assert dict(typos) == {"警盖": "井盖", "景盖": "井盖"}
    assert [(fault.file, fault.line) for fault in faults] == [("typos.txt", 3), ("typos.txt", 4)]
    assert load_typos(tmp_path / "none.txt") == (
        {},
        (Fault("none.txt", 1, "打不开这个文件：No such file or directory"),),
    )


def test_mistyped_danger_is_heard_and_its_place_found() -> None:
    places = build_places([PlaceEntry(7, "building", "3号楼")])
    understanding = understand(Utterance("3号楼门口警盖没了"), places)
    assert (understanding.urgency, understanding.topic) == (Urgency.URGENT, "manhole")
    assert [place.area_id for place in understanding.places] == [7]
