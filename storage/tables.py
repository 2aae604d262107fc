"""All tables by one import, for migrations and tests."""

from storage import access, announcements, areas, cases, chats, conventions, messages, people, reminders
from storage.base import Base

MODULES = (access, announcements, areas, cases, chats, conventions, messages, people, reminders)
metadata = Base.metadata
