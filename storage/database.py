"""The engine, its pragmas, and the only place that begins and commits transactions.

On SQLite every write of the process goes through one writer thread and its queue: a second writing connection beside a busy one
would get "database is locked". On PostgreSQL the same code runs in a few worker threads.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import sessionmaker

from core.errors import ConfigError
from core.keys import Keyring
from storage.base import Session
from storage.leaving import RowWriter

Result = TypeVar("Result")

# Below this many free bytes a start is refused: a full disk in mid-commit helps nobody.
LEAST_FREE_BYTES = 50 * 1024 * 1024
# A quarter of the standard library's time, and Chinese as it is written, which is half as long.
AS_JSON: dict[str, Any] = {
    "json_serializer": lambda value: msgspec.json.encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
}
POSTGRES_WRITERS = 4
READERS = 4


class Database:
    """One database. `write` and `read` run a plain function in a transaction, off the event loop."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.keyring = keyring
        if self.is_sqlite:
            _check_disk(Path(self.url.database or "."))
        self.engine = self._make_engine()
        self._row_writer = RowWriter(self.engine.dialect)
        self._sessions = sessionmaker(self.engine, class_=Session, expire_on_commit=False, autoflush=False)
        self._writers = ThreadPoolExecutor(1 if self.is_sqlite else POSTGRES_WRITERS, thread_name_prefix="writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    def _make_engine(self) -> Engine:
        if not self.is_sqlite:
            return create_engine(
                self.url, hide_parameters=True, pool_pre_ping=True, pool_size=POSTGRES_WRITERS + READERS, **AS_JSON
            )
        # Rows are people's words: an error must not quote them.
        connect_args = {"timeout": 30, "check_same_thread": False}
        engine = create_engine(self.url, hide_parameters=True, connect_args=connect_args, **AS_JSON)
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction that may write; commits at the end, rolls back on any exception."""
        yield from self._transaction(is_write=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One transaction that only reads; nothing it does is kept."""
        yield from self._transaction(is_write=False)

    def _transaction(self, *, is_write: bool) -> Iterator[Session]:
        session = self._sessions()
        session.keyring, session.row_writer = self.keyring, self._row_writer
        session.memo = {}
        session._left = {}
        try:
            session.connection(execution_options={"wuwei_write": is_write})
            yield session
            if is_write:
                session.flush()
                _commit(session)
        finally:
            session.close()

    async def write(self, work: Callable[[Session], Result]) -> Result:
        """Runs `work` in a writing transaction in the writer's thread; returns after the commit."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, partial(self._run, work, True))

    async def read(self, work: Callable[[Session], Result]) -> Result:
        """Runs `work` in a reading transaction in a reader's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(self._run, work, False))

    def _run(self, work: Callable[[Session], Result], is_write: bool) -> Result:
        with self.writing() if is_write else self.reading() as session:
            return work(session)

    def is_alive(self) -> bool:
        """Whether a statement can be run."""
        with self.reading() as session:
            return bool(session.execute(text("select 1")).scalar_one() == 1)

    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self.engine.dispose()


def _commit(session: Session) -> None:
    """Commits, or gives the connection up: SQLite leaves a transaction open whose COMMIT it refused (a reference to nothing, a
    full disk), and the next to get that connection could not begin one."""
    try:
        session.commit()
    except BaseException:
        session.invalidate()
        raise


def _check_disk(file: Path) -> None:
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        raise ConfigError([f"数据文件夹 {folder} 所在的磁盘快满了（不足 50 MB）；请先腾出空间再启动"])


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    # A write takes the lock at once: a deferred one could fail in the middle when another process writes.
    is_write = connection.get_execution_options().get("wuwei_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
