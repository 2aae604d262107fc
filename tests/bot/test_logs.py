"""What is planted in a log line does not come out of it: tokens, numbers, names, texts, and the values behind a fault."""

import json
import logging
import sqlite3
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from bot import logs
from core.config import LogSettings

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
PLANTED = {
    "token": TOKEN,
    "address": f"https://api.telegram.org/bot{TOKEN}/getMe",
    "link": "https://wuwei.example/sign-in/abcDEF_123-xyz",
    "database": "postgresql+psycopg://wuwei:s3cret@db/wuwei",
    "phone": "13812345678",
    "spaced": "138 1234 5678",
    "card": "110101199003071234",
    "number": 13812345678,
    "name": "王小明",
    "text": "3号楼的王小明家漏水",
    "nested": {"sender": {"name": "欧阳娜娜", "phones": ["13912345678", 13912345678]}},
}
SECRETS = (
    "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0",
    "abcDEF_123",
    "s3cret",
    "1381234",
    "1234 56",
    "19900307",
    "139123",
    "王",
    "漏",
    "欧阳",
)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_scrub_lets_nothing_planted_through(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings())
    structlog.get_logger("bot").error("planted", **PLANTED)
    logging.getLogger("library").warning("sent %s to %s of %s", "王小明", "13812345678", TOKEN)
    written = capsys.readouterr().err
    assert [word for word in SECRETS if word in written] == []
    ours, theirs = (json.loads(line) for line in written.splitlines())
    assert ours["event"] == "planted"
    assert ours["address"] == "https://api.telegram.org/***/getMe"
    assert ours["link"] == "https://wuwei.example/sign-in/***"
    assert ours["database"] == "postgresql+psycopg://wuwei:***@db/wuwei"
    assert ours["number"] == "***"
    assert theirs["event"] == "sent … to 138******78 of ***"


def test_scrub_keeps_ids_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings())
    kept = {
        "id": 251234567890123456,
        "chat_id": "-1001234567890123",
        "size": 200,
        "seconds": 0.5,
        "done": True,
        "why": None,
    }
    structlog.get_logger("bot").info("kept", **kept)
    (line,) = lines(capsys)
    assert {name: line[name] for name in kept} == kept
    assert set(line) - set(kept) == {"event", "level", "timestamp"}


# Not written where it is used: lines of code do come out.
RESIDENT = "Wang Xiaoming"


def fail(resident: str) -> None:
    words = f"{resident} 说 13812345678"
    raise KeyError(words)


def test_traceback_carries_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings())
    try:
        try:
            fail(RESIDENT)
        except KeyError as error:
            raise ValueError(f"no such resident: {error}") from error
    except ValueError:
        structlog.get_logger("bot").error("failed", exc_info=True)
    (line,) = lines(capsys)
    told = line["exception"]
    assert "Wang" not in told
    assert "no such resident: K" not in told
    assert "1381" not in told
    assert told.splitlines()[-1] == "builtins.KeyError"
    assert "builtins.ValueError\nbecause of:" in told
    assert "in fail" in told  # where it was is what we need


@pytest.mark.parametrize("as_json", [True, False])
def test_traceback_of_a_library_carries_no_values(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings(as_json=as_json))
    try:
        fail(RESIDENT)
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    written = capsys.readouterr().err
    assert "Exception in ASGI application" in written
    assert "in fail" in written
    assert "Wang" not in written
    assert "1381" not in written


def test_traceback_keeps_what_system_and_database_say(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings())
    log = structlog.get_logger("bot")
    driver = sqlite3.IntegrityError("UNIQUE constraint failed: account.channel\nDETAIL: Wang")
    log.error("full", exc_info=OSError(28, "No space left on device", "photo-of-Wang.jpg"))
    log.error("twice", exc_info=IntegrityError("INSERT …", {"name": "Wang"}, driver))
    full, twice = lines(capsys)
    assert full["exception"] == "builtins.OSError: No space left on device"
    assert twice["exception"] == "sqlalchemy.exc.IntegrityError: UNIQUE constraint failed: account.channel"


def test_loud_libraries_are_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings(level="debug"))
    for name in logs.LOUD_LIBRARIES:
        logging.getLogger(name).info("GET https://api.telegram.org/bot%s/getUpdates", TOKEN)
    logging.getLogger("else").info("heard")
    assert [line["event"] for line in lines(capsys)] == ["heard"]


def test_stroke_left_out_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings(level="debug"))
    logging.getLogger("apscheduler.scheduler").warning("Execution of job skipped: maximum number of running instances")
    logging.getLogger("apscheduler.executors.default").warning("was missed")
    assert [line["event"] for line in lines(capsys)] == ["was missed"]


def test_level_decides_what_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(LogSettings(level="warning"))
    log = structlog.get_logger("bot")
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]
