"""Cases looked up: mine, a worker's, the open wishes, the desk's list with its filters. Reads only."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import and_, bindparam, or_, select

from core.errors import Refused
from core.messages import OutgoingAction
from domain import chats, outbox
from domain.cases.life import ACTIVE, WITH_WORKER, State, Step
from domain.cases.words import BETWEEN_PEOPLE
from domain.outbox import Outbox
from domain.people import NEW_HERE, TOLD_HERE
from storage.areas import Community
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseMessage, CaseReporter
from storage.chats import Chat, ChatPurpose

__all__ = [
    "Case",
    "CaseEvent",
    "for_groups",
    "note_of_reporters",
    "of_reporter",
    "reported_by",
    "settle_question",
    "tasks_of",
    "untold_in_private",
]


OWN = "own cases"  # in the memo


def of_reporter(session: Session, person_id: int, *, limit: int) -> Sequence[Case]:
    """What a person reported or joined, newest first. What was joined and turned out to be between people is not theirs."""
    if (TOLD_HERE, person_id) in session.memo:
        session.flush()  # what was opened or joined just now
    elif (NEW_HERE, person_id) in session.memo:
        return []
    elif (OWN, person_id) in session.memo:
        return cast(list[Case], session.memo[OWN, person_id])[:limit]
    return _of_reporters(session, [person_id], limit=limit)[person_id][:limit]


# Put together once: every batch in which somebody says that it is still so asks them.
JOINED_BY = select(CaseReporter.case_id, CaseReporter.person_id).where(
    CaseReporter.person_id.in_(bindparam("people", expanding=True)), CaseReporter.parted_at.is_(None)
)
REPORTED_OR_JOINED = (
    select(Case)
    .where(
        or_(
            Case.reporter_id.in_(bindparam("people", expanding=True)),
            and_(Case.id.in_(bindparam("joined", expanding=True)), Case.is_private.is_(False)),
        )
    )
    .order_by(Case.id.desc())
    .limit(bindparam("most"))
)


def note_of_reporters(session: Session, person_ids: Collection[int], *, limit: int) -> None:
    """Looks up, in two statements, what these people reported or joined, for the `of_reporter` that follow, of no more than so many each."""
    for person_id, cases in _of_reporters(session, person_ids, limit=limit).items():
        session.memo[OWN, person_id] = cases


def _of_reporters(session: Session, person_ids: Collection[int], *, limit: int) -> dict[int, list[Case]]:
    joined: dict[int, set[int]] = defaultdict(set)
    for case_id, person_id in session.execute(JOINED_BY, {"people": list(person_ids)}):
        joined[case_id].add(cast(int, person_id))
    asked = {"people": list(person_ids), "joined": list(joined), "most": limit * len(person_ids)}
    found: dict[int, list[Case]] = {person_id: [] for person_id in person_ids}
    for case in session.scalars(REPORTED_OR_JOINED, asked):
        theirs = set() if case.is_private else joined.get(case.id, set())
        for person_id in theirs | {case.reporter_id}:
            if person_id in found:
                found[person_id].append(case)
    return found


def untold_in_private(session: Session, person_id: int, *, since: datetime) -> Case | None:
    """The one open private matter that a person told since then, if it was in a group and they have said nothing of it in private."""
    query = select(Case).where(
        Case.reporter_id == person_id, Case.is_private.is_(True), Case.state.in_(ACTIVE), Case.opened_at >= since
    )
    cases = session.scalars(query.limit(2)).all()
    if len(cases) != 1 or cases[0].chat_id is None:
        return None
    told_in = select(CaseMessage.chat_id).where(CaseMessage.case_id == cases[0].id)
    in_private = select(Chat.id).where(
        or_(Chat.id.in_(told_in), Chat.id == cases[0].chat_id), Chat.purpose == ChatPurpose.PRIVATE
    )
    return cases[0] if session.scalar(in_private.limit(1)) is None else None


def tasks_of(session: Session, person_id: int, *, limit: int = 50) -> Sequence[Case]:
    """What a worker has in hand, the nearest deadline first."""
    query = (
        select(Case)
        .where(Case.assignee_id == person_id, Case.closed_at.is_(None), Case.state.in_(WITH_WORKER))
        .order_by(Case.deadline_at)
        .limit(limit)
    )
    return session.scalars(query).all()


def for_groups(session: Session, cases: Sequence[Case], *, teller_id: int | None = None) -> list[Case]:
    """Those of the cases that a group may read of: told in a group, and not between people. Of what somebody else reported, what
    counts is where `teller_id` joined it."""
    origins = {case.id: case.chat_id for case in cases}
    if teller_id is not None:
        others = [case.id for case in cases if case.reporter_id != teller_id]
        joined = select(CaseReporter.case_id, CaseReporter.chat_id).where(
            CaseReporter.person_id == teller_id, CaseReporter.parted_at.is_(None), CaseReporter.case_id.in_(others)
        )
        origins.update((case_id, chat_id) for case_id, chat_id in session.execute(joined))
    told_in = {chat_id for chat_id in origins.values() if chat_id is not None}
    groups = set(session.scalars(select(Chat.id).where(Chat.id.in_(told_in), Chat.purpose != ChatPurpose.PRIVATE)))
    return [
        case
        for case in cases
        if origins[case.id] in groups and not case.is_private and case.topic not in BETWEEN_PEOPLE
    ]


def by_number(session: Session, community_id: int | None, number: str) -> Case | None:
    """The case of this number in a community."""
    return session.scalars(select(Case).where(Case.community_id == community_id, Case.number == number)).one_or_none()


def of_number(session: Session, number: str) -> Sequence[Case]:
    """The cases of this number: each community counts its own, and the index begins with it."""
    theirs = Case.community_id.in_(select(Community.id))
    return session.scalars(select(Case).where(theirs, Case.number == number).order_by(Case.id)).all()


def reported_by(session: Session, person_id: int, case_id: int) -> Case:
    """The case, if this person reported it; somebody else's button says so, a missing case is no different."""
    case = session.get(Case, case_id)
    if case is None or case.reporter_id != person_id:
        raise Refused("cases.not_yours")
    return case


def settle_question(session: Session, chat: Chat, message_id: str | None, text: str, *, now: datetime) -> None:
    """The message whose button was pressed says what came of it, and loses its buttons."""
    query = select(Outbox).where(
        Outbox.chat_id == chat.id, Outbox.external_id == message_id, Outbox.action == OutgoingAction.SEND
    )
    row = session.scalars(query.order_by(Outbox.id.desc()).limit(1)).one_or_none()
    if row is not None:
        outbox.edit(session, row, text, now=now)


def settle_asked(session: Session, received_id: int, text: str, *, now: datetime) -> None:
    """What we asked about a message says what came of it without an answer, and loses its buttons."""
    query = select(Outbox).where(Outbox.cause_id == received_id, Outbox.action == OutgoingAction.SEND)
    # A key is younger than what caused it: the bound spares a look at all that was ever sent.
    row = session.scalars(query.where(Outbox.id > received_id).order_by(Outbox.id).limit(1)).first()
    if row is not None:
        outbox.edit(session, row, text, now=now)


def events_of(session: Session, case_id: int) -> Sequence[CaseEvent]:
    """A case's history from the beginning."""
    return session.scalars(select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.id)).all()


def cause_of(session: Session, case: Case) -> int | None:
    """The key of the message that opened the case; None where nobody wrote one."""
    query = select(CaseEvent.cause_id).where(CaseEvent.case_id == case.id, CaseEvent.step == Step.OPEN)
    return session.scalars(query.order_by(CaseEvent.id).limit(1)).first()


def is_over(case: Case) -> bool:
    return case.state in (State.CLOSED, State.WITHDRAWN)


def opening_message(session: Session, case: Case) -> str | None:
    """The platform's id of the message that opened the case, to reply to."""
    row = (
        session.query(CaseMessage.message_id)
        .filter(CaseMessage.case_id == case.id, CaseMessage.chat_id == case.chat_id)
        .filter(CaseMessage.message_id.not_like(f"%{chats.OLD_MESSAGE}%"))
        .order_by(CaseMessage.id)
        .first()
    )
    return row[0] if row else None
