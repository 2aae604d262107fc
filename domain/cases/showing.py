"""One case with everything that belongs to it, ready for a page: its history in words, messages, photos and what was sent. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.clock import in_china
from core.errors import Refused
from core.messages import Kind, OutgoingAction, Urgency
from core.privacy import mask_phone
from domain import access, chats, files, people, windows
from domain.cases import desk, joined, words
from domain.cases.desk import SOURCE_NAMES, Candidate
from domain.cases.life import ACTIVE, STATE_NAMES, STEP_NAMES, State, Step, may
from domain.cases.telling import Reach, reach
from domain.cases.words import URGENCY_NAMES, WAY_NAMES
from domain.topics import name_of
from storage.areas import Area
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseMessage, CaseReporter
from storage.chats import Chat
from storage.messages import FileState, Outbox, OutboxState
from storage.people import Account, Person
from storage.phone_tasks import Way

__all__ = ["Case", "CaseView", "Person", "file_for", "view"]

OUTBOX_NAMES = {
    OutboxState.QUEUED: "等待发送",
    OutboxState.SENDING: "正在发送",
    OutboxState.SENT: "已发出",
    OutboxState.HELD: "待人工确认",
    OutboxState.GIVEN_UP: "发送失败",
    OutboxState.DROPPED: "不再发送",
}
ACTION_NAMES = {OutgoingAction.SEND: "发送", OutgoingAction.EDIT: "改写", OutgoingAction.DELETE: "删除"}
FIELD_NAMES = {
    "kind": "类别",
    "topic": "事项",
    "urgency": "紧急程度",
    "place": "位置",
    "area_id": "所属区域",
    "deadline_at": "时限",
}
WHY_NAMES = {
    "joined": "反映的户数多",
    "parted": "反映的户数少了",
    "window": "平台不再放行消息，要打电话或发短信",
    "deadline": "超过时限",
    "untaken": "紧急事没有人接单，已通知下一位和上级",
    "unrated": "居民没有评价，自动销单",
    "unasked": "没有可以问的报告人，自动销单",
}
Tone = Literal["grey", "blue", "green", "amber", "red", "teal", "purple"]
TONES: dict[Step, Tone] = {
    Step.OPEN: "blue",
    Step.RETURN: "amber",
    Step.FINISH: "purple",
    Step.SATISFIED: "green",
    Step.CLOSE: "green",
    Step.DISSATISFIED: "red",
    Step.REOPEN: "red",
    Step.ESCALATE: "red",
    Step.UNREACHED: "red",
    Step.REMIND: "amber",
    Step.TELL: "green",
    Step.ACCEPT: "teal",
    Step.ARRIVE: "teal",
}
MOST_SENT = 50


@dataclass(frozen=True, slots=True)
class EventLine:
    at: datetime
    title: str
    who: str
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class MessageLine:
    at: datetime
    who: str
    chat: str
    text: str


@dataclass(frozen=True, slots=True)
class SentLine:
    id: int
    to: str
    action: str
    text: str
    state: str
    state_words: str
    at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class FileLine:
    id: int
    kind: str
    name: str
    state: str
    purpose: str
    reason: str


@dataclass(frozen=True, slots=True)
class JoinedLine:
    """Somebody who joined. `words` are what they said; `is_own` where they reported it by themselves."""

    id: int
    at: datetime
    who: str
    words: str
    place: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with the reporter's private chat where the platform counts: `left` messages until `until`; who speaks there."""

    chat_id: int
    channel: str
    left: int
    until: datetime
    is_served: bool
    served_by: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case's page. `row` is the case itself; `steps` are those its state allows and this person may take; `may_call`: see the whole number."""

    row: Case
    kind_words: str
    topic: str
    urgency_words: str
    state_words: str
    source: str
    area: str
    worker: str
    reporter: str
    phone: str
    may_call: bool
    is_overdue: bool
    is_desk: bool
    steps: frozenset[str]
    candidates: list[Candidate]
    events: list[EventLine]
    messages: list[MessageLine]
    sent: list[SentLine]
    files: list[FileLine]
    joined: list[JoinedLine]
    standing: Standing | None
    reach: Reach


def view(session: Session, person_id: int, case_id: int, *, now: datetime) -> CaseView:
    """The case, if this person may work on it; a wrong key and a forbidden one are refused alike."""
    today = in_china(now).date()
    case = access.case_to_work(session, session.get_one(Person, person_id), case_id, today)
    is_desk = access.is_desk(session, person_id, case.community_id, today)
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)).all()
    assigned = [int(event.data[word]) for event in events for word in ("to", "entered_by") if event.data.get(word)]
    ids = {case.reporter_id, case.assignee_id, *(event.actor_id for event in events), *assigned} - {None}
    known = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(ids)))}
    names = {key: person.name or "（无姓名）" for key, person in known.items()}
    reporter = known.get(case.reporter_id or 0)
    phone = people.phone_of(session, reporter) if reporter else None
    area = session.get(Area, case.area_id) if case.area_id else None
    return CaseView(
        row=case,
        kind_words=words.KIND_NAMES[Kind(case.kind)],
        topic=name_of(case.topic) if case.topic else "未定",
        urgency_words=URGENCY_NAMES[Urgency(case.urgency)],
        state_words=STATE_NAMES[State(case.state)],
        source=SOURCE_NAMES.get(case.source, case.source),
        area=area.name if area else "",
        worker=_worker(case, names),
        reporter=names.get(case.reporter_id or 0, ""),
        phone=mask_phone(phone) if phone else "",
        may_call=is_desk or case.assignee_id == person_id,
        is_overdue=case.deadline_at is not None and case.deadline_at < now and case.state in ACTIVE,
        is_desk=is_desk,
        steps=_steps(case, is_desk=is_desk),
        candidates=desk.candidates(session, case, today),
        events=_events(session, events, case, names),
        messages=_messages(session, case),
        sent=_sent(session, case),
        files=_files(session, case),
        joined=_joined(session, case),
        standing=standing(session, case, now=now),
        reach=reach(session, case),
    )


def standing(session: Session, case: Case, *, now: datetime) -> Standing | None:
    """None where the reporter has no such chat."""
    chat = session.get(Chat, case.chat_id) if case.chat_id else None
    if (chat is None or chat.purpose != chats.ChatPurpose.PRIVATE) and case.reporter_id is not None:
        chat = chats.private_chat_of(session, case.reporter_id)
    window = windows.of_chat(session, chat.id) if chat else None
    if chat is None or window is None:
        return None
    is_served = window.served_at is not None
    left = windows.left(window, now=now)
    return Standing(chat.id, chat.channel, left, window.until, is_served, window.served_by)


def _worker(case: Case, names: dict[int, str]) -> str:
    if case.assignee_id is None:
        return ""
    title = people.ROLE_NAMES.get(people.Role(case.assignee_role)) if case.assignee_role else None
    return f"{names.get(case.assignee_id, '')}（{title}）" if title else names.get(case.assignee_id, "")


def _steps(case: Case, *, is_desk: bool) -> frozenset[str]:
    """Closing, reopening and taking off the list are the desk's; the rest is whoever's may work on the case."""
    for_desk = {Step.CLOSE, Step.REOPEN, Step.WITHDRAW, Step.CORRECT}
    for_all = {Step.ASSIGN, Step.ACCEPT, Step.RETURN, Step.ARRIVE, Step.FINISH, Step.ADD}
    return frozenset(step.value for step in (for_all | (for_desk if is_desk else set())) if may(case, step))


def _events(session: Session, events: Sequence[CaseEvent], case: Case, names: dict[int, str]) -> list[EventLine]:
    corrected = [event.data[side] for event in events for side in ("before", "after") if side in event.data]
    keys = {int(fields["area_id"]) for fields in corrected if fields.get("area_id")}
    area_names = {row.id: row.name for row in session.execute(select(Area.id, Area.name).where(Area.id.in_(keys)))}
    return [
        EventLine(
            at=event.at,
            title=STEP_NAMES[Step(event.step)],
            who=_who(event, case, names),
            text=_text(event, names, area_names),
            tone=TONES.get(Step(event.step), "grey"),
        )
        for event in reversed(events)
    ]


def _who(event: CaseEvent, case: Case, names: dict[int, str]) -> str:
    if event.actor_id is None:
        return "未留名的居民" if event.data.get("entered_by") else "系统"
    name = names.get(event.actor_id, "")
    return f"{name}（报告人）" if event.actor_id == case.reporter_id else name


def _text(event: CaseEvent, names: dict[int, str], areas: dict[int, str]) -> str:
    """What the step was about, in words."""
    lines = [event.note] if event.note else []
    data = event.data
    if data.get("to"):
        role = people.ROLE_NAMES.get(people.Role(data["role"]), "") if data.get("role") else ""
        lines.append(f"派给 {names.get(int(data['to']), '')}{f'（{role}）' if role else ''}")
    if data.get("entered_by"):
        source = SOURCE_NAMES.get(data["source"], "")
        lines.append(f"{source}，由{names.get(int(data['entered_by']), '')}登记")
    if data.get("files"):
        lines.append(f"附 {len(data['files'])} 个文件")
    if data.get("by") == "staff":
        lines.append("由工作人员回访登记")
    if data.get("to_reporter"):
        lines.append("原报告人已撤回，由并入的邻居接着反映")
    if data.get("why") in WHY_NAMES:
        lines.append(WHY_NAMES[data["why"]])
    if data.get("way"):
        lines.append(f"方式：{WAY_NAMES[Way(data['way'])]}")
    for field, value in data.get("after", {}).items():
        before = _field(field, data.get("before", {}).get(field), areas)
        lines.append(f"{FIELD_NAMES.get(field, field)}：{before} → {_field(field, value, areas)}")
    return "\n".join(lines)


def _field(field: str, value: str | None, areas: dict[int, str]) -> str:
    if not value:
        return "（空）"
    if field == "deadline_at":
        return words.moment(datetime.fromisoformat(value))
    if field == "area_id":
        return areas.get(int(value), "")
    known = {
        "kind": lambda: words.KIND_NAMES[Kind(value)],
        "topic": lambda: name_of(value),
        "urgency": lambda: URGENCY_NAMES[Urgency(value)],
    }
    return known[field]() if field in known else value


def _messages(session: Session, case: Case) -> list[MessageLine]:
    query = (
        select(CaseMessage, Chat.title, Chat.kind, Person.name)
        .outerjoin(Chat, Chat.id == CaseMessage.chat_id)
        .outerjoin(Account, (Account.channel == Chat.channel) & (Account.external_id == CaseMessage.sender))
        .outerjoin(Person, Person.id == Account.person_id)
        .where(CaseMessage.case_id == case.id)
        .order_by(CaseMessage.id)
    )
    return [
        MessageLine(row.at, name or "", "私聊" if kind == "private" else title or "", row.text)
        for row, title, kind, name in session.execute(query)
    ]


def _joined(session: Session, case: Case) -> list[JoinedLine]:
    if not case.joined:
        return []
    said = (CaseMessage.case_id == CaseReporter.case_id) & (CaseMessage.chat_id == CaseReporter.chat_id)
    query = (
        select(CaseReporter, Person.name, CaseMessage.text)
        .outerjoin(Person, Person.id == CaseReporter.person_id)
        .outerjoin(CaseMessage, said & (CaseMessage.message_id == CaseReporter.message_id))
        .where(CaseReporter.case_id == case.id, CaseReporter.parted_at.is_(None))
        .order_by(CaseReporter.id)
    )
    entered = joined.entered_words(session, case)
    return [
        JoinedLine(
            row.id,
            row.at,
            name or "",
            entered[str(row.id)].note if str(row.id) in entered else said_words or "",
            row.place,
            row.has_own_words,
        )
        for row, name, said_words in session.execute(query)
    ]


def _sent(session: Session, case: Case) -> list[SentLine]:
    """What we sent about the case, or tried to, newest first. Small notices under a pressed button are left out."""
    receiver = aliased(Person)
    query = (
        select(Outbox, Chat.title, Chat.kind, receiver.name)
        .join(Chat, Chat.id == Outbox.chat_id)
        .outerjoin(receiver, receiver.id == Chat.person_id)
        .where(Outbox.case_id == case.id, Outbox.action != OutgoingAction.ANSWER_PRESS)
        .order_by(Outbox.id.desc())
        .limit(MOST_SENT)
    )
    return [
        SentLine(
            id=row.id,
            to=f"{name or '居民'}（私聊）" if kind == "private" else title,
            action=ACTION_NAMES.get(OutgoingAction(row.action), row.action),
            text=row.text,
            state=row.state,
            state_words=OUTBOX_NAMES[OutboxState(row.state)],
            at=row.sent_at or row.due_at,
            error=row.error or "",
        )
        for row, title, kind, name in session.execute(query)
    ]


def _files(session: Session, case: Case) -> list[FileLine]:
    return [
        FileLine(row.id, row.kind, row.name or "", row.state, row.purpose, row.reason or "")
        for row in files.of_case(session, case.id)
    ]


def file_for(session: Session, person_id: int, file_id: int, *, today: date) -> files.File:
    """A stored file of a case, for whoever may work on the case; a file of no case is for the desk of its community."""
    row = session.get(files.File, file_id)
    if row is None or row.state != FileState.STORED:
        raise Refused("web.file_not_found")
    if row.case_id is not None:
        case = session.get(Case, row.case_id)
        may_see = case is not None and access.may_work(session, session.get_one(Person, person_id), case, today)
    else:
        may_see = row.community_id is not None and access.is_desk(session, person_id, row.community_id, today)
    if not may_see:
        raise Refused("web.file_not_found")
    return row
