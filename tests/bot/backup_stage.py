"""An installation to back up, and its backup brought back elsewhere."""

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import open_database
from bot.backup import backup
from bot.restore import RestoreReport, restore
from core.config import DatabaseSettings, Settings
from storage.base import Session
from storage.database import Database
from storage.people import Role
from tests import builders

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=10)
PHOTO = b"\xff\xd8 a photo of a pothole"
PHOTO_NAME = hashlib.sha256(PHOTO).hexdigest()
PHONE = "13812345678"


def settings_in(tmp_path: Path) -> Settings:
    """Those of the installation that is backed up."""
    return Settings(data_folder=tmp_path / "data", database=DatabaseSettings())


@contextmanager
def installation(settings: Settings) -> Iterator[Database]:
    """An installation with a community, a person with a phone, a case with its messages, and a photo."""
    made = open_database(settings)
    with made.writing() as session:
        place = builders.community(session)
        builders.person(session, "周倩", Role.ADMINISTRATOR, place.id, phone=PHONE)
        builders.private_chat(session, builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id), NOW)
        builders.case(session, place, NOW, chat=builders.group(session, place, NOW))
    file = settings.media_folder / PHOTO_NAME[:2] / PHOTO_NAME[2:]
    file.parent.mkdir(parents=True)
    file.write_bytes(PHOTO)
    (file.parent / ".unfinished-abc").write_bytes(b"half a photo")
    yield made
    made.close()


def other(tmp_path: Path) -> Settings:
    return Settings(data_folder=tmp_path / "other", database=DatabaseSettings())


def bring_key(source: Settings, target: Settings) -> None:
    target.data_folder.mkdir(parents=True, exist_ok=True)
    target.key_path.write_bytes(source.key_path.read_bytes())


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        found = {}
        for member in tar:
            source = tar.extractfile(member)
            assert source is not None
            found[member.name] = source.read()
        return found


def restored(
    database: Database, settings: Settings, tmp_path: Path, prepare: Callable[[Session], None] = lambda _: None
) -> tuple[Settings, RestoreReport]:
    """A backup of this installation brought back elsewhere, ten hours later."""
    with database.writing() as session:
        prepare(session)
    backup(database, settings, tmp_path / "b.tar.gz", now=NOW)
    target = other(tmp_path)
    bring_key(settings, target)
    return target, restore(target, tmp_path / "b.tar.gz", now=LATER)
