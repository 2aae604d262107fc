"""Bringing a backup back: checked whole before anything is touched, and made safe to go on with before it takes its place."""

import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from bot import postgres
from bot.backup import (
    BLOCK,
    FORMAT,
    MANIFEST,
    MEDIA,
    POSTGRES_COPY,
    SQLITE_COPY,
    Manifest,
    refuse_while_running,
    sqlite_file,
)
from core.config import Settings
from core.errors import ConfigError
from core.keys import Keyring, load_or_make
from domain import restoring, sealing
from storage import schema
from storage.base import Session
from storage.database import LEAST_FREE_BYTES, Database

# The only names a backup has. Whatever else stands in a tar file (../, /etc, links) is refused with the whole of it.
MEMBER = re.compile(
    rf"{MANIFEST}|{SQLITE_COPY}|{POSTGRES_COPY}|{MEDIA}/[0-9a-f]{{2}}/[0-9a-f]{{62}}".replace(".", r"\.")
)
ASIDE, STAGING = "before-restore-", ".restoring-"
LARGEST_MANIFEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was brought back, what was done to it, how much of the sealed data opens, and where the old data lies now."""

    manifest: Manifest
    restored: restoring.Restored
    sealed: sealing.Sealed
    aside: Path | None


def restore(settings: Settings, file: Path, *, now: datetime, is_forced: bool = False) -> RestoreReport:
    """Afterwards the data folder holds the backup, ready to start with. Until all of it is checked nothing is changed.

    Old data is never deleted: with `is_forced` it is moved into a folder beside. The key file stays where it is.
    """
    refuse_while_running(settings)
    folder = settings.data_folder
    folder.mkdir(parents=True, exist_ok=True)
    old = _old_data(settings)
    if old and not is_forced:
        raise ConfigError(
            [f"数据文件夹 {folder} 不是空的；加 --force 会先把里面的内容移到 {ASIDE}… 文件夹，再恢复（不会删除）"]
        )
    staging = Path(tempfile.mkdtemp(dir=folder, prefix=STAGING))
    try:
        manifest = _unpack(file, staging)
        _check_kind(settings, manifest)
        restored, sealed = _prepare(settings, staging, manifest, now)
        aside = _move_aside(folder, old, now)
        _move_in(settings, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return RestoreReport(manifest, restored, sealed, aside)


def _old_data(settings: Settings) -> list[Path]:
    keys = {settings.key_path.resolve(), settings.key_path.with_suffix(".new").resolve()}
    names = [path for path in settings.data_folder.iterdir() if path.resolve() not in keys]
    old = [path for path in names if not path.name.startswith((ASIDE, STAGING)) and path.name != "lost+found"]
    elsewhere = sqlite_file(settings)
    if elsewhere is not None and elsewhere.exists() and elsewhere.resolve() not in {path.resolve() for path in old}:
        old.append(elsewhere)
    return old


def _unpack(file: Path, staging: Path) -> Manifest:
    """Every member of the backup, hashed on the way, and nothing that is not one."""
    digests: dict[str, str] = {}
    try:
        with tarfile.open(file, "r:*") as tar:
            for member in tar:
                if not member.isreg() or MEMBER.fullmatch(member.name) is None or member.name in digests:
                    raise ConfigError([f"{file} 里有不该有的内容（{member.name[:80]!r}），没有恢复；请换一份备份"])
                digests[member.name] = _extract(tar, member, staging)
    except FileNotFoundError:
        raise ConfigError([f"找不到备份文件 {file}"]) from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ConfigError([f"备份文件 {file} 读不出来（{type(error).__name__}），没有恢复；可能没有传完整"]) from None
    manifest = _manifest(staging / MANIFEST, file)
    del digests[MANIFEST]
    wrong = sorted(
        name for name in digests.keys() | manifest.files.keys() if digests.get(name) != manifest.files.get(name)
    )
    if wrong:
        raise ConfigError([f"备份文件 {file} 有 {len(wrong)} 处与清单不符（例如 {wrong[0]}），没有恢复；请换一份备份"])
    return manifest


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, staging: Path) -> str:
    if shutil.disk_usage(staging).free < member.size + LEAST_FREE_BYTES:
        raise ConfigError(["磁盘空间不够放下这份备份；请先腾出空间"])
    target = staging / member.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    source = tar.extractfile(member)
    assert source is not None  # a regular file
    with source, target.open("wb") as copy:
        target.chmod(0o600)
        for block in iter(partial(source.read, BLOCK), b""):
            digest.update(block)
            copy.write(block)
    return digest.hexdigest()


def _manifest(path: Path, file: Path) -> Manifest:
    if not path.is_file() or path.stat().st_size > LARGEST_MANIFEST:
        raise ConfigError([f"{file} 不是五微的备份：里面没有清单"])
    try:
        manifest = msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Manifest)
    except (ValueError, msgspec.ValidationError):
        raise ConfigError([f"{file} 的清单读不懂，没有恢复；请换一份备份"]) from None
    if manifest.format != FORMAT:
        raise ConfigError([f"{file} 是另一个版本的程序做的备份（格式 {manifest.format}）；请用那个版本的程序恢复"])
    return manifest


def _check_kind(settings: Settings, manifest: Manifest) -> None:
    kind = "sqlite" if sqlite_file(settings) is not None else "postgresql"
    if manifest.database != kind:
        raise ConfigError([f"备份里是 {manifest.database} 数据库，而配置的是 {kind}；请把 database.url 改成一样的"])


def _prepare(
    settings: Settings, staging: Path, manifest: Manifest, now: datetime
) -> tuple[restoring.Restored, sealing.Sealed]:
    """Brings the rows to this program's schema and settles them, before they take their place."""
    keyring = load_or_make(settings.key_path)
    detail = {"made_at": manifest.made_at}

    def settle(session: Session) -> tuple[restoring.Restored, sealing.Sealed]:
        return restoring.settle(session, now=now, detail=detail), sealing.count(session)

    database = _staged(settings, staging, keyring)
    try:
        schema.upgrade(database)
        with database.writing() as session:
            return settle(session)
    finally:
        database.close()


def _staged(settings: Settings, staging: Path, keyring: Keyring) -> Database:
    if sqlite_file(settings) is not None:
        return Database(f"sqlite:///{staging / SQLITE_COPY}", keyring)
    database = Database(settings.database_url, keyring)
    if schema.current(database) is not None:
        database.close()
        raise ConfigError(["PostgreSQL 数据库不是空的；请新建一个空的数据库，写进 database.url，再恢复"])
    postgres.restore(database.url.render_as_string(hide_password=False), staging / POSTGRES_COPY)
    return database


def _move_aside(folder: Path, old: list[Path], now: datetime) -> Path | None:
    """Into a folder inside: the data folder itself may be a mounted volume that cannot be renamed."""
    if not old:
        return None
    aside = folder / f"{ASIDE}{now:%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    for path in old:
        shutil.move(path, aside / path.name)
    return aside


def _move_in(settings: Settings, staging: Path) -> None:
    target = sqlite_file(settings)
    if target is not None:
        shutil.move(staging / SQLITE_COPY, target)
    if (staging / MEDIA).exists():
        shutil.move(staging / MEDIA, settings.media_folder)


def made_at(manifest: Manifest) -> datetime:
    """When the backup was made."""
    return datetime.fromisoformat(manifest.made_at)
