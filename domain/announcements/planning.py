"""When an announcement comes round: a plan made from what staff ask for, and the times of one already planned."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import in_china
from core.errors import Refused
from domain.recurrence import Recurrence, next_after, out_of_quiet, parse_recurrence
from storage.announcements import Announcement, AnnouncementState
from storage.areas import Community

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """First at `first`, then as `rule` says (None: only once), no later than `ends_at`."""

    first: datetime
    rule: Recurrence | None = None
    ends_at: datetime | None = None

    def after(self, moment: datetime) -> datetime | None:
        """The next time later than `moment`; None when the plan is over."""
        found = next_after(self.rule, moment) if self.rule else None
        return None if found is None or (self.ends_at and found > self.ends_at) else found


@dataclass(frozen=True, slots=True)
class Turn:
    """What a tick finds due: whether to post it, how many other times went by unused, and when the next one is."""

    is_wanted: bool
    missed: int
    next_due_at: datetime | None


def plan(*, at: datetime | None, recurrence: str | None, now: datetime, ends_at: datetime | None = None) -> Plan:
    """Neither: now. `at` alone: once, then. With a recurrence: each time its words name, none before `at`."""
    # A form knows minutes only: the minute we are in is still now.
    if at is not None and at < now.replace(second=0, microsecond=0):
        raise Refused("announcements.past", when=f"{in_china(at):%Y-%m-%d %H:%M}")
    rule = parse_recurrence(recurrence, now=now) if recurrence and recurrence.strip() else None
    first = at or now
    if rule is not None:
        found = next_after(rule, (at - INSTANT) if at else now)
        if found is None:
            raise Refused("announcements.past", when=str(rule))
        first = found
    if ends_at is not None and first > ends_at:
        raise Refused("announcements.ends_too_early")
    return Plan(first, None if rule is None or rule.is_once else rule, ends_at)


def plan_of(announcement: Announcement) -> Plan | None:
    """The plan of an announcement that has a next time. Refused when its recurrence cannot be read any more."""
    if announcement.next_due_at is None:
        return None
    rule = parse_recurrence(announcement.recurrence) if announcement.recurrence else None
    return Plan(announcement.next_due_at, rule, announcement.ends_at)


def times(plan: Plan, community: Community, *, count: int = 5) -> tuple[datetime, ...]:
    """When the next posts reach people: a time in quiet hours is shown as the end of those."""
    moment: datetime | None = plan.first
    found: list[datetime] = []
    while moment is not None and len(found) < count:
        found.append(out_of_quiet(moment, community.quiet_from, community.quiet_until))
        moment = plan.after(moment)
    return tuple(found)


def next_in_future(announcement: Announcement, now: datetime) -> datetime | None:
    """Its next time later than now, without catching up; None when there is none."""
    planned = plan_of(announcement)
    if planned is None:
        return None
    return planned.first if planned.first > now else planned.after(now)


def turn(announcement: Announcement, now: datetime) -> Turn:
    """However many times went by while nobody looked, one is made good; after the end none is."""
    planned = plan_of(announcement)
    if planned is None:
        return Turn(False, 0, None)
    missed, following = 0, planned.after(planned.first)
    while following is not None and following <= now:
        missed, following = missed + 1, planned.after(following)
    is_wanted = planned.ends_at is None or now <= planned.ends_at
    return Turn(is_wanted, missed if is_wanted else missed + 1, following)


def is_planned(announcement: Announcement) -> bool:
    return announcement.state in (AnnouncementState.SCHEDULED, AnnouncementState.PAUSED)
