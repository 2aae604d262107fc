"""What nearly every command begins with: the settings, the logs, and a database at the newest schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot import logs
from bot.app import open_database
from core.config import Settings, load
from storage.database import Database

DEFAULT = Path("config.toml")


def settings_of(config: Path | None) -> Settings:
    """The settings of the named file, else of config.toml here, else of the environment alone.

    A command that ends by itself says what it did; its logs are only what went wrong.
    """
    path = config or (DEFAULT if DEFAULT.is_file() else None)
    settings = load(path)
    logs.set_up(settings.log.model_copy(update={"level": "warning"}))
    return settings


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
