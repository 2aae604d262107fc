"""Corrections: texts that the bot understood wrongly, as they should be. Labelled lines to train with, with names, numbers and doors masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.errors import Refused
from core.ids import new_id
from core.messages import Kind, Understanding, Urgency
from core.privacy import mask_for_group
from nlp.names import mask_names
from storage.base import Session
from storage.cases import Case
from storage.understanding import Correction

__all__ = ["Correction", "Reading"]

LONGEST = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text was, or should have been, taken for."""

    kind: str
    topic: str | None
    urgency: str


NO_MATTER = Reading(Kind.CHATTER, None, Urgency.NORMAL)


def reading_of(case: Case) -> Reading:
    return Reading(case.kind, case.topic, case.urgency)


def by_staff(session: Session, case: Case, before: Reading, *, by_id: int, now: datetime) -> None:
    """Staff say what a case that was told in a chat really is; where they say it again, the last word counts."""
    after = reading_of(case)
    if case.source != "chat" or not case.text or before == after:
        return
    session.flush()
    query = select(Correction).where(Correction.case_id == case.id, Correction.is_by_resident.is_(False))
    row = session.scalars(query).first()
    if row is None:
        row = _row(case.community_id, case.text, before)
        row.case_id, row.speaker_id = case.id, case.reporter_id
        session.add(row)
    _label(row, after, by_id=by_id, now=now)


def not_meant(session: Session, case: Case, *, by_id: int, now: datetime) -> None:
    """The reporter takes back at once what the bot made of their words: it was no matter for it."""
    if case.source != "chat" or not case.text:
        return
    row = _row(case.community_id, case.text, reading_of(case))
    row.case_id, row.speaker_id, row.is_by_resident = case.id, case.reporter_id, True
    session.add(row)
    _label(row, NO_MATTER, by_id=by_id, now=now)


def declined(
    session: Session, community_id: int, said: str, understood: Understanding, *, by_id: int, now: datetime
) -> None:
    """Somebody was asked whether it is a matter for the community, and says no."""
    row = _row(community_id, said, Reading(understood.kind, understood.topic, understood.urgency))
    row.speaker_id, row.is_by_resident = by_id, True
    session.add(row)
    _label(row, NO_MATTER, by_id=by_id, now=now)


def meant(
    session: Session,
    community_id: int,
    said: str,
    readings: tuple[Understanding, Understanding],
    *,
    case_id: int | None,
    by_id: int,
    now: datetime,
) -> None:
    """The reporter says what their words are instead: as they were understood, and as they should have been."""
    before, after = (Reading(one.kind, one.topic, one.urgency) for one in readings)
    row = _row(community_id, said, before)
    row.case_id, row.speaker_id, row.is_by_resident = case_id, by_id, True
    session.add(row)
    _label(row, NO_MATTER if after.kind == Kind.CHATTER else after, by_id=by_id, now=now)


def _row(community_id: int, said: str, before: Reading) -> Correction:
    return Correction(
        id=new_id(),
        community_id=community_id,
        text=mask_names(mask_for_group(said[:LONGEST])),
        kind_before=before.kind,
        topic_before=before.topic,
        urgency_before=before.urgency,
        is_by_resident=False,
    )


def _label(row: Correction, after: Reading, *, by_id: int, now: datetime) -> None:
    row.kind, row.topic, row.urgency = after.kind, after.topic, after.urgency
    row.by_id, row.at = by_id, now


def of_community(session: Session, community_id: int, *, offset: int, limit: int) -> tuple[Sequence[Correction], int]:
    """One page, newest first, and how many there are."""
    here = Correction.community_id == community_id
    total = session.scalar(select(func.count()).select_from(Correction).where(here)) or 0
    rows = session.scalars(select(Correction).where(here).order_by(Correction.id.desc()).offset(offset).limit(limit))
    return rows.all(), total


def remove(session: Session, community_id: int, correction_id: int) -> None:
    """It is no longer trained with: not everything that was taken back was misunderstood."""
    row = session.get(Correction, correction_id)
    if row is None or row.community_id != community_id:
        raise Refused("understanding.not_found")
    session.delete(row)


def labelled(session: Session) -> list[dict[str, str]]:
    """All of them as the trainer reads its lines."""
    rows = session.scalars(select(Correction).where(Correction.text != "").order_by(Correction.id))
    return [
        {"text": row.text, "kind": row.kind, "urgency": row.urgency, "topic": row.topic or "", "note": "correction"}
        for row in rows
    ]
