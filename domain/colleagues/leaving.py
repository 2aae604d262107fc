"""Somebody is no longer in the organisation: their access ends at once, their open cases go on, and staff are told."""

from datetime import date, datetime, timedelta

from sqlalchemy import or_, select, update

from core.clock import in_china
from core.errors import Refused
from core.messages import ChatKind
from core.texts import say
from domain import accounts, duties, outbox, people
from domain.cases import leaving
from domain.cases.life import WITH_WORKER
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat, ChatState
from storage.people import Account, Duty, Person, PrivateChat

LEFT = "left:"  # in front of an account's own key: its id on the platform may become somebody else's
HAS_NOT_LEFT = Account.external_id.not_like(f"{LEFT}%")
MOST_NUMBERS = 10


def leave(session: Session, account: Account, *, now: datetime) -> None:
    """Afterwards nobody comes in by this person's sessions, duties or accounts of this id; what they had in hand is with others.

    The last administrator keeps that duty, or nobody could come in at all: staff read that it must be given to somebody first.
    """
    person = session.get_one(Person, account.person_id)
    open_duties = _duties(session, person.id, in_china(now).date())
    numbers = _in_hand(session, person.id)
    accounts.revoke_all(session, person.id, now=now)
    is_last = sum(not _end(session, duty, in_china(now).date()) for duty in open_duties) > 0
    _close_accounts(session, person, account.external_id)
    leaving.pass_on(session, person.id, now=now)
    # What is in hand may outlive the duty by which it came.
    for community_id in sorted({duty.community_id for duty in open_duties} | numbers.keys()):
        accounts.audit(
            session, person_id=None, act="person.left", now=now, community_id=community_id, subject=str(person.id)
        )
        role = next((duty.role for duty in open_duties if duty.community_id == community_id), None)
        text = _words(people.surname_title(person, role), numbers.get(community_id, []), is_last=is_last)
        outbox.tell_staff(session, text, key=f"left:{account.id}", now=now, community_id=community_id)
    session.flush()


def suspend(session: Session, account: Account, *, now: datetime) -> None:
    """Suspended on the platform: signed out everywhere, and staff decide about the duties."""
    person = session.get_one(Person, account.person_id)
    mine = _duties(session, person.id, in_china(now).date())
    accounts.revoke_all(session, person.id, now=now)
    for community_id in sorted({duty.community_id for duty in mine}):
        role = next(duty.role for duty in mine if duty.community_id == community_id)
        text = say("colleagues.suspended", who=people.surname_title(person, role))
        key = f"suspended:{account.id}:{in_china(now):%Y%m%d}"
        outbox.tell_staff(session, text, key=key, now=now, community_id=community_id)


def _duties(session: Session, person_id: int, today: date) -> list[Duty]:
    """Those that go on today or begin later."""
    query = select(Duty).where(Duty.person_id == person_id, or_(Duty.until_on.is_(None), Duty.until_on >= today))
    return list(session.scalars(query.order_by(Duty.rank, Duty.id)))


def _end(session: Session, duty: Duty, today: date) -> bool:
    try:
        duties.end(session, duty, last_day=today - timedelta(days=1), today=today)
    except Refused:
        return False
    return True


def _in_hand(session: Session, person_id: int) -> dict[int, list[str]]:
    """The numbers of their open cases, by community."""
    query = select(Case.community_id, Case.number).where(
        Case.assignee_id == person_id, Case.closed_at.is_(None), Case.state.in_(WITH_WORKER)
    )
    found: dict[int, list[str]] = {}
    for community_id, number in session.execute(query.order_by(Case.id)):
        found.setdefault(community_id, []).append(number)
    return found


def _close_accounts(session: Session, person: Person, external_id: str) -> None:
    """The accounts of this id, on whichever channels the organisation has; one elsewhere is the person's own."""
    mine = select(Account).where(Account.person_id == person.id, Account.external_id == external_id)
    for account in session.scalars(mine).all():
        session.execute(
            update(Chat)
            .where(
                Chat.channel == account.channel,
                Chat.person_id == person.id,
                Chat.external_id == external_id,
                Chat.kind == ChatKind.PRIVATE,
            )
            .values(state=ChatState.LEFT, person_id=None)
        )
        account.external_id, account.private_chat = f"{LEFT}{account.id}", PrivateChat.BLOCKED
    session.memo.clear()  # what was looked up of these accounts no longer holds
    session.flush()


def _words(who: str, numbers: list[str], *, is_last: bool) -> str:
    lines = [say("colleagues.left", who=who)]
    if numbers:
        shown = "、".join(numbers[:MOST_NUMBERS]) + ("……" if len(numbers) > MOST_NUMBERS else "")
        lines.append(say("colleagues.left_cases", count=len(numbers), numbers=shown))
    if is_last:
        lines.append(say("colleagues.left_administrator"))
    return "\n".join(lines)


def staff_of(session: Session, channel: str, *, today: date) -> dict[str, str]:
    """Who has a duty today and an account on the channel: its id, and how they are called in front of residents, 张网格员."""
    query = (
        select(Account.external_id, Person, Duty.role)
        .join(Person, Person.id == Account.person_id)
        .join(Duty, Duty.person_id == Person.id)
        .where(
            Account.channel == channel,
            HAS_NOT_LEFT,
            Duty.from_on <= today,
            or_(Duty.until_on.is_(None), Duty.until_on >= today),
        )
        .order_by(Account.id, Duty.rank.desc(), Duty.id.desc())
    )
    return {external_id: people.surname_title(person, role) for external_id, person, role in session.execute(query)}
