"""Both segmenters cut alike with our words, without noise and without files in shared folders."""

import re
import sys
import tempfile
from pathlib import Path

import pytest

from nlp.segment import JiebaSegmenter, RjiebaSegmenter, build_segmenter
from nlp.topics import shipped_tables

LINES = Path(__file__).parent / "data" / "lines.tsv"
# rjieba keeps 3-2-502 whole where jieba cuts it; the places matcher reads those, so they are taken out first.
RUNS = re.compile(r"[0-9a-zA-Z.:\-#+%]+")


def lines() -> list[str]:
    rows = LINES.read_text(encoding="utf-8").splitlines()
    return [RUNS.sub(" ", row.split("\t")[2]) for row in rows if row and not row.startswith("#")]


@pytest.fixture(scope="module")
def words() -> frozenset[str]:
    return shipped_tables().words


def test_rjieba_and_jieba_cut_alike(words: frozenset[str], capfd: pytest.CaptureFixture[str]) -> None:
    fast, plain = RjiebaSegmenter(sorted(words)), JiebaSegmenter(sorted(words))
    different = [line for line in lines() if fast.cut(line) != plain.cut(line)]
    assert different == []
    assert capfd.readouterr() == ("", "")


def test_topic_words_stay_whole(words: frozenset[str]) -> None:
    assert "高龄补贴" in words
    assert build_segmenter(words).cut("高龄补贴问消防通道") == ["高龄补贴", "问", "消防通道"]


def test_jieba_keeps_no_cache_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert JiebaSegmenter(["井盖"]).cut("井盖坏了") == ["井盖", "坏", "了"]
    assert list(tmp_path.iterdir()) == []


def test_jieba_takes_over_where_rjieba_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rjieba", None)
    assert isinstance(build_segmenter(["井盖"]), JiebaSegmenter)
