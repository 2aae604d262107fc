"""Who says that they have something to tell, and not yet what: 我要投诉, 我想报修, 反映个问题, 我要投诉物业, 我有个建议. And who says so
and tells it at once: 我想许个愿，陪我去看一次升旗."""

import re
from collections.abc import Set

from core.messages import Kind

LONGEST = 28
_BEFORE = r"(?:你好|您好|大家好|早上好|下午好|晚上好|请问|喂|哎|那个|社区|物业|管理员|网格员|机器人|小助手|助手|五微|同志|师傅|领导|老师|亲|在吗|在不在|有人吗|@\S{1,32}\s|[ ，,。！!~])*+"
_ME = r"(?:我们?(?:这里?)?|俺们?|咱们?|本人|这边|[ ，,]){0,2}+(?:实在|现在|今天|也|又|还|就|必须|一定|马上)*+(?:想要|想|要|需要|得|来|准备|打算)*+"
_ONE = r"(?:一?[个点件条下些]|一?下|几[个条点])*+"
_AFTER = r"(?:可以吗|可以不|行吗|行不行|好吗|谢谢|麻烦了?|了|啊|呀|吧|哦|呢|哈|啦|嘛|[ ，,。！!~…：:.])*+"
_MATTER = r"(?:问题|情况|事情|事儿?|现象)?"
# Whom: no more than a name for them, with a place or without.
_WHOM = (
    r"(?:(?:我们?|咱们?)?(?:小区|社区|楼上|楼下|隔壁|对门|邻居|(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?:号楼?|栋|幢|单元|楼)|\d{3,4}室?)?的?"
    r"(?:物业(?:公司|经理|人员)?|保安|保洁(?:员|阿姨)?|门卫|门岗|电工|水工|管家|客服|业委会|居委会|网格员|那家人?|那户|住户|邻居|楼上|楼下|隔壁|对门|这家|那家|某人|一个人)?)"
)
_SAID: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"{_BEFORE}{_ME}(?:{what}){_AFTER}"))
    for kind, what in (
        (
            Kind.COMPLAINT,
            rf"(?:投诉|举报|告){_ONE}(?<!告){_WHOM}{_MATTER}|(?:告){_WHOM}(?<=[家户安洁业司理会])|有{_ONE}投诉",
        ),
        (
            Kind.REPORT,
            rf"报{_ONE}修|报修{_ONE}{_MATTER}|(?:反映|反应|上报){_ONE}{_MATTER}|有{_ONE}{_MATTER}(?:想|要|需要)++(?:和|跟|向|给)?(?:社区|物业|你们)?(?:反映|反应|报修|上报){_ONE}",
        ),
        (
            Kind.PROPOSAL,
            rf"(?:提|说|讲){_ONE}小?(?:建议|意见)|有(?:一?[个点条些]|几[个条点])小?(?:建议|意见)(?:想|要)*+(?:提|说)?{_ONE}",
        ),
        (Kind.WISH, rf"(?:许|提|登记|申请|报)(?:{_ONE})[微小]?(?:心愿|愿望|愿)"),
    )
)
_TELLS = r"(?:一?[个点件条下些])?(?:问题|情况|事情?)?[ ，,：:。]*+(?![你他她您吧的了过]|电话|热线|信箱|渠道|快递|外卖|商家|卖家|店家|客服|平台|美团|淘宝|京东|拼多多|滴滴|航空|铁路|银行|酒店|游戏|主播)[^ ，,：:。]\S{3}"
_BEGUN: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"{_BEFORE}(?:我们?|俺|咱们?)(?:想要|要|想|来)(?:{what}){_TELLS}"))
    for kind, what in (
        (Kind.COMPLAINT, "投诉|举报"),
        (Kind.REPORT, "报修|反映|反应|上报"),
        (Kind.WISH, "(?:许|登记|申请)一?个[微小]?(?:心愿|愿望|愿)"),
    )
)
# A line without any of these pairs of characters announces nothing.
HEADS = frozenset(
    {
        "投诉",
        "举报",
        "要告",
        "想告",
        "报修",
        "个修",
        "反映",
        "反应",
        "上报",
        "建议",
        "意见",
        "愿望",
        "心愿",
        "许愿",
        "个愿",
    }
)


def may_announce(seen: Set[str]) -> bool:
    """Whether a text with these pairs of characters can be such a line."""
    return not HEADS.isdisjoint(seen)


def announced(text: str) -> Kind | None:
    """What sort of matter a normalised text announces and does not tell; None for any other line."""
    text = text.strip()
    if len(text) > LONGEST:
        return None
    return next((kind for kind, pattern in _SAID if pattern.fullmatch(text)), None)


def begun(text: str) -> Kind | None:
    """What sort of matter a normalised text says that it is, and then tells; None for any other line, and for what is a shop's."""
    return next((kind for kind, pattern in _BEGUN if pattern.match(text)), None)
