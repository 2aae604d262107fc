"""Whoever has reported something and asks when anybody will come urges their own case on; it never becomes a second one."""

import pytest

from domain.cases.words import is_urging
from tests.stage import GROUP, PRIVATE, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER = "BX-20261121-0001"
NOTED = f"抱歉给您添麻烦了，{NUMBER} 已重新催办。"
URGING = (
    "有没有人管管这个事",
    "怎么还没人来",
    "催一下",
    "麻烦催催",
    "有人管吗",
    "怎么没人管啊",
    "快点来人啊",
    "进度怎么样了",
    "什么时候能来修",
)


@pytest.mark.parametrize("text", URGING)
async def test_urging_joins_the_own_open_case(stage: Stage, text: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=20)
    await stage.say("王阿姨", GROUP, text)
    assert stage.numbers() == [NUMBER]
    assert (stage.texts(GROUP)[-1], stage.steps(NUMBER)[-1]) == (NOTED, "remind")
    assert stage.texts("张伟")[-1] == f"{NUMBER} 有补充：{text}"


async def test_urging_in_private_joins_too(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", PRIVATE, "3号楼路灯不亮了")
    await stage.say("王阿姨", PRIVATE, "有没有人管管这个事")
    assert stage.texts("王阿姨")[-1] == "抱歉给您添麻烦了，BX-20261121-0002 已重新催办。"
    assert len(stage.numbers()) == 2


async def test_urging_by_somebody_else_changes_nothing_of_the_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("李叔", GROUP, "催一下")
    assert (stage.steps(NUMBER), stage.outcomes()[-2:]) == (["open", "assign"], ["opened", "silent"])


async def test_urging_with_nothing_open_is_silent_or_asked_about(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "催一下")
    assert (stage.numbers(), stage.posts(GROUP)) == ([], [])


async def test_question_after_another_place_is_another_matter(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("王阿姨", GROUP, "8号楼电梯坏了没人管")
    assert len(stage.numbers()) == 2


@pytest.mark.parametrize(
    "text",
    [
        "3号楼门口井盖坏了",
        "谢谢",
        "明天有人来看房吗",
        "停水停到什么时候",
        "有没有人要一起买菜",
        "有人晕倒了，快来人",
        "电梯坏了没人管",
        "水管爆了快点来人",
    ],
)
async def test_other_words_are_no_urging(stage: Stage, text: str) -> None:
    assert not is_urging(text)
