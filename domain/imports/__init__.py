"""Bringing in the grid and its people from files of staff: all of a file or nothing, and the same file twice changes nothing.

Reading is in reading.py, columns and faults in columns.py; areas.py and people.py know what the rows mean.
"""

from domain.imports.areas import import_areas
from domain.imports.columns import ImportReport
from domain.imports.people import import_people
from domain.imports.reading import Table, parse_table, read_table

__all__ = ["ImportReport", "Table", "import_areas", "import_people", "parse_table", "read_table"]
