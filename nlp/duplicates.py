"""How well likeness joins messages of one trouble: over rows {text, title?, case, place}, pair by pair, place before words.

`case` names the trouble (null: another one), `place` the estate or road (null: not known). A pair counts when at least one of the
two belongs to a named trouble. Two messages can only be joined where both name one place of the file, as in a community
where the area tree tells the places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.evaluate import interval
from nlp.likeness import ALIKE, likeness
from nlp.normalise import normalise


@dataclass(frozen=True, slots=True)
class _Message:
    text: str
    case: str | None
    place: str | None
    places: frozenset[str]


def judge_duplicates(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Precision and recall of joining, and how many pairs of one place but another trouble were joined all the same."""
    messages = _read(rows)
    joined = right = same = apart = wrong = 0
    for index, one in enumerate(messages):
        for other in messages[index + 1 :]:
            if one.case is None and other.case is None:
                continue
            is_same = one.case == other.case
            is_one_place = one.place is not None and one.place == other.place
            is_joined = bool(one.places & other.places) and likeness(one.text, other.text) >= ALIKE
            joined, right = joined + is_joined, right + (is_joined and is_same)
            same, apart = same + is_same, apart + (is_one_place and not is_same)
            wrong += is_joined and is_one_place and not is_same
    return {
        "messages": len(messages),
        "precision": _rate(right, joined),
        "recall": _rate(right, same),
        "same_place_wrongly_joined": _rate(wrong, apart),
    }


def _read(rows: Sequence[Mapping[str, object]]) -> list[_Message]:
    known = {normalise(place) for row in rows if isinstance(place := row.get("place"), str)}
    messages = []
    for row in rows:
        text = f"{row.get('title') or ''} {row.get('text') or ''}".strip()
        case, place = row.get("case"), row.get("place")
        written = normalise(text)
        named = {name for name in known if name in written} | ({normalise(place)} if isinstance(place, str) else set())
        messages.append(
            _Message(
                text,
                case if isinstance(case, str) else None,
                place if isinstance(place, str) else None,
                frozenset(named),
            )
        )
    return messages


def _rate(part: int, whole: int) -> dict[str, object]:
    return {"value": round(part / whole, 4) if whole else None, "of": whole, "interval": interval(part, whole)}
