"""A message that failed is kept whole, and goes the same way as a new one when it is worked again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from bot.channels.telegram import TelegramChannel
from bot.receiver import Receiver
from bot.replay import Replayed, replay
from core.clock import FixedClock
from core.errors import Refused
from core.messages import Attachment, AttachmentKind, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef
from domain import inbox
from handlers import routes
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.database import Database
from storage.messages import Outcome, Received
from storage.people import Role
from tests import builders

UPDATE = (Path(__file__).parent.parent / "payloads" / "telegram" / "text.json").read_text(encoding="utf-8")


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    return FixedClock(now)


@pytest.fixture
def receiver(database: Database, clock: FixedClock) -> Receiver:
    return Receiver(database, clock)


@pytest.fixture
def group(database: Database, now: datetime) -> Chat:
    with database.writing() as session:
        place = builders.community(session)
        builders.private_chat(session, builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id), now)
        return builders.group(session, place, now)


def report(group: Chat, now: datetime) -> Incoming:
    photo = Attachment(AttachmentKind.PHOTO, "photo-1", size=1000, media_type="image/jpeg", fetch_before=now)
    return Incoming(
        channel=builders.CHANNEL,
        account=builders.ACCOUNT,
        external_id="u1",
        kind=IncomingKind.MESSAGE,
        chat=ChatRef(group.external_id, ChatKind.GROUP, group.title),
        sender=SenderRef("resident", "李四"),
        sent_at=now,
        message_id="m1",
        text="3号楼门口路灯坏了",
        attachments=(photo,),
        raw="the whole body",
    )


async def fails(database: Database, receiver: Receiver, incoming: Incoming, monkeypatch: pytest.MonkeyPatch) -> int:
    """Delivers a message while working it fails, and returns the key of what is kept of it."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError("a fault of ours")

    listening = asyncio.create_task(receiver.run())
    with monkeypatch.context() as patched:
        patched.setattr(routes, "handle", broken)
        await receiver.deliver([incoming])
    listening.cancel()
    (row,) = await database.read(inbox.failed)
    return row.id


async def test_failed_message_is_kept_whole(
    database: Database, receiver: Receiver, group: Chat, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    incoming = report(group, now)
    key = await fails(database, receiver, incoming, monkeypatch)
    row = await database.read(lambda session: session.get_one(Received, key))
    assert (row.outcome, row.error) == (Outcome.FAILED, "ValueError")
    assert msgspec.json.decode(row.raw or "", type=Incoming) == replace(incoming, raw="")


async def test_replay_opens_the_case(
    database: Database, receiver: Receiver, group: Chat, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await fails(database, receiver, report(group, now), monkeypatch)
    assert await replay(database, receiver, [], key) == Replayed("opened", "BX-20261121-0001")
    rows = await database.read(lambda session: session.scalars(select(Received)).all())
    cases = await database.read(lambda session: session.scalars(select(Case)).all())
    assert [(row.outcome, row.raw, row.error) for row in rows] == [("opened", None, None)]
    assert [case.text for case in cases] == ["3号楼门口路灯坏了"]
    assert inbox.files_of(rows[0]) == list(report(group, now).attachments)


async def test_replay_twice_is_refused(
    database: Database, receiver: Receiver, group: Chat, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await fails(database, receiver, report(group, now), monkeypatch)
    await replay(database, receiver, [], key)
    with pytest.raises(Refused, match="not_failed"):
        await replay(database, receiver, [], key)
    cases = await database.read(lambda session: session.scalars(select(Case)).all())
    assert len(cases) == 1


async def test_replay_that_fails_again_leaves_everything_as_it_was(
    database: Database, receiver: Receiver, group: Chat, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await fails(database, receiver, report(group, now), monkeypatch)

    def broken(*_: object, **__: object) -> None:
        raise ValueError("still there")

    with monkeypatch.context() as patched:
        patched.setattr(routes, "handle", broken)
        with pytest.raises(ValueError, match="still there"):
            await replay(database, receiver, [], key)
    row = await database.read(lambda session: session.get_one(Received, key))
    assert row.outcome == Outcome.FAILED
    assert (await replay(database, receiver, [], key)).outcome == "opened"


@pytest.mark.parametrize("raw", [None, "", "not what we keep", '{"text": 1}'])
async def test_replay_without_the_body_is_refused(
    database: Database,
    receiver: Receiver,
    group: Chat,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    raw: str | None,
) -> None:
    key = await fails(database, receiver, report(group, now), monkeypatch)

    def forget(session: Session) -> None:
        session.get_one(Received, key).raw = raw

    await database.write(forget)
    with pytest.raises(Refused, match="not_kept"):
        await replay(database, receiver, [], key)


async def test_replay_of_an_unknown_message_is_refused(database: Database, receiver: Receiver) -> None:
    with pytest.raises(Refused, match="not_failed"):
        await replay(database, receiver, [], 42)


def unreadable(body: str, now: datetime) -> Incoming:
    return Incoming(
        channel="telegram",
        account="100",
        external_id="900",
        kind=IncomingKind.UNREADABLE,
        chat=ChatRef("", ChatKind.GROUP),
        sender=None,
        sent_at=now,
        raw=body,
    )


@pytest.fixture
def telegram() -> TelegramChannel:
    channel = TelegramChannel(token="100:a")
    channel._username = "wuwei_bot"
    return channel


Keep = Callable[[str], int]


@pytest.fixture
def keep(database: Database, now: datetime) -> Keep:
    """A body that an older program could not read."""

    def kept(body: str) -> int:
        with database.writing() as session:
            row = inbox.mark_failed(session, unreadable(body, now), error="unreadable", raw=body, now=now)
            session.flush()
            return row.id

    return kept


async def test_replay_reads_an_unreadable_body_again(
    database: Database, receiver: Receiver, telegram: TelegramChannel, keep: Keep
) -> None:
    key = keep(UPDATE)
    await replay(database, receiver, [telegram], key)
    (row,) = await database.read(lambda session: session.scalars(select(Received)).all())
    incoming = await telegram.reread(UPDATE)
    assert incoming is not None
    assert row.id != key
    assert (row.kind, row.external_id, row.message_id) == ("message", incoming.external_id, incoming.message_id)
    assert row.outcome != Outcome.FAILED


async def test_replay_of_a_body_that_says_nothing_is_done_with(
    database: Database, receiver: Receiver, telegram: TelegramChannel, keep: Keep
) -> None:
    key = keep('{"update_id": 900, "poll": {"id": "1"}}')
    assert await replay(database, receiver, [telegram], key) == Replayed("silent", None)
    assert await database.read(lambda session: session.scalars(select(Received)).all()) == []


async def test_replay_of_a_body_still_unreadable_is_refused(
    database: Database, receiver: Receiver, telegram: TelegramChannel, keep: Keep
) -> None:
    key = keep("not JSON at all")
    with pytest.raises(Refused, match="still_unreadable"):
        await replay(database, receiver, [telegram], key)
    assert (await database.read(lambda session: session.get_one(Received, key))).outcome == Outcome.FAILED


async def test_replay_needs_the_account_the_body_came_by(database: Database, receiver: Receiver, keep: Keep) -> None:
    with pytest.raises(Refused, match="channel_off"):
        await replay(database, receiver, [TelegramChannel(token="200:a")], keep(UPDATE))
