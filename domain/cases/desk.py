"""What staff do with a case at the console, beyond the worker's own steps: hand over, correct, close, withdraw, enter what came otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm.exc import StaleDataError

from core.clock import in_china
from core.errors import Refused
from core.messages import Kind, Urgency
from core.texts import say
from domain import access, accounts, areas, calendars, corrections, outbox, people, reminders
from domain.cases import calls, opening, placing, ratings, receipts, staff_words, telling, words, work
from domain.cases.life import ACTIVE, State, Step, take_step
from storage.areas import Area
from storage.base import Session
from storage.cases import Case
from storage.messages import Outbox
from storage.people import Duty, Person, Role

# How a matter came in when nobody wrote it in a chat.
SOURCE_NAMES = {
    "chat": "群聊或私聊",
    "telephone": "电话",
    "walk_in": "来访",
    "letter": "来信",
    "hotline": "12345 热线转办",
    "visit": "入户走访",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may get the case; `is_near` when in charge of its very place."""

    person_id: int
    name: str
    role: str
    area: str
    is_near: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """A case as staff say it should read."""

    kind: Kind
    topic: str | None
    urgency: Urgency
    place: str
    area_id: int
    deadline_at: datetime | None


@contextmanager
def acting(
    session: Session, person_id: int, case_id: int, *, act: str, version: int | None, now: datetime
) -> Iterator[tuple[Case, Person]]:
    """The case and the one who acts on it, if they may. The act is written down; what another changed since `version` is not overwritten."""
    person = session.get_one(Person, person_id)
    case = access.case_to_work(session, person, case_id, in_china(now).date())
    if version is not None and case.version != version:
        raise Refused("cases.changed_meanwhile")
    try:
        yield case, person
        accounts.audit(
            session,
            person_id=person_id,
            act=f"case.{act}",
            subject=str(case_id),
            community_id=case.community_id,
            now=now,
        )
        session.flush()
    except StaleDataError:
        raise Refused("cases.changed_meanwhile") from None


def check_access(session: Session, person_id: int, case_id: int, *, now: datetime) -> None:
    """Refuses whoever may not work on this case."""
    access.case_to_work(session, session.get_one(Person, person_id), case_id, in_china(now).date())


def candidates(session: Session, case: Case, today: date) -> list[Candidate]:
    """Who may get this case, those in charge of its place first. A private matter goes to mediators and the desk only."""
    roles = access.DESK_ROLES | (frozenset({Role.MEDIATOR}) if case.is_private else access.FIELD_ROLES)
    query = (
        select(Duty, Person.name, Area.name)
        .join(Person, Person.id == Duty.person_id)
        .join(Area, Area.id == Duty.area_id)
        .where(
            Duty.community_id == case.community_id,
            Duty.role.in_(roles),
            Duty.from_on <= today,
            or_(Duty.until_on.is_(None), Duty.until_on >= today),
            Person.erased_at.is_(None),
        )
    )
    path = areas.above(session.get_one(Area, case.area_id or case.community_id))
    ranks = {area_id: rank for rank, area_id in enumerate(path)}
    found: dict[int, tuple[tuple[int, int, int], Candidate]] = {}
    for duty, name, area in session.execute(query):
        order = (ranks.get(duty.area_id, len(path)), duty.rank, duty.id)
        if duty.person_id not in found or order < found[duty.person_id][0]:
            is_near = duty.area_id in ranks and duty.area_id != case.community_id
            found[duty.person_id] = order, Candidate(duty.person_id, name, duty.role, area, is_near)
    return [candidate for _, candidate in sorted(found.values(), key=lambda each: each[0])]


def hand_over(session: Session, case: Case, actor: Person, person_id: int | None, *, now: datetime) -> None:
    """Puts somebody on the case by hand, whoever has it now."""
    if person_id == case.assignee_id and case.state != State.OPEN:
        raise Refused("cases.already_theirs")
    chosen = next((one for one in candidates(session, case, in_china(now).date()) if one.person_id == person_id), None)
    if chosen is None:
        raise Refused("cases.nobody_to_give")
    work.assign(session, case, chosen.person_id, chosen.role, now=now, actor_id=actor.id)
    work.refresh(session, case, now=now)


def take_on(session: Session, case: Case, person: Person, *, now: datetime) -> None:
    """Accepts. The desk accepts for whoever has the case; anybody else in charge of the place takes it over. An emergency is theirs
    who answers the call, here as in the chat: nobody may be taken to know of it who has not said so."""
    if case.urgency == Urgency.EMERGENCY:
        calls.accept(session, case, person, now=now)
        return
    today = in_china(now).date()
    if case.assignee_id not in (person.id, None) and access.is_desk(session, person.id, case.community_id, today):
        work.accept(session, case, person, now=now)
        return
    if case.assignee_id != person.id:
        own = access.role_in(session, person.id, case.community_id, today) or Role.COMMUNITY_WORKER
        work.assign(session, case, person.id, own, now=now, actor_id=person.id)
    work.accept(session, case, person, now=now)


def correct(
    session: Session, case: Case, actor: Person, new: Correction, *, now: datetime, is_rerouted: bool, note: str = ""
) -> None:
    """The case reads as corrected from now on; what it read before stays in its history.

    Where the topic or urgency changes and no new deadline is named, the deadline follows them.
    """
    new, site = _placed(session, case, new)
    before, after = _changes(case, new)
    was = corrections.reading_of(case)
    if not after:
        raise Refused("cases.nothing_changed")
    _check(session, case, new, now=now, is_new_deadline="deadline_at" in after)
    take_step(
        session, case, Step.CORRECT, now=now, actor_id=actor.id, note=note, data={"before": before, "after": after}
    )
    case.kind, case.topic, case.urgency = new.kind, new.topic, new.urgency
    case.place, case.area_id, case.thing = new.place, new.area_id, opening.thing_of(new.topic, site)
    corrections.by_staff(session, case, was, by_id=actor.id, now=now)
    _set_privacy(session, case, now=now)
    if case.state in ACTIVE:
        _move_deadline(session, case, new, after, now=now)
    if is_rerouted and case.state in (State.OPEN, State.ASSIGNED):
        work.route(session, case, now=now)
    work.refresh(session, case, now=now)


def _placed(session: Session, case: Case, new: Correction) -> tuple[Correction, str]:
    """The correction with the area that its place lies in, and the building. Where the place is new and the area was left as it
    stood, the area follows the place."""
    was_left = new.area_id == (case.area_id or case.community_id)
    if not new.place or new.place == case.place:
        return new, opening.site_in(case) if was_left else areas.site_of(session.get(Area, new.area_id))
    placed = placing.read(session, case.community_id, place=new.place, area_id=None if was_left else new.area_id)
    is_read = placed.area_id != case.community_id
    area_id = placed.area_id if is_read else new.area_id
    return replace(new, area_id=area_id), placed.site or areas.site_of(session.get(Area, area_id))


def _changes(case: Case, new: Correction) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """The fields that differ, as they were and as they will be."""
    old = Correction(
        Kind(case.kind),
        case.topic,
        Urgency(case.urgency),
        case.place,
        case.area_id or case.community_id,
        case.deadline_at,
    )
    fields = [name for name in Correction.__dataclass_fields__ if getattr(old, name) != getattr(new, name)]
    if new.deadline_at is None or _to_the_minute(new.deadline_at) == _to_the_minute(old.deadline_at):
        fields = [name for name in fields if name != "deadline_at"]
    return {name: _as_text(getattr(old, name)) for name in fields}, {
        name: _as_text(getattr(new, name)) for name in fields
    }


def _to_the_minute(moment: datetime | None) -> datetime | None:
    """A form knows no seconds."""
    return moment.replace(second=0, microsecond=0) if moment else None


def _as_text(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def _check(session: Session, case: Case, new: Correction, *, now: datetime, is_new_deadline: bool) -> None:
    area = session.get(Area, new.area_id)
    if area is None or area.community_id != case.community_id:
        raise Refused("cases.place_not_ours")
    if is_new_deadline and new.deadline_at is not None:
        calendars.check_year(new.deadline_at)
        if new.deadline_at <= now:
            raise Refused("cases.deadline_past")


def _set_privacy(session: Session, case: Case, *, now: datetime) -> None:
    """What turns out to be between people leaves the groups: what they were told of it says no more than that."""
    was_private = case.is_private
    case.is_private = words.is_private_matter(case.kind, case.topic, case.urgency)
    if not case.is_private or was_private:
        return
    session.flush()
    receipts.hide_others(session, case, now=now)
    row = session.get(Outbox, case.receipt_id) if case.receipt_id else None
    if row is not None:
        buttons = receipts.buttons_of(session, case, now=now)
        outbox.edit(session, row, receipts.text_of(session, case), now=now, buttons=buttons)


def _move_deadline(
    session: Session, case: Case, new: Correction, after: dict[str, str | None], *, now: datetime
) -> None:
    is_named = "deadline_at" in after and new.deadline_at is not None
    if not is_named and not {"topic", "urgency"} & set(after):
        return
    for kind in (reminders.DEADLINE_NEAR, reminders.DEADLINE_OVER, reminders.EMERGENCY):
        reminders.cancel(session, case, kind, now=now)
    if is_named and new.deadline_at is not None:
        work.keep_deadline(session, case, new.deadline_at, now=now)
        if case.urgency == Urgency.EMERGENCY and case.state in (State.OPEN, State.ASSIGNED):
            reminders.add(session, reminders.EMERGENCY, case, due_at=now + work.EMERGENCY_REPEAT)
    else:
        work.set_deadline(session, case, now=now)


def close(session: Session, case: Case, actor: Person, *, is_satisfied: bool, note: str, now: datetime) -> None:
    """Staff close a finished case: the resident said by telephone or at the door that it is fine, or cannot be reached."""
    reason = _reason(note)
    step = Step.SATISFIED if is_satisfied else Step.CLOSE
    take_step(session, case, step, now=now, actor_id=actor.id, note=reason, data={"by": "staff"})
    case.rating = work.SATISFIED if is_satisfied else None
    case.closed_at = now
    reminders.cancel_all(session, case, now=now)
    work.refresh(session, case, now=now)
    ratings.settle(session, case, now=now)


def withdraw(session: Session, case: Case, actor: Person, *, note: str, now: datetime) -> None:
    """Staff take a case off the list with a reason, and whoever reported it is told."""
    reason = _reason(note)
    work.withdraw(session, case, actor_id=actor.id, now=now, note=reason)
    shown = staff_words.as_shown(session, case, reason)
    telling.to_reporter(session, case, say("cases.withdrawn_by_desk", number=case.number, reason=shown), now=now)


def reopen(session: Session, case: Case, actor: Person, *, note: str, now: datetime) -> None:
    """Staff found that the matter is not done after all; or that it should not have been withdrawn, which its reporter learns. So
    does whoever reported a private matter: no receipt of theirs shows it."""
    reason, is_restored = _reason(note), case.state == State.WITHDRAWN
    why = work.Why.RESTORED if is_restored else work.Why.DESK
    work.reopen(session, case, actor_id=actor.id, note=reason, now=now, why=why)
    ratings.settle(session, case, now=now)
    if is_restored:
        shown = staff_words.as_shown(session, case, reason)
        telling.to_reporter(session, case, say("cases.restored_by_desk", number=case.number, reason=shown), now=now)
    elif case.is_private:
        telling.to_reporter(session, case, say("cases.reopened_by_desk", number=case.number), now=now)


def _reason(note: str) -> str:
    if len(note.strip()) < work.SHORTEST_REASON:
        raise Refused("cases.need_reason")
    return note.strip()


def show_phone(session: Session, person_id: int, case_id: int, *, now: datetime) -> str:
    """The reporter's number in full, for the desk and for whoever has the case; each look is written down."""
    with acting(session, person_id, case_id, act="phone", version=None, now=now) as (case, person):
        today = in_china(now).date()
        if case.assignee_id != person.id and not access.is_desk(session, person.id, case.community_id, today):
            raise Refused("cases.phone_not_yours")
        reporter = session.get(Person, case.reporter_id) if case.reporter_id else None
        phone = people.phone_of(session, reporter) if reporter else None
        if phone is None:
            raise Refused("cases.no_phone")
    return phone
