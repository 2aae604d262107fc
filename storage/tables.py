"""All tables by one import, for migrations and tests."""

from storage import (  # noqa: F401 - each brings its tables along
    access,
    announcements,
    areas,
    cases,
    chats,
    claims,
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

metadata = Base.metadata
