"""All tables by one import, for migrations and tests."""

from storage import (
    access,
    announcements,
    areas,
    cases,
    chats,
    colleagues,
    conventions,
    customer_groups,
    messages,
    people,
    phone_tasks,
    reminders,
    understanding,
)
from storage.base import Base

MODULES = (
    access,
    announcements,
    areas,
    cases,
    chats,
    colleagues,
    conventions,
    customer_groups,
    messages,
    people,
    phone_tasks,
    reminders,
    understanding,
)
metadata = Base.metadata
