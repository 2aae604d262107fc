"""Announcements at a glance: when all of a community come round in a span of days, and what became of many postings at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.errors import Refused
from domain.announcements.planning import plan_of
from domain.recurrence import out_of_quiet
from storage.announcements import Announcement, AnnouncementRun, AnnouncementState
from storage.areas import Community
from storage.base import Session
from storage.messages import Outbox, OutboxState

MOST_TIMES = 100  # of one announcement in one span


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A time at which an announcement reaches people, or has gone out."""

    at: datetime
    announcement_id: int
    title: str
    is_past: bool


def occurrences(
    session: Session, community_id: int, *, since: datetime, until: datetime, now: datetime
) -> list[Occurrence]:
    """Everything posted or still to be posted from `since` until before `until`, in order. Paused announcements are left out."""
    found = [*_past(session, community_id, since, until), *_coming(session, community_id, since, until, now)]
    return sorted(found, key=lambda each: (each.at, each.announcement_id))


def _past(session: Session, community_id: int, since: datetime, until: datetime) -> list[Occurrence]:
    query = (
        select(AnnouncementRun.ran_at, Announcement.id, Announcement.title)
        .join(Announcement, Announcement.id == AnnouncementRun.announcement_id)
        .where(
            AnnouncementRun.community_id == community_id,
            AnnouncementRun.ran_at >= since,
            AnnouncementRun.ran_at < until,
        )
    )
    return [Occurrence(at, key, title, True) for at, key, title in session.execute(query)]


def _coming(session: Session, community_id: int, since: datetime, until: datetime, now: datetime) -> list[Occurrence]:
    community = session.get_one(Community, community_id)
    query = select(Announcement).where(
        Announcement.community_id == community_id,
        Announcement.state == AnnouncementState.SCHEDULED,
        Announcement.next_due_at < until,
    )
    found = []
    for announcement in session.scalars(query):
        try:
            plan = plan_of(announcement)
        except Refused:
            continue  # its page says that its rule cannot be read
        moment = plan.first if plan else None
        for _ in range(MOST_TIMES):
            if plan is None or moment is None or moment >= until:
                break
            at = out_of_quiet(max(moment, now), community.quiet_from, community.quiet_until)
            if since <= at < until:
                found.append(Occurrence(at, announcement.id, announcement.title, False))
            # Times that went by unused are made good once, not one by one.
            moment = plan.after(max(moment, now))
    return found


def run_of(session: Session, announcement: Announcement, run_id: int) -> AnnouncementRun:
    """A posting of this announcement; any other is refused like one that is not there."""
    run = session.get(AnnouncementRun, run_id)
    if run is None or run.announcement_id != announcement.id:
        raise Refused("announcements.run_not_found")
    return run


def counts_of(session: Session, runs: Sequence[AnnouncementRun]) -> dict[int, dict[OutboxState, int]]:
    """How many posts of each run stand where, in one statement. What retention has deleted is counted no more."""
    found: dict[int, dict[OutboxState, int]] = {run.id: {} for run in runs}
    query = (
        select(Outbox.run_id, Outbox.state, func.count())
        .where(Outbox.run_id.in_(found))
        .group_by(Outbox.run_id, Outbox.state)
    )
    for run_id, state, count in session.execute(query):
        if run_id is not None:
            found[run_id][OutboxState(state)] = count
    return found


def rotation_of(session: Session, community_id: int) -> Announcement | None:
    """The community's rotation of clauses that is planned or paused; the newest, should there be several."""
    query = (
        select(Announcement)
        .where(
            Announcement.community_id == community_id,
            Announcement.is_clause_rotation.is_(True),
            Announcement.state.in_([AnnouncementState.SCHEDULED, AnnouncementState.PAUSED]),
        )
        .order_by(Announcement.id.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()
