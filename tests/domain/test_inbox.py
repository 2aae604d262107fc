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


def test_unseen_leaves_out_what_is_recorded_and_what_comes_twice(session: Session, now: datetime) -> None:
    inbox.record(session, message(now, 1), chat_id=None, now=now)
    session.flush()
    batch = [message(now, 1), message(now, 2), message(now, 2), message(now, 1, channel="wecom"), message(now, 3)]
    assert [(one.channel, one.external_id) for one in inbox.unseen(session, batch)] == [
        *(("telegram", "2"), ("wecom", "1"), ("telegram", "3"))
    ]
    assert inbox.unseen(session, []) == []


def test_same_message_recorded_twice_is_refused_by_the_table(database: Database, now: datetime) -> None:
    with database.writing() as session:
        inbox.record(session, message(now), chat_id=None, now=now)
    with pytest.raises(Exception, match=r"(?i)unique"), database.writing() as session:
        inbox.record(session, message(now), chat_id=None, now=now)


def test_attachments_come_back_as_they_were(session: Session, now: datetime) -> None:
    row = inbox.record(session, message(now, attachments=(PHOTO,)), chat_id=1, now=now)
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
    row = inbox.record(session, message(now), chat_id=1, now=now)
    assert inbox.understanding_of(row) is None
    inbox.note_understanding(row, understood)
    session.flush()
    session.expire_all()
    assert inbox.understanding_of(row) == understood


def test_loose_photos_are_the_speakers_own_fresh_ones(session: Session, now: datetime) -> None:
    old, fresh = now - timedelta(minutes=4), now - timedelta(minutes=2)
    for number, at, more in (
        (1, old, {}),
        (2, fresh, {}),
        (3, fresh, {"sender": SenderRef("78", "李叔")}),
        (4, fresh, {"attachments": ()}),
        (5, now, {}),
    ):
        inbox.record(session, photo_message(at, number, **more), chat_id=1, now=now)
    inbox.record(session, message(now, 6, attachments=(PHOTO,)), chat_id=2, now=now)
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
    row = inbox.record(session, message(now), chat_id=1, now=now)
    session.flush()
    with pytest.raises(Refused, match=r"messages\.not_failed"):
        inbox.forget_failed(session, row.id)


def test_silent_messages_are_written_in_one_go(session: Session, now: datetime) -> None:
    rows = [inbox.columns_of(message(now, number), chat_id=1, now=now) for number in range(3)]
    inbox.record_silent(session, rows)
    session.flush()
    assert [row.outcome for row in session.query(Received)] == [Outcome.SILENT] * 3


def test_texts_of_chatter_are_blanked_and_those_of_cases_kept(session: Session, now: datetime) -> None:
    chatter, matter = (inbox.record(session, message(now, number), chat_id=1, now=now) for number in (1, 2))
    matter.case_id = 5
    session.flush()
    assert inbox.forget_texts(session, before=now) == 0
    assert inbox.forget_texts(session, before=now + timedelta(seconds=1)) == 1
    session.expire_all()
    assert [(row.text, row.sender) for row in (chatter, matter)] == [("", None), ("好", "77")]


def test_message_is_found_by_chat_and_number(session: Session, now: datetime) -> None:
    row = inbox.record(session, message(now), chat_id=1, now=now)
    session.flush()
    assert inbox.of_message(session, 1, "101") is row
    assert inbox.of_message(session, 2, "101") is None
    assert inbox.recorded(session, message(now)) is row
    assert inbox.case_number(session, row) is None
