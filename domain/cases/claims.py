"""A wish is taken on: by one neighbour at a time, until a day; handed back, told to be done, and thanked for. Whose wish it is they
learn from staff, who know both."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from core.errors import Refused
from core.messages import Kind
from core.texts import say
from domain import reminders
from domain.cases import telling, wishes, words
from domain.cases.life import ACTIVE, State, Step, take_step
from domain.outbox import Press
from storage.base import Session
from storage.cases import Case
from storage.claims import Claim, ClaimEnd
from storage.people import Person

__all__ = ["Claim", "ClaimEnd"]

LIFE = timedelta(days=7)
WARNED_BEFORE = timedelta(days=1)
MOST_AT_ONCE = 3


def open_of(session: Session, case: Case) -> Claim | None:
    """Who has taken it on, if anybody."""
    query = select(Claim).where(Claim.case_id == case.id, Claim.ended_at.is_(None))
    return session.scalars(query).one_or_none()


def of_person(session: Session, person_id: int) -> Sequence[tuple[Claim, Case]]:
    """What somebody has taken on and not told to be done, the nearest day first."""
    query = (
        select(Claim, Case)
        .join(Case, Case.id == Claim.case_id)
        .where(Claim.person_id == person_id, Claim.ended_at.is_(None), Claim.done_at.is_(None), Case.state.in_(ACTIVE))
    )
    return [(claim, case) for claim, case in session.execute(query.order_by(Claim.due_at)).all()]


def claim(session: Session, case_id: int, person: Person, *, community_id: int | None, now: datetime) -> Case:
    """From now on this person fulfils it; of two at once one wins, and the other is told so."""
    case = session.get(Case, case_id, with_for_update=True, populate_existing=False)
    if case is None or case.community_id != community_id or case.kind != Kind.WISH:
        raise Refused("wishes.not_found")
    if case.reporter_id == person.id:
        raise Refused("wishes.own")
    session.flush()
    before = open_of(session, case)
    if before is not None and before.person_id == person.id:
        raise Refused("wishes.yours_already", number=case.number)
    if before is not None or not wishes.is_on_wall(case):
        raise Refused("wishes.taken", number=case.number)
    if len(of_person(session, person.id)) >= MOST_AT_ONCE:
        raise Refused("wishes.enough", most=MOST_AT_ONCE)
    made = Claim(
        community_id=case.community_id, case_id=case.id, person_id=person.id, at=now, due_at=now + LIFE, end=""
    )
    session.add(made)
    take_step(session, case, Step.CLAIM, now=now, actor_id=person.id)
    reminders.add(session, reminders.CLAIM_NEAR, case, due_at=made.due_at - WARNED_BEFORE)
    reminders.add(session, reminders.CLAIM_OVER, case, due_at=made.due_at)
    session.flush()
    _tell_staff(session, case, "claimed_card", now=now, name=person.name or say("wishes.neighbour"))
    told = say("wishes.claimed_for_wisher", number=case.number)
    if not telling.to_reporter_in_private(session, case, told, now=now):
        telling.to_reporter(session, case, told, now=now)
    return case


def hand_back(session: Session, case: Case, person: Person, *, now: datetime) -> None:
    """It waits on the wall again."""
    mine = _mine(session, case, person)
    _end(session, case, mine, ClaimEnd.HANDED_BACK, now=now)
    take_step(session, case, Step.HAND_BACK, now=now, actor_id=person.id)
    _tell_staff(session, case, "handed_back_card", now=now)


def tell_done(session: Session, case: Case, person: Person, note: str, *, now: datetime, cause_id: int | None) -> None:
    """They say that it is done, with a word or a photo: its worker asks the wisher, and finishes it."""
    mine = _mine(session, case, person)
    mine.done_at = now
    _cancel(session, case, now=now)
    take_step(session, case, Step.ADD, now=now, actor_id=person.id, note=note, cause_id=cause_id)
    _tell_staff(session, case, "done_card", now=now, note=note)


def settle(session: Session, case: Case, *, now: datetime) -> None:
    """The wisher has rated it, or it was opened again or withdrawn: who took it on is thanked, or told that it is over."""
    mine = open_of(session, case) if case.kind == Kind.WISH and case.state != State.FINISHED else None
    if mine is None:
        return
    is_fulfilled = case.state == State.CLOSED and case.rating is not None and mine.done_at is not None
    _end(session, case, mine, ClaimEnd.FULFILLED if is_fulfilled else ClaimEnd.OVER, now=now)
    if is_fulfilled or mine.done_at is None:
        key = "thanked" if is_fulfilled else "over"
        telling.to_person(session, case, mine.person_id, say(f"wishes.{key}", number=case.number), now=now)


def warn(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """A day before: once."""
    for case in cases:
        mine = _unfinished(session, case)
        if mine is not None:
            text = say("wishes.near", number=case.number, until=words.moment(mine.due_at))
            telling.to_person(session, case, mine.person_id, text, now=now, buttons=buttons(case))


def lapse(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """Nothing was heard until its day: it waits on the wall again."""
    for case in cases:
        mine = _unfinished(session, case)
        if mine is None or mine.due_at > now:
            continue
        _end(session, case, mine, ClaimEnd.LAPSED, now=now)
        take_step(session, case, Step.HAND_BACK, now=now)
        telling.to_person(session, case, mine.person_id, say("wishes.lapsed", number=case.number), now=now)
        _tell_staff(session, case, "lapsed_card", now=now)


def buttons(case: Case) -> list[list[Press]]:
    """What who has taken it on can do."""
    done, back = say("wishes.button_done"), say("wishes.button_hand_back")
    return [[Press(done, "wishes.done", case.id), Press(back, "wishes.hand_back", case.id)]]


def _unfinished(session: Session, case: Case) -> Claim | None:
    mine = open_of(session, case) if case.state in ACTIVE else None
    return mine if mine is not None and mine.done_at is None else None


def _mine(session: Session, case: Case, person: Person) -> Claim:
    mine = _unfinished(session, case)
    if mine is None or mine.person_id != person.id:
        raise Refused("wishes.not_yours")
    return mine


def _end(session: Session, case: Case, mine: Claim, end: ClaimEnd, *, now: datetime) -> None:
    mine.ended_at, mine.end = now, end
    _cancel(session, case, now=now)


def _cancel(session: Session, case: Case, *, now: datetime) -> None:
    for kind in (reminders.CLAIM_NEAR, reminders.CLAIM_OVER):
        reminders.cancel(session, case, kind, now=now)


def _tell_staff(session: Session, case: Case, key: str, *, now: datetime, **blanks: object) -> None:
    """Its worker, who knows both; where there is none, the desk, without a name."""
    if case.assignee_id is not None:
        telling.to_assignee(session, case, say(f"wishes.{key}", number=case.number, **blanks), now=now)
    else:
        telling.to_desk(session, case, say("wishes.desk", number=case.number), now=now)
