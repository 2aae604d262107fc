"""One person, several accounts: whoever asks for a code in one chat and says it in another is the same person in both.

The code itself is domain/chats; what staff bind for somebody is there too.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from core.errors import Refused
from domain import accounts
from storage.base import Session
from storage.cases import Case, CaseReporter
from storage.chats import Chat, ChatPurpose, ChatState
from storage.people import Account, Duty, Person


def join(session: Session, asked: Person, speaking: Account, *, community_id: int, now: datetime) -> Person:
    """The account's person becomes the one who asked for the code, with their private chats and what they reported.

    Refused to an account of somebody whom staff know: a stranger who talks a worker into saying a code must not get the
    worker's duties. The worker asks for the code instead, and says it in the new account.
    """
    session.flush()  # the account may have been made by this very message
    gone = session.get_one(Person, speaking.person_id)
    if gone is asked:
        return asked
    if _is_known(session, gone):
        raise Refused("people.already_linked" if _is_known(session, asked) else "start.own_account_other_way")
    session.execute(
        update(Account)
        .where(Account.person_id == gone.id)
        .values(person_id=asked.id, linked_at=now, linked_by="own code")
    )
    session.execute(update(Chat).where(Chat.person_id == gone.id).values(person_id=asked.id))
    _take_over_reports(session, asked.id, gone.id)
    session.memo.clear()  # what was looked up of these two no longer holds
    if _is_known(session, asked):
        accounts.audit(
            session,
            person_id=asked.id,
            act="account.join",
            subject=str(asked.id),
            community_id=community_id,
            now=now,
            detail={"way": speaking.channel},
        )
    return asked


def other_chats(session: Session, person: Person, chat: Chat) -> Sequence[Chat]:
    """The private chats of a person beside this one, where the bot may still write."""
    query = select(Chat).where(
        Chat.person_id == person.id,
        Chat.purpose == ChatPurpose.PRIVATE,
        Chat.state != ChatState.LEFT,
        Chat.id != chat.id,
    )
    return session.scalars(query.order_by(Chat.id)).all()


def _is_known(session: Session, person: Person) -> bool:
    """In the register, or ever with a duty."""
    return (
        person.code is not None
        or session.scalars(select(Duty.id).where(Duty.person_id == person.id)).first() is not None
    )


def _take_over_reports(session: Session, kept_id: int, gone_id: int) -> None:
    """Who reported may withdraw and rate: that must go on. Where both are on one case, their two lines stay."""
    session.execute(
        update(Case).where(Case.reporter_id == gone_id).values(reporter_id=kept_id, version=Case.version + 1)
    )
    theirs = select(CaseReporter.case_id).where(CaseReporter.person_id == kept_id)
    session.execute(
        update(CaseReporter)
        .where(CaseReporter.person_id == gone_id, CaseReporter.case_id.not_in(theirs))
        .values(person_id=kept_id)
    )
