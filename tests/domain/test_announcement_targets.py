"""Whom an announcement reaches: groups by area or by choice, people by role."""

from datetime import UTC, date, datetime

import pytest

from domain import announcements
from storage.base import Session
from storage.database import Database
from storage.people import Account, Duty, Person
from tests.domain.announcement_stage import (
    EAST,
    EAST_FIRST,
    EAST_GROUP,
    ELSEWHERE,
    FIRST_GROUP,
    HALL,
    HERE,
    STAFF_GROUP,
    WEST_GROUP,
    chat,
    draft,
    settle,
)


@pytest.fixture(autouse=True)
def community(database: Database, now: datetime) -> None:
    settle(database, now)


@pytest.mark.parametrize(
    ("changes", "chats"),
    [
        ({"area_ids": [HERE]}, {HALL, EAST_GROUP, FIRST_GROUP, WEST_GROUP}),
        ({"area_ids": [EAST]}, {EAST_GROUP, FIRST_GROUP}),
        ({"area_ids": [EAST_FIRST]}, {FIRST_GROUP}),
        (
            {"area_ids": [EAST, EAST_FIRST], "chat_ids": [FIRST_GROUP, WEST_GROUP]},
            {EAST_GROUP, FIRST_GROUP, WEST_GROUP},
        ),
        ({"area_ids": [], "chat_ids": [STAFF_GROUP]}, {STAFF_GROUP}),
        ({"area_ids": []}, set()),
    ],
)
def test_targets_by_areas_and_groups(
    session: Session, now: datetime, changes: dict[str, object], chats: set[int]
) -> None:
    found = [chat.id for chat in announcements.targets(session, draft(session, now, **changes), now=now)]
    assert (len(found), set(found)) == (len(chats), chats)


def _person(
    session: Session, key: int, *, private: dict[str, str], duty: tuple[str, date, date | None], here: int
) -> None:
    """Somebody with a private chat on each channel named, and one duty."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    session.add(Person(id=key, name=f"人{key}", created_at=long_ago))
    session.flush()
    role, from_on, until_on = duty
    session.add(Duty(community_id=here, person_id=key, area_id=here, role=role, from_on=from_on, until_on=until_on))
    for number, (channel, openness) in enumerate(private.items()):
        place = chat(key * 10 + number, None, kind="private", purpose="private", community_id=None, person_id=key)
        place.channel, place.title = channel, ""
        account = Account(
            person_id=key, channel=channel, external_id=f"{key}", private_chat=openness, linked_at=long_ago
        )
        session.add_all([place, account])
    session.flush()


def test_targets_by_role_are_private_chats_of_those_on_duty(session: Session, now: datetime) -> None:
    since, today = date(2026, 1, 1), date(2026, 11, 21)
    worker = ("grid_worker", since, None)
    _person(session, 50, private={"telegram": "open", "simulator": "open"}, duty=worker, here=HERE)
    _person(session, 51, private={"telegram": "open"}, duty=("grid_worker", since, today), here=HERE)
    _person(session, 52, private={"telegram": "blocked"}, duty=worker, here=HERE)
    _person(session, 53, private={}, duty=worker, here=HERE)
    _person(session, 54, private={"telegram": "open"}, duty=("grid_worker", since, date(2026, 11, 20)), here=HERE)
    _person(session, 55, private={"telegram": "open"}, duty=("mediator", since, None), here=HERE)
    _person(session, 56, private={"telegram": "open"}, duty=worker, here=ELSEWHERE)
    announcement = draft(session, now, area_ids=[], chat_ids=[HALL], roles=["grid_worker", "grid_worker"])
    assert [chat.id for chat in announcements.targets(session, announcement, now=now)] == [HALL, 500, 510]
    shown = announcements.preview(session, announcement, now=now)
    assert (shown.chats, shown.people, shown.unreachable) == (((HALL, "群101"),), 2, 2)
