"""Fixtures that all tests share: a real database file, a session in it, and a moment that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from core.keys import load_or_make
from storage import schema
from storage.base import Session
from storage.database import Database


@pytest.fixture
def now() -> datetime:
    """Saturday 21 November 2026, ten in the morning in China."""
    return datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database at the newest schema."""
    made = Database(f"sqlite:///{tmp_path / 'wuwei.sqlite3'}", load_or_make(tmp_path / "wuwei.key"))
    schema.upgrade(made)
    yield made
    made.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session; what the test does in it is committed at the end."""
    with database.writing() as opened:
        yield opened
