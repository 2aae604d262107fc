"""Chats: found once, bound by a code, migrated, left, and where a person can be written to. On both databases."""

from datetime import datetime, timedelta

import pytest

from core.errors import Refused
from core.messages import ChatKind, ChatRef
from domain import chats
from storage.base import Session
from storage.cases import CaseMessage
from storage.chats import ChatPurpose, ChatState
from storage.messages import Outbox
from storage.people import Account, Person, PrivateChat
from tests import builders


@pytest.fixture
def place(session: Session) -> builders.Place:
    return builders.community(session)


@pytest.fixture
def worker(session: Session, place: builders.Place) -> Person:
    return builders.person(session, "张伟", community_id=place.id)


def group_ref(external_id: str = "-5") -> ChatRef:
    return ChatRef(external_id, ChatKind.GROUP, "新群")


def test_new_group_is_unbound_and_found_again(session: Session, now: datetime) -> None:
    made = chats.find_or_make(session, "telegram", "bot", group_ref(), now=now)
    again = chats.find_or_make(session, "telegram", "bot", group_ref(), now=now)
    other = chats.find_or_make(session, "telegram", "other bot", group_ref(), now=now)
    assert (made is again, made.state, made.purpose) == (True, ChatState.UNBOUND, ChatPurpose.RESIDENTS)
    assert other is not made
    assert chats.find_many(session, [("telegram", "bot", "-5"), ("telegram", "bot", "-6")]) == {
        ("telegram", "bot", "-5"): made
    }


def test_code_binds_a_group_once(session: Session, place: builders.Place, now: datetime) -> None:
    code = chats.make_code(
        session,
        community_id=place.id,
        now=now,
        by_id=None,
        area_id=place.grid.id,
        purpose=ChatPurpose.STAFF,
    )
    session.flush()
    chat = chats.find_or_make(session, "telegram", "bot", group_ref(), now=now)
    area = chats.bind(session, chat, f" {code.lower()} ", now=now)
    assert (area, chat.state, chat.purpose, chat.community_id, chat.area_id) == (
        place.grid, ChatState.BOUND, ChatPurpose.STAFF, place.id, place.grid.id,
    )  # fmt: skip
    with pytest.raises(Refused, match=r"chats\.code_used"):
        chats.bind(session, chat, code, now=now)


def test_code_is_readable_and_expires(session: Session, place: builders.Place, now: datetime) -> None:
    code = chats.make_code(session, community_id=place.id, now=now, by_id=None, area_id=place.id)
    session.flush()
    assert (len(code), set(code) <= set(chats.CODE_LETTERS)) == (8, True)
    chat = chats.find_or_make(session, "telegram", "bot", group_ref(), now=now)
    with pytest.raises(Refused, match=r"chats\.code_expired"):
        chats.bind(session, chat, code, now=now + timedelta(days=3, seconds=1))
    with pytest.raises(Refused, match=r"chats\.code_wrong"):
        chats.bind(session, chat, "", now=now)


def test_account_code_moves_the_account_to_the_person(
    session: Session, place: builders.Place, worker: Person, now: datetime
) -> None:
    stranger = builders.person(session, "新手机")
    chat = builders.private_chat(session, stranger, now)
    account = session.query(Account).filter(Account.person_id == stranger.id).one()
    code = chats.make_code(session, community_id=place.id, now=now, by_id=None, person_id=worker.id)
    session.flush()
    assert chats.bind_account(session, account, code, now=now) is worker
    session.flush()
    session.expire_all()
    assert (account.person_id, account.linked_by, chat.person_id) == (worker.id, "code", worker.id)
    assert chats.private_chat_of(session, worker.id) is chat


def test_private_chat_is_the_preferred_open_one(session: Session, worker: Person, now: datetime) -> None:
    assert chats.private_chat_of(session, worker.id) is None
    first = builders.private_chat(session, worker, now)
    session.memo.clear()
    assert chats.private_chat_of(session, worker.id, prefer="telegram") is first
    chats.note_blocked(session, first)
    session.flush()
    session.expire_all()
    session.memo.clear()
    assert chats.private_chat_of(session, worker.id) is None
    account = session.query(Account).filter(Account.person_id == worker.id).one()
    assert (first.state, account.private_chat) == (ChatState.LEFT, PrivateChat.BLOCKED)
    chats.note_private(first, account)
    session.flush()
    session.memo.clear()
    assert chats.private_chat_of(session, worker.id) is first


def test_migrated_group_keeps_its_row_and_parts_with_its_messages(
    session: Session, place: builders.Place, now: datetime
) -> None:
    group = builders.group(session, place, now)
    old_id = group.external_id
    case = builders.case(session, place, now, chat=group)
    session.add(CaseMessage(case_id=case.id, chat_id=group.id, message_id="2", sender="1", at=now))
    post = builders.posted(session, group, "回执", now=now, reply_to="2", case_id=case.id)
    post.external_id = "3"
    twin = chats.find_or_make(session, group.channel, group.account, group_ref("-1005"), now=now)
    session.flush()
    assert chats.migrate(session, group, "-1005") is group
    assert chats.migrate(session, group, "-1005") is group
    session.expire_all()
    assert (group.external_id, group.state, twin.state) == ("-1005", ChatState.BOUND, ChatState.LEFT)
    assert session.query(Outbox.external_id, Outbox.reply_to).filter(Outbox.id == post.id).one() == (None, None)
    assert session.query(CaseMessage.message_id).one() == (f"2@{old_id}",)
    assert chats.find(session, group.channel, group.account, "-1005") is group


def test_unbound_group_is_silent_and_belongs_to_nobody(session: Session, place: builders.Place, now: datetime) -> None:
    group = builders.group(session, place, now, purpose=ChatPurpose.STAFF)
    assert chats.staff_groups(session, place.id) == [group]
    chats.unbind(group)
    session.flush()
    assert chats.staff_groups(session, place.id) == []
    assert (group.community_id, group.area_id, group.state) == (None, None, ChatState.UNBOUND)
    with pytest.raises(Refused, match=r"chats\.not_found"):
        chats.group_of(session, place.id, group.id)
    assert [chat for chat, _ in chats.groups_for(session, place.id, sees_unbound=True)] == [group]


def test_hearing_is_what_was_found_out_last(session: Session) -> None:
    chats.note_hearing(session, "telegram", "7", hears_all=False)
    chats.note_hearing(session, "simulator", "s", hears_all=True)
    session.flush()
    chats.note_hearing(session, "telegram", "7", hears_all=True)
    session.flush()
    assert chats.hearing(session) == {("telegram", "7"): True, ("simulator", "s"): True}
