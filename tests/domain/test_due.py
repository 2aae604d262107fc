"""What comes due about cases goes to whoever has them, once, however many there are."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from core.messages import ChatKind
from domain import chats, due, outbox, people, reminders
from domain.cases.life import State
from domain.chats import Chat, ChatPurpose, ChatState
from storage.base import Session
from storage.cases import Case
from storage.database import Database
from storage.messages import Outbox
from storage.people import Person, PrivateChat, Role
from storage.reminders import Reminder
from tests import builders
from tests.builders import Place


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """Every statement from here on."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def place(session: Session) -> Place:
    return builders.community(session)


def worker_on(session: Session, place: Place, now: datetime, *channels: str) -> Person:
    """A grid worker who can be written to on these channels."""
    person = builders.person(session, "周敏", Role.GRID_WORKER, place.grid.id)
    for channel in channels:
        key = f"{channel}-{person.id}"
        chat = Chat(
            channel=channel,
            account="bot",
            external_id=key,
            kind=ChatKind.PRIVATE,
            state=ChatState.BOUND,
            purpose=ChatPurpose.PRIVATE,
            person_id=person.id,
            community_id=place.id,
            created_at=now,
        )
        session.add(chat)
        people.link_account(session, person, channel=channel, external_id=key, now=now).private_chat = PrivateChat.OPEN
        session.flush()
    return person


def accepted(session: Session, place: Place, worker: Person, now: datetime, **more: object) -> Case:
    case = builders.case(session, place, now, topic="manhole", **more)  # type: ignore[arg-type]  # passed on as they come
    case.state, case.assignee_id, case.deadline_at = State.ACCEPTED, worker.id, now + timedelta(hours=2, minutes=5)
    session.query(Reminder).delete()
    session.query(Outbox).delete()
    reminders.add(session, reminders.DEADLINE_NEAR, case, due_at=now)
    session.flush()
    return case


def run(session: Session, now: datetime) -> int:
    done = due.run_due(session, now=now)
    session.flush()
    return done


def test_worker_is_reminded_before_the_deadline_once(session: Session, place: Place, now: datetime) -> None:
    worker = worker_on(session, place, now, "telegram")
    case = accepted(session, place, worker, now)
    assert [run(session, now), run(session, now)] == [1, 0]
    chat = chats.private_chat_of(session, worker.id)
    assert chat is not None
    posts = session.scalars(select(Outbox)).all()
    assert [(post.chat_id, post.text, post.priority, post.case_id, post.person_id) for post in posts] == [
        (
            chat.id,
            f"提醒：{case.number}（井盖 · 3号楼门口）还有 2 小时到时限。",
            outbox.Priority.REMINDER,
            case.id,
            worker.id,
        )
    ]
    open_reminders = session.scalars(select(Reminder).where(Reminder.done_at.is_(None))).all()
    assert [(one.kind, one.subject_id, one.due_at) for one in open_reminders] == [
        (reminders.DEADLINE_OVER, case.id, case.deadline_at)
    ]


def test_worker_is_reminded_on_the_channel_of_the_case(session: Session, place: Place, now: datetime) -> None:
    worker = worker_on(session, place, now, "console", "telegram")
    group = Chat(
        channel="telegram",
        account="bot",
        external_id="g",
        kind=ChatKind.GROUP,
        state=ChatState.BOUND,
        community_id=place.id,
        created_at=now,
    )
    session.add(group)
    session.flush()
    accepted(session, place, worker, now, chat=group)
    run(session, now)
    reached = session.scalars(select(Chat.channel).join(Outbox, Outbox.chat_id == Chat.id)).all()
    assert reached == ["telegram"]


@pytest.mark.parametrize("state", [State.CLOSED, State.FINISHED])
def test_nobody_is_reminded_of_what_is_done(session: Session, place: Place, now: datetime, state: State) -> None:
    case = accepted(session, place, worker_on(session, place, now, "telegram"), now)
    case.state = state
    session.flush()
    assert run(session, now) == 1
    assert session.scalars(select(Outbox)).all() == []


def test_a_worker_out_of_reach_still_comes_to_the_deadline(session: Session, place: Place, now: datetime) -> None:
    case = accepted(session, place, worker_on(session, place, now), now)
    run(session, now)
    assert session.scalars(select(Outbox)).all() == []
    kinds = session.scalars(select(Reminder.kind).where(Reminder.done_at.is_(None), Reminder.subject_id == case.id))
    assert kinds.all() == [reminders.DEADLINE_OVER]


def test_many_need_no_more_statements_than_few(
    session: Session, place: Place, now: datetime, statements: list[str]
) -> None:
    worker = worker_on(session, place, now, "telegram")
    counts = []
    for count in (3, 30):
        cases = [accepted(session, place, worker, now) for _ in range(count)]
        session.query(Reminder).delete()
        for case in cases:
            reminders.add(session, reminders.DEADLINE_NEAR, case, due_at=now)
        session.flush()
        statements.clear()
        assert run(session, now) == count
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 9
