"""Each migration the way back and forth with rows in the tables, on both databases: nothing that was there before is lost."""

from datetime import datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from storage import schema
from storage.cases import CaseMessage, CaseReporter
from storage.claims import Claim
from storage.customer_groups import CustomerGroup, PostTask, WelcomeMaterial
from storage.database import Database
from storage.messages import OutboxState
from storage.tables import metadata
from storage.understanding import Correction, Keyword
from tests import builders

OLD_TABLES = ('"case"', "case_event", "case_message", "chat", "outbox")


def _fill(database: Database, now: datetime) -> None:
    """A case that somebody has joined and somebody has corrected, in a group."""
    with database.writing() as session:
        place = builders.community(session)
        chat, who = builders.group(session, place, now), builders.person(session, "李叔")
        case = builders.case(session, place, now, topic="power", text="3号楼停电了", reporter=who, chat=chat)
        chat.last_case_id, case.joined = case.id, 1
        task = PostTask(
            community_id=place.id, channel="somewhere", account="corp", owner="zhang", made_at=now, due_at=now
        )
        session.add_all(
            [
                task,
                CustomerGroup(chat_id=chat.id, owner="zhang", owner_name="张伟", told_at=now),
                WelcomeMaterial(channel="somewhere", account="corp", area_id=place.grid.id, digest="0"),
            ]
        )
        session.flush()
        post = builders.posted(session, chat, "停水", now=now)
        post.state, post.task_id = OutboxState.WITH_PERSON, task.id
        builders.posted(session, chat, "已登记", now=now, case_id=case.id)
        session.add_all(
            [
                CaseMessage(case_id=case.id, chat_id=chat.id, message_id="1", sender="1", text="停电了", at=now),
                CaseReporter(
                    community_id=place.id,
                    case_id=case.id,
                    person_id=who.id,
                    has_own_words=True,
                    at=now,
                    told_state="open",
                ),
                Correction(
                    community_id=place.id,
                    text="停电了",
                    kind_before="report",
                    urgency_before="normal",
                    kind="chatter",
                    urgency="normal",
                    is_by_resident=True,
                    at=now,
                ),
                Claim(community_id=place.id, case_id=case.id, person_id=who.id, at=now, due_at=now),
                Keyword(community_id=place.id, word="大白鹅", speaks_for="silence", weight=4.0, proposed_at=now),
            ]
        )


def _counts(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        return [connection.execute(text(f"select count(*) from {table}")).scalar_one() for table in OLD_TABLES]


def test_filled_database_goes_back_and_forth(database: Database, now: datetime) -> None:
    _fill(database, now)
    before = _counts(database)
    config = Config()
    config.set_main_option("script_location", str(schema.FOLDER))
    config.attributes["engine"] = database.engine
    stood_at = []
    try:
        for revision in reversed(schema._revisions()[:-1]):
            command.downgrade(config, revision)
            stood_at.append((schema.current(database), _counts(database)))
    finally:
        schema.upgrade(database)
    assert stood_at == [(revision, before) for revision in reversed(schema._revisions()[:-1])]
    assert (schema.current(database), _counts(database)) == (schema.newest(), before)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        if database.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_migration_that_would_lose_a_reference_changes_nothing(database: Database, now: datetime) -> None:
    """As after a restored database, or one that was written to by hand."""
    if not database.is_sqlite:
        return  # PostgreSQL watches references by itself
    _fill(database, now)
    with database.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql('update "case" set area_id = 1')
        connection.commit()
        connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
    config = Config()
    config.set_main_option("script_location", str(schema.FOLDER))
    config.attributes["engine"] = database.engine
    with pytest.raises(RuntimeError, match="case would refer to nothing in area"):
        command.downgrade(config, "0001")
    assert schema.current(database) == schema.newest()


def test_post_in_an_owners_hands_is_held_where_nobody_knows_of_owners(database: Database, now: datetime) -> None:
    _fill(database, now)
    config = Config()
    config.set_main_option("script_location", str(schema.FOLDER))
    config.attributes["engine"] = database.engine
    try:
        command.downgrade(config, "0006")
        with database.engine.connect() as connection:
            states = connection.execute(text("select text, state from outbox order by id")).all()
    finally:
        schema.upgrade(database)
    assert [tuple(row) for row in states] == [("停水", "held"), ("已登记", "queued")]
