"""The broom: media that no row names any more is deleted from the disk, once it has lain there for a while.

What the tables forget is domain/retention.py. A file is written before the row that names it is committed, and an upload may be of
bytes that lie here already: core.media.save freshens such a file, and what is fresh is left alone.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from domain import retention
from storage.database import Database

GRACE = timedelta(hours=1)
AT_ONCE = 500
GOING = ".going-"


async def sweep(database: Database, folder: Path) -> int:
    """Deletes the files that nobody needs; returns how many."""
    before = time.time() - GRACE.total_seconds()
    old = await asyncio.to_thread(_old_files, folder, before)
    count = 0
    for start in range(0, len(old), AT_ONCE):
        some = old[start : start + AT_ONCE]
        hashes = [hash_of(path) for path in some]
        in_use = await database.read(lambda session: retention.hashes_in_use(session, hashes))  # noqa: B023 - awaited at once
        unused = [path for path, sha256 in zip(some, hashes, strict=True) if sha256 not in in_use]
        count += await asyncio.to_thread(_delete, unused, before)
    return count


def hash_of(path: Path) -> str:
    """What a row would call this file (see core.media.path_of); of an unfinished one, something that no row has."""
    return path.parent.name + path.name


def _old_files(folder: Path, before: float) -> list[Path]:
    """Whole files and what an interrupted writing left, both untouched for a while."""
    return [path for path in folder.glob("??/*") if (at := _changed_at(path)) is not None and at < before]


def _changed_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def _delete(paths: Sequence[Path], before: float) -> int:
    """Each is taken away first and looked at again: somebody may just have freshened it for a row of theirs."""
    count = 0
    for path in paths:
        going = path.with_name(f"{GOING}{path.name}")
        try:
            path.rename(going)
        except FileNotFoundError:
            continue
        changed_at = _changed_at(going)
        if changed_at is not None and changed_at >= before:
            going.rename(path)
            continue
        going.unlink(missing_ok=True)
        count += 1
    return count
