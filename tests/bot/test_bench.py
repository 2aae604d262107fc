"""The command that measures: its JSON, its words for a person, and that it finds out when something is wrong."""

import json
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.bench import callbacks, command, community, contenders, slow_disk, stage, updates
from bot.bench.contenders import OURS, Load
from bot.bench.figures import Round, Row
from bot.bench.processes import MeasuringError
from bot.bench.stage import QUICK
from bot.bench.updates import CASE, CHATTER, REPEAT
from bot.channels.wecom.app_reading import to_incoming
from bot.channels.wecom.callbacks import CallbackDoor
from bot.channels.wecom.crypto import Envelope
from core.errors import ConfigError
from core.hooks import HookCall

TINY = replace(QUICK, rounds=1, seconds=0.8, kills=1, timer_rounds=1, blocking_jobs=200, broadcast_sends=60)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "QUICK", TINY)
    monkeypatch.setattr(stage, "HARVESTED", 600)


def test_mix_is_that_of_the_protocol() -> None:
    some = list(updates.updates(4000))
    parts = [update.part for update in some]
    shares = {part: round(parts.count(part) / 4000, 2) for part in (CHATTER, CASE, REPEAT)}
    assert shares[CHATTER] == pytest.approx(0.70, abs=0.02)
    assert shares[CASE] == pytest.approx(0.25, abs=0.02)
    assert shares[REPEAT] == pytest.approx(0.05, abs=0.01)
    bodies = {update.number: update.body for update in some if update.part != REPEAT}
    assert all(update.body == bodies[update.number] for update in some)
    assert len(bodies) == 4000 - parts.count(REPEAT)


def test_row_says_median_and_extremes_of_the_ratios_of_its_rounds() -> None:
    row = Row(1, "n", "u", (Round(10, 5), Round(30, 10), Round(8, 8)), floor=1.5, goal=3, moonshot=5)
    said = row.as_json()
    assert {name: said[name] for name in ("row", "ours", "peer", "ratio", "ratio_min", "ratio_max", "reached")} == {
        "row": 1,
        "ours": 10,
        "peer": 8,
        "ratio": 2,
        "ratio_min": 1,
        "ratio_max": 3,
        "reached": "floor",
    }
    assert said["rounds"] == [
        {"ours": 10, "peer": 5, "ratio": 2},
        {"ours": 30, "peer": 10, "ratio": 3},
        {"ours": 8, "peer": 8, "ratio": 1},
    ]


@pytest.mark.parametrize(("ours", "reached"), [(10, "moonshot"), (20, "goal"), (60, "below the floor")])
def test_row_that_should_be_small_is_judged_by_its_own_figure(ours: float, reached: str) -> None:
    row = Row(7, "n", "ms", (Round(ours),), 50, 25, 15, judged="ours", is_less_better=True)
    assert (row.reached, row.ratio, row.peer) == (reached, None, None)


def test_skipped_row_is_shown_with_its_reason() -> None:
    row = Row(4, "慢磁盘", "条/秒", skipped="没有编译器")
    assert row.as_line() == " 4  慢磁盘：跳过——没有编译器"
    assert (row.as_json()["skipped"], row.as_json()["rounds"], row.as_json()["ratio"]) == ("没有编译器", [], None)


def test_unknown_rows_are_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="没有第 6、99 行的测量；可以测的行：1、2、3"):
        command.main([1, 6, 99], True, True)


def test_peer_that_is_not_installed_is_skipped_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(contenders.PEERS, contenders.NONEBOT, ("nonebot_echo.py", ("not_there_at_all.adapter",)))
    assert "没有安装 nonebot2 的测量部分" in contenders.missing(contenders.NONEBOT)


def test_slow_disk_without_a_compiler_is_skipped_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(slow_disk.NoCompiler, match="C 编译器"):
        slow_disk.build(tmp_path)


async def test_callbacks_say_what_the_updates_say() -> None:
    """Row 17 is fair only where both programs hear the same words of the same residents, each time under another seal."""
    envelope = Envelope(community.CALLBACK_TOKEN, community.AES_KEY, community.CORP)
    door = CallbackDoor(envelope, time.time)
    some = list(updates.updates(300, is_private=True))
    heard = []
    for update in some:
        query, _, body = callbacks.callback(envelope, update).partition(b"\t")
        opened = door.open(HookCall("POST", query.decode(), {}, body))
        assert opened is not None
        assert not opened.is_repeated
        door.note_worked(opened)
        incoming = to_incoming(opened.text, community.WECOM_ACCOUNT, datetime.now(UTC))
        assert incoming is not None and incoming.sender is not None
        heard.append((incoming.external_id, incoming.text, incoming.sender.external_id))
    said = [(str(one.number), json.loads(one.body)["message"]) for one in some]
    assert heard == [
        (number, message["text"], community.member(message["from"]["id"] - updates.FIRST_RESIDENT))
        for number, message in said
    ]
    assert {message["chat"]["type"] for _, message in said} == {"private"}


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_command_prints_the_promised_json(capsys: pytest.CaptureFixture[str]) -> None:
    command.main([5, 13], True, True)
    said = json.loads(capsys.readouterr().out)
    assert sorted(said) == ["machine", "rows"]
    assert {"processor", "cores", "python", "sqlite", "fdatasync_ms"} <= set(said["machine"])
    assert [row["row"] for row in said["rows"]] == [5, 13]
    for row in said["rows"]:
        assert {"row", "name", "ours", "peer", "ratio", "rounds"} <= set(row)
        assert len(row["rounds"]) == 1
        assert row["ours"] > 0
        assert row["ratio"] == pytest.approx(row["ours"] / row["peer"], rel=0.01)
    assert said["rows"][1]["detail"]["worst_one_second"] <= 30


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_acknowledged_but_not_stored_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check behind every figure, on a server that forgets: a row is taken out of the inbox behind its back."""
    checked = contenders.check_stored

    def after_a_loss(data: Path, *more: object) -> tuple[int, int]:
        with sqlite3.connect(data / "wuwei.sqlite3") as connection:
            connection.execute("DELETE FROM received WHERE outcome = 'silent' AND external_id <> '1'")
        connection.close()
        return checked(data, *more)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(contenders, "check_stored", after_a_loss)
    with stage.stage(TINY) as here, pytest.raises(MeasuringError, match="acknowledged updates are not in the database"):
        contenders.run(here, OURS, Load(here.mix_bodies, here.mix, TINY.seconds))
