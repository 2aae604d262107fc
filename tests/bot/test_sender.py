"""From the outbox to a channel that fails in every way: what becomes of the message. On both databases."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.channels.base import Deliver, Finding
from bot.sender import Sender
from core.clock import FixedClock
from core.errors import LimitReached, Migrated, Rejected, TryLater, Undeliverable, Unknown
from core.messages import Abilities, Attachment, Limit, LimitScope, Outgoing, Sent
from domain import outbox
from storage.chats import Chat, ChatState
from storage.database import Database
from storage.messages import Outbox
from tests import builders
from tests.patience import PATIENCE


@dataclass
class Mouth:
    """A channel that keeps what it was asked to say; `troubles` are raised first, in turn."""

    name: str = builders.CHANNEL
    account: str = builders.ACCOUNT
    abilities: Abilities = field(default_factory=Abilities)
    said: list[Outgoing] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def send(self, outgoing: Outgoing) -> Sent:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if self.troubles:
            raise self.troubles.pop(0)
        self.said.append(outgoing)
        return Sent(str(100 + len(self.said)))

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None: ...
    async def stop(self) -> None: ...
    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        raise AssertionError("nothing is fetched here")

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:
        return 404

    async def check(self) -> list[Finding]:
        return []


@dataclass
class Town:
    database: Database
    clock: FixedClock
    mouth: Mouth
    sender: Sender
    chats: Sequence[Chat]

    def leave(self, *texts: str, chat: int = 0) -> None:
        with self.database.writing() as session:
            for text in texts:
                outbox.post(session, session.get_one(Chat, self.chats[chat].id), text, now=self.clock.now())

    async def send_all(self) -> None:
        while await self.sender.send_due():
            pass

    @property
    def said(self) -> list[str]:
        return [outgoing.text for outgoing in self.mouth.said]

    def rows(self) -> list[tuple[str, str | None, int]]:
        with self.database.reading() as session:
            return [(row.state, row.error, row.attempts) for row in session.query(Outbox).order_by(Outbox.id)]


@pytest.fixture
def town(database: Database, clock: FixedClock, tmp_path: Path) -> Town:
    """Two private chats, then a group."""
    now = clock.now()
    with database.writing() as session:
        place = builders.community(session)
        made = [builders.private_chat(session, builders.person(session, name), now) for name in ("甲", "乙")]
        made.append(builders.group(session, place, now))
    mouth = Mouth()
    sender = Sender(database, {(mouth.name, mouth.account): mouth}, clock, media_folder=tmp_path)
    return Town(database, clock, mouth, sender, made)


@pytest.fixture
def clock(now: object) -> FixedClock:
    from datetime import datetime

    assert isinstance(now, datetime)
    return FixedClock(now)


async def test_messages_of_a_chat_go_in_order_and_chats_side_by_side(town: Town) -> None:
    for number in range(3):
        for chat in range(3):
            town.leave(f"{chat}-{number}", chat=chat)
    await town.send_all()
    for chat in range(3):
        assert [text for text in town.said if text[0] == str(chat)] == [f"{chat}-{number}" for number in range(3)]
    assert town.mouth.most_at_once == 3
    assert {state for state, _, _ in town.rows()} == {"sent"}


async def test_later_waits_as_long_as_the_platform_says(town: Town) -> None:
    town.mouth.troubles = [TryLater(7, "429", whole_account=True)]
    town.leave("a")
    town.leave("b", chat=1)
    await town.send_all()
    assert len(town.said) == 1
    town.clock.advance(timedelta(seconds=6))
    await town.send_all()
    assert len(town.said) == 1
    town.clock.advance(timedelta(seconds=1))
    await town.send_all()
    assert sorted(town.said) == ["a", "b"]
    assert [attempts for _, _, attempts in town.rows()] == [0, 0]


async def test_limit_of_a_chat_is_no_try_and_keeps_its_order(town: Town) -> None:
    """The platform's count lies a moment behind ours: nothing may overtake the message that was a moment early."""
    town.mouth.troubles = [LimitReached(0.2, "full"), LimitReached(0.2, "full")]
    town.leave("a", "b", "c")
    for _ in range(3):
        await town.send_all()
        town.clock.advance(timedelta(seconds=0.2))
    assert town.said == ["a", "b", "c"]
    assert [attempts for _, _, attempts in town.rows()] == [0, 0, 0]


async def test_trouble_of_the_network_is_tried_again_with_growing_pauses(town: Town) -> None:
    town.mouth.troubles = [TryLater(0, "503"), TryLater(0, "503")]
    town.leave("a")
    pauses = []
    for _ in range(60):
        await town.send_all()
        if town.said:
            break
        pauses.append(1)
        town.clock.advance(timedelta(seconds=1))
    assert (town.said, len(pauses)) == (["a"], 2 + 5)


@pytest.mark.parametrize(
    ("trouble", "state", "is_left"),
    [(Undeliverable("blocked"), "given_up", True), (Rejected("too long"), "given_up", False)],
)
async def test_never_is_never(town: Town, trouble: Exception, state: str, is_left: bool) -> None:
    town.mouth.troubles = [trouble]
    town.leave("a", "b")
    await town.send_all()
    rows = town.rows()
    assert (rows[0][0], town.said) == (state, [] if is_left else ["b"])
    with town.database.reading() as session:
        assert (session.get_one(Chat, town.chats[0].id).state == ChatState.LEFT) is is_left


async def test_unknown_goes_again_in_private_and_is_held_in_a_group(town: Town) -> None:
    town.mouth.troubles = [Unknown("timed out"), Unknown("timed out")]
    town.leave("private")
    town.leave("group", chat=2)
    await town.send_all()
    assert town.said == ["private"]
    assert [(state, error) for state, error, _ in town.rows()] == [("sent", None), ("held", "timed out")]


async def test_upgraded_group_gets_the_message_under_its_new_id(town: Town) -> None:
    town.mouth.troubles = [Migrated("-100777")]
    town.leave("a", chat=2)
    await town.send_all()
    assert [(one.text, one.chat.external_id) for one in town.mouth.said] == [("a", "-100777")]


async def test_fault_of_ours_is_tried_again_and_stops_nobody_else(town: Town) -> None:
    town.mouth.troubles = [ZeroDivisionError("a bug")]
    town.leave("a")
    town.leave("b", chat=1)
    await town.send_all()
    assert len(town.said) == 1
    town.clock.advance(timedelta(seconds=2))
    await town.send_all()
    assert sorted(town.said) == ["a", "b"]


async def test_limits_of_the_channel_are_obeyed(town: Town) -> None:
    town.mouth.abilities = Abilities(limits=(Limit(LimitScope.CHAT, 1, timedelta(seconds=1)),))
    town.leave("a", "b")
    town.leave("c", chat=1)
    await town.send_all()
    assert sorted(town.said) == ["a", "c"]
    assert town.sender.next_round_at == town.clock.now() + timedelta(seconds=1)
    town.clock.advance(timedelta(seconds=1))
    await town.send_all()
    assert town.said[-1] == "b"


async def test_press_in_a_chat_at_its_limit_is_answered_at_once(town: Town) -> None:
    town.mouth.abilities = Abilities(limits=(Limit(LimitScope.CHAT, 1, timedelta(minutes=1)),))
    town.leave("a", "b")
    await town.send_all()
    with town.database.writing() as session:
        outbox.answer_press(session, session.get_one(Chat, town.chats[0].id), "press", "好", now=town.clock.now())
    await town.send_all()
    assert town.said == ["a", "好"]


async def test_limits_are_obeyed_across_a_restart(town: Town, tmp_path: Path) -> None:
    limits = Abilities(limits=(Limit(LimitScope.GROUP, 2, timedelta(minutes=1)),))
    town.mouth.abilities = limits
    town.leave("a", "b", "c", chat=2)
    await town.send_all()
    again = Sender(
        town.database, {(town.mouth.name, town.mouth.account): town.mouth}, town.clock, media_folder=tmp_path
    )
    await again.recover()
    town.clock.advance(timedelta(seconds=59))
    assert (await again.send_due(), town.said) == (0, ["a", "b"])
    town.clock.advance(timedelta(seconds=1))
    await again.send_due()
    assert town.said == ["a", "b", "c"]


async def test_limit_of_an_hour_is_obeyed_across_a_restart(town: Town, tmp_path: Path) -> None:
    town.mouth.abilities = Abilities(limits=(Limit(LimitScope.CHAT, 2, timedelta(hours=1)),))
    town.leave("a", "b", "c", chat=2)
    await town.send_all()
    town.clock.advance(timedelta(minutes=59))
    again = Sender(
        town.database, {(town.mouth.name, town.mouth.account): town.mouth}, town.clock, media_folder=tmp_path
    )
    await again.recover()
    assert (await again.send_due(), town.said) == (0, ["a", "b"])


async def test_chat_of_an_account_that_is_switched_off_waits(town: Town) -> None:
    with town.database.writing() as session:
        session.get_one(Chat, town.chats[0].id).account = "switched off"
    town.leave("a")
    town.leave("b", chat=1)
    await town.send_all()
    assert (town.said, town.rows()[0][0]) == (["b"], "queued")


async def test_what_was_under_way_when_the_process_died_is_settled(town: Town, tmp_path: Path) -> None:
    town.leave("private")
    town.leave("group", chat=2)
    with town.database.writing() as session:
        for row in session.query(Outbox):
            row.state, row.lease_until = "sending", town.clock.now() + timedelta(seconds=60)
    await town.sender.recover()
    await town.send_all()
    assert (town.said, [state for state, _, _ in town.rows()]) == (["private"], ["sent", "held"])


async def test_loop_wakes_when_told_and_outlives_trouble_of_the_database(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sender.NETWORK_RETRY", 0.01)
    whole = town.database.read
    failures = [OSError("disk")]

    async def read(work: object) -> object:
        if failures:
            raise failures.pop()
        return await whole(work)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(town.database, "read", read)
    running = asyncio.create_task(town.sender.run())
    town.leave("a")
    town.sender.wake.set()
    async with asyncio.timeout(PATIENCE):
        while not town.said:
            await asyncio.sleep(0.005)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (town.said, failures) == (["a"], [])
