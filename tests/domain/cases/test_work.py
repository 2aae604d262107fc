"""What people do with a case, seen from the rules: events, reminders, deadlines, and who is told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.errors import Refused
from core.messages import Kind, Urgency
from domain import reminders
from domain.cases import answers, listing, work
from domain.cases.life import State
from storage.base import Session
from storage.cases import Case, KeptAnswer
from storage.chats import Chat, ChatPurpose
from storage.messages import Outbox
from storage.people import Person, Role
from storage.reminders import Reminder
from tests import builders


@dataclass
class Town:
    session: Session
    place: builders.Place
    now: datetime
    group: Chat
    staff: Chat
    worker: Person
    private: Chat
    reporter: Person
    told: list[int] = field(default_factory=list)

    def case(self, **more: object) -> Case:
        made = builders.case(
            self.session, self.place, self.now, chat=self.group, reporter=self.reporter, **more  # type: ignore[arg-type]  # tests change one thing
        )  # fmt: skip
        self.session.flush()
        return made

    def waiting(self, case: Case) -> dict[str, datetime]:
        self.session.flush()
        rows = self.session.query(Reminder).filter(Reminder.subject_id == case.id, Reminder.done_at.is_(None))
        return {row.kind: row.due_at for row in rows}

    def texts(self, chat: Chat) -> list[str]:
        self.session.flush()
        return [row.text for row in self.session.query(Outbox).filter(Outbox.chat_id == chat.id).order_by(Outbox.id)]

    def steps(self, case: Case) -> list[str]:
        self.session.flush()
        return [event.step for event in listing.events_of(self.session, case.id)]


@pytest.fixture
def town(session: Session, now: datetime) -> Town:
    place = builders.community(session)
    worker = builders.person(session, "张伟", Role.GRID_WORKER, place.grid.id)
    return Town(
        session,
        place,
        now,
        builders.group(session, place, now),
        builders.group(session, place, now, title="工作群", purpose=ChatPurpose.STAFF),
        worker,
        builders.private_chat(session, worker, now),
        builders.person(session, "王阿姨"),
    )


@pytest.mark.parametrize(
    ("topic", "urgency", "hours", "warning"),
    [
        ("street_light", Urgency.NORMAL, 48, timedelta(hours=4)),
        ("manhole", Urgency.NORMAL, 8, timedelta(hours=2)),
        ("street_light", Urgency.URGENT, 2, timedelta(minutes=30)),
    ],
)
def test_deadline_comes_from_topic_and_urgency_with_a_word_before(
    town: Town, topic: str, urgency: Urgency, hours: int, warning: timedelta
) -> None:
    case = town.case(topic=topic, urgency=urgency)
    deadline = town.now + timedelta(hours=hours)
    assert case.deadline_at == deadline
    assert town.waiting(case)[reminders.DEADLINE_NEAR] == deadline - warning


def test_card_waits_for_the_photo_unless_it_is_urgent(town: Town) -> None:
    calm, urgent = town.case(), town.case(urgency=Urgency.URGENT)
    assert town.waiting(calm)[reminders.CARD] == town.now + work.GATHER
    assert town.waiting(urgent)[reminders.CARD] == town.now


def test_emergency_is_repeated_until_accepted(town: Town) -> None:
    case = town.case(urgency=Urgency.EMERGENCY)
    assert town.waiting(case)[reminders.EMERGENCY] == town.now + work.EMERGENCY_REPEAT
    work.accept(town.session, case, town.worker, now=town.now)
    assert reminders.EMERGENCY not in town.waiting(case)


def test_finish_needs_a_photo_or_a_reason_and_leaves_only_the_rating_to_wait_for(town: Town) -> None:
    case = town.case()
    for note in ("", " ", "好"):
        with pytest.raises(Refused, match=r"cases\.need_proof"):
            work.finish(town.session, case, town.worker, note=note, now=town.now)
    assert case.state == State.ASSIGNED
    work.finish(town.session, case, town.worker, note="", now=town.now, file_ids=[1])
    assert town.waiting(case) == {
        reminders.RATING_NUDGE: town.now + work.RATING_NUDGE,
        reminders.CLOSE_UNRATED: town.now + work.CLOSE_UNRATED,
    }
    assert "（附照片）" in town.texts(town.group)[-1]


def test_satisfied_closes_and_dissatisfied_starts_over(town: Town) -> None:
    case = town.case()
    work.finish(town.session, case, town.worker, note="修好了", now=town.now)
    later = town.now + timedelta(hours=5)
    work.rate(town.session, case, town.reporter.id, satisfied=False, now=later)
    assert (case.state, case.rating, case.reopenings, case.finished_at) == (State.ASSIGNED, 2, 1, None)
    assert case.deadline_at == later + timedelta(hours=48)
    assert town.texts(town.staff) == [f"{case.number} 居民不满意，已重新打开。"]
    work.finish(town.session, case, town.worker, note="又修好了", now=later)
    work.rate(town.session, case, town.reporter.id, satisfied=True, now=later)
    assert (case.state, case.rating, case.closed_at, town.waiting(case)) == (State.CLOSED, 5, later, {})


def test_return_is_counted_and_goes_past_all_who_returned_it(town: Town) -> None:
    second = builders.person(town.session, "孙立", Role.MICRO_GRID_HEAD, town.place.grid.id)
    case = town.case()
    work.return_case(town.session, case, town.worker, "不在我的网格", now=town.now)
    assert (case.assignee_id, case.returns) == (second.id, 1)
    work.return_case(town.session, case, second, "也不在我的网格", now=town.now)
    assert (case.assignee_id, case.state, case.returns) == (None, State.OPEN, 2)
    assert town.texts(town.staff) == [f"{case.number}（路灯 · 3号楼门口）没有找到负责人，请在工作台派单。"]
    assert town.steps(case) == ["open", "assign", "return", "assign", "return"]


def test_worker_who_cannot_be_written_to_is_told_to_staff(town: Town) -> None:
    case = town.case()
    town.private.state = "left"
    town.session.flush()
    town.session.memo.clear()
    work.post_cards(town.session, [case], now=town.now)
    assert case.card_id is None
    assert town.steps(case)[-1] == "unreached"
    assert "请电话通知" in town.texts(town.staff)[-1]


def test_undo_lasts_a_minute_and_only_until_somebody_accepts(town: Town) -> None:
    case, taken, old = (town.case() for _ in range(3))
    work.undo(town.session, case, actor_id=town.reporter.id, now=town.now + work.UNDO)
    assert case.state == State.WITHDRAWN
    work.accept(town.session, taken, town.worker, now=town.now)
    with pytest.raises(Refused, match=r"cases\.undo_too_late"):
        work.undo(town.session, taken, actor_id=town.reporter.id, now=town.now)
    with pytest.raises(Refused, match=r"cases\.undo_late"):
        work.undo(town.session, old, actor_id=town.reporter.id, now=town.now + work.UNDO + timedelta(seconds=1))


def test_withdrawn_case_has_nothing_left_to_come(town: Town) -> None:
    case = town.case(urgency=Urgency.EMERGENCY)
    work.withdraw(town.session, case, actor_id=town.reporter.id, now=town.now)
    assert (town.waiting(case), case.closed_at) == ({}, town.now)
    with pytest.raises(Refused, match=r"cases\.step_not_allowed"):
        work.withdraw(town.session, case, actor_id=town.reporter.id, now=town.now)


def test_still_broken_reopens_what_is_done_and_urges_what_is_not(town: Town) -> None:
    case = town.case()
    assert not work.press_on(town.session, case, "还没修", actor_id=None, now=town.now)
    work.finish(town.session, case, town.worker, note="修好了", now=town.now)
    assert work.press_on(town.session, case, "还没修", actor_id=None, now=town.now)
    assert town.steps(case) == ["open", "assign", "remind", "finish", "reopen", "assign"]
    work.withdraw(town.session, case, actor_id=None, now=town.now)
    assert not work.press_on(town.session, case, "还没修", actor_id=None, now=town.now)


def test_answer_to_a_question_is_kept(town: Town) -> None:
    builders.person(town.session, "陈静", Role.COMMUNITY_WORKER, community_id=town.place.id)
    case = town.case(kind=Kind.QUESTION, topic="elder_allowance", text="高龄补贴怎么办")
    answers.answer(town.session, case, town.worker, " 带身份证来 ", now=town.now)
    town.session.flush()
    kept = town.session.query(KeptAnswer).one()
    assert (kept.question, kept.answer, kept.topic, kept.by_id) == (
        "高龄补贴怎么办", "带身份证来", "elder_allowance", town.worker.id,
    )  # fmt: skip
    assert town.texts(town.group)[-1].splitlines()[0] == f"{case.number} 社区答复：带身份证来"


def test_handing_over_tells_the_one_before(town: Town) -> None:
    other = builders.person(town.session, "周强", Role.GRID_WORKER, town.place.other_grid.id)
    case = town.case()
    work.post_cards(town.session, [case], now=town.now)
    town.session.flush()
    town.session.refresh(case)
    work.accept(town.session, case, town.worker, now=town.now)
    work.assign(town.session, case, other.id, Role.GRID_WORKER, now=town.now, actor_id=None)
    taken = f"{case.number} 已转给他人处理。"
    assert town.texts(town.private) == [taken, taken]
    assert (case.state, case.accepted_at) == (State.ASSIGNED, None)


def test_nothing_of_a_private_matter_is_said_in_the_group(town: Town) -> None:
    builders.person(town.session, "赵敏", Role.MEDIATOR, community_id=town.place.id)
    case = town.case(kind=Kind.DISPUTE, text="楼上吵架")
    for _ in range(2):
        work.finish(town.session, case, town.worker, note="已调解", now=town.now)
        work.rate(town.session, case, town.reporter.id, satisfied=False, now=town.now)
    assert town.texts(town.group) == []


@pytest.mark.parametrize(("kind", "note"), [(Kind.REPORT, "还是不亮"), (Kind.DISPUTE, ""), (Kind.WISH, "")])
def test_words_of_what_is_for_few_reach_no_group_of_staff(town: Town, kind: Kind, note: str) -> None:
    case = town.case(kind=kind)
    work.finish(town.session, case, town.worker, note="已处理", now=town.now)
    work.rate(town.session, case, town.reporter.id, satisfied=False, note="还是不亮", now=town.now)
    assert [text for text in town.texts(town.staff) if "不满意" in text] == [
        f"{case.number} 居民不满意，已重新打开。{note}"
    ]


def test_where_no_group_of_staff_is_bound_the_clerk_is_told_in_private(session: Session, now: datetime) -> None:
    place = builders.community(session)
    clerk = builders.person(session, "陈静", Role.COMMUNITY_WORKER, place.id)
    worker = builders.person(session, "张伟", Role.GRID_WORKER, place.grid.id)
    private = builders.private_chat(session, clerk, now)
    case = builders.case(session, place, now)
    work.post_cards(session, [case], now=now)
    session.flush()
    assert session.scalars(select(Outbox.text).where(Outbox.chat_id == private.id)).all() == [
        f"{case.number} 派给了{worker.name[0]}网格员，但机器人还不能私聊此人（未启动或已屏蔽），请电话通知并让其私聊机器人一次。"
    ]
