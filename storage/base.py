"""What all tables share: the declarative base, the key column, aware times and the session type with its keyring."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Annotated, Any, TypeVar, cast

from sqlalchemy import BigInteger, DateTime, Dialect, ForeignKey, MetaData, Table, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.orm import Session as PlainSession

from core.ids import new_id
from core.keys import Keyring
from storage.leaving import RowWriter

# As SQLite keeps a moment: "2026-11-21 03:04:05.000006", always in UTC.
WRITTEN_LENGTH = 26


class AwareTime(TypeDecorator[datetime]):
    """An aware moment, in UTC. A naive one is refused: it would silently mean another hour."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the library's signature
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the library's signature
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """For SQLite the text that the library would write too, made by one call instead of a format of eight figures."""
        return _written if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


@lru_cache(maxsize=256)  # a batch writes the same moment a hundred times
def _written(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:WRITTEN_LENGTH]


def _read(written: str | None) -> datetime | None:
    # The zone read with it takes a sixth of the time that setting it afterwards does.
    return None if written is None else datetime.fromisoformat(written + "+00:00")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: AwareTime(), int: BigInteger()}  # noqa: RUF012 - the library reads it so


# Checked at the commit, not at each statement: one flush may then insert the rows of a batch in any order.
refers = partial(ForeignKey, deferrable=True, initially="DEFERRED")

Row = TypeVar("Row")

# A key made by the application: no insert waits for the database to number it.
Key = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False, default=new_id)]


class Session(PlainSession):
    """A SQLAlchemy session that also carries the installation's keyring, for the few columns that are sealed, and a memo."""

    keyring: Keyring
    row_writer: RowWriter
    # What one transaction has looked up and may use again: rosters, accounts, places. Gone with the transaction.
    memo: dict[tuple[object, ...], Any]

    _left: dict[type[Base], list[dict[str, Any]]]

    def leave(self, table: type[Base], /, **columns: Any) -> None:
        """A row that nobody reads again before it is written: history, reminders. The rows of a batch go out in one statement
        at the next flush, at a fifth of what a mapped object costs."""
        self._left.setdefault(table, []).append(columns)

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Writes what is pending, then the rows left."""
        super().flush(objects)
        left, self._left = self._left, {}
        for table, rows in left.items():
            self.row_writer.write(self.connection(), cast(Table, table.__table__), rows)

    def recall(self, kind: type[Row], key: int) -> Row | None:
        """Like `get`, and holds on to the row until the transaction ends: the identity map alone forgets it."""
        found = self.memo.get((kind, key))
        if found is None:
            found = self.memo[kind, key] = self.get(kind, key)
        return cast(Row | None, found)
