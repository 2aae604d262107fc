"""Looking for words in cases: as people type them, full width or half, with blanks or without, 十三号楼 or 13号楼.

What is stored is what was said; so both sides are brought to one writing, the words here and the columns by the database.
"""

import re

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from nlp.normalise import normalise
from nlp.numerals import CHINESE_DIGITS, read_number
from storage.areas import Area
from storage.cases import Case

WIDE_DIGITS = tuple((chr(0xFF10 + digit), str(digit)) for digit in range(10))
BLANKS = ((" ", ""), ("\u3000", ""))
COUNTED = "(?=号|栋|幢|座|单元|组|楼|层|室|户|弄)"
# A blank between a number and what it counts parts no words: 13 号楼.
AFTER_NUMBERS = re.compile(rf"(?<=[\d{CHINESE_DIGITS}])\s+{COUNTED}")
NUMBERED = re.compile(rf"[{CHINESE_DIGITS}]+{COUNTED}")


def fits(words: str) -> ColumnElement[bool]:
    """Each of the words stands in the number, the text, the place, or the name of the area; or all of them do as they were typed."""
    columns = (Case.number, Case.text, Case.place)
    as_typed = or_(*(column.icontains(words, autoescape=True) for column in columns))
    terms = AFTER_NUMBERS.sub("", normalise(words).strip()).split()
    if not terms:
        return as_typed
    return or_(as_typed, and_(true(), *(_fits_term(term) for term in terms)))


def _fits_term(term: str) -> ColumnElement[bool]:
    in_digits = NUMBERED.sub(lambda found: read_number(found[0]) or found[0], term)
    ways = dict.fromkeys((term, in_digits))
    written = [_plain(column).icontains(way, autoescape=True) for column in (Case.text, Case.place) for way in ways]
    named = select(Area.id).where(or_(*(Area.name.icontains(way, autoescape=True) for way in ways)))
    return or_(Case.number.icontains(term, autoescape=True), *written, Case.area_id.in_(named))


def _plain(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """The column without blanks, its digits half width. Nested, because not every database has translate()."""
    plain: ColumnElement[str] = func.replace(column, *BLANKS[0])
    for sign, in_its_place in (*BLANKS[1:], *WIDE_DIGITS):
        plain = func.replace(plain, sign, in_its_place)
    return plain
