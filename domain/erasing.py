"""One person is forgotten when asked to: at once what they are and what they said, and what others still need of it when its matter is over."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, literal, or_, select

from core.messages import ChatKind
from domain import people
from domain.cases import leaving
from domain.cases.life import Step
from domain.many_rows import change_rows, delete_rows
from storage.base import Session
from storage.cases import Case, CaseEvent, CaseMessage, CaseReporter, KeptAnswer
from storage.chats import Chat, ChatWindow, Conversation
from storage.claims import Claim, ClaimEnd
from storage.customer_groups import CustomerGroup, PostTask
from storage.messages import File, Outbox, OutboxState, Received
from storage.people import Account, Person
from storage.phone_tasks import PhoneTask
from storage.understanding import Correction

# These keep words in their data too; that of the other steps is keys, which figures are made from.
STEPS_WITH_WORDS = (Step.ADD, Step.EDIT, Step.JOIN)
# A held message is none of these: it waits for a person to decide, however long; or for a resident, until its case is forgotten.
SETTLED = (OutboxState.SENT, OutboxState.GIVEN_UP, OutboxState.DROPPED)
WAITING = (OutboxState.QUEUED, OutboxState.HELD, OutboxState.GIVEN_UP)
NOBODY = ""  # the sender of a case's message whose account is no longer known


def forget_person(session: Session, person: Person, *, now: datetime) -> None:
    """Erases a person, and with them what was said from their accounts: private messages, and the marks of who spoke in groups.

    Matters they reported stay, without their words where the matter is over; an open one keeps its words until then, or nobody could
    do it. What they had in hand themselves goes to others.
    """
    session.flush()
    private = select(Chat.id).where(Chat.person_id == person.id, Chat.kind == ChatKind.PRIVATE)
    for account in session.scalars(select(Account).where(Account.person_id == person.id)).all():
        _forget_sender(session, account)
        _forget_owner(session, account)
    _forget_private_chats(session, private, person, now)
    _forget_what_was_kept(session, person)
    _forget_over(session, [person.id])
    change_rows(session, CaseReporter, {"person_id": None, "place": ""}, CaseReporter.person_id == person.id)
    is_open = Claim.ended_at.is_(None)
    change_rows(session, Claim, {"ended_at": now, "end": ClaimEnd.HANDED_BACK}, Claim.person_id == person.id, is_open)
    change_rows(session, Claim, {"person_id": None}, Claim.person_id == person.id)
    # What they raised in private has nobody to be told any more, and goes on.
    change_rows(session, Case, {"chat_id": None, "receipt_id": None}, Case.chat_id.in_(private))
    change_rows(session, Chat, {"external_id": literal("erased:") + cast(Chat.id, String)}, Chat.id.in_(private))
    people.erase(session, person, now)
    leaving.pass_on(session, person.id, now=now)


def forget_ended(session: Session) -> int:
    """Matters that were open when somebody in them was erased, and are over now, lose that person's words. Returns how many did."""
    return _forget_over(session, session.scalars(select(Person.id).where(Person.erased_at.is_not(None))).all())


def _forget_sender(session: Session, account: Account) -> None:
    chats = select(Chat.id).where(Chat.channel == account.channel)
    spoke = and_(Received.channel == account.channel, Received.sender == account.external_id)
    change_rows(session, Received, {"sender": None, "text": "", "understanding": None, "raw": None}, spoke)
    in_case = and_(CaseMessage.sender == account.external_id, CaseMessage.chat_id.in_(chats))
    change_rows(session, CaseMessage, {"sender": NOBODY}, in_case)
    asked = and_(Conversation.sender == account.external_id, Conversation.chat_id.in_(chats))
    delete_rows(session, Conversation, asked)


def _forget_owner(session: Session, account: Account) -> None:
    """Of groups and posts that were theirs the name goes; the account stays only where a post is still in their hands.

    Groups stand under a channel of their own: it is the account's id that is the same.
    """
    change_rows(session, CustomerGroup, {"owner_name": ""}, CustomerGroup.owner == account.external_id)
    change_rows(session, PostTask, {"owner_name": ""}, PostTask.owner == account.external_id)
    is_over = PostTask.ended_at.is_not(None)
    change_rows(session, PostTask, {"owner": NOBODY}, PostTask.owner == account.external_id, is_over)


def _forget_private_chats(session: Session, private: Select[int], person: Person, now: datetime) -> None:
    """What waits there is no longer wanted; what was said there has no words any more."""
    here = or_(Outbox.chat_id.in_(private), and_(Outbox.person_id == person.id, Outbox.case_id.is_(None)))
    change_rows(session, Outbox, {"state": OutboxState.DROPPED}, here, Outbox.state.in_(WAITING))
    change_rows(session, Outbox, {"text": "", "buttons": []}, here)
    change_rows(session, PhoneTask, {"note": ""}, PhoneTask.chat_id.in_(private))
    is_open = (PhoneTask.done_at.is_(None), PhoneTask.dropped_at.is_(None))
    change_rows(session, PhoneTask, {"dropped_at": now}, PhoneTask.chat_id.in_(private), *is_open)
    delete_rows(session, ChatWindow, ChatWindow.chat_id.in_(private))


def _left_to_others(who: Collection[int]) -> ColumnElement[bool]:
    """They reported it, and it passed to a neighbour with the words as they stood: those are in the step."""
    return exists().where(
        CaseEvent.case_id == Case.id,
        CaseEvent.step == Step.PART,
        CaseEvent.actor_id.in_(who),
        CaseEvent.note != "",
        CaseEvent.note == Case.text,
    )


def _forget_what_was_kept(session: Session, person: Person) -> None:
    """Their words kept to learn from, and to answer others."""
    theirs = select(Case.id).where(or_(Case.reporter_id == person.id, _left_to_others([person.id])))
    delete_rows(session, KeptAnswer, KeptAnswer.case_id.in_(theirs))
    delete_rows(session, Correction, or_(Correction.speaker_id == person.id, Correction.case_id.in_(theirs)))
    change_rows(session, Correction, {"by_id": None}, Correction.by_id == person.id)


def _forget_over(session: Session, erased: Collection[int]) -> int:
    """Of matters that are over: all words of those that these people reported, their own words in the others."""
    if not erased:
        return 0
    is_over = Case.closed_at.is_not(None)
    has_words = or_(Case.text != "", Case.place != "")
    reported = session.scalars(select(Case.id).where(Case.reporter_id.in_(erased), is_over, has_words)).all()
    left = session.scalars(select(Case.id).where(is_over, _left_to_others(erased))).all()
    # A step of parting has words where the reporter has left; staff who take somebody out leave none.
    joined_or_left = or_(CaseEvent.step == Step.JOIN, and_(CaseEvent.step == Step.PART, CaseEvent.note != ""))
    steps = select(CaseEvent.case_id).where(CaseEvent.actor_id.in_(erased), joined_or_left)
    shared = session.scalars(select(Case.id).where(Case.id.in_(steps), is_over)).all()
    theirs = and_(CaseEvent.actor_id.in_(erased), CaseEvent.case_id.in_(shared))
    for events in (theirs, CaseEvent.case_id.in_(reported)):
        change_rows(session, CaseEvent, {"data": {}}, events, CaseEvent.step.in_(STEPS_WITH_WORDS))
        change_rows(session, CaseEvent, {"note": ""}, events)
    change_rows(session, Case, {"text": "", "place": ""}, Case.id.in_(reported))
    change_rows(session, Case, {"text": ""}, Case.id.in_(left))
    change_rows(session, CaseMessage, {"text": ""}, CaseMessage.case_id.in_(reported))
    change_rows(session, PhoneTask, {"note": ""}, PhoneTask.case_id.in_(reported))
    _forget_said(session)
    change_rows(session, Outbox, {"text": ""}, Outbox.case_id.in_([*reported, *left]), Outbox.state.in_(SETTLED))
    return len({*reported, *left})


def _forget_said(session: Session) -> None:
    """What people who are erased wrote and showed about matters that are over."""
    over = select(Case.id).where(Case.closed_at.is_not(None))
    said = and_(CaseMessage.sender == NOBODY, CaseMessage.text != "")
    change_rows(session, CaseMessage, {"text": ""}, said, CaseMessage.case_id.in_(over))
    nobodys = select(Received.id).where(Received.sender.is_(None), Received.case_id.in_(over))
    delete_rows(session, File, File.received_id.in_(nobodys), File.purpose == "report")
