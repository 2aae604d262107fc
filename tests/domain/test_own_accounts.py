"""One person with several accounts: what was reported comes along, and nobody whom staff know is taken over."""

from datetime import datetime, timedelta

import pytest

from core.errors import Refused
from domain import chats, people
from storage.access import AuditEntry
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.people import Account, Person, Role
from tests import builders


@pytest.fixture
def place(session: Session) -> builders.Place:
    return builders.community(session)


def somebody(session: Session, external_id: str, now: datetime, channel: str = "wecom_kf") -> Person:
    return people.find_or_make_person(
        session, channel=channel, external_id=external_id, name=external_id, username=None, now=now
    )


def say_code(session: Session, code: str, now: datetime, external_id: str, channel: str = "wecom_kf") -> Person:
    session.flush()
    account = people.account_of(session, channel, external_id)
    assert account is not None
    found = chats.bind_account(session, account, code, now=now)
    session.flush()
    session.expire_all()
    return found


def owners(session: Session) -> dict[str, int]:
    return {account.external_id: account.person_id for account in session.query(Account)}


def test_a_workers_new_account_speaks_for_the_worker(session: Session, place: builders.Place, now: datetime) -> None:
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    people.link_account(session, worker, channel="wecom", external_id="wang", now=now)
    somebody(session, "wm1", now)
    code = chats.make_own_code(session, worker, community_id=place.id, now=now)
    assert say_code(session, code, now, "wm1") is worker
    assert owners(session) == {"wang": worker.id, "wm1": worker.id}
    assert [(entry.act, entry.person_id, entry.community_id) for entry in session.query(AuditEntry)] == [
        ("account.join", worker.id, place.id)
    ]


def test_a_stranger_gets_no_duty_by_a_code_that_a_worker_says(
    session: Session, place: builders.Place, now: datetime
) -> None:
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    people.link_account(session, worker, channel="wecom", external_id="wang", now=now)
    stranger = somebody(session, "wm1", now)
    session.flush()
    code = chats.make_own_code(session, stranger, community_id=place.id, now=now)
    with pytest.raises(Refused, match=r"start\.own_account_other_way"):
        say_code(session, code, now, "wang", "wecom")
    assert owners(session) == {"wang": worker.id, "wm1": stranger.id}


def test_what_was_reported_and_the_private_chat_come_along(
    session: Session, place: builders.Place, now: datetime
) -> None:
    here = somebody(session, "42", now, "telegram")
    case = builders.case(session, place, now)
    reporter = builders.person(session, "王阿姨")
    session.flush()
    case.reporter_id = reporter.id
    session.flush()
    chat = builders.private_chat(session, reporter, now)
    account = session.query(Account).filter(Account.person_id == reporter.id).one()
    version = case.version
    code = chats.make_own_code(session, here, community_id=place.id, now=now)
    assert say_code(session, code, now, account.external_id, account.channel) is here
    moved = session.get_one(Case, case.id)
    assert (moved.reporter_id, moved.version) == (here.id, version + 1)
    assert session.get_one(Chat, chat.id).person_id == here.id
    assert session.query(AuditEntry).all() == []


def test_two_whom_staff_know_are_not_joined(session: Session, place: builders.Place, now: datetime) -> None:
    one, two = (builders.person(session, name, Role.GRID_WORKER, place.grid.id) for name in ("王建国", "李明"))
    people.link_account(session, one, channel="wecom", external_id="wang", now=now)
    people.link_account(session, two, channel="wecom_kf", external_id="li", now=now)
    session.flush()
    before = owners(session)
    code = chats.make_own_code(session, one, community_id=place.id, now=now)
    with pytest.raises(Refused, match=r"people\.already_linked"):
        say_code(session, code, now, "li")
    assert owners(session) == before


def test_a_code_of_ones_own_is_short_lived_single_and_replaced(
    session: Session, place: builders.Place, now: datetime
) -> None:
    one = somebody(session, "42", now, "telegram")
    somebody(session, "wm1", now)
    session.flush()
    old = chats.make_own_code(session, one, community_id=place.id, now=now)
    session.flush()
    code = chats.make_own_code(session, one, community_id=place.id, now=now)
    for wrong, at, key in (
        (old, now, "code_used"),
        (code, now + timedelta(minutes=15, seconds=1), "code_expired"),
    ):
        with pytest.raises(Refused, match=rf"chats\.{key}"):
            say_code(session, wrong, at, "wm1")
    assert say_code(session, code, now, "wm1") is one
    with pytest.raises(Refused, match=r"chats\.code_used"):
        say_code(session, code, now, "wm1")


def test_the_same_account_changes_nothing(session: Session, place: builders.Place, now: datetime) -> None:
    one = somebody(session, "42", now, "telegram")
    session.flush()
    code = chats.make_own_code(session, one, community_id=place.id, now=now)
    assert say_code(session, code, now, "42", "telegram") is one
    assert owners(session) == {"42": one.id}
