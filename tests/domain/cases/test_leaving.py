"""A worker who is erased leaves nothing undone, and a resident's matter goes on without its reporter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.messages import Kind, Urgency
from domain import due, reminders, retention
from domain.cases import desk, listing, opening, words, work
from domain.chats import ChatState
from storage.base import Session
from storage.cases import Case
from storage.chats import Chat, ChatPurpose
from storage.messages import Outbox
from storage.people import Person, Role
from storage.reminders import Reminder
from tests import builders


@dataclass
class Street:
    session: Session
    place: builders.Place
    now: datetime
    worker: Person
    head: Person
    resident: Person
    chats: dict[int, Chat]

    def case(self, **more: object) -> Case:
        made = builders.case(self.session, self.place, self.now, reporter=self.resident, **more)  # type: ignore[arg-type]  # tests change one thing
        self.pass_time(seconds=10)
        return made

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)
        due.run_due(self.session, now=self.now)
        self.session.flush()

    def forget(self, person: Person) -> None:
        retention.forget_person(self.session, person, now=self.now)

    def steps(self, case: Case) -> list[str]:
        self.session.flush()
        return [event.step for event in listing.events_of(self.session, case.id)]

    def queued(self, chat: Chat) -> list[str]:
        self.session.flush()
        rows = select(Outbox.text).where(Outbox.chat_id == chat.id, Outbox.state == "queued").order_by(Outbox.id)
        return list(self.session.scalars(rows))


@pytest.fixture
def street(session: Session, now: datetime) -> Street:
    place = builders.community(session)
    worker = builders.person(session, "张伟", Role.GRID_WORKER, place.grid.id)
    head = builders.person(session, "孙立", Role.MICRO_GRID_HEAD, place.grid.id)
    resident = builders.person(session, "王阿姨")
    chats = {person.id: builders.private_chat(session, person, now) for person in (worker, head, resident)}
    return Street(session, place, now, worker, head, resident, chats)


@pytest.mark.parametrize("step", ["none", "accept", "arrive"])
def test_work_of_an_erased_worker_goes_to_the_next_in_line_with_a_card(street: Street, step: str) -> None:
    case = street.case()
    if step != "none":
        getattr(work, step)(street.session, case, street.worker, now=street.now)
    street.forget(street.worker)
    assert (case.state, case.assignee_id, case.accepted_at, case.returns) == ("assigned", street.head.id, None, 0)
    assert street.steps(case)[-2:] == ["return", "assign"]
    street.pass_time(seconds=10)
    assert [text.splitlines()[0] for text in street.queued(street.chats[street.head.id])] == [f"【报事】{case.number}"]
    assert street.queued(street.chats[street.worker.id]) == []


def test_with_nobody_left_the_desk_is_told(street: Street) -> None:
    staff = builders.group(street.session, street.place, street.now, title="工作群", purpose=ChatPurpose.STAFF)
    case = street.case()
    street.forget(street.head)
    street.forget(street.worker)
    assert (case.state, case.assignee_id, case.assignee_role) == ("open", None, None)
    assert street.queued(staff) == [f"{case.number}（{words.what(case)}）没有找到负责人，请在工作台派单。"]


def test_emergency_of_an_erased_worker_is_called_out_again(street: Street) -> None:
    case = street.case(urgency=Urgency.EMERGENCY)
    work.accept(street.session, case, street.worker, now=street.now)
    street.forget(street.worker)
    street.session.flush()
    waiting = select(Reminder.due_at).where(Reminder.kind == reminders.EMERGENCY, Reminder.done_at.is_(None))
    assert street.session.scalars(waiting).all() == [street.now + work.EMERGENCY_REPEAT]


def test_finished_case_that_opens_again_does_not_come_back_to_nobody(street: Street) -> None:
    case = street.case()
    work.finish(street.session, case, street.worker, note="已更换灯泡", now=street.now)
    street.forget(street.worker)
    assert case.state == "finished"
    work.rate(street.session, case, street.resident.id, satisfied=False, now=street.now)
    assert (case.state, case.assignee_id) == ("assigned", street.head.id)


@pytest.mark.parametrize("kind", [Kind.REPORT, Kind.DISPUTE])
def test_matter_of_an_erased_resident_can_be_worked_to_its_end(street: Street, kind: Kind) -> None:
    clerk = builders.person(street.session, "陈静", Role.COMMUNITY_WORKER, street.place.id)
    private = street.chats[street.resident.id]
    case = street.case(kind=kind, chat=private)
    opening.post_receipt(
        street.session, case, private, now=street.now, reply_to=None, thread=None, asks_place=False, start_link=None
    )
    street.forget(street.resident)
    assert private.state == ChatState.LEFT
    holder = street.session.get_one(Person, case.assignee_id)
    work.accept(street.session, case, holder, now=street.now)
    work.finish(street.session, case, holder, note="已更换灯泡", now=street.now)
    street.pass_time(hours=25)
    desk.close(street.session, case, clerk, is_satisfied=False, note="居民已联系不上", now=street.now)
    assert (case.state, case.text) == ("closed", "3号楼门口路灯不亮")
    assert street.queued(private) == []
