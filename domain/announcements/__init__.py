"""Announcements: writing one, planning when it comes round, whom it reaches, and posting what is due.

When a rule comes round is domain/recurrence's matter, carrying the posts to the platforms is the sender's.
"""

from domain.announcements.life import (
    LONGEST_TEXT,
    STATE_NAMES,
    announcement_of,
    announcements_of,
    cancel,
    change,
    draft,
    may,
    pause,
    resume,
    schedule,
)
from domain.announcements.planning import Plan, plan, times
from domain.announcements.posting import Deliveries, Failure, deliveries, next_due, post_due, runs
from domain.announcements.targets import Preview, preview, targets
from storage.announcements import Announcement, AnnouncementRun, AnnouncementState

__all__ = [
    "LONGEST_TEXT",
    "STATE_NAMES",
    "Announcement",
    "AnnouncementRun",
    "AnnouncementState",
    "Deliveries",
    "Failure",
    "Plan",
    "Preview",
    "announcement_of",
    "announcements_of",
    "cancel",
    "change",
    "deliveries",
    "draft",
    "may",
    "next_due",
    "pause",
    "plan",
    "post_due",
    "preview",
    "resume",
    "runs",
    "schedule",
    "targets",
    "times",
]
