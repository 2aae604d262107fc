"""Writes areas.csv beside this file: one street, one community, 4 grids, 16 micro-grids, 40 buildings, 1,200 households and landmarks.

Run after a change here: python -m bot.sample.make
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).parent / "areas.csv"
HEADERS = ("社区", "级别", "编码", "名称", "上级编码", "别名")
COMMUNITY = "和谐里社区"
NUMERALS = "零一二三四五六七八九十"

GRIDS = ("春晖园", "梧桐苑", "清河湾", "望山居")
# Buildings in each of a grid's four micro-grids: ten a grid.
BUILDINGS = (2, 3, 2, 3)
UNITS, FLOORS, DOORS = 3, 5, 2

NICKNAMES = {
    1: ("大门口那栋",),
    3: ("教师楼",),
    6: ("拐角楼",),
    8: ("红砖楼",),
    12: ("拆迁安置楼",),
    15: ("邮局楼", "邮局那栋"),
    18: ("菜场楼",),
    21: ("临河楼", "河边那栋"),
    25: ("纺织厂宿舍", "老纺织楼"),
    29: ("塔楼",),
    33: ("公寓楼", "青年公寓"),
    37: ("蓝楼",),
    40: ("最后一排",),
}
# Under which area, name, other names.
PLACES = (
    ("HX", "党群服务中心", ("社区服务中心", "社区办公室")),
    ("HX", "社区卫生站", ("卫生服务站", "卫生站")),
    ("HX", "老年食堂", ("长者食堂", "社区食堂")),
    ("HX", "中心公园", ("街心公园",)),
    ("G1", "东门", ("东大门", "春晖园大门")),
    ("G1", "小广场", ("跳舞的广场",)),
    ("G1", "便民菜店", ("菜店",)),
    ("G11", "快递柜", ("取件柜", "快递箱")),
    ("G12", "儿童乐园", ("滑滑梯", "儿童游乐场")),
    ("G13", "东区垃圾站", ("垃圾分类亭",)),
    ("G2", "南门", ("南大门",)),
    ("G2", "地下车库", ("地库", "车库")),
    ("G21", "物业办公室", ("物业服务中心",)),
    ("G22", "南区快递柜", ()),
    ("G23", "健身角", ("健身器材", "健身区")),
    ("G24", "电动车充电棚", ("充电棚",)),
    ("G3", "西门", ("西大门", "清河湾大门")),
    ("G3", "河边步道", ("步道", "绿道")),
    ("G31", "凉亭", ("亭子",)),
    ("G32", "篮球场", ("球场",)),
    ("G34", "配电房", ("配电室",)),
    ("G4", "北门", ("北大门", "后门")),
    ("G4", "地面停车场", ("停车场",)),
    ("G41", "棋牌室", ("老年活动室", "活动室")),
    ("G42", "望山幼儿园", ("幼儿园",)),
    ("G44", "北区垃圾站", ()),
)

Line = tuple[str, str, str, str, str, str]


def numeral(number: int) -> str:
    """1 to 99 in Chinese: 21 → 二十一."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else NUMERALS[tens] + "十"
    return head + (NUMERALS[ones] if ones or not tens else "")


def rows() -> Iterator[Line]:
    """The rows of the file below its headers, from the top of the tree down."""
    yield "", "街道", "XQ", "溪桥街道", "", ""
    yield COMMUNITY, "社区", "HX", COMMUNITY, "XQ", "和谐里"
    building = 0
    for grid, estate in enumerate(GRIDS, start=1):
        yield _line("网格", f"G{grid}", f"第{numeral(grid)}网格", "HX", f"{numeral(grid)}网格", f"{grid}网格", estate)
        for micro_grid, count in enumerate(BUILDINGS, start=1):
            yield from _micro_grid(grid, micro_grid)
            for _ in range(count):
                building += 1
                yield from _building(building, f"G{grid}{micro_grid}")
    for number, (parent, name, others) in enumerate(PLACES, start=1):
        yield _line("地点", f"P{number:02}", name, parent, *others)


def _line(level: str, code: str, name: str, parent: str, *others: str) -> Line:
    return COMMUNITY, level, code, name, parent, "、".join(others)


def _micro_grid(grid: int, micro_grid: int) -> Iterator[Line]:
    name = f"第{numeral(grid)}网格第{numeral(micro_grid)}微网格"
    yield _line("微网格", f"G{grid}{micro_grid}", name, f"G{grid}", f"{grid}-{micro_grid}微网格")


def _building(number: int, parent: str) -> Iterator[Line]:
    code = f"B{number:02}"
    usual = (f"{number}栋", f"{number}幢", f"{number}#", f"{numeral(number)}号楼", f"{numeral(number)}栋")
    yield _line("楼栋", code, f"{number}号楼", parent, *usual, *NICKNAMES.get(number, ()))
    for unit in range(1, UNITS + 1):
        for floor in range(1, FLOORS + 1):
            for door in range(1, DOORS + 1):
                room = f"{floor}{door:02}"
                yield _line("户", f"{code}-{unit}-{room}", f"{unit}单元{room}室", code)


def text() -> str:
    """The whole file."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADERS)
    writer.writerows(rows())
    return file.getvalue()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
