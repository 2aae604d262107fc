"""Places are read in every writing, resolved to the area tree, and numbers that are no places are left alone."""

import pytest

from core.messages import PlaceMention
from nlp.normalise import normalise
from nlp.numerals import read_number
from nlp.places import PlaceEntry, Places, build_places

COMMUNITY, NORTH, SOUTH = 1, 2, 3
NORTH_3, NORTH_12, NORTH_A, SOUTH_3, SOUTH_5, LIBRARY = 13, 112, 14, 23, 25, 40
NORTH_3_UNIT_2, NORTH_3_2_501, NORTH_12_301, SOUTH_5_1_402, SOUTH_5_2_402 = 32, 3501, 12301, 51402, 52402


@pytest.fixture(scope="module")
def places() -> Places:
    return build_places(
        [
            PlaceEntry(COMMUNITY, "community", "槐荫社区"),
            PlaceEntry(NORTH, "grid", "第一网格", ("梧桐苑", "北苑"), COMMUNITY),
            PlaceEntry(SOUTH, "grid", "第二网格", ("海棠里",), COMMUNITY),
            PlaceEntry(LIBRARY, "micro_grid", "荷塘微网格", ("荷塘凉亭", "老槐树下"), SOUTH),
            PlaceEntry(NORTH_3, "building", "3号楼", ("三栋", "红楼"), NORTH),
            PlaceEntry(NORTH_12, "building", "12号楼", (), NORTH),
            PlaceEntry(NORTH_A, "building", "A座", (), NORTH),
            PlaceEntry(SOUTH_3, "building", "3号楼", (), SOUTH),
            PlaceEntry(SOUTH_5, "building", "5幢", (), SOUTH),
            PlaceEntry(NORTH_3_UNIT_2, "unit", "2单元", (), NORTH_3),
            PlaceEntry(NORTH_3_2_501, "household", "501", (), NORTH_3_UNIT_2),
            PlaceEntry(NORTH_12_301, "household", "301室", (), NORTH_12),
            PlaceEntry(SOUTH_5_1_402, "household", "1-402", (), SOUTH_5),
            PlaceEntry(SOUTH_5_2_402, "household", "5-2-402", (), SOUTH_5),
        ]
    )


def read(places: Places, text: str) -> list[tuple[str | None, str | None, str | None, int | None]]:
    return [(one.building, one.unit, one.door, one.area_id) for one in places.find(normalise(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12号楼的灯坏了", ("12", None, None, NORTH_12)),
        ("十二号楼的灯坏了", ("12", None, None, NORTH_12)),
        ("12栋门口", ("12", None, None, NORTH_12)),
        ("12幢门口", ("12", None, None, NORTH_12)),
        ("12#门口", ("12", None, None, NORTH_12)),
        ("１２＃楼门口", ("12", None, None, NORTH_12)),
        ("5栋2单元402漏水", ("5", "2", "402", SOUTH_5_2_402)),
        ("五幢一单元四零二漏水", ("5", "1", "402", SOUTH_5_1_402)),
        ("5-1-402漏水", ("5", "1", "402", SOUTH_5_1_402)),
        ("5—2—402漏水", ("5", "2", "402", SOUTH_5_2_402)),
        ("12-301没水", ("12", None, "301", NORTH_12_301)),
        ("12栋301室没水", ("12", None, "301", NORTH_12_301)),
        ("5栋402", ("5", None, "402", SOUTH_5)),
        ("5撞2单元402", ("5", "2", "402", SOUTH_5_2_402)),
        ("5栋3单元", ("5", "3", None, SOUTH_5)),
        ("A座大堂", ("A", None, None, NORTH_A)),
        ("77号楼", ("77", None, None, None)),
        ("二单元501", (None, "2", "501", None)),
    ],
)
def test_building_unit_and_door_are_read(
    places: Places, text: str, expected: tuple[str | None, str | None, str | None, int | None]
) -> None:
    assert read(places, text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "今天15号",
        "3楼以上没水",
        "电话8888-1234",
        "打13812345678",
        "400-820-8820",
        "11-21开会",
        "2026-11-21",
        "19:30-21:00",
        "9-10点来",
        "99-199元一件",
        "比分3-201人",
        "第三次了",
        "这两栋楼",
        "前面有一座桥",
        "C#和Java",
        "2.5-301",
        "买3-5个",
        "住了12年",
        "3撞了一下",
    ],
)
def test_numbers_that_are_no_places_are_left_alone(places: Places, text: str) -> None:
    assert read(places, text) == []


@pytest.mark.parametrize("text", ["A1502漏水", "a1502室漏水", "家住A-1502", "槐荫社区A1502漏水"])
def test_door_behind_the_letter_of_a_known_building_is_read(places: Places, text: str) -> None:
    assert read(places, text)[-1] == ("A", None, "1502", NORTH_A)


@pytest.mark.parametrize(
    "text", ["B1502漏水", "A4纸", "A1502次列车", "A1580", "WA1502", "A1502-3", "A15020", "A009", "车位A217"]
)
def test_letter_and_figures_elsewhere_are_no_door(places: Places, text: str) -> None:
    assert read(places, text) == []


def test_equal_building_needs_an_anchor(places: Places) -> None:
    assert read(places, "3号楼漏水") == [("3", None, None, None)]
    assert read(places.within(SOUTH), "3号楼漏水") == [("3", None, None, SOUTH_3)]
    assert read(places.within(LIBRARY), "3号楼漏水") == [("3", None, None, SOUTH_3)]
    assert read(places.within(COMMUNITY), "3号楼漏水") == [("3", None, None, None)]


def test_estate_named_before_decides_the_building(places: Places) -> None:
    assert read(places, "梧桐苑3号楼2单元501漏水") == [
        (None, None, None, NORTH),
        ("3", "2", "501", NORTH_3_2_501),
    ]
    assert read(places.within(NORTH), "海棠里3栋") == [(None, None, None, SOUTH), ("3", None, None, SOUTH_3)]


def test_unit_alone_belongs_to_the_building_of_the_group(places: Places) -> None:
    assert read(places.within(NORTH_3), "二单元501漏水") == [(None, "2", "501", NORTH_3_2_501)]


def test_landmark_is_found_with_its_offsets(places: Places) -> None:
    assert places.find("荷塘凉亭的灯不亮") == (
        PlaceMention("荷塘凉亭", 0, 4, landmark="荷塘凉亭", area_id=LIBRARY, certainty=1.0),
    )


def test_unknown_door_keeps_the_building_with_less_certainty(places: Places) -> None:
    assert places.find("12栋909") == (PlaceMention("12栋909", 0, 6, "12", None, "909", None, NORTH_12, 0.8),)


def test_nickname_of_a_building_names_it(places: Places) -> None:
    assert read(places, "红楼后面积水") == [(None, None, None, NORTH_3)]


def test_long_list_of_places_is_bounded(places: Places) -> None:
    assert len(places.find("12号楼 " * 500)) == 20


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("12", "12"),
        ("012", "12"),
        ("十二", "12"),
        ("二十", "20"),
        ("二十三", "23"),
        ("五零一", "501"),
        ("a", "A"),
        ("两", "2"),
        ("十", "10"),
        ("", None),
        ("甲", None),
        ("十十", None),
        ("二三十一", None),
    ],
)
def test_numbers_are_read_as_written(written: str, expected: str | None) -> None:
    assert read_number(written) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("送到枫林花园132-967", ("132", None, "967")),
        ("柳岸小区6-10-2023放门口", ("6", "10", "2023")),
        ("云栖公寓-11幢漏水", ("11", None, None)),
        ("柳岸小区1057幢11单元308室", ("1057", "11", "308")),
    ],
)
def test_doors_behind_an_unknown_estate_are_read(text: str, expected: tuple[str | None, ...]) -> None:
    """In dashes only behind the end of an estate's name; four figures only before 幢 and 栋."""
    assert [(one.building, one.unit, one.door) for one in build_places([]).find(normalise(text))] == [expected]


@pytest.mark.parametrize(
    "text", ["广场路132-967", "园区招100-200人", "小区2-300元的快递费", "纽扣路344-110", "花园3-1-"]
)
def test_dashes_elsewhere_are_no_doors(text: str) -> None:
    assert build_places([]).find(normalise(text)) == ()


@pytest.mark.parametrize(
    ("text", "building", "unit", "door"),
    [
        ("住在柳湾花园207号", "207", None, None),
        ("茶亭弄12号的墙歪了", "12", None, None),
        ("果园村16号301", "16", None, "301"),
        ("东山工业区28号", None, None, None),  # as well a day as a house
        ("果园村16号停水", None, None, None),
        ("云栖山庄9-4", "9", "4", None),
        ("柳湾花园12-3-8", "12", "3", "8"),
        ("柳湾花园b12-6", "B12", "6", None),
        ("小区3-5个人", None, None, None),
        ("小区6-8号停水", None, None, None),
        ("柳湾花园1-6楼没热水", None, None, None),
        ("省政府101号文", None, None, None),
    ],
)
def test_house_behind_an_estates_name_is_told_from_days_and_counts(
    text: str, building: str | None, unit: str | None, door: str | None
) -> None:
    found = build_places([]).find(normalise(text))
    assert [(one.building, one.unit, one.door) for one in found] == ([(building, unit, door)] if building else [])
