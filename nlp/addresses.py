"""How well buildings are read out of addresses: over rows {text, parts}, the parts being [words, label] in order and a building's label
`houseno`, as in the address data of Li et al., Neural Chinese Address Parsing, NAACL 2019. No area tree helps."""

import re
from collections.abc import Iterator, Mapping, Sequence

from nlp.evaluate import rate
from nlp.normalise import normalise
from nlp.numerals import CHINESE_DIGITS, read_number
from nlp.places import NOWHERE

LABEL = "houseno"
_NUMBER = re.compile(rf"[\da-z{CHINESE_DIGITS}]+")
_WRITTEN_OUT = re.compile(r"[幢栋座#]|号楼")


def judge_addresses(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The share of addresses whose building was read, and of those that write out what it is: 3幢, 3号楼."""
    read = [(words, _is_read(text, words)) for text, words in _buildings(rows)]
    written_out = [is_read for words, is_read in read if _WRITTEN_OUT.search(words)]
    return {
        "addresses": len(read),
        "building_read": rate(sum(is_read for _, is_read in read), len(read)),
        "building_read_written_out": rate(sum(written_out), len(written_out)),
    }


def _buildings(rows: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    """Each address that has a building, with the first one's words."""
    for row in rows:
        parts = row.get("parts")
        labelled = (
            [part for part in parts if isinstance(part, list) and len(part) == 2] if isinstance(parts, list) else []
        )
        words = next((str(words) for words, label in labelled if label == LABEL), "")
        if words:
            yield normalise(str(row.get("text") or "")), normalise(words)


def _is_read(text: str, words: str) -> bool:
    number = _NUMBER.search(words)
    building = read_number(number[0]) if number else None
    return building is not None and any(place.building == building for place in NOWHERE.find(text))
