"""`wuwei nlp train --with-corrections`: what was corrected counts as lines to train with."""

from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import open_database
from bot.cli import app
from core.config import Settings
from domain import corrections
from nlp.seeds import SEEDS
from tests import builders


def test_corrections_of_the_database_are_trained_with(
    tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(Settings(data_folder=tmp_path / "data"))
    with database.writing() as session:
        place = builders.community(session)
        who = builders.person(session, "李叔")
        for text in ("3号楼路灯不亮", "3号楼电梯坏了"):
            corrections.not_meant(session, builders.case(session, place, now, text=text), by_id=who.id, now=now)
    database.close()
    lines = (SEEDS / "report.tsv").read_text(encoding="utf-8").splitlines()
    some = [line for line in lines if not line.startswith("#")][:40]
    (tmp_path / "some.tsv").write_text("\n".join(some) + "\n", encoding="utf-8")
    (tmp_path / "config.toml").write_text(f'data_folder = "{(tmp_path / "data").as_posix()}"\n', encoding="utf-8")
    command = ["nlp", "train", str(tmp_path / "some.tsv"), "--out", str(tmp_path / "model.json")]
    told = CliRunner().invoke(app, [*command, "--with-corrections", "--config", str(tmp_path / "config.toml")])
    assert (told.exit_code, told.output.split("\n")[0]) == (0, f"用 42 行训练，写入 {tmp_path / 'model.json'}")
    told = CliRunner().invoke(app, command)
    assert told.output.startswith("用 40 行训练")
