"""From the wire into the database: in batches, once each, answered only after the commit. On both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import pytest

from bot.channels.base import NotStored
from bot.receiver import MOST_IN_BATCH, TRIES, Receiver
from core.clock import FixedClock
from core.messages import Attachment, AttachmentKind, Bookmark, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef
from domain import chats, inbox
from handlers import routes
from handlers.context import Context
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.database import Database
from storage.messages import Outbox, Received
from tests import builders

REPORT = "3号楼门口井盖坏了"


@dataclass
class Ears:
    database: Database
    receiver: Receiver
    now: datetime
    group: ChatRef
    commits: list[int]

    def message(self, number: int, text: str = REPORT, *, sender: str = "", **more: object) -> Incoming:
        given: dict[str, object] = {
            "channel": builders.CHANNEL,
            "account": builders.ACCOUNT,
            "external_id": str(number),
            "kind": IncomingKind.MESSAGE,
            "chat": self.group,
            "sender": SenderRef(sender or f"p{number}", "王阿姨"),
            "sent_at": self.now,
            "message_id": str(number),
            "text": text,
        }
        return Incoming(**{**given, **more})  # type: ignore[arg-type]  # tests change one field at a time

    def count(self, table: type[Received | Case | Outbox]) -> int:
        with self.database.reading() as session:
            return session.query(table).count()

    def outcomes(self) -> list[str]:
        with self.database.reading() as session:
            return [row.outcome for row in session.query(Received).order_by(Received.external_id)]


@pytest.fixture
async def ears(database: Database, now: datetime) -> AsyncIterator[Ears]:
    with database.writing() as session:
        group = builders.group(session, builders.community(session), now)
        ref = ChatRef(group.external_id, ChatKind.GROUP, group.title)
    commits: list[int] = []
    receiver = Receiver(database, FixedClock(now), after_commit=lambda: commits.append(1))
    running = asyncio.create_task(receiver.run())
    yield Ears(database, receiver, now, ref, commits)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def breaking_on(monkeypatch: pytest.MonkeyPatch, words: str, *, times: int = 99) -> list[int]:
    """Our own handling breaks on these words, so many times."""
    broken: list[int] = []
    whole = routes.handle

    def handle(ctx: Context) -> None:
        if words in ctx.incoming.text and len(broken) < times:
            broken.append(1)
            raise ZeroDivisionError
        whole(ctx)

    monkeypatch.setattr(routes, "handle", handle)
    return broken


async def test_delivery_returns_after_the_commit(ears: Ears) -> None:
    await ears.receiver.deliver([ears.message(1)])
    assert (ears.count(Case), ears.outcomes(), ears.commits) == (1, ["opened"], [1])
    assert ears.receiver.is_idle


async def test_message_delivered_twice_is_worked_once(ears: Ears) -> None:
    await ears.receiver.deliver([ears.message(1), ears.message(1)])
    await ears.receiver.deliver([ears.message(1)])
    assert (ears.count(Case), ears.count(Received), ears.count(Outbox)) == (1, 1, 1)


async def test_what_queues_up_is_worked_in_one_transaction(ears: Ears) -> None:
    texts = ["{}号楼门口井盖坏了", "{}号楼电梯坏了", "大家早上好", "今天天气真好"]
    many = [ears.receiver.deliver([ears.message(number, texts[number % 4].format(number))]) for number in range(40)]
    await asyncio.gather(*many)
    assert (ears.count(Case), ears.count(Received), len(ears.commits)) == (20, 40, 1)


async def test_batch_has_its_bound(ears: Ears) -> None:
    one_by_one = [ears.receiver.deliver([ears.message(number, "早")]) for number in range(MOST_IN_BATCH + 5)]
    await asyncio.gather(*one_by_one)
    assert (ears.count(Received), len(ears.commits)) == (MOST_IN_BATCH + 5, 2)


async def test_bookmark_is_stored_with_what_was_read(ears: Ears) -> None:
    await ears.receiver.deliver([ears.message(1)], Bookmark("offset", "2"))
    await ears.receiver.deliver([ears.message(2, "早")], Bookmark("offset", "3"))
    with ears.database.reading() as session:
        assert inbox.bookmarks(session, builders.CHANNEL) == {"offset": "3"}


async def test_same_persons_words_in_one_batch_find_each_other(ears: Ears) -> None:
    """The place comes with the same batch as the report it belongs to."""
    await ears.receiver.deliver(
        [
            ears.message(1, "门口井盖坏了", sender="w"),
            ears.message(2, "在3号楼东边", sender="w"),
            ears.message(3, "早", sender="x"),
            ears.message(4, "发错了", sender="w"),
        ]
    )
    with ears.database.reading() as session:
        case = session.query(Case).one()
        assert (case.place, case.state) == ("3号楼东边", "withdrawn")
    assert ears.outcomes() == ["opened", "joined", "silent", "joined"]


async def test_photo_and_words_in_one_batch_become_one_case(ears: Ears) -> None:
    photo = Attachment(AttachmentKind.PHOTO, "file-1")
    batch = [
        ears.message(1, "", sender="wang", attachments=(photo,)),
        ears.message(2, "8号楼电梯坏了", sender="li"),
        ears.message(3, sender="wang"),
    ]
    await ears.receiver.deliver(batch)
    assert (ears.count(Case), ears.outcomes()) == (2, ["joined", "opened", "opened"])


async def test_poison_is_kept_and_its_neighbours_live(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = breaking_on(monkeypatch, "8号楼")
    deliveries = [
        ears.receiver.deliver(
            [ears.message(number, "8号楼电梯坏了" if number == 3 else f"1{number}号楼门口井盖坏了")],
            Bookmark("offset", str(number)),
        )
        for number in range(1, 6)
    ]
    await asyncio.gather(*deliveries)
    assert (ears.outcomes(), ears.count(Case)) == (["opened", "opened", "failed", "opened", "opened"], 4)
    assert len(broken) == TRIES + 1
    with ears.database.reading() as session:
        (kept,) = inbox.failed(session)
        assert (kept.error, "8号楼" in (kept.raw or "")) == ("ZeroDivisionError", True)
        assert inbox.bookmarks(session, builders.CHANNEL) == {"offset": "5"}


async def test_trouble_that_passes_is_no_poison(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking_on(monkeypatch, "井盖", times=TRIES)
    await ears.receiver.deliver([ears.message(1)])
    assert (ears.outcomes(), ears.count(Case)) == (["opened"], 1)


async def test_nothing_is_told_received_when_not_even_the_note_can_be_stored(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(_work: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as full:
        full.setattr(ears.database, "write", write)
        with pytest.raises(NotStored) as failed:
            await ears.receiver.deliver([ears.message(1)])
    assert isinstance(failed.value.__cause__, OSError)
    await ears.receiver.deliver([ears.message(1)])
    assert (ears.outcomes(), ears.count(Case)) == (["opened"], 1)


async def test_unreadable_body_is_kept_as_it_came(ears: Ears) -> None:
    await ears.receiver.deliver([ears.message(1, "", kind=IncomingKind.UNREADABLE, raw='{"odd": 1}'), ears.message(2)])
    with ears.database.reading() as session:
        (kept,) = inbox.failed(session)
        assert (kept.error, kept.raw) == ("unreadable", '{"odd": 1}')
    assert ears.count(Case) == 1


async def test_apology_is_for_who_spoke_to_us(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking_on(monkeypatch, "坏了")
    private = ChatRef("77", ChatKind.PRIVATE)
    unbound = ChatRef("-9", ChatKind.GROUP, "不认识的群")
    with ears.database.writing() as session:
        chats.find_or_make(session, builders.CHANNEL, builders.ACCOUNT, unbound, now=ears.now)
    await ears.receiver.deliver(
        [
            ears.message(1),
            ears.message(2, is_addressed=True),
            ears.message(3, chat=private),
            ears.message(4, chat=unbound, is_addressed=True),
        ]
    )
    with ears.database.reading() as session:
        told = session.query(Chat.external_id, Outbox.text).join(Outbox, Outbox.chat_id == Chat.id)
        assert sorted(tuple(row) for row in told) == sorted(
            [
                (where, "抱歉，我这边出了点问题，您的消息已经留存，社区会处理。")
                for where in (ears.group.external_id, "77")
            ]
        )


async def test_failed_message_is_worked_again_or_stays_as_it_was(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        breaking_on(broken, "井盖")
        await ears.receiver.deliver([ears.message(1)])
        (row_id,) = await ears.database.read(failed_ids)
        with pytest.raises(ZeroDivisionError):
            await ears.receiver.work_again(row_id, ears.message(1))
        assert ears.outcomes() == ["failed"]
    await ears.receiver.work_again(row_id, ears.message(1))
    assert (ears.outcomes(), ears.count(Case)) == (["opened"], 1)


def failed_ids(session: Session) -> list[int]:
    return [row.id for row in inbox.failed(session)]


async def test_chatter_leaves_no_person_behind(ears: Ears) -> None:
    from storage.people import Person

    await ears.receiver.deliver([ears.message(number, "早上好") for number in range(5)])
    with ears.database.reading() as session:
        assert session.query(Person).count() == 0
