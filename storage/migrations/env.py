"""How alembic reaches the database: the engine is handed over by storage/schema.py, or made from -x url=…

SQLite changes a column by making the table anew, and would take the old one's going for the loss of all that refers to it. So
references are not watched meanwhile, and looked through once before anything is kept.
"""

from alembic import context
from sqlalchemy import Connection, Engine, create_engine

from storage.tables import metadata

engine: Engine = context.config.attributes.get("engine") or create_engine(
    context.get_x_argument(as_dictionary=True)["url"]
)


def watch_references(connection: Connection, *, is_on: bool) -> None:
    """Past SQLAlchemy, which would begin a transaction first: in one, SQLite does not hear this."""
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute(f"PRAGMA foreign_keys={'ON' if is_on else 'OFF'}")


def check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
        raise RuntimeError(f"a row of {lost[0]} would refer to nothing in {lost[2]}")


with engine.connect() as connection:
    watch_references(connection, is_on=False)
    try:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,
            compare_type=True,
            user_module_prefix="storage.base.",
            transactional_ddl=True,  # SQLite's too, once we say BEGIN ourselves: all of it or nothing
        )
        with context.begin_transaction():
            context.run_migrations()
            check_references(connection)
        connection.commit()
    finally:
        connection.rollback()
        watch_references(connection, is_on=True)
