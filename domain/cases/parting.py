"""How what was joined comes apart: somebody's words become a case of their own, or the reporter leaves and the others stay."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update

from core.errors import Refused
from core.messages import Kind, Understanding, Urgency
from core.texts import say
from domain import chats, inbox, reminders
from domain.cases import joined, opening, telling, words, work
from domain.cases.life import ACTIVE, Step, take_step
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseMessage, CaseReporter
from storage.chats import Chat
from storage.messages import File, Received


def part_by_button(session: Session, case: Case, person_id: int, *, now: datetime) -> Case | None:
    """Whoever joined says that it is another matter, within a minute. The case that this opens, if their words are one."""
    row = joined.of_person(session, case, person_id)
    if row is None:
        raise Refused("cases.part_nothing")
    if now - row.at > joined.UNDO:
        raise Refused("cases.part_late")
    return part(session, case, row, actor_id=person_id, now=now)


def part_by_staff(session: Session, case: Case, row_id: int, *, actor_id: int, now: datetime) -> Case | None:
    """Staff take somebody out again, at any time."""
    row = next((row for row in joined.of_case(session, case) if row.id == row_id), None)
    if row is None:
        raise Refused("cases.part_gone")
    return part(session, case, row, actor_id=actor_id, now=now)


def part(
    session: Session, case: Case, row: CaseReporter, *, actor_id: int, now: datetime, is_matter: bool = True
) -> Case | None:
    """They are no longer with the case. Words that reported something by themselves become a case, with all that they sent,
    unless they have been taken back (`is_matter`)."""
    session.flush()
    data = {"by": str(row.person_id)}
    take_step(session, case, Step.PART, now=now, actor_id=actor_id, data=data, cause_id=row.received_id)
    _leave(session, case, row, now=now)
    made = _open_own(session, case, row, actor_id=actor_id, now=now) if is_matter and row.has_own_words else None
    reminders.add_once(session, reminders.JOINED, case, due_at=now)
    session.flush()
    told = say("cases.parted_own_line", number=made.number) if made else say("cases.parted_only", number=case.number)
    joined.show_parted(session, case, row, told, now=now)
    return made


def _leave(session: Session, case: Case, row: CaseReporter, *, now: datetime) -> None:
    row.parted_at = now
    session.execute(update(Case).where(Case.id == case.id).values(joined=Case.joined - 1))
    _calm(session, case, now=now)


def _calm(session: Session, case: Case, *, now: datetime) -> None:
    """What went first because many were troubled goes first no longer. Staff who have said since how urgent it is are right."""
    count = case.joined + 1
    if count >= joined.MANY or case.urgency != Urgency.URGENT or case.state not in ACTIVE:
        return
    session.flush()  # the last step of it may be this transaction's
    steps = select(CaseEvent.data).where(
        CaseEvent.case_id == case.id, CaseEvent.step.in_((Step.ESCALATE, Step.CORRECT, Step.PART))
    )
    changes = [data for data in session.scalars(steps.order_by(CaseEvent.id)) if "urgency" in data.get("after", {})]
    if not changes or changes[-1].get("why") != joined.WHY:
        return
    data = {"before": {"urgency": case.urgency}, "after": {"urgency": Urgency.NORMAL}, "why": joined.WHY_PARTED}
    take_step(session, case, Step.PART, now=now, data=data)
    case.urgency = Urgency.NORMAL
    told = say("cases.parted_calmer_desk", number=case.number, what=words.what(case), count=count)
    telling.to_desk(session, case, told, now=now)


def _open_own(session: Session, case: Case, row: CaseReporter, *, actor_id: int, now: datetime) -> Case | None:
    if row.received_id is None:
        return _open_entered(session, case, row, actor_id=actor_id, now=now)
    received = session.get(Received, row.received_id)
    chat = session.get(Chat, row.chat_id) if row.chat_id else None
    said = _words_of(session, case, row)
    if received is None or chat is None or not said:
        return None
    understood = _understood_of(case, row, received, said)
    if understood is None:
        return None
    made = opening.open_case(
        session,
        opening.matter_of(understood, said, here=chat.area_id or case.community_id),
        community_id=case.community_id,
        chat=chat,
        reporter_id=row.person_id,
        now=now,
        actor_id=actor_id,
        cause_id=received.id,
    )
    session.flush()
    _move_messages(session, case, made, received)
    is_group = chat.purpose != chats.ChatPurpose.PRIVATE
    opening.post_receipt(
        session,
        made,
        chat,
        now=now,
        reply_to=row.message_id if is_group else None,
        thread=None,
        asks_place=made.kind in opening.KINDS_WITH_PLACE and not made.place,
        start_link=None,
    )
    return made


def _open_entered(session: Session, case: Case, row: CaseReporter, *, actor_id: int, now: datetime) -> Case | None:
    """What somebody said who rang or came: of the same kind as the case, and no more urgent than it was by itself."""
    step = joined.entered_words(session, case).get(str(row.id))
    if step is None or not step.note:
        return None
    urgency = Urgency(case.urgency)
    matter = opening.Matter(
        Kind(case.kind),
        case.topic,
        Urgency.NORMAL if urgency == Urgency.URGENT else urgency,
        step.note,
        row.place or case.place,
        case.area_id,
        has_place=True,
        site=opening.site_in(case),
    )
    return opening.open_case(
        session,
        matter,
        community_id=case.community_id,
        chat=None,
        reporter_id=row.person_id,
        now=now,
        source=step.data["source"],
        actor_id=actor_id,
    )


def _understood_of(case: Case, row: CaseReporter, received: Received, said: str) -> Understanding | None:
    """What was understood of their words; of one matter among several, that which it joined by: its topic and its place."""
    understood = inbox.understanding_of(received)
    if understood is None or said == received.text:
        return understood
    places = tuple(place for place in understood.places if place.words in row.place)
    return replace(understood, kind=Kind(case.kind), topics=((case.topic, 1.0),) if case.topic else (), places=places)


def _words_of(session: Session, case: Case, row: CaseReporter) -> str:
    if row.received_id is None:
        step = joined.entered_words(session, case).get(str(row.id))
        return step.note if step else ""
    query = select(CaseMessage.text).where(
        CaseMessage.case_id == case.id, CaseMessage.chat_id == row.chat_id, CaseMessage.message_id == row.message_id
    )
    return session.scalars(query.limit(1)).first() or ""


def _move_messages(session: Session, case: Case, made: Case, received: Received) -> None:
    """What they sent about it goes along: a reply, an edit or a photo finds the new case from now on."""
    theirs = (CaseMessage.case_id == case.id, CaseMessage.chat_id == received.chat_id)
    session.execute(update(CaseMessage).where(*theirs, CaseMessage.sender == received.sender).values(case_id=made.id))
    sent = (Received.case_id == case.id, Received.chat_id == received.chat_id, Received.sender == received.sender)
    keys = session.scalars(select(Received.id).where(*sent)).all()
    session.execute(update(Received).where(Received.id.in_(keys)).values(case_id=made.id))
    files = update(File).where(File.received_id.in_(keys), File.case_id == case.id)
    session.execute(files.values(case_id=made.id, handed_on_at=None))


def take_back(session: Session, case: Case, *, actor_id: int, now: datetime, cause_id: int | None = None) -> bool:
    """The reporter takes it back. Where others have joined it is theirs from now on (True), else it is withdrawn."""
    first = next((row for row in joined.of_case(session, case) if row.person_id), None) if case.joined else None
    if first is None or case.state not in ACTIVE or first.person_id is None:
        work.withdraw(session, case, actor_id=actor_id, now=now, cause_id=cause_id)
        return False
    data = {"to_reporter": str(first.person_id)}
    take_step(session, case, Step.PART, now=now, actor_id=actor_id, note=case.text, data=data, cause_id=cause_id)
    said = _words_of(session, case, first) if first.has_own_words else ""
    case.reporter_id, case.chat_id = first.person_id, first.chat_id or case.chat_id
    case.text, case.place = said or case.text, first.place or case.place
    _leave(session, case, first, now=now)
    session.flush()
    told = say("cases.joined_passed_on", number=case.number, count=case.joined + 1, how=words.how_joined(case))
    telling.to_worker(session, case, told, now=now)
    joined.show_parted(session, case, first, joined.line(case), now=now)
    work.refresh(session, case, now=now)
    return True
