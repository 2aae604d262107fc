"""A key file that has gone missing beside data it has sealed: the start is refused, and there is a way on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import open_database
from bot.commands import keys
from core.config import Settings
from core.errors import ConfigError
from domain import people
from storage.people import Person

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def with_a_phone(folder: Path) -> Settings:
    settings = Settings(data_folder=folder)
    database = open_database(settings)
    with database.writing() as session:
        person = Person(name="李明", created_at=NOW)
        session.add(person)
        people.set_phone(session, person, "13000000001")
    database.close()
    return settings


def test_start_without_the_old_key_is_refused_and_makes_no_new_one(tmp_path: Path) -> None:
    settings = with_a_phone(tmp_path)
    kept = settings.key_path.read_bytes()
    settings.key_path.unlink()

    with pytest.raises(ConfigError) as refused:
        open_database(settings)
    assert "不见了" in refused.value.faults[0]
    assert "wuwei key new" in refused.value.faults[1]
    assert not settings.key_path.exists()

    settings.key_path.write_bytes(kept)
    database = open_database(settings)
    with database.reading() as session:
        assert people.phone_of(session, session.query(Person).one()) == "13000000001"
    database.close()


def test_new_key_lets_the_program_start_and_the_old_number_stays_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = with_a_phone(tmp_path)
    monkeypatch.setenv("WUWEI_DATA_FOLDER", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        keys.new(None)
    assert "没有丢" in refused.value.faults[0]

    settings.key_path.unlink()
    keys.new(None)

    database = open_database(settings)
    with database.reading() as session:
        assert people.phone_of(session, session.query(Person).one()) is None
    database.close()


def test_first_start_makes_a_key(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)
    open_database(settings).close()
    assert settings.key_path.stat().st_mode & 0o777 == 0o600
