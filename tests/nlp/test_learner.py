"""The learner finds what parts the rows, always the same, and its curve turns margins into likelihoods."""

import math

from nlp.learner import Rows, calibrate, fit, fit_each, margins, number, parts

EXAMPLES = [{"漏": 1.0, "水": 1.0}, {"漏": 1.0, "雨": 1.0}, {"早": 1.0, "好": 1.0}, {"早": 1.0, "水": 1.0}]


def test_rows_are_parted_and_the_telling_feature_weighs_most() -> None:
    names, rows = number(EXAMPLES)
    weights = fit(rows, [True, True, False, False], cost=1.0)
    assert names == ["", *sorted("漏水雨早好")]
    assert [margin > 0 for margin in margins(rows, weights)] == [True, True, False, False]
    assert max(names, key=lambda name: weights[names.index(name)]) == "漏"
    assert min(names, key=lambda name: weights[names.index(name)]) == "早"
    assert fit(rows, [True, True, False, False], cost=1.0) == weights


def test_the_known_optimum_is_reached() -> None:
    # One row of value 1 beside the constant: w = 2C / (1 + 2C·2) for each of both, by hand.
    rows = Rows(((0, 1),), ((1.0, 1.0),), 2)
    expected = 2 * 0.5 / (1 + 2 * 0.5 * 2)
    assert all(math.isclose(weight, expected, rel_tol=0.05) for weight in fit(rows, [True], cost=0.5))


def test_favoured_side_is_missed_less() -> None:
    rows = number([{"a": 1.0}] * 3 + [{"a": 1.0}])[1]
    signs = [False, False, False, True]
    plain, favoured = fit(rows, signs, cost=1.0), fit(rows, signs, cost=1.0, favour=20.0)
    assert margins(rows, plain)[3] < 0 < margins(rows, favoured)[3]


def test_each_label_gets_its_weights() -> None:
    _, rows = number(EXAMPLES)
    weights = fit_each(rows, ["leak", "leak", "hello", "hello"], cost=1.0)
    assert list(weights) == ["hello", "leak"]
    assert [max(weights, key=lambda label: margins(rows, weights[label])[row]) for row in range(4)] == [
        "leak",
        "leak",
        "hello",
        "hello",
    ]


def test_rare_features_can_be_left_out() -> None:
    assert number(EXAMPLES, least=2)[0] == ["", *sorted("漏水早")]


def test_parts_hold_every_number_once() -> None:
    dealt = parts(103, 5)
    assert sorted(place for part in dealt for place in part) == list(range(103))
    assert {len(part) for part in dealt} == {20, 21}
    assert parts(103, 5) == dealt


def test_curve_follows_the_shares() -> None:
    # At margin 1 three of four are true, at -1 one of four: the curve must say so.
    slope, shift = calibrate([1.0] * 4 + [-1.0] * 4, [True, True, True, False, True, False, False, False])
    assert math.isclose(1 / (1 + math.exp(-(slope + shift))), 0.75, abs_tol=0.01)
    assert math.isclose(shift, 0.0, abs_tol=0.01)
