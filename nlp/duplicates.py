"""How well likeness joins messages of one trouble: over rows {text, title?, case, place}, pair by pair, place before words.

`case` names the trouble (null: another one), `place` the estate or road (null: not known). A pair counts when at least one of the
two belongs to a named trouble. Two messages can only be joined where both name one place of the file, as in a community
where the area tree tells the places. Where all that they share is the name of a lender or a scheme, which no area tree
holds, their words must say more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.evaluate import rate
from nlp.likeness import ALIKE, likeness
from nlp.normalise import normalise

ALIKE_ANYWHERE = 0.75
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
    names = _names(messages)
    joined = right = same = apart = wrong = 0
    for index, one in enumerate(messages):
        for other in messages[index + 1 :]:
            if one.case is None and other.case is None:
                continue
            is_same = one.case == other.case
            is_one_place = one.place is not None and one.place == other.place
            is_joined = _are_joined(one, other, names)
            joined, right = joined + is_joined, right + (is_joined and is_same)
            same, apart = same + is_same, apart + (is_one_place and not is_same)
            wrong += is_joined and is_one_place and not is_same
    return {
        "messages": len(messages),
        "precision": rate(right, joined),
        "recall": rate(right, same),
        "same_place_wrongly_joined": rate(wrong, apart),
    }


def _are_joined(one: _Message, other: _Message, names: frozenset[str]) -> bool:
    shared = one.places & other.places
    least = ALIKE if shared & names else ALIKE_ANYWHERE
    return bool(shared) and likeness(one.text, other.text, names=names) >= least


def _read(rows: Sequence[Mapping[str, object]]) -> list[_Message]:
    known = {normalise(place) for row in rows if isinstance(place := row.get("place"), str)}
    messages = []
    for row in rows:
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


def _names(messages: Sequence[_Message]) -> frozenset[str]:
    """The names that an area tree would hold. A lender's or a scheme's name says what the trouble is, not where."""
    places = {place for message in messages for place in message.places}
    towns = {town for message in messages for town in _MASKED_TOWN.findall(message.text)}
    return frozenset(place for place in places if _is_of_map(place, messages)) | towns


def _is_of_map(place: str, messages: Sequence[_Message]) -> bool:
    followed = re.compile(re.escape(place) + _FOLLOWS_PLACE)
    return _ENDS_PLACE.search(place) is not None or any(followed.search(message.text) for message in messages)
