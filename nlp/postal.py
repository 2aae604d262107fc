"""House numbers of addresses written out as for a parcel, where nothing but the address around them says what they are:
文一路133号听雨人家7-12-1103, 滨江区河东街道赵家里117号, 明月公馆a1502.

A number counts only behind the names of an address with no word of talk in between, or right behind a name that the
community knows. Times, scores, amounts, days and ranges are left alone.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from nlp.numerals import CHINESE_DIGITS, read_number


@dataclass(frozen=True, slots=True)
class Parts:
    """What a place in numbers says, in Arabic digits and upper case: 三栋二单元501 is 3, 2, 501."""

    building: str | None = None
    unit: str | None = None
    door: str | None = None


@dataclass(frozen=True, slots=True)
class HouseNumber:
    """A house in an address, with its offsets."""

    start: int
    end: int
    parts: Parts


# What never stands in an address between its names and its numbers, besides spaces.
_TALK = (
    "，。！？；、,.:：;!?()\"'“”…~<>[]【】《》"
    "的了是我你他她它们这那在没不也就还很被把给让说问想要吗呢吧啊呀哦嘛每约但已请谢买卖吃看去到叫找等与"
)
_TALK_MARKS = frozenset(_TALK)
_NAME_ENDS = frozenset("省市县区镇乡村路街道巷弄号")
# Places by kind and not by name, and other words that end so; 幸福小区 and 3号 are names all the same.
_KINDS = frozenset({"小区", "社区", "街道", "市区", "地区", "园区", "校区", "片区", "全区", "全市", "全村", "本村"})
_NO_NAMES = frozenset(
    [
        "超市",
        "城市",
        "上市",
        "门市",
        "早市",
        "夜市",
        "菜市",
        "道路",
        "马路",
        "公路",
        "铁路",
        "线路",
        "电路",
        "思路",
        "一路",
        "逛街",
        "上街",
    ]
)
_ESTATE_ENDS = frozenset("苑园寓厦庭城")
_LOOKED_BACK = 33  # characters; no address is longer before its number
_FARTHEST = 17  # between two of its names
MAYBE_ADDRESS = re.compile(rf"[{''.join(_NAME_ENDS)}][^\s{re.escape(_TALK)}]{{0,24}}(?:[\da-z]|[{CHINESE_DIGITS}]号)")
# So that time stays bounded: characters of a text, and candidates of a form.
MOST_READ = 1200
_MOST_TRIED = 40

_ROAD = "[路街道巷]"
_NAME = r"(?<=[\u4e00-\u9fff])(?<![路街道巷月第站柜架码])"
# Not the number of a thing, nor of a door in a building named before it.
_OUTSIDE = rf"(?<![\d{CHINESE_DIGITS}号][栋幢座楼层])(?<!单元)"
_SPOT = rf"{_NAME}{_OUTSIDE}(?<![弄段线位牌表柜桩杆灯机车卡工编尾账令室速件告单案报])(?<!市场)"
_DASH = r"(?:[-_]+|(?<=\d)一(?=\d))"  # 9一2一301 is typed where the dash is not at hand
_NUMBER = r"(?:[a-z]?[1-9]\d{0,3}[a-z]?|[a-z])"
_DOOR = r"\d{3,4}(?![\d号]|-\d)"
_NOT_COUNTED = r"(?![\d:/.%]|-\d|[元块分米人年个平月日天点岁次路名位户万亿层斤度周吨辆条届级期栋幢座排班比折倍线学多余每起不之左]|公里|小时|号[楼院线])"
# 12-3 is a day of December too, and 7-11 a shop, unless the address ends there.
NO_DATE = r"(?!7-11(?!\d))(?!(?:1[0-2]|[1-9])-(?:[12]\d|3[01]|[1-9])(?!\d)(?!室|户|\Z|号(?![开到至起前后晚早上下停施举进截])))"
BESIDE = "(?:旁|隔壁|斜?对面)"  # behind a house and never behind a day
_DAY = r"(?:[12]\d|3[01]|[1-9])"
_NO_DAY = r"(?:3[2-9]|[4-9]\d|[1-9]\d{2,3})"
_NO_HOUSE = r"(?![文令线楼弄院路大街道店铺柜床摊机房车电劳案]|公路)"
_SEVERAL_LETTERS = r"(?![\da-z:]|国道|省道|县道|高速|线)"

_MAY_BE_ANYTHING = re.compile(rf"\d+|(?:{_DAY}|[{CHINESE_DIGITS}]+)号")

# Of how many names of an address a number must stand behind to be a house in this form.
_ONE_NAME, _TWO_NAMES = 1, 2
_FORMS = tuple(
    (re.compile(form), names)
    for form, names in (
        # 7-12-1103, 81-b-1306, 12-东单元-1503, 3-5-4-1102, 9-12-6楼
        (
            rf"{_NAME}(?P<b>{_NUMBER}){_DASH}(?P<u>[a-z1-9]\d{{0,3}}|[东南西北中]单元){_DASH}(?:[1-9]\d?{_DASH})?"
            rf"(?P<d>[1-9]\d{{1,3}}|[1-9](?=[号室]|楼\Z))(?:{_NOT_COUNTED}|(?=楼\Z))",
            _ONE_NAME,
        ),
        # 18-604, g3-12005
        (rf"{_NAME}(?P<b>{_NUMBER}){_DASH}(?P<d>[1-9]\d{{2,4}}){_NOT_COUNTED}(?!楼)", _ONE_NAME),
        # 64-14, 8-4号; 175-9楼 where no house has so many floors
        (
            rf"{_NAME}{_OUTSIDE}{NO_DATE}(?P<b>{_NUMBER}){_DASH}(?P<u>[1-9]\d?){_NOT_COUNTED}(?!楼)(?P<h>号)?",
            _TWO_NAMES,
        ),
        (rf"{_NAME}(?P<b>[4-9]\d|[1-9]\d\d){_DASH}[1-9]\d?楼", _TWO_NAMES),
        # Within the number of a road: 96号-8, 38号-5-152, 1620号14号, 25号k楼
        (
            rf"{_ROAD}[1-9]\d{{0,3}}号{_DASH}(?P<b>{_NUMBER})(?:{_DASH}(?P<d>[1-9]\d{{0,3}}))?{_NOT_COUNTED}(?![号楼])",
            _ONE_NAME,
        ),
        (
            rf"{_ROAD}[1-9]\d{{0,3}}号(?P<b>[1-9]\d{{0,3}}|[a-z])(?:(?<=\d)号{_NO_HOUSE}|(?<=[a-z])楼)(?P<d>{_DOOR})?",
            _ONE_NAME,
        ),
        # The twelfth house within 48: 48-12号, 1328-12-5-432; and 12-981, house and room
        (rf"{_ROAD}(?P<n>[1-9]\d{{0,3}}){_DASH}(?P<b>[1-9]\d{{0,2}})号(?!楼)", _ONE_NAME),
        (rf"{_ROAD}(?P<n>[1-9]\d{{0,3}}){_DASH}(?P<b>[1-9]\d{{0,2}}){_NOT_COUNTED}(?![号楼])", _TWO_NAMES),
        (
            rf"{_ROAD}[1-9]\d{{0,3}}{_DASH}(?P<b>[1-9]\d{{0,2}}){_DASH}(?P<u>[1-9]\d?)(?:(?:{_DASH}|单元)(?P<d>{_DOOR}))?{_NOT_COUNTED}",
            _TWO_NAMES,
        ),
        # A house by itself, 赵家里117号, with one name of an address before it at the end only; what may be a day only at the end or before a room or a floor
        (rf"{_SPOT}(?P<b>{_NO_DAY})号{_NO_HOUSE}(?P<d>{_DOOR})?", _TWO_NAMES),
        (rf"{_SPOT}(?P<b>{_NO_DAY})号\Z", _ONE_NAME),
        (
            rf"{_SPOT}(?P<b>{_DAY}|[{CHINESE_DIGITS}]{{1,3}})号(?:(?P<d>{_DOOR})|(?=_|[\d{CHINESE_DIGITS}]{{1,2}}[楼层]|{BESIDE}|\Z))",
            _TWO_NAMES,
        ),
        (rf"{_ROAD}(?P<b>[1-9]\d{{0,3}})号(?:(?P<d>{_DOOR})|(?=_[\d{CHINESE_DIGITS}]{{1,2}}[楼层]))", _TWO_NAMES),
        (r"(?P<b>(?<=[村苑园区])[1-9]\d{0,2}|(?<=寓)[1-9]\d?)(?=\Z|电联)", _TWO_NAMES),
        # a1502, 14b3702, b12, a12楼
        (rf"{_NAME}(?<![楼层牌])_?(?P<b>[a-z]|\d{{1,2}}[a-z])_?(?P<d>\d{{3,4}}){_SEVERAL_LETTERS}(?!-)", _TWO_NAMES),
        (rf"{_NAME}(?<![楼层牌])(?P<b>[a-z]\d{{1,2}}|\d{{1,3}}[a-eg-z])(?=\Z|[一九]\d{{3,4}}|-[\da-z])", _TWO_NAMES),
        (rf"{_NAME}(?P<b>[a-z]\d{{0,2}})楼(?=\d|\Z)", _TWO_NAMES),
        (r"(?<=[流园地])(?P<b>[1-9]\d?)号(?:仓库|库|厂房)", _ONE_NAME),
    )
)


def find_house_numbers(text: str, known_ends: Collection[int] = ()) -> Iterator[HouseNumber]:
    """The houses of the addresses in a normalised text, some of them twice, for one in which `MAYBE_ADDRESS` or a known name
    is found. `known_ends` are where names of the community end."""
    for form, names in _FORMS:
        for match in islice(form.finditer(text, 0, MOST_READ), _MOST_TRIED):
            start = match.start("b")
            is_known = start in known_ends and not _MAY_BE_ANYTHING.fullmatch(match[0])
            if is_known or _names_before(text, start) >= names:
                parts = _parts(match.groupdict(), text[match.start() - 1 : match.start()])
                if parts is not None:
                    yield HouseNumber(start, match.end(), parts)


def is_one_address(between: str) -> bool:
    """Whether what stands between a name and a number leaves them one address: no space, mark or word of talk."""
    return not any(character.isspace() or character in _TALK_MARKS for character in between)


def _names_before(text: str, end: int) -> int:
    """How many names of an address stand before an offset, up to two, with no talk between them and it."""
    nearest = 0
    for back in range(1, min(_LOOKED_BACK, end) + 1):
        character = text[end - back]
        if character in _TALK_MARKS or character.isspace():
            break
        if (character in _NAME_ENDS and _is_name(text, end - back)) or (back <= 3 and character in _ESTATE_ENDS):
            if not nearest:
                nearest = back
            elif 1 < back - nearest <= _FARTHEST:
                return 2
    return 1 if nearest else 0


def _is_name(text: str, last: int) -> bool:
    """Whether a name of an address ends with the character at `last`, which often ends one."""
    if text[last] == "号":
        return text[last - 1 : last].isdigit() or text[last - 1 : last] in tuple(CHINESE_DIGITS)
    word = text[max(0, last - 1) : last + 1]
    if word in _KINDS:
        before = text[max(0, last - 3) : last - 1]
        return len(before) == 2 and is_one_address(before) and before[1] not in _NAME_ENDS
    return word not in _NO_NAMES


def _parts(groups: Mapping[str, str | None], behind: str) -> Parts | None:
    """What the groups of a form say; None for years, round sums and rows of houses. `behind` is the character before."""
    building, unit, door = groups["b"] or "", groups.get("u"), groups.get("d")
    first, second = _value(building), _value(unit or door or "")
    if (first > 1900 and second) or (first and second and first % 50 == second % 50 == 0):
        return None
    if number := _value(groups.get("n") or ""):
        if number > first:
            return Parts(building)
        return Parts(str(number), None, building) if first > 99 and first > 3 * number else None
    if groups.get("h"):
        is_within = behind == "村" or first > 31
        if second < first or behind == "村":
            return Parts(unit) if is_within and second != first + 1 else Parts(read_number(building), unit)
        if second <= 31:
            return None  # days, or a row of houses
    return Parts(
        read_number(building), (read_number(unit) or unit) if unit else None, read_number(door) if door else None
    )


def _value(written: str) -> int:
    return int(written) if written.isdigit() else 0
