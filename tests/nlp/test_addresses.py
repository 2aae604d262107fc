"""Buildings of addresses are counted right, and rows that name none are left out."""

import json
from pathlib import Path

from typer.testing import CliRunner

from bot.cli import app
from nlp.addresses import judge_addresses


def test_buildings_are_counted_and_those_written_out_beside() -> None:
    figures = judge_addresses(
        [
            {"text": "柳湾花园12幢3单元", "parts": [["柳湾花园", "poi"], ["12幢", "houseno"], ["3单元", "cellno"]]},
            {"text": "柳湾花园207号", "parts": [["柳湾花园", "poi"], ["207号", "houseno"]]},
            {"text": "青石大楼14号", "parts": [["青石大楼", "poi"], ["14号", "houseno"]]},
            {"text": "青石路", "parts": [["青石路", "road"]]},
            {"text": "没有标注"},
            {"text": "标注不对", "parts": [["3幢"], "houseno", None]},
        ]
    )
    assert figures == {
        "addresses": 3,
        "building_read": {"value": 0.6667, "of": 3, "interval": [0.208, 0.939]},
        "building_read_written_out": {"value": 1.0, "of": 1, "interval": [0.207, 1.0]},
    }


def test_no_address_gives_no_figure() -> None:
    assert judge_addresses([])["building_read"] == {"value": None, "of": 0, "interval": None}


def test_command_tells_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "addresses.jsonl"
    file.write_text(
        json.dumps({"text": "5栋2单元", "parts": [["5栋", "houseno"]]}, ensure_ascii=False), encoding="utf-8"
    )
    told = CliRunner().invoke(app, ["nlp", "addresses", str(file), "--json"])
    assert (told.exit_code, json.loads(told.output)["building_read"]["value"]) == (0, 1.0)
    told = CliRunner().invoke(app, ["nlp", "addresses", str(file)])
    assert told.output.splitlines()[:2] == ["addresses: 1", "building_read: 100.0%  n=1  95% 20.7%–100.0%"]
