"""Calls and SMS that staff owe: a resident's chat lets nothing more through, and a person tells them what the bot could not.

What they are to be told are the messages held for them. Ticked off, these are dropped, so that nothing is said twice; when the
resident writes again they go out by themselves, and the task is gone (domain/windows.py).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from core.clock import in_china
from core.errors import Refused
from core.ids import new_id
from core.messages import ChatKind
from core.privacy import mask_phone
from core.texts import say
from domain import access, accounts, notices, people, windows
from domain.cases import words
from domain.cases.life import State, Step, record, take_step
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.messages import Outbox, OutboxState
from storage.people import Person
from storage.phone_tasks import PhoneTask, Way

__all__ = ["PhoneTask", "TaskLine", "Way", "count", "make", "open_tasks", "settled_tasks", "show_phone", "tick_off"]

TOLD = "told by a person"
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task as staff see it: about which case, whom to tell (the number masked), what to say; and how it ended."""

    id: int
    case_id: int
    number: str
    what: str
    to: str
    phone: str
    words: tuple[str, ...]
    made_at: datetime
    done_at: datetime | None
    done_by: str
    way: str
    note: str
    dropped_at: datetime | None


def make(session: Session, held: Sequence[Outbox], *, now: datetime) -> None:
    """One task for each person and case of these messages, and one word to the desk when it is made."""
    wanted: dict[tuple[int, int], Outbox] = {}
    for row in held:
        if row.case_id is not None:
            wanted.setdefault((row.chat_id, row.case_id), row)
    for (chat_id, case_id), _ in wanted.items():
        chat, case = session.get_one(Chat, chat_id), session.get_one(Case, case_id)
        if chat.kind != ChatKind.PRIVATE or _open(session, chat_id, case_id) is not None:
            continue
        session.add(
            PhoneTask(id=new_id(), community_id=case.community_id, case_id=case_id, chat_id=chat_id, made_at=now)
        )
        session.flush()
        record(session, case, Step.UNREACHED, now=now, before=State(case.state), data={"why": "window"})
        notices.tell_desk(
            session, case.community_id, say("phone_tasks.made", number=case.number), now=now, case_id=case_id
        )


def _open(session: Session, chat_id: int, case_id: int) -> PhoneTask | None:
    return session.scalars(
        select(PhoneTask).where(
            PhoneTask.chat_id == chat_id,
            PhoneTask.case_id == case_id,
            PhoneTask.done_at.is_(None),
            PhoneTask.dropped_at.is_(None),
        )
    ).one_or_none()


def _seen_by(session: Session, person_id: int, community_id: int, now: datetime) -> Select[PhoneTask]:
    """The desk sees all of its community, others those of the cases that they have in hand."""
    query = select(PhoneTask).where(PhoneTask.community_id == community_id)
    if access.is_desk(session, person_id, community_id, in_china(now).date()):
        return query
    return query.join(Case, Case.id == PhoneTask.case_id).where(Case.assignee_id == person_id)


def count(session: Session, person_id: int, community_id: int, *, now: datetime) -> int:
    """How many are open that this person may see."""
    return len(_open_rows(session, person_id, community_id, now))


def _open_rows(session: Session, person_id: int, community_id: int, now: datetime) -> Sequence[PhoneTask]:
    query = _seen_by(session, person_id, community_id, now).where(
        PhoneTask.done_at.is_(None), PhoneTask.dropped_at.is_(None)
    )
    return session.scalars(query.order_by(PhoneTask.id)).all()


def open_tasks(session: Session, person_id: int, community_id: int, *, now: datetime) -> list[TaskLine]:
    """What is still to be done, the oldest first."""
    return _lines(session, _open_rows(session, person_id, community_id, now))


def settled_tasks(
    session: Session, person_id: int, community_id: int, *, now: datetime, limit: int = 30
) -> list[TaskLine]:
    """What was done by somebody, or needed nobody any more; the newest first."""
    query = _seen_by(session, person_id, community_id, now).where(
        PhoneTask.done_at.is_not(None) | PhoneTask.dropped_at.is_not(None)
    )
    return _lines(session, session.scalars(query.order_by(PhoneTask.id.desc()).limit(limit)).all())


def _lines(session: Session, rows: Sequence[PhoneTask]) -> list[TaskLine]:
    cases = {case.id: case for case in session.scalars(select(Case).where(Case.id.in_([row.case_id for row in rows])))}
    chat_ids = {row.chat_id for row in rows}
    of_chats = session.execute(select(Chat.id, Chat.person_id).where(Chat.id.in_(chat_ids)))
    to_whom = {chat_id: person_id for chat_id, person_id in of_chats}  # noqa: C416 - rows are no pairs to the type checker
    keys = {*to_whom.values(), *(row.done_by_id for row in rows)} - {None}
    known = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(keys)))}
    said = _words(session, chat_ids)
    lines = []
    for row in rows:
        case, person = cases[row.case_id], known.get(to_whom.get(row.chat_id) or 0)
        phone = people.phone_of(session, person) if person else None
        doer = known.get(row.done_by_id or 0)
        lines.append(
            TaskLine(
                id=row.id,
                case_id=case.id,
                number=case.number,
                what=words.what(case),
                to=person.name if person else "",
                phone=mask_phone(phone) if phone else "",
                words=tuple(said[row.chat_id, row.case_id]),
                made_at=row.made_at,
                done_at=row.done_at,
                done_by=doer.name if doer else "",
                way=words.WAY_NAMES[Way(row.way)] if row.way else "",
                note=row.note,
                dropped_at=row.dropped_at,
            )
        )
    return lines


def _held(chat_ids: set[int]) -> Select[Outbox]:
    return select(Outbox).where(
        Outbox.chat_id.in_(chat_ids), Outbox.state == windows.HELD, Outbox.error == windows.SHUT
    )


def _words(session: Session, chat_ids: set[int]) -> dict[tuple[int, int | None], list[str]]:
    """What is held, by chat and case, in the order in which it would have been said."""
    found: dict[tuple[int, int | None], list[str]] = defaultdict(list)
    for row in session.scalars(_held(chat_ids).order_by(Outbox.priority, Outbox.id)):
        if row.text:
            found[row.chat_id, row.case_id].append(row.text)
    return found


def _task_for(session: Session, person_id: int, task_id: int, *, now: datetime) -> tuple[PhoneTask, Case, Person]:
    """The task and its case, for the desk and whoever has the case in hand; a wrong key and a forbidden one are refused alike."""
    task = session.get(PhoneTask, task_id, with_for_update=True)
    if task is None:
        raise Refused("phone_tasks.not_found")
    person = session.get_one(Person, person_id)
    case = access.case_to_work(session, person, task.case_id, in_china(now).date())
    is_desk = access.is_desk(session, person_id, case.community_id, in_china(now).date())
    if not is_desk and case.assignee_id != person_id:
        raise Refused("phone_tasks.not_found")
    return task, case, person


def tick_off(session: Session, person_id: int, task_id: int, *, way: str, note: str, now: datetime) -> None:
    """The resident has been told by this person. Refused when another has done it, or when they have written again meanwhile."""
    task, case, person = _task_for(session, person_id, task_id, now=now)
    if task.done_at is not None:
        raise Refused("phone_tasks.done_already")
    if task.dropped_at is not None:
        raise Refused("phone_tasks.wrote_again")
    task.done_at, task.done_by_id = now, person.id
    task.way, task.note = Way(way) if way in set(Way) else Way.PHONE, note.strip()[:LONGEST_NOTE]
    for row in session.scalars(_held({task.chat_id}).where(Outbox.case_id == case.id)):
        row.state, row.error = OutboxState.DROPPED, TOLD
    data = {"way": task.way}
    take_step(session, case, Step.TELL, now=now, actor_id=person.id, note=task.note, data=data)
    accounts.audit(
        session,
        person_id=person.id,
        act="phone_task.done",
        subject=str(case.id),
        community_id=case.community_id,
        now=now,
        detail={"way": task.way},
    )
    session.flush()


def show_phone(session: Session, person_id: int, task_id: int, *, now: datetime) -> str:
    """The number in full; each look is written down."""
    task, case, person = _task_for(session, person_id, task_id, now=now)
    chat = session.get_one(Chat, task.chat_id)
    resident = session.get(Person, chat.person_id) if chat.person_id else None
    phone = people.phone_of(session, resident) if resident else None
    if phone is None:
        raise Refused("cases.no_phone")
    accounts.audit(
        session,
        person_id=person.id,
        act="case.phone",
        subject=str(case.id),
        community_id=case.community_id,
        now=now,
    )
    return phone
