"""Many rows of a table changed or deleted by one statement, past the session's own memory of rows, which is then read anew."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Delete, Update, delete, update

from storage.base import Base, Session


def delete_rows(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    """How many there were."""
    return _run(session, delete(table).where(*conditions))


def change_rows(
    session: Session, table: type[Base], values: Mapping[str, object], *conditions: ColumnElement[bool]
) -> int:
    """How many there were."""
    return _run(session, update(table).where(*conditions).values(**values))


def _run(session: Session, statement: Delete | Update) -> int:
    session.flush()
    result = session.execute(statement, execution_options={"synchronize_session": False})
    session.expire_all()
    return int(getattr(result, "rowcount", 0))
