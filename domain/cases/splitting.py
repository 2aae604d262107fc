"""Several matters in one message: "路灯坏了，另外垃圾也没人收". Only where each part is clearly a matter of its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.messages import Decision, Kind, Understanding, Urgency, Utterance
from domain.cases.words import PRIVATE_KINDS
from nlp.places import Places
from nlp.understand import understand

# What begins another matter; a mere comma does only where another building is named behind it.
_NEXT = re.compile(
    r"[，,。；;！!\s]*(?:另外|还有(?!人|点|些|没)|顺便|再有|再就是|其次)[，,：:\s]*|[；;\n]+|。(?=.*号楼|.*栋)|(?:^|[，,。；;\s]+)[1-4一二三四][、.．]"
)
_COMMA = re.compile(r"[，,。；;！!\n]+|\s+(?=[1-4][、.．])")
_LIST_MARK = re.compile(r"^(?:[1-4一二三四][、.．]\s*|(?:另外|还有(?!人|点|些|没)|顺便|再有|再就是|其次)[，,：:\s]*)")
MOST_PARTS = 4
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Part:
    """One matter of several that were said at once."""

    text: str
    understanding: Understanding


def parts_of(utterance: Utterance, whole: Understanding, places: Places) -> tuple[Part, ...]:
    """The matters that a message tells of, if they are several; empty where it is one, or one of them cannot wait to be told apart."""
    if whole.decision != Decision.ACT or whole.kind == Kind.CHATTER or whole.urgency == Urgency.EMERGENCY:
        return ()
    text = utterance.text
    buildings = {place.building for place in whole.places if place.building}
    if len(text) > LONGEST or not (_NEXT.search(text) or len(buildings) > 1):
        return ()
    parts = tuple(_matters(utterance, _COMMA if len(buildings) > 1 else _NEXT, places))
    return parts if 1 < len(parts) <= MOST_PARTS and _are_apart(parts) else ()


def _matters(utterance: Utterance, between: re.Pattern[str], places: Places) -> Iterator[Part]:
    """Clause by clause: what is no matter by itself belongs to the one before; one without a place is where the last one was."""
    last: Part | None = None
    for clause in filter(
        None, (_LIST_MARK.sub("", piece.strip(" ，,。；;：:")) for piece in between.split(utterance.text))
    ):
        understood = understand(replace(utterance, text=clause), places)
        is_matter = understood.decision == Decision.ACT and understood.kind != Kind.CHATTER and understood.topic
        if last is None:
            last = Part(clause, understood)
        elif not is_matter or _is_same(last.understanding, understood):
            together = understood if not last.understanding.topic else last.understanding
            found = last.understanding.places or understood.places
            last = Part(f"{last.text}，{clause}", replace(together, places=found))
        else:
            yield last
            last = Part(
                clause, understood if understood.places else replace(understood, places=last.understanding.places)
            )
    if last is not None:
        yield last


def _is_same(one: Understanding, other: Understanding) -> bool:
    """More about the same: no other topic, and no other building."""
    first = {place.building for place in one.places if place.building}
    second = {place.building for place in other.places if place.building}
    return one.topic == other.topic and not (first and second and first != second)


def _are_apart(parts: tuple[Part, ...]) -> bool:
    """Each is a matter for the community by itself, and none is better told in private or at once."""
    return all(
        part.understanding.decision == Decision.ACT
        and part.understanding.topic is not None
        and part.understanding.kind not in (Kind.CHATTER, *PRIVATE_KINDS)
        and part.understanding.urgency != Urgency.EMERGENCY
        for part in parts
    )
