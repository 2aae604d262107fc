"""The demo: a made-up community on the simulated platform, on loopback only, with a clock that can be moved."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime

from bot.app import App
from bot.channels.base import Channel
from bot.channels.console import ConsoleChannel, Resident, Terminal
from bot.channels.simulator import SimulatorChannel
from bot.sample.load import load_sample, sample_groups, sample_people
from bot.simulator.interface import SimulatorInterface
from bot.simulator.platform import SimulatedPlatform
from core.clock import ShiftedClock
from core.config import Settings
from core.messages import ChatKind, ChatRef, Understanding, Utterance
from domain import accounts, areas, chats, inbox
from domain.people import account_of
from domain.places import PlaceBook
from domain.topics import name_of
from nlp.explain import explain, says
from nlp.understand import understand
from storage.base import Session

CLERK = "p26"
VISITOR = Resident(person_id="visitor", name="我", group_id="terminal", group_name="终端体验群")


class Demo:
    """The whole program with the simulated platform beside it."""

    def __init__(self, settings: Settings, *, terminal: Terminal | None = None) -> None:
        self.clock = ShiftedClock()
        settings.data_folder.mkdir(parents=True, exist_ok=True)
        self.platform = SimulatedPlatform(settings.data_folder / "simulator.sqlite3", self.clock)
        channels: list[Channel] = [SimulatorChannel(self.platform)]
        self.console = ConsoleChannel(VISITOR, terminal, self.clock) if terminal is not None else None
        if self.console is not None:
            channels.append(self.console)
        self.app = App(settings, self.clock, channels=channels)
        self.app.simulation = SimulatorInterface(
            self.platform,
            settle=self.app.settle,
            advance_to=self._advance_to,
            why=self._why,
            next_due=self.app.ticker.next_due,
        )
        self.app.demo_link = self.console_link

    async def start(self) -> None:
        """Afterwards the made-up community is there, and the page answers."""
        now = self.clock.now()
        await self.app.database.write(lambda session: load_sample(session, now=now))
        if self.console is not None:
            await self.app.database.write(lambda session: seat_visitor(session, now=now))
        self._populate()
        await self.app.start()

    def _populate(self) -> None:
        """Gives the platform its people and groups, once."""
        if self.platform.people():
            return
        for person in sample_people():
            self.platform.add_person(person.name, roles=person.roles, area=person.area, person_id=person.id)
        for group in sample_groups():
            self.platform.add_group(group.name, area=group.area, group_id=group.id)
            for member in group.members:
                self.platform.join(group.id, member)

    async def _advance_to(self, moment: datetime) -> None:
        await self.app.advance_to(moment, self._move)

    def _move(self, moment: datetime) -> None:
        self.platform.clock.move_to(max(moment, self.clock.now()))

    def _why(self, chat: str, message: str) -> Mapping[str, object] | None:
        with self.app.database.reading() as session:
            return why(session, chat, message)

    async def console_link(self) -> str:
        """A one-time link by which the sample's clerk comes into the console."""
        now = self.clock.now()

        def work(session: Session) -> str:
            account = account_of(session, SimulatorChannel.name, CLERK)
            assert account is not None  # the sample has a clerk
            return accounts.make_link(session, account.person_id, now=now)

        token = await self.app.database.write(work)
        return f"{self.app.settings.web.public_url}/sign-in/{token}"

    async def stop(self) -> None:
        self.platform.feed.close()
        await self.app.stop()
        self.platform.close()


def seat_visitor(session: Session, *, now: datetime) -> None:
    """Binds the terminal's group to the first grid of the sample, as staff would: by a one-time code."""
    ref = ChatRef(VISITOR.group_id, ChatKind.GROUP, VISITOR.group_name)
    chat = chats.find_or_make(session, ConsoleChannel.name, ConsoleChannel.account, ref, now=now)
    if chat.state == chats.ChatState.BOUND:
        return
    community = areas.communities(session)[0]
    grid = areas.of_community(session, community.id, levels=[areas.AreaLevel.GRID])[0]
    code = chats.make_code(session, community_id=community.id, now=now, by_id=None, area_id=grid.id)
    session.flush()
    chats.bind(session, chat, code, now=now)


def why(session: Session, chat_id: str, message_id: str) -> Mapping[str, object] | None:
    """What was understood of a message, because of which words, and what was decided."""
    chat = chats.find(session, SimulatorChannel.name, SimulatorChannel.account, chat_id)
    row = inbox.of_message(session, chat.id, message_id) if chat is not None else None
    if row is None:
        return None
    understood = inbox.understanding_of(row) or _understood_again(session, chat, row)
    found: dict[str, object] = {"outcome": row.outcome, "case": inbox.case_number(session, row)}
    if understood is not None:
        found |= {
            "kind": understood.kind,
            "decision": understood.decision,
            "certainty": understood.certainty,
            "urgency": understood.urgency,
            "topics": [[name_of(code), certainty] for code, certainty in understood.topics],
            "places": [{"words": place.words, "building": place.building} for place in understood.places],
            "because": [
                {
                    "word": reason.word,
                    "speaks_for": reason.speaks_for,
                    "weight": reason.weight,
                    "says": says(reason),
                }
                for reason in understood.because
            ],
            "said": explain(understood),
        }
    return found


def _understood_again(session: Session, chat: chats.Chat | None, row: inbox.Received) -> Understanding | None:
    """Of chatter only the words are kept, and those for a while: it is understood once more when somebody asks."""
    if chat is None or chat.state != chats.ChatState.BOUND or not row.text:
        return None
    utterance = Utterance(row.text, is_private=chat.kind == ChatKind.PRIVATE, has_photo=bool(row.attachments))
    return understand(utterance, PlaceBook().of(session, chat.community_id, near=chat.area_id))


async def run(
    settings: Settings,
    *,
    announce: Callable[[str, str], None],
    until: Callable[[], Coroutine[None, None, None]],
    terminal: Terminal | None = None,
) -> None:
    """Starts the demo, tells where its pages are, and stops it when `until` returns or the visitor leaves the terminal."""
    demo = Demo(settings, terminal=terminal)
    await demo.start()
    try:
        address = f"http://127.0.0.1:{demo.app.port}"
        announce(f"{address}/simulator", await demo.console_link())
        waiting = {asyncio.create_task(until())}
        if demo.console is not None:
            waiting.add(asyncio.create_task(_set(demo.console.closed)))
        _, left = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
    finally:
        await demo.stop()


async def _set(event: asyncio.Event) -> None:
    await event.wait()
