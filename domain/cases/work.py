"""What people do with a case: assign, accept, return, arrive, finish, rate, reopen, withdraw. Each leaves its words in the outbox."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm.attributes import set_committed_value

from core.clock import in_china
from core.errors import Refused
from core.messages import Kind, Urgency
from core.texts import say
from domain import access, outbox, reminders
from domain.cases import cards, claims, dispatch, emergencies, joined, photos, receipts, staff_words, telling, words
from domain.cases.life import State, Step, may, take_step
from domain.outbox import Priority
from domain.topics import hours_for
from storage.base import Session
from storage.cases import Case, CaseEvent
from storage.messages import Outbox
from storage.people import Duty, Person

# The card waits this long for the photo that usually follows the words (an album has no end mark).
GATHER = timedelta(seconds=6)
UNDO = joined.UNDO
SHORTEST_REASON = 2
RATING_NUDGE = timedelta(hours=24)
CLOSE_UNRATED = timedelta(days=3)
EMERGENCY_REPEAT = emergencies.REPEAT
SATISFIED, DISSATISFIED = 5, 2
# Not a change of content: the version stays, so that a page opened before the card went out can still take its step.
REMEMBER_CARD = (
    update(cast(Table, Case.__table__)).where(Case.id == bindparam("case")).values(card_id=bindparam("card"))
)


class Why(StrEnum):
    """Who found that a matter is not done after all; the end of the key of its words."""

    DISSATISFIED = "dissatisfied"
    STILL_WRONG = "still_wrong"
    DESK = "desk"
    RESTORED = "restored"


def route(
    session: Session, case: Case, *, now: datetime, without: frozenset[int] = frozenset(), cause_id: int | None = None
) -> Duty | None:
    """Gives the case to the worker on duty; with nobody there it stays open and the desk is told."""
    duty = dispatch.worker_for(session, case, in_china(now).date(), without=without)
    if duty is None:
        case.assignee_id = case.assignee_role = None
        telling.to_desk(
            session, case, say("cases.unassigned_desk", number=case.number, what=words.what_for_staff(case)), now=now
        )
        return None
    if case.state != State.ASSIGNED or case.assignee_id != duty.person_id:
        assign(session, case, duty.person_id, duty.role, now=now, actor_id=None, cause_id=cause_id)
    return duty


def assign(
    session: Session,
    case: Case,
    person_id: int,
    role: str,
    *,
    now: datetime,
    actor_id: int | None,
    cause_id: int | None = None,
) -> None:
    """Puts a person on the case. Whoever had it before is told; the new one's card follows after the gather window."""
    before, was_taken_on = case.assignee_id, case.state in (State.ACCEPTED, State.ARRIVED)
    if before != person_id and (before is not None or case.returns or case.reopenings):
        photos.for_somebody_new(session, case)
    if before is not None and before != person_id:
        _retire_card(session, case, say("cases.card_taken", number=case.number), now=now)
        if was_taken_on:
            telling.to_person(session, case, before, say("cases.card_taken", number=case.number), now=now)
    case.assignee_id, case.assignee_role = person_id, role
    case.accepted_at = None
    take_step(
        session,
        case,
        Step.ASSIGN,
        now=now,
        actor_id=actor_id,
        data={"to": str(person_id), "role": role},
        cause_id=cause_id,
    )
    if was_taken_on:
        emergencies.call_again(session, case, now=now)
    is_waiting = case.urgency == Urgency.NORMAL and case.source == "chat" and now - case.opened_at < GATHER
    reminders.add(session, reminders.CARD, case, due_at=now + GATHER if is_waiting else now)


def post_cards(session: Session, cases: Sequence[Case], *, now: datetime, file_ids: Sequence[int] = ()) -> None:
    """Each card to its assignee's private chat; without one, staff are told that the person cannot be reached."""
    posted = []
    notes = cards.notes_of(session, [case.id for case in cases])
    for case in cases:
        if case.assignee_id is None:
            continue
        chat = telling.chat_with(session, case, case.assignee_id)
        if chat is None:
            take_step(session, case, Step.UNREACHED, now=now, data={"person": str(case.assignee_id)})
            worker = words.worker_name(session, case)
            telling.to_desk(session, case, say("cases.unreachable", number=case.number, worker=worker), now=now)
            continue
        card_id = outbox.post(
            session,
            chat,
            cards.text_of(session, case, notes),
            now=now,
            buttons=words.card_buttons(case),
            priority=Priority.ASSIGNMENT,
            file_ids=file_ids,
            person_id=case.assignee_id,
            case_id=case.id,
        )
        set_committed_value(case, "card_id", card_id)
        posted.append({"case": case.id, "card": card_id})
    if posted:
        session.connection().execute(REMEMBER_CARD, posted)


def refresh(session: Session, case: Case, *, now: datetime) -> None:
    """Brings the receipt in the group and the worker's card up to where the case stands."""
    _refresh_card(session, case, now=now)
    row = session.get(Outbox, case.receipt_id) if case.receipt_id else None
    if row is not None and not case.is_private:
        buttons = receipts.buttons_of(session, case, now=now)
        outbox.edit(session, row, receipts.text_of(session, case), now=now, buttons=buttons)
    joined.tell(session, case, now=now)


def _refresh_card(session: Session, case: Case, *, now: datetime) -> None:
    row = session.get(Outbox, case.card_id) if case.card_id else None
    if row is not None:
        text = cards.text_of(session, case, cards.notes_of(session, [case.id]))
        outbox.edit(session, row, text, now=now, buttons=words.card_buttons(case))


def _retire_card(session: Session, case: Case, text: str, *, now: datetime) -> None:
    """The old card says what came of it and loses its buttons; so do the calls of an emergency."""
    emergencies.settle_calls(session, case, text, now=now)
    row = session.get(Outbox, case.card_id) if case.card_id else None
    if row is not None:
        outbox.edit(session, row, text, now=now)
    case.card_id = None


def accept(session: Session, case: Case, person: Person, *, now: datetime) -> None:
    """The worker takes it on; an emergency stops being repeated."""
    take_step(session, case, Step.ACCEPT, now=now, actor_id=person.id)
    _take_unassigned(session, case, person, now=now)
    case.accepted_at = now
    emergencies.stop_calling(session, case, now=now)
    refresh(session, case, now=now)


def _take_unassigned(session: Session, case: Case, person: Person, *, now: datetime) -> None:
    """What nobody has is from now on theirs who work on it."""
    if case.assignee_id is None:
        case.assignee_id = person.id
        case.assignee_role = access.role_in(session, person.id, case.community_id, in_china(now).date())


def return_case(session: Session, case: Case, person: Person, reason: str, *, now: datetime) -> None:
    """Whoever has it gives it back with a reason, or somebody does so for them; it is counted and goes to the next in line who has
    not given it back, or to the desk."""
    _need_reason(reason)
    holder = case.assignee_id or person.id
    data = {"from": str(holder)}
    take_step(session, case, Step.RETURN, now=now, actor_id=person.id, note=reason.strip(), data=data)
    case.returns += 1
    case.accepted_at = None
    _retire_card(session, case, say("cases.returned", number=case.number), now=now)
    route(session, case, now=now, without=returned_by(session, case) | {holder})
    if emergencies.call_again(session, case, now=now):
        what, place = words.what_for_staff(case), words.place_for_staff(session, case)
        told = say("cases.emergency_returned", number=case.number, what=what, place=place)
        telling.to_desk(session, case, told, now=now)
    refresh(session, case, now=now)


def returned_by(session: Session, case: Case) -> frozenset[int]:
    """Who has given it back, or for whom that was done."""
    steps = select(CaseEvent.actor_id, CaseEvent.data).where(
        CaseEvent.case_id == case.id, CaseEvent.step == Step.RETURN
    )
    holders = {int(data["from"]) if "from" in data else actor for actor, data in session.execute(steps)}
    return frozenset(holders - {None})


def arrive(session: Session, case: Case, person: Person, *, now: datetime) -> None:
    take_step(session, case, Step.ARRIVE, now=now, actor_id=person.id)
    case.accepted_at = case.accepted_at or now
    emergencies.stop_calling(session, case, now=now)
    refresh(session, case, now=now)


def _need_reason(text: str) -> None:
    if len(text.strip()) < SHORTEST_REASON:
        raise Refused("cases.need_reason")


def finish(
    session: Session, case: Case, person: Person, *, note: str, now: datetime, file_ids: Sequence[int] = ()
) -> None:
    """Done, with a photo or a stated reason; then the resident is asked."""
    if not file_ids and len(note.strip()) < SHORTEST_REASON:
        raise Refused("cases.need_proof")
    data: dict[str, object] = {"files": [str(key) for key in file_ids]}
    if case.assignee_id not in (None, person.id):
        data |= {"as": access.role_in(session, person.id, case.community_id, in_china(now).date())}
    take_step(session, case, Step.FINISH, now=now, actor_id=person.id, note=note.strip(), data=data)
    _take_unassigned(session, case, person, now=now)
    case.finished_at, case.rating = now, None  # what was said of earlier work says nothing of this
    reminders.cancel_all(session, case, now=now)
    emergencies.stop_calling(session, case, now=now)
    refresh(session, case, now=now)
    _ask_rating(session, case, note=note.strip() or say("cases.photo_proof"), now=now, file_ids=file_ids)
    reminders.add(session, reminders.RATING_NUDGE, case, due_at=now + RATING_NUDGE)
    reminders.add(session, reminders.CLOSE_UNRATED, case, due_at=now + CLOSE_UNRATED)


def _ask_rating(session: Session, case: Case, *, note: str, now: datetime, file_ids: Sequence[int]) -> None:
    """Asks the resident: where they reported it, or in private for a private matter."""
    note = staff_words.as_shown(session, case, note)
    if case.kind == Kind.QUESTION:
        text = say("cases.rate_answer", number=case.number, note=note)
    else:
        worker = words.finisher_name(session, case)
        key = "cases.crisis_rate" if case.topic == words.CRISIS else "cases.rate"
        key = "wishes.rate" if case.kind == Kind.WISH else key
        text = say(key, number=case.number, what=words.what(case), worker=worker, note=note)
    if case.joined:
        text += "\n" + say("cases.rate_joined", count=case.joined, how=words.how_joined(case))
    telling.to_reporter(session, case, text, now=now, buttons=words.rating_buttons(case), file_ids=file_ids)


def rate(session: Session, case: Case, person_id: int, *, satisfied: bool, now: datetime, note: str = "") -> None:
    """The resident's word: satisfied closes the case, dissatisfied opens it again; the second time it goes one level up."""
    step = Step.SATISFIED if satisfied else Step.DISSATISFIED
    take_step(session, case, step, now=now, actor_id=person_id, note=note)
    case.rating = SATISFIED if satisfied else DISSATISFIED
    if satisfied:
        case.closed_at = case.closed_at or now
        reminders.cancel_all(session, case, now=now)
    else:
        _start_over(session, case, why=Why.DISSATISFIED, note=note, now=now)
    refresh(session, case, now=now)


def reopen(
    session: Session, case: Case, *, actor_id: int | None, note: str, now: datetime, why: Why = Why.STILL_WRONG
) -> None:
    """The matter is not done after all."""
    take_step(session, case, Step.REOPEN, now=now, actor_id=actor_id, note=note)
    case.rating = None
    _start_over(session, case, why=why, note=note, now=now)
    refresh(session, case, now=now)


def _start_over(session: Session, case: Case, *, why: Why, note: str, now: datetime) -> None:
    """A fresh deadline; the same worker gets it back, the second time the desk does."""
    case.reopenings += 1
    case.closed_at = case.finished_at = case.accepted_at = None
    reminders.cancel_all(session, case, now=now)
    set_deadline(session, case, now=now)
    comes_back = case.reopenings == 1 and dispatch.is_on_duty(session, case, in_china(now).date())
    blanks = {"number": case.number, "why": say(f"cases.reopened_{why}")}
    told = "cases.card_reopened" if comes_back else "cases.card_reopened_elsewhere"
    _retire_card(session, case, say(told, **blanks, note=note), now=now)
    shown = "" if access.is_for_few(case) else note
    telling.to_desk(session, case, say("cases.card_reopened", **blanks, note=shown), now=now)
    if comes_back and case.assignee_id is not None and case.assignee_role is not None:
        assign(session, case, case.assignee_id, case.assignee_role, now=now, actor_id=None)
    else:
        holder = frozenset({case.assignee_id} if case.assignee_id else ())
        route(session, case, now=now, without=holder)


def set_deadline(session: Session, case: Case, *, now: datetime) -> None:
    """The deadline by topic and urgency, with its reminders before and after."""
    is_urgent = case.urgency != Urgency.NORMAL
    keep_deadline(session, case, now + timedelta(hours=hours_for(case.topic, is_urgent=is_urgent)), now=now)
    if case.urgency == Urgency.EMERGENCY:
        reminders.add(session, reminders.EMERGENCY, case, due_at=now + EMERGENCY_REPEAT)


def keep_deadline(session: Session, case: Case, deadline_at: datetime, *, now: datetime) -> None:
    """This deadline, with its reminders before and after. Those of an earlier one are the caller's to cancel."""
    case.deadline_at = deadline_at
    span = case.deadline_at - now
    reminders.add(session, reminders.DEADLINE_NEAR, case, due_at=case.deadline_at - min(span / 4, timedelta(hours=4)))


def withdraw(
    session: Session, case: Case, *, actor_id: int | None, now: datetime, cause_id: int | None = None, note: str = ""
) -> None:
    """The reporter takes it back, or staff with a reason; a worker who already has it is told."""
    take_step(session, case, Step.WITHDRAW, now=now, actor_id=actor_id, note=note, cause_id=cause_id)
    case.closed_at = now
    reminders.cancel_all(session, case, now=now)
    emergencies.stop_calling(session, case, now=now)
    key = "card_withdrawn_by_desk" if note else "card_withdrawn"
    telling.to_worker(session, case, say(f"cases.{key}", number=case.number, reason=note), now=now)
    claims.settle(session, case, now=now)
    refresh(session, case, now=now)


def undo(session: Session, case: Case, *, actor_id: int, now: datetime) -> None:
    receipts.check_undo(case, now=now)
    withdraw(session, case, actor_id=actor_id, now=now)


def press_on(session: Session, case: Case, text: str, *, actor_id: int | None, now: datetime) -> bool:
    """Somebody says it is still broken: a finished case opens again, an active one is urged on. True when it reopened."""
    if may(case, Step.REOPEN) and case.state != State.WITHDRAWN:
        reopen(session, case, actor_id=actor_id, note=text, now=now)
        return True
    if may(case, Step.REMIND):
        take_step(session, case, Step.REMIND, now=now, actor_id=actor_id, note=text)
        telling.to_worker(session, case, say("cases.card_added", number=case.number, note=text), now=now)
    return False
