"""Topics: a name for every code, and the hours that a matter has."""

from domain.topics import DEFAULT_HOURS, URGENT_HOURS, hours_for, name_of, topics


def test_topic_without_a_code_is_other() -> None:
    assert [name_of(code) for code in (None, "", "taken_out", "manhole")] == ["其他", "其他", "其他", "井盖"]


def test_hours_come_from_the_table_and_urgency_shortens_them() -> None:
    assert hours_for("manhole", is_urgent=False) == 8
    assert hours_for(None, is_urgent=False) == DEFAULT_HOURS
    assert {hours_for(code, is_urgent=True) for code in topics()} <= set(range(1, URGENT_HOURS + 1))


def test_every_topic_is_fit_to_be_shown() -> None:
    for code, topic in topics().items():
        assert (code.isascii(), bool(topic.name), bool(topic.head), topic.hours > 0) == (True,) * 4
    assert len({topic.name for topic in topics().values()}) == len(topics())
