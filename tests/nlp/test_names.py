"""Names of people in a text: found with and without a title, and not where a word only begins like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.names import mask_names
from nlp.seeds import read_seeds, seed_files


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("王小明的高龄补贴怎么办", "王**的高龄补贴怎么办"),
        ("请找王建国", "请找王**"),
        ("我叫欧阳静，想问低保", "我叫欧**，想问低保"),
        ("李秀英老人的养老金认证怎么弄", "李**老人的养老金认证怎么弄"),
        ("住3号楼的孙志强和邻居吴小莉", "住3号楼的孙**和邻居吴**"),
        ("张伟明先生来过", "张**先生来过"),
        ("姓名：李四", "姓名：李*"),
        ("301李秀兰家换了软管，给赵玉珍家送去轮椅", "301李**家换了软管，给赵**家送去轮椅"),
        ("和502陈老三说好了", "和502陈**说好了"),
        ("向大家说明情况，马上回家", "向大家说明情况，马上回家"),
        ("王先生来过", "王先生来过"),
        ("高龄补贴怎么办，谢谢", "高龄补贴怎么办，谢谢"),
        ("早高峰马路边堵车，温馨提示文明出行", "早高峰马路边堵车，温馨提示文明出行"),
        ("道闸白名单怎么加", "道闸白名单怎么加"),
        ("", ""),
    ],
)
def test_names_are_starred_and_words_are_not(text: str, masked: str) -> None:
    assert mask_names(text) == masked


def test_names_that_are_known_are_found_however_they_are_built() -> None:
    assert mask_names("帮阿依古丽问一下", known=["阿依古丽", "李"]) == "帮阿***问一下"


def test_names_are_hardly_ever_found_in_questions_that_have_none() -> None:
    asked = [line.text for line in read_seeds(seed_files())[0] if line.kind == "question"]
    starred = [text for text in asked if mask_names(text) != text]
    assert len(asked) > 1000
    assert len(starred) / len(asked) < 0.005, starred


@given(st.text(max_size=100))
def test_names_never_raise_and_keep_the_length(text: str) -> None:
    assert len(mask_names(text)) == len(text)
