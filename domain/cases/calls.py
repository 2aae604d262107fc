"""Who is called while nobody takes an emergency, and how often: its worker, then also the next in line and the community's desk.
When the calling begins and ends is emergencies.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from core.clock import in_china
from core.messages import Urgency
from core.texts import say
from domain import access, people, reminders
from domain.cases import dispatch, emergencies, photos, telling, words, work
from domain.cases.life import STATE_NAMES, State, Step, take_step
from domain.outbox import Press, Priority
from storage.base import Session
from storage.cases import Case, CaseEvent
from storage.people import Person, Role

# So often every few minutes; from then on every so often, until somebody has accepted.
OFTEN = 20
LATER_REPEAT = timedelta(minutes=15)
# After the card and two calls have gone unanswered, this one goes higher as well.
CLIMBS_AT = 3
UNTAKEN = "untaken"  # in a step's data


def push(session: Session, case: Case, *, now: datetime) -> None:
    """An emergency reaches the staff at once."""
    if case.urgency != Urgency.EMERGENCY:
        return
    what, place = words.what_for_staff(case), words.place_for_staff(session, case)
    telling.to_desk(session, case, say("cases.emergency_push", number=case.number, what=what, place=place), now=now)


def call_out(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """Nobody has accepted yet: again to whoever is called, every few minutes, after an hour every quarter of one.

    Staff groups read it when it begins, at the first repeat and when it climbs; after that only where it reaches nobody else.
    """
    for case in cases:
        if case.urgency != Urgency.EMERGENCY or case.state not in emergencies.UNTAKEN:
            continue
        waited = now - emergencies.called_since(session, case)
        often = min(OFTEN, waited // emergencies.REPEAT)
        rarely = max(timedelta(), waited - OFTEN * emergencies.REPEAT) // LATER_REPEAT
        _call(session, case, often + rarely, now=now)
        later = LATER_REPEAT if often == OFTEN else emergencies.REPEAT
        reminders.add(session, reminders.EMERGENCY, case, due_at=now + later)


def accept(session: Session, case: Case, person: Person, *, now: datetime) -> None:
    """Whoever answers the call of an emergency has it from then on, whoever was called first."""
    if case.urgency != Urgency.EMERGENCY or case.state not in emergencies.UNTAKEN or case.assignee_id == person.id:
        work.accept(session, case, person, now=now)
        return
    role = access.role_in(session, person.id, case.community_id, in_china(now).date()) or Role.COMMUNITY_WORKER
    said = say("cases.emergency_settled", number=case.number, state=STATE_NAMES[State.ACCEPTED])
    emergencies.settle_calls(session, case, said, now=now)
    session.flush()
    work.assign(session, case, person.id, role, now=now, actor_id=person.id)
    work.accept(session, case, person, now=now)
    work.post_cards(session, [case], now=now, file_ids=photos.hand_on(session, case, now=now))


def _call(session: Session, case: Case, count: int, *, now: datetime) -> None:
    """One round of calls, the `count`-th since nobody has had it."""
    place, what = words.place_for_staff(session, case), words.what_for_staff(case)
    text = say("cases.emergency_again", count=count, number=case.number, what=what, place=place)
    higher = _called_higher(session, case)
    climbs = count >= CLIMBS_AT and higher is None
    if climbs:
        higher = _climb(session, case, now=now)
    take = [[Press(say("cases.button_accept"), "cases.accept", case.id)]]
    called = dict.fromkeys(higher or (), take) | {case.assignee_id: words.card_buttons(case)}
    reached = [
        telling.to_person(session, case, key, text, now=now, buttons=buttons, priority=Priority.ANSWER)
        for key, buttons in called.items()
    ]
    if climbs:
        telling.to_desk(session, case, f"{text}\n{_climbed_to(session, higher or {})}", now=now)
        telling.to_reporter(session, case, words.untaken(case), now=now)
    elif count == 1 or (count >= OFTEN and not any(reached)):
        telling.to_desk(session, case, text, now=now)


def _called_higher(session: Session, case: Case) -> dict[int, str] | None:
    """Who is called besides its worker, with their roles, since it climbed; None where it has not, since nobody has it."""
    since = emergencies.called_since(session, case)
    steps = select(CaseEvent.data).where(
        CaseEvent.case_id == case.id, CaseEvent.step == Step.ESCALATE, CaseEvent.at >= since
    )
    climbed = [data for data in session.scalars(steps.order_by(CaseEvent.id)) if data.get("why") == UNTAKEN]
    return {int(key): role for key, role in climbed[-1]["called"].items()} if climbed else None


def _climb(session: Session, case: Case, *, now: datetime) -> dict[int, str]:
    """From now on the next in line and the community's desk are called as well, of each the nearest who may and can."""
    today, called = in_china(now).date(), dict[int, str]()
    without = work.returned_by(session, case) | frozenset({case.assignee_id} if case.assignee_id else ())
    for find in (dispatch.worker_for, dispatch.superior_for):
        while (duty := find(session, case, today, without=without)) is not None:
            without |= {duty.person_id}
            may_take = access.may_work(session, session.get_one(Person, duty.person_id), case, today)
            if may_take and telling.chat_with(session, case, duty.person_id) is not None:
                called[duty.person_id] = duty.role
                break
    data = {"why": UNTAKEN, "called": {str(key): role for key, role in called.items()}}
    take_step(session, case, Step.ESCALATE, now=now, data=data)
    return called


def _climbed_to(session: Session, called: Mapping[int, str]) -> str:
    """Whom it has climbed to, by surname and role."""
    names = [people.surname_title(session.get_one(Person, key), role) for key, role in called.items()]
    return say("cases.emergency_climbed", who="、".join(names)) if names else say("cases.emergency_climbed_nobody")
