"""The shipped model is small, quick, and says why; training gives a file that reads back the same."""

from pathlib import Path

import pytest

from core.messages import Kind, Urgency
from nlp.classify import shipped_classifier
from nlp.features import characters, featurise, findings, loudness, spread
from nlp.lanes import FINE, as_dense
from nlp.model import FIRST_SHARE, MODEL, OWN_SHARE, SURE_CHATTER, Model, load_model, save_model
from nlp.normalise import normalise
from nlp.seeds import Seed
from nlp.tables import KINDS
from nlp.topics import topics
from nlp.train import cross as cross_check
from nlp.train import measure, prepare, train


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


def gate(model: Model, line: str) -> float:
    text = normalise(line)
    seen = characters(text)
    found = findings(shipped_classifier().score(text))
    return model.with_findings(model.margins_of(seen), found, model.total_of(seen, found)).gate


def test_shipped_model_is_small_and_fits_the_tables(model: Model) -> None:
    assert MODEL.stat().st_size <= 5_000_000
    assert set(model.codes) == {code for code, topic in topics().items() if not topic.is_by_rule}
    assert len(model.kinds[""]) == 3 * len(KINDS)


def test_gate_tells_cases_from_chatter(model: Model) -> None:
    assert [
        gate(model, line) > 0 for line in ("电梯又停了", "电梯停了", "谁家狗又在叫", "什么时候来电", "老人证在哪办")
    ] == [True] * 5
    assert [
        gate(model, line) < 0 for line in ("今天天气真好", "晚上一起吃火锅", "电梯修好了 谢谢", "宝宝会走路了")
    ] == [True] * 4
    assert model.likelihood(1.0) > 0.8
    assert model.likelihood(-1.0) < 0.2


def test_first_look_ends_plain_talk_and_no_case(model: Model) -> None:
    def first(line: str) -> float:
        return model.margins_of(characters(normalise(line))).first

    assert all(
        first(line) < SURE_CHATTER for line in ("今天天气真好", "晚上一起吃火锅", "宝宝会走路了", "哈哈哈太好笑了")
    )
    assert all(
        first(line) > SURE_CHATTER for line in ("电梯又停了", "谁家狗又在叫", "老人证在哪办", "救命", "能不能装个扶手")
    )


def test_network_speaks_beside_the_plain_sums() -> None:
    # Two units: the first hears 灯 alone, the second is below nought and says nothing.
    model = Model(
        first={"": 500},
        urgent={"": 800},
        vectors={"灯": as_dense([10, -10]), "in:thing": as_dense([4, 4])},
        units=((0.1, 9.0, 0.5),) * 3,
    )
    seen = characters("灯")
    found = [("in:thing", 0.5), ("in:unknown", 1.0)]
    known = model.with_findings(model.margins_of(seen), found, model.total_of(seen, found))
    loud = round(loudness(seen) * FINE) / FINE
    said = 0.1 * (10 * loud + 2) + 0.5
    assert known == pytest.approx((0.5, said + FIRST_SHARE * 0.5, said + OWN_SHARE * 0.8, said))
    assert model.margins_of(seen).gate == 0.5


def test_two_findings_may_say_what_neither_says_alone(model: Model) -> None:
    assert gate(model, "楼道里有烟味") > 0
    assert gate(model, "楼道里的烟味是隔壁在炒辣椒 别紧张哈哈") < gate(model, "楼道里有烟味")


def test_reasons_are_the_weightiest_pairs(model: Model) -> None:
    named = model.strongest(characters("下水道堵了"), count=3)
    assert len(named) == 3
    assert {name for name, _ in named} <= {"下水", "水道", "道堵", "堵了"}
    assert [abs(weight) for _, weight in named] == sorted((abs(weight) for _, weight in named), reverse=True)


def test_features_see_numbers_and_marks_alike() -> None:
    assert spread("3号楼，灯坏了！") == spread("12号楼 灯坏了") == "|0号楼|灯坏了|"
    assert characters("灯坏") == {"|", "灯", "坏", "|灯", "灯坏", "坏|"}
    assert (loudness("a" * 24), loudness("a" * 96)) == (1.0, 0.5)
    assert featurise("路灯坏了", shipped_classifier().score("路灯坏了")).keys() >= {
        "路灯",
        "in:thing",
        "topic:street_light",
    }


def test_saved_model_reads_back_the_same(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "deep" / "m.json")
    assert load_model(tmp_path / "deep" / "m.json") == model
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["m.json"]


def test_empty_model_speaks_for_nothing() -> None:
    empty = Model()
    assert (
        empty.margins_of({"灯"}),
        empty.topics_in(empty.total_of({"灯"}, [])),
        set(empty.kinds_in(empty.total_of({"灯"}, [])).values()),
    ) == (
        (0.0, 0.0, 0.0, 0.0),
        [],
        {0.0},
    )


def lines() -> list[Seed]:
    broken = [
        f"{thing}{fault}"
        for thing in ("路灯", "电梯", "门禁", "水管", "井盖")
        for fault in ("坏了", "又坏了", "没人修")
    ]
    calm = [
        f"{when}{what}" for when in ("今天", "明天", "周末", "晚上", "中午") for what in ("吃火锅", "去爬山", "天气好")
    ]
    cases = [Seed(text, Kind.REPORT, Urgency.NORMAL, "lift" if "电梯" in text else "access") for text in broken]
    return [*cases, *(Seed(text, Kind.CHATTER) for text in calm)]


def test_training_writes_a_model_and_tells_what_it_is_worth(tmp_path: Path) -> None:
    table = tmp_path / "seeds.tsv"
    rows = [f"{seed.kind}\t{seed.urgency}\t{seed.topic}\t\t{seed.text}" for seed in lines()]
    table.write_text("\n".join([*rows, "broken"]), encoding="utf-8")
    trained = train([table], tmp_path / "m.json")
    assert (trained.lines, [(fault.file, fault.line) for fault in trained.faults]) == (30, [("seeds.tsv", 31)])
    assert trained.figures["recall"][:2] == (1.0, 15)
    assert trained.figures["false_alarms"][:2] == (0.0, 15)
    made = load_model(tmp_path / "m.json")
    assert made.codes == ("access", "lift")
    assert gate(made, "电梯坏了") > 0 > gate(made, "明天去爬山")


def test_cross_checked_figures_are_counted() -> None:
    seeds = lines()
    figures = measure(seeds, cross_check(seeds, prepare(seeds)))
    assert figures["precision"] == (1.0, 15, (0.796, 1.0))
    assert set(figures) == {
        "precision",
        "recall",
        "false_alarms",
        "ended_at_first_look",
        "lost_at_first_look",
        "kind_of_cases",
        "topic",
        "topic_in_three",
    }


@pytest.mark.parametrize("kept", ['{"gate": {"": 1}}', "no model", '{"first": []}'])
def test_file_of_another_form_is_refused_as_no_model(kept: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(kept, encoding="utf-8")
    with pytest.raises(ValueError, match=r"(?i)invalid|missing|malformed|expected"):
        load_model(tmp_path / "m.json")
