"""The figures of joining are counted right."""

from nlp.duplicates import judge_duplicates


def test_pairs_are_counted_by_place_and_case() -> None:
    figures = judge_duplicates(
        [
            {"text": "东园电梯坏了", "case": "a", "place": "东园"},
            {"text": "东园的电梯又停了 爬楼爬死人", "case": "a", "place": "东园"},
            {"text": "东园停水了", "case": None, "place": "东园"},
            {"text": "西园电梯坏了", "case": "b", "place": "西园"},
        ]
    )
    assert figures == {
        "messages": 4,
        "precision": {"value": 1.0, "of": 1, "interval": [0.207, 1.0]},
        "recall": {"value": 1.0, "of": 1, "interval": [0.207, 1.0]},
        "same_place_wrongly_joined": {"value": 0.0, "of": 2, "interval": [0.0, 0.658]},
    }


def test_no_rows_give_no_figures() -> None:
    assert judge_duplicates([])["recall"] == {"value": None, "of": 0, "interval": None}
