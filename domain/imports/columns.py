"""From a table's lines to rows with known columns, and the list of everything that is wrong with a file."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ImportFaults
from core.texts import say
from domain.imports.reading import Line, Table

# Ledgers often carry a title and a date above their headers.
LINES_ABOVE_HEADERS = 5
SHOWN = 20
COLUMN_SEPARATOR = "、"


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is called: by us, on our forms, and otherwise. `most` letters fit in a cell."""

    name: str
    title: str
    others: tuple[str, ...] = ()
    is_required: bool = False
    most: int = 60

    def is_headed(self, header: str) -> bool:
        return header in {_plain(each) for each in (self.name, self.title, *self.others)}


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a column that the file does not have is empty."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: Column) -> str:
        return self.cells.get(column.name, "")

    def has(self, column: Column) -> bool:
        """Whether the file has this column, be it empty."""
        return column.name in self.cells


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, in rows of the file. `ignored` are its columns that nothing was made of."""

    added: int
    changed: int
    unchanged: int
    ignored: tuple[str, ...] = ()


class Faults:
    """Gathers what is wrong with a file, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []

    def add(self, row: int, column: Column, key: str, **blanks: object) -> None:
        """Notes a fault of a cell: `key` is a sentence of core/texts/zh/imports.toml; long values are cut."""
        short = {name: _shortened(value) if name == "value" else value for name, value in blanks.items()}
        fault = say(f"imports.{key}", **short)
        self._found.append((row, say("imports.at", row=row, column=column.title, fault=fault)))

    def add_to_file(self, key: str, **blanks: object) -> None:
        self._found.append((0, say("imports.file", fault=say(f"imports.{key}", **blanks))))

    def raise_if_any(self) -> None:
        """Refuses the file with every fault, from the first row down."""
        if self._found:
            raise ImportFaults([text for _, text in sorted(self._found, key=lambda found: found[0])])


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _plain(header: str) -> str:
    """A header without blanks, case, and what stands in brackets behind it: 负责区域（编码） → 负责区域."""
    header = re.sub(r"[\s_*]", "", unicodedata.normalize("NFKC", header)).lower()
    return re.sub(r"\(.*\)$", "", header)


def clean_code(text: str) -> str:
    """A code as it is compared: full-width letters and digits count as plain ones."""
    return unicodedata.normalize("NFKC", text).replace(" ", "")


def rows_of(table: Table, columns: Sequence[Column], faults: Faults) -> tuple[list[Row], tuple[str, ...]]:
    """The table's rows and the headers that are none of `columns`. Without its required columns a file is refused at once."""
    header = _header_line(table, columns)
    found: dict[int, Column] = {}
    ignored: list[str] = []
    for index, cell in enumerate(header.cells):
        column = next((each for each in columns if each.is_headed(_plain(cell))), None)
        if column is None:
            ignored += [cell] if cell else []
        elif column in found.values():
            faults.add_to_file("double_column", column=column.title)
        else:
            found[index] = column
    titles = COLUMN_SEPARATOR.join(column.title for column in columns)
    for column in columns:
        if column.is_required and column not in found.values():
            faults.add_to_file("missing_column", column=column.title, columns=titles)
    faults.raise_if_any()
    body = table.lines[table.lines.index(header) + 1 :]
    rows = [Row(line.number, _cells(line, found)) for line in body]
    rows = [row for row in rows if any(row.cells.values())]
    if not rows:
        faults.add_to_file("no_rows")
        faults.raise_if_any()
    _check_lengths(rows, columns, faults)
    return rows, tuple(ignored)


def _header_line(table: Table, columns: Sequence[Column]) -> Line:
    """The line among the first ones that looks most like headers."""

    def likeness(line: Line) -> int:
        plain = {_plain(cell) for cell in line.cells}
        return sum(any(column.is_headed(header) for header in plain) for column in columns)

    return max(table.lines[:LINES_ABOVE_HEADERS], key=likeness)


def _cells(line: Line, columns: dict[int, Column]) -> dict[str, str]:
    return {column.name: line.cells[index] for index, column in columns.items() if index < len(line.cells)}


def _check_lengths(rows: Sequence[Row], columns: Sequence[Column], faults: Faults) -> None:
    for row in rows:
        for column in columns:
            if len(row[column]) > column.most:
                faults.add(row.number, column, "too_long", count=len(row[column]), most=column.most)
