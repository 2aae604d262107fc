"""A wish in the words of the wall: what it is, and not whose."""

import re

from core.privacy import mask_for_group
from nlp.names import mask_people

# Whose wish it is can be told from where they live beside somebody, and how old; of a child the age is needed.
_BESIDE = re.compile(
    r"(?<!在)(?:我们?家?)?(?:楼上|楼下|隔壁|对门|对面)(?:那?家|邻居|单元)?的?(?=[^，。；！？]{0,10}?(?:奶奶|爷爷|老人|大爷|大妈|大姐|阿姨|叔叔|孩子|小孩|婆婆|老太|老头|邻居|独居|残疾|空巢|\d+岁|[一二三四五六七八九十]+岁))"
)
_OLD = re.compile(r"(?:[6-9]\d|1[0-2]\d|[六七八九]十[一二三四五六七八九]?)多?岁(?:高龄)?的?")


def for_wall(text: str) -> str:
    """The wish without numbers and doors, nobody's name, and not beside whom they live or how old they are."""
    return _OLD.sub("", _BESIDE.sub("", mask_people(mask_for_group(text))))
