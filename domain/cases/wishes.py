"""The wish wall: which wishes stand on it, and in which words. Who takes one on is claims.py."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, or_, select

from core.messages import Kind
from domain.cases import wish_words, words
from domain.cases.life import ACTIVE, State
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat, ChatPurpose
from storage.claims import Claim

SAID_TO_US = "chat"  # a case's source; any other was entered by staff
LOOKED_AT = frozenset({State.ACCEPTED, State.ARRIVED})


def is_on_wall(case: Case) -> bool:
    """Whether neighbours may read a wish: staff have entered it, or looked at it and accepted it, and it waits to be fulfilled."""
    return case.kind == Kind.WISH and case.state in ACTIVE and (case.source != SAID_TO_US or case.state in LOOKED_AT)


def wall(session: Session, chat: Chat, person_id: int, *, limit: int) -> Sequence[Case]:
    """The wishes of a chat's community that nobody has taken on yet, oldest first; in private also this person's own that staff have
    still to look at."""
    may_be_read = _is_looked_at()
    if chat.purpose == ChatPurpose.PRIVATE:
        may_be_read = or_(may_be_read, Case.reporter_id == person_id)
    return session.scalars(_waiting(chat).where(may_be_read).order_by(Case.id).limit(limit)).all()


def has_unread(session: Session, chat: Chat, person_id: int) -> bool:
    """Whether this person has a wish of their own that stands on no wall yet."""
    query = _waiting(chat).where(~_is_looked_at(), Case.reporter_id == person_id)
    return session.scalars(query.limit(1)).first() is not None


def _waiting(chat: Chat) -> Select[Case]:
    is_claimed = exists().where(Claim.case_id == Case.id, Claim.ended_at.is_(None))
    return select(Case).where(
        Case.community_id == chat.community_id, Case.kind == Kind.WISH, Case.state.in_(ACTIVE), ~is_claimed
    )


def _is_looked_at() -> ColumnElement[bool]:
    return or_(Case.source != SAID_TO_US, Case.state.in_(LOOKED_AT))


def text_on_wall(case: Case) -> str:
    """A wish as neighbours may read it: short, with no number or door, nobody's name, and not whose neighbour it is for."""
    return words.short(wish_words.for_wall(case.text))
