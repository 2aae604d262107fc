"""What remarks are about that open no case by themselves."""

import pytest

from nlp.subjects import is_of_another, is_plain_talk


@pytest.mark.parametrize(
    ("said", "told", "topic", "is_another"),
    [
        ("我家水管我自己修好了", "3号楼小广告贴得到处都是", "vendors", True),
        ("我家热水器修好了", "3号楼停水", "water_supply", True),
        ("我家马桶还没修好", "3号楼小广告", "vendors", True),
        ("水管修好了", "楼道漏水", "leak", False),
        ("门修好了", "3号楼门禁坏了", "access", False),
        ("水来了", "3号楼停水", "water_supply", False),
        ("按钮好了", "25号楼电梯又停在三楼不动了", "lift", False),
        ("灯亮了", "3号楼二单元楼道黑漆漆的", "corridor_light", False),
        ("修好了", "3号楼停水", "water_supply", False),
        ("", "", None, False),
    ],
)
def test_remark_that_names_another_thing_is_told_from_one_that_may_be_about_this(
    said: str, told: str, topic: str | None, is_another: bool
) -> None:
    assert is_of_another(said, told, topic) is is_another


@pytest.mark.parametrize("said", ["今天的红烧肉", "我家猫", "晚霞真美", "我们去公园了"])
def test_plain_talk_is_known(said: str) -> None:
    assert is_plain_talk(said)


@pytest.mark.parametrize("said", ["真是受不了", "太恶心了", "一地都是", "没法过", "", "😀"])
def test_sigh_over_a_trouble_is_no_plain_talk(said: str) -> None:
    assert not is_plain_talk(said)
