"""The one message in the chat that a matter was registered: its words and its buttons, as long as the case lives."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from core.errors import Refused
from core.ids import BLOCK_STRIDE
from core.messages import OutgoingAction, Urgency
from core.texts import say
from domain import outbox
from domain.cases import joined, words
from domain.cases.joined import UNDO
from domain.cases.life import State
from domain.outbox import Press
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat, ChatPurpose
from storage.messages import Outbox

LONGEST_OPENING = 60_000 * BLOCK_STRIDE  # a minute, in keys


def siblings(session: Session, case: Case) -> Sequence[Case]:
    """The cases that were opened by one message and share its receipt, this one among them."""
    if not case.siblings or case.receipt_id is None:
        return [case]
    # Not by their reporter: one of them may have passed to a neighbour. They were opened within one message.
    query = select(Case).where(
        Case.id.between(case.id - LONGEST_OPENING, case.id + LONGEST_OPENING), Case.receipt_id == case.receipt_id
    )
    return session.scalars(query.order_by(Case.id)).all() or [case]


def text_of(session: Session, case: Case) -> str:
    """What the receipt says now."""
    together = siblings(session, case)
    if len(together) == 1 and case.is_private:
        return words.private_receipt(case, has_link=False)
    return words.receipt(session, case) if len(together) == 1 else text_of_several(session, together)


def text_of_several(session: Session, cases: Sequence[Case], *, asks_place: bool = False) -> str:
    """One message for all that somebody said at once: a line for each."""
    dangers = [case for case in cases if _is_called_out(case)]
    lines = [
        *dict.fromkeys(words.whom_to_call(case) for case in dangers),
        say("cases.receipt_several", count=len(cases)),
    ]
    lines += [_line(session, case) for case in cases]
    if any(not case.place for case in dangers):
        lines.append(say("cases.receipt_emergency_ask_place"))
    elif asks_place:
        lines.append(say("cases.receipt_ask_place"))
    return "\n".join(lines)


def _is_called_out(case: Case) -> bool:
    return case.urgency == Urgency.EMERGENCY and not case.is_private and case.state in (State.OPEN, State.ASSIGNED)


def _line(session: Session, case: Case) -> str:
    """One matter of several: its number alone where staff found that it is between people."""
    if case.state == State.WITHDRAWN:
        return words.withdrawn(session, case)
    if case.is_private:
        return say("cases.receipt_line_private", number=case.number)
    if _is_called_out(case):
        who = words.who_was_called(session, case)
        return say("cases.receipt_line_emergency", number=case.number, what=words.what(case), who=who)
    return say("cases.receipt_line", number=case.number, what=words.what(case), who=words.progress(session, case))


def buttons_of(session: Session, case: Case, *, now: datetime) -> list[list[Press]]:
    """For a minute: not registered after all, and not the same thing after all."""
    together = siblings(session, case)
    rows: list[list[Press]] = []
    for each in together:
        if each.is_private:
            continue
        if may_undo(each, now=now):
            rows += words.undo_buttons(each) if len(together) == 1 else undo_one(each)
        if joined.has_fresh(session, each, now=now):
            rows += joined.part_buttons(each)
    return rows


def hide_others(session: Session, case: Case, *, now: datetime) -> None:
    """Whatever else residents' groups were told of a matter says no more than its number: who joined it, how it went, whether it is done."""
    told = (
        select(Outbox)
        .join(Chat, Chat.id == Outbox.chat_id)
        .where(
            Outbox.case_id == case.id,
            Outbox.action == OutgoingAction.SEND,
            Outbox.id != (case.receipt_id or 0),
            Chat.purpose == ChatPurpose.RESIDENTS,
        )
    )
    for row in session.scalars(told.order_by(Outbox.id)).all():
        outbox.edit(session, row, say("cases.told_private", number=case.number), now=now)


def undo_one(case: Case) -> list[list[Press]]:
    """The button that takes back one of several."""
    return [[Press(say("cases.button_undo_one", number=case.number), "cases.undo", case.id)]]


def may_undo(case: Case, *, now: datetime) -> bool:
    """For a minute, and until somebody has taken it on."""
    return now - case.opened_at < UNDO and case.state in (State.OPEN, State.ASSIGNED)


def check_undo(case: Case, *, now: datetime) -> None:
    """The button under the receipt: within a minute, and before anybody has taken it on."""
    if now - case.opened_at > UNDO:
        raise Refused("cases.undo_late")
    if case.state not in (State.OPEN, State.ASSIGNED):
        raise Refused("cases.undo_too_late")
