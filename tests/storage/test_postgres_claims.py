"""Two processes on one PostgreSQL: what one has claimed the other leaves alone, and nothing is done, opened or numbered twice.

A process is a `Database` of its own here, with its own connections and threads. Where the order matters, the first one's transaction
is held open while the second one looks.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm.exc import StaleDataError
from structlog.testing import capture_logs

from bot.receiver import Receiver
from core.clock import FixedClock
from core.errors import Refused
from core.keys import load_or_make
from core.messages import Attachment, AttachmentKind, Bookmark, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef
from domain import accounts, announcements, chats, due, files, inbox, numbers, outbox, people, reminders, sending
from domain.cases import work
from storage.announcements import AnnouncementRun
from storage.base import Session
from storage.cases import Case, CaseEvent
from storage.chats import Chat, ChatPurpose
from storage.database import Database
from storage.messages import Outbox, Received
from storage.people import Person, Role
from storage.reminders import Reminder
from tests import builders
from tests.domain.announcement_stage import planned

Work = Callable[[Session], str]


@pytest.fixture
def other(database: Database, tmp_path: Path) -> Iterator[Database]:
    """The second process."""
    made = Database(database.url.render_as_string(hide_password=False), load_or_make(tmp_path / "wuwei.key"))
    yield made
    made.close()


@pytest.fixture
def place(database: Database, now: datetime) -> builders.Place:
    with database.writing() as session:
        made = builders.community(session)
        worker = builders.person(session, "李明", Role.GRID_WORKER, made.grid.id, community_id=made.id)
        builders.private_chat(session, worker, now)
    return made


def race(first: Database, one: Work, second: Database, other: Work) -> list[str]:
    """What both say when the second begins while the first's transaction is still open."""
    with ThreadPoolExecutor(1) as thread:
        with first.writing() as session:
            said = one(session)
            session.flush()
            running = thread.submit(second._run, other, True)
            wait([running], timeout=0.3)  # it either waits for the first, or has looked past it by now
        return [said, running.result()]


def tried(act: Callable[[], object]) -> str:
    try:
        act()
    except Refused as refusal:
        return refusal.key
    return "done"


def groups(session: Session, place: builders.Place, now: datetime, count: int) -> list[Chat]:
    return [builders.group(session, place, now, title=f"第 {number} 群") for number in range(count)]


def candidate_ids(session: Session, now: datetime) -> list[sending.Candidate]:
    return sending.candidates(session, now=now, not_chats=())


def claim(session: Session, wanted: list[sending.Candidate], now: datetime, folder: Path) -> set[int]:
    return {one.candidate.id for one in sending.claim(session, wanted, now=now, media_folder=folder)}


def test_two_senders_claim_different_messages(
    database: Database, other: Database, place: builders.Place, now: datetime, tmp_path: Path
) -> None:
    with database.writing() as session:
        posted = {outbox.post(session, chat, "通知", now=now) for chat in groups(session, place, now, 6)}
    with database.writing() as first, other.writing() as second:
        seen = candidate_ids(first, now)
        assert {one.id for one in seen} == {one.id for one in candidate_ids(second, now)} == posted
        half = claim(first, seen[:4], now, tmp_path)
        rest = claim(second, seen[2:], now, tmp_path)
    assert half == {one.id for one in seen[:4]}
    assert rest == {one.id for one in seen[4:]}
    with database.writing() as session:
        assert claim(session, seen, now, tmp_path) == set()


def test_senders_side_by_side_take_each_message_once(
    database: Database, other: Database, place: builders.Place, now: datetime, tmp_path: Path
) -> None:
    with database.writing() as session:
        posted = {outbox.post(session, chat, "通知", now=now) for chat in groups(session, place, now, 40)}

    async def take_all(one: Database) -> list[int]:
        taken: list[int] = []
        while found := await one.read(partial(candidate_ids, now=now)):
            taken += await one.write(partial(claim, wanted=found[:3], now=now, folder=tmp_path))
        return taken

    async def together() -> list[list[int]]:
        return list(await asyncio.gather(take_all(database), take_all(other), take_all(database), take_all(other)))

    taken = [key for part in asyncio.run(together()) for key in part]
    assert sorted(taken) == sorted(posted)


def test_order_in_a_chat_holds_with_two_senders(
    database: Database, other: Database, place: builders.Place, now: datetime, tmp_path: Path
) -> None:
    with database.writing() as session:
        chat = builders.group(session, place, now)
        first_id = outbox.post(session, chat, "一", now=now)
        outbox.post(session, chat, "二", now=now)
    with database.writing() as session:
        assert claim(session, candidate_ids(session, now), now, tmp_path) == {first_id}
    with other.reading() as session:
        assert candidate_ids(session, now) == []


def test_two_clocks_do_a_reminder_once(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    with database.writing() as session:
        cases = [builders.case(session, place, now) for _ in range(6)]
        for reminder in session.scalars(select(Reminder)).all():
            session.delete(reminder)
        for each in cases:
            reminders.add(session, reminders.CARD, each, due_at=now)
    later = now + timedelta(minutes=1)
    with database.writing() as first, other.writing() as second:
        assert due.run_due(first, now=later, limit=4) == 4
        assert due.run_due(second, now=later) == 2
    with database.reading() as session:
        cards = session.scalars(select(Outbox.case_id).where(Outbox.person_id.is_not(None))).all()
        assert sorted(key for key in cards if key) == sorted(each.id for each in cases)
        assert due.next_due(session) is None


def test_two_fetchers_claim_different_files(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    with database.writing() as session:
        for number in range(5):
            item = Attachment(AttachmentKind.PHOTO, f"photo-{number}")
            files.want(
                session,
                item,
                channel="simulator",
                account="bot",
                community_id=place.id,
                received_id=None,
                case_id=None,
                now=now,
            )
    with database.writing() as first, other.writing() as second:
        taken = {one.attachment.external_id for one in files.claim_wanted(first, now, 3, 60)}
        rest = {one.attachment.external_id for one in files.claim_wanted(second, now, 5, 60)}
    assert taken == {"photo-0", "photo-1", "photo-2"}
    assert rest == {"photo-3", "photo-4"}


def test_two_clocks_post_an_announcement_once(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    with database.writing() as session:
        builders.group(session, place, now)
        keys = [planned(session, now, community_id=place.id, area_ids=[place.grid.id]).id for _ in range(2)]
    with database.writing() as first, other.writing() as second:
        assert announcements.post_due(first, now, limit=1) == 1
        assert announcements.post_due(second, now) == 1
    with database.writing() as session:
        assert announcements.post_due(session, now) == 0
        assert set(session.scalars(select(AnnouncementRun.announcement_id))) == set(keys)
        assert session.scalar(select(func.count()).select_from(Outbox)) == 2


async def test_a_number_is_given_once(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    def take(session: Session) -> list[str]:
        return [numbers.next_number(session, place.id, "BX", now=now) for _ in range(3)]

    given = await asyncio.gather(*(one.write(take) for one in [database, other] * 10))
    flat = sorted(number for part in given for number in part)
    assert flat == [f"BX-20261121-{number:04d}" for number in range(1, 61)]


def test_a_group_code_is_spent_once(database: Database, other: Database, place: builders.Place, now: datetime) -> None:
    with database.writing() as session:
        for name in ("甲群", "乙群"):
            chats.find_or_make(session, "simulator", "bot", ChatRef(name, ChatKind.GROUP, name), now=now)
        area, purpose = place.grid.id, ChatPurpose.RESIDENTS
        code = chats.make_code(session, community_id=place.id, now=now, by_id=None, area_id=area, purpose=purpose)

    def spend(name: str, session: Session) -> str:
        chat = chats.find(session, "simulator", "bot", name)
        assert chat is not None
        return tried(lambda: chats.bind(session, chat, code, now=now))

    assert race(database, partial(spend, "甲群"), other, partial(spend, "乙群")) == ["done", "chats.code_used"]


def test_a_person_code_is_spent_once(database: Database, other: Database, place: builders.Place, now: datetime) -> None:
    with database.writing() as session:
        person_id = builders.person(session, "周敏", Role.COMMUNITY_WORKER, community_id=place.id).id
        for name in ("甲", "乙"):
            people.find_or_make_person(
                session, channel="simulator", external_id=name, name=name, username=None, now=now
            )
        code = chats.make_code(session, community_id=place.id, now=now, by_id=None, person_id=person_id)

    def spend(name: str, session: Session) -> str:
        account = people.account_of(session, "simulator", name)
        assert account is not None
        return tried(lambda: chats.bind_account(session, account, code, now=now))

    assert race(database, partial(spend, "甲"), other, partial(spend, "乙")) == ["done", "chats.code_used"]
    with database.reading() as session:
        theirs = [people.account_of(session, "simulator", name) for name in ("甲", "乙")]
        assert [account.person_id == person_id for account in theirs if account] == [True, False]


def test_a_sign_in_link_is_spent_once(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    with database.writing() as session:
        person = builders.person(session, "周敏", Role.COMMUNITY_WORKER, community_id=place.id)
        token = accounts.make_link(session, person.id, now=now)

    def spend(session: Session) -> str:
        return tried(lambda: accounts.spend_link(session, token, now=now, life=timedelta(hours=1)))

    assert race(database, spend, other, spend) == ["done", "web.link_dead"]


def test_a_platforms_proof_is_spent_once(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    with database.writing() as session:
        person = builders.person(session, "周敏", Role.COMMUNITY_WORKER, community_id=place.id)
        people.link_account(session, person, channel="telegram", external_id="42", now=now)
    proof = accounts.PlatformProof("telegram", "42", "a signature", now + timedelta(minutes=10))

    def spend(session: Session) -> str:
        return tried(lambda: accounts.spend_proof(session, proof, now=now, life=timedelta(hours=1)))

    assert race(database, spend, other, spend) == ["done", "web.proof_spent"]


def test_a_case_is_not_worked_on_what_another_has_changed(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    """The slower of two who press at once fails whole; the receiver then works it again and finds the case as it is."""
    with database.writing() as session:
        case_id = builders.case(session, place, now).id
        worker_id = session.get_one(Case, case_id).assignee_id
    with pytest.raises(StaleDataError), database.writing() as slow:
        stale, worker = slow.get_one(Case, case_id), slow.get_one(Person, worker_id)
        with other.writing() as quick:
            work.accept(quick, quick.get_one(Case, case_id), quick.get_one(Person, worker_id), now=now)
        work.accept(slow, stale, worker, now=now)
    with database.reading() as session:
        accepted = select(func.count()).where(CaseEvent.case_id == case_id, CaseEvent.step == "accept")
        assert session.scalar(accepted) == 1


REPORTS = (
    "{at}号楼门口井盖坏了",
    "{at}号楼路灯不亮了",
    "{at}号楼楼道堆满杂物",
    "{at}号楼电梯坏了",
    "{at}号楼门禁打不开",
    "{at}号楼漏水了",
)


def incoming(chat: str, number: int, text: str, now: datetime) -> Incoming:
    return Incoming(
        channel="simulator",
        account="bot",
        external_id=f"update-{number}",
        kind=IncomingKind.MESSAGE,
        chat=ChatRef(chat, ChatKind.GROUP, "3号楼居民群"),
        sender=SenderRef(f"resident-{number}", f"居民{number}"),
        sent_at=now,
        message_id=f"m{number}",
        text=text,
        is_addressed=True,
    )


async def test_two_receivers_open_a_case_once(
    database: Database, other: Database, place: builders.Place, now: datetime
) -> None:
    """Each message is delivered to both, at the same time and in different order."""
    chat = await database.write(lambda session: builders.group(session, place, now).external_id)
    messages = [
        incoming(chat, number, REPORTS[number % len(REPORTS)].format(at=20 + number), now) for number in range(36)
    ]
    receivers = [Receiver(one, FixedClock(now)) for one in (database, other)]
    running = [asyncio.create_task(receiver.run()) for receiver in receivers]
    try:
        with capture_logs():
            for start in range(0, len(messages), 6):
                some = [(one, Bookmark("offset", one.external_id)) for one in messages[start : start + 6]]
                deliveries = [receivers[0].deliver([one], bookmark) for one, bookmark in some]
                deliveries += [receivers[1].deliver([one], bookmark) for one, bookmark in reversed(some)]
                assert await asyncio.gather(*deliveries) == [None] * 12
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    with database.reading() as session:
        assert inbox.failed(session) == []
        kept = session.scalars(select(Received.external_id)).all()
        assert sorted(kept) == sorted(one.external_id for one in messages)
        opened = session.scalars(select(Case.number)).all()
        assert sorted(opened) == [f"BX-20261121-{number:04d}" for number in range(1, len(messages) + 1)]
        assert session.scalar(select(func.count()).where(CaseEvent.step == "open")) == len(messages)
        receipts = session.scalars(select(Case.receipt_id)).all()
        assert len(set(receipts)) == len(messages)
