"""Rows that nobody reads again before they are written: one prepared statement a table, filled in by plain functions.

The library's own way builds a dictionary of parameters for every row from scratch, which for thousands of small rows costs more than
SQLite does.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, insert

Row = dict[str, Any]
Filler = Callable[[Any], Any]


class RowWriter:
    """Writes rows given as columns. One serves an engine: it remembers the statements that it has prepared."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[tuple[Table, tuple[str, ...]], tuple[str, Callable[[Row], Any]]] = {}

    def write(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """One statement for all rows; every row has the columns of the first, in its order. What is left out gets its default."""
        key = (table, tuple(rows[0]))
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepared[key] = self._prepare(table, set(rows[0]))
        statement, fill = prepared
        connection.exec_driver_sql(statement, [fill(row) for row in rows])

    def _prepare(self, table: Table, given: set[str]) -> tuple[str, Callable[[Row], Any]]:
        columns = {one.name: one for one in table.columns if one.name in given or one.default is not None}
        if unknown := given - columns.keys():
            raise TypeError(f"{table.name} has no {', '.join(sorted(unknown))}")
        compiled = insert(table).compile(dialect=self._dialect, column_keys=list(columns))
        order = list(compiled.positiontup or columns)
        defaults = dict.fromkeys(columns.keys() - given)
        fillers: list[tuple[int, Filler]] = []
        for index, name in enumerate(order):
            bind = columns[name].type.dialect_impl(self._dialect).bind_processor(self._dialect)
            if name not in given:
                fillers.append((index, _default(columns[name], bind)))
            elif bind is not None:
                fillers.append((index, bind))
        pick = itemgetter(*order) if len(order) > 1 else lambda row: (row[order[0]],)

        def fill(row: Row) -> tuple[Any, ...]:
            values = list(pick({**defaults, **row}))
            for index, filler in fillers:
                values[index] = filler(values[index])
            return tuple(values)

        if compiled.positiontup is not None:
            return str(compiled), fill
        return str(compiled), lambda row: dict(zip(order, fill(row), strict=True))


def _default(column: Column[Any], bind: Filler | None) -> Filler:
    """Makes the value of a column that no row names."""
    default = column.default
    if default is None or not (default.is_scalar or default.is_callable):
        raise TypeError(f"{column} has a default that only the library can work out")
    if default.is_scalar:
        constant = bind(default.arg) if bind else default.arg  # type: ignore[attr-defined]  # a scalar default has it
        return lambda _: constant
    make = default.arg  # type: ignore[attr-defined]  # as above, of one blank
    return (lambda _: bind(make(None))) if bind else (lambda _: make(None))
