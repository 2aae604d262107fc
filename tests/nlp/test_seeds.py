"""The lines we train with: many, varied, readable, and not the evaluation set in other words."""

import json
import math
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from core.messages import Kind, Urgency
from nlp.seeds import Seed, read_seeds, seed_files
from nlp.tables import Fault
from nlp.topics import topics

# Where the developers' evaluation lines lie, when they are at hand; they are not part of the project.
MEASURED = (
    Path(os.environ.get("WUWEI_EVALUATION", Path(__file__).parents[3] / "shared" / "data")) / "colloquial-dev.jsonl"
)
OWN = Path(__file__).parent / "data"
FRESH = ("fresh_one", "fresh_two", "fresh_three", "fresh_four", "fresh_five", "fresh_six", "fresh_seven", "fresh_eight")


@pytest.fixture(scope="module")
def seeds() -> list[Seed]:
    read, faults = read_seeds(seed_files())
    assert faults == []
    return read


def pairs(text: str) -> frozenset[str]:
    packed = "".join(text.split())
    return frozenset(packed[index : index + 2] for index in range(len(packed) - 1)) or frozenset({packed})


def test_seeds_are_many_and_of_every_sort(seeds: list[Seed]) -> None:
    assert len(seeds) >= 3000
    assert len({seed.text for seed in seeds}) == len(seeds)
    kinds = Counter(seed.kind for seed in seeds)
    assert {kind: count >= 180 for kind, count in kinds.items()} == dict.fromkeys(Kind, True)
    assert Counter(seed.urgency for seed in seeds)[Urgency.EMERGENCY] >= 200
    assert {"hard", "dialect", "voice", "multi", "sarcasm"} <= {seed.note for seed in seeds}


def test_every_topic_has_seeds_and_every_case_a_known_topic(seeds: list[Seed]) -> None:
    counts = Counter(seed.topic for seed in seeds if seed.is_case)
    assert set(counts) == {code for code, topic in topics().items() if not topic.is_by_rule}
    assert [topic for topic, count in counts.items() if count < 10] == []
    assert {seed.topic for seed in seeds if not seed.is_case} == {""}


def test_a_known_share_is_held_back(seeds: list[Seed]) -> None:
    assert 0.12 < sum(seed.is_held_back for seed in seeds) / len(seeds) < 0.18
    assert Seed("路灯坏了", Kind.REPORT).is_held_back == Seed("路灯坏了", Kind.CHATTER).is_held_back


def near_copies(seeds: Iterable[Seed], lines: Iterable[str]) -> list[str]:
    """The seeds that share six in ten of all their pairs of characters with one of the lines."""
    known = [pairs(line) for line in lines]
    holding: dict[str, list[int]] = {}
    for number, line in enumerate(known):
        for pair in line:
            holding.setdefault(pair, []).append(number)
    near = []
    for seed in seeds:
        own = pairs(seed.text)
        # Who shares six pairs in ten shares one of the rarest five in ten as well.
        rarest = sorted(own, key=lambda pair: len(holding.get(pair, ())))[: len(own) - math.ceil(0.6 * len(own)) + 1]
        candidates = {number for pair in rarest for number in holding.get(pair, ())}
        if any(len(own & known[number]) >= 0.6 * len(own | known[number]) for number in candidates):
            near.append(seed.text)
    return near


def test_near_copy_is_found_and_a_likeness_is_none() -> None:
    seeds = [Seed("3号楼电梯又坏了", Kind.REPORT), Seed("电梯修得真快", Kind.CHATTER), Seed("好", Kind.CHATTER)]
    assert near_copies(seeds, ["3号楼电梯坏了", "今天天气真好"]) == ["3号楼电梯又坏了"]


def test_seeds_are_no_near_copies_of_the_measured_lines(seeds: list[Seed]) -> None:
    if not MEASURED.is_file():
        pytest.skip("the evaluation lines are not on this machine")
    assert (
        near_copies(seeds, [json.loads(line)["text"] for line in MEASURED.read_text(encoding="utf-8").splitlines()])
        == []
    )


def test_seeds_are_no_near_copies_of_the_fresh_lines(seeds: list[Seed]) -> None:
    lines = [line for name in FRESH for line in (OWN / f"{name}.tsv").read_text(encoding="utf-8").splitlines()]
    fresh = [line.rpartition("\t")[2] for line in lines if line and not line.startswith("#")]
    assert near_copies([seed for seed in seeds if len(pairs(seed.text)) > 4], fresh) == []


def test_broken_seed_lines_are_named_and_skipped(tmp_path: Path) -> None:
    table, corrections = tmp_path / "a.tsv", tmp_path / "b.jsonl"
    table.write_text(
        "# 说明\nreport\turgent\tmanhole\t\t井盖没了\nreport\t井盖\nnews\t\t\t\t听说了\n", encoding="utf-8"
    )
    corrections.write_text(
        '{"text": "灯坏了", "kind": "report", "topic": "street_light"}\n{"text": 3}\n{\n', encoding="utf-8"
    )
    read, faults = read_seeds([table, corrections])
    assert read == [
        Seed("井盖没了", Kind.REPORT, Urgency.URGENT, "manhole"),
        Seed("灯坏了", Kind.REPORT, Urgency.NORMAL, "street_light"),
    ]
    assert [(fault.file, fault.line) for fault in faults] == [
        ("a.tsv", 3),
        ("a.tsv", 4),
        ("b.jsonl", 2),
        ("b.jsonl", 3),
    ]
    assert faults[0] == Fault("a.tsv", 3, "每行要有五格，用 Tab 隔开：类别、紧急程度、话题、备注、原话")
