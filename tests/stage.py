"""A whole program on a stage: the App on a platform, a small community with people on duty, and a clock that is moved by hand.

    stage = await raise_stage("telegram", folder, template)
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    assert stage.texts(GROUP) == ["…"]
    await stage.press("张伟", PRIVATE, "接单")

People are called by their names, groups by their titles; PRIVATE is the speaker's own chat with the bot.
"""

import contextlib
import functools
import io
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from PIL import Image
from sqlalchemy import and_, bindparam, exists, func, or_, select

from bot.app import INTAKE, App
from core.clock import ShiftedClock
from core.config import Settings, WebSettings
from core.media import path_of
from core.messages import ChatKind, ChatRef
from domain import announcements, chats, due, people
from domain.announcements.posting import IS_SCHEDULED
from domain.customer_groups import handing
from domain.outgoing import FILE_WAIT
from storage.announcements import Announcement
from storage.base import AwareTime, Session
from storage.cases import Case, CaseEvent
from storage.chats import Chat, ChatPurpose, ChatState
from storage.messages import File, FileState, Outbox, OutboxState, Received
from storage.people import Person, Role
from storage.reminders import Reminder
from tests import builders
from tests.wire_aibot import AibotWire
from tests.wires import Notice, Seen, SimulatorWire, TelegramWire, WeComWire, Wire, drained

Result = TypeVar("Result")
PRIVATE = ""
GROUP = "春晖园邻里群"
STAFF_GROUP = "工作群"
MORNING = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)  # a Saturday, ten o'clock in China
RESIDENTS = ("王阿姨", "李叔", "小吴")
# Name, role, where: 1 and 2 are the grids, 0 is the whole community.
STAFF = (
    ("张伟", Role.GRID_WORKER, 1),
    ("孙立", Role.MICRO_GRID_HEAD, 1),
    ("周强", Role.GRID_WORKER, 2),
    ("陈静", Role.COMMUNITY_WORKER, 0),
    ("赵敏", Role.MEDIATOR, 0),
)
# For what the rules alone decide; a file's other tests, on both, show what depends on the platform: buttons, edits, photos, a restart.
on_simulator = pytest.mark.parametrize("stage", ["simulator"], indirect=True)
STEP = timedelta(milliseconds=200)
MOST_ROUNDS = 5000


class StandingClock(ShiftedClock):
    """Stands still until it is moved forward."""

    def __init__(self, at: datetime = MORNING) -> None:
        super().__init__()
        self._at = at

    def now(self) -> datetime:
        return self._at + self.offset

    def move_to(self, moment: datetime) -> None:
        self.offset = max(self.offset, moment - self._at)


# What is due at a moment: by the clock, of files, of what goes out, and of what was put off for a file that is still coming.
NOW, SOON = bindparam("now", type_=AwareTime), bindparam("soon", type_=AwareTime)
DUE = select(
    exists().where(Reminder.done_at.is_(None), Reminder.due_at <= NOW)
    | exists().where(IS_SCHEDULED, Announcement.next_due_at <= NOW),
    # Also one that the program's own loop is fetching: what it brings is still to be told.
    exists().where(File.state == FileState.WANTED, or_(File.due_at <= NOW, File.fetch_before <= NOW)),
    exists().where(
        Chat.id == Outbox.chat_id,
        Chat.channel.in_(bindparam("channels", expanding=True)),
        or_(Outbox.state == OutboxState.SENDING, and_(Outbox.state == OutboxState.QUEUED, Outbox.due_at <= NOW)),
    ),
    exists().where(Outbox.state == OutboxState.QUEUED, Outbox.due_at > NOW, Outbox.due_at <= SOON),
)


@dataclass(frozen=True, slots=True)
class _Due:
    by_clock: bool
    files: bool
    posts: bool
    put_off: bool

    @property
    def is_waiting(self) -> bool:
        return self.posts or self.put_off


@dataclass
class Stage:
    """`people` and `groups` are the platform's ids by name; `spoken` counts what people did."""

    app: App
    wire: Wire
    clock: StandingClock
    place: builders.Place
    people: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    spoken: int = 0

    # What people do

    def where(self, chat: str, person: str = "") -> str:
        """The platform's id of a group, of the speaker's own private chat, or of somebody else's by name."""
        if chat in self.groups:
            return self.groups[chat]
        return self.wire.private(self.people[chat or person])

    async def say(
        self,
        person: str,
        chat: str,
        text: str = "",
        *,
        photo: bytes | None = None,
        photos: Sequence[bytes] = (),
        reply_to: str | None = None,
    ) -> str:
        """Somebody writes, and everything that comes of it now has come. The message's id."""
        pictures = [photo] if photo is not None else photos
        self.spoken += max(1, len(pictures))
        where = self.where(chat, person)
        message = self.wire.say(self.people[person], where, text, photos=pictures, reply_to=reply_to)
        await self.settle()
        return message

    async def press(self, person: str, chat: str, label: str, *, of: Seen | None = None) -> str | None:
        """Somebody presses a button, of the newest message that has it unless one is given. The notice they get."""
        notice = self.tap(person, chat, label, of=of)
        await self.settle()
        return notice()

    def tap(self, person: str, chat: str, label: str, *, of: Seen | None = None) -> Notice:
        """Like `press`, but nothing is waited for."""
        self.spoken += 1
        where = self.where(chat, person)
        post = of or next(post for post in reversed(self.wire.posts(where)) if label in post.buttons)
        return self.wire.press(self.people[person], where, post.id, label)

    async def edit(self, person: str, chat: str, message: str, text: str) -> None:
        self.spoken += 1
        self.wire.edit(self.people[person], self.where(chat, person), message, text)
        await self.settle()

    async def start(self, person: str, payload: str = "") -> None:
        """Somebody opens the private chat, perhaps through a link."""
        self.spoken += 1
        self.wire.start(self.people[person], payload)
        await self.settle()

    def add_person(self, name: str, *, has_started: bool = False) -> None:
        self.people[name] = self.wire.add_person(name, has_started=has_started)

    def add_group(self, title: str, members: Sequence[str]) -> None:
        """A group of the platform that nobody has bound yet."""
        self.groups[title] = self.wire.add_group(title, [self.people[one] for one in members])

    async def finish(self, chat: str, said: str, note: str) -> None:
        """王阿姨 tells of something in a chat, and 张伟 has seen to it: she is asked whether she is satisfied."""
        if chat == PRIVATE:
            await self.start("王阿姨", f"area_{self.place.grid.id}")
        await self.say("王阿姨", chat, said)
        await self.pass_time(seconds=70)
        await self.press("张伟", PRIVATE, "接单")
        await self.press("张伟", PRIVATE, "办结")
        await self.say("张伟", PRIVATE, note)

    # Time

    async def settle(self) -> None:
        """All that is due now is done. The clock moves only as far as the platform's limits ask."""
        # What waits for a person's hands the program itself must tell.
        needs_hands = any(channel.abilities.needs_person for channel in self.wire.channels)
        for _ in range(MOST_ROUNDS):
            await drained(self.wire)
            await self.app.receiver.settled()
            found, done = self._look(self._due), 0
            if found.by_clock:
                done += await self.app.ticker.tick()
            if found.files:
                done += await self.app.fetcher.fetch_due()
            if done or found.posts:
                done += await self.app.sender.send_due()
            if needs_hands:
                done += await self.app.hander.work_due()
            if done or not (self.wire.is_drained() and self.app.receiver.is_idle):
                continue
            if not found.is_waiting or not self._look(self._due).is_waiting:
                return
            self.clock.move_to(self._look(self._next_moment))
        raise AssertionError("it never settles")

    def _look(self, look: Callable[[Session], Result]) -> Result:
        """A short look at the database, here and now: the way through a reader's thread costs as much again."""
        with self.app.database.reading() as session:
            return look(session)

    def _due(self, session: Session) -> _Due:
        """What a round would find: one statement in place of one for each part of the program."""
        now = self.clock.now()
        names = {"now": now, "soon": now + FILE_WAIT, "channels": [channel.name for channel in self.wire.channels]}
        by_clock, is_file_wanted, are_posts, is_put_off = session.connection().execute(DUE, names).one()
        return _Due(by_clock, is_file_wanted, are_posts, is_put_off and _is_put_off_for_a_file(session, now))

    def _next_moment(self, session: Session) -> datetime:
        """When something waiting may go: a limit opens, or before that something else is due. One step where neither is known."""
        now, opens_at = self.clock.now(), self.app.sender.next_round_at
        put_off = select(func.min(Outbox.due_at)).where(Outbox.state == OutboxState.QUEUED, Outbox.due_at > now)
        moments = [
            opens_at or now + STEP,
            due.next_due(session),
            announcements.next_due(session),
            handing.next_due(session),
            session.scalar(put_off),
        ]
        later = [moment for moment in moments if moment is not None and moment > now]
        return min(later, default=now + STEP)

    async def pass_time(self, **span: float) -> None:
        """Moves the clock, stopping at each due time on the way."""
        await self.reach(self.clock.now() + timedelta(**span))

    async def reach(self, until: datetime) -> None:
        await self.settle()
        while True:
            due_at = await self.app.ticker.next_due()
            if due_at is None or due_at > until:
                break
            self.clock.move_to(max(due_at, self.clock.now() + timedelta(milliseconds=1)))
            await self.settle()
        self.clock.move_to(until)
        await self.settle()

    # What people see

    def posts(self, chat: str) -> list[Seen]:
        """The bot's messages in a group, or in the private chat of whom is named."""
        return self.wire.posts(self.where(chat))

    def texts(self, chat: str) -> list[str]:
        return [post.text for post in self.posts(chat) if post.text]

    def about(self, number: str, chat: str) -> list[Seen]:
        """The bot's messages in a chat that name a case."""
        return [post for post in self.posts(chat) if number in post.text]

    def last(self, chat: str) -> Seen:
        return next(post for post in reversed(self.posts(chat)) if post.text)

    def card(self, worker: str) -> Seen:
        """The newest card in the worker's private chat."""
        return next(post for post in reversed(self.posts(worker)) if post.text.startswith("【"))

    def pictures(self, chat: str) -> list[bytes]:
        return [file for post in self.posts(chat) for file in post.files]

    # What is written down

    def case(self, number: str) -> Case:
        with self.app.database.reading() as session:
            return session.scalars(select(Case).where(Case.number == number)).one()

    def numbers(self) -> list[str]:
        with self.app.database.reading() as session:
            return list(session.scalars(select(Case.number).order_by(Case.id)))

    def steps(self, number: str) -> list[str]:
        """The case's history from the beginning."""
        with self.app.database.reading() as session:
            query = select(CaseEvent.step).join(Case, Case.id == CaseEvent.case_id).where(Case.number == number)
            return list(session.scalars(query.order_by(CaseEvent.id)))

    def outcomes(self) -> list[str]:
        with self.app.database.reading() as session:
            return list(session.scalars(select(Received.outcome).order_by(Received.id)))

    def stored(self) -> list[Path]:
        """Where the stored files lie."""
        with self.app.database.reading() as session:
            hashes = session.scalars(select(File.sha256).where(File.state == FileState.STORED).order_by(File.id))
            return [path_of(self.app.settings.media_folder, found) for found in hashes if found]

    def unsettled(self) -> list[tuple[str, str]]:
        """What did not go out: state and text."""
        with self.app.database.reading() as session:
            query = select(Outbox.state, Outbox.text).where(Outbox.state.not_in([OutboxState.SENT]))
            return [(state, text) for state, text in session.execute(query.order_by(Outbox.id))]

    def person(self, session: Session, name: str) -> Person:
        return session.scalars(select(Person).where(Person.name == name)).one()

    async def close(self) -> None:
        await self.app.stop()
        await self.wire.close()


def make_wire(kind: str, clock: StandingClock, folder: Path) -> Wire:
    match kind:
        case "telegram":
            return TelegramWire(clock)
        case "wecom":
            return WeComWire(clock)
        case "wecom_bot":
            return AibotWire(clock)
        case _:
            return SimulatorWire(clock, folder)


def _is_put_off_for_a_file(session: Session, now: datetime) -> bool:
    """The program's own loop may look at a message while its picture is still being fetched; it goes two seconds later."""
    query = select(Outbox.attachment_ids).where(
        Outbox.state == OutboxState.QUEUED, Outbox.due_at > now, Outbox.due_at <= now + FILE_WAIT
    )
    return any(session.scalars(query))


async def raise_stage(kind: str, folder: Path, template: Path, *, starts: bool = True) -> Stage:
    """The program on `telegram`, `simulator`, `wecom` or `wecom_bot`, with its data in `folder`; `template` is a migrated database file."""
    folder.mkdir(parents=True, exist_ok=True)
    # Who lives there is written once for each platform: the platform names the same people alike every time. On the simulator
    # it is kept after the start, with the platform's own file: nobody needs to join again.
    inhabited = template.with_name(f"inhabited-{kind}")
    is_new = not inhabited.exists() or not starts
    for file in [template] if is_new else inhabited.iterdir():
        shutil.copyfile(file, folder / file.name)
    shutil.copyfile(template.with_name("wuwei.key"), folder / "wuwei.key")
    clock = StandingClock()
    wire = make_wire(kind, clock, folder)
    await wire.open()
    settings = _settings().model_copy(update={"data_folder": folder})
    # It only takes in by itself: what is due is done by `settle`, and nobody else looks for it meanwhile.
    app = App(settings, clock, channels=wire.channels, roles=frozenset({INTAKE}))
    with app.database.writing() as session:
        place = builders.community(session) if is_new else builders.place_of(session)
        stage = Stage(app, wire, clock, place)
        _gather(stage)
        if is_new:
            _settle_in(stage, session)
    is_kept_before = is_new and starts and kind != "simulator"
    if is_kept_before:
        _keep(folder, inhabited)
    if starts:
        await app.start()
        await stage.settle()
    if is_new and starts and not is_kept_before:
        _keep(folder, inhabited)
    return stage


@functools.cache
def _settings() -> Settings:
    return Settings(web=WebSettings(port=0, public_url="http://127.0.0.1:8600"))


def _gather(stage: Stage) -> None:
    """The people and the groups on the platform."""
    for name in RESIDENTS:
        stage.add_person(name)
    for name, _, _ in STAFF:
        stage.add_person(name, has_started=True)
    if stage.wire.has_groups:
        stage.add_group(GROUP, RESIDENTS)
        stage.add_group(STAFF_GROUP, [name for name, _, _ in STAFF])


def _settle_in(stage: Stage, session: Session) -> None:
    """The staff have their duties, and the groups are bound."""
    homes = {0: None, 1: stage.place.grid.id, 2: stage.place.other_grid.id}
    for name, role, grid in STAFF:
        worker = builders.person(session, name, role, homes[grid], community_id=stage.place.id)
        link(stage, session, worker)
    if stage.wire.has_groups:
        bind_group(stage, session, GROUP, stage.place.grid.id)
        bind_group(stage, session, STAFF_GROUP, stage.place.id, purpose=ChatPurpose.STAFF)


def _keep(folder: Path, copy: Path) -> None:
    """The databases as they are now, for the next stage; there all at once, or not at all."""
    made = copy.with_suffix(".part")
    made.mkdir()
    for file in folder.glob("*.sqlite3"):
        with (
            contextlib.closing(sqlite3.connect(file)) as source,
            contextlib.closing(sqlite3.connect(made / file.name)) as target,
        ):
            source.backup(target)
    made.rename(copy)


def link(stage: Stage, session: Session, person: Person) -> None:
    """The person's account is known, and the bot may write to it."""
    wire, now = stage.wire, stage.clock.now()
    external_id = stage.people[person.name]
    channel, own_account = wire.address(external_id)
    account = people.link_account(session, person, channel=channel, external_id=external_id, now=now)
    ref = ChatRef(wire.private(external_id), ChatKind.PRIVATE, person.name)
    chat = chats.find_or_make(session, channel, own_account, ref, now=now)
    chats.note_private(chat, account)
    session.flush()


def bind_group(
    stage: Stage, session: Session, title: str, area_id: int, *, purpose: str = ChatPurpose.RESIDENTS
) -> Chat:
    """The group belongs to the area, as if by a code."""
    ref = ChatRef(stage.groups[title], ChatKind.GROUP, title)
    chat = chats.find_or_make(session, stage.wire.name, stage.wire.account, ref, now=stage.clock.now())
    chat.community_id, chat.area_id, chat.purpose, chat.state = stage.place.id, area_id, purpose, ChatState.BOUND
    session.flush()
    return chat


def photo(colour: str = "red", *, with_exif: bool = True) -> bytes:
    """A small JPEG as a phone makes it: with the place where it was taken."""
    image = Image.new("RGB", (64, 48), colour)
    exif = Image.Exif()
    if with_exif:
        exif[0x010F] = "SecretPhoneMaker"
        exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 40.0, 1.0), 3: "E", 4: (104.0, 3.0, 1.0)})
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()
