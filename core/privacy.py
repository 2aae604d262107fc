"""Masks what is personal in a text before it reaches a group, a log or a public page: phones, ID numbers, plates, doors, names."""

import re

# Digits may be parted by blanks or hyphens, as people type telephone numbers.
GAP = r"[ \-\u3000]?"
IDENTITY_NUMBER = re.compile(rf"(?<!\d)[1-9](?:{GAP}\d){{16}}{GAP}[\dXx](?!\d)")
MOBILE = re.compile(rf"(?<!\d)(?:\+?86{GAP})?1{GAP}[3-9](?:{GAP}\d){{9}}(?!\d)")
LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[ -]?\d{7,8}(?!\d)")
LONG_NUMBER = re.compile(r"(?<!\d)\d{15,19}(?!\d)")
PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·. ]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]",
    re.IGNORECASE,
)
DOOR = re.compile(
    r"(?P<before>(?:单元|楼|栋|幢|座|号楼|#)\s*|\d+-\d+-)(?P<door>\d{3,4})(?P<after>室|号房|户|房)?(?!\d)"
)
FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


def _keep_ends(text: str, head: int, tail: int) -> str:
    """Stars for every digit or letter but the first `head` and last `tail`; separators stay where they were."""
    places = [index for index, letter in enumerate(text) if letter.isalnum()]
    hidden = set(places[head : len(places) - tail])
    return "".join("*" if index in hidden else letter for index, letter in enumerate(text))


def mask(text: str) -> str:
    """The text without phone numbers, identity and card numbers and number plates. Other words are untouched."""
    text = text.translate(FULL_WIDTH)
    text = IDENTITY_NUMBER.sub(lambda found: _keep_ends(found.group(), 3, 2), text)
    text = MOBILE.sub(lambda found: _keep_ends(found.group(), 3, 2), text)
    text = LANDLINE.sub(lambda found: _keep_ends(found.group(), 3, 2), text)
    text = LONG_NUMBER.sub(lambda found: _keep_ends(found.group(), 3, 2), text)
    return PLATE.sub(lambda found: _keep_ends(found.group(), 2, 1), text)


def mask_for_group(text: str) -> str:
    """Like `mask`, and without door numbers: what a group or a public page may show."""
    return DOOR.sub(lambda found: f"{found['before']}***{found['after'] or ''}", mask(text))


def mask_name(name: str) -> str:
    """The first character and stars: 王小明 → 王**. Empty stays empty."""
    return name[:1] + "*" * (len(name) - 1) if name else ""


def mask_phone(phone: str) -> str:
    """138****5678, whatever separators it had."""
    return _keep_ends(phone, 3, 4) if len(phone) > 7 else "*" * len(phone)
