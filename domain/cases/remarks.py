"""What a resident's line says beside a matter: that it is still so, where it is, how it really is, or something else altogether."""

import re
from collections.abc import Sequence

from core.messages import Kind, PlaceMention
from domain.cases import words
from nlp import announcing, relapses, spots, subjects
from nlp.normalise import normalise
from storage.cases import Case

POINTING = re.compile(
    r"就是(?:这|那)|这(?:里|边|儿)|那(?:里|边)|[如上下见看补]图|图片|照片|现场|拍(?:了|的|一?张|到|下来)|还有(?:这|那|一[张处])|"
    r"另[外一](?:一?张|边|处|面)|[你您]们?(?:自己)?看|大家看|看看|看一?下|位置|恶心|吓人|危险|严重|没法|不成样"
)


def is_going_on(text: str) -> bool:
    """Whether somebody says that a trouble is still there, is back or grows: it points at what has been told before."""
    return relapses.is_back(text) or relapses.is_worse(text)


def announced(text: str) -> Kind | None:
    """What sort of matter somebody says that they have, and does not tell yet: 我要投诉."""
    return announcing.announced(normalise(text))


def names_something(text: str) -> bool:
    """Whether a remark says with what something is wrong."""
    return subjects.names_something(text)


def is_of_another(text: str, case: Case) -> bool:
    """Whether a remark about work that is done, or not, names another thing than this case: 水管修好了, of small advertisements."""
    return subjects.is_of_another(text, case.text, case.topic)


def shows_something_else(text: str) -> bool:
    """Whether words with a photo are talk that has nothing to do with what was told: 今天的红烧肉, and not 你们看, 就是这里, 现场照片."""
    return (
        POINTING.search(text) is None
        and not words.is_half(text)
        and not words.is_back(text)
        and subjects.is_plain_talk(text)
    )


def is_spot(text: str) -> bool:
    """Whether somebody says where, in whatever words, and nothing else: 在门口, 二单元三楼."""
    return spots.is_spot(text)


def spot_said(text: str) -> str:
    """A place in the resident's own words, without what leads up to it."""
    said = text.strip(" ，。！!.,").removeprefix("就")
    return said.removeprefix("是" if said.startswith("是") else "在").removesuffix("的")


def puts_right(text: str) -> bool:
    """Whether somebody says that what they said just now was wrong, and how it is."""
    return spots.puts_right(text)


def beyond_spot(text: str, places: Sequence[PlaceMention]) -> int:
    """How many characters of a line say something else than where."""
    return spots.beyond(text, [(place.start, place.end) for place in places])
