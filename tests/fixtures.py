"""Fixtures that all tests share: a real database file, a session in it, and a moment that stands still; registered by conftest.py."""

import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import Engine, event

from core.keys import load_or_make
from storage import database as databases
from storage import schema
from storage.base import Session
from storage.database import Database
from tests.chromium import windows  # noqa: F401  # a fixture
from tests.engines import maker
from tests.nursery import nursery  # noqa: F401  # a fixture
from tests.postgres import database_kind_of, postgres, postgres_for_all, postgres_server  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from tests.postgres import Shared
    from tests.stage import Stage


# What structlog does by default, but for the looks.
PLAIN = [
    *structlog.get_config()["processors"][:-1],
    structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
]


@event.listens_for(Engine, "checkout")
def _without_waiting_for_the_disk(connection: Any, record: Any, *_: object) -> None:
    """Nobody mourns a test database: what only a power cut could take is not looked at here."""
    if isinstance(connection, sqlite3.Connection) and "is_quick" not in record.info:
        connection.execute("PRAGMA synchronous=OFF")
        record.info["is_quick"] = True


@pytest.fixture(autouse=True, scope="session")
def _compiled_once() -> Iterator[None]:
    """All databases of a run share what the library has compiled for the first: a seventh of the time of a test that is a whole program."""
    patch = pytest.MonkeyPatch()
    patch.setattr(databases, "create_engine", maker())
    yield
    patch.undo()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The tests named in tests/postgres.py run on SQLite and on PostgreSQL."""
    if "database_kind" in metafunc.fixturenames:
        kinds = database_kind_of(Path(metafunc.module.__file__ or ""))
        marked = [pytest.param(kind, marks=pytest.mark.postgres) if kind == "postgres" else kind for kind in kinds]
        if kinds != ("sqlite",):
            metafunc.parametrize("database_kind", marked, indirect=True)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The test's own logging, put back afterwards; a fault's trace is plain, for a painted one takes half a second."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.configure(PLAIN)
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def now() -> datetime:
    """Saturday 21 November 2026, ten in the morning in China."""
    return datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """sqlite, or postgres where a test runs on both."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, to be copied: migrating once saves a third of a second a test."""
    folder = tmp_path_factory.mktemp("template")
    made = Database(f"sqlite:///{folder / 'wuwei.sqlite3'}", load_or_make(folder / "wuwei.key"))
    schema.upgrade(made)
    made.close()
    return folder / "wuwei.sqlite3"


def start_anew(template: Path, folder: Path) -> None:
    """The folder as the first start leaves it: an empty database and its key."""
    folder.mkdir(parents=True)
    shutil.copyfile(template, folder / "wuwei.sqlite3")
    copy_of_key(template, folder)


def copy_of_key(template: Path, folder: Path) -> Path:
    """The template's key in this folder: making one waits for the disk."""
    return Path(shutil.copy(template.with_name("wuwei.key"), folder / "wuwei.key"))


@pytest.fixture
def database_url(
    database_kind: str, tmp_path: Path, sqlite_template: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of an empty database at the newest schema."""
    if database_kind == "postgres":
        shared: Shared = request.getfixturevalue("postgres_for_all")
        yield shared.url
        shared.empty()
    else:
        shutil.copyfile(sqlite_template, tmp_path / "wuwei.sqlite3")
        yield f"sqlite:///{tmp_path / 'wuwei.sqlite3'}"


@pytest.fixture
def database(database_url: str, tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """An empty database at the newest schema."""
    made = Database(database_url, load_or_make(copy_of_key(sqlite_template, tmp_path)))
    yield made
    made.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session; what the test does in it is committed at the end."""
    with database.writing() as opened:
        yield opened


@pytest.fixture(params=["telegram", "simulator"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> AsyncIterator["Stage"]:
    """The whole program on each platform; see tests/stage.py."""
    from tests.stage import raise_stage  # most tests need none of it

    made = await raise_stage(request.param, tmp_path / "stage", sqlite_template)
    yield made
    await made.close()
