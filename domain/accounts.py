"""Coming in to the console: one-time links sent in private chat, proofs of a platform, sessions that can be revoked, and the log of what staff did."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from core.clock import in_china
from core.errors import Refused
from core.ids import new_id
from domain import access
from storage.access import AuditEntry, SignInLink, WebSession
from storage.areas import Community
from storage.base import Session
from storage.people import Account, Person

__all__ = [
    "AuditEntry",
    "PlatformProof",
    "Post",
    "SignedIn",
    "WebSession",
    "audit",
    "holder_of",
    "is_known",
    "make_link",
    "posts_of",
    "revoke",
    "revoke_all",
    "session_of",
    "sessions_of",
    "sign_out",
    "spend_link",
    "spend_proof",
]

LINK_LIFE = timedelta(minutes=15)
# WeCom and WeChat name themselves at the end of a long line.
LONGEST_BROWSER = 500


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the cookie's token, shown once."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PlatformProof:
    """A platform's word, already checked, that somebody has this account there.

    `mark` is what makes this one proof unlike every other; it is kept, as a hash, until `expires_at` has long passed.
    """

    channel: str
    external_id: str
    mark: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Post:
    """A community where a person is on the staff, and as what."""

    community_id: int
    community: str
    roles: tuple[str, ...]


def make_link(session: Session, person_id: int, *, now: datetime, life: timedelta = LINK_LIFE) -> str:
    """The token of a one-time link for somebody with a duty; older unused links of theirs die."""
    if not may_come_in(session, person_id, in_china(now).date()):
        raise Refused("start.sign_in_no_duty")
    session.execute(
        update(SignInLink).where(SignInLink.person_id == person_id, SignInLink.used_at.is_(None)).values(used_at=now)
    )
    token = secrets.token_urlsafe(24)
    session.add(
        SignInLink(
            person_id=person_id, token_hash=session.keyring.fingerprint(token), made_at=now, expires_at=now + life
        )
    )
    return token


def may_come_in(session: Session, person_id: int, today: date) -> bool:
    return any(duty.role in access.STAFF_ROLES for duty in access.duties(session, person_id, today))


def spend_link(session: Session, token: str, *, now: datetime, life: timedelta, browser: str = "") -> SignedIn:
    """Opens a session with a link's token, once."""
    link = session.scalars(
        select(SignInLink).where(SignInLink.token_hash == session.keyring.fingerprint(token)).with_for_update()
    ).one_or_none()
    if link is None or link.used_at is not None or link.expires_at < now:
        raise Refused("web.link_dead")
    link.used_at = now
    audit(session, person_id=link.person_id, act="sign_in", now=now, detail={"way": "link"})
    return _open_session(session, link.person_id, now=now, life=life, browser=browser)


def spend_proof(
    session: Session, proof: PlatformProof, *, now: datetime, life: timedelta, browser: str = ""
) -> SignedIn:
    """Opens a session for who has this account, once for each proof. An account alone is not enough: a duty is."""
    account = session.scalars(
        select(Account)
        .where(Account.channel == proof.channel, Account.external_id == proof.external_id)
        # Two who bring the same proof at once have the same account: the later one waits here, and sees it spent.
        .with_for_update()
    ).one_or_none()
    if account is None or not may_come_in(session, account.person_id, in_china(now).date()):
        raise Refused("web.account_no_duty")
    mark = session.keyring.fingerprint(f"{proof.channel}:{proof.mark}")
    if session.scalars(select(SignInLink.id).where(SignInLink.token_hash == mark)).first() is not None:
        raise Refused("web.proof_spent")
    session.add(
        SignInLink(person_id=account.person_id, token_hash=mark, made_at=now, expires_at=proof.expires_at, used_at=now)
    )
    audit(session, person_id=account.person_id, act="sign_in", now=now, detail={"way": proof.channel})
    return _open_session(session, account.person_id, now=now, life=life, browser=browser)


def _open_session(session: Session, person_id: int, *, now: datetime, life: timedelta, browser: str) -> SignedIn:
    cookie = secrets.token_urlsafe(32)
    row = WebSession(
        id=new_id(),
        person_id=person_id,
        token_hash=session.keyring.fingerprint(cookie),
        csrf=secrets.token_urlsafe(24),
        made_at=now,
        expires_at=now + life,
        browser=browser[:LONGEST_BROWSER],
    )
    session.add(row)
    return SignedIn(cookie, row.expires_at)


def session_of(session: Session, token: str, *, now: datetime) -> tuple[WebSession, Person] | None:
    """The live session behind a cookie and its person, who must still have a duty."""
    row = session.scalars(
        select(WebSession).where(WebSession.token_hash == session.keyring.fingerprint(token))
    ).one_or_none()
    if row is None or row.revoked_at is not None or row.expires_at < now:
        return None
    if not may_come_in(session, row.person_id, in_china(now).date()):
        return None
    return row, session.get_one(Person, row.person_id)


def is_known(session: Session, token: str) -> bool:
    """Whether a cookie is that of a session of ours, live or over."""
    query = select(WebSession.id).where(WebSession.token_hash == session.keyring.fingerprint(token))
    return session.scalars(query).first() is not None


def holder_of(session: Session, csrf: str) -> int | None:
    """Whose session put this mark into its forms. Also of a session that is over, as long as its row is kept."""
    return session.scalars(select(WebSession.person_id).where(WebSession.csrf == csrf)).first()


def posts_of(session: Session, person_id: int, today: date) -> list[Post]:
    """Where a person may come in today, with their roles of staff there; none: they may not come in at all."""
    roles: dict[int, list[str]] = {}
    for duty in access.duties(session, person_id, today):
        here = roles.setdefault(duty.community_id, [])
        if duty.role in access.STAFF_ROLES and duty.role not in here:
            here.append(duty.role)
    found = session.scalars(select(Community).where(Community.id.in_(roles)).order_by(Community.id))
    return [Post(each.id, each.name, tuple(roles[each.id])) for each in found if roles[each.id]]


def sessions_of(session: Session, person_id: int, *, now: datetime) -> list[WebSession]:
    """The browsers where a person is signed in, newest first."""
    query = select(WebSession).where(
        WebSession.person_id == person_id, WebSession.revoked_at.is_(None), WebSession.expires_at >= now
    )
    return list(session.scalars(query.order_by(WebSession.id.desc())))


def revoke(session: Session, person_id: int, session_id: int, *, now: datetime) -> None:
    """Signs one browser of this person out; somebody else's is as unknown as one that never was."""
    row = session.get(WebSession, session_id)
    if row is None or row.person_id != person_id:
        raise Refused("web.session_not_found")
    row.revoked_at = row.revoked_at or now
    audit(session, person_id=person_id, act="sign_out", subject=str(session_id), now=now)


def sign_out(session: Session, row: WebSession, *, now: datetime) -> None:
    session.execute(update(WebSession).where(WebSession.id == row.id).values(revoked_at=now))


def revoke_all(session: Session, person_id: int, *, now: datetime) -> None:
    """Every browser of this person is signed out."""
    session.execute(
        update(WebSession)
        .where(WebSession.person_id == person_id, WebSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def audit(
    session: Session,
    *,
    person_id: int | None,
    act: str,
    now: datetime,
    community_id: int | None = None,
    subject: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Writes down what a member of staff did. `detail` holds ids and field names, never a person's data."""
    session.add(
        AuditEntry(
            community_id=community_id, person_id=person_id, at=now, act=act, subject=subject, detail=detail or {}
        )
    )
