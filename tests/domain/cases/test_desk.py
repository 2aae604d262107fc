"""What staff do at the console, as rules: nobody's change is overwritten, private matters go to few."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select, text

from core.clock import in_china
from core.errors import Refused
from core.messages import Kind, Urgency
from core.texts import Sentence
from domain import due
from domain.cases import desk, outcomes, ratings, receipts, staff_words, words, work
from domain.cases.life import Step
from storage.base import Session
from storage.cases import Case
from storage.chats import ChatPurpose
from storage.database import Database
from storage.messages import Outbox
from storage.people import Person, Residence, Role
from tests import builders


def test_a_change_committed_meanwhile_is_not_overwritten(database: Database, now: datetime) -> None:
    with database.writing() as session:
        place = builders.community(session)
        worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
        case = builders.case(session, place, now)
        keys = worker.id, case.id
    with (
        pytest.raises(Refused) as refusal,
        database.writing() as session,
        desk.acting(session, *keys, act="accept", version=None, now=now) as (case, worker),
    ):
        # As another process on PostgreSQL would, between our reading and our writing.
        session.connection().execute(text('UPDATE "case" SET version = version + 1'))
        work.accept(session, case, worker, now=now)
    assert refusal.value.key == "cases.changed_meanwhile"
    with database.reading() as session:
        assert session.get_one(Case, keys[1]).state == "assigned"


def test_an_old_page_is_refused_before_anything_is_done(database: Database, now: datetime) -> None:
    with database.writing() as session:
        place = builders.community(session)
        worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
        case = builders.case(session, place, now)
        key, version = case.id, case.version
        with (
            pytest.raises(Refused) as refusal,
            desk.acting(session, worker.id, key, act="accept", version=version - 1, now=now),
        ):
            pytest.fail("the body must not run")
    assert refusal.value.key == "cases.changed_meanwhile"


def test_a_private_matter_is_offered_to_mediators_and_the_desk(session: Session, now: datetime) -> None:
    place = builders.community(session)
    people = {
        role: builders.person(session, role, role, area)
        for role, area in (
            (Role.GRID_WORKER, place.grid.id),
            (Role.BUILDING_STEWARD, place.building.id),
            (Role.MEDIATOR, place.id),
            (Role.COMMUNITY_WORKER, place.id),
            (Role.SUPERVISOR, place.id),
            (Role.VOLUNTEER, place.id),
        )
    }
    names = {person.id: role for role, person in people.items()}
    today = in_china(now).date()
    offered = {
        kind: [
            names[one.person_id]
            for one in desk.candidates(session, builders.case(session, place, now, kind=kind), today)
        ]
        for kind in (Kind.REPORT, Kind.DISPUTE)
    }
    assert offered == {
        Kind.REPORT: [Role.BUILDING_STEWARD, Role.GRID_WORKER, Role.MEDIATOR, Role.COMMUNITY_WORKER],
        Kind.DISPUTE: [Role.MEDIATOR, Role.COMMUNITY_WORKER],
    }


def test_those_in_charge_of_the_place_are_near(session: Session, now: datetime) -> None:
    place = builders.community(session)
    builders.person(session, "远", Role.GRID_WORKER, place.other_grid.id)
    builders.person(session, "近", Role.GRID_WORKER, place.grid.id)
    case = builders.case(session, place, now)
    offered = desk.candidates(session, case, in_china(now).date())
    assert [(one.name, one.area, one.is_near) for one in offered] == [
        ("近", "第一网格", True),
        ("远", "第二网格", False),
    ]


def test_receipt_of_a_case_that_staff_took_off_says_who_did_and_why(session: Session, now: datetime) -> None:
    place = builders.community(session)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    private = builders.private_chat(session, worker, now)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    resident = builders.person(session, "王阿姨")
    case = builders.case(session, place, now, chat=builders.group(session, place, now), reporter=resident)
    work.post_cards(session, [case], now=now)
    session.refresh(case)
    desk.withdraw(session, case, clerk, note="与 3 号楼 13812345678 那件重复", now=now)
    session.flush()
    assert words.receipt(session, case) == f"{case.number} 社区已撤销，原因：与 3 号楼 *** 那件重复"
    told = session.scalars(select(Outbox.text).where(Outbox.chat_id == private.id)).all()
    assert f"{case.number} 社区已撤销，不用处理了。原因：与 3 号楼 13812345678 那件重复" in told


def test_receipt_of_a_case_that_its_reporter_took_back_needs_no_reason(session: Session, now: datetime) -> None:
    place = builders.community(session)
    resident = builders.person(session, "王阿姨")
    case = builders.case(session, place, now, reporter=resident)
    work.withdraw(session, case, actor_id=resident.id, now=now)
    assert words.receipt(session, case) == f"{case.number} 已按您的意思撤回。"


def _at_the_desk(session: Session, case: Case, clerk: Person, now: datetime) -> None:
    desk.reopen(session, case, clerk, note="居民来电说又坏了", now=now)


def _said_by_its_reporter(session: Session, case: Case, _: Person, now: datetime) -> None:
    work.press_on(session, case, "又坏了", actor_id=case.reporter_id, now=now)


def _said_by_somebody_who_joined(session: Session, case: Case, _: Person, now: datetime) -> None:
    work.press_on(session, case, "还没好", actor_id=None, now=now)


def _dissatisfied(session: Session, case: Case, _: Person, now: datetime) -> None:
    work.rate(session, case, case.reporter_id or 0, satisfied=False, now=now)


@pytest.mark.parametrize("by_time", [False, True], ids=["unreached", "unanswered"])
@pytest.mark.parametrize(
    "open_again", [_at_the_desk, _said_by_its_reporter, _said_by_somebody_who_joined, _dissatisfied]
)
def test_a_rating_counts_for_the_work_that_was_rated_only(
    session: Session, now: datetime, open_again: Callable[[Session, Case, Person, datetime], None], by_time: bool
) -> None:
    place = builders.community(session)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    resident = builders.person(session, "王阿姨")
    case = builders.case(session, place, now, chat=builders.group(session, place, now), reporter=resident)
    work.finish(session, case, worker, note="修好了", now=now)
    work.rate(session, case, resident.id, satisfied=True, now=now)
    open_again(session, case, clerk, now)
    work.finish(session, case, worker, note="又修好了", now=now)
    assert (case.state, case.rating) == ("finished", None)
    if by_time:
        session.flush()
        due.run_due(session, now=now + work.CLOSE_UNRATED)
    else:
        desk.close(session, case, clerk, is_satisfied=False, note="三次未接通", now=now)
    assert (case.state, case.rating) == ("closed", None)
    assert "没有收到评价" in words.receipt(session, case)


@pytest.mark.parametrize(
    ("open_again", "said"),
    [
        (_at_the_desk, "社区登记还没好，已重新打开。居民来电说又坏了"),
        (_said_by_its_reporter, "居民说还没好，已重新打开。又坏了"),
        (_dissatisfied, "居民不满意，已重新打开。"),
    ],
)
def test_worker_and_desk_read_who_opened_a_case_again(
    session: Session, now: datetime, open_again: Callable[[Session, Case, Person, datetime], None], said: str
) -> None:
    place = builders.community(session)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    chat = builders.private_chat(session, worker, now)
    staff = builders.group(session, place, now, title="工作群", purpose=ChatPurpose.STAFF)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    case = builders.case(session, place, now, reporter=builders.person(session, "王阿姨"))
    work.post_cards(session, [case], now=now)
    session.flush()
    session.refresh(case)
    work.finish(session, case, worker, note="修好了", now=now)
    open_again(session, case, clerk, now)
    session.flush()
    for told in (chat, staff):
        texts = session.scalars(select(Outbox.text).where(Outbox.chat_id == told.id)).all()
        assert [text for text in texts if "重新打开" in text] == [f"{case.number} {said}"]


def test_what_a_clerk_finished_is_told_as_the_clerks(session: Session, now: datetime) -> None:
    place = builders.community(session)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    group = builders.group(session, place, now)
    case, other = (
        builders.case(session, place, now, chat=group, reporter=builders.person(session, "王阿姨")) for _ in range(2)
    )
    work.finish(session, case, clerk, note="已请物业换灯", now=now)
    work.finish(session, other, worker, note="已换灯", now=now)
    session.flush()
    asked = session.scalars(select(Outbox.text).where(Outbox.chat_id == group.id).order_by(Outbox.id)).all()
    assert [text.splitlines()[0] for text in asked] == [
        f"{case.number} 路灯 · 3号楼门口，陈社工说已经处理好了：已请物业换灯",
        f"{other.number} 路灯 · 3号楼门口，王网格员说已经处理好了：已换灯",
    ]
    shown = [words.progress(session, each) for each in (case, other)]
    assert shown == ["陈社工已办结。", "王网格员已办结。"]


def test_who_takes_what_nobody_has_is_named_by_their_own_role(session: Session, now: datetime) -> None:
    place = builders.community(session)
    case = builders.case(session, place, now)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    work.accept(session, case, worker, now=now)
    assert words.worker_name(session, case) == "王网格员"


def test_one_of_several_matters_that_staff_took_off_says_who_did_and_why(session: Session, now: datetime) -> None:
    place = builders.community(session)
    group = builders.group(session, place, now)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    cases = [builders.case(session, place, now, chat=group) for _ in range(2)]
    for case in cases:
        case.siblings, case.receipt_id = 1, 1
    desk.withdraw(session, cases[0], clerk, note="与前一件重复", now=now)
    lines = receipts.text_of_several(session, cases).splitlines()
    assert lines[1] == f"{cases[0].number} 社区已撤销，原因：与前一件重复"


def test_an_emergency_taken_at_the_desk_is_theirs_who_took_it(session: Session, now: datetime) -> None:
    place = builders.community(session)
    worker = builders.person(session, "王建国", Role.GRID_WORKER, place.grid.id)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    plain, urgent = (builders.case(session, place, now, urgency=each) for each in (Urgency.NORMAL, Urgency.EMERGENCY))
    for case in (plain, urgent):
        desk.take_on(session, case, clerk, now=now)
    assert [case.assignee_id for case in (plain, urgent)] == [worker.id, clerk.id]
    told = [outcomes.of_step(session, case, Step.ACCEPT, actor_id=clerk.id) for case in (plain, urgent)]
    assert told == [Sentence("web.case_accept_for", {"worker": "王网格员"}), Sentence("web.case_accept")]


@pytest.mark.parametrize(("kind", "is_told"), [(Kind.DISPUTE, True), (Kind.REPORT, False)])
def test_reporter_of_a_private_matter_hears_that_the_desk_opened_it_again(
    session: Session, now: datetime, kind: Kind, is_told: bool
) -> None:
    place = builders.community(session)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    resident = builders.person(session, "王阿姨")
    chat = builders.private_chat(session, resident, now)
    case = builders.case(session, place, now, kind=kind, chat=chat, reporter=resident)
    work.finish(session, case, clerk, note="已上门调解", now=now)
    work.rate(session, case, resident.id, satisfied=True, now=now)
    desk.reopen(session, case, clerk, note="昨晚又吵", now=now)
    session.flush()
    texts = session.scalars(select(Outbox.text).where(Outbox.chat_id == chat.id)).all()
    assert (f"{case.number} 社区已重新打开，会有人继续跟进。" in texts) is is_told
    query = select(Outbox).where(Outbox.chat_id == chat.id).order_by(Outbox.id)
    assert [row.text for row in session.scalars(query) if ratings.asks(row)] == []


def test_names_of_the_register_reach_no_group_however_they_are_written(session: Session, now: datetime) -> None:
    place, elsewhere = builders.community(session), builders.community(session, "幸福社区")
    for home, name in ((place, "王小雨"), (place, "阿里木"), (elsewhere, "路灯杆")):
        who = builders.person(session, name)
        session.add(Residence(community_id=home.id, person_id=who.id, area_id=home.building.id))
    group = builders.group(session, place, now)
    case = builders.case(session, place, now, chat=group, reporter=builders.person(session, "桂花%飘香"))
    said = "与王小雨那件重复，阿里木说路灯杆已换，桂花%飘香也知道"
    shown = "与王**那件重复，阿**说路灯杆已换，桂****也知道"
    assert staff_words.as_shown(session, case, said) == shown
    case.is_private = True
    assert staff_words.as_shown(session, case, said) == said
