"""Brings a database to this program's schema with alembic, and refuses one that a newer program has made.

Alembic itself is only loaded when there is something to do: most starts find the newest schema.
"""

from pathlib import Path

from sqlalchemy import inspect, text

from core.errors import ConfigError
from storage.database import Database

FOLDER = Path(__file__).parent / "migrations"


def current(database: Database) -> str | None:
    """The revision the database stands at; None for an empty one."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
        return revision


def _revisions() -> list[str]:
    """Every revision this program knows, the oldest first: a migration's file begins with its number."""
    return sorted(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))


def newest() -> str:
    """The newest revision this program knows."""
    return _revisions()[-1]


def is_known(revision: str | None) -> bool:
    """Whether this program can bring a database of this revision to its own; an empty one too."""
    return revision is None or revision in _revisions()


def upgrade(database: Database) -> None:
    """Afterwards the database stands at `newest()`. A database of a newer program is refused untouched."""
    revision = current(database)
    if not is_known(revision):
        raise ConfigError([f"数据库的版本（{revision}）比程序新；请换回较新的程序，或用旧程序的备份恢复"])
    if revision != newest():
        _migrate(database)


def _migrate(database: Database) -> None:
    from alembic import command  # noqa: PLC0415 - slow, and needed once for each new version of the program
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = database.engine
    command.upgrade(config, "head")
