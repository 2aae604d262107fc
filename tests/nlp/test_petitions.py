"""Topics of long texts are learned by the same learner, from whole texts and from texts cut into words."""

import json
from pathlib import Path

from nlp.petitions import Petition, cross_check, read_petitions, train_topics

LEAKS = [
    "楼上水管漏水 天花板全湿了",
    "外墙渗水 卧室发霉",
    "屋顶漏雨 物业说没钱修",
    "厨房水管爆裂 漏水严重",
    "卫生间漏水 渗到楼下",
]
SCHOOLS = [
    "小学招生片区怎么划分",
    "幼儿园收费太高 家长不满",
    "学校食堂饭菜质量差",
    "老师有偿补课 学校不管",
    "孩子转学 学校不收",
]
# Each text has a twin in other words, so that there is something to learn from whichever part is left out.
ROWS = [{"text": text * 3, "label": "城乡建设"} for text in LEAKS] + [
    {"text": text * 3, "label": "教育文体"} for text in SCHOOLS
]


def test_rows_are_read_whole_or_cut() -> None:
    cut = "小区 水管 漏水 物业 不 处理 严重"
    assert read_petitions([{"text": "漏水", "title": "水管", "label": "a"}, {"text": cut, "label": "b"}]) == [
        Petition("水管 水管 漏水", "a"),
        Petition(cut, "b", is_cut=True),
    ]


def test_cross_check_asks_of_unseen_texts() -> None:
    figures = cross_check(read_petitions(ROWS))
    assert set(figures) == {"macro_f1", "accuracy", "in_three"}
    assert figures["accuracy"][1] == figures["in_three"][1] == 10
    assert figures["macro_f1"][1] == 2
    assert figures["in_three"][:2] == (1.0, 10)


def test_training_writes_weights_by_feature(tmp_path: Path) -> None:
    train_topics(read_petitions(ROWS), tmp_path / "topics.json")
    written = json.loads((tmp_path / "topics.json").read_text(encoding="utf-8"))
    assert written["labels"] == ["城乡建设", "教育文体"]
    _, leak, school = written["weights"]["漏水"]
    assert leak > 0 > school
