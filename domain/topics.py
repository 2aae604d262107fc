"""What a case can be about, as the rules need it: its name, its hours and its head. The words that lead to a topic are nlp's."""

from nlp.topics import Topic, topics

__all__ = ["Topic", "hours_for", "name_of", "topics"]

URGENT_HOURS = 2
DEFAULT_HOURS = 7 * 24


def name_of(code: str | None) -> str:
    """The Chinese name; 其他 for none or for one that has been taken out of the table."""
    topic = topics().get(code or "")
    return topic.name if topic else "其他"


def hours_for(code: str | None, *, is_urgent: bool) -> int:
    """Hours until a matter of this topic should be done."""
    topic = topics().get(code or "")
    hours = topic.hours if topic else DEFAULT_HOURS
    return min(hours, URGENT_HOURS) if is_urgent else hours
