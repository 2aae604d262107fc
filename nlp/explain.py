"""Why a text was understood so, in lines that a clerk can read."""

from core.messages import Decision, Kind, Reason, Signal, Understanding, Urgency
from nlp.model import BY_MODEL
from nlp.topics import shipped_tables, topics

KIND_NAMES = {
    Kind.CHATTER: "闲聊",
    Kind.REPORT: "报事",
    Kind.WISH: "心愿",
    Kind.COMPLAINT: "投诉",
    Kind.DISPUTE: "邻里纠纷",
    Kind.QUESTION: "咨询",
    Kind.REQUEST: "求助代办",
    Kind.PROPOSAL: "建议",
}
WORTH_NAMING = 0.05
_DECISIONS = {Decision.ACT: "直接办理", Decision.ASK: "先问一句", Decision.SILENT: "不出声"}
_URGENCIES = {Urgency.URGENT: "要先办", Urgency.EMERGENCY: "紧急，几分钟内要有人到"}
_SIGNALS = {
    Signal.STILL_BROKEN: "说的是还没解决",
    Signal.RESOLVED: "说的是已经好了",
    Signal.WITHDRAWN: "要撤回",
    Signal.CORRECTION: "在更正",
    Signal.ME_TOO: "说自己也一样",
    Signal.THANKS: "在道谢",
}
_TARGETS = {"silence": "闲聊", "emergency": "紧急", "urgent": "先办", "": "补充说明"}


def explain(understanding: Understanding) -> list[str]:
    """First what was decided, then a line for each word that counted."""
    lines = [
        f"判断为{KIND_NAMES[understanding.kind]}（把握 {understanding.certainty:.0%}），{_DECISIONS[understanding.decision]}。"
    ]
    if understanding.urgency in _URGENCIES:
        lines.append(f"紧急程度：{_URGENCIES[understanding.urgency]}。")
    if understanding.topics:
        named = "、".join(
            f"{topics()[code].name} {certainty:.0%}"
            for code, certainty in understanding.topics
            if code in topics() and certainty >= WORTH_NAMING
        )
        lines.append(f"话题：{named}。")
    for place in understanding.places:
        lines.append(f"地点：“{place.words}”{'，已对上网格' if place.area_id is not None else '，网格里没有对上'}。")
    if understanding.signal is not Signal.NONE:
        lines.append(f"与已有的事有关：{_SIGNALS[understanding.signal]}。")
    lines.extend(_because(reason) for reason in understanding.because)
    if not understanding.because:
        lines.append("因为没有看到与社区事务有关的词。")
    return lines


def says(reason: Reason) -> str:
    """What a reason says and what it leans to, without its word and weight: 道谢，偏向闲聊. Empty for a word that no table has any more."""
    if reason.speaks_for == BY_MODEL:
        return f"模型看来{_leaning(reason)}"
    group = shipped_tables().groups.get(reason.speaks_for)
    return f"{group.say}，偏向{_TARGETS.get(group.speaks_for) or _named(group.speaks_for)}" if group else ""


def _because(reason: Reason) -> str:
    if reason.speaks_for == BY_MODEL:
        return f"模型看到“{reason.word}”，{_leaning(reason)}（{reason.weight:+g}）。"
    said = says(reason)
    return f"因为“{reason.word}”{said}（{reason.weight:g} 分）。" if said else f"因为有“{reason.word}”。"


def _leaning(reason: Reason) -> str:
    return "偏向有事" if reason.weight > 0 else "偏向闲聊"


def _named(target: str) -> str:
    if target in set(Kind):
        return KIND_NAMES[Kind(target)]
    return "对已有的事的回应"
