"""All sealed columns at once: sealing them anew after a key was added, and how many of them the keys still open."""

from dataclasses import dataclass

from sqlalchemy import Column, LargeBinary, Table, select, update

from storage.base import Session
from storage.tables import metadata

SUFFIX = "_sealed"


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many sealed values there are that the keys open, and how many they do not."""

    open: int
    lost: int


def _columns() -> list[tuple[Table, Column[bytes]]]:
    """Every sealed column there is, by its name: a new one must not be forgotten here."""
    return [
        (table, column)
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.endswith(SUFFIX) and isinstance(column.type, LargeBinary)
    ]


def count(session: Session, *, most: int | None = None) -> Sealed:
    """Tries the keys on all values, or on the first `most` of each column."""
    opened = lost = 0
    for _, column in _columns():
        for value in session.scalars(select(column).where(column.is_not(None)).limit(most)):
            if session.keyring.open(value) is None:
                lost += 1
            else:
                opened += 1
    return Sealed(opened, lost)


def reseal(session: Session) -> Sealed:
    """Every value that can be opened is sealed with the newest key afterwards; the others stay as they are."""
    opened = lost = 0
    for table, column in _columns():
        key = next(iter(table.primary_key.columns))
        for row_id, value in session.execute(select(key, column).where(column.is_not(None))).all():
            fresh = session.keyring.reseal(value)
            if fresh is None:
                lost += 1
                continue
            session.execute(update(table).where(key == row_id).values({column: fresh}))
            opened += 1
    return Sealed(opened, lost)
