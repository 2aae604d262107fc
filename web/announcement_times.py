"""An announcement's times in words: its rule, what comes next, and what is true of it after a step was taken."""

from datetime import datetime

from core.errors import Refused
from core.texts import Sentence
from domain import announcements
from domain.announcements import Announcement, AnnouncementState
from domain.outbox import Session
from domain.recurrence import describe, parse_recurrence
from web.rendering import china_time


def rule_words(announcement: Announcement) -> str:
    """Its recurrence in plain words; as it is stored, when it cannot be read any more."""
    if not announcement.recurrence:
        return ""
    try:
        return describe(parse_recurrence(announcement.recurrence))
    except Refused:
        return announcement.recurrence


def preview_of(session: Session, announcement: Announcement, now: datetime) -> announcements.Preview | None:
    """None when its recurrence cannot be read any more."""
    try:
        return announcements.preview(session, announcement, now=now)
    except Refused:
        return None


def next_words(session: Session, announcement: Announcement, *, now: datetime) -> str:
    """When people get it next: at night that is in the morning."""
    preview = preview_of(session, announcement, now)
    return china_time(preview.times[0] if preview and preview.times else None, now=now)


def said_when_scheduled(session: Session, announcement: Announcement, *, is_now: bool, now: datetime) -> Sentence:
    """Whether it goes out at once, once or again and again, and when people will have it."""
    preview = preview_of(session, announcement, now)
    if is_now and preview and preview.times and preview.times[0] <= now:
        return Sentence("announcements.goes_out")
    kind = "after_quiet" if is_now else "scheduled_again" if announcement.recurrence else "scheduled_once"
    return Sentence(f"announcements.{kind}", {"when": next_words(session, announcement, now=now)})


# After a change of content: what it is good for depends on what is still to come.
SAVED = {
    AnnouncementState.DRAFT: "announcements.saved_draft",
    AnnouncementState.SCHEDULED: "announcements.saved_planned",
    AnnouncementState.PAUSED: "announcements.saved_paused",
    AnnouncementState.DONE: "announcements.saved_waiting",
}


def said_after(session: Session, announcement: Announcement, step: str, *, now: datetime) -> Sentence:
    """What a step has brought about."""
    if step == "change":
        state = AnnouncementState(announcement.state)
        is_planned = state == AnnouncementState.SCHEDULED
        return Sentence(SAVED[state], {"when": next_words(session, announcement, now=now)} if is_planned else {})
    if step == "resume":
        return Sentence("announcements.resumed", {"when": next_words(session, announcement, now=now)})
    return Sentence({"pause": "announcements.paused", "cancel": "announcements.cancelled"}[step])
