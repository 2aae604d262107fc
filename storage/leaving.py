"""Rows that nobody reads again before they are written: one prepared statement a table, filled in column by column.

The library's own way builds a dictionary of parameters for every row from scratch, which for thousands of small rows costs more than
SQLite does.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from itertools import repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, insert

from core.ids import new_id

Row = dict[str, Any]
Values = Sequence[Sequence[Any]]
# Makes one column of the statement out of the columns given and the number of rows.
Maker = Callable[[Values, int], Iterable[Any]]


class RowWriter:
    """Writes rows given as columns. One serves an engine: it remembers the statements that it has prepared."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[tuple[Table, tuple[str, ...]], tuple[str, Callable[[Values, int], Any]]] = {}

    def write(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """One statement for all rows; every row has the columns of the first. What is left out gets its default."""
        names = tuple(rows[0])
        pick = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
        given = {name: _plain(values) for name, values in zip(names, zip(*map(pick, rows), strict=True), strict=True)}
        filled = {name: values for name, values in given.items() if not _is_empty(table, name, values)}
        key = (table, tuple(filled))
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepared[key] = self._prepare(*key)
        statement, fill = prepared
        connection.exec_driver_sql(statement, fill(list(filled.values()), len(rows)))

    def _prepare(self, table: Table, given: tuple[str, ...]) -> tuple[str, Callable[[Values, int], Any]]:
        columns = {one.name: one for one in table.columns if one.name in given or one.default is not None}
        if unknown := set(given) - columns.keys():
            raise TypeError(f"{table.name} has no {', '.join(sorted(unknown))}")
        compiled = insert(table).compile(dialect=self._dialect, column_keys=list(columns))
        order = list(compiled.positiontup or columns)
        makers = [self._maker(columns[name], given.index(name) if name in given else None) for name in order]

        def fill(values: Values, count: int) -> list[tuple[Any, ...]]:
            return list(zip(*(make(values, count) for make in makers), strict=True))

        if compiled.positiontup is not None:
            return str(compiled), fill
        return str(compiled), lambda values, count: [dict(zip(order, row, strict=True)) for row in fill(values, count)]

    def _maker(self, column: Column[Any], place: int | None) -> Maker:
        """`place` is where the column stands among those given; None where it is left out."""
        bind = column.type.dialect_impl(self._dialect).bind_processor(self._dialect)
        if place is not None:
            return (lambda values, _: map(bind, values[place])) if bind else (lambda values, _: values[place])
        default = column.default
        if default is None or not (default.is_scalar or default.is_callable):
            raise TypeError(f"{column} has a default that only the library can work out")
        if default.is_scalar:
            constant = bind(default.arg) if bind else default.arg  # type: ignore[attr-defined]  # a scalar default has it
            return lambda _, count: repeat(constant, count)
        if column.primary_key:
            return lambda _, count: new_id.many(count)
        make = default.arg  # type: ignore[attr-defined]  # as above, of one blank
        return lambda _, count: [bind(make(None)) if bind else make(None) for _ in range(count)]


def _plain(values: Sequence[Any]) -> Sequence[Any]:
    """The driver looks long for how to write a member of an enumeration; a text or a number it writes at once."""
    return [one.value if isinstance(one, Enum) else one for one in values] if isinstance(values[0], Enum) else values


def _is_empty(table: Table, name: str, values: Sequence[Any]) -> bool:
    """Whether no row has anything there, and the column is empty by itself: a None too makes the driver look long."""
    if values[0] is not None or values.count(None) < len(values):
        return False
    column = table.columns.get(name)
    if column is None or not column.nullable or column.type.should_evaluate_none:
        return False
    return column.default is None and column.server_default is None
