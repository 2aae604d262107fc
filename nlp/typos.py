"""Typing errors by sound, read as what was meant: 媒气 is 煤气, 警盖 is 井盖.

Only two characters that are no word and hardly ever meet in other words are read so; the list is nlp/data/typos.txt.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from nlp.tables import DATA, Fault

TYPOS = DATA / "typos.txt"
NONE = "-"


def load_typos(path: Path = TYPOS) -> tuple[Mapping[str, str], tuple[Fault, ...]]:
    """What was typed to what was meant, two characters each, and what had to be skipped."""
    meant: dict[str, str] = {}
    faults: list[Fault] = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as fault:
        return {}, (Fault(path.name, 1, f"打不开这个文件：{fault.strerror}"),)
    for number, line in enumerate(lines, 1):
        cells = line.split()
        if not cells or line.startswith("#"):
            continue
        if len(cells) != 3 or len(cells[0]) != 2:
            faults.append(Fault(path.name, number, "每行要有三格：两个字的词、第一个字的错字、第二个字的错字"))
            continue
        word, firsts, seconds = cells
        typed = [first + word[1] for first in firsts if firsts != NONE]
        typed += [word[0] + second for second in seconds if seconds != NONE]
        meant.update(dict.fromkeys(typed, word))
    return meant, tuple(faults)


@cache
def shipped_typos() -> Mapping[str, str]:
    """The list that comes with the program, read once."""
    return load_typos()[0]


def mend(text: str, pairs: Iterable[str]) -> str:
    """The normalised text as it was meant, of the same length. `pairs` are its pairs of neighbours, whatever else is among
    them; a text without any such error is given back as it is."""
    typos = shipped_typos()
    for typed in sorted(typos.keys() & pairs):
        text = text.replace(typed, typos[typed])
    return text
