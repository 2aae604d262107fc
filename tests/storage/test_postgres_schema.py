"""The same tables on both databases: made by the migrations, with aware times, JSON and references checked at the commit."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from core.errors import ConfigError
from core.ids import new_id
from core.keys import load_or_make
from domain import inbox
from storage import schema
from storage.areas import Area, AreaLevel
from storage.base import Base
from storage.cases import CaseEvent
from storage.chats import Chat
from storage.database import Database
from storage.messages import Outbox, Received
from storage.tables import metadata
from tests import builders
from tests.postgres import Postgres


def test_migrations_make_exactly_the_tables_of_the_program(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_revisions_read_from_the_files_are_those_of_alembic() -> None:
    """Otherwise a database would be held for the newest and never brought up to it."""
    scripts = ScriptDirectory(str(schema.FOLDER))
    known = [script.revision for script in scripts.walk_revisions()]
    assert schema.newest() == scripts.get_current_head()
    assert (known[::-1], all(schema.is_known(revision) for revision in known)) == (schema._revisions(), True)


def test_migrations_leave_no_rows(database: Database) -> None:
    """tests/postgres.py empties all tables after a test: rows that a migration made would be missing from then on."""
    with database.reading() as session:
        for table in metadata.sorted_tables:
            assert session.execute(select(table).limit(1)).all() == [], table.name


@pytest.mark.postgres
def test_upgrade_begins_with_a_bare_database_and_may_be_repeated(postgres: Postgres, tmp_path: Path) -> None:
    database = Database(postgres.bare(), load_or_make(tmp_path / "wuwei.key"))
    assert schema.current(database) is None
    schema.upgrade(database)
    schema.upgrade(database)
    assert schema.current(database) == schema.newest()
    assert database.is_alive()
    database.close()


@pytest.mark.postgres
def test_schema_of_a_newer_program_is_refused(postgres: Postgres, tmp_path: Path) -> None:
    database = Database(postgres.fresh(), load_or_make(tmp_path / "wuwei.key"))
    with database.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConfigError, match="9999"):
        schema.upgrade(database)
    assert schema.current(database) == "9999"
    database.close()


def test_references_are_checked_at_the_commit(database: Database, now: datetime) -> None:
    """A child may be written before its parent, in one transaction; without a parent nothing of it stays."""
    parent, child = new_id(), new_id()
    with database.writing() as session:
        session.add(_area(child, parent))
        session.flush()
        session.add(_area(parent, None))
    lost = new_id()
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(_area(lost, new_id()))
    with database.reading() as session:
        assert set(session.scalars(select(Area.id))) == {parent, child}


async def test_commit_that_is_refused_does_not_harm_the_next(database: Database) -> None:
    """SQLite leaves the transaction open then: every later write of the process would fail."""
    lost, kept = new_id(), new_id()
    with pytest.raises(IntegrityError):
        await database.write(lambda session: session.add(_area(lost, new_id())))
    await database.write(lambda session: session.add(_area(kept, None)))
    assert await database.read(lambda session: list(session.scalars(select(Area.id)))) == [kept]


def _area(key: int, parent: int | None) -> Area:
    return Area(id=key, parent_id=parent, level=AreaLevel.GRID, code=str(key), name="网格", aliases=[], path=f"/{key}/")


def test_times_come_back_aware_and_in_utc(database: Database, now: datetime) -> None:
    in_india = datetime(2026, 11, 21, 7, 30, 1, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with database.writing() as session:
        place = builders.community(session)
        chat = builders.group(session, place, in_india)
        key = chat.id
    with database.reading() as session:
        kept = session.get_one(Chat, key).created_at
    assert (kept, kept.tzinfo) == (datetime(2026, 11, 21, 2, 0, 1, 123456, tzinfo=UTC), UTC)


def test_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"), database.writing() as session:
        builders.group(session, builders.community(session), datetime(2026, 11, 21, 10, 0))  # noqa: DTZ001  # on purpose


def test_lists_and_nested_values_come_back_as_they_were(database: Database, now: datetime) -> None:
    buttons = [[{"text": "满意 😊", "action": "cases.satisfied", "subject": "1"}], []]
    data = {"to": "1", "files": ["2", "3"], "deep": {"none": None, "flag": True, "number": 1.5}}
    with database.writing() as session:
        place = builders.community(session)
        chat = builders.group(session, place, now)
        case = builders.case(session, place, now)
        row = Outbox(chat_id=chat.id, buttons=buttons, due_at=now, created_at=now)
        session.add(row)
        session.leave(CaseEvent, community_id=place.id, case_id=case.id, step="add", after="open", at=now, data=data)
        session.flush()
        keys = row.id, case.id
    with database.reading() as session:
        row = session.get_one(Outbox, keys[0])
        event = session.scalars(select(CaseEvent).where(CaseEvent.case_id == keys[1], CaseEvent.step == "add")).one()
        assert (row.buttons, row.attachment_ids, row.keep, event.data) == (buttons, [], {}, data)


def test_nothing_in_a_json_column_is_null_to_the_database(database: Database, now: datetime) -> None:
    """Not the JSON word null: `attachments IS NOT NULL` is asked of each message with a photo, and an index stands on it."""
    with database.writing() as session:
        session.add(_received("plain", now, None))
        session.add(_received("photo", now, [{"kind": "photo"}]))
    with database.reading() as session:
        found = session.scalars(select(Received.external_id).where(Received.attachments.is_not(None))).all()
    assert found == ["photo"]


def test_message_recorded_twice_is_refused(database: Database, now: datetime) -> None:
    with database.writing() as session:
        session.add(_received("1", now, None))
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(_received("1", now, None))
    with database.reading() as session:
        assert session.scalars(select(Received.external_id)).all() == ["1"]


def _received(external_id: str, now: datetime, attachments: list[dict[str, str]] | None) -> Received:
    return Received(
        channel="simulator",
        account="bot",
        external_id=external_id,
        kind="message",
        sent_at=now,
        received_at=now,
        outcome=inbox.Outcome.SILENT,
        attachments=attachments,
    )


def test_every_key_is_a_number_of_64_bits(database: Database) -> None:
    largest = 2**63 - 1
    with database.writing() as session:
        session.add(_area(largest, None))
    with database.reading() as session:
        assert session.scalars(select(Area.id)).all() == [largest]


def test_reading_keeps_nothing(database: Database) -> None:
    with database.reading() as session:
        session.add(_area(1, None))
        session.flush()
    with database.reading() as session:
        assert session.scalars(select(Area.id)).all() == []


def test_every_table_is_a_base(database: Database) -> None:
    with database.engine.connect() as connection:
        names = set(database.engine.dialect.get_table_names(connection))
    assert names == {table.name for table in Base.metadata.tables.values()} | {"alembic_version"}
