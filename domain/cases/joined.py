"""Who has joined a case: how many, what they are told, and how it shows in the chats. Who joins and why is joining.py."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from core.messages import OutgoingAction, Urgency
from core.privacy import mask_for_group
from core.texts import say
from domain import chats, outbox
from domain.cases import words
from domain.cases.life import State, Step
from domain.outbox import Outbox, Press, Priority
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseReporter
from storage.chats import Chat

__all__ = ["CaseReporter", "latest_of", "line", "of_case", "of_person", "show", "tell"]

# Who joined may say so long that it is another matter after all.
UNDO = timedelta(minutes=1)
# A line younger than this is edited for the next who joins; an older one has gone up out of sight.
FRESH = timedelta(minutes=10)
MANY = 3  # from so many reporters on it is urgent
WHY, WHY_PARTED = "joined", "parted"  # in a step's data: the urgency went up, or down again, with their number
REOPENED = frozenset({State.OPEN, State.ASSIGNED})
OVER = frozenset({State.FINISHED, State.CLOSED})
# States that are news; a group hears of these only, and of those in between from the message that is edited there.
NEWS = frozenset({State.ACCEPTED, State.ARRIVED, State.FINISHED, State.CLOSED, State.WITHDRAWN})
NEWS_FOR_GROUPS = frozenset({State.ACCEPTED, State.FINISHED, State.WITHDRAWN})


def of_case(session: Session, case: Case) -> Sequence[CaseReporter]:
    """Who has joined and not parted again, in order."""
    query = select(CaseReporter).where(CaseReporter.case_id == case.id, CaseReporter.parted_at.is_(None))
    return session.scalars(query.order_by(CaseReporter.id)).all()


def of_person(session: Session, case: Case, person_id: int) -> CaseReporter | None:
    """This person's joining, if they have joined and not parted."""
    return next((row for row in of_case(session, case) if row.person_id == person_id), None)


def entered_words(session: Session, case: Case) -> dict[str, CaseEvent]:
    """The steps by which staff put somebody beside the reporter, by the key of the row: what those said stands in the note."""
    steps = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.step == Step.JOIN)
    return {event.data["row"]: event for event in session.scalars(steps) if "row" in event.data}


def latest_of(session: Session, person_id: int, chat_id: int, *, since: datetime) -> CaseReporter | None:
    """What this person joined last in this chat, if that was since then and they are still with it."""
    query = select(CaseReporter).where(
        CaseReporter.person_id == person_id,
        CaseReporter.chat_id == chat_id,
        CaseReporter.at >= since,
        CaseReporter.parted_at.is_(None),
    )
    return session.scalars(query.order_by(CaseReporter.id.desc()).limit(1)).first()


def tell(session: Session, case: Case, *, now: datetime) -> None:
    """Everybody who joined learns of the state that the case has reached, each once: in private where the bot may write to
    them, else by one line in their group. The chat that the case came from sees it by the receipt and the question there."""
    if not case.joined or case.is_private:  # staff found that it is between people: nobody else's any more
        return
    groups: set[int] = set()
    for row in of_case(session, case):
        news = _news(session, case, State(row.told_state))
        row.told_state = case.state
        if not news or row.person_id is None:
            continue
        origin = session.get(Chat, row.chat_id) if row.chat_id else None
        chat = chats.private_chat_of(session, row.person_id, prefer=origin.channel if origin else "")
        if chat is not None:
            _post(session, case, chat, news, now=now, person_id=row.person_id)
        elif origin is not None and origin.id != case.chat_id:
            groups.add(origin.id)
    if groups and (case.state in NEWS_FOR_GROUPS or case.state in REOPENED):
        text = _news(session, case, None)
        for chat_id in sorted(groups):
            _post(session, case, session.get_one(Chat, chat_id), text, now=now)


def _news(session: Session, case: Case, told: State | None) -> str:
    """What there is to tell to somebody last told of the state `told` (None: whatever it was); empty where it is no news."""
    state = State(case.state)
    blanks = {"number": case.number, "what": words.what(case), "how": words.how_joined(case)}
    if state == told:
        return ""
    if state in REOPENED and (told is None or told in OVER):
        return say("cases.joined_reopened", **blanks)
    if state not in NEWS:
        return ""
    if state == State.WITHDRAWN:
        return say("cases.joined_withdrawn", **blanks)
    # The thanks are the reporter's, who was asked.
    is_thanked = state == State.CLOSED and case.rating is not None
    progress = say("cases.closed_for_joined") if is_thanked else words.progress(session, case)
    return say("cases.joined_news", **blanks, progress=progress)


def _post(session: Session, case: Case, chat: Chat, text: str, *, now: datetime, person_id: int | None = None) -> None:
    is_private = chat.purpose == chats.ChatPurpose.PRIVATE
    buttons = [[Press(say("cases.button_not_done"), "cases.not_done", case.id)]] if case.state == State.FINISHED else []
    outbox.post(
        session,
        chat,
        text if is_private else mask_for_group(text),
        now=now,
        buttons=buttons if is_private else (),
        priority=Priority.ASSIGNMENT,
        person_id=person_id,
        case_id=case.id,
    )


def line(case: Case) -> str:
    """What a chat reads when somebody's own report has joined a case."""
    blanks = {"number": case.number, "what": words.what(case), "count": case.joined + 1}
    if case.urgency == Urgency.EMERGENCY:
        return mask_for_group(say("cases.joined_emergency", call=words.whom_to_call(case), **blanks))
    return mask_for_group(say("cases.joined", **blanks, how=words.how_joined(case)))


def part_buttons(case: Case) -> list[list[Press]]:
    return [[Press(say("cases.button_part"), "cases.part", case.id)]]


def fresh_line(session: Session, case: Case, chat: Chat, *, now: datetime) -> int | None:
    """The outbox key of the line in this chat that may still be seen, to be edited instead of saying it again."""
    rows = [row for row in of_case(session, case) if row.chat_id == chat.id and row.told_id and now - row.at < FRESH]
    return rows[-1].told_id if rows else None


def has_fresh(session: Session, case: Case, *, now: datetime) -> bool:
    """Whether somebody joined under the receipt a moment ago and may still say that it is another matter."""
    return bool(case.joined) and any(row.told_id is None and now - row.at < UNDO for row in of_case(session, case))


def was_under_receipt(session: Session, case: Case, *, now: datetime) -> bool:
    """Whether the receipt carries the button of somebody whose minute has just gone by."""
    return any(row.told_id is None and UNDO <= now - row.at < 2 * UNDO for row in of_case(session, case))


def show(session: Session, case: Case, *, now: datetime) -> None:
    """Brings the lines that say how many have joined up to date. The receipt and the card are work.refresh's."""
    if case.is_private:
        return
    lines: dict[int, bool] = {}
    for row in of_case(session, case):
        if row.told_id and now - row.at < FRESH:
            lines[row.told_id] = lines.get(row.told_id, False) or now - row.at < UNDO
    for key, may_part in lines.items():
        row_of_line = session.get(Outbox, key)
        if row_of_line is not None:
            _edit(session, row_of_line, line(case), part_buttons(case) if may_part else [], now=now)


def show_parted(session: Session, case: Case, row: CaseReporter, text: str, *, now: datetime) -> None:
    """The line that said that they joined says what came of it, unless it speaks for others too; call it when they have left."""
    said = session.get(Outbox, row.told_id) if row.told_id else None
    if said is not None and all(other.told_id != row.told_id for other in of_case(session, case)):
        _edit(session, said, text, [], now=now)


def _edit(session: Session, row: Outbox, text: str, buttons: list[list[Press]], *, now: datetime) -> None:
    """Only what would read otherwise: platforms refuse an edit that changes nothing."""
    edits = select(Outbox).where(Outbox.edits_id == row.id, Outbox.action == OutgoingAction.EDIT)
    last = (
        session.scalars(edits.where(Outbox.case_id == row.case_id).order_by(Outbox.id.desc()).limit(1)).first() or row
    )
    if (last.text, bool(last.buttons)) != (text, bool(buttons)):
        outbox.edit(session, row, text, now=now, buttons=buttons)
