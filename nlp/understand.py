"""A resident's words to an `Understanding`: what kind, what about, where, how urgent, how sure, and because of which words.

The layers, in order: normalise, a first look at the characters (most chatter ends here), phrases of the tables with
their negations and pairs, the model's weighing of both, context, places, urgency, decision. Pure: no tables of a
database, no network, no clock; never raises on any text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import itemgetter

from core.messages import Decision, Kind, PlaceMention, Reason, Signal, Understanding, Urgency, Utterance
from nlp import announcing, despair
from nlp.classify import TAUGHT, Scores, shipped_classifier
from nlp.features import characters, findings
from nlp.lanes import Total
from nlp.model import BY_MODEL, SURE_CHATTER, Margins, Model, shipped_model
from nlp.normalise import has_words, normalise, offsets
from nlp.places import NOWHERE, Places
from nlp.plainly import is_for_neighbours, is_no_emergency, may_be_plain, said_plainly, says_what_is_wrong
from nlp.tables import KINDS
from nlp.typos import mend, shipped_typos

# The margin of the model's gate, 0 being as likely a case as not among the seeds.
ACT_MARGIN = 0.45  # from here the bot acts unasked
ASK_MARGIN = 0.3  # and from here it may ask once
HEDGE = 0.8  # so much more where the speaker is not sure: 好像没人收
SURE_CALM = -0.6  # who sounds more like danger than this is looked at further, whatever the first look says
# How urgent a line is the model says, which weighs the tables' words of danger with all others.
MODEL_EMERGENCY, MODEL_URGENT = -0.05, 0.03
TALK = -1.0  # what the model takes for talk must sound so much more like danger, unless words name one
EMERGENCY_WORDS = 2.5  # words of so much danger make an emergency of what is urgent
# What tells a danger from talk about one; thanks or greetings beside a fire do not.
_BLOCKS_DANGER = ("resolved", "figure", "media", "notice", "advert", "roster", "quote", "lost", "praise")
_SIGNALS = tuple((signal, signal.value) for signal in Signal if signal is not Signal.NONE)
SIGNAL_THRESHOLD = 1.5
_WRONG = frozenset({"fault", "dirt", "disorder"})
_ABOUT_SOMETHING = _WRONG | {"thing"}
# A line that names nothing of a community's affairs must speak much more plainly for itself.
_SUBSTANCE = _ABOUT_SOMETHING | {"spot", "matter", "actor", "neighbour", "misdeed", "noise", "quarrel", "danger"}
NO_SUBSTANCE = 0.4
# So few characters, which name neither a thing nor what is wrong, are little to go by: 六点半, 黑暗料理.
_NAMED = (_SUBSTANCE | {"bother"}) - {"spot"}
SHORT, SAYS_LITTLE = 7, 0.4
# Besides a place so few characters, none of them known, say nothing about it: 3号楼门口.
BARE_PLACE, ONLY_A_PLACE = 4, 1.0
# What is named and nothing said of it, 3号楼电梯, may be half of a sentence: at most it is asked what is meant.
_NAMES = frozenset({"thing", "spot", "neighbour", "actor", "lift_word", "burnable"})
LONGEST_NAME = 12
# Who rates a meal speaks to the shop, and who advertises to buyers: from so many points on, so much less a case.
FOR_OTHERS, SAID_TO_OTHERS = 1.2, 0.6
# What a point of a word that people taught counts, against a case or for one: the model has never met it.
TAUGHT_SILENCE, TAUGHT_CASE = 0.25, 0.1
# A longer line is a pasted text: its head and its end tell what it is, and the time stays bounded.
HEAD, TAIL = 500, 100
MAX_REASONS, FEW_REASONS = 8, 3
WHOLE_LINE = "整句话"  # in a reason: the model's sum over all characters and findings
_WEIGHT = itemgetter(1)
MAX_REASONS_FOR_SILENCE = 3


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands beside the words."""

    addressed: bool
    forwarded: bool
    photo: bool
    replying: bool

    @property
    def matters(self) -> bool:
        """Whether a line that is chatter by itself may mean something here."""
        return self.addressed or self.photo or self.replying


_NO_CONTEXT = _Context(addressed=False, forwarded=False, photo=False, replying=False)


def _context_of(utterance: Utterance) -> _Context:
    addressed, replying = utterance.is_addressed or utterance.is_private, bool(utterance.reply_to_text)
    if addressed or replying or utterance.is_forwarded or utterance.has_photo:
        return _Context(addressed, utterance.is_forwarded, utterance.has_photo, replying)
    return _NO_CONTEXT


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the layers found in one text, before context has its say."""

    text: str
    characters: set[str]
    scores: Scores
    margins: Margins
    total: Total


def warm_up() -> None:
    """Loads tables, dictionary and model now (about half a second), so that the first message does not wait."""
    shipped_classifier()
    shipped_model()
    shipped_typos()


def understand(utterance: Utterance, places: Places = NOWHERE) -> Understanding:
    """What the utterance means. Silence is the answer to chatter, a question to doubt; addressed words are never ignored.

    `signal` tells what the line would say about an open case; whether there is one is the caller's to know.
    """
    text = normalise(utterance.text)
    context = _context_of(utterance)
    if not has_words(text) and not text.strip().startswith("+1"):
        return Understanding(Kind.CHATTER, Decision.ASK if context.addressed else Decision.SILENT, 1.0)
    found, length = places.find(text), len(text)
    if length > HEAD + TAIL:
        text = text[:HEAD] + text[-TAIL:]
    model, (text, seen) = shipped_model(), _as_meant(text)
    margins = model.margins_of(seen)
    is_despair = not context.forwarded and despair.may_despair(seen) and despair.means_to_die(text)
    if not (is_despair or found or context.matters or "+" in text) and _is_sure_chatter(margins, seen):
        return _sure_chatter(text, seen, margins, model)
    reading = _read(text, seen, margins, model)
    understanding = _decide(reading, context, found, model)
    is_danger = understanding.urgency is Urgency.EMERGENCY
    if is_despair or (is_danger and despair.is_named(text, reading.scores)):
        understanding = _as_despair(understanding)
    if found and length != len(utterance.text):
        understanding = replace(understanding, places=_as_sent(found, utterance.text))
    return understanding


def _as_despair(understanding: Understanding) -> Understanding:
    """Certain whatever the sums say: a life comes before any other matter in the same words."""
    others = tuple(topic for topic in understanding.topics if topic[0] != despair.TOPIC)
    return replace(
        understanding,
        kind=Kind.REPORT,
        decision=Decision.ACT,
        certainty=1.0,
        urgency=Urgency.EMERGENCY,
        topics=((despair.TOPIC, 1.0), *others[:2]),
        because=(Reason(despair.SAYS_SO, "emergency", 3.0), *understanding.because),
    )


def _as_meant(text: str) -> tuple[str, set[str]]:
    """The text without typing errors by sound, and its characters."""
    seen = characters(text)
    meant = mend(text, seen)
    return (text, seen) if meant is text else (meant, characters(meant))


def _is_sure_chatter(margins: Margins, seen: set[str]) -> bool:
    """Neither a case nor danger by the characters alone, nor what is said plainly or announced, nor with a word that people taught."""
    return (
        margins.first < SURE_CHATTER
        and margins.urgent < SURE_CALM
        and not (may_be_plain(seen) or announcing.may_announce(seen))
        and shipped_classifier().taught_heads.isdisjoint(seen)
    )


def _sure_chatter(text: str, seen: set[str], margins: Margins, model: Model) -> Understanding:
    """Silence, and what the line may say about an open case."""
    likely, because = round(1.0 - model.likelihood(margins.gate), 3), _as_a_whole(margins)
    classifier = shipped_classifier()
    if classifier.signal_heads.isdisjoint(seen):
        return Understanding(Kind.CHATTER, Decision.SILENT, likely, because=because)
    scores = classifier.score_signals(text)
    because = (*_words(text, scores, MAX_REASONS_FOR_SILENCE), *because)
    return Understanding(Kind.CHATTER, Decision.SILENT, likely, signal=_signal(scores, _NO_CONTEXT), because=because)


def _read(text: str, seen: set[str], margins: Margins, model: Model) -> _Reading:
    scores = shipped_classifier().score(text)
    found = findings(scores)
    total = model.total_of(seen, found)
    return _Reading(text, seen, scores, model.with_findings(margins, found, total), total)


def _decide(reading: _Reading, context: _Context, found: tuple[PlaceMention, ...], model: Model) -> Understanding:
    scores = reading.scores
    signal = _signal(scores, context)
    urgency = _urgency(scores, reading.margins)
    if urgency is Urgency.EMERGENCY and is_no_emergency(reading.text, scores):
        urgency = Urgency.URGENT
    is_groan = urgency is not Urgency.NORMAL and despair.is_groan(reading.text, scores)
    if is_groan:
        urgency = Urgency.NORMAL
    margin = reading.margins.gate + _context_adds(reading, context, found, urgency)
    if is_groan:
        margin = min(margin, 0.0)
    elif urgency is Urgency.EMERGENCY:
        margin = max(margin, ACT_MARGIN)  # a false alarm costs a look, a danger slept through costs more
    said, margin = _by_rule(reading, margin, context)
    decision = _decision(margin, context, is_hedged="hedge" in scores.findings and urgency is Urgency.NORMAL)
    opens = decision is not Decision.SILENT and margin >= ASK_MARGIN
    kind = said or _kind(model.kinds_in(reading.total), urgency) if opens else Kind.CHATTER
    is_case = kind is not Kind.CHATTER
    likely = model.likelihood(margin)
    return Understanding(
        kind,
        decision,
        round(likely if is_case else 1.0 - likely, 3),
        urgency if is_case else Urgency.NORMAL,
        tuple(model.topics_in(reading.total)) if is_case else (),
        found,
        signal,
        _reasons(reading, model, is_heard=decision is not Decision.SILENT),
    )


def _by_rule(reading: _Reading, margin: float, context: _Context) -> tuple[Kind | None, float]:
    """What the line says whatever the sum of its words, if anything, and the margin that it has by that."""
    may_announce = not context.forwarded and announcing.may_announce(reading.characters)
    if may_announce and (announced := announcing.announced(reading.text)):
        return announced, ASK_MARGIN  # what it is about is still to come
    plain = _plain(reading, margin, context)
    if plain is not None:
        return plain, ACT_MARGIN
    if may_announce and margin < ACT_MARGIN and (begun := announcing.begun(reading.text)):
        return begun, max(margin, ASK_MARGIN)
    if _only_names(reading) and not context.photo:
        return None, min(margin, ACT_MARGIN - 0.01)
    if margin >= ASK_MARGIN and is_for_neighbours(reading.text, reading.scores):
        return None, 0.0
    return None, margin


def _plain(reading: _Reading, margin: float, context: _Context) -> Kind | None:
    """What the line says plainly, where the sum of its words would not have it acted upon."""
    if margin >= ACT_MARGIN or context.forwarded:
        return None
    if says_what_is_wrong(reading.text, reading.scores):
        return Kind.REPORT
    return said_plainly(reading.text, reading.scores) if may_be_plain(reading.characters) else None


def _only_names(reading: _Reading) -> bool:
    """Whether a short line names things and says nothing of them; the 垃圾 of a 垃圾桶 is part of a thing."""
    if len(reading.text) > LONGEST_NAME:
        return False
    found = reading.scores.findings
    rest, things = found.keys() - _NAMES, found["thing"].hits if "thing" in found else []
    return all(
        any(thing.start <= hit.start and hit.end <= thing.end for thing in things)
        for name in rest
        for hit in found[name].hits
    )


def _kind(kinds: Mapping[str, float], urgency: Urgency) -> Kind:
    """The head that is strongest; what must be seen to within minutes is a report, whoever is to blame."""
    if urgency is Urgency.EMERGENCY:
        return Kind.REPORT
    return Kind(max(kinds, key=kinds.__getitem__))


def _context_adds(reading: _Reading, context: _Context, found: tuple[PlaceMention, ...], urgency: Urgency) -> float:
    """What the words alone do not say: a photo, a place, a danger make a case likelier, a forwarded text less."""
    scores, added = reading.scores, -1.5 if context.forwarded else 0.0
    if _says_nothing(reading, found):
        added -= ONLY_A_PLACE if found else NO_SUBSTANCE
    if not found and max(scores.silence.get("review", 0.0), scores.silence.get("advert", 0.0) - 1.0) >= FOR_OTHERS:
        added -= SAID_TO_OTHERS
    if len(reading.text) <= SHORT and not found and _NAMED.isdisjoint(scores.findings):
        added -= SAYS_LITTLE
    if urgency is not Urgency.NORMAL:
        added += 1.0 if urgency is Urgency.EMERGENCY else 0.5
    if not _ABOUT_SOMETHING.isdisjoint(scores.findings):
        added += 0.3 * bool(found) + 0.4 * context.photo
        added += 0.2 * (bool(found) and not _WRONG.isdisjoint(scores.findings))
        if "still_broken" in scores.signals:
            added += 0.4 * (context.photo or bool(found))
    return added + _taught_adds(scores) if shipped_classifier().taught_heads else added


def _taught_adds(scores: Scores) -> float:
    """What words that people taught say of a case."""
    taught = {name.removeprefix(TAUGHT): one.weight for name, one in scores.findings.items() if name.startswith(TAUGHT)}
    cases = sum(weight for speaks_for, weight in taught.items() if speaks_for in KINDS)
    return TAUGHT_CASE * cases - TAUGHT_SILENCE * taught.get("silence", 0.0)


def _says_nothing(reading: _Reading, found: tuple[PlaceMention, ...]) -> bool:
    """Whether a line names no affair of a community's; a place alone, 3号楼门口, is none."""
    scores = reading.scores
    if scores.topic_hits or scores.emergency:
        return False
    if not found:
        return _SUBSTANCE.isdisjoint(scores.findings)
    besides = len(reading.text) - sum(place.end - place.start for place in found)
    return besides <= BARE_PLACE and scores.findings.keys() <= {"spot"}


def _signal(scores: Scores, context: _Context) -> Signal:
    """The strongest sign about an open case; me-too needs something to agree with."""
    best, most = Signal.NONE, SIGNAL_THRESHOLD
    for signal, name in _SIGNALS if scores.signals else ():
        weight = scores.signals.get(name, 0.0)
        if signal is Signal.ME_TOO and not context.replying:
            continue
        if weight > most:
            best, most = signal, weight
    return best


def _urgency(scores: Scores, margins: Margins) -> Urgency:
    """By the model, in what it does not take for talk: 睡着了 is no fire. Words of danger tell how soon somebody must come."""
    blocked = max((scores.silence.get(name, 0.0) for name in _BLOCKS_DANGER), default=0.0)
    if margins.urgent >= MODEL_URGENT and scores.emergency - blocked >= EMERGENCY_WORDS:
        return Urgency.EMERGENCY
    doubt = TALK * min(margins.gate, 0.0)
    if margins.emergency >= MODEL_EMERGENCY + doubt:
        return Urgency.EMERGENCY
    return Urgency.URGENT if margins.urgent >= MODEL_URGENT + doubt else Urgency.NORMAL


def _decision(margin: float, context: _Context, *, is_hedged: bool) -> Decision:
    """Who is in doubt is asked rather than taken at their word."""
    if margin >= ACT_MARGIN + HEDGE * is_hedged:
        return Decision.ACT
    if context.addressed or margin >= ASK_MARGIN:
        return Decision.ASK
    return Decision.SILENT


def _reasons(reading: _Reading, model: Model, *, is_heard: bool) -> tuple[Reason, ...]:
    """The words that counted, strongest first, and what the model says of the whole line; of silence only the strongest. Where
    the tables know few of the words, the pairs that the first look went by are named besides."""
    words = _words(reading.text, reading.scores, MAX_REASONS if is_heard else MAX_REASONS_FOR_SILENCE)
    if is_heard and len(words) < FEW_REASONS:
        words += [
            Reason(name, BY_MODEL, round(weight, 2)) for name, weight in model.strongest(reading.characters, count=2)
        ]
    return (*words, *_as_a_whole(reading.margins))


def _words(text: str, scores: Scores, most: int) -> list[Reason]:
    listed = sorted(scores.findings.values(), key=_WEIGHT, reverse=True)
    return [Reason(text[start:end], group.name, round(weight, 2)) for group, weight, start, end, _ in listed[:most]]


def _as_a_whole(margins: Margins) -> tuple[Reason, ...]:
    """Silence, by far the commonest answer, does not name the pairs of characters that the model went by."""
    return (Reason(WHOLE_LINE, BY_MODEL, round(margins.gate, 2)),)


def _as_sent(found: tuple[PlaceMention, ...], sent: str) -> tuple[PlaceMention, ...]:
    """The same places with offsets in the text as it was sent, where invisible characters were dropped."""
    index = offsets(sent)
    return tuple(replace(place, start=index[place.start], end=index[place.end - 1] + 1) for place in found)
