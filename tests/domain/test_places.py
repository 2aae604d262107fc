"""A community's place matcher: built from its areas, kept until they change."""

from datetime import datetime

from domain import places
from domain.places import PlaceBook
from storage.areas import AreaLevel
from storage.base import Session
from tests import builders


def found(
    book: PlaceBook, session: Session, place: builders.Place, text: str, near: int | None = None
) -> list[int | None]:
    return [mention.area_id for mention in book.of(session, place.id, near=near).find(text)]


def test_book_finds_each_communitys_own_buildings(session: Session) -> None:
    here, there = builders.community(session), builders.community(session, "别的社区")
    book = PlaceBook()
    assert found(book, session, here, "3号楼井盖坏了") == [here.building.id]
    assert found(book, session, there, "三号楼井盖坏了") == [there.building.id]
    assert next(iter(book.of(session, None).find("3号楼井盖坏了"))).area_id is None


def test_book_learns_of_a_change_when_told(session: Session) -> None:
    here = builders.community(session)
    book = PlaceBook()
    book.refresh(session)
    assert found(book, session, here, "塔楼门口") == []
    made = builders.area(session, "塔楼", AreaLevel.BUILDING, here.grid, here.id)
    book.refresh(session)
    assert found(book, session, here, "塔楼门口") == []
    places.note_changed(session, "2")
    session.flush()
    book.refresh(session)
    assert found(book, session, here, "塔楼门口") == [made.id]


def test_of_two_places_with_one_name_the_nearer_is_meant(session: Session) -> None:
    here = builders.community(session)
    near, far = (
        builders.area(session, "快递柜", AreaLevel.PLACE, grid, here.id) for grid in (here.grid, here.other_grid)
    )
    book = PlaceBook()
    assert found(book, session, here, "快递柜坏了", here.grid.id) == [near.id]
    assert found(book, session, here, "快递柜坏了", here.other_grid.id) == [far.id]


def test_removed_area_is_no_longer_meant(session: Session, now: datetime) -> None:
    here = builders.community(session)
    here.building.removed_at = now
    session.flush()
    assert found(PlaceBook(), session, here, "3号楼井盖坏了") in ([], [None])
