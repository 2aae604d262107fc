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
        ("河东区听雨美树16-8-2604", ("16", "8", "2604")),
        ("青石路听雨人家18-604", ("18", None, "604")),
        ("青石镇河东街道听雨人家64-14", ("64", "14", None)),
        ("河东区听雨美树8一3一301", ("8", "3", "301")),
        ("河东区听雨美树109--6-804", ("109", "6", "804")),
        ("河东区听雨美树81-b-1306", ("81", "B", "1306")),
        ("河东区听雨美树12-东单元-1503", ("12", "东单元", "1503")),
        ("河东区听雨美树9-12-6楼", ("9", "12", "6")),
        ("北原市青石路五洲天地175-9楼", ("175", None, None)),
        ("青石路135号8-914", ("8", None, "914")),
        # Within the number of a road.
        ("青石路1620号14号", ("14", None, None)),
        ("青石路96号-8", ("8", None, None)),
        ("青石路38号-5-152", ("5", None, "152")),
        ("青石路25号k楼", ("K", None, None)),
        ("青石路48-12号", ("12", None, None)),
        ("北原市青石路1328-12-5-432", ("12", "5", "432")),
        ("北原市青石街12-981", ("12", None, "981")),
        # A house of a hamlet, of an estate.
        ("河东区青石镇赵家里117号", ("117", None, None)),
        ("青石镇赵家里117号", ("117", None, None)),
        ("北原市河东区赵家里13号", ("13", None, None)),
        ("北原市河东区赵家里16号2204", ("16", None, "2204")),
        ("北原市河东区赵家里16号旁超市", ("16", None, None)),
        ("青石镇赵家村8-54号", ("54", None, None)),
        ("青石镇河东街道永乐新村108", ("108", None, None)),
        ("河东物流基地青石路口货运园4号仓库", ("4", None, None)),
        # By letters.
        ("北原市青石路听雨大厦a1308", ("A", None, "1308")),
        ("北原市青石路听雨天地14b3702", ("14B", None, "3702")),
        ("北原市青石路听雨天地b3", ("B3", None, None)),
        ("青石路1225弄a12楼16层", ("A12", None, None)),
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
        "河东区车位费130-280每月",
        "河东区老人70-100多人",
        "河东区票价高达400-600",
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
        "北原市青石县省道s218",
        "北原市青石路国道旁g319国道",
        "小区wifi密码a1502",
        "去河东区看了117号",
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
        ("听雨村1416号楼6单元302", ("1416", "6", "302")),
        ("听雨村1078楼4单元1104", ("1078", "4", "1104")),
        ("3楼二单元没灯", ("3", "2", None)),
        ("在第10栋", ("10", None, None)),
        ("14号搂漏水", ("14", None, None)),
        ("12憧3单元", ("12", "3", None)),
        ("两号楼漏水", ("2", None, None)),
        ("a135栋门口", ("A135", None, None)),
        ("8b座大堂", ("8B", None, None)),
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
    assert len(NOWHERE.find("青石路听雨美树16-8-2604，" * 200)) == 20


@pytest.mark.parametrize("piece", ["路1-1", "市区a1", "区路一号", "路1号-", "村1-1-"])
def test_hostile_repetitions_take_milliseconds(piece: str) -> None:
    text = (piece * 4096)[:4096]
    begun = perf_counter()
    NOWHERE.find(text)
    assert perf_counter() - begun < 0.2
