"""Trouble that is back, or that was never gone: 又响起来了, 还是不亮, 跟没装一样. Said of work that was called done, or that nobody has done yet;
or that grows: 越漏越大."""

import re

LONGEST = 60
_WRONG = (
    r"坏|漏|堵|响|晃|吵|臭|掉|裂|冒|塌|倒|松|闪|卡|歪|断|停|脏|乱|积水|满出|[贴堆塞]满|溢|跳闸|短路|黑|暗|没[水电气网]|没信号|没反应|没人|没[修弄搞换清处装]|"
    r"不[亮动转通热灵稳平紧严走行冷]|不好[使用]|不制冷|不出水|不下水|不干净|不管用|打不开|关不[上严]|刷不[开了]|开不了|用不了|合不上|盖不严|老样子|原样|那样"
)
_AGAIN = re.compile(
    rf"(?:又|再次|重新)(?!.{{0,4}}(?:好了|修好|来修|来看)).{{0,4}}?(?:{_WRONG}|犯|开始|来了|出问题|这样)"
)
_STILL = re.compile(
    rf"(?:还是|还在?|仍然?|依然|依旧|照样|一直|继续|根本|压根|一点都?).{{0,4}}?(?:{_WRONG}|没好|没用|没变|没动静)"
)
_UNDONE = re.compile(
    r"没(?:有)?(?:真的?|真正|彻底|完全|给)?(?:修|弄|搞|处理|解决|清理|换|打扫|盖|装|通)(?:好|干净|完|彻底|上)?(?!问题)|没(?:什么)?(?:用|变化|区别|效果|改善)|跟没.{1,3}一样|"
    r"白[修弄装换]|糊弄|敷衍|应付|不顶用|没两天|太[暗松响吵慢差]"
)
_MENDED = re.compile(r"不[漏响堵吵臭晃闪卡]了|修好了|没问题|没事")
_WORSE = re.compile(
    r"越来越(?!好)|越[^，。！？越]{1,4}越(?!好)|更(?:加)?(?:严重|厉害|糟|大|多|响|臭|吵|堵|脏)|加重了|扩大|比(?:昨天|前天|上次|之前|以前)还"
)


def is_back(text: str) -> bool:
    """Whether a line says that what was mended is wrong again, or still."""
    if len(text) > LONGEST or _MENDED.search(text):
        return False
    return any(pattern.search(text) for pattern in (_AGAIN, _STILL, _UNDONE))


def is_worse(text: str) -> bool:
    """Whether a line says that a trouble grows."""
    return len(text) <= LONGEST and _WORSE.search(text) is not None
