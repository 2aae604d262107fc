"""An announcement's life: written, changed, planned, paused, taken back. What it says and to whom is checked here."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm.exc import StaleDataError

from core.errors import Refused
from core.ids import new_id
from core.messages import ChatKind
from core.texts import say
from domain import conventions
from domain.announcements.planning import next_in_future, plan
from domain.customer_groups.showing import cancel_all
from storage.announcements import Announcement, AnnouncementRun, AnnouncementState
from storage.areas import Area
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.messages import File, Outbox, OutboxState
from storage.people import Role

LONGEST_TITLE = 60
LONGEST_TEXT = 4096  # of the whole post, in UTF-16 units, as the strictest channel counts

STATE_NAMES = {
    AnnouncementState.DRAFT: "草稿",
    AnnouncementState.SCHEDULED: "已排期",
    AnnouncementState.PAUSED: "已暂停",
    AnnouncementState.DONE: "已发完",
    AnnouncementState.CANCELLED: "已取消",
}


class Step(StrEnum):
    CHANGE = "change"
    SCHEDULE = "schedule"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


STEP_NAMES = {
    Step.CHANGE: "修改",
    Step.SCHEDULE: "安排发送",
    Step.PAUSE: "暂停",
    Step.RESUME: "恢复",
    Step.CANCEL: "取消",
}
OPEN = frozenset({AnnouncementState.DRAFT, AnnouncementState.SCHEDULED, AnnouncementState.PAUSED})
ROLES = frozenset(Role)
# From which states a step may be taken.
STEPS = {
    Step.CHANGE: OPEN,
    Step.SCHEDULE: OPEN | {AnnouncementState.DONE},
    Step.PAUSE: frozenset({AnnouncementState.SCHEDULED}),
    Step.RESUME: frozenset({AnnouncementState.PAUSED}),
    Step.CANCEL: OPEN,
}
# What is done but has posts that still wait (quiet hours, limits) can be corrected or stopped for those.
WHILE_WAITING = frozenset({Step.CHANGE, Step.CANCEL})


def may(session: Session, announcement: Announcement, step: Step) -> bool:
    """Whether the step can be taken from where the announcement stands."""
    if announcement.state in STEPS[step]:
        return True
    is_done = announcement.state == AnnouncementState.DONE
    return is_done and step in WHILE_WAITING and _has_waiting(session, announcement)


def announcement_of(session: Session, community_id: int, announcement_id: int) -> Announcement:
    """An announcement of this community; one of another community is refused like one that is not there."""
    announcement = session.get(Announcement, announcement_id)
    if announcement is None or announcement.community_id != community_id:
        raise Refused("announcements.not_found")
    return announcement


def announcements_of(session: Session, community_id: int, *, limit: int = 200) -> Sequence[Announcement]:
    """A community's announcements, newest first."""
    query = select(Announcement).where(Announcement.community_id == community_id)
    return session.scalars(query.order_by(Announcement.id.desc()).limit(limit)).all()


def draft(  # noqa: PLR0913 - one row, one call: each is a column
    session: Session,
    *,
    community_id: int,
    title: str,
    text: str,
    area_ids: Sequence[int],
    chat_ids: Sequence[int],
    roles: Sequence[str],
    file_ids: Sequence[int],
    by: int | None,
    now: datetime,
    is_clause_rotation: bool = False,
) -> Announcement:
    """A new announcement that nobody gets before it is scheduled. A rotation needs no text: it posts clauses."""
    announcement = Announcement(
        id=new_id(),
        community_id=community_id,
        is_clause_rotation=is_clause_rotation,
        state=AnnouncementState.DRAFT,
        created_at=now,
        created_by_id=by,
    )
    _fill(announcement, title=title, text=text, file_ids=file_ids)
    _aim(announcement, area_ids=area_ids, chat_ids=chat_ids, roles=roles)
    _check(session, announcement)
    session.add(announcement)
    session.flush()
    return announcement


def change(  # noqa: PLR0913 - one row, one call: each is a column
    session: Session,
    announcement: Announcement,
    *,
    version: int,
    title: str,
    text: str,
    area_ids: Sequence[int],
    chat_ids: Sequence[int],
    roles: Sequence[str],
    file_ids: Sequence[int],
) -> None:
    """New content for every later post, and for posts that still wait. `version` is that of the page: a stale one is refused."""
    _require(session, announcement, Step.CHANGE)
    if announcement.version != version:
        raise Refused("announcements.stale")
    _fill(announcement, title=title, text=text, file_ids=file_ids)
    _aim(announcement, area_ids=area_ids, chat_ids=chat_ids, roles=roles)
    _check(session, announcement)
    _save(session, "announcements.stale")
    if not announcement.is_clause_rotation:
        waiting = {"text": compose(announcement), "attachment_ids": announcement.file_ids}
        session.execute(update(Outbox).where(*_waiting(announcement)).values(waiting))


def schedule(
    session: Session,
    announcement: Announcement,
    *,
    at: datetime | None,
    recurrence: str | None,
    now: datetime,
    ends_at: datetime | None = None,
) -> None:
    """Goes out at once, at `at`, or as the words of `recurrence` say (none before `at`, none after `ends_at`)."""
    _require(session, announcement, Step.SCHEDULE)
    if not (announcement.area_ids or announcement.chat_ids or announcement.roles):
        raise Refused("announcements.no_targets")
    if announcement.is_clause_rotation and conventions.next_clause(session, announcement.community_id) is None:
        raise Refused("conventions.no_clause")
    planned = plan(at=at, recurrence=recurrence, now=now, ends_at=ends_at)
    announcement.state = AnnouncementState.SCHEDULED
    announcement.next_due_at = planned.first
    announcement.recurrence = str(planned.rule) if planned.rule else None
    announcement.ends_at = ends_at
    _save(session)


def pause(session: Session, announcement: Announcement) -> None:
    """Nothing of it goes out until it is resumed; posts that still wait are dropped."""
    _require(session, announcement, Step.PAUSE)
    announcement.state = AnnouncementState.PAUSED
    _save(session)
    _drop_waiting(session, announcement)


def resume(session: Session, announcement: Announcement, *, now: datetime) -> None:
    """Goes on with its next time in the future; what fell into the pause is not made up for."""
    _require(session, announcement, Step.RESUME)
    following = next_in_future(announcement, now)
    if following is None:
        raise Refused("announcements.missed_while_paused")
    announcement.state = AnnouncementState.SCHEDULED
    announcement.next_due_at = following
    _save(session)


def cancel(session: Session, announcement: Announcement) -> None:
    """Never goes out again; posts that still wait are dropped. What was sent stays."""
    _require(session, announcement, Step.CANCEL)
    announcement.state = AnnouncementState.CANCELLED
    announcement.next_due_at = None
    _save(session)
    _drop_waiting(session, announcement)


def compose(announcement: Announcement) -> str:
    """The post, as staff wrote it: the title as a heading, left out where the text begins with it anyway."""
    title, text = announcement.title, announcement.text
    heading = say("announcements.post_title_only", title=title)
    if text.startswith((title, heading)):
        return text
    return say("announcements.post", title=title, text=text) if text else heading


def _fill(announcement: Announcement, *, title: str, text: str, file_ids: Sequence[int]) -> None:
    announcement.title = " ".join(title.split())
    # Full-width blanks before the first paragraph are wanted; empty lines around the text are not.
    announcement.text = text.replace("\r\n", "\n").strip("\n").rstrip()
    announcement.file_ids = _keys(file_ids)


def _aim(announcement: Announcement, *, area_ids: Sequence[int], chat_ids: Sequence[int], roles: Sequence[str]) -> None:
    announcement.area_ids = _keys(area_ids)
    announcement.chat_ids = _keys(chat_ids)
    announcement.roles = list(dict.fromkeys(roles))


def _keys(ids: Sequence[int]) -> list[str]:
    return [str(key) for key in dict.fromkeys(ids)]


def _check(session: Session, announcement: Announcement) -> None:
    if not announcement.title or len(announcement.title) > LONGEST_TITLE:
        raise Refused("announcements.title_missing", most=LONGEST_TITLE)
    is_seen = any(letter.isprintable() and not letter.isspace() for letter in announcement.text)
    if not is_seen and not announcement.file_ids and not announcement.is_clause_rotation:
        raise Refused("announcements.text_empty")
    length = len(compose(announcement).encode("utf-16-le", "surrogatepass")) // 2
    if length > LONGEST_TEXT:
        raise Refused("announcements.text_too_long", most=LONGEST_TEXT, count=length)
    for role in announcement.roles:
        if role not in ROLES:
            raise Refused("announcements.role_unknown", role=role)
    here = announcement.community_id
    _check_known(session, "area", Area.id, announcement.area_ids, Area.community_id == here, Area.removed_at.is_(None))
    _check_known(
        session,
        "chat",
        Chat.id,
        announcement.chat_ids,
        Chat.community_id == here,
        Chat.kind == ChatKind.GROUP,
        Chat.state == ChatState.BOUND,
    )
    _check_known(session, "file", File.id, announcement.file_ids, File.community_id == here)


def _check_known(
    session: Session, what: str, key: InstrumentedAttribute[int], ids: Sequence[str], *conditions: ColumnElement[bool]
) -> None:
    if not ids:
        return
    query = select(func.count()).where(key.in_([int(each) for each in ids]), *conditions)
    if session.scalar(query) != len(ids):
        raise Refused(f"announcements.{what}_unknown")


def _require(session: Session, announcement: Announcement, step: Step) -> None:
    if not may(session, announcement, step):
        state = STATE_NAMES[AnnouncementState(announcement.state)]
        raise Refused("announcements.step_not_allowed", state=state, step=STEP_NAMES[step])


def _save(session: Session, key: str = "announcements.changed_meanwhile") -> None:
    """Writes now, so that somebody else's write in between is met here and not at the commit. `key`: what they are told then."""
    try:
        session.flush()
    except StaleDataError:
        raise Refused(key) from None


def _waiting(announcement: Announcement) -> tuple[ColumnElement[bool], ...]:
    of_announcement = select(AnnouncementRun.id).where(AnnouncementRun.announcement_id == announcement.id)
    return Outbox.run_id.in_(of_announcement), Outbox.state == OutboxState.QUEUED


def _has_waiting(session: Session, announcement: Announcement) -> bool:
    of_announcement, _ = _waiting(announcement)
    unsent = Outbox.state.in_([OutboxState.QUEUED, OutboxState.WITH_PERSON])
    return session.scalar(select(Outbox.id).where(of_announcement, unsent).limit(1)) is not None


def _drop_waiting(session: Session, announcement: Announcement) -> None:
    """What an owner of groups has in hand is taken back from them; bot/handing.py does it, and drops it then."""
    session.execute(update(Outbox).where(*_waiting(announcement)).values(state=OutboxState.DROPPED))
    cancel_all(session, announcement)
