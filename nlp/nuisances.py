"""A nuisance told in so few words that no sum of them is sure: 油烟太大, 楼上太吵了, 有人高空抛物, 外卖车停在消防通道. What is nobody's nuisance is talk: 作业太多, 今天太吵了."""

import re

from core.messages import Kind
from nlp.classify import Scores

LONGEST = 16
# A line without any of these pairs of characters tells of none.
HEADS = frozenset({"太吵", "太大", "太多", "太臭", "太脏", "高空", "飞线", "上楼", "通道"})
# Named by the words of its topic, and too much.
_TOO_MUCH_OF = {
    "pests": Kind.REPORT,
    "rubbish": Kind.REPORT,
    "pollution": Kind.REPORT,
    "pet_waste": Kind.REPORT,
    "oil_fume": Kind.COMPLAINT,
    "square_dance": Kind.COMPLAINT,
}
# Named by the words of its topic, and done by somebody.
_FORBIDDEN = frozenset({"falling_object", "flying_wire", "ebike"})

_WHERE = r"(?:楼上|楼下|隔壁|对门|对面|小区里?|楼道里?|电梯里?|门口|我们?[楼栋单]元?|这栋楼?|\d{1,3}(?:号楼|[栋幢座]|单元|楼)|有人|有户|的|[ ，,])"
_WHEN = "(?:晚上|半夜|天天|又|总|老是?)"
_REALLY = "(?:实在|也|都|真是?|是)*+"
_END = "(?:了|啦)?[！!。~ ]*"
_BEFORE = re.compile(f"(?:{_WHERE}|{_WHEN})*+")
_TOO_MUCH = re.compile(f"(?:的?(?:声音?|味道?|气味))?{_REALLY}(?:太|特别|这么)[多大吵臭脏乱重呛响浓]{_END}")
# Loud is only what is loud somewhere: the evening or a song may be as well.
_TOO_LOUD = re.compile(f"{_WHERE}(?:{_WHERE}|{_WHEN})*+{_REALLY}太吵{_END}")
# Whoever brings meals or asks neighbours not to: the first is in the way, the second tells of nothing.
_IN_THE_WAY = re.compile(
    rf"[^别勿不禁莫能可，。！？?]{{0,8}}车子?(?:{_WHEN}|都|就)*+(?:停|堵|横|放|占)(?:在|着|了|到|住|进)*+(?:了?我们|楼下|小区|的)*+(?:消防|生命|逃生|安全|应急)通道(?:口|上|里|那|边)?{_END}"
)
_SOMEBODY = re.compile("有[人户]|楼[上下]|隔壁")
_DONE = re.compile("[了啦啊！!。~ ]*")


def nuisance(text: str, scores: Scores) -> Kind | None:
    """The kind of what a line calls too much, or done though it is forbidden, if it says nothing else."""
    if len(text) > LONGEST:
        return None
    if _TOO_LOUD.fullmatch(text):
        return Kind.COMPLAINT
    if _IN_THE_WAY.fullmatch(text):
        return Kind.REPORT
    for name, hits in scores.topic_hits.items():
        code = name.removeprefix("topic:")
        for hit in hits:
            before, after = text[: hit.start], text[hit.end :]
            if not _BEFORE.fullmatch(before):
                continue
            if code in _TOO_MUCH_OF and _TOO_MUCH.fullmatch(after):
                return _TOO_MUCH_OF[code]
            if code in _FORBIDDEN and _SOMEBODY.search(before) and _DONE.fullmatch(after):
                return Kind.REPORT
    return None
