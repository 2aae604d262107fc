"""What must happen to the rows of a backup before the program goes on with them: no number twice, no notice twice, nobody let in by an old link."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from core.clock import in_china
from core.errors import Refused
from core.messages import OutgoingAction
from domain import accounts, due
from domain.announcements.planning import next_in_future
from domain.numbers import PREFIXES
from storage.access import SignInLink, WebSession
from storage.announcements import Announcement, AnnouncementState
from storage.areas import Community, Counter
from storage.base import Session
from storage.customer_groups import PostTask, PostTaskState
from storage.messages import Outbox, OutboxState

# More than any community gives of one kind on one day: what was given after the backup was made is not known any more.
AHEAD = 1000
REASON = "restored"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: messages held for a look, announcements moved to their next time, and by how much numbers jump."""

    held: int
    announcements: int
    ahead: int = AHEAD


def settle(session: Session, *, now: datetime, detail: dict[str, str]) -> Restored:
    """Makes a restored database safe to go on with, and writes that down.

    What fell due since the backup is worked first, so that cases stand as they should; everything it wanted to say is then
    held with the rest, because nobody knows what of it had been said.
    """
    # What one reminder leaves may be due at once.
    while due.run_due(session, now=now):
        session.flush()
    moved = _move_announcements(session, now)
    held = _hold_outbox(session)
    _doubt_tasks(session)
    _move_counters(session, now)
    _close_doors(session, now)
    done = Restored(held, moved)
    figures = {"held": held, "announcements": moved, "ahead": AHEAD}
    accounts.audit(session, person_id=None, act="backup.restore", now=now, detail={**detail, **figures})
    return done


def _hold_outbox(session: Session) -> int:
    """Staff see them as held, and send or drop each. The answer to a press is of no use to anybody by now."""
    waiting = Outbox.state.in_([OutboxState.QUEUED, OutboxState.SENDING])
    session.execute(
        update(Outbox)
        .where(waiting, Outbox.action == OutgoingAction.ANSWER_PRESS)
        .values(state=OutboxState.DROPPED, error=REASON, lease_until=None)
    )
    held = session.execute(update(Outbox).where(waiting).values(state=OutboxState.HELD, error=REASON, lease_until=None))
    return int(getattr(held, "rowcount", 0))


def _doubt_tasks(session: Session) -> None:
    """A task that had not been made when the backup was may have been since: it is looked for first."""
    session.execute(
        update(PostTask)
        .where(PostTask.state == PostTaskState.MAKING)
        .values(is_doubtful=True, tried_at=PostTask.made_at, lease_until=None)
    )


def _move_announcements(session: Session, now: datetime) -> int:
    """A time that has passed is not made good: it may have been posted before the restore."""
    query = select(Announcement).where(
        Announcement.state == AnnouncementState.SCHEDULED, Announcement.next_due_at <= now
    )
    passed = session.scalars(query).all()
    for announcement in passed:
        try:
            following = next_in_future(announcement, now)
            state = AnnouncementState.SCHEDULED if following else AnnouncementState.DONE
        except Refused:
            following, state = None, AnnouncementState.PAUSED
        announcement.next_due_at, announcement.state = following, state
    session.flush()
    return len(passed)


def _move_counters(session: Session, now: datetime) -> None:
    """Today's counters jump ahead, also those that the backup does not know yet; other days give no numbers any more."""
    day = in_china(now).strftime("%Y%m%d")
    known = {
        (counter.community_id, counter.prefix): counter
        for counter in session.scalars(select(Counter).where(Counter.day == day))
    }
    for community_id in session.scalars(select(Community.id)).all():
        for prefix in PREFIXES.values():
            counter = known.get((community_id, prefix))
            if counter is None:
                session.add(Counter(community_id=community_id, day=day, prefix=prefix, last=AHEAD))
            else:
                counter.last += AHEAD
    session.flush()


def _close_doors(session: Session, now: datetime) -> None:
    """Links that were used and sessions that were revoked after the backup would be good again."""
    session.execute(update(SignInLink).where(SignInLink.used_at.is_(None)).values(used_at=now))
    session.execute(update(WebSession).where(WebSession.revoked_at.is_(None)).values(revoked_at=now))
