"""Two texts about one place: the same trouble, or another one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.likeness import ALIKE, closeness, likeness, likeness_to_all, of_nearest
from nlp.teaching import Taught, teach, trying

# Reports as they come by letter: long, of one estate, much of the wording the same.
SMOKE = (
    "云景苑一楼烧烤店油烟直排，楼上没法开窗。尊敬的领导：您好！云景苑小区临街的烧烤店没有装烟道，油烟直接排到楼上，衣服晾出去全是油烟味，"
    "一到晚上油烟滚滚，希望有关部门尽快处理，还我们业主一个干净的环境。"
)
SMOKE_AGAIN = "反映云景苑餐馆油烟扰民。云景苑小区底层几家餐馆每天晚上油烟不断，油烟机形同虚设，家里老人咳嗽不止，多次投诉没有结果，请求查处。"
PARKING = (
    "云景苑地下车位只卖不租。尊敬的领导：您好！云景苑小区的地下车位开发商只卖不租，车位价格比别处高一倍，业主的车只能停在路边，"
    "希望有关部门尽快处理，还我们业主一个公道。"
)
SAVINGS = "请问金穗储蓄计划什么时候兑付。我在金穗储蓄计划里存了三年的养老钱，到期以后柜台一直说再等等，家里急用，希望有个准话，到底还能不能拿回来。"
SAVINGS_AGAIN = "金穗储蓄计划负责人失联，老人被骗。我母亲听信推销买了金穗储蓄计划，上个月公司搬走，电话打不通，报了警也没有下文，请求帮助追回本金。"

PAIRS = Path(__file__).parent / "data" / "pairs.tsv"


def test_likeness_joins_the_same_trouble_in_other_words() -> None:
    assert likeness("3号楼电梯坏了", "3栋电梯又停了 爬楼爬死人") >= ALIKE


@pytest.mark.parametrize(("one", "other"), [("停水了", "停电了"), ("3号楼电梯坏了", "电梯里有狗尿")])
def test_likeness_keeps_another_trouble_apart(one: str, other: str) -> None:
    assert likeness(one, other) < ALIKE


def test_likeness_of_most_labelled_pairs_is_right() -> None:
    lines = [line.split("\t") for line in PAIRS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    same = [likeness(one, other) >= ALIKE for label, one, other in lines if label == "same"]
    others = [likeness(one, other) >= ALIKE for label, one, other in lines if label == "other"]
    assert sum(same) / len(same) >= 0.7
    assert sum(others) / len(others) <= 0.2


def test_likeness_goes_by_the_words_that_count_now() -> None:
    one, other = "3号楼嘎吱盒子停了", "3号楼电梯停了不动"
    lift = [Taught("嘎吱盒子", "topic:lift", 12.0)]
    before = likeness(one, other)
    with trying(lift):
        assert before < ALIKE <= likeness(one, other)
    teach(lift)
    try:
        assert likeness(one, other) >= ALIKE
    finally:
        teach([])
    assert likeness(one, other) == before


def test_long_reports_join_by_what_they_come_back_to() -> None:
    assert likeness(SMOKE, SMOKE_AGAIN, names=frozenset({"云景苑"})) >= ALIKE


def test_long_reports_of_another_trouble_stay_apart_for_all_their_common_phrases() -> None:
    assert likeness(SMOKE, PARKING, names=frozenset({"云景苑"})) < ALIKE


def test_long_reports_are_not_alike_for_the_name_of_their_place() -> None:
    named = "云景苑" * 4
    told = likeness(SMOKE + named, PARKING + named, names=frozenset({"云景苑"}))
    assert told < ALIKE <= likeness(SMOKE + named, PARKING + named)


def test_long_reports_join_by_the_name_of_what_they_are_about() -> None:
    assert likeness(SAVINGS, SAVINGS_AGAIN) >= ALIKE
    assert likeness(SAVINGS, SAVINGS_AGAIN, names=frozenset({"金穗储蓄计划"})) < ALIKE


def test_likeness_weighs_the_first_sentence_that_says_something() -> None:
    greeting = "尊敬的领导：您好！"
    rest = SMOKE_AGAIN.partition("。")[2]
    with_head = likeness(SMOKE, f"{greeting}云景苑烧烤店油烟没人管。{rest}")
    assert with_head > likeness(SMOKE, f"{greeting}{rest}云景苑烧烤店油烟没人管。")


@pytest.mark.parametrize(
    ("closenesses", "nearest"),
    [
        ([-2.0], -2.0),
        ([-4.0, 1.0], 1.0),
        ([1.0, -4.0, 0.0], 1.0),
        ([3.0, 1.0, -4.0, -4.0], 2.0),
        ([2.0] * 3 + [-4.0] * 6, 2.0),
    ],
)
def test_nearest_third_counts(closenesses: list[float], nearest: float) -> None:
    assert of_nearest(closenesses) == nearest


def test_text_is_as_like_a_case_as_to_the_nearest_of_what_was_told() -> None:
    lift, dirt, again = "3号楼电梯坏了", "电梯里有狗尿", "3栋电梯又停了 爬楼爬死人"
    assert likeness_to_all(again, [lift]) == likeness(again, lift)
    assert likeness_to_all(again, [dirt, lift]) == likeness(again, lift) >= ALIKE
    assert (closeness(lift, dirt) >= 0) is (likeness(lift, dirt) >= ALIKE)


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_never_raises_and_knows_no_order(one: str, other: str) -> None:
    there = likeness(one, other)
    assert 0.0 <= there <= 1.0
    assert likeness(other, one) == there
