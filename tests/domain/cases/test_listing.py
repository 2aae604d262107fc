"""Cases looked up: mine, in hand, wishes, and the community somebody belongs to."""

from datetime import date, datetime, timedelta

import pytest

from core.errors import Refused
from core.messages import Sent
from domain import sending
from domain.cases import listing
from domain.cases.life import State
from storage.base import Session
from storage.messages import Outbox
from storage.people import Role
from tests import builders


@pytest.fixture
def place(session: Session) -> builders.Place:
    return builders.community(session)


def test_mine_are_the_newest_of_mine(session: Session, place: builders.Place, now: datetime) -> None:
    me, other = builders.person(session, "王阿姨"), builders.person(session, "李叔")
    mine = [builders.case(session, place, now, reporter=me) for _ in range(3)]
    builders.case(session, place, now, reporter=other)
    assert list(listing.of_reporter(session, me.id, limit=2)) == [mine[2], mine[1]]


def test_in_hand_are_open_ones_the_nearest_deadline_first(
    session: Session, place: builders.Place, now: datetime
) -> None:
    worker = builders.person(session, "张伟", Role.GRID_WORKER, place.grid.id)
    late, soon, done = (builders.case(session, place, now) for _ in range(3))
    soon.deadline_at = now + timedelta(minutes=5)
    done.state, done.closed_at = State.CLOSED, now
    session.flush()
    assert list(listing.tasks_of(session, worker.id)) == [soon, late]


def test_button_of_somebody_elses_case_is_refused_like_one_of_none(
    session: Session, place: builders.Place, now: datetime
) -> None:
    me = builders.person(session, "王阿姨")
    case = builders.case(session, place, now, reporter=me)
    assert listing.reported_by(session, me.id, case.id) is case
    for who, key in ((me.id + 1, case.id), (me.id, 5)):
        with pytest.raises(Refused, match=r"cases\.not_yours"):
            listing.reported_by(session, who, key)


def test_question_says_what_came_of_it_even_after_it_was_edited(
    session: Session, place: builders.Place, now: datetime
) -> None:
    """The edit goes out under the same message: two rows have its number."""
    group = builders.group(session, place, now)
    asked = builders.posted(session, group, "满意吗？", now=now)
    session.flush()
    sending.mark_sent(session, {asked.id: Sent("31")}, now=now)
    session.expire_all()
    for words in ("改过", "谢谢您！"):
        listing.settle_question(session, group, "31", words, now=now)
        session.flush()
        newest = session.query(Outbox).order_by(Outbox.id.desc()).first()
        assert newest is not None
        assert (newest.text, newest.edits_id) == (words, asked.id)
        sending.mark_sent(session, {newest.id: Sent("31")}, now=now)
        session.expire_all()
    listing.settle_question(session, group, "no such message", "无", now=now)
    session.flush()
    assert session.query(Outbox).count() == 3


def test_history_is_read_from_the_beginning(session: Session, place: builders.Place, now: datetime) -> None:
    builders.person(session, "张伟", Role.GRID_WORKER, place.grid.id)
    case = builders.case(session, place, now)
    assert [event.step for event in listing.events_of(session, case.id)] == ["open", "assign"]
    assert not listing.is_over(case)
    case.state = State.WITHDRAWN
    assert listing.is_over(case)
    assert date(2026, 11, 21) == now.date()
