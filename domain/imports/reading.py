"""Reading a file of rows: Excel, CSV or TOML, as text with the row numbers that its author sees. What the columns mean is not known here."""

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from core.errors import ImportFaults
from core.texts import say

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 20_000
EXCEL_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".et"})
TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv"})
DELIMITERS = ",\t;"
# Characters that are there and cannot be seen: marks of the byte order, joiners, what a web page leaves in a cell.
UNSEEN = re.compile(r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
TOML_TABLE = re.compile(r"^\s*\[\[[^\[\]\n]+\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table. `number` is what its author sees beside it: the row in Excel, the line of `[[…]]` in TOML."""

    number: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        return not any(self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """A file's lines that are not blank, headers included. All cells are trimmed text."""

    name: str
    lines: tuple[Line, ...]


def read_table(path: Path) -> Table:
    """The first sheet or table of a file. A file that cannot be read is refused with ImportFaults."""
    if not path.is_file():
        raise _fault("not_found", name=path.name)
    _check_size(path.stat().st_size)
    return parse_table(path.name, path.read_bytes())


def parse_table(name: str, content: bytes) -> Table:
    """Like `read_table`, of an uploaded file: its name tells the format."""
    _check_size(len(content))
    suffix = Path(name).suffix.lower()
    if suffix in EXCEL_SUFFIXES:
        lines = _excel(content)
    elif suffix in TEXT_SUFFIXES:
        lines = _csv(_decode(content))
    elif suffix == ".toml":
        lines = _toml(_decode(content))
    else:
        raise _fault("bad_suffix", name=name)
    kept = tuple(line for line in lines if not line.is_blank)
    if len(kept) < 2:
        raise _fault("no_rows")
    if len(kept) > MOST_ROWS:
        raise _fault("too_many_rows", count=len(kept), most=MOST_ROWS)
    return Table(name, kept)


def _fault(key: str, **blanks: object) -> ImportFaults:
    return ImportFaults([say("imports.file", fault=say(f"imports.{key}", **blanks))])


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise _fault("too_large", size=-(-size // 1024**2), most=MOST_BYTES // 1024**2)


def _line(number: int, cells: Iterable[object]) -> Line:
    return Line(number, tuple(_text(cell) for cell in cells))


def _text(cell: object) -> str:
    """A cell as its author reads it: 3 and not 3.0, a day without midnight, TOML's lists as the Chinese do."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, list):
        return "、".join(_text(each) for each in cell)
    return " ".join(UNSEEN.sub("", str(cell)).split())


def _excel(content: bytes) -> list[Line]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            # Rows above the first filled one count too: the numbers must be those on the screen.
            rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=MOST_ROWS + 2)
    except PasswordError:
        raise _fault("locked") from None
    except CalamineError:
        raise _fault("not_excel") from None
    return [_line(number, row) for number, row in enumerate(rows, start=1)]


def _decode(content: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 as Excel saves "Unicode text", else the Chinese Windows encoding."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for attempt in (encoding, "gb18030"):
        try:
            return content.decode(attempt)
        except UnicodeDecodeError:
            continue
    raise _fault("not_text")


def _csv(text: str) -> list[Line]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines: list[Line] = []
    try:
        # Records are counted, not lines: a cell may hold several lines, and Excel shows it as one row.
        lines.extend(_line(number, cells) for number, cells in enumerate(reader, start=1))
    except csv.Error:
        raise _fault("bad_csv", row=len(lines) + 1) from None
    return lines


def _toml(text: str) -> list[Line]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise _fault("bad_toml", fault=fault) from None
    lists = [value for value in document.values() if isinstance(value, list) and value]
    if len(lists) != 1 or not all(isinstance(each, dict) for each in lists[0]):
        raise _fault("toml_shape")
    records: Sequence[dict[str, object]] = lists[0]
    headers = list(dict.fromkeys(name for record in records for name in record))
    starts = [text.count("\n", 0, found.end()) + 1 for found in TOML_TABLE.finditer(text)]
    # Written in one line as an array of inline tables, a record has no line of its own: then they are counted.
    numbers = starts if len(starts) == len(records) else range(1, len(records) + 1)
    lines = [_line(number, map(record.get, headers)) for number, record in zip(numbers, records, strict=True)]
    return [_line(0, headers), *lines]
