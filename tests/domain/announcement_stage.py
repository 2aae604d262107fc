"""A community with grids and groups, and short words for what tests of announcements do and look at."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.clock import CHINA
from core.errors import Refused
from core.texts import say
from domain import announcements
from domain.announcements import Announcement
from storage.areas import Area, Community
from storage.base import Session
from storage.chats import Chat
from storage.database import Database
from storage.messages import File, Outbox

HERE, EAST, EAST_FIRST, WEST, ELSEWHERE = 1, 11, 12, 13, 2
HALL, EAST_GROUP, FIRST_GROUP, WEST_GROUP, STAFF_GROUP, FOREIGN_GROUP, LEFT_GROUP, UNBOUND_GROUP = range(101, 109)
PAPER, FOREIGN_PAPER = 301, 302


def chat(key: int, area_id: int | None, **columns: object) -> Chat:
    values = {"kind": "group", "state": "bound", "purpose": "residents", "community_id": HERE, "title": f"群{key}"}
    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    place = {"id": key, "channel": "telegram", "account": "bot", "external_id": f"-{key}", "area_id": area_id}
    return Chat(**{**values, **place, "created_at": created_at, **columns})


def _file(key: int, community_id: int, now: datetime) -> File:
    return File(
        id=key,
        community_id=community_id,
        channel="console",
        account="",
        kind="photo",
        external_id=f"{key}",
        state="stored",
        due_at=now,
    )


def settle(database: Database, now: datetime) -> None:
    """和谐里 with grids east (one micro-grid below it) and west, a group in each, and groups that must get nothing."""
    levels = {HERE: "community", ELSEWHERE: "community", EAST: "grid", EAST_FIRST: "micro_grid", WEST: "grid"}
    paths = {HERE: "/1/", ELSEWHERE: "/2/", EAST: "/1/11/", EAST_FIRST: "/1/11/12/", WEST: "/1/13/"}
    with database.writing() as session:
        for key, path in paths.items():
            owner = ELSEWHERE if key == ELSEWHERE else HERE
            session.add(Area(id=key, community_id=owner, level=levels[key], code=f"{key}", name=f"{key}", path=path))
            session.flush()
        session.add_all([Community(id=key, name="和谐里") for key in (HERE, ELSEWHERE)])
        session.flush()
        session.add_all(
            [
                chat(HALL, HERE),
                chat(EAST_GROUP, EAST),
                chat(FIRST_GROUP, EAST_FIRST),
                chat(WEST_GROUP, WEST),
                chat(STAFF_GROUP, HERE, purpose="staff"),
                chat(FOREIGN_GROUP, ELSEWHERE, community_id=ELSEWHERE),
                chat(LEFT_GROUP, EAST, state="left"),
                chat(UNBOUND_GROUP, None, state="unbound", community_id=None),
                _file(PAPER, HERE, now),
                _file(FOREIGN_PAPER, ELSEWHERE, now),
            ]
        )


def draft(session: Session, now: datetime, **changes: object) -> Announcement:
    content: dict[str, object] = {"title": "停水通知", "text": "周日停水，请储水。", "area_ids": [EAST], "chat_ids": []}
    content |= {"roles": [], "file_ids": [], "by": None, "community_id": HERE, **changes}
    return announcements.draft(session, now=now, **content)  # type: ignore[arg-type]  # tests change one thing at a time


def planned(
    session: Session, now: datetime, *, at: datetime | None = None, recurrence: str | None = None, **changes: object
) -> Announcement:
    announcement = draft(session, now, **changes)
    announcements.schedule(session, announcement, at=at, recurrence=recurrence, now=now)
    return announcement


def change(session: Session, announcement: Announcement, version: int, **changes: object) -> None:
    content: dict[str, object] = {"title": announcement.title, "text": announcement.text, "area_ids": [EAST]}
    content |= {"chat_ids": [], "roles": [], "file_ids": [], **changes}
    announcements.change(session, announcement, version=version, **content)  # type: ignore[arg-type]  # as above


def said(call: Callable[..., object], *arguments: object, **named: object) -> str:
    """The sentence with which the call is refused."""
    with pytest.raises(Refused) as refused:
        call(*arguments, **named)
    return say(refused.value.key, **refused.value.blanks)


def rows(session: Session) -> Sequence[Outbox]:
    return session.scalars(select(Outbox).order_by(Outbox.id)).all()


def texts(session: Session) -> list[tuple[int, str]]:
    return [(row.chat_id, row.text) for row in rows(session)]


def runs(session: Session, announcement: Announcement) -> list[tuple[datetime, int, int]]:
    return [(run.due_at, run.targets, run.missed) for run in announcements.runs(session, announcement)]


def china(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=CHINA).astimezone(UTC)
