"""Engines that share what the library has compiled, for processes that open one test database after another."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine

# More than the whole suite says.
MOST_STATEMENTS = 5000


def maker() -> Callable[..., Engine]:
    """A `create_engine` whose engines of one kind all know the statements that any of them has compiled."""
    first: dict[str, Engine] = {}

    def make(url: URL, **options: Any) -> Engine:
        engine = create_engine(url, query_cache_size=MOST_STATEMENTS, **options)
        known = first.setdefault(engine.dialect.name, engine)
        if known is not engine:
            _ask_once(engine.dialect, known.dialect)
        engine.dialect, engine._compiled_cache = known.dialect, known._compiled_cache
        return engine

    return make


def _ask_once(asking: Dialect, known: Dialect) -> None:
    """What database this is one of them finds out for all."""

    def initialize(connection: Connection) -> None:
        if known.server_version_info is None:
            known.initialize(connection)

    asking.initialize = initialize  # type: ignore[method-assign]  # the library asks at its first connection
