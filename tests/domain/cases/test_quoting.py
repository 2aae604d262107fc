"""A clause of the convention is quoted once under a matter that it fits, where it is short; nowhere else."""

from datetime import datetime

import pytest

from core.messages import Kind, Urgency
from domain import conventions
from domain.cases import words
from domain.conventions import ClauseWords
from storage.base import Session
from tests import builders

DOGS = "遛犬牵绳，及时清理犬便。"
QUOTED = f"居民公约第 1 条：{DOGS}"


@pytest.fixture
def place(session: Session, now: datetime) -> builders.Place:
    made = builders.community(session)
    clauses = [ClauseWords(DOGS, "dogs"), ClauseWords("夜" * 41, "noise"), ClauseWords("爱护路灯。", "street_light")]
    conventions.adopt(session, made.id, "和谐公约", clauses, now)
    return made


def receipt(session: Session, place: builders.Place, now: datetime, topic: str | None, **more: object) -> str:
    return words.receipt(session, builders.case(session, place, now, topic=topic, **more))  # type: ignore[arg-type]  # tests change one thing


def test_report_on_dogs_quotes_the_clause_on_dogs(session: Session, place: builders.Place, now: datetime) -> None:
    assert receipt(session, place, now, "dogs").splitlines()[-1] == QUOTED


@pytest.mark.parametrize("topic", ["noise", "street_light", "parking", None])
def test_long_idle_or_missing_clause_is_not_quoted(
    session: Session, place: builders.Place, now: datetime, topic: str | None
) -> None:
    assert "公约" not in receipt(session, place, now, topic)


@pytest.mark.parametrize("more", [{"kind": Kind.COMPLAINT}, {"kind": Kind.REQUEST}, {"urgency": Urgency.EMERGENCY}])
def test_clause_is_no_finger_pointed_at_people_and_no_delay(
    session: Session, place: builders.Place, now: datetime, more: dict[str, object]
) -> None:
    assert "公约" not in receipt(session, place, now, "dogs", **more)


def test_clause_goes_when_the_work_begins(session: Session, place: builders.Place, now: datetime) -> None:
    case = builders.case(session, place, now, topic="dogs")
    case.state = "accepted"
    assert QUOTED not in words.receipt(session, case)


def test_clause_of_another_community_is_not_quoted(session: Session, place: builders.Place, now: datetime) -> None:
    assert "公约" not in receipt(session, builders.community(session, "和睦社区"), now, "dogs")
