"""Our own phrases of places resolve to the right node of a tree, and numbers that are no places to none."""

from functools import cache
from pathlib import Path

from nlp.normalise import normalise
from nlp.places import PlaceEntry, Places, build_places

PHRASES = Path(__file__).parent / "data" / "places.tsv"
LANDMARKS = {
    "东门": (),
    "南门": (),
    "西门": (),
    "北门": (),
    "驿站": ("菜鸟驿站",),
    "快递柜": (),
    "广场": ("小广场", "中心广场"),
    "车库": ("地下车库", "地库", "负一楼"),
    "幼儿园": (),
    "健身角": (),
    "活动室": ("老年活动室",),
    "水塔": (),
    "食堂": ("二食堂",),
}


@cache
def tree() -> tuple[Places, dict[int, str]]:
    """A community of twelve buildings with three units of twelve doors each, and landmarks."""
    entries, codes = [PlaceEntry(1, "community", "桂花苑")], {1: "estate"}

    def add(code: str, level: str, name: str, parent: int, aliases: tuple[str, ...] = ()) -> int:
        entries.append(PlaceEntry(len(entries) + 1, level, name, aliases, parent))
        codes[len(entries)] = code
        return len(entries)

    for building in range(1, 13):
        at = add(f"b{building}", "building", f"{building}号楼", 1)
        for unit in range(1, 4):
            inside = add(f"b{building}u{unit}", "unit", f"{unit}单元", at)
            for door in (floor * 100 + side for floor in range(1, 7) for side in (1, 2)):
                add(f"b{building}u{unit}d{door}", "household", f"{unit}-{door}", inside)
    for name, aliases in LANDMARKS.items():
        add(name, "landmark", name, 1, aliases)
    return build_places(entries), codes


def said_of(text: str) -> str:
    """The node named last, the estate itself only where nothing else is named; - where nothing is."""
    places, codes = tree()
    named = [codes[place.area_id] for place in places.find(normalise(text)) if place.area_id is not None]
    named = [code for code in named if code != "estate"] or named
    return named[-1] if named else "-"


def test_own_phrases_resolve_to_their_node() -> None:
    lines = [line.split("\t") for line in PHRASES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) >= 280
    wrong = [(text, node, said_of(text)) for node, text in lines if said_of(text) != node]
    confident = [one for one in wrong if one[2] != "-"]
    assert len(wrong) / len(lines) <= 0.03, wrong
    assert len(confident) / len(lines) <= 0.01, confident
