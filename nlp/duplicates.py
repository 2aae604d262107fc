"""How well likeness joins messages of one trouble: over rows {text, title?, time?, case, place}, place before words.

`case` names the trouble (null: another one), `place` the estate or road (null: not known). The messages come one after the
other, by their time, and join what has gathered before as in a community. A pair counts when at least one of the two belongs
to a named trouble. Two messages can only be joined where both name one place of the file, as in a community
where the area tree tells the places. Where all that they share is the name of a lender or a scheme, which no area tree
holds, their words must say more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.evaluate import rate
from nlp.likeness import closeness, of_nearest
from nlp.normalise import normalise

# As logarithms of odds: three to one more where no place is shared, and what shares no name at all.
SAID_ANYWHERE = 1.1
UNLIKE = -3.0
_ENDS_PLACE = re.compile(r"(?:小区|[城园苑庭院湾滩洲里村镇路街道线站区厦楼场校])$")
_FOLLOWS_PLACE = r"(?:小区|社区|[一二三四五1-9]期|\d+栋|楼盘)"
# Towns as sets of petitions write them: A3区, K9县.
_MASKED_TOWN = re.compile(r"[a-z]\d*[市区县]")


@dataclass(frozen=True, slots=True)
class _Message:
    text: str
    case: str | None
    place: str | None
    places: frozenset[str]


def judge_duplicates(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Precision and recall of joining, and how many pairs of one place but another trouble were joined all the same."""
    messages = _read(rows)
    gathered = _gather(messages)
    joined = right = same = apart = wrong = 0
    for index, one in enumerate(messages):
        for later, other in enumerate(messages[index + 1 :], index + 1):
            if one.case is None and other.case is None:
                continue
            is_same = one.case == other.case
            is_one_place = one.place is not None and one.place == other.place
            is_joined = gathered[index] == gathered[later]
            joined, right = joined + is_joined, right + (is_joined and is_same)
            same, apart = same + is_same, apart + (is_one_place and not is_same)
            wrong += is_joined and is_one_place and not is_same
    return {
        "messages": len(messages),
        "precision": rate(right, joined),
        "recall": rate(right, same),
        "same_place_wrongly_joined": rate(wrong, apart),
    }


def _gather(messages: Sequence[_Message]) -> list[int]:
    """For each message the number of what it has joined, or opened."""
    names = _names(messages)
    gathered: list[list[_Message]] = []
    numbers = []
    for message in messages:
        near = [
            (of_nearest([_closeness(message, other, names) for other in group]), number)
            for number, group in enumerate(gathered)
            if any(message.places & other.places for other in group)
        ]
        most, number = max(near, default=(UNLIKE, 0), key=lambda one: one[0])
        if most < 0:
            number = len(gathered)
            gathered.append([])
        gathered[number].append(message)
        numbers.append(number)
    return numbers


def _closeness(one: _Message, other: _Message, names: frozenset[str]) -> float:
    shared = one.places & other.places
    if not shared:
        return UNLIKE
    return closeness(one.text, other.text, names=names) - (0.0 if shared & names else SAID_ANYWHERE)


def _read(rows: Sequence[Mapping[str, object]]) -> list[_Message]:
    known = {normalise(place) for row in rows if isinstance(place := row.get("place"), str)}
    messages = []
    for row in sorted(rows, key=_told_at):
        text = normalise(f"{row.get('title') or ''} {row.get('text') or ''}".strip())
        case, place = row.get("case"), row.get("place")
        named = {name for name in known if name in text} | ({normalise(place)} if isinstance(place, str) else set())
        messages.append(
            _Message(
                text,
                case if isinstance(case, str) else None,
                place if isinstance(place, str) else None,
                frozenset(named),
            )
        )
    return messages


def _told_at(row: Mapping[str, object]) -> tuple[int, ...]:
    """2019/1/21 18:16:03 and 2019-01-21 alike, as far as it is told; rows without a time come first, in their order."""
    return tuple(int(number) for number in re.findall(r"\d{1,8}", str(row.get("time") or ""), re.ASCII))


def _names(messages: Sequence[_Message]) -> frozenset[str]:
    """The names that an area tree would hold. A lender's or a scheme's name says what the trouble is, not where."""
    places = {place for message in messages for place in message.places}
    towns = {town for message in messages for town in _MASKED_TOWN.findall(message.text)}
    return frozenset(place for place in places if _is_of_map(place, messages)) | towns


def _is_of_map(place: str, messages: Sequence[_Message]) -> bool:
    followed = re.compile(re.escape(place) + _FOLLOWS_PLACE)
    return _ENDS_PLACE.search(place) is not None or any(followed.search(message.text) for message in messages)
