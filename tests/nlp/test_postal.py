"""House numbers of written addresses are read by where they stand; what only looks like one is left alone."""

from time import perf_counter

import pytest

from nlp.normalise import normalise
from nlp.places import NOWHERE, PlaceEntry, Places, build_places

ESTATE, EAST_3, EAST_B = 1, 13, 14


def read(text: str, places: Places = NOWHERE) -> list[tuple[str | None, str | None, str | None]]:
    return [(one.building, one.unit, one.door) for one in places.find(normalise(text)) if one.building]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # In dashes behind an estate whose name does not end like one.
        ("河东区听雨美树15-10-3797", ("15", "10", "3797")),
        ("青石路听雨人家17-586", ("17", None, "586")),
        ("青石镇河东街道听雨人家63-12", ("63", "12", None)),
        ("河东区听雨美树9一2一301", ("9", "2", "301")),
        ("河东区听雨美树108--7-905", ("108", "7", "905")),
        ("河东区听雨美树82-b-1405", ("82", "B", "1405")),
        ("河东区听雨美树11-东单元-1565", ("11", "东单元", "1565")),
        ("河东区听雨美树8-11-7楼", ("8", "11", "7")),
        ("北原市青石路五洲天地174-8楼", ("174", None, None)),
        ("青石路133号6-913", ("6", None, "913")),
        # Within the number of a road.
        ("青石路1820号12号", ("12", None, None)),
        ("青石路98号-7", ("7", None, None)),
        ("青石路37号-4-151", ("4", None, "151")),
        ("青石路23号h楼", ("H", None, None)),
        ("青石路47-10号", ("10", None, None)),
        ("北原市青石路1326-11-6-434", ("11", "6", "434")),
        ("北原市青石街11-991", ("11", None, "991")),
        # A house of a hamlet, of an estate.
        ("河东区青石镇赵家里113号", ("113", None, None)),
        ("青石镇赵家里113号", ("113", None, None)),
        ("北原市河东区赵家里13号", ("13", None, None)),
        ("北原市河东区赵家里15号2278", ("15", None, "2278")),
        ("北原市河东区赵家里15号旁超市", ("15", None, None)),
        ("青石镇赵家村7-53号", ("53", None, None)),
        ("青石镇河东街道永乐新村106", ("106", None, None)),
        ("河东物流基地青石路口货运园4号仓库", ("4", None, None)),
        # By letters.
        ("北原市青石路听雨大厦a1382", ("A", None, "1382")),
        ("北原市青石路听雨天地13b3761", ("13B", None, "3761")),
        ("北原市青石路听雨天地b3", ("B3", None, None)),
        ("青石路1221弄a10楼15层", ("A10", None, None)),
    ],
)
def test_house_of_a_written_address_is_read(text: str, expected: tuple[str | None, ...]) -> None:
    assert read(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "小区停电7-11点",
        "河东区青石路听雨大厦7-11便利店",
        "柳湾花园7-11门口",
        "柳湾花园11-21停水",
        "北原市河东区赵家里12-3停水",
        "北原市河东区赵家里12-3号开始停水",
        "北原市河东区赵家里13号停电",
        "北原市河东区赵家里3-5个人",
        "小区道路施工12-3号开始",
        "社区街道疫苗2-3",
        "小区健身3-2-1跑",
        "社区篮球场比分3-2",
        "小区团购3-199",
        "小区水费2-300不等",
        "河东区车位费120-300每月",
        "河东区老人70-100多人",
        "河东区买号高达300-500",
        "河东区河东小学2016-2017学年",
        "河东区全体业主2019-5-27",
        "小区电话0571-8823",
        "街道热线12345-2号键",
        "取件码3-2-1005",
        "青石路菜鸟驿站3-2-1005",
        "河东区快递柜12-5",
        "河东区青石路停车位132号",
        "河东区青石路公告85号",
        "河东区青石路车牌a1234",
        "青石路20-30号",
        "青石高速58号出口",
        "北原市青石县省道s217",
        "北原市青石路国道旁g319国道",
        "小区wifi密码a1502",
        "去河东区看了113号",
        "3楼以上没水",
        "这两号人",
        "C#和Java",
    ],
)
def test_what_only_looks_like_a_house_number_is_left_alone(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("听雨村1412号楼7单元336", ("1412", "7", "336")),
        ("听雨村1075楼3单元1115", ("1075", "3", "1115")),
        ("3楼二单元没灯", ("3", "2", None)),
        ("在第10栋", ("10", None, None)),
        ("13号搂漏水", ("13", None, None)),
        ("12憧3单元", ("12", "3", None)),
        ("两号楼漏水", ("2", None, None)),
        ("a133栋门口", ("A133", None, None)),
        ("9b座大堂", ("9B", None, None)),
        ("A5#门口", ("A5", None, None)),
        ("10号写字楼大堂", ("10", None, None)),
        ("听雨小区15号旁边的树", ("15", None, None)),
    ],
)
def test_building_is_read_in_rarer_writings(text: str, expected: tuple[str | None, ...]) -> None:
    assert read(text) == [expected]


@pytest.fixture(scope="module")
def ours() -> Places:
    return build_places(
        [
            PlaceEntry(ESTATE, "community", "听雨美树"),
            PlaceEntry(EAST_3, "building", "3号楼", (), ESTATE),
            PlaceEntry(EAST_B, "building", "B座", (), ESTATE),
            PlaceEntry(40, "landmark", "老驿站", (), ESTATE),
        ]
    )


@pytest.mark.parametrize(
    ("text", "areas"),
    [
        ("听雨美树3-12-8室漏水", [ESTATE, EAST_3]),
        ("听雨美树b1502漏水", [ESTATE, EAST_B]),
        ("听雨美树15号停水", [ESTATE]),
        ("老驿站3-2取件", [40]),
        # A stranger's address has the number of a building of ours and is none of them.
        ("寄到北原市青石路望江天地3-12", [None]),
        ("听雨美树的人寄到北原市青石路望江天地3-12", [ESTATE, None]),
        ("河东区青石镇赵家里88号3号楼", [EAST_3]),
    ],
)
def test_house_is_ours_only_behind_a_name_of_ours(ours: Places, text: str, areas: list[int | None]) -> None:
    assert [one.area_id for one in ours.find(normalise(text))] == areas


def test_houses_of_a_long_list_are_bounded() -> None:
    assert len(NOWHERE.find("青石路听雨美树15-10-3797，" * 200)) == 20


@pytest.mark.parametrize("piece", ["路1-1", "市区a1", "区路一号", "路1号-", "村1-1-"])
def test_hostile_repetitions_take_milliseconds(piece: str) -> None:
    text = (piece * 4096)[:4096]
    begun = perf_counter()
    NOWHERE.find(text)
    assert perf_counter() - begun < 0.2
