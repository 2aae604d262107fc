"""What is due now, about cases: claims due reminders and does what each kind says. One call of the tick, one transaction."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from core.messages import Urgency
from core.texts import say
from domain import chats, files, outbox, reminders
from domain.cases import calls, claims, joined, photos, receipts, telling, words, work
from domain.cases.life import ACTIVE, STATE_NAMES, WITH_WORKER, State, Step, take_step
from domain.cases.proofs import ask_again
from domain.outbox import Priority
from domain.recurrence import out_of_quiet
from storage.areas import Community
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.messages import File, Outbox
from storage.reminders import Reminder

# What comes after waits for a tenth of a second at most.
BATCH = 1000
PHOTO_WAIT = timedelta(seconds=3)
LONGEST_PHOTO_WAIT = timedelta(seconds=30)
# What a telephone would ring for and can wait until the morning.
NOT_AT_NIGHT = frozenset(
    {reminders.DEADLINE_NEAR, reminders.DEADLINE_OVER, reminders.RATING_NUDGE, reminders.CLAIM_NEAR}
)

Holder = tuple[int | None, int | None]

# Put together once: a morning's thousands ask them again and again.
NOW = bindparam("now", type_=Reminder.due_at.type)
OLDEST = (
    select(Reminder.id)
    .where(Reminder.done_at.is_(None), Reminder.due_at <= NOW)
    .order_by(Reminder.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("oldest")
)
CLAIM = (
    update(Reminder)
    .where(Reminder.id.in_(select(OLDEST.c.id)))
    .values(done_at=NOW)
    .returning(Reminder.due_at, Reminder.id, Reminder.kind, Reminder.subject_id, Reminder.community_id)
)
NEAR = select(
    Case.id,
    Case.community_id,
    Case.number,
    Case.kind,
    Case.topic,
    Case.place,
    Case.state,
    Case.chat_id,
    Case.assignee_id,
    Case.deadline_at,
).where(Case.id.in_(bindparam("ids", expanding=True)), Case.state.in_(ACTIVE), Case.deadline_at.is_not(None))
NEXT = select(Reminder.due_at).where(Reminder.done_at.is_(None)).order_by(Reminder.due_at).limit(1)


class _Due(NamedTuple):
    """A reminder whose time has come."""

    due_at: datetime
    id: int
    kind: str
    subject_id: int
    community_id: int | None


def run_due(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Does what is due, at most `limit` things; returns how many. Two processes never do the same thing twice."""
    due = _claim(session, now, limit)
    if not due:
        return 0
    put_off = _put_off(session, [row for row in due if row.kind in NOT_AT_NIGHT], now)
    by_kind: dict[str, list[int]] = defaultdict(list)
    for row in due:
        if row.id not in put_off:
            by_kind[row.kind].append(row.subject_id)
    _near(session, by_kind.pop(reminders.DEADLINE_NEAR, []), now)
    for kind, subjects in by_kind.items():
        cases = session.scalars(select(Case).where(Case.id.in_(subjects))).all()
        RULES[kind](session, cases, now)
    return len(due)


def _claim(session: Session, now: datetime, limit: int) -> Sequence[_Due]:
    """The oldest that are due, in order, marked as done by the statement that finds them."""
    return sorted(_Due(*row) for row in session.connection().execute(CLAIM, {"now": now, "most": limit}))


def _put_off(session: Session, due: Sequence[_Due], now: datetime) -> set[int]:
    """In a community's quiet hours only emergencies ring; the rest comes when they end, worded as things stand then. The keys of
    what has been put off."""
    mornings: dict[int, list[_Due]] = defaultdict(list)
    for row in due:
        if row.community_id is not None:
            mornings[row.community_id].append(row)
    put_off: set[int] = set()
    for community_id, rows in mornings.items():
        community = session.recall(Community, community_id)
        morning = out_of_quiet(now, community.quiet_from, community.quiet_until) if community else now
        if morning <= now:
            continue
        ringing = select(Case.id).where(
            Case.id.in_([row.subject_id for row in rows]), Case.urgency == Urgency.EMERGENCY, Case.state.in_(ACTIVE)
        )
        emergencies = set(session.scalars(ringing))
        waiting = [row.id for row in rows if row.subject_id not in emergencies]
        session.execute(update(Reminder).where(Reminder.id.in_(waiting)).values(due_at=morning, done_at=None))
        put_off.update(waiting)
    return put_off


def next_due(session: Session) -> datetime | None:
    """When the next thing is due; None when nothing is."""
    return session.scalar(NEXT)


def _cards(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """The gather window is over: the card goes out with the photos that came; one still on its way is waited for."""
    chats.note_private_chats(session, {case.assignee_id for case in cases if case.assignee_id is not None})
    with_files = set(session.scalars(select(File.case_id).where(File.case_id.in_([case.id for case in cases]))))
    plain = []
    for case in cases:
        if case.state != State.ASSIGNED or case.assignee_id is None:
            continue
        if case.id not in with_files:
            plain.append(case)
        elif files.are_waiting(session, case.id) and now - case.opened_at < LONGEST_PHOTO_WAIT:
            reminders.add(session, reminders.CARD, case, due_at=now + PHOTO_WAIT)
        else:
            work.post_cards(session, [case], now=now, file_ids=photos.hand_on(session, case, now=now))
    work.post_cards(session, plain, now=now)


def _late_photos(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """Photos that came after the card had gone out: together, in one message."""
    for case in cases:
        photos.let_go_of_talk(session, case)
        late = photos.hand_on(session, case, now=now)
        if late:
            text = say("cases.card_photo_added", number=case.number)
            telling.to_worker(session, case, text, now=now, file_ids=late)


def _receipts(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """The minute for undoing is over: the button goes."""
    for case in cases:
        row = session.get(Outbox, case.receipt_id) if case.receipt_id else None
        if row is not None and not case.is_private and case.state in (State.OPEN, State.ASSIGNED):
            buttons = receipts.buttons_of(session, case, now=now)
            later = outbox.edit(session, row, receipts.text_of(session, case), now=now, buttons=buttons)
            if later is not None:
                later.priority = Priority.REMINDER


def _joined(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """Neighbours have joined: shown once for all who came meanwhile."""
    for case in cases:
        work.refresh(session, case, now=now)
        joined.show(session, case, now=now)


def _join_settled(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """The minute for parting again is over: the button goes."""
    for case in cases:
        row = session.get(Outbox, case.receipt_id) if case.receipt_id else None
        if row is not None and not case.is_private and joined.was_under_receipt(session, case, now=now):
            buttons = receipts.buttons_of(session, case, now=now)
            outbox.edit(session, row, receipts.text_of(session, case), now=now, buttons=buttons)
        joined.show(session, case, now=now)


def _near(session: Session, case_ids: Sequence[int], now: datetime) -> None:
    """A word before the deadline, and the next one when it has passed. Thousands come due in one minute of a morning: columns
    instead of objects, one statement for all of a kind, and no row that anybody reads back."""
    if not case_ids:
        return
    cases = session.connection().execute(NEAR, {"ids": case_ids}).all()
    worker_chats = _worker_chats(session, {(worker, origin) for *_, origin, worker, _ in cases})
    for key, community_id, number, kind, topic, place, state, origin, worker, deadline in cases:
        assert deadline is not None  # asked for above
        due_at = max(deadline, now)
        reminders.add_later(session, reminders.DEADLINE_OVER, community_id=community_id, subject_id=key, due_at=due_at)
        chat = worker_chats.get((worker, origin))
        # Put off over the night, the deadline may have passed: then the next word says so.
        if chat is not None and state in WITH_WORKER and deadline > now:
            what = words.what_of(kind, topic, place)
            text = say("cases.remind_near", number=number, what=what, left=words.left(now, deadline))
            outbox.post(session, chat, text, now=now, priority=Priority.REMINDER, case_id=key, person_id=worker)


def _over(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """Past the deadline: the worker is reminded and the desk is told, once; the history says so."""
    worker_chats = _worker_chats(session, {(case.assignee_id, case.chat_id) for case in cases})
    for case in cases:
        if case.state not in ACTIVE or case.deadline_at is None:
            continue
        deadline, what = words.moment(case.deadline_at), words.what(case)
        if (chat := worker_chats.get((case.assignee_id, case.chat_id))) is not None:
            text = say("cases.remind_over", number=case.number, what=what, deadline=deadline)
            outbox.post(
                session, chat, text, now=now, priority=Priority.REMINDER, case_id=case.id, person_id=case.assignee_id
            )
        take_step(session, case, Step.ESCALATE, now=now, data={"why": "deadline"})
        worker, state = words.worker_name(session, case), STATE_NAMES[State(case.state)]
        text = say(
            "cases.remind_over_desk",
            number=case.number,
            what=words.what_for_staff(case),
            deadline=deadline,
            worker=worker,
            state=state,
        )
        telling.to_desk(session, case, text, now=now)


def _worker_chats(session: Session, pairs: Collection[Holder]) -> dict[Holder, Chat]:
    """(worker, chat the case came by) → the private chat with the worker, on the same channel if they can be reached there."""
    open_chats = chats.private_chats_of(session, {worker for worker, _ in pairs if worker is not None})
    origins = {origin for _, origin in pairs if origin is not None}
    came_by = session.execute(select(Chat.id, Chat.channel).where(Chat.id.in_(origins)))
    channels = {row.id: row.channel for row in came_by}
    found = {}
    for worker, origin in pairs:
        mine = open_chats.get(worker or 0, [])
        preferred = channels.get(origin or 0, "")
        if mine:
            found[worker, origin] = next((chat for chat in mine if chat.channel == preferred), mine[0])
    return found


def _nudges(session: Session, cases: Sequence[Case], now: datetime) -> None:
    for case in cases:
        if case.state == State.FINISHED:
            text = say("cases.rate_nudge", number=case.number)
            telling.to_reporter(session, case, text, now=now, buttons=words.rating_buttons(case))


def _unrated(session: Session, cases: Sequence[Case], now: datetime) -> None:
    """Nobody answered for days: closed, which is not the same as satisfied."""
    for case in cases:
        if case.state == State.FINISHED:
            was_asked = telling.reach(session, case) == telling.Reach.CHAT
            take_step(session, case, Step.CLOSE, now=now, data={"why": "unrated" if was_asked else "unasked"})
            case.closed_at, case.rating = now, None
            work.refresh(session, case, now=now)


# All but DEADLINE_NEAR, which works on columns.
RULES: dict[str, Callable[[Session, Sequence[Case], datetime], None]] = {
    reminders.CARD: _cards,
    reminders.PHOTOS: _late_photos,
    reminders.RECEIPT_SETTLED: _receipts,
    reminders.JOINED: _joined,
    reminders.JOIN_SETTLED: _join_settled,
    reminders.DEADLINE_OVER: _over,
    reminders.EMERGENCY: calls.call_out,
    reminders.RATING_NUDGE: _nudges,
    reminders.CLOSE_UNRATED: _unrated,
    reminders.CLAIM_NEAR: claims.warn,
    reminders.CLAIM_OVER: claims.lapse,
    reminders.PROOF: ask_again,
}


def close_gathering(session: Session, *, now: datetime) -> None:
    """Cards and late photos wait no longer (the simulator's `settle`)."""
    session.execute(
        update(Reminder)
        .where(
            Reminder.kind.in_([reminders.CARD, reminders.PHOTOS, reminders.JOINED]),
            Reminder.done_at.is_(None),
            Reminder.due_at > now,
        )
        .values(due_at=now)
    )
