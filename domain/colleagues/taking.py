"""What staff have chosen of the plan is carried out: people, accounts and duties, each only as it was looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.clock import in_china
from core.errors import Refused
from domain import accounts, area_tree, duties, people, roster
from domain.colleagues.leaving import leave
from domain.colleagues.plan import Line, Plan, Standing
from storage.base import Session
from storage.people import Person

OWN_CODE = "tx-"  # in front of a code that is somebody else's already


@dataclass(frozen=True, slots=True)
class Choice:
    """A line that was ticked: by its digest as it was looked at, with the duties ticked as (role, area), and whose line of the register
    it belongs to (None: a new one, or the one it has)."""

    external_id: str
    digest: str
    duties: frozenset[tuple[str, int]] = frozenset()
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who chooses, and where."""

    person_id: int
    community_id: int
    is_administrator: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """How many lines were carried out, and how many were not, because they have changed since they were looked at."""

    done: int
    stale: int


def take(
    session: Session, clerk: Clerk, channel: str, plan: Plan, choices: Sequence[Choice], *, now: datetime
) -> Taken:
    """Carries out what still is as it was looked at. A duty that no rule proposes, or that nobody ticked, is never given."""
    lines = {line.external_id: line for line in plan.lines}
    done = stale = 0
    for choice in choices:
        line = lines.get(choice.external_id)
        if line is None or line.digest != choice.digest:
            stale += 1
            continue
        if line.is_reserved and not clerk.is_administrator:
            raise Refused("people.only_administrator")
        if line.standing is Standing.GONE:
            _part(session, clerk, channel, line, now=now)
        else:
            _take_up(session, clerk, (channel, line), choice, now=now)
        done += 1
    session.flush()
    return Taken(done, stale)


def _part(session: Session, clerk: Clerk, channel: str, line: Line, *, now: datetime) -> None:
    account = people.account_of(session, channel, line.external_id)
    assert account is not None  # a line of this standing has one
    if account.person_id == clerk.person_id:
        raise Refused("colleagues.not_yourself")
    _note(session, clerk, "colleague.part", account.person_id, now)
    leave(session, account, now=now)


def _take_up(session: Session, clerk: Clerk, of: tuple[str, Line], choice: Choice, *, now: datetime) -> None:
    """The person, the account, and the duties that were ticked. Without a duty somebody new would belong to no community."""
    channel, line = of
    chosen = [offer for offer in line.offers if (offer.role, offer.area_id) in choice.duties and not offer.is_held]
    if not chosen and line.person_id is None and choice.person_id is None:
        raise Refused("colleagues.no_duty", name=line.name)
    person = _person(session, clerk, line, choice, now)
    if people.account_of(session, channel, line.external_id) is None or line.person_id is None:
        people.link_account(
            session, person, channel=channel, external_id=line.external_id, now=now, by="address book"
        ).name = line.name
    for offer in chosen:
        area = area_tree.area_of(session, clerk.community_id, offer.area_id)
        duties.give(session, person, area, offer.role, from_on=in_china(now).date())
        _note(session, clerk, "duty.give", person.id, now, role=offer.role, area=str(offer.area_id))
    _note(session, clerk, "colleague.take", person.id, now)


def _person(session: Session, clerk: Clerk, line: Line, choice: Choice, now: datetime) -> Person:
    if line.person_id is not None:
        return session.get_one(Person, line.person_id)
    if choice.person_id is None:
        return roster.add(session, code=_free_code(session, line.external_id), name=line.name, phone="", now=now)
    if choice.person_id not in {key for key, _, _ in line.namesakes}:
        raise Refused("people.not_found")
    duties.check_may_touch(session, choice.person_id, is_administrator_asking=clerk.is_administrator)
    return roster.person_of(session, clerk.community_id, choice.person_id)


def _free_code(session: Session, external_id: str) -> str:
    """Their id there. It may be taken more than once: an id is given anew, and who left keeps the code."""
    code = external_id
    while session.scalar(select(Person.id).where(Person.code == code)) is not None:
        code = f"{OWN_CODE}{code}"
    return code


def _note(session: Session, clerk: Clerk, act: str, person_id: int, now: datetime, **detail: str) -> None:
    accounts.audit(
        session,
        person_id=clerk.person_id,
        act=act,
        now=now,
        community_id=clerk.community_id,
        subject=str(person_id),
        detail=detail,
    )
