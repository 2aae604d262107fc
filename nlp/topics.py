"""What cases can be about: the community's own topics, under a dozen heads, from nlp/data/topics.toml."""

from collections.abc import Mapping
from functools import cache

from nlp.tables import Tables, Topic, load_tables

__all__ = ["Topic", "shipped_tables", "topics"]


@cache
def shipped_tables() -> Tables:
    """The tables that come with the program, read once. `load_tables` also tells what was skipped."""
    return load_tables()[0]


def topics() -> Mapping[str, Topic]:
    """All topics by code, in the order of the file."""
    return shipped_tables().topics
