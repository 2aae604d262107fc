"""Coming in to the console: links that work once, sessions that can be taken away."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from core.errors import Refused
from domain import access, accounts
from storage.access import AuditEntry, SignInLink, WebSession
from storage.base import Session
from storage.people import Duty, Person, Role
from tests import builders

HOURS = timedelta(hours=12)


@pytest.fixture
def clerk(session: Session) -> Person:
    place = builders.community(session)
    return builders.person(session, "陈静", Role.COMMUNITY_WORKER, community_id=place.id)


def spend(session: Session, token: str, now: datetime, *, life: timedelta = HOURS, browser: str = "") -> str:
    """The cookie's token."""
    session.flush()
    found = accounts.spend_link(session, token, now=now, life=life, browser=browser)
    session.flush()
    return found.token


def refusal(session: Session, token: str, now: datetime) -> str:
    with pytest.raises(Refused) as refused:
        accounts.spend_link(session, token, now=now, life=HOURS)
    return refused.value.key


def test_link_opens_one_session_and_dies(session: Session, clerk: Person, now: datetime) -> None:
    token = accounts.make_link(session, clerk.id, now=now)
    cookie = spend(session, token, now, browser="x" * 800)
    found = accounts.session_of(session, cookie, now=now)
    assert found is not None
    row, person = found
    assert (person, row.expires_at, len(row.browser)) == (clerk, now + HOURS, accounts.LONGEST_BROWSER)
    assert refusal(session, token, now) == "web.link_dead"
    assert [entry.act for entry in session.query(AuditEntry)] == ["sign_in"]


def test_link_lives_a_quarter_of_an_hour_and_a_newer_one_kills_it(
    session: Session, clerk: Person, now: datetime
) -> None:
    late = accounts.make_link(session, clerk.id, now=now)
    session.flush()
    assert refusal(session, late, now + timedelta(minutes=15, seconds=1)) == "web.link_dead"
    older = accounts.make_link(session, clerk.id, now=now)
    session.flush()
    newer = accounts.make_link(session, clerk.id, now=now)
    session.flush()
    assert refusal(session, older, now) == "web.link_dead"
    assert accounts.session_of(session, spend(session, newer, now), now=now) is not None


@pytest.mark.parametrize("token", ["", "x", "ä" * 500])
def test_link_that_never_was_is_dead(session: Session, clerk: Person, now: datetime, token: str) -> None:
    assert refusal(session, token, now) == "web.link_dead"


def test_tokens_are_not_kept_in_the_clear(session: Session, clerk: Person, now: datetime) -> None:
    token = accounts.make_link(session, clerk.id, now=now)
    cookie = spend(session, token, now)
    kept = [session.query(SignInLink).one().token_hash, session.query(WebSession).one().token_hash]
    assert not {token, cookie} & set(kept)


@pytest.mark.parametrize("role", [None, Role.VOLUNTEER])
def test_link_is_refused_to_who_is_not_staff(session: Session, clerk: Person, now: datetime, role: Role | None) -> None:
    place_id = accounts.posts_of(session, clerk.id, now.date())[0].community_id
    somebody = builders.person(session, "王阿姨", role, community_id=place_id)
    with pytest.raises(Refused) as refused:
        accounts.make_link(session, somebody.id, now=now)
    assert refused.value.key == "start.sign_in_no_duty"


def test_session_ends_with_time_duty_or_revocation(session: Session, clerk: Person, now: datetime) -> None:
    tokens = []
    for _ in range(3):
        link = accounts.make_link(session, clerk.id, now=now)
        tokens.append(spend(session, link, now))
    assert accounts.session_of(session, tokens[0], now=now + HOURS + timedelta(seconds=1)) is None
    rows = accounts.sessions_of(session, clerk.id, now=now)
    accounts.revoke(session, clerk.id, rows[0].id, now=now)
    accounts.sign_out(session, rows[1], now=now)
    session.flush()
    session.expire_all()
    assert [accounts.session_of(session, token, now=now) is not None for token in tokens] == [True, False, False]
    accounts.revoke_all(session, clerk.id, now=now)
    session.expire_all()
    assert accounts.session_of(session, tokens[0], now=now) is None


def test_session_of_somebody_else_cannot_be_revoked(session: Session, clerk: Person, now: datetime) -> None:
    link = accounts.make_link(session, clerk.id, now=now)
    spend(session, link, now)
    (row,) = accounts.sessions_of(session, clerk.id, now=now)
    for key in (row.id, 5):
        with pytest.raises(Refused, match=r"web\.session_not_found"):
            accounts.revoke(session, clerk.id + 1, key, now=now)


def test_session_dies_when_the_duty_ends(session: Session, clerk: Person, now: datetime) -> None:
    link = accounts.make_link(session, clerk.id, now=now)
    token = spend(session, link, now, life=timedelta(days=30))
    access.duties(session, clerk.id, now.date())[0].until_on = now.date()
    session.flush()
    assert accounts.session_of(session, token, now=now + timedelta(days=1)) is None


def test_a_duty_begins_and_ends_at_midnight_in_china(session: Session, clerk: Person, now: datetime) -> None:
    """Half past midnight there is still the evening before in UTC."""
    duty = session.scalars(select(Duty).where(Duty.person_id == clerk.id)).one()
    duty.from_on = duty.until_on = date(2026, 11, 22)
    session.flush()
    night = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
    cookie = spend(session, accounts.make_link(session, clerk.id, now=night), night)
    assert accounts.session_of(session, cookie, now=night + timedelta(hours=11)) is not None
    assert accounts.session_of(session, cookie, now=night - timedelta(hours=1)) is None
    with pytest.raises(Refused, match=r"start\.sign_in_no_duty"):
        accounts.make_link(session, clerk.id, now=night + timedelta(hours=24))
