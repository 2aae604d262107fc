"""Small rows for tests: a community with its tree, people with a role, chats and cases. Fixed words; only keys differ."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import httpx
from sqlalchemy import select

from core.clock import FixedClock
from core.colleagues import AddressBook
from core.config import Settings, TelegramSettings, WebSettings, WeComSettings
from core.ids import new_id
from core.messages import Kind, Urgency
from domain import accounts, areas, outbox, people
from domain.cases import opening
from domain.cases.opening import Matter
from storage.areas import Area, AreaLevel, Community
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat, ChatPurpose, ChatState
from storage.database import Database
from storage.messages import Outbox
from storage.people import Account, Duty, Person, PrivateChat, Role
from web.app import make_app
from web.services import Hook, LoginServer, Services
from web.simulator import Simulation

CHANNEL, ACCOUNT = "simulator", "bot"
FROM = date(2026, 1, 1)


@dataclass(frozen=True)
class Place:
    """A community: the area of each level, one of each."""

    id: int
    grid: Area
    building: Area
    other_grid: Area
    other_building: Area


def area(
    session: Session, name: str, level: AreaLevel, parent: Area | None = None, community_id: int | None = None
) -> Area:
    key = new_id()
    made = Area(
        id=key,
        community_id=community_id or (key if level == AreaLevel.COMMUNITY else None),
        level=level,
        code=f"{level}-{key}",
        name=name,
        aliases=[],
    )
    areas.put_under(made, parent)
    session.add(made)
    session.flush()
    return made


def community(session: Session, name: str = "和谐社区") -> Place:
    """A community with two grids of one building each."""
    root = area(session, name, AreaLevel.COMMUNITY)
    session.add(Community(id=root.id, name=name))
    session.flush()
    grid = area(session, "第一网格", AreaLevel.GRID, root, root.id)
    building = area(session, "3号楼", AreaLevel.BUILDING, grid, root.id)
    other_grid = area(session, "第二网格", AreaLevel.GRID, root, root.id)
    other_building = area(session, "8号楼", AreaLevel.BUILDING, other_grid, root.id)
    return Place(root.id, grid, building, other_grid, other_building)


def place_of(session: Session) -> Place:
    """The community that `community` made, where it is the only one."""
    found = {area.name: area for area in session.scalars(select(Area))}
    root = next(area for area in found.values() if area.level == AreaLevel.COMMUNITY)
    return Place(root.id, found["第一网格"], found["3号楼"], found["第二网格"], found["8号楼"])


def person(
    session: Session,
    name: str,
    role: Role | None = None,
    area_id: int | None = None,
    *,
    community_id: int | None = None,
    phone: str = "",
) -> Person:
    """Somebody; with a role also the duty for the area (of the community, unless that is named)."""
    made = Person(id=new_id(), name=name, created_at=datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    if phone:
        people.set_phone(session, made, phone)
    session.add(made)
    session.flush()
    if role is not None:
        duty(session, made, role, area_id, community_id=community_id)
    return made


def duty(session: Session, who: Person, role: Role, area_id: int | None, *, community_id: int | None = None) -> Duty:
    here = session.get_one(Area, area_id or community_id)
    made = Duty(
        id=new_id(), community_id=here.community_id, person_id=who.id, area_id=here.id, role=role, from_on=FROM, rank=0
    )
    session.add(made)
    session.flush()
    return made


def group(
    session: Session, place: Place, now: datetime, *, title: str = "3号楼居民群", purpose: str = ChatPurpose.RESIDENTS
) -> Chat:
    """A bound group of the community's first grid."""
    return _chat(session, now, title=title, kind="group", purpose=purpose, community_id=place.id, area_id=place.grid.id)


def private_chat(session: Session, who: Person, now: datetime) -> Chat:
    """The bot may write to this person."""
    made = _chat(session, now, title=who.name, kind="private", purpose=ChatPurpose.PRIVATE, person_id=who.id)
    session.add(
        Account(
            id=new_id(),
            person_id=who.id,
            channel=CHANNEL,
            external_id=made.external_id,
            name=who.name,
            private_chat=PrivateChat.OPEN,
            linked_at=now,
        )
    )
    session.flush()
    return made


def _chat(session: Session, now: datetime, **columns: object) -> Chat:
    key = new_id()
    made = Chat(
        id=key,
        channel=CHANNEL,
        account=ACCOUNT,
        external_id=f"chat-{key}",
        state=ChatState.BOUND,
        created_at=now,
        **columns,
    )
    session.add(made)
    session.flush()
    return made


def case(
    session: Session,
    place: Place,
    now: datetime,
    *,
    kind: Kind = Kind.REPORT,
    topic: str | None = "street_light",
    text: str = "3号楼门口路灯不亮",
    where: str = "3号楼门口",
    area_id: int | None = None,
    urgency: Urgency = Urgency.NORMAL,
    reporter: Person | None = None,
    chat: Chat | None = None,
) -> Case:
    """A case as the bot opens it: numbered, routed to whoever is on duty in the first building."""
    matter = Matter(kind, topic, urgency, text, where, area_id or place.building.id, has_place=bool(where))
    made = opening.open_case(
        session,
        matter,
        community_id=place.id,
        chat=chat,
        reporter_id=reporter.id if reporter else None,
        now=now,
    )
    session.flush()
    return made


@dataclass
class Desk:
    """The console over a real database, reached without a socket. `wakes` counts how often the sender was called."""

    app: Callable[..., Awaitable[None]]
    database: Database
    clock: FixedClock
    wakes: list[datetime]
    missing: list[str]
    address: str

    def browser(self, *, client: str = "127.0.0.1", cookies: httpx.Cookies | None = None) -> httpx.AsyncClient:
        """A browser with its own cookies, nobody signed in unless they say so."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(client, 50000))
        return httpx.AsyncClient(transport=transport, base_url=self.address, cookies=cookies)

    def link_for(self, person_id: int) -> str:
        """The token of a fresh sign-in link."""
        with self.database.writing() as session:
            return accounts.make_link(session, person_id, now=self.clock.now())

    async def sign_in(self, person_id: int) -> httpx.AsyncClient:
        """A browser in which this person is signed in."""
        async with self.browser() as door:
            answer = await door.post("/sign-in", data={"token": self.link_for(person_id)})
            assert answer.status_code == 303, answer.text
            return self.browser(cookies=door.cookies)


def desk(
    database: Database,
    now: datetime,
    folder: Path,
    *,
    hooks: Mapping[str, Hook] | None = None,
    simulation: Simulation | None = None,
    public_url: str = "http://127.0.0.1:8600",
    telegram: TelegramSettings | None = None,
    wecom: WeComSettings | None = None,
    member_behind: Callable[[str], Awaitable[str]] | None = None,
    address_book: AddressBook | None = None,
    telegram_login: LoginServer | None = None,
    has_phone_tasks: bool = True,
) -> Desk:
    """The console of an installation whose data lies in `folder`."""
    clock = FixedClock(now)
    wakes: list[datetime] = []
    missing: list[str] = []

    async def is_ready() -> list[str]:
        return missing

    services = Services(
        database=database,
        clock=clock,
        settings=Settings(
            data_folder=folder,
            web=WebSettings(public_url=public_url),
            telegram=telegram or TelegramSettings(),
            wecom=wecom or WeComSettings(),
        ),
        media_folder=folder / "media",
        wake=lambda: wakes.append(clock.now()),
        is_ready=is_ready,
        hooks=hooks or {},
        simulation=simulation,
        bot_names={"telegram": "五微小助手"},
        member_behind=member_behind,
        address_book=address_book,
        telegram_login=telegram_login,
        with_servicers=frozenset({CHANNEL}),
        has_phone_tasks=has_phone_tasks,
    )
    return Desk(make_app(services), database, clock, wakes, missing, public_url)


def posted(session: Session, chat: Chat, text: str, *, now: datetime, **columns: object) -> Outbox:
    """A message of ours in the outbox, as its row."""
    key = outbox.post(session, chat, text, now=now, **columns)  # type: ignore[arg-type]  # tests name one column at a time
    session.flush()
    return session.get_one(Outbox, key)


async def csrf_of(browser: httpx.AsyncClient, path: str = "/sessions") -> str:
    """The mark that this session's forms carry, read off a page."""
    text = (await browser.get(path)).text
    return text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
