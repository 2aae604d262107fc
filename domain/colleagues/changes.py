"""What the platform tells of its address book by itself: somebody came, changed or left."""

from datetime import datetime

from sqlalchemy import select, update

from core.clock import in_china
from core.messages import ChatKind, ColleagueChange, IncomingKind
from core.texts import say
from domain import outbox, people
from domain.colleagues.leaving import leave, suspend
from storage.base import Session
from storage.chats import Chat
from storage.colleagues import ColleagueRule
from storage.people import Account


def note_change(session: Session, channel: str, kind: IncomingKind, change: ColleagueChange, *, now: datetime) -> None:
    """A leaver loses access; another id is followed; for all else staff are pointed to the page where they decide, once a day."""
    account = people.account_of(session, channel, change.external_id)
    if kind == IncomingKind.COLLEAGUE_LEFT:
        if account is not None:
            leave(session, account, now=now)
        return
    if account is not None:
        _follow(session, account, change)
        if not change.is_active:
            suspend(session, account, now=now)
            return
    if kind == IncomingKind.COLLEAGUE_JOINED or change.is_moved:
        _point_out(session, now=now)


def _follow(session: Session, account: Account, change: ColleagueChange) -> None:
    """The same person under another id or name there, on each channel where the new id is not somebody's already. The name of a
    registered person comes from the register."""
    if change.name:
        account.name = change.name[: people.NAME_LENGTH]
    new_id = change.new_id
    if not new_id:
        return
    old_id = account.external_id
    mine = select(Account).where(Account.person_id == account.person_id, Account.external_id == old_id)
    for one in session.scalars(mine).all():
        if people.account_of(session, one.channel, new_id) is not None:
            continue
        taken = select(Chat.account).where(Chat.channel == one.channel, Chat.external_id == new_id)
        session.execute(
            update(Chat)
            .where(
                Chat.channel == one.channel,
                Chat.external_id == old_id,
                Chat.kind == ChatKind.PRIVATE,
                Chat.account.not_in(taken),
            )
            .values(external_id=new_id)
        )
        one.external_id = new_id
    session.memo.clear()
    session.flush()


def _point_out(session: Session, *, now: datetime) -> None:
    """Only where staff have said that departments stand for duties; elsewhere nobody waits for it."""
    communities = session.scalars(select(ColleagueRule.community_id).distinct().order_by(ColleagueRule.community_id))
    key = f"colleagues:{in_china(now):%Y%m%d}"
    for community_id in communities.all():
        outbox.tell_staff(session, say("colleagues.changed_there"), key=key, now=now, community_id=community_id)
