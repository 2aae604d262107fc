"""Media that no row names is deleted after an hour; what is named, or fresh, stays."""

import os
import time
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import pytest

from bot import sweeper
from bot.scheduler import Ticker
from core.clock import FixedClock
from core.config import KeepSettings
from core.ids import new_id
from core.media import CleanMedia, path_of, save
from core.messages import AttachmentKind
from domain import retention
from storage.base import Session
from storage.database import Database
from storage.messages import File, FileState


def keep(folder: Path, data: bytes, *, minutes: float) -> str:
    """A file of the media folder that was written so long ago; its hash."""
    sha256 = save(folder, CleanMedia(data, AttachmentKind.PHOTO, "image/jpeg"))
    age(path_of(folder, sha256), minutes)
    return sha256


def age(path: Path, minutes: float) -> None:
    at = time.time() - minutes * 60
    os.utime(path, (at, at))


def name(database: Database, sha256: str, now: datetime) -> int:
    """A row that names the file; its key."""
    key = new_id()
    with database.writing() as session:
        session.add(
            File(
                id=key, channel="console", account="", kind="photo", external_id=sha256, state=FileState.STORED,
                due_at=now, sha256=sha256,
            )
        )  # fmt: skip
    return key


def left(folder: Path) -> set[str]:
    return {sweeper.hash_of(path) for path in folder.glob("*/*")}


async def test_only_old_files_that_nobody_names_go(database: Database, now: datetime, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    named, old, fresh = (keep(folder, data, minutes=age) for data, age in ((b"a", 90), (b"b", 61), (b"c", 59)))
    name(database, named, now)
    assert await sweeper.sweep(database, folder) == 1
    assert left(folder) == {named, fresh}
    assert old not in left(folder)
    assert await sweeper.sweep(database, folder) == 0


async def test_file_goes_after_its_row(database: Database, now: datetime, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    key = name(database, keep(folder, b"a", minutes=90), now)
    ticker = Ticker(database, FixedClock(now), KeepSettings(), wake=lambda: None, media_folder=folder)
    await ticker.clean()
    assert len(left(folder)) == 1
    with database.writing() as session:
        session.delete(session.get_one(File, key))
    await ticker.clean()
    assert left(folder) == set()


async def test_what_an_interrupted_writing_left_goes_too(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "media" / "ab"
    folder.mkdir(parents=True)
    for unfinished, minutes in ((".unfinished-1", 90), (".unfinished-2", 1)):
        (folder / unfinished).write_bytes(b"x")
        age(folder / unfinished, minutes)
    assert await sweeper.sweep(database, folder.parent) == 1
    assert [path.name for path in folder.iterdir()] == [".unfinished-2"]


async def test_no_folder_is_nothing_to_sweep(database: Database, tmp_path: Path) -> None:
    assert await sweeper.sweep(database, tmp_path / "nowhere") == 0


async def test_same_photo_sent_again_makes_the_file_fresh(database: Database, tmp_path: Path) -> None:
    """Its row is not committed yet."""
    folder = tmp_path / "media"
    sha256 = keep(folder, b"a", minutes=90)
    save(folder, CleanMedia(b"a", AttachmentKind.PHOTO, "image/jpeg"))
    assert await sweeper.sweep(database, folder) == 0
    assert left(folder) == {sha256}


async def test_file_freshened_while_it_goes_is_put_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "media"
    sha256 = keep(folder, b"a", minutes=90)
    in_use = retention.hashes_in_use

    def freshened(session: Session, hashes: Collection[str]) -> set[str]:
        save(folder, CleanMedia(b"a", AttachmentKind.PHOTO, "image/jpeg"))
        return in_use(session, hashes)

    monkeypatch.setattr(retention, "hashes_in_use", freshened)
    assert await sweeper.sweep(database, folder) == 0
    assert left(folder) == {sha256}


async def test_many_files_are_asked_about_in_parts(
    database: Database, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "AT_ONCE", 2)
    folder = tmp_path / "media"
    hashes = [keep(folder, bytes([number]), minutes=90 + number) for number in range(5)]
    for sha256 in hashes[1::2]:
        name(database, sha256, now)
    assert await sweeper.sweep(database, folder) == 3
    assert left(folder) == set(hashes[1::2])
