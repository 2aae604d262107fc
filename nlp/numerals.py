"""Small numbers as people write them: 12, 十二, 一二 and A."""

CHINESE_DIGITS = "零一二三四五六七八九十两"
_VALUES = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}


def read_number(text: str) -> str | None:
    """The number in Arabic digits without leading zeros ("十二" gives "12", "五零一" "501"); a letter stays, upper case."""
    text = text.strip()
    if text.isascii() and text.isalnum():
        return (text.lstrip("0") or "0") if text.isdigit() else text.upper()
    if not text or any(character not in CHINESE_DIGITS for character in text):
        return None
    if "十" not in text:
        return "".join(str(_VALUES[character]) for character in text).lstrip("0") or "0"
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return None
    return str((_VALUES[tens] if tens else 1) * 10 + (_VALUES[ones] if ones else 0))
