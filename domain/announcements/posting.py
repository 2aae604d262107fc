"""Posting what is due: one claim, one statement for all chats; and what became of a posting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, String, cast, func, insert, literal, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from core.clock import in_china
from core.errors import Refused
from core.ids import BLOCK_ROW, BLOCK_STRIDE, new_id
from core.messages import OutgoingAction
from domain import conventions
from domain.announcements.life import compose
from domain.announcements.planning import Turn, turn
from domain.announcements.targets import are_targets
from domain.recurrence import out_of_quiet
from storage.announcements import Announcement, AnnouncementRun, AnnouncementState
from storage.areas import Community
from storage.base import Session
from storage.chats import Chat
from storage.messages import Outbox, OutboxState, Priority

BATCH = 20
# What staff should look at: nobody got it, or nobody knows.
FAILED = (OutboxState.HELD, OutboxState.GIVEN_UP)
# Written out, not bound: only so does the index of what is scheduled serve.
IS_SCHEDULED = Announcement.state == literal(AnnouncementState.SCHEDULED.value, literal_execute=True)
NEXT = select(func.min(Announcement.next_due_at)).where(IS_SCHEDULED)


@dataclass(frozen=True, slots=True)
class Failure:
    """A chat that a posting did not reach, and why."""

    outbox_id: int
    chat_id: int
    chat_title: str
    state: OutboxState
    reason: str


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How many posts of a run stand where, and those that failed."""

    counts: Mapping[OutboxState, int]
    failed: tuple[Failure, ...]


def post_due(session: Session, now: datetime, *, limit: int = BATCH) -> int:
    """Posts the announcements that are due, at most `limit`; returns how many. Two ticks at once post a thing once."""
    query = (
        select(Announcement)
        .where(IS_SCHEDULED, Announcement.next_due_at <= now)
        .order_by(Announcement.next_due_at, Announcement.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return sum(_take_turn(session, announcement, now) for announcement in session.scalars(query).all())


def next_due(session: Session) -> datetime | None:
    """When the next announcement is due; None when none is scheduled."""
    return session.scalar(NEXT)


def runs(session: Session, announcement: Announcement, *, limit: int = 50) -> Sequence[AnnouncementRun]:
    """Its postings, newest first."""
    query = select(AnnouncementRun).where(AnnouncementRun.announcement_id == announcement.id)
    return session.scalars(query.order_by(AnnouncementRun.due_at.desc()).limit(limit)).all()


def deliveries(session: Session, run: AnnouncementRun, *, limit: int = 200) -> Deliveries:
    """What became of a posting; at most `limit` of the failed ones."""
    counted = select(Outbox.state, func.count()).where(Outbox.run_id == run.id).group_by(Outbox.state)
    failed = (
        select(Outbox.id, Outbox.chat_id, Chat.title, Outbox.state, Outbox.error)
        .join(Chat, Chat.id == Outbox.chat_id)
        .where(Outbox.run_id == run.id, Outbox.state.in_(FAILED))
        .order_by(Outbox.id)
        .limit(limit)
    )
    return Deliveries(
        counts={OutboxState(state): count for state, count in session.execute(counted)},
        failed=tuple(
            Failure(key, chat_id, title, OutboxState(state), error or "")
            for key, chat_id, title, state, error in session.execute(failed)
        ),
    )


def _take_turn(session: Session, announcement: Announcement, now: datetime) -> bool:
    """Posts what is due, once, and sets the next time; True when something was posted."""
    try:
        found = turn(announcement, now)
    except Refused:
        # A rule that cannot be read must not stop the others: staff see it paused and choose a time anew.
        _advance(session, announcement, AnnouncementState.PAUSED, None)
        return False
    run = _claim(session, announcement, found, now)
    is_posted = run is not None and found.is_wanted
    if run is not None and is_posted:
        _post(session, announcement, run, now)
    state = AnnouncementState.SCHEDULED if found.next_due_at else AnnouncementState.DONE
    _advance(session, announcement, state, found.next_due_at)
    return is_posted


def _claim(session: Session, announcement: Announcement, found: Turn, now: datetime) -> AnnouncementRun | None:
    """The run of this due time, or None when somebody has it already."""
    run = AnnouncementRun(
        id=new_id(),
        community_id=announcement.community_id,
        announcement_id=announcement.id,
        due_at=announcement.next_due_at,
        ran_at=now,
        targets=0,
        missed=found.missed,
    )
    try:
        with session.begin_nested():
            session.add(run)
            session.flush()
    except IntegrityError:
        return None
    return run


def _advance(
    session: Session, announcement: Announcement, state: AnnouncementState, next_due_at: datetime | None
) -> None:
    """Not a change of content: the version stays, so that a page opened before a posting can still be saved after it."""
    session.execute(
        update(Announcement).where(Announcement.id == announcement.id).values(state=state, next_due_at=next_due_at)
    )


def _post(session: Session, announcement: Announcement, run: AnnouncementRun, now: datetime) -> None:
    if not announcement.is_clause_rotation:
        run.targets = _leave_rows(session, announcement, run, compose(announcement))
    elif (clause := conventions.next_clause(session, announcement.community_id)) is not None:
        run.clause_id = clause.id
        run.targets = _leave_rows(session, announcement, run, conventions.post_text(session, clause))
        # A clause that reached nobody keeps its turn.
        clause.last_posted_at = now if run.targets else clause.last_posted_at
    session.flush()


def _leave_rows(session: Session, announcement: Announcement, run: AnnouncementRun, text: str) -> int:
    """One outbox row for each target, in one statement however many there are; returns how many.

    A city's groups by the row would take seconds, in which nothing else could be written.
    """
    community = session.get_one(Community, announcement.community_id)
    are_wanted = are_targets(announcement, in_china(run.ran_at).date())
    count = session.scalar(select(func.count()).select_from(Chat).where(are_wanted)) or 0
    place = type_coerce(func.row_number().over(order_by=Chat.id), BigInteger) - 1
    due_at = out_of_quiet(run.ran_at, community.quiet_from, community.quiet_until)
    columns: dict[InstrumentedAttribute[Any], ColumnElement[Any] | InstrumentedAttribute[Any]] = {
        Outbox.id: _number(new_id.block(count)) + place // BLOCK_ROW * BLOCK_STRIDE + place % BLOCK_ROW,
        Outbox.community_id: _number(run.community_id),
        Outbox.chat_id: Chat.id,
        Outbox.person_id: Chat.person_id,
        Outbox.action: literal(OutgoingAction.SEND.value),
        Outbox.text: literal(text),
        Outbox.attachment_ids: literal(announcement.file_ids, Outbox.attachment_ids.type),
        Outbox.priority: _number(Priority.ANNOUNCEMENT),
        Outbox.state: literal(OutboxState.QUEUED.value),
        Outbox.due_at: literal(due_at, Outbox.due_at.type),
        Outbox.run_id: _number(run.id),
        Outbox.dedupe_key: literal(f"run:{run.id}:") + cast(Chat.id, String),
        Outbox.created_at: literal(run.ran_at, Outbox.created_at.type),
    }
    # No more rows than keys: a group bound this very moment by another process has to do without.
    rows = select(*columns.values()).where(are_wanted).order_by(Chat.id).limit(count)
    session.execute(insert(Outbox).from_select(list(columns), rows))
    return count


def _number(value: int) -> ColumnElement[int]:
    """A whole number of 64 bits: PostgreSQL takes a bare one for 32."""
    return literal(int(value), BigInteger)
