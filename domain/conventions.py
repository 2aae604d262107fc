"""The residents' convention: adopting one, keeping its clauses, and choosing the clause whose turn it is. Posting is announcements' matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import bindparam, func, select, update

from core.clock import in_china
from core.errors import Refused
from core.ids import new_id
from core.texts import say
from domain.topics import topics
from storage.base import Session
from storage.conventions import Clause, Convention

__all__ = [
    "Clause",
    "ClauseWords",
    "Convention",
    "activate",
    "add_clause",
    "adopt",
    "change_clause",
    "check",
    "clause_for_topic",
    "clause_of",
    "clauses_of",
    "current",
    "deactivate",
    "earlier",
    "next_clause",
    "post_text",
]

LONGEST_TITLE = 60
LONGEST_CLAUSE = 1000


@dataclass(frozen=True, slots=True)
class ClauseWords:
    """A clause to be: its text, and the topic (code) of cases that it fits."""

    text: str
    topic: str | None = None


def check(title: str, clauses: Sequence[ClauseWords]) -> tuple[str, list[ClauseWords]]:
    """Title and clauses as they would be kept; what cannot be a convention is refused."""
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE:
        raise Refused("conventions.title_missing", most=LONGEST_TITLE)
    if not clauses:
        raise Refused("conventions.clauses_missing")
    return title, [_checked(clause) for clause in clauses]


def adopt(session: Session, community_id: int, title: str, clauses: Sequence[ClauseWords], now: datetime) -> Convention:
    """A community's convention from now on, its clauses numbered from 1; those of an earlier one are no longer active."""
    title, checked = check(title, clauses)
    session.flush()
    session.execute(update(Clause).where(Clause.community_id == community_id).values(is_active=False))
    convention = Convention(id=new_id(), community_id=community_id, title=title, adopted_on=in_china(now).date())
    session.add(convention)
    session.flush()
    for number, clause in enumerate(checked, start=1):
        _add(session, convention, number, clause)
    session.flush()
    return convention


def current(session: Session, community_id: int) -> Convention | None:
    """The convention in force: the one adopted last."""
    query = select(Convention).where(Convention.community_id == community_id)
    return session.scalars(query.order_by(Convention.adopted_on.desc(), Convention.id.desc()).limit(1)).one_or_none()


def earlier(session: Session, community_id: int) -> list[tuple[Convention, Sequence[Clause]]]:
    """The conventions that were replaced, the last one first, each with all its clauses by number."""
    query = select(Convention).where(Convention.community_id == community_id)
    newest_first = query.order_by(Convention.adopted_on.desc(), Convention.id.desc())
    old = session.scalars(newest_first.offset(1)).all()
    clauses: dict[int, list[Clause]] = {convention.id: [] for convention in old}
    kept = select(Clause).where(Clause.convention_id.in_(clauses)).order_by(Clause.convention_id, Clause.number)
    for clause in session.scalars(kept):
        clauses[clause.convention_id].append(clause)
    return [(convention, clauses[convention.id]) for convention in old]


def clauses_of(session: Session, convention: Convention) -> Sequence[Clause]:
    """All clauses of a convention by number, inactive ones too."""
    query = select(Clause).where(Clause.convention_id == convention.id)
    return session.scalars(query.order_by(Clause.number)).all()


def clause_of(session: Session, community_id: int, clause_id: int) -> Clause:
    """A clause of this community; one of another community is refused like one that is not there."""
    clause = session.get(Clause, clause_id)
    if clause is None or clause.community_id != community_id:
        raise Refused("conventions.clause_not_found")
    return clause


def add_clause(session: Session, convention: Convention, clause: ClauseWords) -> Clause:
    """A new clause under the next number; it is the next in turn."""
    checked = _checked(clause)
    session.flush()
    last = session.scalar(select(func.max(Clause.number)).where(Clause.convention_id == convention.id))
    added = _add(session, convention, (last or 0) + 1, checked)
    session.flush()
    return added


def change_clause(session: Session, clause: Clause, words: ClauseWords) -> None:
    """New words under the old number; what has been posted stays as it was."""
    checked = _checked(words)
    clause.text, clause.topic = checked.text, checked.topic
    session.flush()


def deactivate(session: Session, clause: Clause) -> None:
    """The clause keeps its number but is posted and quoted no more."""
    clause.is_active = False
    session.flush()


def activate(session: Session, clause: Clause) -> None:
    """The clause takes part in the rotation again."""
    clause.is_active = True
    session.flush()


def next_clause(session: Session, community_id: int) -> Clause | None:
    """The active clause that has waited longest: one never posted first, then by number."""
    return _longest_waiting(session, community_id)


# Put together once: every batch with a habit's case in it asks it.
NEWEST = (
    select(Convention.id)
    .where(Convention.community_id == bindparam("community_id"))
    .order_by(Convention.adopted_on.desc(), Convention.id.desc())
    .limit(1)
)
CLAUSES_IN_FORCE = (
    select(Clause)
    .where(Clause.convention_id == NEWEST.scalar_subquery(), Clause.is_active.is_(True))
    .order_by(Clause.last_posted_at.asc().nulls_first(), Clause.number, Clause.id)
)


def clause_for_topic(session: Session, community_id: int, topic: str | None) -> Clause | None:
    """The active clause to quote under a matter of this topic; among several the one that has waited longest. Those of a
    community are looked up once in a transaction."""
    if ("clauses", community_id) not in session.memo:
        found: dict[str | None, Clause] = {}
        for clause in session.scalars(CLAUSES_IN_FORCE, {"community_id": community_id}):
            found.setdefault(clause.topic, clause)
        session.memo["clauses", community_id] = found
    return cast(dict[str | None, Clause], session.memo["clauses", community_id]).get(topic) if topic else None


def post_text(session: Session, clause: Clause) -> str:
    """The clause as it is posted, with the convention's title and its number."""
    convention = session.get_one(Convention, clause.convention_id)
    return say("conventions.post", title=convention.title, number=clause.number, text=clause.text)


def _longest_waiting(session: Session, community_id: int) -> Clause | None:
    convention = current(session, community_id)
    if convention is None:
        return None
    query = select(Clause).where(Clause.convention_id == convention.id, Clause.is_active.is_(True))
    query = query.order_by(Clause.last_posted_at.asc().nulls_first(), Clause.number, Clause.id)
    return session.scalars(query.limit(1)).one_or_none()


def _checked(clause: ClauseWords) -> ClauseWords:
    text, topic = clause.text.strip(), (clause.topic or "").strip() or None
    if not text:
        raise Refused("conventions.clause_empty")
    if len(text) > LONGEST_CLAUSE:
        raise Refused("conventions.clause_too_long", most=LONGEST_CLAUSE, count=len(text))
    if topic is not None and topic not in topics():
        raise Refused("conventions.topic_unknown", topic=topic)
    return ClauseWords(text, topic)


def _add(session: Session, convention: Convention, number: int, clause: ClauseWords) -> Clause:
    row = Clause(
        id=new_id(),
        community_id=convention.community_id,
        convention_id=convention.id,
        number=number,
        text=clause.text,
        topic=clause.topic,
        is_active=True,
    )
    session.add(row)
    return row
