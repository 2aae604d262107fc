"""The network learns what no sum of weights can, always the same, and few lines are enough to learn from."""

from nlp.learner import Rows
from nlp.network import Lesson, Network, fit_network


def either() -> Rows:
    """Two features, alone and together, twenty times over; feature 0 is the constant."""
    numbers = ((0,), (0, 1), (0, 2), (0, 1, 2)) * 20
    return Rows(numbers, tuple((1.0,) * len(row) for row in numbers), 3)


def learned() -> Network:
    nothing = frozenset[int]()
    told = [Lesson(frozenset({0, 1}), 2), Lesson(nothing, 2), Lesson(nothing, 2), Lesson(frozenset({0}), 2)] * 20
    return fit_network(either(), told, [1.0, 0.5], size=16)


def test_network_learns_that_two_together_are_what_neither_is() -> None:
    network = learned()
    assert [margin > 0 for margin in network.margins(either())[:4]] == [True, False, False, True]
    assert [margin > 0 for margin in network.margins(either(), 1)[:4]] == [True, False, False, False]


def test_same_lines_give_the_same_network() -> None:
    assert learned() == learned()


def test_shape_is_that_of_rows_and_heads() -> None:
    network = learned()
    assert ([len(vector) for vector in network.vectors], [len(head) for head in network.heads]) == (
        [16] * 3,
        [17] * 2,
    )


def test_head_that_no_row_is_asked_of_learns_nothing() -> None:
    told = [Lesson(frozenset({0}), 1), *[Lesson(frozenset(), 1)] * 3] * 20
    longer, shorter = (fit_network(either(), told, [1.0, 0.5], size=4, rounds=rounds) for rounds in (80, 160))
    assert longer.heads[1] == shorter.heads[1]
    assert longer.heads[0] != shorter.heads[0]


def test_no_line_teaches_nothing() -> None:
    network = fit_network(Rows((), (), 2), [], [1.0], size=2)
    assert len(network.margins(Rows(((0, 1),), ((1.0, 1.0),), 2))) == 1
