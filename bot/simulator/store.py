"""The made-up platform's own SQLite file. It stands for a foreign company's servers, so nothing of ours is in it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ConfigError

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE people (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL, area TEXT NOT NULL,
    has_blocked_bot INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL);
CREATE TABLE groups (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, area TEXT NOT NULL, has_bot INTEGER NOT NULL DEFAULT 1,
    position INTEGER NOT NULL);
CREATE TABLE members (
    chat TEXT NOT NULL REFERENCES groups(id), person TEXT NOT NULL REFERENCES people(id),
    position INTEGER NOT NULL, PRIMARY KEY (chat, person));
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, chat TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL, buttons TEXT NOT NULL,
    reply_to INTEGER, album TEXT, at TEXT NOT NULL, is_edited INTEGER NOT NULL DEFAULT 0,
    is_deleted INTEGER NOT NULL DEFAULT 0, dedupe_key TEXT UNIQUE);
CREATE INDEX messages_of_chat ON messages (chat, id);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES messages(id), kind TEXT NOT NULL,
    media_type TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, content BLOB NOT NULL);
CREATE INDEX files_of_message ON files (message, id);
CREATE TABLE presses (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES messages(id), person TEXT NOT NULL,
    button TEXT NOT NULL, at TEXT NOT NULL, answer TEXT);
CREATE TABLE updates (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# Came later: an older file gets it at the next start.
ADDED = """
CREATE TABLE IF NOT EXISTS gone_buttons (
    message INTEGER NOT NULL REFERENCES messages(id), button TEXT NOT NULL, PRIMARY KEY (message, button));
"""


class Store:
    """One connection to the file; a lock lets threads share it, one transaction after the other."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._prepare(path)

    def _prepare(self, path: Path) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            self._connection.close()
            raise ConfigError([f"{path.name} 是另一个版本的模拟器写的，请换一个数据目录，或删掉这个文件重新开始。"])
        self._connection.executescript(ADDED)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is written, or nothing. A transaction inside another joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def fact(self, name: str) -> str | None:
        row = self.row("SELECT value FROM facts WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def keep_fact(self, name: str, value: str) -> None:
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value))

    def close(self) -> None:
        with self._lock:
            self._connection.close()
