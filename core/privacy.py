"""Masks what is personal in a text before it reaches a group, a log or a public page: phones, ID numbers, plates, doors, names.

Patterns are matched on a shadow of the text, letter for letter as long, in which every kind of digit is an Arabic one; only what
they find is starred in the text itself.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

CHINESE_DIGITS = {digit: str(value) for value, digit in enumerate("〇一二三四五六七八九")} | {
    "零": "0",
    "○": "0",
    "幺": "1",
}
# Circled numbers and their kind head the lines of lists, and nobody writes a telephone number with them.
LIST_MARKS = range(0x2460, 0x2800)
# No kind of digit stands behind this; looking further would only take time at every start.
LAST_DIGIT = 0x1FC00


def _shadow_table() -> dict[int, str]:
    table = {ord(digit): value for digit, value in CHINESE_DIGITS.items()}
    for code in range(128, LAST_DIGIT):
        value = unicodedata.digit(chr(code), None)
        if value is not None and code not in LIST_MARKS:
            table[code] = str(value)
    table |= {code: chr(code - 0xFEE0) for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
    return table


SHADOW = _shadow_table()

# Digits may be parted by blanks, hyphens and things that cannot be seen, as people type telephone numbers.
GAP = r"[ \t\-\u2010-\u2015－\u00a0\u3000\u00ad\u200b-\u200d\u2060\ufeff]{0,3}"
POINT = r"[.,，、/·_*~]"
DATE = r"(?!1[3-9]\d\d[\-./ ](?:0?[1-9]|1[0-2])[\-./ ](?:0?[1-9]|[12]\d|3[01])(?!\d))"
COUNTRY = rf"(?:(?:\+|00)?{GAP}86{GAP})?"


def _digits(pattern: str) -> str:
    """A pattern of single digits, with room for a gap between each two of them."""
    return GAP.join(pattern.split())


IDENTITY = re.compile(
    rf"(?<!\d)[1-9](?:{GAP}\d){{5}}{GAP}(?:{_digits('1 [89]')}|{_digits('2 0')})(?:{GAP}\d){{2}}"
    rf"{GAP}(?:{_digits('0 [1-9]')}|{_digits('1 [0-2]')}){GAP}(?:{_digits('0 [1-9]')}|{_digits('[12] [0-9]')}|{_digits('3 [01]')})"
    rf"(?:{GAP}\d){{3}}{GAP}[\dXx](?!\d)"
)
CARD = re.compile(rf"(?<!\d)62\d\d(?:{GAP}\d{{4}}){{3}}(?:{GAP}\d{{1,3}})?(?!\d)")
LONG_NUMBER = re.compile(r"(?<!\d)\d{15,19}[Xx]?(?!\d)")
MOBILE = re.compile(rf"(?<!\d){DATE}{COUNTRY}[(（]?1{GAP}[3-9]{GAP}\d[)）]?(?:{GAP}\d){{8}}(?!\d)")
POINTED_MOBILE = re.compile(rf"(?<!\d){COUNTRY}1[3-9]\d{POINT}\d{{4}}{POINT}\d{{4}}(?!\d)")
LANDLINE = re.compile(rf"(?<!\d)[(（]?0\d{{2,3}}[)）]?{GAP}\d{{3,4}}{GAP}\d{{4}}(?!\d)")
SPOKEN_OF = re.compile(
    r"(?P<before>(?:电话|座机|固话|手机|联系方式|tel|phone)(?:号码|号)?\s*[:：是为]?\s*)(?P<number>\d{3,4}[ -]?\d{4})(?!\d)",
    re.IGNORECASE,
)
# Numbers of offices, which anybody may call: said to be one's, or a number that only firms have. A mobile is always somebody's.
_OFFICE = (
    r"(?:社区|居委会?|村委会?|街道|物业|派出所|警务室|卫生[院所站]|医院|门诊|药房|司法所|法院|城管|消防|民政[局所]?|[社医]保[局所]?|人社[局所]?|(?:服务|党群|政务|便民|活动|养老)(?:中心|大厅|站|点|处)|"
    r"供[电水气热暖](?:所|局|公司|站)?|自来水(?:公司|厂)?|(?:燃气|热力|电力|电梯|维保|环卫|公交)(?:公司|站|所)?|学校|幼儿园|银行|邮局|快递站|办公室|值班室?|热线|客服|抢修|前台|窗口|大厅)"
)
OFFICIAL = re.compile(
    rf"{_OFFICE}(?:的|值班|办公室?|联系|咨询|服务|抢修|报修|维修|监督|投诉|前台|热线|中心|大厅|窗口|24小时|小时|[ ，,（(])*+"
    rf"(?:的?(?:电话|座机|固话|号码|热线|tel)(?:号码|号)?)?[ \t:：是为（(]*+(?P<number>(?:0\d{{2,3}}[)）]?{GAP})?[2-8]\d{{2,3}}{GAP}\d{{4}})(?!\d)"
    rf"|(?P<firm>(?<!\d)[48]00{GAP}\d{{3,4}}{GAP}\d{{3,4}}(?!\d))",
    re.IGNORECASE,
)
ACCOUNT = re.compile(
    r"(?P<before>(?:QQ|微信号?|V信|VX|wechat|护照)(?:号码|号)?\s*[:：是为]?\s*)(?P<number>[A-Za-z0-9][A-Za-z0-9_-]{4,19})",
    re.IGNORECASE,
)
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·.• \-－]?"
    r"[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳领应超](?![A-Za-z0-9])",
    re.IGNORECASE,
)
LEAST_PLATE_DIGITS = 3
DOOR = re.compile(
    r"(?:(?P<before>(?:单元|楼|栋|幢|座|#)\s*|\d+[-－]\d+[-－])(?P<door>\d{3,4})(?!\d|年|元|块|多?人|多?户|个)|"
    r"(?<!\d)(?P<room>\d{3,4})(?=室|号房))"
)

# What else names a door in the words of a place, though it may mean anything in talk: 207号, 16号301, 132-967; not 3号楼, 3号2单元.
HOUSE = re.compile(
    r"(?<=[\d*][-－])\d{1,4}(?![\d\-－*])(?!单元)|(?<!\d)\d{1,4}(?=号(?![楼院线门]|\s?[\d一二三四五六]单元))|(?<=号)\d{3,4}(?!\d)"
)

# In what staff write of their work a door stands alone, or beside whose it is: 301 已换, 楼上401, 317李**家; not 301元, 512路, 110.
_COUNTED = r"(?!\s?(?:[年元块个米平斤吨瓦度路台次份套天页件盏只根升毫厘克万千百%％℃]|多?人|多?户(?!主)|公[里斤]|号文|[a-zA-Z]))"
_ALONE = r"(?<![\d¥￥])(?<!\d[.:：/,])(?<!\d{8}[-－])(?<![A-Za-z]{2})"
DOOR_IN_TALK = re.compile(
    rf"(?<=楼上|楼下|隔壁|对门|对面)\d{{3,4}}(?!\d){_COUNTED}"
    rf"|{_ALONE}(?!11[0-2](?!\d))(?:[1-9]|[12]\d|3[0-3])(?:0[1-9]|1[0-2])(?![\d.]){_COUNTED}"
    rf"|{_ALONE}(?<!了)\d{{3,4}}(?=(?:号|室)?(?:[\u4e00-\u9fff]\*|家(?!店|企|公司|商|单位|餐)|业主|住户|户主|租户|租客|房东|[\u4e00-\u9fff]{{2,3}}家))"
)
GONE = "***"
NOTHING = "\0"  # stands for what no pattern is to find

# Fewer digits than a plate or a door has, and none of these words: nothing to look for. Most lines of a group are so.
FEWEST_DIGITS = re.compile(r"\d\D*\d\D*\d")
FIRST_LETTERS = frozenset("@QqVvWw微护")
MARKS = re.compile("@|qq|微信|v信|vx|wechat|护照", re.IGNORECASE)

Masker = Callable[[re.Match[str]], tuple[int, int, int, int]]


def _whole(head: int, tail: int) -> Masker:
    return lambda found: (found.start(), found.end(), head, tail)


def _number(head: int, tail: int) -> Masker:
    return lambda found: (found.start("number"), found.end("number"), head, tail)


def _plate(found: re.Match[str]) -> tuple[int, int, int, int]:
    """A province's letter also begins many words (新 garden); a plate has digits."""
    is_plate = sum(letter.isdigit() for letter in found.group()) >= LEAST_PLATE_DIGITS
    return (found.start(), found.end(), 2, 1) if is_plate else (0, 0, 0, 0)


# In this order: the longest first, so that no part of an identity number is taken for a telephone number.
PATTERNS: tuple[tuple[re.Pattern[str], Masker], ...] = (
    (EMAIL, _whole(1, 0)),
    (IDENTITY, _whole(3, 2)),
    (CARD, _whole(3, 2)),
    (LONG_NUMBER, _whole(3, 2)),
    (MOBILE, _whole(3, 2)),
    (POINTED_MOBILE, _whole(3, 2)),
    (LANDLINE, _whole(3, 2)),
    (SPOKEN_OF, _number(2, 2)),
    (ACCOUNT, _number(2, 0)),
    (PLATE, _plate),
)


def _hidden(text: str, start: int, end: int, head: int, tail: int) -> set[int]:
    """The places of all letters and digits of a span but the first `head` and last `tail`; separators stay."""
    places = [index for index in range(start, end) if text[index].isalnum()]
    return set(places[head : len(places) - tail])


def _shadow_of(text: str) -> str:
    """The text letter for letter as the patterns see it: all digits Arabic ones, and those of an office's number none at all."""
    shadow = text.translate(SHADOW)
    if FEWEST_DIGITS.search(shadow) is None:
        return shadow
    for found in OFFICIAL.finditer(shadow):
        start, end = found.span("number" if found["number"] else "firm")
        shadow = f"{shadow[:start]}{NOTHING * (end - start)}{shadow[end:]}"
    return shadow


def mask(text: str) -> str:
    """The text without phone, identity, card and account numbers, e-mail addresses and number plates; all else is untouched."""
    shadow = _shadow_of(text)
    return _masked(text, shadow)[0] if _may_hold_something(shadow) else text


def _masked(text: str, shadow: str) -> tuple[str, str]:
    """The text and its shadow, both masked."""
    for pattern, masker in PATTERNS:
        hidden: set[int] = set()
        for found in pattern.finditer(shadow):
            hidden |= _hidden(shadow, *masker(found))
        if hidden:
            text, shadow = _starred(text, hidden), _starred(shadow, hidden)
    return text, shadow


def _may_hold_something(shadow: str) -> bool:
    if FEWEST_DIGITS.search(shadow) is not None:
        return True
    return not FIRST_LETTERS.isdisjoint(shadow) and MARKS.search(shadow) is not None


def _starred(text: str, hidden: set[int]) -> str:
    return "".join("*" if index in hidden else letter for index, letter in enumerate(text))


def mask_for_group(text: str) -> str:
    """Like `mask`, and without door numbers: what a group or a public page may show."""
    shadow = _shadow_of(text)
    if not _may_hold_something(shadow):
        return text
    text, shadow = _masked(text, shadow)
    return _without(text, [found.span("door" if found["door"] else "room") for found in DOOR.finditer(shadow)])


def mask_talk(text: str) -> str:
    """What staff write, as a group may read it: like `mask_for_group`, with nothing left of a number, and no door that stands alone."""
    shadow = _shadow_of(text)
    if not _may_hold_something(shadow):
        return text
    for pattern, masker in PATTERNS:
        spans = [masker(found)[:2] for found in pattern.finditer(shadow)]
        text, shadow = _without(text, spans), _without(shadow, spans)
    text = mask_for_group(text)
    return _without(text, [found.span() for found in DOOR_IN_TALK.finditer(_shadow_of(text))])


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Three stars in the place of each span. Spans are in order and apart; an empty one is none."""
    pieces, last = [], 0
    for start, end in spans:
        if start < end:
            pieces += [text[last:start], GONE]
            last = end
    return "".join([*pieces, text[last:]])


def mask_place(place: str) -> str:
    """A place as a group may see it: without door numbers, also those that only a place's words show to be some."""
    return HOUSE.sub("***", mask_for_group(place))


def mask_name(name: str) -> str:
    """The first character and stars: 王小明 → 王**. Empty stays empty."""
    return name[:1] + "*" * (len(name) - 1) if name else ""


def mask_phone(phone: str) -> str:
    """138****5678, whatever separators it had."""
    if len(phone) <= 7:
        return "*" * len(phone)
    return _starred(phone, _hidden(phone, 0, len(phone), 3, 4))
