"""A danger among other matters: its advice comes first, its push at once, and each of the others has its number."""

import pytest

from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

GAS = "请不要点火、不要碰电器开关，开窗离开后拨打 119（火警、燃气）；急救 120，报警 110。"


async def test_gas_in_a_list_is_called_out_and_nothing_vanishes(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口路灯不亮，地下室有煤气味，还有那个高龄补贴怎么领啊")
    lamp, gas, allowance = stage.numbers()
    lines = stage.texts(GROUP)[0].splitlines()
    assert lines[:2] == [GAS, "3 件事已分别登记："]
    assert [line.split()[0] for line in lines[2:5]] == [lamp, gas, allowance]
    assert "已紧急通知张网格员。" in lines[3]
    assert [text.splitlines()[0] for text in stage.texts(STAFF_GROUP)] == [
        f"⚠ 紧急 {gas}：燃气 · {stage.case(gas).place}"
    ]
    assert [stage.case(number).kind for number in (lamp, gas, allowance)] == ["report", "report", "question"]


async def test_private_part_is_told_more_of_in_private(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "你好")
    await stage.say("李叔", GROUP, "3号楼楼道灯坏了，还有隔壁天天打孩子")
    (private,) = (number for number in stage.numbers() if stage.case(number).is_private)
    assert stage.texts(GROUP)[0].splitlines()[-1] == f"{private} 已登记，请私聊我补充。"
    assert "打孩子" not in "".join(stage.texts(GROUP))
    assert stage.last("李叔").text.startswith(f"{private} 已登记，由赵调解员跟进，只有经办人、调解员和社区能看到。")


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("3号楼王奶奶晕倒了，屋里煤气味好大，快来人", "请不要点火、不要碰电器开关"),
        ("3号楼楼道有煤气味，高龄补贴怎么领啊", "请不要点火、不要碰电器开关"),
        ("我不想活了，煤气已经打开了", "请不要点火、不要碰电器开关"),
    ],
)
async def test_advice_on_gas_comes_first(stage: Stage, said: str, first: str) -> None:
    await stage.say("王阿姨", GROUP, said)
    assert stage.texts(GROUP)[0].startswith(first)
