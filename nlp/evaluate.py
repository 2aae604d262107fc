"""Predictions in the format of `wuwei nlp predict`, and how good they are on labelled lines."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.messages import Decision, Kind, Understanding, Urgency, Utterance
from nlp.explain import explain
from nlp.topics import topics
from nlp.understand import understand

# The evaluation files know seven names.
_NAMES = {
    Kind.CHATTER: "chatter",
    Kind.REPORT: "report",
    Kind.WISH: "wish",
    Kind.PROPOSAL: "wish",
    Kind.COMPLAINT: "complaint",
    Kind.DISPUTE: "complaint",
    Kind.QUESTION: "question",
    Kind.REQUEST: "service",
}
NO_TOPIC = "无"
DEFAULT_TOPIC = "城乡建设"
TENTHS = 10

Value = str | bool | float | None | list[str]


def predict(line: str) -> dict[str, Value]:
    """One line as the bot would take it in a group: {case, kind, topic, urgent, place, confidence, because}."""
    understanding = understand(Utterance(line))
    is_case = understanding.decision is not Decision.SILENT and understanding.kind is not Kind.CHATTER
    kind = _NAMES[understanding.kind] if is_case else "chatter"
    if is_case and understanding.urgency is Urgency.EMERGENCY:
        kind = "emergency"
    return {
        "case": is_case,
        "kind": kind,
        "topic": _topic(understanding) if is_case else NO_TOPIC,
        "urgent": is_case and understanding.urgency is not Urgency.NORMAL,
        "place": understanding.places[0].words if understanding.places else None,
        "confidence": understanding.certainty,
        "because": explain(understanding),
    }


def _topic(understanding: Understanding) -> str:
    """The head that the three likeliest topics together speak for most."""
    heads: dict[str, float] = {}
    for code, certainty in understanding.topics:
        known = topics().get(code)
        if known and known.petition_head:
            heads[known.petition_head] = heads.get(known.petition_head, 0.0) + certainty
    return max(heads, key=heads.__getitem__) if heads else DEFAULT_TOPIC


@dataclass(frozen=True, slots=True)
class _Judged:
    """A labelled line beside its prediction."""

    kind: str
    urgent: bool
    topic: str
    alternative: str | None
    is_hard: bool
    said: Mapping[str, Value]


def _judge(row: Mapping[str, object]) -> _Judged:
    note = str(row.get("note") or "")
    alternative = note.partition("alt=")[2].split() if "alt=" in note else []
    return _Judged(
        str(row.get("kind", "chatter")),
        bool(row.get("urgent", False)),
        str(row.get("topic", NO_TOPIC)),
        alternative[0] if alternative else None,
        note.startswith("hard"),
        predict(str(row.get("text", ""))),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def interval(part: int, whole: int) -> list[float] | None:
    """The 95 % Wilson interval of a share; small samples are wide and should be seen to be."""
    if not whole:
        return None
    z, share = 1.96, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return [round(max(0.0, middle - half), 3), round(min(1.0, middle + half), 3)]


def rate(part: int, whole: int) -> dict[str, object]:
    """A share as it is told: with how many it is of, and its interval."""
    return {"value": _share(part, whole), "of": whole, "interval": interval(part, whole)}


def _rate(judged: Sequence[_Judged], wanted: Sequence[_Judged]) -> dict[str, object]:
    return rate(len(wanted), len(judged))


def evaluate(rows: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Gate precision, recall and false alarms (hard and easy), kind, topic and urgency figures, each with its interval."""
    judged = [_judge(row) for row in rows]
    cases = [one for one in judged if one.kind != "chatter"]
    chatter = [one for one in judged if one.kind == "chatter"]
    fired = [one for one in judged if one.said["case"]]
    found = [one for one in cases if one.said["case"]]
    urgent = [one for one in judged if one.urgent]
    called = [one for one in judged if one.said["urgent"]]
    with_topic = [one for one in cases if one.topic != NO_TOPIC]
    topics_met = [one for one in with_topic if one.said["topic"] in (one.topic, one.alternative)]
    hard = [one for one in chatter if one.is_hard]
    easy = [one for one in chatter if not one.is_hard]
    kinds = sorted({one.kind for one in judged})
    return {
        "lines": len(judged),
        "precision": _rate(fired, found),
        "recall": _rate(cases, found),
        "false_alarms": _rate(chatter, [one for one in chatter if one.said["case"]]),
        "false_alarms_hard": _rate(hard, [one for one in hard if one.said["case"]]),
        "false_alarms_easy": _rate(easy, [one for one in easy if one.said["case"]]),
        "kind_accuracy": _rate(judged, [one for one in judged if one.said["kind"] == one.kind]),
        "kind_recall": {
            kind: _rate(
                [one for one in judged if one.kind == kind],
                [one for one in judged if one.kind == kind == one.said["kind"]],
            )
            for kind in kinds
        },
        "macro_f1": round(sum(_f1(judged, kind) for kind in kinds) / len(kinds), 4) if kinds else None,
        "topic_accuracy": _rate(with_topic, topics_met),
        "urgent_recall": _rate(urgent, [one for one in urgent if one.said["urgent"]]),
        "urgent_precision": _rate(called, [one for one in called if one.urgent]),
        "calibration": _calibration(judged),
    }


def _f1(judged: Sequence[_Judged], kind: str) -> float:
    both = sum(one.kind == kind == one.said["kind"] for one in judged)
    either = sum(one.kind == kind for one in judged) + sum(one.said["kind"] == kind for one in judged)
    return 2 * both / either if either else 0.0


def _calibration(judged: Sequence[_Judged]) -> dict[str, object]:
    """How likely a case was said to be, in tenths, beside how often it was one; `error` is the mean gap over all lines."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(TENTHS)]
    for one in judged:
        said = one.said["confidence"]
        sure = said if isinstance(said, float) else 0.0
        likely = sure if one.said["case"] else 1.0 - sure
        bins[min(TENTHS - 1, int(likely * TENTHS))].append((likely, one.kind != "chatter"))
    told, gaps = [], 0.0
    for number, lines in enumerate(bins):
        if lines:
            said_mean = sum(likely for likely, _ in lines) / len(lines)
            true_mean = sum(is_case for _, is_case in lines) / len(lines)
            gaps += abs(said_mean - true_mean) * len(lines)
            told.append(
                {"from": number / TENTHS, "of": len(lines), "said": round(said_mean, 3), "true": round(true_mean, 3)}
            )
    return {"error": round(gaps / len(judged), 4) if judged else None, "bins": told}
