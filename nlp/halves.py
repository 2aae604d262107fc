"""Half a sentence: what is wrong, and not with what. 坏了两天了, 又堵了 mean something only with the line before: 3号楼电梯."""

import re

LONGEST = 16
LONGEST_BEFORE = 60
_HALF = re.compile(
    r"(?:又|还在?|正?在|还是|一直|都|也|就|全|已经|现在|今天|昨天|昨晚|刚才?|早上|晚上|老是?|总是?|天天|越来越|突然|好像|怎么|给|有点|[\W_])*+"
    r"(?:不亮|不动|不转|不通|不热|不制冷|不下水|打不开|关不上|开不了|没反应|没水|没电|没信号|没人(?:管|修|收|来|清|扫)|用不了|坏|堵|漏水?|停|断|响|臭|塌|掉|"
    r"裂|冒水|冒烟|起火|着火|倒|溢|满|积水|生锈|锈|卡住|歪|破|烂|碎|丢|熄火?|短路|跳闸|松|闪|不见|没)"
    r"(?:了|得|着|的|在|到|很|好|太|都|快|要|死|厉害|严重|不行|完|掉|下来|出来|一?[一二两三四五六七八九十几半\d]+个?(?:天|小时|钟头|月|周|星期|次|回|多|晚上|早上)|好?久|半天|"
    r"啊|呀|呢|吧|哦|啦|嘛|哎|唉|请|麻烦|帮忙|来人|派人|修|处理|看看?|一下|赶紧|赶快|没人(?:管|修|来)|怎么办|[\W_])*+"
)


def is_half(text: str) -> bool:
    """Whether a line says that something is wrong and nothing else."""
    return len(text) <= LONGEST and _HALF.fullmatch(text) is not None


def may_begin(before: str) -> bool:
    """Whether a line can be the first half."""
    return 1 < len(before) <= LONGEST_BEFORE and not is_half(before)
