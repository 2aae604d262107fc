"""A resident's words to an `Understanding`: what kind, what about, where, how urgent, how sure, and because of which words.

The layers, in order: normalise, phrases of the tables (weighted, with their negations), pairs of phrases, context, places,
urgency, decision. Pure: no tables, no network, no clock; never raises on any text.
"""

import math
from dataclasses import dataclass, replace

from core.messages import Decision, Kind, PlaceMention, Reason, Signal, Understanding, Urgency, Utterance
from nlp.classify import Classifier, Scores, shipped_classifier
from nlp.normalise import has_words, normalise, offsets
from nlp.places import NOWHERE, Places

ACT_MARGIN = 2.0  # so much more must speak for a case than for silence before the bot acts unasked
ASK_MARGIN = 1.5  # and so much before it may ask once
EMERGENCY_MARGIN = 1.4
URGENT_MARGIN = 1.2
# What tells a danger from talk about one; thanks or greetings beside a fire do not.
_BLOCKS_DANGER = ("resolved", "figure", "media", "notice", "advert", "roster", "quote", "lost", "praise")
_SIGNALS = tuple((signal, signal.value) for signal in Signal if signal is not Signal.NONE)
_OF_A_CASE = frozenset({Signal.STILL_BROKEN, Signal.ME_TOO, Signal.CORRECTION})
SIGNAL_THRESHOLD = 1.5
# A longer line is a pasted text: its head and its end tell what it is, and the time stays bounded.
HEAD, TAIL = 500, 100
MAX_REASONS = 8
MAX_REASONS_FOR_SILENCE = 3


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands beside the words."""

    addressed: bool
    forwarded: bool
    photo: bool
    case_near: bool
    replying: bool


def warm_up() -> None:
    """Loads tables and dictionary now (about 0.4 s), so that the first message does not wait."""
    shipped_classifier()


def understand(utterance: Utterance, places: Places = NOWHERE) -> Understanding:
    """What the utterance means. Silence is the answer to chatter, a question to doubt; addressed words are never ignored.

    With an open case near by, `signal` tells what the line says about it and the decision is ACT; the kind is CHATTER
    where the line by itself opens nothing.
    """
    classifier = shipped_classifier()
    text = normalise(utterance.text)
    context = _Context(
        utterance.is_addressed or utterance.is_private,
        utterance.is_forwarded,
        utterance.has_photo,
        utterance.open_case_near,
        bool(utterance.reply_to_text),
    )
    if not has_words(text) and not text.strip().startswith("+1"):
        return Understanding(Kind.CHATTER, Decision.ASK if context.addressed else Decision.SILENT, 1.0)
    found, length = places.find(text), len(text)
    if length > HEAD + TAIL:
        text = text[:HEAD] + text[-TAIL:]
    scores = classifier.score(text)
    if scores.is_idle() and not (context.addressed or found):
        reasons = _reasons(scores, text, is_case=False)
        return Understanding(Kind.CHATTER, Decision.SILENT, _certainty(-scores.silent, is_case=False), because=reasons)
    understanding = _decide(scores, context, found, text)
    is_whole = understanding.decision is Decision.ACT and bool(understanding.topics)
    if not is_whole and utterance.recent and (scores.kinds or found):
        understanding = _with_recent(classifier, utterance, context, understanding, found)
    if found and length != len(utterance.text):
        understanding = replace(understanding, places=_as_sent(found, utterance.text))
    return understanding


def _with_recent(
    classifier: Classifier,
    utterance: Utterance,
    context: _Context,
    alone: Understanding,
    found: tuple[PlaceMention, ...],
) -> Understanding:
    """Half a sentence may become whole with the speaker's last line, or get its topic from there; taken only when clear."""
    text = f"{normalise(utterance.recent[-1])[-TAIL:]} {normalise(utterance.text)[:HEAD]}"
    joined = _decide(classifier.score(text), context, found, text)
    if joined.decision is not Decision.ACT:
        return alone
    return replace(alone, topics=joined.topics) if alone.decision is Decision.ACT else joined


def _decide(scores: Scores, context: _Context, found: tuple[PlaceMention, ...], text: str) -> Understanding:
    signal = _signal(scores, context)
    urgency = _urgency(scores)
    _weigh_context(scores, context, found, urgency)
    kind_name, strength = scores.best()
    silent = scores.silent + (3.0 if context.forwarded else 0.0)
    if urgency is Urgency.EMERGENCY:
        silent *= 0.3
    margin = strength - silent
    decision = _decision(margin, context)
    kind = Kind(kind_name) if decision is not Decision.SILENT and kind_name else Kind.CHATTER
    if decision is Decision.SILENT or margin < ASK_MARGIN:
        if signal is not Signal.NONE and context.case_near:
            decision = Decision.SILENT if signal is Signal.THANKS and not context.addressed else Decision.ACT
            kind = Kind.REPORT if signal in _OF_A_CASE else Kind.CHATTER
        elif found and context.case_near and len(text) <= found[-1].end - found[0].start + 6:
            decision = Decision.ACT  # a late place for the case that is open
        elif strength < silent or not kind_name:
            kind = Kind.CHATTER
    is_case = kind is not Kind.CHATTER
    return Understanding(
        kind,
        decision,
        _certainty(margin, is_case=is_case),
        urgency if is_case else Urgency.NORMAL,
        _topics(scores) if is_case else (),
        found,
        signal,
        _reasons(scores, text, is_case=is_case),
    )


def _weigh_context(scores: Scores, context: _Context, found: tuple[PlaceMention, ...], urgency: Urgency) -> None:
    """What the words alone do not say: a photo, a place, a danger make a report likelier."""
    kinds, findings = scores.kinds, scores.findings
    if "asking" in findings and findings["asking"].weight >= 2.0:
        kinds["question"] = kinds.get("question", 0.0) + findings["asking"].weight - 0.2
    if urgency is not Urgency.NORMAL:
        bonus = 3.0 if urgency is Urgency.EMERGENCY else 1.8
        kinds["report"] = kinds.get("report", 0.0) + bonus
    about_something = "thing" in findings or "fault" in findings or "dirt" in findings or "disorder" in findings
    if about_something and "report" in kinds:
        if found:
            kinds["report"] += 0.8
        if context.photo:
            kinds["report"] += 0.8
        if context.case_near and "still_broken" in scores.signals:
            kinds["report"] += 0.8
    elif about_something and (context.photo or found) and "thing" in findings and "still_broken" in scores.signals:
        kinds["report"] = 2.2


def _signal(scores: Scores, context: _Context) -> Signal:
    """The strongest sign about an open case; me-too needs something to agree with."""
    best, most = Signal.NONE, SIGNAL_THRESHOLD
    for signal, name in _SIGNALS if scores.signals else ():
        weight = scores.signals.get(name, 0.0)
        if signal is Signal.ME_TOO and not (context.case_near or context.replying):
            continue
        if weight > most:
            best, most = signal, weight
    return best


def _urgency(scores: Scores) -> Urgency:
    if not scores.emergency and not scores.urgent:
        return Urgency.NORMAL
    blocked = max((scores.silence.get(name, 0.0) for name in _BLOCKS_DANGER), default=0.0)
    if scores.emergency - blocked >= EMERGENCY_MARGIN:
        return Urgency.EMERGENCY
    if max(scores.urgent, scores.emergency) - blocked >= URGENT_MARGIN:
        return Urgency.URGENT
    return Urgency.NORMAL


def _decision(margin: float, context: _Context) -> Decision:
    if margin >= ACT_MARGIN:
        return Decision.ACT
    if context.addressed or margin >= ASK_MARGIN:
        return Decision.ASK
    return Decision.SILENT


def _certainty(margin: float, *, is_case: bool) -> float:
    likely = 1.0 / (1.0 + math.exp(-1.2 * max(-20.0, min(20.0, margin - 1.0))))
    return round(likely if is_case else 1.0 - likely, 3)


def _topics(scores: Scores) -> tuple[tuple[str, float], ...]:
    best = scores.topics()[:3]
    total = sum(weight for _, weight in best) + 0.5
    return tuple((code, round(weight / total, 3)) for code, weight in best)


def _reasons(scores: Scores, text: str, *, is_case: bool) -> tuple[Reason, ...]:
    """The words that counted, strongest first; for silence the few that matter."""
    findings = sorted(scores.findings.values(), key=lambda finding: -finding.weight)
    return tuple(
        Reason(text[finding.start : finding.end], finding.group.name, round(finding.weight, 2))
        for finding in findings[: MAX_REASONS if is_case else MAX_REASONS_FOR_SILENCE]
    )


def _as_sent(found: tuple[PlaceMention, ...], sent: str) -> tuple[PlaceMention, ...]:
    """The same places with offsets in the text as it was sent, where invisible characters were dropped."""
    index = offsets(sent)
    return tuple(replace(place, start=index[place.start], end=index[place.end - 1] + 1) for place in found)
