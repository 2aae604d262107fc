"""Files as rows: wanted, claimed by one, settled once, and their sender told when nothing comes of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from core.media import StoredMedia
from core.messages import Attachment, AttachmentKind
from core.texts import say
from domain import files
from domain.files import File, FileState, WantedFile
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.database import Database
from storage.messages import Outbox, Received

ATTACHMENT = Attachment(AttachmentKind.PHOTO, "photo-1")
STORED = StoredMedia("ab" + "c" * 62, AttachmentKind.PHOTO, "image/jpeg", 1234)
LEASE = 60.0
CASE = 7


def wanted(
    session: Session,
    now: datetime,
    attachment: Attachment = ATTACHMENT,
    *,
    received_id: int | None = None,
    case_id: int | None = CASE,
) -> File:
    row = files.want(
        session,
        attachment,
        channel="simulator",
        account="bot",
        community_id=1,
        received_id=received_id,
        case_id=case_id,
        now=now,
    )
    session.flush()
    return row


def claimed(session: Session, now: datetime, limit: int = 10) -> list[str]:
    return [found.attachment.external_id for found in files.claim_wanted(session, now, limit, LEASE)]


@pytest.fixture
def chat(session: Session, now: datetime) -> Chat:
    made = Chat(id=1, channel="simulator", account="bot", external_id="g1", kind="group", state="bound", created_at=now)
    session.add(made)
    session.flush()
    return made


def message(session: Session, chat: Chat, now: datetime, number: int, album: str | None = None) -> int:
    row = Received(
        id=number,
        channel="simulator",
        account="bot",
        external_id=str(number),
        kind="message",
        chat_id=chat.id,
        message_id=f"m{number}",
        album_id=album,
        sent_at=now,
        received_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def answers(session: Session) -> list[tuple[str, str | None, int | None]]:
    session.flush()
    rows = session.scalars(select(Outbox).order_by(Outbox.id))
    return [(row.text, row.reply_to, row.case_id) for row in rows]


def test_wanted_file_is_claimed_with_all_that_the_channel_needs(session: Session, now: datetime) -> None:
    attachment = Attachment(
        AttachmentKind.FILE, "file-1", 2048, "application/pdf", "通知.pdf", now + timedelta(minutes=5)
    )
    row = wanted(session, now, attachment)
    assert files.claim_wanted(session, now, 10, LEASE) == [WantedFile(row.id, "simulator", "bot", attachment)]


def test_link_that_dies_soonest_is_claimed_first(session: Session, now: datetime) -> None:
    for name, minutes in (("lasting", None), ("later", 30), ("soon", 5)):
        fetch_before = None if minutes is None else now + timedelta(minutes=minutes)
        wanted(session, now, replace(ATTACHMENT, external_id=name, fetch_before=fetch_before))
    assert claimed(session, now, 2) == ["soon", "later"]
    assert claimed(session, now, 2) == ["lasting"]
    assert claimed(session, now, 0) == []


def test_claimed_file_is_nobody_elses_until_the_lease_runs_out(session: Session, now: datetime) -> None:
    wanted(session, now)
    assert claimed(session, now) == ["photo-1"]
    assert claimed(session, now + timedelta(seconds=LEASE - 1)) == []
    assert claimed(session, now + timedelta(seconds=LEASE)) == ["photo-1"]


def test_file_is_not_claimed_before_it_is_due(session: Session, now: datetime) -> None:
    wanted(session, now + timedelta(seconds=1))
    assert claimed(session, now) == []
    assert claimed(session, now + timedelta(seconds=1)) == ["photo-1"]


def test_stored_file_is_settled_once_and_for_all(session: Session, now: datetime) -> None:
    row = wanted(session, now, replace(ATTACHMENT, kind=AttachmentKind.FILE, name="C:\\photos\\井盖.heic", size=99))
    claimed(session, now)
    files.mark_stored(session, row.id, STORED)
    files.mark_refused(session, row.id, "too late", now)
    files.mark_later(session, row.id, now, 5)
    found = (row.state, row.sha256, row.kind, row.media_type, row.size, row.name, row.reason, row.lease_until)
    assert found == ("stored", STORED.sha256, "photo", "image/jpeg", 1234, "井盖.jpg", None, None)
    assert claimed(session, now + timedelta(days=1)) == []


def test_marking_a_file_that_is_gone_does_nothing(session: Session, now: datetime) -> None:
    files.mark_stored(session, 404, STORED)
    files.mark_refused(session, 404, "broken", now)
    files.mark_later(session, 404, now, 5)
    assert session.scalars(select(File)).all() == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("", None),
        ("..", None),
        ("../../etc/passwd", "passwd"),
        ("a\u202egpj.exe\n", "agpj.exe"),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_name_of_a_file_is_made_harmless(session: Session, now: datetime, given: str | None, kept: str | None) -> None:
    assert wanted(session, now, replace(ATTACHMENT, name=given)).name == kept


def test_pauses_grow_and_the_platform_may_ask_for_longer_ones(session: Session, now: datetime) -> None:
    row = wanted(session, now)
    pauses = []
    for asked in (0.0, 0.0, 0.0, 90.0):
        claimed(session, row.due_at)
        at = row.due_at
        files.mark_later(session, row.id, at, asked)
        pauses.append((row.due_at - at).total_seconds())
    assert pauses == [5, 10, 20, 90]


def test_file_out_of_reach_is_lost_after_most_of_a_day(session: Session, now: datetime) -> None:
    row = wanted(session, now)
    tries = 0
    while row.state == FileState.WANTED:
        assert claimed(session, row.due_at) == ["photo-1"]
        files.mark_later(session, row.id, row.due_at, 0)
        tries += 1
    assert (tries, row.state, row.reason) == (files.MOST_ATTEMPTS, "lost", say("files.lost"))
    assert timedelta(hours=12) < row.due_at - now < timedelta(hours=24)


def test_link_about_to_die_is_tried_again_in_time(session: Session, now: datetime) -> None:
    row = wanted(session, now, replace(ATTACHMENT, fetch_before=now + timedelta(seconds=40)))
    claimed(session, now)
    files.mark_later(session, row.id, now, 60)
    assert row.due_at == now + timedelta(seconds=20)
    files.mark_later(session, row.id, now + timedelta(seconds=40), 60)
    assert row.state == FileState.LOST


def test_dead_link_is_lost_without_being_asked_for(session: Session, now: datetime) -> None:
    row = wanted(session, now, replace(ATTACHMENT, fetch_before=now + timedelta(minutes=5)))
    assert claimed(session, now + timedelta(minutes=5)) == []
    assert (row.state, row.reason) == ("lost", say("files.lost"))


def test_file_that_kills_the_process_each_time_is_lost(session: Session, now: datetime) -> None:
    row = wanted(session, now)
    at = now
    for _ in range(files.MOST_ATTEMPTS):
        assert claimed(session, at) == ["photo-1"]
        at += timedelta(seconds=LEASE)
    assert claimed(session, at) == []
    assert row.state == FileState.LOST


def test_sender_is_told_why_in_answer_to_the_message(session: Session, chat: Chat, now: datetime) -> None:
    row = wanted(session, now, received_id=message(session, chat, now, 11))
    files.mark_refused(session, row.id, "照片打不开", now)
    assert (row.state, row.reason) == ("refused", "照片打不开")
    assert answers(session) == [("照片打不开", "m11", CASE)]


def test_sender_of_an_album_is_told_once(session: Session, chat: Chat, now: datetime) -> None:
    rows = [wanted(session, now, received_id=message(session, chat, now, number, "album")) for number in (11, 12, 13)]
    for row in rows:
        files.mark_refused(session, row.id, "照片打不开", now)
    assert answers(session) == [("照片打不开", "m11", CASE)]


def test_two_messages_are_answered_each(session: Session, chat: Chat, now: datetime) -> None:
    for number in (11, 12):
        row = wanted(session, now, received_id=message(session, chat, now, number))
        files.mark_refused(session, row.id, "照片打不开", now)
    assert answers(session) == [("照片打不开", "m11", CASE), ("照片打不开", "m12", CASE)]


def test_group_hears_nothing_about_files_of_no_case(session: Session, chat: Chat, now: datetime) -> None:
    row = wanted(session, now, received_id=message(session, chat, now, 11), case_id=None)
    files.mark_refused(session, row.id, "照片打不开", now)
    assert answers(session) == []
    chat.kind = "private"
    again = wanted(session, now, received_id=message(session, chat, now, 12), case_id=None)
    files.mark_refused(session, again.id, "照片打不开", now)
    assert answers(session) == [("照片打不开", "m12", None)]


def test_chat_that_was_left_is_not_written_to(session: Session, chat: Chat, now: datetime) -> None:
    row = wanted(session, now, received_id=message(session, chat, now, 11))
    chat.state = ChatState.LEFT
    files.mark_refused(session, row.id, "照片打不开", now)
    assert answers(session) == []


def test_case_waits_until_all_its_files_are_settled(session: Session, now: datetime) -> None:
    first, second, third = (wanted(session, now) for _ in range(3))
    wanted(session, now, case_id=8)
    assert files.are_waiting(session, CASE)
    files.mark_stored(session, first.id, STORED)
    files.mark_refused(session, second.id, "照片打不开", now)
    assert files.are_waiting(session, CASE)
    files.mark_stored(session, third.id, STORED)
    assert not files.are_waiting(session, CASE)
    assert [(row.id, row.state) for row in files.of_case(session, CASE)] == [
        (first.id, "stored"),
        (second.id, "refused"),
        (third.id, "stored"),
    ]


def test_upload_is_stored_at_once(session: Session, now: datetime) -> None:
    row = files.store_upload(session, STORED, name="现场.png", community_id=1, case_id=CASE, now=now)
    assert [found.id for found in files.of_case(session, CASE)] == [row.id]
    found = (row.state, row.channel, row.sha256, row.kind, row.name, row.purpose, row.received_id)
    assert found == ("stored", "console", STORED.sha256, "photo", "现场.jpg", "proof", None)
    assert claimed(session, now) == []


def test_files_of_a_case_are_read_in_one_statement(database: Database, now: datetime, statements: list[str]) -> None:
    for count in (1, 3):
        with database.writing() as session:
            for _ in range(count):
                wanted(session, now, case_id=count)
        statements.clear()
        with database.reading() as session:
            assert len(files.of_case(session, count)) == count
        assert len(statements) == 1


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)
