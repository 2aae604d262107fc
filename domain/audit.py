"""Reading the log of what staff did. Entries are written by domain/accounts.audit and never change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from storage.access import AuditEntry
from storage.announcements import Announcement
from storage.areas import Area
from storage.base import Session
from storage.cases import Case
from storage.people import Duty, Person

__all__ = ["Act", "AuditFilter", "acts_of", "entries", "names_of", "people_of"]

# The first parts of acts, and where the names of their subjects stand.
NAMED: tuple[tuple[frozenset[str], InstrumentedAttribute[int], InstrumentedAttribute[str]], ...] = (
    (frozenset({"area"}), Area.id, Area.name),
    (frozenset({"person", "duty", "colleague"}), Person.id, Person.name),
    (frozenset({"announcement", "rotation"}), Announcement.id, Announcement.title),
    (frozenset({"case"}), Case.id, Case.number),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One act: when, who, what, on what; `detail` holds keys and names of fields."""

    id: int
    at: datetime
    person_id: int | None
    person: str
    act: str
    subject: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; what is empty does not narrow. From `since` until before `until`."""

    person_id: int | None = None
    act: str = ""
    subjects: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


def _belongs(community_id: int) -> ColumnElement[bool]:
    """Done in this community, or (coming in, going out) done by somebody who works here."""
    here = select(Duty.person_id).where(Duty.community_id == community_id)
    return or_(
        AuditEntry.community_id == community_id,
        and_(AuditEntry.community_id.is_(None), AuditEntry.person_id.in_(here)),
    )


def _conditions(community_id: int, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions = [_belongs(community_id)]
    if wanted.person_id is not None:
        conditions.append(AuditEntry.person_id == wanted.person_id)
    if wanted.act:
        conditions.append(AuditEntry.act == wanted.act)
    if wanted.subjects:
        conditions.append(AuditEntry.subject.in_(wanted.subjects))
    if wanted.since is not None:
        conditions.append(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditEntry.at < wanted.until)
    return conditions


def entries(
    session: Session, community_id: int, wanted: AuditFilter, *, offset: int = 0, limit: int = 50
) -> tuple[list[Act], int]:
    """A page of the log, newest first, and how many entries fit."""
    conditions = _conditions(community_id, wanted)
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(*conditions)) or 0
    query = (
        select(AuditEntry, Person.name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(*conditions)
        .order_by(AuditEntry.id.desc())
        .offset(offset)
        .limit(limit)
    )
    rows = [
        Act(entry.id, entry.at, entry.person_id, name or "", entry.act, entry.subject, entry.detail)
        for entry, name in session.execute(query)
    ]
    return rows, total


def names_of(session: Session, rows: Sequence[Act]) -> dict[str, str]:
    """What the subjects of these acts, and the areas in their details, are called today, by key; what is gone has no name."""
    found: dict[str, str] = {}
    for heads, key, name in NAMED:
        wanted = [row.subject for row in rows if row.act.partition(".")[0] in heads]
        if key is Area.id:
            wanted += [str(row.detail.get("area", "")) for row in rows]
        keys = {int(subject) for subject in wanted if subject.isdecimal()}
        found |= {str(one): words for one, words in session.execute(select(key, name).where(key.in_(keys))) if words}
    return found


def subjects_called(session: Session, community_id: int, words: str) -> frozenset[str]:
    """The keys of what these words mean: a key, a case's number, or the name of somebody, an area or an announcement. Never empty."""
    words = words.strip()
    meant = (
        select(Area.id).where(Area.community_id == community_id, Area.name == words),
        select(Announcement.id).where(Announcement.community_id == community_id, Announcement.title == words),
        select(Case.id).where(Case.community_id == community_id, Case.number == words.upper()),
    )
    found = {words} | {str(key) for query in meant for key in session.scalars(query)}
    # Whoever occurs in this log may be asked for by name; others are as unknown as nobody.
    named = {str(key) for key in session.scalars(select(Person.id).where(Person.name == words))}
    occurring = select(AuditEntry.subject).where(AuditEntry.community_id == community_id, AuditEntry.subject.in_(named))
    return frozenset(found | set(session.scalars(occurring)))


def acts_of(session: Session, community_id: int) -> list[str]:
    """The kinds of acts that occur in this community's log."""
    return list(
        session.scalars(select(AuditEntry.act).where(_belongs(community_id)).distinct().order_by(AuditEntry.act))
    )


def people_of(session: Session, community_id: int) -> list[tuple[int, str]]:
    """Who occurs in this community's log, by name."""
    query = (
        select(Person.id, Person.name)
        .where(Person.id.in_(select(AuditEntry.person_id).where(_belongs(community_id))))
        .order_by(Person.name, Person.id)
    )
    return [(key, name) for key, name in session.execute(query)]
