"""No text breaks understanding, and what it costs is told."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core.messages import Decision, Utterance
from nlp.endurance import clock, endure
from nlp.understand import understand

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=400)  # lone surrogates too


@given(ANYTHING, ANYTHING, st.booleans())
@settings(deadline=None)
def test_any_text_is_understood(text: str, before: str, is_addressed: bool) -> None:
    understood = understand(Utterance(text, is_addressed=is_addressed, reply_to_text=before))
    assert understood.decision in set(Decision)
    assert 0.0 <= understood.certainty <= 1.0


def test_the_longest_texts_raise_nothing() -> None:
    assert endure("路灯坏了井盖没了没人管", texts=6)["raised"] == 0


def test_clock_tells_silent_lines_from_others() -> None:
    told = clock(["早上好", "3号楼电梯坏了"])
    assert told["lines"] == 2
    assert 0 < told["silent_us"] < told["other_us"]
