"""Lines that say where and nothing else: 在门口, 二单元三楼, 就菜鸟驿站那里, 3-2-301. And lines that put right what was said: 不是滑梯，是跷跷板."""

import re
from collections.abc import Sequence

LONGEST = 22
_NUMBER = r"(?:\d{1,4}|[一二三四五六七八九十]{1,3})"
_WORDS = (
    rf"就|是|在|我家|我们家|我们?|俺|咱|我说的|说的|那个|这个|那|这|的|个|了|呢|啊|呀|哦|哈|吧|边上|边|旁边|附近|对面|隔壁|门口|门前|门|后面|前面|后边|前边|里面|里边|外面|"
    rf"里|外|中间|中心|上面|下面|楼上|楼下|楼道口?|楼顶|楼梯口?|大厅|地下室?|地库|车库|东|南|西|北|侧|口|号院|号楼|号|单元|小区|广场|亭子?|停车场|停车位|超市|"
    rf"驿站|菜鸟|快递柜|公园|路口|马路边?|电梯口|大门|大堂|花坛|花园|凉亭|桥|右手边?|左手边?|右边|左边|进门|进去|出去|出门|拐角|角落|转弯|尽头|幼儿园|学校|菜场|"
    rf"健身|[A-Za-z]\d{{0,2}}|区|游乐区|居委会|物业|卫生站|岗亭|保安室?|围墙|绿化带|草坪|河边|那儿|这儿|栋|幢|座|层|楼|室|户|#|和|跟|靠|往|从|最|第|小|大|{_NUMBER}|[ ，,。、.~！!\-－—]"
)
_SPOT = re.compile(rf"(?:{_WORDS})++")
_IS_ONE = re.compile(
    rf"门|旁|附近|对面|面|(?<![这那])[边里]|外|楼|单元|栋|幢|座|层|室|号|口|角|处|区|广场|亭|车库|停车|超市|驿站|公园|花|桥|场|院|校|会|墙|坪|柜|"
    rf"{_NUMBER}[-－—]{_NUMBER}|(?:^|家|室)\W*\d{{3,4}}\W*$"
)
_PUT_RIGHT = re.compile(
    r"^(?:[哎唉诶啊哦额呃喔我]|不好意思|抱歉|对不起|[ ，,。~!！])*+(?:不对|错了|[说打写搞弄看记]错了?|更正|纠正|应该是|我说的是|我是说|不是(?P<not>[^，。,！!？? ]{1,10}?)[ ，,。]*(?:而|应该)?是(?!不是|吗|吧)|是[^，。,！!？? ]{1,10}[ ，,]*不是(?!吗|吧|么)[^？?]{1,10}$)"
)
_EMPTY = re.compile(r"[\W_]|[啊呀吧呢哦啦了的嘛]")


def is_spot(text: str) -> bool:
    """Whether a line is a place in anybody's words, and says nothing of it."""
    return len(text) <= LONGEST and _SPOT.fullmatch(text) is not None and _IS_ONE.search(text) is not None


def beyond(text: str, spans: Sequence[tuple[int, int]]) -> int:
    """How many characters of a line are neither in these spans nor words for where."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return len(_SPOT.sub("", text))


def puts_right(text: str) -> bool:
    """Whether a line says that something just said was wrong, and how it is."""
    found = _PUT_RIGHT.search(text) if len(text) <= 2 * LONGEST else None
    return found is not None and bool(found["not"] or _EMPTY.sub("", text[found.end() :]) or "不是" in found.group())
