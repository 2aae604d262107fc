"""Brings a database to this program's schema with alembic, and refuses one that a newer program has made."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.errors import ConfigError
from storage.database import Database

FOLDER = Path(__file__).parent / "migrations"


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = database.engine
    return config


def current(database: Database) -> str | None:
    """The revision the database stands at; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The newest revision this program knows."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def is_known(database: Database, revision: str | None) -> bool:
    """Whether this program can bring a database of this revision to its own; an empty one too."""
    known = {script.revision for script in ScriptDirectory.from_config(_config(database)).walk_revisions()}
    return revision is None or revision in known


def upgrade(database: Database) -> None:
    """Afterwards the database stands at `newest()`. A database of a newer program is refused untouched."""
    revision = current(database)
    if not is_known(database, revision):
        raise ConfigError([f"数据库的版本（{revision}）比程序新；请换回较新的程序，或用旧程序的备份恢复"])
    if revision != newest():
        command.upgrade(_config(database), "head")
