"""Rows written without mapped objects: the same as the mapped ones, defaults and types included."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Table, select, text

from storage.base import Session
from storage.database import Database
from storage.messages import Outbox, OutboxState, Priority
from storage.reminders import Reminder
from tests import builders

EAST = timezone(timedelta(hours=8))


def _chat(session: Session, now: datetime) -> int:
    chat = builders.group(session, builders.community(session), now)
    session.flush()
    return chat.id


def test_left_row_is_what_a_mapped_one_would_be(session: Session, now: datetime) -> None:
    chat_id = _chat(session, now)
    session.add(Outbox(id=1, chat_id=chat_id, text="一", due_at=now, created_at=now))
    session.leave(Outbox, id=2, chat_id=chat_id, text="一", due_at=now, created_at=now)
    session.flush()
    columns = ", ".join(column.name for column in Outbox.__table__.columns if column.name != "id")
    kept = text(f"SELECT {columns} FROM outbox ORDER BY id")
    mapped, left = session.execute(kept).all()
    assert mapped == left


def test_left_row_comes_back_with_its_types(session: Session, now: datetime) -> None:
    session.leave(
        Outbox,
        id=3,
        chat_id=_chat(session, now),
        buttons=[[{"text": "接单", "url": "https://example.org"}]],
        priority=Priority.REMINDER,
        due_at=now.astimezone(EAST) + timedelta(microseconds=7),
        created_at=now,
        sent_at=None,
    )
    session.flush()
    row = session.get(Outbox, 3)
    assert row is not None
    assert (row.state, row.priority, row.attempts) == (OutboxState.QUEUED, 2, 0)
    assert (row.buttons, row.attachment_ids) == ([[{"text": "接单", "url": "https://example.org"}]], [])
    assert (row.due_at, row.due_at.tzinfo, row.sent_at) == (now + timedelta(microseconds=7), UTC, None)


def test_what_one_row_has_and_another_has_not_is_kept_apart(session: Session, now: datetime) -> None:
    """No row has a thread, one has a person, and both are of an enumeration."""
    chat_id = _chat(session, now)
    shared = {"chat_id": chat_id, "due_at": now, "created_at": now, "thread": None}
    session.leave(Outbox, id=1, **shared, person_id=None, state=OutboxState.HELD, priority=Priority.ANSWER)
    session.leave(Outbox, id=2, **shared, person_id=7, state=OutboxState.QUEUED, priority=Priority.REMINDER)
    session.flush()
    kept = session.execute(text("SELECT id, thread, person_id, state, priority FROM outbox ORDER BY id")).all()
    assert [tuple(row) for row in kept] == [(1, None, None, "held", 0), (2, None, 7, "queued", 2)]


def test_columns_may_come_in_any_order(session: Session, now: datetime) -> None:
    session.leave(Reminder, kind="case.card", subject_id=1, due_at=now)
    session.leave(Reminder, due_at=now, subject_id=2, kind="case.photos")
    session.flush()
    kept = session.execute(select(Reminder.kind, Reminder.subject_id).order_by(Reminder.id)).all()
    assert [tuple(row) for row in kept] == [("case.card", 1), ("case.photos", 2)]


def test_each_left_row_gets_a_key_of_its_own(session: Session, now: datetime) -> None:
    for number in range(3):
        session.leave(Reminder, kind="case.card", subject_id=number, due_at=now)
    session.flush()
    rows = session.execute(select(Reminder.id, Reminder.subject_id).order_by(Reminder.id)).all()
    assert [row.subject_id for row in rows] == [0, 1, 2]
    assert len({row.id for row in rows}) == 3


def test_time_without_a_zone_is_refused(session: Session, now: datetime) -> None:
    session.leave(Reminder, kind="case.card", subject_id=1, due_at=now.replace(tzinfo=None))
    with pytest.raises(ValueError, match="without a zone"):
        session.flush()


def test_unknown_column_is_refused(database: Database, now: datetime) -> None:
    table = Reminder.__table__
    assert isinstance(table, Table)
    with database.writing() as session, pytest.raises(TypeError, match="reminder has no colour"):
        session.row_writer.write(session.connection(), table, [{"kind": "a", "due_at": now, "colour": "red"}])
