"""Several matters in one message: "路灯坏了，另外垃圾也没人收". Only where each part is clearly a matter of its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from core.messages import Decision, Kind, Signal, Understanding, Urgency, Utterance
from domain.cases.words import CRISIS
from nlp.places import Places
from nlp.understand import MAX_REASONS, understand

# What begins another matter; a mere comma does only where another building is named behind it.
_NEXT = re.compile(
    r"[，,。；;！!\s]*(?:另外|还有(?!人|点|些|没)|顺便|再有|再就是|其次|对了(?:(?=[，,\s我还])|$))[，,：:\s]*|[；;\n]+|。(?=.*号楼|.*栋)|(?:^|[，,。；;\s]+)[1-4一二三四][、.．]"
)
_COMMA = re.compile(r"[，,。；;！!\n]+|\s+(?=[1-4][、.．])")
_LIST_MARK = re.compile(
    r"^(?:[1-4一二三四][、.．]\s*|(?:另外|还有(?!人|点|些|没)|顺便|再有|再就是|其次|对了)[，,：:\s]*)"
)
MOST_PARTS = 4
LONGEST = 300
# Whose words alone make a clause an emergency, whatever stands beside it, and from which weight on.
_DANGERS = frozenset({"fire", "gas_leak", "medical", "trapped", "missing", "violence", "collapse"})
CERTAIN = 3.0
# What no danger leads to: said beside one it is a matter of its own. 门打不开 is as likely why nobody gets out.
_NEVER_PART_OF_IT = frozenset({Kind.QUESTION, Kind.WISH, Kind.PROPOSAL})
SHORTEST_BEFORE = 5  # so many characters a trouble has that is told before a danger, and apart from it


@dataclass(frozen=True, slots=True)
class Part:
    """One matter of several that were said at once."""

    text: str
    understanding: Understanding


@dataclass(frozen=True, slots=True)
class _Reader:
    """One message, and what has been understood of it and its clauses: each is read once."""

    utterance: Utterance
    places: Places
    known: dict[str, Understanding] = field(default_factory=dict)

    def of(self, text: str) -> Understanding:
        """What these words of it mean by themselves."""
        if text not in self.known:
            self.known[text] = understand(replace(self.utterance, text=text), self.places)
        return self.known[text]

    def each(self, text: str, between: re.Pattern[str]) -> Iterator[Part]:
        """The clauses of a text, each understood by itself."""
        for piece in between.split(text):
            if clause := _LIST_MARK.sub("", piece.strip(" ，,。；;：:")):
                yield Part(clause, self.of(clause))


def heard(utterance: Utterance, places: Places) -> tuple[Understanding, tuple[Part, ...]]:
    """What a message means, and the matters that it tells of, if they are several. A danger that is certain by its own words
    is one whatever else is said in the same breath."""
    reader, text = _Reader(utterance, places), utterance.text
    whole = reader.of(text)
    if not _is_matter(whole) or len(text) > LONGEST:
        return whole, ()
    parts = _parts(reader, whole)
    if whole.urgency == Urgency.EMERGENCY or whole.signal == Signal.RESOLVED or not _may_tell_danger(whole):
        return whole, parts
    dangers = [each for each in parts or reader.each(text, _COMMA) if _is_danger(each.understanding)]
    if not dangers:
        return whole, parts
    danger = dangers[0].understanding
    return replace(danger, places=whole.places or danger.places, signal=whole.signal), parts


def _parts(reader: _Reader, whole: Understanding) -> tuple[Part, ...]:
    """The matters that a message tells of, if they are several; empty where it is one, or one of them cannot be told apart."""
    text, buildings = reader.utterance.text, {place.building for place in whole.places if place.building}
    has_commas = _COMMA.search(text) is not None
    by_commas = has_commas and (len(buildings) > 1 or _may_tell_danger(whole))
    if whole.topic == CRISIS or not (by_commas or _NEXT.search(text)):
        return ()
    parts = tuple(_matters(reader, _COMMA if len(buildings) > 1 else _NEXT))
    return parts if 1 < len(parts) <= MOST_PARTS and _are_apart(parts) else ()


def _is_matter(understood: Understanding) -> bool:
    return understood.decision == Decision.ACT and understood.kind != Kind.CHATTER


def _is_danger(understood: Understanding) -> bool:
    """Whether the words of a clause alone make an emergency of it."""
    return understood.urgency == Urgency.EMERGENCY and any(
        reason.speaks_for in _DANGERS and reason.weight >= CERTAIN for reason in understood.because
    )


def _may_tell_danger(whole: Understanding) -> bool:
    """Whether one of its clauses can be a danger: such words are words of the whole, and the strongest of those are named."""
    named = whole.because[:MAX_REASONS]
    is_crowded = len(named) == MAX_REASONS and named[-1].weight >= CERTAIN
    return is_crowded or any(reason.speaks_for in _DANGERS for reason in named)


def _clauses(reader: _Reader, between: re.Pattern[str]) -> Iterator[tuple[Part, bool]]:
    """The clauses, and whether each is set off from the one before by more than a comma. A comma parts clauses only beside a danger; of what is
    no matter as a whole its first clause may be one: 隔壁天天打孩子，你们也管管."""
    for piece in reader.each(reader.utterance.text, between):
        is_matter = _is_matter(piece.understanding)
        may_part = not is_matter or _may_tell_danger(piece.understanding)
        inner = list(reader.each(piece.text, _COMMA)) if may_part else []
        if len(inner) > 1 and any(_is_danger(each.understanding) for each in inner):
            yield from ((each, number == 0) for number, each in enumerate(inner))
        elif len(inner) > 1 and not is_matter and _is_matter(inner[0].understanding):
            yield Part(piece.text, inner[0].understanding), True
        else:
            yield piece, True


def _matters(reader: _Reader, between: re.Pattern[str]) -> Iterator[Part]:
    """Clause by clause: what is no matter by itself belongs to the one before; one without a place is where the last one was."""
    last: Part | None = None
    for clause, is_set_off in _clauses(reader, between):
        understood = clause.understanding
        if last is None:
            last = clause
        elif not (_is_matter(understood) and understood.topic) or _belongs(last, clause, is_set_off=is_set_off):
            last = Part(f"{last.text}，{clause.text}", _together(last.understanding, understood))
        else:
            yield last
            places_known = understood.places or last.understanding.places
            last = Part(clause.text, replace(understood, places=places_known))
    if last is not None:
        yield last


def _together(one: Understanding, other: Understanding) -> Understanding:
    """The more urgent of two clauses about one matter, with the place that either names."""
    is_other = not one.topic or (other.urgency == Urgency.EMERGENCY and one.urgency != Urgency.EMERGENCY)
    return replace(other if is_other else one, places=one.places or other.places)


def _belongs(last: Part, clause: Part, *, is_set_off: bool) -> bool:
    """Whether a clause tells more of the matter before it: about the same, or about the same danger."""
    one, other = last.understanding, clause.understanding
    if _is_same(one, other) or (one.urgency == other.urgency == Urgency.EMERGENCY):
        return True
    if is_set_off or other.kind in _NEVER_PART_OF_IT:
        return False
    return one.urgency == Urgency.EMERGENCY or not (_is_matter(one) and len(last.text) >= SHORTEST_BEFORE)


def _is_same(one: Understanding, other: Understanding) -> bool:
    """More about the same: no other topic, and no other building."""
    first = {place.building for place in one.places if place.building}
    second = {place.building for place in other.places if place.building}
    return one.topic == other.topic and not (first and second and first != second)


def _are_apart(parts: tuple[Part, ...]) -> bool:
    """Each is a matter for the community by itself, and none is about a life alone."""
    return all(_is_matter(part.understanding) and part.understanding.topic not in (None, CRISIS) for part in parts)
