"""Corrections: who makes them, what is kept of them, and how long."""

from datetime import datetime, timedelta

import pytest

from core.config import KeepSettings
from core.messages import Decision, Kind, Understanding
from domain import corrections, retention
from domain.corrections import Reading, reading_of
from storage.base import Session
from storage.cases import Case
from storage.people import Person
from storage.understanding import Correction
from tests import builders

Town = tuple[Case, Person, Person]


@pytest.fixture
def town(session: Session, now: datetime) -> Town:
    """A case, its reporter and a clerk."""
    place = builders.community(session)
    reporter, clerk = builders.person(session, "李叔"), builders.person(session, "周敏")
    case = builders.case(session, place, now, text="3号楼路灯不亮，我电话13800138000", reporter=reporter)
    return case, reporter, clerk


def kept(session: Session) -> list[tuple[str, str | None, str, str | None, bool]]:
    session.flush()
    rows = session.query(Correction).order_by(Correction.id)
    return [(row.kind_before, row.topic_before, row.kind, row.topic, row.is_by_resident) for row in rows]


def test_last_word_of_staff_counts(session: Session, town: Town, now: datetime) -> None:
    case, _, clerk = town
    before = reading_of(case)
    corrections.by_staff(session, case, before, by_id=clerk.id, now=now)
    assert kept(session) == []
    for topic in ("corridor_light", "power"):
        case.topic = topic
        corrections.by_staff(session, case, before, by_id=clerk.id, now=now)
    assert kept(session) == [("report", "street_light", "report", "power", False)]
    (line,) = corrections.labelled(session)
    assert (line["kind"], line["topic"], line["urgency"]) == ("report", "power", "normal")
    assert "13800138000" not in line["text"]


def test_what_came_by_telephone_teaches_nothing(session: Session, town: Town, now: datetime) -> None:
    case, _, clerk = town
    case.source = "telephone"
    corrections.by_staff(session, case, Reading("wish", None, "normal"), by_id=clerk.id, now=now)
    corrections.not_meant(session, case, by_id=clerk.id, now=now)
    assert kept(session) == []


def test_word_of_the_resident_is_that_it_was_nothing(session: Session, town: Town, now: datetime) -> None:
    case, reporter, _ = town
    corrections.not_meant(session, case, by_id=reporter.id, now=now)
    doubt = Understanding(Kind.REPORT, Decision.ASK, 0.5, topics=(("lift", 0.6),))
    corrections.declined(session, case.community_id, "电梯有点慢", doubt, by_id=reporter.id, now=now)
    assert kept(session) == [
        ("report", "street_light", "chatter", None, True),
        ("report", "lift", "chatter", None, True),
    ]


def test_who_is_forgotten_takes_their_words_along(session: Session, town: Town, now: datetime) -> None:
    case, reporter, clerk = town
    corrections.not_meant(session, case, by_id=reporter.id, now=now)
    retention.forget_person(session, clerk, now=now)
    assert len(kept(session)) == 1
    retention.forget_person(session, reporter, now=now)
    assert kept(session) == []


def test_corrections_are_kept_no_longer_than_what_they_are_about(session: Session, town: Town, now: datetime) -> None:
    case, reporter, _ = town
    corrections.not_meant(session, case, by_id=reporter.id, now=now)
    doubt = Understanding(Kind.REPORT, Decision.ASK, 0.5)
    corrections.declined(session, case.community_id, "电梯有点慢", doubt, by_id=reporter.id, now=now)
    case.closed_at = now
    session.flush()
    keep = KeepSettings()
    retention.forget(session, now=now + timedelta(days=keep.chatter_text_days), keep=keep)
    assert len(kept(session)) == 2
    retention.forget(session, now=now + timedelta(days=keep.chatter_text_days, seconds=1), keep=keep)
    assert kept(session) == [("report", "street_light", "chatter", None, True)]
    retention.forget(session, now=now + timedelta(days=keep.closed_case_days + 1), keep=keep)
    assert kept(session) == []


def test_correction_keeps_nobodys_name(session: Session, town: Town, now: datetime) -> None:
    case, reporter, _ = town
    doubt = Understanding(Kind.QUESTION, Decision.ASK, 0.5)
    corrections.declined(session, case.community_id, "王小明家的低保批了吗", doubt, by_id=reporter.id, now=now)
    session.flush()
    assert [line["text"] for line in corrections.labelled(session)] == ["王**家的低保批了吗"]
