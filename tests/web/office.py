"""The office for tests of the community's books: one community with staff in all roles, another beside it, and short words for a browser."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import httpx
from sqlalchemy import event, select

from core.colleagues import AddressBook
from storage.access import AuditEntry
from storage.base import Base
from storage.database import Database
from storage.people import Role
from tests import builders
from tests.builders import Desk, Place

PHONE = "13812345678"
Row = TypeVar("Row", bound=Base)
Fields = Mapping[str, str | Sequence[str]]


@dataclass
class Browser:
    """A signed-in browser that puts the mark of its session into every form."""

    client: httpx.AsyncClient
    csrf: str

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, fields: Fields | None = None, **more: str) -> httpx.Response:
        return await self.client.post(path, data={"csrf": self.csrf, **(fields or {}), **more})

    async def upload(self, path: str, name: str, content: bytes, **fields: str) -> httpx.Response:
        return await self.client.post(path, data={"csrf": self.csrf, **fields}, files={"file": (name, content)})

    async def after(self, answer: httpx.Response) -> str:
        """The page that a done form leads to."""
        assert answer.status_code == 303, answer.text
        return (await self.client.get(answer.headers["location"])).text


@dataclass
class Office:
    """People by role, as keys. `there` is another community, with a clerk of its own."""

    desk: Desk
    here: Place
    there: Place
    clerk: int
    administrator: int
    officer: int
    worker: int
    supervisor: int
    clerk_there: int

    @property
    def database(self) -> Database:
        return self.desk.database

    async def browser(self, person_id: int) -> Browser:
        """Somebody signed in, ready to press buttons."""
        client = await self.desk.sign_in(person_id)
        return Browser(client, await builders.csrf_of(client))

    def row(self, table: type[Row], key: int) -> Row:
        """A row as it stands in the table."""
        with self.database.reading() as session:
            return session.get_one(table, key)

    def rows(self, table: type[Row]) -> list[Row]:
        with self.database.reading() as session:
            return list(session.scalars(select(table)))

    def acts(self) -> list[tuple[str, int | None]]:
        """What has been written down, without comings and goings: (act, who)."""
        with self.database.reading() as session:
            rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(row.act, row.person_id) for row in rows if row.act not in ("sign_in", "sign_out")]

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements run meanwhile."""
        found: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            found.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)


def open_office(database: Database, now: datetime, folder: Path, *, address_book: AddressBook | None = None) -> Office:
    """Everybody and everything in place."""
    desk = builders.desk(database, now, folder, address_book=address_book)
    with database.writing() as session:
        here, there = builders.community(session), builders.community(session, "邻里社区")
        return Office(
            desk=desk,
            here=here,
            there=there,
            clerk=builders.person(session, "周敏", Role.COMMUNITY_WORKER, here.id).id,
            administrator=builders.person(session, "魏东", Role.ADMINISTRATOR, here.id).id,
            officer=builders.person(session, "程思远", Role.STREET_OFFICER, here.id).id,
            worker=builders.person(session, "王建国", Role.GRID_WORKER, here.grid.id, phone=PHONE).id,
            supervisor=builders.person(session, "吴监", Role.SUPERVISOR, here.id).id,
            clerk_there=builders.person(session, "钱进", Role.COMMUNITY_WORKER, there.id).id,
        )
