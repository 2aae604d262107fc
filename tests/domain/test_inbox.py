"""What came in: each message once, what became of it, and the photos before the words. On both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest

from core.errors import Refused
from core.messages import (
    Attachment,
    AttachmentKind,
    Bookmark,
    ChatKind,
    ChatRef,
    Decision,
    Incoming,
    IncomingKind,
    Kind,
    PlaceMention,
    Reason,
    SenderRef,
    Understanding,
    Urgency,
)
from domain import inbox
from domain.inbox import Outcome
from storage.base import Session
from storage.database import Database
from storage.messages import Received

PHOTO = Attachment(
    AttachmentKind.PHOTO, "file-1", 5, "image/jpeg", "a.jpg", datetime.fromisoformat("2026-11-21T10:00+08:00")
)


def message(now: datetime, number: int = 1, *, channel: str = "telegram", text: str = "好", **more: object) -> Incoming:
    given: dict[str, object] = {
        "channel": channel,
        "account": "bot",
        "external_id": str(number),
        "kind": IncomingKind.MESSAGE,
        "chat": ChatRef("-5", ChatKind.GROUP),
        "sender": SenderRef("77", "王阿姨"),
        "sent_at": now,
        "message_id": str(100 + number),
        "text": text,
    }
    return Incoming(**{**given, **more})  # type: ignore[arg-type]  # tests change one field at a time


def photo_message(now: datetime, number: int, **more: object) -> Incoming:
    return replace(message(now, number, attachments=(PHOTO,)), **more)  # type: ignore[arg-type]  # as above


def note(
    session: Session, incoming: Incoming, *, chat_id: int, now: datetime, understood: Understanding | None = None
) -> Received:
    """The message worked and written down."""
    inbox.write_down(session, inbox.arrive(incoming, understood, chat_id=chat_id, now=now))
    session.flush()
    row = inbox.recorded(session, incoming)
    assert row is not None
    return row


def test_unseen_leaves_out_what_is_recorded_and_what_comes_twice(session: Session, now: datetime) -> None:
    note(session, message(now, 1), chat_id=1, now=now)
    batch = [message(now, 1), message(now, 2), message(now, 2), message(now, 1, channel="wecom"), message(now, 3)]
    assert [(one.channel, one.external_id) for one in inbox.unseen(session, batch)] == [
        *(("telegram", "2"), ("wecom", "1"), ("telegram", "3"))
    ]
    assert inbox.unseen(session, []) == []


def test_same_message_recorded_twice_is_refused_by_the_table(database: Database, now: datetime) -> None:
    with database.writing() as session:
        note(session, message(now), chat_id=1, now=now)
    with pytest.raises(Exception, match=r"(?i)unique"), database.writing() as session:
        note(session, message(now), chat_id=1, now=now)


def test_attachments_come_back_as_they_were(session: Session, now: datetime) -> None:
    row = note(session, message(now, attachments=(PHOTO,)), chat_id=1, now=now)
    session.flush()
    session.expire_all()
    assert inbox.files_of(row) == [PHOTO]


def test_understanding_comes_back_as_it_was(session: Session, now: datetime) -> None:
    understood = Understanding(
        Kind.REPORT,
        Decision.ACT,
        0.9,
        Urgency.URGENT,
        (("lift", 0.8),),
        (PlaceMention("3号楼", 0, 3, building="3", area_id=7),),
        because=(Reason("坏了", "fault", 2.0),),
    )
    row = note(session, message(now), chat_id=1, now=now, understood=understood)
    assert inbox.understanding_of(row) == understood
    assert inbox.understanding_of(note(session, message(now, 2), chat_id=1, now=now)) is None


def test_loose_photos_are_the_speakers_own_fresh_ones(session: Session, now: datetime) -> None:
    old, fresh = now - timedelta(minutes=4), now - timedelta(minutes=2)
    for number, at, more in (
        (1, old, {}),
        (2, fresh, {}),
        (3, fresh, {"sender": SenderRef("78", "李叔")}),
        (4, fresh, {"attachments": ()}),
        (5, now, {}),
    ):
        note(session, photo_message(at, number, **more), chat_id=1, now=now)
    note(session, message(now, 6, attachments=(PHOTO,)), chat_id=2, now=now)
    session.flush()
    found = inbox.loose_photos(session, 1, "77", now=now)
    assert [row.external_id for row in found] == ["2", "5"]
    found[0].case_id = 9
    assert [row.external_id for row in inbox.loose_photos(session, 1, "77", now=now)] == ["5"]


def test_bookmark_is_the_last_one_saved(session: Session) -> None:
    for value in ("5", "9"):
        inbox.save_bookmark(session, "telegram", "bot", Bookmark("offset", value))
        session.flush()
    assert inbox.bookmarks(session, "telegram") == {"offset": "9"}
    assert inbox.bookmarks(session, "wecom") == {}


def test_failed_message_is_kept_and_makes_room_once(session: Session, now: datetime) -> None:
    raw = msgspec.json.encode(message(now)).decode()
    row = inbox.mark_failed(session, message(now), error="E" * 900, raw=raw, now=now)
    session.flush()
    assert [(kept.id, len(kept.error or ""), kept.raw) for kept in inbox.failed(session)] == [(row.id, 500, raw)]
    inbox.forget_failed(session, row.id)
    assert inbox.failed(session) == []
    with pytest.raises(Refused, match=r"messages\.not_failed"):
        inbox.forget_failed(session, row.id)


def test_worked_message_cannot_be_replayed(session: Session, now: datetime) -> None:
    row = note(session, message(now), chat_id=1, now=now)
    session.flush()
    with pytest.raises(Refused, match=r"messages\.not_failed"):
        inbox.forget_failed(session, row.id)


def test_what_became_of_a_message_may_be_said_until_it_is_written(session: Session, now: datetime) -> None:
    arrivals = [inbox.arrive(message(now, number), None, chat_id=1, now=now) for number in range(3)]
    arrivals[1].outcome, arrivals[1].case_id = Outcome.OPENED, 5
    for arrival in arrivals:
        inbox.write_down(session, arrival)
    session.flush()
    assert [(row.id, row.outcome, row.case_id) for row in session.query(Received).order_by(Received.id)] == [
        (arrivals[0].id, Outcome.SILENT, None),
        (arrivals[1].id, Outcome.OPENED, 5),
        (arrivals[2].id, Outcome.SILENT, None),
    ]


def test_texts_of_chatter_are_blanked_and_those_of_cases_kept(session: Session, now: datetime) -> None:
    chatter, matter = (note(session, message(now, number), chat_id=1, now=now) for number in (1, 2))
    matter.case_id = 5
    session.flush()
    assert inbox.forget_texts(session, before=now) == 0
    assert inbox.forget_texts(session, before=now + timedelta(seconds=1)) == 1
    session.expire_all()
    assert [(row.text, row.sender) for row in (chatter, matter)] == [("", None), ("好", "77")]


def test_message_is_found_by_chat_and_number(session: Session, now: datetime) -> None:
    row = note(session, message(now), chat_id=1, now=now)
    session.flush()
    assert inbox.of_message(session, 1, "101") is row
    assert inbox.of_message(session, 2, "101") is None
    assert inbox.recorded(session, message(now)) is row
    assert inbox.case_number(session, row) is None
