"""When something comes round: a rule read from Chinese words, its canonical text, and the moments it names.

Nothing here reads a table or the clock; what is repeated (announcements, clauses, visits) is another noun's matter.
"""

from domain.recurrence.grammar import parse_recurrence
from domain.recurrence.moments import next_after, out_of_quiet, upcoming
from domain.recurrence.rule import DEFAULT_TIME, Pattern, Recurrence, describe

__all__ = [
    "DEFAULT_TIME",
    "Pattern",
    "Recurrence",
    "describe",
    "next_after",
    "out_of_quiet",
    "parse_recurrence",
    "upcoming",
]
