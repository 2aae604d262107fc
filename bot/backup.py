"""One file that holds an installation: a consistent copy of the database, the photos and a manifest; never the key.

Made while the program runs. Bringing one back is bot/restore.py.
"""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from bot import postgres
from core.config import Settings
from core.errors import ConfigError
from storage import schema
from storage.database import Database

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE_COPY = "wuwei.sqlite3"
POSTGRES_COPY = "wuwei.dump"
MEDIA = "media"
# Photos are packed already; more effort on them only costs time.
COMPRESSION = 3
BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `files` are the sha256 of each member by name."""

    made_at: str
    database: str
    schema: str
    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def photos(self) -> int:
        return sum(name.startswith(f"{MEDIA}/") for name in self.files)


def backup(database: Database, settings: Settings, file: Path, *, now: datetime) -> Manifest:
    """Afterwards `file` (.tar.gz, or .tar for no compression) holds the installation as it stood at one moment.

    It is written beside its place and moved there whole; a file that is there already is refused.
    """
    if file.exists():
        raise ConfigError([f"文件 {file} 已经存在；请换一个名字"])
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".wuwei-backup-") as folder:
            manifest = _write(database, settings, part, Path(folder), now)
        part.replace(file)
    except OSError as error:
        raise ConfigError([f"备份没有写成（{error.strerror}）；请检查 {file.parent} 的权限和剩余空间"]) from None
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(database: Database, settings: Settings, part: Path, folder: Path, now: datetime) -> Manifest:
    name = SQLITE_COPY if database.is_sqlite else POSTGRES_COPY
    copy = folder / name
    if database.is_sqlite:
        rows = _copy_sqlite(Path(database.url.database or ""), copy)
    else:
        postgres.dump(database.url.render_as_string(hide_password=False), copy)
        rows = {}
    kind = "sqlite" if database.is_sqlite else "postgresql"
    manifest = Manifest(now.isoformat(), kind, schema.current(database) or "", rows)
    # The personal data of a community: for its owner only, from the first byte.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        mode = "w" if part.name.removesuffix(".part").endswith(".tar") else "w:gz"
        options = {"compresslevel": COMPRESSION} if mode == "w:gz" else {}
        with tarfile.open(fileobj=target, mode=mode, **options) as tar:  # type: ignore[call-overload]  # chosen by the name
            manifest.files[name] = _add(tar, name, copy)
            # After the database: every photo that the copy knows is there by now.
            for path in _photos(settings.media_folder):
                member = f"{MEDIA}/{path.relative_to(settings.media_folder).as_posix()}"
                digest = _add(tar, member, path)
                if digest:
                    manifest.files[member] = digest
            _add_text(tar, MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1))
        target.flush()
        os.fsync(target.fileno())
    return manifest


def _copy_sqlite(source: Path, target: Path) -> dict[str, int]:
    """One consistent copy, in one read transaction: writers go on meanwhile. Returns the number of rows of each table."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, no -wal beside it
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise ConfigError(["数据库文件有损坏，没有备份；请先用上一次的备份恢复"])
        names = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608 - our own tables


def _photos(folder: Path) -> Iterator[Path]:
    """Finished files only: the name of one being written begins with a dot."""
    found = (path for path in sorted(folder.rglob("*")) if not path.name.startswith("."))
    return (path for path in found if path.is_file() and not path.is_symlink())


def _add(tar: tarfile.TarFile, name: str, path: Path) -> str:
    """Adds a file and returns its sha256; empty when it has gone meanwhile (the nightly clean-up)."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            member = tarfile.TarInfo(name)
            member.size = os.fstat(file.fileno()).st_size
            member.mode = 0o600
            tar.addfile(member, file)
            return digest
    except FileNotFoundError:
        return ""


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    tar.addfile(member, io.BytesIO(data))


def sqlite_file(settings: Settings) -> Path | None:
    """Where the SQLite file lies; None on PostgreSQL."""
    url = settings.database_url
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def refuse_while_running(settings: Settings) -> None:
    """Refused while another process has the SQLite file open. (On PostgreSQL nobody can tell.)"""
    path = sqlite_file(settings)
    if path is None or not path.is_file():
        return
    with closing(sqlite3.connect(path, timeout=0.2)) as probe:
        try:
            # Leaving WAL needs the file alone: it fails while any other connection is open.
            probe.execute("PRAGMA journal_mode=DELETE").fetchone()
            probe.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError:
            raise ConfigError(["程序还在运行；请先停下它，再运行这个命令"]) from None
