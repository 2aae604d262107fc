"""What a handler knows: the links it may tell, and who speaks."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from core.messages import ChatKind, ChatRef, Decision, Incoming, IncomingKind, Kind, SenderRef, Understanding
from domain import chats, dialogues
from handlers.context import Context, Site
from storage.base import Session
from storage.chats import Chat
from storage.messages import Outbox, Outcome, Received
from storage.people import Person

SILENCE = Understanding(Kind.CHATTER, Decision.SILENT, 1.0)


def context(session: Session, now: datetime, *, kind: ChatKind = ChatKind.GROUP, press: str | None = None) -> Context:
    ref = ChatRef("-5", kind, "群", "7")
    incoming = Incoming(
        channel="telegram",
        account="bot",
        external_id="1",
        kind=IncomingKind.PRESS if press else IncomingKind.MESSAGE,
        chat=ref,
        sender=SenderRef("77", "王阿姨"),
        sent_at=now,
        message_id="12",
        press_id=press,
    )
    chat = chats.find_or_make(session, "telegram", "bot", ref, now=now)
    made = Context(
        session, incoming, chat, now, SILENCE, Site("http://x", {("telegram", "bot"): "t.me/b?start={payload}"})
    )
    made.received = Received(
        channel="telegram", account="bot", external_id="1", kind="message", sent_at=now, received_at=now
    )
    made.received.outcome = Outcome.SILENT
    session.add(made.received)
    session.flush()
    return made


def outbox(session: Session) -> Outbox:
    session.flush()
    return session.scalars(select(Outbox)).one()


def test_site_makes_links_for_channels_that_have_them(session: Session, now: datetime) -> None:
    ctx = context(session, now)
    assert ctx.site.start_link(ctx.chat, "case_1") == "t.me/b?start=case_1"
    assert Site().start_link(ctx.chat, "case_1") is None


@pytest.mark.parametrize(("kind", "reply_to"), [(ChatKind.GROUP, "12"), (ChatKind.PRIVATE, None)])
def test_reply_hangs_on_the_message_in_groups_only(
    session: Session, now: datetime, kind: ChatKind, reply_to: str | None
) -> None:
    ctx = context(session, now, kind=kind)
    ctx.reply("start.thanks")
    row = outbox(session)
    assert (row.text, row.reply_to, row.thread, row.cause_id) == ("不客气，应该的。", reply_to, "7", ctx.received.id)
    assert ctx.received.outcome == Outcome.ANSWERED


def test_press_is_answered_once_there_is_one(session: Session, now: datetime) -> None:
    context(session, now).answer_press("cases.accepted")
    session.flush()
    assert session.scalar(select(func.count()).select_from(Outbox)) == 0


def test_press_notice_goes_to_who_pressed(session: Session, now: datetime) -> None:
    context(session, now, press="p1").answer_press("cases.accepted")
    row = outbox(session)
    assert (row.action, row.press_id, row.text) == ("answer_press", "p1", "已接单。")


def test_speaker_becomes_a_person_only_when_asked_for(session: Session, now: datetime) -> None:
    ctx = context(session, now)
    assert session.scalar(select(func.count()).select_from(Person)) == 0
    assert (ctx.person.name, ctx.person is ctx.person) == ("王阿姨", True)


def test_question_is_kept_for_who_was_asked(session: Session, now: datetime) -> None:
    ctx = context(session, now)
    ctx.ask("cases.place", {"case": "5"})
    session.flush()
    asked = dialogues.open_question(session, ctx.chat.id, "77", now=now)
    assert asked is not None
    assert (asked.step, asked.data) == ("cases.place", {"case": "5"})
    assert dialogues.open_question(session, ctx.chat.id, "78", now=now) is None


def test_today_is_the_day_in_china(session: Session) -> None:
    late = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
    assert context(session, late).today == date(2026, 11, 22)
    assert session.scalar(select(func.count()).select_from(Chat)) == 1
