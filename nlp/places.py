"""The community's own matcher of places: buildings, units, doors, estate nicknames and landmarks.

Reads 3号楼, 三栋, 3#, 3幢, 3-2-501, 3栋2单元501, 二单元501 and every name and alias of the area tree; leaves dates, times,
prices, telephone numbers and floors alone.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from core.messages import PlaceMention
from nlp.normalise import normalise
from nlp.numerals import CHINESE_DIGITS, read_number
from nlp.postal import BESIDE, MAYBE_ADDRESS, MOST_READ, HouseNumber, Parts, find_house_numbers, is_one_address

_NUMBER = rf"(?:\d{{1,3}}(?!\d)|\d{{4}}(?=[栋幢]|号楼|[号楼]\s?\d{{1,2}}单元)|[{CHINESE_DIGITS}]{{1,3}}|[a-z]\d{{0,3}}|\d{{1,2}}[a-z](?=[栋幢座]))"
# 第3次 counts, 第3栋 is a house; 三 behind a figure begins a number of its own.
_BEFORE = (
    rf"(?<![.:/a-z])(?<![\da-z]-)(?:(?<!\d)|(?<!一\d)(?=[{CHINESE_DIGITS}]))(?:(?<!第)|(?=\d{{1,3}}(?:[栋幢]|号楼)))"
)
# An estate's name ends so; what follows it in dashes is a door, whatever buildings are known: 桂花苑132-967, 南岸小区6-10-2023.
_ESTATE_END = "[弄苑园区村庄城府邸郡湾居坊厦寓庭墅期院]"
_ESTATE = rf"(?<={_ESTATE_END})"
_DOOR = r"(?:\d{3,4}|[零一二三四五六七八九]{3,4})(?![\d\-:/]|元|块|天|年|米|个|人|次|度|斤)(?:[室户房]|号(?!楼|线))?"
# Of two short numbers in dashes behind an estate's name the first is a building, 卧龙山庄9-9, unless something is counted or timed.
_COUNTABLE = (
    r"[\d\-:/.%]|[个人名位户家天年月日号点时分秒楼层栋幢座期元块毛折米平公斤度次岁倍级条辆台张只间套单班比\u4e07]|k\b"
)
# 11-21 is a day too, unless the line ends there, and 7-11 a shop.
_NO_DATE = r"(?!7-11(?![\d-]))(?!(?:1[0-2]|[1-9])-(?:[12]\d|3[01])(?![\d\-室户]|\Z))"
# 907号 behind an estate's name is a house and no date; so is any number in a lane, or with a floor or a room behind it.
_HOUSE = (
    rf"(?:(?<=弄)[1-9]\d{{0,3}}|{_ESTATE}(?:3[2-9]|[4-9]\d|[1-9]\d{{2,3}}|[1-9]\d?(?=号(?:\d{{3,4}}|[\d一二三四五六七八九十]{{1,2}}楼|{BESIDE}))))"
    r"(?=号(?!楼|线|院|门|店|公路|文|令|弄|[栋幢座]))"
)
# 撞, 憧 and 橦 are 幢 mistyped where a door or a unit follows, 搂 is 楼; a 楼 with units is no floor.
_UNIT_FOLLOWS = r"(?=\s?\d{1,2}单元|\s?[一二三四五六]单元)"
_BUILDING_WORD = rf"(?:号[楼搂]|[撞憧橦](?=\s?\d)|号院|号写字楼|栋楼?|幢楼?|座|#楼?|[号楼]{_UNIT_FOLLOWS})"

_PLACE = re.compile(
    rf"{_BEFORE}(?P<b>{_NUMBER})\s?{_BUILDING_WORD}"
    rf"(?:[\s\-]?(?P<u>[1-9]\d?|[{CHINESE_DIGITS}]{{1,2}})(?:单元|-(?=\d{{3}})))?"
    rf"(?:[\s\-]?(?P<d>{_DOOR}))?"
    rf"|{_ESTATE}(?P<b5>[1-9]\d{{0,2}})-(?:(?P<u5>[1-9]\d?)-)?(?P<d5>[1-9]\d{{2,3}})(?!\d|-|:|/|元|块|分|米|人|%|年|个|平)[室户房]?"
    rf"|{_ESTATE}{_NO_DATE}(?P<b6>[a-z]?[1-9]\d{{0,2}})-(?P<u6>[1-9]\d?)(?:-(?P<d6>[1-9]\d{{0,3}}))?(?!{_COUNTABLE})[室户房]?"
    rf"|(?P<b7>{_HOUSE})号(?:(?P<d7>\d{{3,4}})[室户房]?)?"
    rf"|{_BEFORE}(?P<b2>[1-9]\d?)-(?P<u2>[1-9])-(?P<d2>[1-9]\d{{2,3}})(?!\d|-|:|/|元|块)[室户房]?"
    rf"|{_BEFORE}(?P<b3>[1-9]\d?)-(?P<d3>[1-9]\d{{2,3}})(?!\d|-|:|/|元|块|分|米|人|%|[多每起]|不等|左右)[室户房]?"
    rf"|(?<![\d.\-第])(?P<u4>[1-9]\d?|[{CHINESE_DIGITS}]{{1,2}})单元(?:[\s\-]?(?P<d4>{_DOOR}))?"
)
_GROUNDS = frozenset({"community", "grid", "micro_grid"})
# A1502 where a building A is known: floor and room behind its letter, and no train, model or sheet of paper.
_LETTERED = re.compile(
    r"(?<![\da-z位])(?P<b>[a-z])-?(?P<d>[1-9]\d?(?:0[1-9]|1\d|20))(?![\da-z\-:/.%]|[次路型款线纸])[室户房]?"
)
MAX_MENTIONS = 20  # of each sort; a line with more is a list, and time must stay bounded

# A text without any of these names no building, so the long pattern need not run.
# It begins with all characters that may begin one, by which it is found several times as fast.
_MAYBE = re.compile(
    rf"[栋幢座#\d号单{_ESTATE_END[1:-1]}]"
    rf"(?:(?<=[栋幢座#])|(?<=\d)(?:[撞憧橦]|-\d)|(?<=号)[楼搂院写\d一二三四五六]|(?<=单)元|(?<={_ESTATE_END})\d+号)"
)
# 取件码3-2-1005 finds a parcel.
_OF_PARCEL = re.compile(r"[站柜码架件][:：是为 ]?\Z")
_COUNTED = re.compile(r"(?:[两几](?!号)|一(?=[座栋幢])|[a-z]#)")
_AFTER_COUNT = re.compile(r"\s*(?:城|山|桥|车|位|谈|机|庙|塔|大[山桥])")


@dataclass(frozen=True, slots=True)
class PlaceEntry:
    """A node of the area tree as the matcher needs it."""

    area_id: int
    level: str
    name: str
    aliases: tuple[str, ...] = ()
    parent_id: int | None = None


def _parts(match: re.Match[str]) -> Parts:
    group = match.group
    building = group("b") or group("b2") or group("b3") or group("b5") or group("b6") or group("b7")
    unit = group("u") or group("u2") or group("u4") or group("u5") or group("u6")
    door = group("d") or group("d2") or group("d3") or group("d4") or group("d5") or group("d6") or group("d7")
    return Parts(
        read_number(building) if building else None,
        read_number(unit) if unit else None,
        read_number(re.sub(r"[室户房号]", "", door)) if door else None,
    )


_ENTRY_DOOR = re.compile(r"(?:(\d{1,2})(?:单元|-))?(\d{3,4})[室户房号]?$")
_ENTRY_UNIT = re.compile(rf"(\d{{1,2}}|[{CHINESE_DIGITS}]{{1,2}})单元?$")


class Places:
    """All places of a community. Immutable; a changed area tree means a new one."""

    def __init__(self, entries: Iterable[PlaceEntry], *, within: int | None = None) -> None:
        self._entries = {entry.area_id: entry for entry in entries}
        self._within = within
        self._buildings: dict[str, list[int]] = {}
        self._lettered: frozenset[str] = frozenset()
        self._units: dict[tuple[int, str], int] = {}
        self._doors: dict[tuple[int, str | None, str], int] = {}
        self._names: dict[str, list[tuple[str, list[int]]]] = {}
        self._index()

    def within(self, area_id: int | None) -> "Places":
        """The same places seen from an area (a group's): among equal names those under it are meant."""
        other = object.__new__(Places)
        other.__dict__.update(self.__dict__)
        other._within = area_id
        return other

    def find(self, text: str) -> tuple[PlaceMention, ...]:
        """All places of a normalised text, in order. A place that is not in the tree has no area and less certainty."""
        named = self._find_names(text) if self._names else []
        numbered = self._find_numbers(text, named) if _MAYBE.search(text) else []
        known_ends = [one.end for one in named if _goes_on_in_figures(text, one.end) and self._is_ground(one.area_id)]
        if known_ends or MAYBE_ADDRESS.search(text if len(text) <= MOST_READ else text[:MOST_READ]):
            numbered = self._with_houses(find_house_numbers(text, known_ends), text, named, numbered)
        if self._lettered and (lettered := self._find_lettered(text, named, numbered)):
            numbered = sorted([*numbered, *lettered], key=lambda mention: mention.start)
        if not named:
            return tuple(numbered)
        taken = [(mention.start, mention.end) for mention in numbered]
        kept = [
            mention for mention in named if not any(start < mention.end and mention.start < end for start, end in taken)
        ]
        return tuple(sorted([*kept, *numbered], key=lambda mention: mention.start))

    # ── building the index ──

    def _index(self) -> None:
        names: dict[str, list[int]] = {}
        for entry in self._entries.values():
            for name in (entry.name, *entry.aliases):
                written = _written(name)
                if entry.level == "building":
                    match = _PLACE.fullmatch(written)
                    number = _parts(match).building if match else read_number(written)
                    if number:
                        _note(self._buildings, number, entry.area_id)
                        continue
                if entry.level == "unit" and (found := _ENTRY_UNIT.search(written)) and entry.parent_id is not None:
                    self._units[entry.parent_id, read_number(found[1]) or found[1]] = entry.area_id
                elif entry.level == "household":
                    self._index_door(entry, written)
                elif len(written) > 1:
                    _note(names, written, entry.area_id)
        self._lettered = frozenset(number for number in self._buildings if len(number) == 1 and number.isalpha())
        for name in sorted(names, key=len, reverse=True):
            self._names.setdefault(name[:2], []).append((name, names[name]))

    def _index_door(self, entry: PlaceEntry, written: str) -> None:
        """Under its building: by door alone, and by unit and door."""
        found = _ENTRY_DOOR.search(written)
        if not found:
            return
        unit, door = found[1], found[2]
        parent = self._entries.get(entry.parent_id) if entry.parent_id is not None else None
        if parent is not None and parent.level == "unit" and parent.parent_id is not None:
            match = _ENTRY_UNIT.search(_written(parent.name))
            unit = (read_number(match[1]) if match else None) or unit
            parent = self._entries.get(parent.parent_id)
        if parent is None:
            return
        self._doors[parent.area_id, unit, door] = entry.area_id
        if unit is not None:
            key = (parent.area_id, None, door)
            # Two units with the same door: the door alone names neither.
            self._doors[key] = entry.area_id if key not in self._doors else parent.area_id

    # ── looking ──

    def _find_names(self, text: str) -> list[PlaceMention]:
        found: list[PlaceMention] = []
        index, size = 0, len(text)
        names = self._names
        while index < size - 1 and len(found) < MAX_MENTIONS:
            candidates = names.get(text[index : index + 2])
            for name, areas in candidates or ():
                if text.startswith(name, index):
                    area = self._choose(areas, None)
                    certainty = 1.0 if area is not None else 0.5
                    end = index + len(name)
                    found.append(PlaceMention(name, index, end, landmark=name, area_id=area, certainty=certainty))
                    index = end - 1
                    break
            index += 1
        return found

    def _find_numbers(self, text: str, named: Sequence[PlaceMention]) -> list[PlaceMention]:
        found: list[PlaceMention] = []
        for match in _PLACE.finditer(text):
            if len(found) == MAX_MENTIONS:
                break
            parts = _parts(match)
            is_bare = match["b2"] or match["b3"]
            if _counts_things(match, text) or (match["b3"] and not self._is_door(parts)):
                continue
            if is_bare and _OF_PARCEL.search(text[max(0, match.start() - 3) : match.start()]):
                continue
            area, certainty = self._resolve(parts, match.start(), named, found)
            mention = PlaceMention(match[0].strip(), match.start(), match.end(), parts.building, parts.unit, parts.door)
            found.append(replace(mention, area_id=area, certainty=certainty))
        return found

    def _find_lettered(
        self, text: str, named: Sequence[PlaceMention], numbered: Sequence[PlaceMention]
    ) -> list[PlaceMention]:
        """Doors of the buildings that have letters, written without a word between."""
        found: list[PlaceMention] = []
        for match in islice(_LETTERED.finditer(text), MAX_MENTIONS):
            start, end = match.span()
            parts = Parts(match["b"].upper(), None, match["d"])
            if parts.building in self._lettered and not any(one.start < end and start < one.end for one in numbered):
                area, certainty = self._resolve(parts, start, named, ())
                found.append(
                    PlaceMention(match[0], start, end, parts.building, None, parts.door, None, area, certainty)
                )
        return found

    def _is_ground(self, area_id: int | None) -> bool:
        """Whether an area is one on which buildings stand."""
        return area_id is not None and self._entries[area_id].level in _GROUNDS

    def _with_houses(
        self, houses: Iterable[HouseNumber], text: str, named: Sequence[PlaceMention], numbered: Sequence[PlaceMention]
    ) -> list[PlaceMention]:
        """The numbered places, and the houses of written addresses; of two that overlap the longer if it takes in the other, else the former."""
        found: list[PlaceMention] = []
        for house in sorted(houses, key=lambda one: (one.start, -one.end))[:MAX_MENTIONS]:
            start, end = house.start, house.end
            is_taken = any(one.start < end and start < one.end for one in found) or any(
                one.start <= end + 1 and start < one.end and not (start < one.start and one.end <= end)
                for one in numbered
            )
            if not is_taken:
                parts = house.parts
                mention = PlaceMention(text[start:end], start, end, parts.building, parts.unit, parts.door)
                before = [one for one in named if one.end <= start and is_one_address(text[one.end : start])]
                # A stranger's address is none of ours, though a building of ours may have the number.
                area, certainty = self._resolve(parts, start, before, ()) if before else (None, 0.5)
                found.append(replace(mention, area_id=area, certainty=certainty))
        kept = [one for one in numbered if not any(house.start <= one.start < house.end for house in found)]
        return sorted([*kept, *found], key=lambda mention: mention.start)

    def _is_door(self, parts: Parts) -> bool:
        """3-501 is a door only where the building is known, or where the number looks like floor and room."""
        if self._buildings:
            return parts.building in self._buildings
        return parts.door is not None and 1 <= int(parts.door[-2:]) <= 12

    def _resolve(
        self, parts: Parts, start: int, named: Sequence[PlaceMention], found: Sequence[PlaceMention]
    ) -> tuple[int | None, float]:
        """The deepest area that the parts name, and how sure."""
        above = next((mention.area_id for mention in reversed(named) if mention.end <= start), None)
        if parts.building is None:
            building = next((m.area_id for m in reversed(found) if m.building), None) or self._own_building()
        else:
            building = self._choose(self._buildings.get(parts.building, ()), above)
        if building is None:
            return None, 0.5
        if self._entries[building].level != "building":
            building = self._ancestor(building, "building") or building
        deepest = building
        if parts.unit is not None:
            deepest = self._units.get((building, parts.unit), deepest)
        if parts.door is not None:
            household = self._doors.get((building, parts.unit, parts.door))
            return (household, 1.0) if household not in (None, building) else (deepest, 0.8)
        return deepest, 1.0

    def _own_building(self) -> int | None:
        """The building of the group itself, when the group belongs to one."""
        return self._ancestor(self._within, "building") if self._within is not None else None

    def _choose(self, areas: Sequence[int], above: int | None) -> int | None:
        """The only one, else the one nearest to the place named before or to the group's area; None when several are."""
        if len(areas) == 1:
            return areas[0]
        for anchor in (above, self._within):
            for ancestor in self._path(anchor) if anchor is not None and areas else ():
                under = [area for area in areas if self._is_under(area, ancestor.area_id)]
                if under:
                    return under[0] if len(under) == 1 else None
        return None

    def _path(self, area_id: int) -> Iterable[PlaceEntry]:
        seen: set[int] = set()
        current = self._entries.get(area_id)
        while current is not None and current.area_id not in seen:
            seen.add(current.area_id)
            yield current
            current = self._entries.get(current.parent_id) if current.parent_id is not None else None

    def _is_under(self, area_id: int, anchor: int) -> bool:
        return any(entry.area_id == anchor for entry in self._path(area_id))

    def _ancestor(self, area_id: int, level: str) -> int | None:
        return next((entry.area_id for entry in self._path(area_id) if entry.level == level), None)


def _counts_things(match: re.Match[str], text: str) -> bool:
    """两栋楼, 一座桥 and C# count or name other things than a building of ours."""
    if not match["b"] or match["u"] or match["d"]:
        return False
    if "座" in match[0] and _AFTER_COUNT.match(text, match.end()):
        return True
    return _COUNTED.match(match[0]) is not None and (match.start() > 0 or not match[0].startswith("一"))


def _goes_on_in_figures(text: str, end: int) -> bool:
    behind = text[end : end + 1]
    return behind.isascii() and behind.isalnum()


def _written(name: str) -> str:

    return normalise(name).strip()


def _note(index: dict[str, list[int]], name: str, area_id: int) -> None:
    found = index.setdefault(name, [])
    if area_id not in found:
        found.append(area_id)


def build_places(entries: Sequence[PlaceEntry]) -> Places:
    """The matcher of an area tree. Entries may come in any order."""
    return Places(entries)


NOWHERE: Places = Places(())
__all__ = ["NOWHERE", "PlaceEntry", "Places", "build_places"]
