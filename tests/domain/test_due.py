"""What comes due about cases goes to whoever has them, once, however many there are."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from core.messages import ChatKind, Urgency
from domain import chats, due, outbox, people, reminders
from domain.cases.life import State
from domain.chats import Chat, ChatPurpose, ChatState
from storage.areas import Community
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
        session.memo.clear()  # as in a transaction of its own
        statements.clear()
        assert run(session, now) == count
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8


NIGHT, MORNING = timedelta(hours=13), timedelta(hours=21, minutes=30)  # 23:00 and 7:30 in China


@pytest.mark.parametrize("kind", [reminders.DEADLINE_NEAR, reminders.DEADLINE_OVER, reminders.RATING_NUDGE])
def test_what_comes_due_at_night_rings_in_the_morning(session: Session, place: Place, now: datetime, kind: str) -> None:
    case = accepted(session, place, worker_on(session, place, now, "telegram"), now)
    case.deadline_at = now + NIGHT if kind == reminders.DEADLINE_OVER else now + timedelta(hours=24)
    if kind == reminders.RATING_NUDGE:
        resident = builders.person(session, "王阿姨")
        builders.private_chat(session, resident, now)
        case.state, case.reporter_id = State.FINISHED, resident.id
    session.query(Reminder).delete()
    reminders.add(session, kind, case, due_at=now + NIGHT)
    session.flush()
    run(session, now + NIGHT)
    assert session.scalars(select(Outbox)).all() == []
    assert due.next_due(session) == now + MORNING
    run(session, now + MORNING)
    assert len(session.scalars(select(Outbox)).all()) == 1


def test_deadline_that_passes_at_night_is_told_once_in_the_morning(
    session: Session, place: Place, now: datetime
) -> None:
    case = accepted(session, place, worker_on(session, place, now, "telegram"), now)
    case.deadline_at = now + timedelta(hours=20)
    session.query(Reminder).update({"due_at": now + NIGHT})
    session.flush()
    run(session, now + NIGHT)
    while due.next_due(session) == now + MORNING:
        run(session, now + MORNING)
    told = session.scalars(select(Outbox.text)).all()
    assert told == [f"超时：{case.number}（井盖 · 3号楼门口）已过时限 11月22日 06:00，请尽快处理或说明原因。"]


def test_emergency_rings_at_night(session: Session, place: Place, now: datetime) -> None:
    case = accepted(session, place, worker_on(session, place, now, "telegram"), now)
    case.urgency, case.deadline_at = Urgency.EMERGENCY, now + NIGHT + timedelta(minutes=30)
    session.flush()
    run(session, now + NIGHT)
    assert session.scalars(select(Outbox.text)).all() == [
        f"提醒：{case.number}（井盖 · 3号楼门口）还有 30 分钟到时限。"
    ]


def test_community_without_quiet_hours_is_reminded_at_any_hour(session: Session, place: Place, now: datetime) -> None:
    session.get_one(Community, place.id).quiet_from = session.get_one(Community, place.id).quiet_until
    case = accepted(session, place, worker_on(session, place, now, "telegram"), now)
    case.deadline_at = now + NIGHT + timedelta(hours=1)
    session.flush()
    run(session, now + NIGHT)
    assert len(session.scalars(select(Outbox)).all()) == 1
