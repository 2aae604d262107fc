"""Who is told of a case, and where: its reporter, whoever has it, somebody else of staff, the community's desk. Words come ready made."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from core.privacy import mask_for_group
from domain import chats, notices, outbox
from domain.cases import listing
from domain.outbox import Press, Priority
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat
from storage.people import Person

Buttons = Sequence[Sequence[Press]]


def chat_with(session: Session, case: Case, person_id: int | None) -> Chat | None:
    """The private chat with somebody, on the channel that the case came by if they can be reached there; None where they cannot."""
    if person_id is None:
        return None
    origin = session.recall(Chat, case.chat_id) if case.chat_id else None
    return chats.private_chat_of(session, person_id, prefer=origin.channel if origin else "")


def to_person(
    session: Session,
    case: Case,
    person_id: int | None,
    text: str,
    *,
    now: datetime,
    buttons: Buttons = (),
    file_ids: Sequence[int] = (),
    priority: Priority = Priority.ASSIGNMENT,
) -> bool:
    """A line in private; False where it reaches nobody."""
    chat = chat_with(session, case, person_id)
    if chat is None:
        return False
    outbox.post(
        session,
        chat,
        text,
        now=now,
        buttons=buttons,
        file_ids=file_ids,
        person_id=person_id,
        case_id=case.id,
        priority=priority,
    )
    return True


def to_desk(session: Session, case: Case, text: str, *, now: datetime) -> None:
    """A line to the people at the community's desk: what few may know must not stand in it."""
    notices.tell_desk(session, case.community_id, text, now=now, case_id=case.id)


def to_worker(session: Session, case: Case, text: str, *, now: datetime, file_ids: Sequence[int] = ()) -> None:
    """A line to whoever has the case, if their card has gone out already: before that the card itself will say it."""
    if case.card_id is not None:
        to_assignee(session, case, text, now=now, file_ids=file_ids)


def to_assignee(session: Session, case: Case, text: str, *, now: datetime, file_ids: Sequence[int] = ()) -> None:
    """The same, even before their card: what no card says."""
    to_person(session, case, case.assignee_id, text, now=now, file_ids=file_ids)


def reporter_chat(session: Session, case: Case) -> Chat | None:
    """Where its reporter is told: in the chat where the matter was raised; in private when it is private or came otherwise. None:
    the bot cannot tell them."""
    chat = session.get(Chat, case.chat_id) if case.chat_id else None
    return chat_with(session, case, case.reporter_id) if chat is None or case.is_private else chat


class Reach(StrEnum):
    """How somebody can be told: by the bot, by a person who rings, or not at all. The end of the keys of what is said of it."""

    CHAT = ""
    TELEPHONE = "_by_phone"
    NOT = "_nobody"


def reach(session: Session, case: Case) -> Reach:
    """How its reporter can be told."""
    chat = reporter_chat(session, case)
    if chat is not None and chat.state == chats.ChatState.BOUND:
        return Reach.CHAT
    reporter = session.get(Person, case.reporter_id) if case.reporter_id else None
    return Reach.TELEPHONE if reporter is not None and reporter.phone_sealed is not None else Reach.NOT


def to_reporter(
    session: Session,
    case: Case,
    text: str,
    *,
    now: datetime,
    buttons: Buttons = (),
    file_ids: Sequence[int] = (),
) -> None:
    """In that chat; as a reply to what they said, where it was said there."""
    chat = reporter_chat(session, case)
    if chat is None:
        return
    if case.is_private or chat.id != case.chat_id:
        to_person(session, case, case.reporter_id, text, now=now, buttons=buttons, file_ids=file_ids)
        return
    shown = text if chat.purpose == chats.ChatPurpose.PRIVATE else mask_for_group(text)
    outbox.post(
        session,
        chat,
        shown,
        now=now,
        buttons=buttons,
        file_ids=file_ids,
        reply_to=listing.opening_message(session, case),
        case_id=case.id,
        person_id=case.reporter_id,
    )


def to_reporter_in_private(session: Session, case: Case, text: str, *, now: datetime) -> bool:
    """A line to whoever reported it, where the bot may write to them; False where it may not."""
    return to_person(session, case, case.reporter_id, text, now=now)
