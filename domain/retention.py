"""Forgetting: what has been kept long enough, each night; and one person, when asked to. How long is a setting of the installation."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    String,
    Update,
    and_,
    cast,
    delete,
    exists,
    literal,
    or_,
    select,
    update,
)

from core.config import KeepSettings
from core.messages import ChatKind
from core.privacy import mask_for_group
from domain import inbox, people
from domain.cases import leaving
from domain.cases.life import Step
from storage.access import SignInLink, WebSession
from storage.base import Base, Session
from storage.cases import Case, CaseEvent, CaseMessage, CaseReporter, KeptAnswer
from storage.chats import BindingCode, Chat, Conversation
from storage.messages import File, Outbox, OutboxState, Outcome, Received
from storage.people import Account, Person
from storage.reminders import Reminder
from storage.understanding import Correction

__all__ = ["forget", "forget_person", "hashes_in_use"]

# A held message is none of these: it waits for a person to decide, however long.
SETTLED = (OutboxState.SENT, OutboxState.GIVEN_UP, OutboxState.DROPPED)
WAITING = (OutboxState.QUEUED, OutboxState.HELD, OutboxState.GIVEN_UP)
# These keep words in their data too; that of the other steps is keys, which figures are made from.
STEPS_WITH_WORDS = (Step.ADD, Step.EDIT, Step.JOIN)
# Cases in one night; a backlog of years must not hold up the writer.
MOST_CASES = 1000
# Spent links, codes and sessions are looked at for a while when something went wrong, then they only lie about.
SPENT_LIFE = timedelta(days=30)


def forget(session: Session, *, now: datetime, keep: KeepSettings) -> dict[str, int]:
    """Blanks and deletes what has been kept long enough; returns how much of each. Done twice, the second time finds nothing.

    Figures stay: cases, their steps and ratings, only without words and names.
    """
    session.flush()
    sent_before = now - timedelta(days=keep.sent_days)
    return {
        "texts": inbox.forget_texts(session, before=now - timedelta(days=keep.chatter_text_days)),
        "keys": _forget_keys(session, before=now - timedelta(days=keep.message_key_days)),
        "failed": _forget_failed(session, before=sent_before),
        "sent": _forget_sent(session, before=sent_before),
        "cases": _forget_cases(session, before=now - timedelta(days=keep.closed_case_days)),
        "leftovers": _forget_leftovers(session, now=now, before=sent_before),
    }


def _forget_keys(session: Session, *, before: datetime) -> int:
    """Messages that became nothing: after this long no platform delivers one a second time."""
    old = Received.received_at < before
    return _delete(session, Received, old, Received.case_id.is_(None), Received.outcome != Outcome.FAILED)


def _forget_failed(session: Session, *, before: datetime) -> int:
    """Bodies kept for replay: a fault not mended by now will not be."""
    return _delete(session, Received, Received.received_at < before, Received.outcome == Outcome.FAILED)


def _forget_sent(session: Session, *, before: datetime) -> int:
    """What left us long ago. Of open cases only the words go: their buttons still work, and replies still find the case."""
    is_old = and_(Outbox.created_at < before, Outbox.state.in_(SETTLED))
    of_open_case = exists().where(Case.id == Outbox.case_id, Case.closed_at.is_(None))
    deleted = _delete(session, Outbox, is_old, ~of_open_case)
    return deleted + _change(session, Outbox, {"text": ""}, is_old, Outbox.text != "")


def _forget_cases(session: Session, *, before: datetime) -> int:
    """Matters closed long ago lose the words, the door, the photos and who reported them; the number and the steps stay."""
    has_something = or_(Case.text != "", Case.place != "", Case.reporter_id.is_not(None))
    query = select(Case.id).where(Case.closed_at < before, has_something).order_by(Case.id).limit(MOST_CASES)
    old = session.scalars(query).all()
    if not old:
        return 0
    nothing = {"text": "", "place": "", "reporter_id": None, "chat_id": None}
    _change(session, Case, nothing, Case.id.in_(old))
    _change(session, CaseEvent, {"note": ""}, CaseEvent.case_id.in_(old))
    _change(session, CaseEvent, {"data": {}}, CaseEvent.case_id.in_(old), CaseEvent.step.in_(STEPS_WITH_WORDS))
    _delete(session, CaseMessage, CaseMessage.case_id.in_(old))
    _change(session, CaseReporter, {"person_id": None, "place": ""}, CaseReporter.case_id.in_(old))
    _delete(session, Correction, Correction.case_id.in_(old))
    _delete(session, Received, Received.case_id.in_(old))
    _delete(session, File, File.case_id.in_(old))
    _delete(session, Outbox, Outbox.case_id.in_(old), Outbox.state.in_(SETTLED))
    # The answer is the community's knowledge and serves on; the question keeps no door and no number.
    for answer in session.scalars(select(KeptAnswer).where(KeptAnswer.case_id.in_(old))):
        answer.question = mask_for_group(answer.question)
    session.flush()
    return len(old)


def _forget_leftovers(session: Session, *, now: datetime, before: datetime) -> int:
    """Questions that nobody answered, reminders that are done, and spent or dead links, codes and sessions."""
    spent = now - SPENT_LIFE
    return sum(
        [
            _delete(session, Conversation, Conversation.expires_at < now),
            _delete(session, Reminder, Reminder.done_at < before),
            _delete(session, Correction, Correction.case_id.is_(None), Correction.at < before),
            _delete(session, SignInLink, SignInLink.expires_at < spent),
            _delete(session, WebSession, WebSession.expires_at < spent),
            _delete(session, BindingCode, BindingCode.expires_at < spent),
        ]
    )


def forget_person(session: Session, person: Person, *, now: datetime) -> None:
    """Erases a person, and with them what was said from their accounts: private messages, and the marks of who spoke in groups.

    Matters they reported stay, without their words where the matter is over; an open one keeps its words, or nobody could do it.
    What they had in hand themselves goes to others.
    """
    session.flush()
    accounts = session.scalars(select(Account).where(Account.person_id == person.id)).all()
    private = select(Chat.id).where(Chat.person_id == person.id, Chat.kind == ChatKind.PRIVATE)
    _forget_joining(session, person, accounts)
    for account in accounts:
        _forget_sender(session, account)
    _forget_private_chats(session, private, person)
    over = select(Case.id).where(Case.reporter_id == person.id, Case.closed_at.is_not(None))
    _change(session, CaseMessage, {"text": ""}, CaseMessage.case_id.in_(over))
    _change(session, CaseEvent, {"note": ""}, CaseEvent.case_id.in_(over))
    _change(session, Case, {"text": "", "place": ""}, Case.id.in_(over))
    _change(session, CaseReporter, {"person_id": None, "place": ""}, CaseReporter.person_id == person.id)
    _delete(session, Correction, Correction.speaker_id == person.id)
    _change(session, Correction, {"by_id": None}, Correction.by_id == person.id)
    # What they raised in private has nobody to be told any more, and goes on.
    _change(session, Case, {"chat_id": None, "receipt_id": None}, Case.chat_id.in_(private))
    _change(session, Chat, {"external_id": literal("erased:") + cast(Chat.id, String)}, Chat.id.in_(private))
    people.erase(session, person, now)
    leaving.pass_on(session, person.id, now=now)


def _forget_joining(session: Session, person: Person, accounts: Sequence[Account]) -> None:
    """What they said as one of several reporters, or as the one who left it to the others: of matters that are over."""
    # A step of parting has words where the reporter has left; staff who take somebody out leave none.
    shared = or_(CaseEvent.step == Step.JOIN, and_(CaseEvent.step == Step.PART, CaseEvent.note != ""))
    steps = select(CaseEvent.case_id).where(CaseEvent.actor_id == person.id, shared)
    over = session.scalars(select(Case.id).where(Case.id.in_(steps), Case.closed_at.is_not(None))).all()
    theirs = and_(CaseEvent.actor_id == person.id, CaseEvent.case_id.in_(over))
    _change(session, CaseEvent, {"data": {}}, theirs, CaseEvent.step.in_(STEPS_WITH_WORDS))
    _change(session, CaseEvent, {"note": ""}, theirs)
    for account in accounts:
        here = select(Chat.id).where(Chat.channel == account.channel)
        spoke = and_(CaseMessage.sender == account.external_id, CaseMessage.chat_id.in_(here))
        _change(session, CaseMessage, {"text": ""}, spoke, CaseMessage.case_id.in_(over))


def _forget_sender(session: Session, account: Account) -> None:
    chats = select(Chat.id).where(Chat.channel == account.channel)
    spoke = and_(Received.channel == account.channel, Received.sender == account.external_id)
    _change(session, Received, {"sender": None, "text": "", "understanding": None, "raw": None}, spoke)
    in_case = and_(CaseMessage.sender == account.external_id, CaseMessage.chat_id.in_(chats))
    _change(session, CaseMessage, {"sender": ""}, in_case)


def _forget_private_chats(session: Session, private: Select[int], person: Person) -> None:
    """What waits there is no longer wanted; what was said there has no words any more."""
    here = or_(Outbox.chat_id.in_(private), and_(Outbox.person_id == person.id, Outbox.case_id.is_(None)))
    _change(session, Outbox, {"state": OutboxState.DROPPED}, here, Outbox.state.in_(WAITING))
    _change(session, Outbox, {"text": "", "buttons": []}, here)


def hashes_in_use(session: Session, hashes: Collection[str]) -> set[str]:
    """Which of these media some row still names; the files of the others may be deleted."""
    return set(session.scalars(select(File.sha256).where(File.sha256.in_(hashes))))


def _delete(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    return _run(session, delete(table).where(*conditions))


def _change(session: Session, table: type[Base], values: Mapping[str, object], *conditions: ColumnElement[bool]) -> int:
    return _run(session, update(table).where(*conditions).values(**values))


def _run(session: Session, statement: Delete | Update) -> int:
    """Past the session's own memory of rows, which is then read anew."""
    session.flush()
    result = session.execute(statement, execution_options={"synchronize_session": False})
    session.expire_all()
    return int(getattr(result, "rowcount", 0))
