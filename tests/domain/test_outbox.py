"""The one way out: posts, edits, buttons that cannot be forged, notices once. On both databases."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.messages import OutgoingAction, Sent
from domain import outbox, sending
from domain.outbox import OutboxState, Press, Priority
from storage.base import Session
from storage.chats import Chat, ChatPurpose
from storage.messages import Outbox
from tests import builders

BUTTONS = [[Press("接单", "cases.accept", 7), Press("退单", "cases.return", 7)], [Press("看", url="https://x")]]


@pytest.fixture
def chat(session: Session, now: datetime) -> Chat:
    return builders.group(session, builders.community(session), now)


def rows(session: Session) -> list[Outbox]:
    session.flush()
    return session.query(Outbox).order_by(Outbox.id).all()


def test_post_waits_with_all_it_was_given(session: Session, chat: Chat, now: datetime) -> None:
    due = now + timedelta(hours=1)
    outbox.post(
        session,
        chat,
        "您好",
        now=now,
        buttons=BUTTONS,
        priority=Priority.REMINDER,
        due_at=due,
        reply_to="2",
        file_ids=[5],
    )
    (row,) = rows(session)
    assert (row.state, row.text, row.priority, row.due_at, row.reply_to) == ("queued", "您好", 2, due, "2")
    assert (row.attachment_ids, row.community_id) == (["5"], chat.community_id)


def test_button_leads_to_its_action_from_its_own_chat_only(session: Session, chat: Chat, now: datetime) -> None:
    row = builders.posted(session, chat, "您好", now=now, buttons=BUTTONS)
    session.flush()
    assert outbox.find_press(session, outbox.button_key(row, 0, 1), chat.id) == (row, "cases.return", 7)
    assert outbox.find_press(session, outbox.button_key(row, 0, 1), chat.id + 1) is None
    for line, place in ((0, 2), (2, 0), (9, 9)):
        assert outbox.find_press(session, outbox.button_key(row, line, place), chat.id) is None


def test_message_without_buttons_that_come_back_has_no_token(session: Session, chat: Chat, now: datetime) -> None:
    assert builders.posted(session, chat, "您好", now=now).press_token is None
    assert builders.posted(session, chat, "您好", now=now, buttons=BUTTONS[1:]).press_token is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(max_size=80) | st.from_regex(r"[\w.\-]{0,20}\.[٠-٩0-9]{1,30}\.[²0-9]{1,30}", fullmatch=True))
def test_no_forged_key_is_ever_taken(session: Session, key: str) -> None:
    key = key.replace("\0", "")  # what PostgreSQL cannot hold never gets here
    assert outbox.find_press(session, key, 1) is None


def test_edit_of_a_waiting_message_changes_it_in_place(session: Session, chat: Chat, now: datetime) -> None:
    row = builders.posted(session, chat, "旧", now=now, buttons=BUTTONS)
    token = row.press_token
    assert outbox.edit(session, row, "新", now=now, buttons=BUTTONS[:1]) is None
    assert [(one.text, one.press_token) for one in rows(session)] == [("新", token)]


def test_edit_of_a_sent_message_goes_out_after_it(session: Session, chat: Chat, now: datetime) -> None:
    row = builders.posted(session, chat, "旧", now=now)
    session.flush()
    sending.mark_sent(session, {row.id: Sent("31")}, now=now)
    session.expire_all()
    first = outbox.edit(session, row, "新", now=now)
    second = outbox.edit(session, row, "更新", now=now)
    assert first is not None
    assert second is not None
    assert (first.action, first.edits_id, second.edits_id) == (OutgoingAction.EDIT, row.id, row.id)


@pytest.mark.parametrize("state", [OutboxState.GIVEN_UP, OutboxState.DROPPED])
def test_edit_of_what_never_went_out_is_nothing(
    session: Session, chat: Chat, now: datetime, state: OutboxState
) -> None:
    row = builders.posted(session, chat, "旧", now=now)
    row.state = state
    assert outbox.edit(session, row, "新", now=now) is None
    assert len(rows(session)) == 1


def test_press_notice_is_cut_to_what_a_platform_shows(session: Session, chat: Chat, now: datetime) -> None:
    outbox.answer_press(session, chat, "p", "字" * 500, now=now)
    (row,) = rows(session)
    assert (row.action, row.press_id, len(row.text)) == ("answer_press", "p", 200)


def test_staff_are_told_a_thing_once(session: Session, now: datetime) -> None:
    place = builders.community(session)
    staff = builders.group(session, place, now, purpose=ChatPurpose.STAFF)
    builders.group(session, place, now)
    for key in ("a", "a", "b"):
        outbox.tell_staff(session, "请看", key=key, now=now)
        session.flush()
    assert [row.chat_id for row in rows(session)] == [staff.id, staff.id]


def test_waiting_messages_of_a_case_can_be_dropped(session: Session, chat: Chat, now: datetime) -> None:
    for priority in (Priority.REMINDER, Priority.ANSWER):
        outbox.post(session, chat, "您好", now=now, priority=priority, case_id=5)
    session.flush()
    outbox.drop_waiting(session, 5, priority=Priority.REMINDER)
    session.expire_all()
    assert [row.state for row in rows(session)] == ["dropped", "queued"]


def test_resend_is_for_what_is_held_or_given_up(session: Session, chat: Chat, now: datetime) -> None:
    row = builders.posted(session, chat, "您好", now=now)
    found = []
    for state in OutboxState:
        row.state, row.attempts, row.error = state, 4, "x"
        found.append((state, outbox.resend(session, row, now=now)))
    assert [state for state, was in found if was] == [OutboxState.HELD, OutboxState.GIVEN_UP]
