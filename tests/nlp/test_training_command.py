"""`wuwei nlp train` makes a model from lines, or topics from labelled texts, and says what it is worth."""

import json
from pathlib import Path

import pytest

from bot.commands.understanding import train_files
from core.errors import ConfigError
from nlp.model import load_model

SEEDS = [
    "report\t\tlift\t\t电梯坏了",
    "report\t\tleak\t\t水管漏水",
    "report\t\tlift\t\t电梯不动",
    "report\t\tleak\t\t墙漏水",
] + [f"chatter\t\t\t\t{line}" for line in ("吃饭去", "早上好", "天气真好", "晚安", "周末爬山", "哈哈")]


def test_lines_make_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.tsv").write_text("\n".join([*SEEDS, "坏行"]), encoding="utf-8")
    train_files([tmp_path / "own.tsv"], tmp_path / "m.json")
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == f"用 10 行训练，写入 {tmp_path / 'm.json'}"
    assert [line.split(":")[0] for line in said.out.splitlines()[1:4]] == ["precision", "recall", "false_alarms"]
    assert said.err.startswith("own.tsv 第 11 行已跳过：")
    assert load_model(tmp_path / "m.json").codes == ("leak", "lift")


def test_labelled_texts_make_topics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [("水管漏水 天花板湿了", "a"), ("楼上水管漏水不修", "a"), ("小学招生的学校", "b"), ("学校老师收费", "b")]
    rows = [json.dumps({"text": text, "label": label}) for text, label in texts]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    train_files([tmp_path / "rows.jsonl"], tmp_path / "t.json")
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
        "macro_f1",
        "accuracy",
        "in_three",
    ]
    assert json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["labels"] == ["a", "b"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"找不到文件"):
        train_files([tmp_path / "none.tsv"], tmp_path / "m.json")
