"""Adding packed rows gives what adding lists gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.lanes import FINE, REACH, Lanes, Table, Total, as_dense, as_sparse, dense, sparse

MOST = 4231
WEIGHTS = st.lists(st.integers(-MOST, MOST), min_size=5, max_size=5)


def sums(total: Total, start: int, end: int) -> list[float]:
    return [sum_ / FINE for sum_ in total.part(start, end)]


@given(st.dictionaries(st.sampled_from("甲乙丙丁戊"), WEIGHTS), WEIGHTS, st.floats(0, 4))
def test_sum_is_that_of_the_rows(rows: dict[str, list[int]], constant: list[int], value: float) -> None:
    written = {**rows, "": constant, "in:one": [1, 2, 3, 4, -5]}
    told = {name: as_sparse(enumerate(row)) for name, row in written.items()}
    lanes = Lanes(Table(told, 5))
    times = round(value * FINE) / FINE
    expected = [
        constant[place] + 0.5 * sum(row[place] for row in rows.values()) + times * (1, 2, 3, 4, -5)[place]
        for place in range(5)
    ]
    said = sums(lanes.total([*rows, "己"], 0.5, [("in:one", value), ("in:none", 1.0)]), 0, 5)
    assert said == pytest.approx(expected)
    assert sums(lanes.total([*rows, "己"], 0.5, [("in:one", value)]), 0, 5) == said


def test_places_that_are_not_told_weigh_nothing() -> None:
    lanes = Lanes(Table({"": as_sparse([(0, 5)]), "灯": as_sparse([(2, -7), (0, 1)])}, 3))
    assert sums(lanes.total(["灯"], 1.0, []), 0, 3) == [6.0, 0.0, -7.0]
    assert sums(Lanes(Table({}, 2)).total(["灯"], 1.0, []), 0, 2) == [0.0, 0.0]


def test_tables_stand_side_by_side() -> None:
    left = {"": as_sparse([(0, 5)]), "灯": as_sparse([(1, 3)])}
    lanes = Lanes(Table(left, 2), Table({"灯": as_dense([-4]), "水": as_dense([9])}, 1, dense))
    assert sums(lanes.total(["灯"], 1.0, []), 0, 3) == [5.0, 3.0, -4.0]
    assert sums(lanes.total(["水"], 1.0, []), 0, 3) == [5.0, 0.0, 9.0]
    assert sums(lanes.total(["灯", "水"], 1.0, []), 2, 3) == [5.0]
    assert lanes.total(["灯"], 1.0, []).above_nought(0, 3) == [5 * FINE, 3 * FINE, 0]


def test_sparse_rows_have_three_characters_for_each_weight() -> None:
    told = [(0, 0), (91, -MOST), (7, MOST), (8, 12)]
    written = as_sparse(told)
    assert (len(written), list(sparse(written)), written.isprintable() and written.isascii()) == (12, told, True)
    assert list(sparse(as_sparse([(3, 90_000), (4, -90_000)]))) == [(3, MOST), (4, -MOST)]


def test_dense_rows_have_a_character_for_each_weight() -> None:
    written = as_dense([0, 7, -REACH, REACH + 9])
    assert (len(written), list(dense(written))) == (4, [(0, 0), (1, 7), (2, -REACH), (3, REACH)])
    assert all(32 < ord(character) < 127 for character in as_dense(range(-REACH, REACH + 1)))
    lanes = Lanes(Table({"": as_dense([1, 2]), "灯": as_dense([-3, 40])}, 2, dense))
    assert sums(lanes.total(["灯", "水"], 0.5, [("in:none", 1.0)]), 0, 2) == [-0.5, 22.0]
