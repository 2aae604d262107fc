"""How a case begins and what is added to it: opened with a number and a worker, joined by later words, photos and places."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import bindparam, select

from core.ids import new_id
from core.messages import Kind, PlaceMention, Understanding, Urgency
from core.privacy import mask_for_group
from core.texts import say
from domain import areas, outbox, reminders
from domain.cases import receipts, telling, words, work
from domain.cases.life import ACTIVE, State, Step, record, take_step
from domain.inbox import Noted
from domain.numbers import PREFIXES, next_number
from domain.outbox import Press
from domain.people import NEW_HERE, TOLD_HERE
from storage.base import Session
from storage.cases import Case, CaseMessage
from storage.chats import Chat
from storage.messages import Outbox

# A later photo, place or "还没修" by the same person belongs to what they reported this long ago.
FOLLOW_UP = timedelta(minutes=10)
RECENT = "recent cases"
LONGEST_PLACE = 100
KINDS_WITH_PLACE = frozenset({Kind.REPORT})


@dataclass(frozen=True, slots=True)
class Matter:
    """What was understood, ready to become a case. `area_id` is the place's area, or the group's."""

    kind: Kind
    topic: str | None
    urgency: Urgency
    text: str
    place: str
    area_id: int | None
    has_place: bool
    site: str = ""  # the building where the area tree does not know it; else it follows from `area_id`


def place_words(mentions: tuple[PlaceMention, ...]) -> str:
    """The place as the resident said it."""
    return " ".join(dict.fromkeys(mention.words for mention in mentions))[:LONGEST_PLACE]


def site_named(session: Session, matter: Matter) -> str:
    """The building or landmark that a matter is about; empty where none was named."""
    return matter.site or areas.site_of(session.recall(areas.Area, matter.area_id) if matter.area_id else None)


def thing_of(topic: str | None, site: str) -> str:
    """What and where, as a case keeps it to be found by; empty where nobody said where."""
    return f"{topic or ''}@{site}" if site else ""


def site_in(case: Case) -> str:
    """The building or landmark that a case is about."""
    return case.thing.partition("@")[2]


def matter_of(understood: Understanding, said: str, *, here: int | None) -> Matter:
    """What was understood as a matter; `here` is the area that it was said in, for what names none of its own."""
    area_id = next((mention.area_id for mention in understood.places if mention.area_id), None)
    building = next((mention.building for mention in understood.places if mention.building), None)
    return Matter(
        kind=understood.kind if understood.kind != Kind.CHATTER else Kind.REPORT,
        topic=understood.topic,
        urgency=understood.urgency,
        text=said,
        place=place_words(understood.places),
        area_id=area_id or here,
        has_place=bool(understood.places),
        site=f"{here}:{building}" if building and area_id is None else "",
    )


def open_case(  # noqa: PLR0913 - a case's columns
    session: Session,
    matter: Matter,
    *,
    community_id: int,
    chat: Chat | None,
    reporter_id: int | None,
    now: datetime,
    source: str = "chat",
    actor_id: int | None = None,
    cause_id: int | None = None,
) -> Case:
    """A case with its number, its deadline, its first event and its worker; nothing has been said of it yet."""
    case = Case(
        id=new_id(),
        community_id=community_id,
        number=next_number(session, community_id, PREFIXES[matter.kind], now=now),
        kind=matter.kind,
        topic=matter.topic,
        urgency=matter.urgency,
        text=matter.text,
        place=matter.place,
        area_id=matter.area_id,
        thing=thing_of(matter.topic, site_named(session, matter)),
        is_private=words.is_private_matter(matter.kind, matter.topic, matter.urgency),
        source=source,
        chat_id=chat.id if chat else None,
        reporter_id=reporter_id,
        state=State.OPEN,
        opened_at=now,
        returns=0,
        reopenings=0,
    )
    session.add(case)
    session.memo[TOLD_HERE, reporter_id] = True
    if reporter_id is not None and (RECENT, reporter_id) in session.memo:
        cast(list[Case], session.memo[RECENT, reporter_id]).append(case)
    record(session, case, Step.OPEN, now=now, before=None, actor_id=actor_id or reporter_id, cause_id=cause_id)
    work.set_deadline(session, case, now=now)
    work.route(session, case, now=now, cause_id=cause_id)
    return case


def post_receipt(
    session: Session,
    case: Case,
    chat: Chat,
    *,
    now: datetime,
    reply_to: str | None,
    thread: str | None,
    asks_place: bool,
    start_link: str | None,
) -> None:
    """The one short message in the chat, with an undo button for a minute (for a private matter: the way to private chat)."""
    is_group = chat.purpose != "private"
    buttons: list[list[Press]] = []
    if case.is_private and is_group:
        text = words.private_receipt(case, has_link=bool(start_link))
        if start_link:
            buttons = [[Press(say("cases.button_private"), url=start_link)]]
    elif case.is_private:
        text = words.private_opened(session, case)
    else:
        text = words.receipt(session, case, asks_place=asks_place)
        buttons = words.undo_buttons(case)
        reminders.add(session, reminders.RECEIPT_SETTLED, case, due_at=now + work.UNDO)
    case.receipt_id = outbox.post(
        session,
        chat,
        mask_for_group(text) if is_group else text,
        now=now,
        buttons=buttons,
        reply_to=reply_to,
        thread=thread,
        person_id=case.reporter_id,
        case_id=case.id,
        cause_id=None,
    )


def post_receipt_of_several(
    session: Session,
    cases: Sequence[Case],
    chat: Chat,
    *,
    now: datetime,
    reply_to: str | None,
    thread: str | None,
    asks_place: bool,
) -> None:
    """One message that names the numbers of all that was said at once, with a button to take back each."""
    text = receipts.text_of_several(session, cases, asks_place=asks_place)
    key = outbox.post(
        session,
        chat,
        text if chat.purpose == "private" else mask_for_group(text),
        now=now,
        buttons=[row for case in cases if not case.is_private for row in receipts.undo_one(case)],
        reply_to=reply_to,
        thread=thread,
        person_id=cases[0].reporter_id,
        case_id=cases[0].id,
    )
    for case in cases:
        case.receipt_id, case.siblings = key, len(cases) - 1
    reminders.add(session, reminders.RECEIPT_SETTLED, cases[0], due_at=now + work.UNDO)


def keep_message(session: Session, case: Case, received: Noted, *, said: str | None = None) -> None:
    """This message belongs to the case: replies to it, its edits and its album find the case through it. `said` is what of it is
    about this case, where it tells of several."""
    if received.chat_id is None or received.message_id is None:
        return
    session.leave(
        CaseMessage,
        case_id=case.id,
        chat_id=received.chat_id,
        message_id=received.message_id,
        sender=received.sender or "",
        album_id=received.album_id,
        text=received.text if said is None else said,
        at=received.sent_at,
    )


def case_of_message(session: Session, chat_id: int, message_id: str) -> Case | None:
    """The case that a message belongs to: a resident's own message, or one of ours about the case."""
    case_id = session.scalar(
        select(CaseMessage.case_id)
        .where(CaseMessage.chat_id == chat_id, CaseMessage.message_id == message_id)
        .order_by(CaseMessage.id.desc())
        .limit(1)
    ) or session.scalar(
        select(Outbox.case_id).where(
            Outbox.chat_id == chat_id, Outbox.external_id == message_id, Outbox.case_id.is_not(None)
        )
    )
    return session.get(Case, case_id) if case_id else None


def cases_of_message(session: Session, chat_id: int, message_id: str) -> Sequence[Case]:
    """All cases that a resident's own message belongs to: it may have told of several matters."""
    of_message = select(CaseMessage.case_id).where(CaseMessage.chat_id == chat_id, CaseMessage.message_id == message_id)
    return session.scalars(select(Case).where(Case.id.in_(of_message)).order_by(Case.id)).all()


def kept_message(session: Session, case: Case, chat_id: int, message_id: str) -> CaseMessage | None:
    """A message as it is kept with this case: what it said of it."""
    query = select(CaseMessage).where(
        CaseMessage.case_id == case.id, CaseMessage.chat_id == chat_id, CaseMessage.message_id == message_id
    )
    return session.scalars(query.order_by(CaseMessage.id).limit(1)).first()


def case_of_album(session: Session, chat_id: int, album_id: str) -> Case | None:
    """The case that another picture of the same album has joined."""
    case_id = session.scalar(
        select(CaseMessage.case_id)
        .join(Case, Case.id == CaseMessage.case_id)
        .where(CaseMessage.chat_id == chat_id, CaseMessage.album_id == album_id)
        .limit(1)
    )
    return session.get(Case, case_id) if case_id else None


def latest_case_of(
    session: Session,
    reporter_id: int,
    chat_id: int,
    *,
    now: datetime,
    states: frozenset[State] = ACTIVE,
    fits: Callable[[Case], bool] = lambda _: True,
) -> Case | None:
    """What this person reported last in this chat, not long ago, of what `fits`."""
    return next(filter(fits, latest_of(session, reporter_id, chat_id, now=now, states=states)), None)


def latest_of(
    session: Session, reporter_id: int, chat_id: int, *, now: datetime, states: frozenset[State]
) -> Sequence[Case]:
    """All that this person reported in this chat not long ago, the newest first."""
    if (NEW_HERE, reporter_id) in session.memo:
        session.memo.setdefault((RECENT, reporter_id), [])
    if (RECENT, reporter_id) not in session.memo:
        note_recent(session, [reporter_id], now=now)
    mine = cast(list[Case], session.memo[RECENT, reporter_id])
    return [case for case in reversed(mine) if case.chat_id == chat_id and case.state in states]


# Put together once: every batch asks it.
REPORTED_LATELY = (
    select(Case)
    .where(
        Case.reporter_id.in_(bindparam("reporters", expanding=True)),
        Case.opened_at >= bindparam("since", type_=Case.opened_at.type),
    )
    .order_by(Case.id)
)


def note_recent(session: Session, reporter_ids: Collection[int], *, now: datetime) -> None:
    """Looks up, in one statement, what these people reported lately, for the `latest_case_of` that follow."""
    found: dict[int | None, list[Case]] = defaultdict(list)
    for case in session.scalars(REPORTED_LATELY, {"reporters": list(reporter_ids), "since": now - FOLLOW_UP}):
        found[case.reporter_id].append(case)
    for person_id in reporter_ids:
        session.memo[RECENT, person_id] = found.get(person_id, [])


def add_note(
    session: Session, case: Case, text: str, *, actor_id: int | None, now: datetime, cause_id: int | None
) -> None:
    """More words about the same matter: kept in the history and handed to the worker."""
    take_step(session, case, Step.ADD, now=now, actor_id=actor_id, note=text, cause_id=cause_id)
    if case.state in ACTIVE:
        telling.to_worker(session, case, say("cases.card_added", number=case.number, note=text), now=now)


def add_place(
    session: Session,
    case: Case,
    *,
    place: str,
    area_id: int | None,
    actor_id: int | None,
    now: datetime,
    cause_id: int | None,
    said: str = "",
) -> None:
    """The place, told late or corrected, with all that was `said` with it. Until somebody has accepted, the case goes to whoever is
    in charge there."""
    note = said or place
    take_step(session, case, Step.ADD, now=now, actor_id=actor_id, note=note, data={"place": place}, cause_id=cause_id)
    case.place = place
    moved = area_id is not None and area_id != case.area_id
    if area_id is not None:
        case.area_id = area_id
        case.thing = thing_of(case.topic, areas.site_of(session.recall(areas.Area, area_id)))
    holder = case.assignee_id
    if moved and case.state in (State.OPEN, State.ASSIGNED):
        work.route(session, case, now=now, cause_id=cause_id)
    if case.urgency == Urgency.EMERGENCY:
        _tell_where_to(session, case, said, now=now)
    elif case.assignee_id == holder:
        telling.to_worker(session, case, say("cases.card_place_changed", number=case.number, place=place), now=now)
    work.refresh(session, case, now=now)


def _tell_where_to(session: Session, case: Case, said: str, *, now: datetime) -> None:
    """Everybody who was called out without a place learns it at once."""
    told = say("cases.emergency_place", number=case.number, place=case.place)
    if said and said != case.place:
        told += "\n" + say("cases.emergency_said", note=said)
        telling.to_assignee(session, case, told, now=now)
    else:
        telling.to_worker(session, case, told, now=now)
    if not case.is_private:
        telling.to_desk(session, case, told, now=now)


def edit_text(
    session: Session, case: Case, text: str, *, actor_id: int | None, now: datetime, cause_id: int | None
) -> None:
    """The resident edited the message: the case says what the message says now; the old words stay in the history."""
    take_step(session, case, Step.EDIT, now=now, actor_id=actor_id, note=case.text, cause_id=cause_id)
    case.text = text
    telling.to_worker(session, case, say("cases.card_edited", number=case.number, text=text), now=now)
    work.refresh(session, case, now=now)


def leave_out(session: Session, case: Case, *, actor_id: int | None, now: datetime, cause_id: int | None) -> None:
    """The resident edited the message, and it tells of this matter no more: whoever has it asks; nobody but they know whether it is done."""
    if case.state not in ACTIVE:
        return
    take_step(session, case, Step.ADD, now=now, actor_id=actor_id, note=say("cases.left_out"), cause_id=cause_id)
    telling.to_worker(session, case, say("cases.card_left_out", number=case.number), now=now)
