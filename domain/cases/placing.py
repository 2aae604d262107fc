"""Where a matter is that staff typed: the community's own matcher reads their words as it reads a message."""

from dataclasses import dataclass

from core.errors import Refused
from domain import areas
from domain.cases import opening
from domain.places import PlaceBook
from nlp.normalise import normalise
from storage.areas import Area
from storage.base import Session


@dataclass(frozen=True, slots=True)
class Placed:
    """The place in words, the smallest area known for it, and the building where the tree has none for it."""

    words: str
    area_id: int
    site: str


def read(session: Session, community_id: int, *, place: str, text: str = "", area_id: int | None = None) -> Placed:
    """Where `place` is; without one, where the `text` says. `area_id` is what was chosen beside it, and narrows what is meant.

    Refused: an area of another community, and a place that lies outside the area chosen.
    """
    chosen = session.get(Area, area_id or community_id)
    if chosen is None or chosen.community_id != community_id:
        raise Refused("cases.place_not_ours")
    mentions = PlaceBook().of(session, community_id, near=area_id).find(normalise(place or text))
    known = next((mention.area_id for mention in mentions if mention.area_id), None)
    area = session.get_one(Area, known) if known else chosen
    if not areas.is_within(area, chosen) and not areas.is_within(chosen, area):
        if place:
            here = session.get_one(Area, community_id).name
            raise Refused("cases.place_elsewhere", place=place, chosen=chosen.name, here=here)
        return Placed("", chosen.id, "")  # a text names places that it only passes by
    smallest = area if areas.is_within(area, chosen) else chosen
    building = next((mention.building for mention in mentions if mention.building), None)
    site = f"{chosen.id}:{building}" if building and known is None else ""
    return Placed(place or opening.place_words(mentions), smallest.id, site)
