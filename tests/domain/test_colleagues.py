"""The address book beside the register: what it proposes, what is taken up, and what happens to somebody who has left."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.clock import in_china
from core.colleagues import Colleague
from core.errors import Refused
from core.messages import ColleagueChange, IncomingKind
from domain import access, accounts, people
from domain.chats import ChatPurpose, ChatState
from domain.colleagues import changes, rules, taking
from domain.colleagues.plan import Line, Plan, Standing, make_plan
from domain.colleagues.taking import Choice, Clerk, Taken
from storage.access import AuditEntry
from storage.base import Session
from storage.chats import Chat
from storage.messages import Outbox
from storage.people import Account, Duty, Person, Role
from tests import builders

BOOK = "wecom"
GRID, OFFICE = "街道办/春晖社区/第一网格", "街道办/春晖社区"


@dataclass
class Office:
    session: Session
    place: builders.Place
    now: datetime
    clerk: Person
    worker: Person
    staff_group: Chat

    def plan(self, *colleagues: Colleague) -> Plan:
        self.session.flush()
        return make_plan(self.session, self.place.id, BOOK, colleagues, today=in_china(self.now).date())

    def take(self, plan: Plan, *choices: Choice, is_administrator: bool = False) -> Taken:
        clerk = Clerk(self.clerk.id, self.place.id, is_administrator)
        return taking.take(self.session, clerk, BOOK, plan, choices, now=self.now)

    def told(self, kind: IncomingKind, external_id: str, **what: object) -> None:
        """The platform tells of a change."""
        change = ColleagueChange(external_id, **what)  # type: ignore[arg-type]  # tests name some fields
        changes.note_change(self.session, BOOK, kind, change, now=self.now)
        self.session.flush()

    def duties(self, person: Person) -> list[tuple[str, int]]:
        today = in_china(self.now).date()
        return [(duty.role, duty.area_id) for duty in access.duties(self.session, person.id, today)]

    def staff_read(self) -> list[str]:
        self.session.flush()
        rows = select(Outbox.text).where(Outbox.chat_id == self.staff_group.id).order_by(Outbox.id)
        return list(self.session.scalars(rows))

    def acts(self) -> list[str]:
        self.session.flush()
        return list(self.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


@pytest.fixture
def office(session: Session, now: datetime) -> Office:
    """Department 第一网格 stands for grid workers of the first grid; zhang is one, by the account of his id."""
    place = builders.community(session, "春晖社区")
    clerk = builders.person(session, "周敏", Role.COMMUNITY_WORKER, place.id)
    worker = builders.person(session, "张伟", Role.GRID_WORKER, place.grid.id)
    people.link_account(session, worker, channel=BOOK, external_id="zhang", now=now)
    group = builders.group(session, place, now, title="工作群", purpose=ChatPurpose.STAFF)
    rules.add(session, place.grid, department=GRID, position="", role=Role.GRID_WORKER)
    return Office(session, place, now, clerk, worker, group)


ZHANG = Colleague("zhang", "张伟", (GRID,), "网格员")
LI = Colleague("li", "李娜", (GRID,), "网格员")


def ticked(line: Line, *, person_id: int | None = None) -> Choice:
    return Choice(
        line.external_id, line.digest, frozenset((offer.role, offer.area_id) for offer in line.offers), person_id
    )


def test_plan_tells_who_is_new_changed_gone_and_the_same(office: Office) -> None:
    other = builders.person(office.session, "赵强", Role.BUILDING_STEWARD, office.place.building.id)
    people.link_account(office.session, other, channel=BOOK, external_id="zhao", now=office.now)
    gone = builders.person(office.session, "孙立", Role.MEDIATOR, office.place.id)
    people.link_account(office.session, gone, channel=BOOK, external_id="sun", now=office.now)
    elsewhere = builders.community(office.session, "邻里社区")
    theirs = builders.person(office.session, "钱进", Role.GRID_WORKER, elsewhere.grid.id)
    people.link_account(office.session, theirs, channel=BOOK, external_id="qian", now=office.now)
    plan = office.plan(
        ZHANG,
        LI,
        Colleague("zhao", "赵强", (GRID,)),
        Colleague("boss", "区长", ("区政府",)),
        Colleague("qian", "钱进", ("区政府",)),
    )
    assert [(line.external_id, line.standing, line.held) for line in plan.lines] == [
        ("li", Standing.NEW, ()),
        ("zhao", Standing.CHANGED, (("building_steward", "3号楼"),)),
        ("sun", Standing.GONE, (("mediator", "春晖社区"),)),
        ("zhang", Standing.SAME, (("grid_worker", "第一网格"),)),
    ]
    assert [(offer.role, offer.area, offer.is_held) for offer in plan.lines[1].offers] == [
        ("grid_worker", "第一网格", False)
    ]
    assert (plan.departments, plan.others) == ((("区政府", 2), (GRID, 3)), 2)
    assert (office.acts(), office.duties(other)) == ([], [("building_steward", office.place.building.id)])


def test_position_narrows_a_rule_and_a_department_above_does_not_count(office: Office) -> None:
    rules.add(office.session, office.place.building, department=OFFICE, position="楼栋", role=Role.BUILDING_STEWARD)
    steward = Colleague("he", "何平", (OFFICE,), "楼栋管家（3号楼）")
    clerk = Colleague("lu", "陆远", (OFFICE,), "内勤")
    lines = office.plan(ZHANG, steward, clerk).of(Standing.NEW)
    assert [(line.external_id, [offer.role for offer in line.offers]) for line in lines] == [
        ("he", ["building_steward"])
    ]


def test_new_colleague_is_taken_up_with_the_duties_that_were_ticked_and_no_other(office: Office) -> None:
    rules.add(office.session, office.place.building, department=GRID, position="", role=Role.BUILDING_STEWARD)
    plan = office.plan(ZHANG, LI)
    (line,) = plan.of(Standing.NEW)
    choice = replace(ticked(line), duties=frozenset({("grid_worker", office.place.grid.id)}))
    assert office.take(plan, choice) == Taken(1, 0)
    account = people.account_of(office.session, BOOK, "li")
    assert account is not None
    li = office.session.get_one(Person, account.person_id)
    assert (li.name, li.code, account.linked_by) == ("李娜", "li", "address book")
    assert office.duties(li) == [("grid_worker", office.place.grid.id)]
    assert office.acts() == ["duty.give", "colleague.take"]
    assert [line.external_id for line in office.plan(ZHANG, LI).of(Standing.CHANGED)] == ["zhang", "li"]


def test_a_duty_that_no_rule_proposes_is_not_given_whatever_the_form_says(office: Office) -> None:
    plan = office.plan(ZHANG, LI)
    (line,) = plan.of(Standing.NEW)
    forged = replace(ticked(line), duties=frozenset({("administrator", office.place.id), ("mediator", 1)}))
    with pytest.raises(Refused, match=r"colleagues\.no_duty"):
        office.take(plan, forged)
    with pytest.raises(Refused, match=r"colleagues\.role_reserved"):
        rules.add(office.session, office.place.grid, department=GRID, position="", role=Role.ADMINISTRATOR)


def test_what_has_changed_since_it_was_looked_at_is_left(office: Office) -> None:
    seen = office.plan(ZHANG, LI).of(Standing.NEW)[0]
    now_there = office.plan(ZHANG, replace(LI, departments=(GRID, OFFICE)))
    assert office.take(now_there, ticked(seen), Choice("nobody", "x")) == Taken(0, 2)
    assert people.account_of(office.session, BOOK, "li") is None


def test_namesake_of_the_register_gets_the_account_when_staff_say_so(office: Office) -> None:
    known = builders.person(office.session, "李娜", Role.VOLUNTEER, office.place.id)
    known.code = "V01"
    elsewhere = builders.community(office.session, "邻里社区")
    builders.person(office.session, "李娜", Role.GRID_WORKER, elsewhere.grid.id)
    plan = office.plan(ZHANG, LI)
    (line,) = plan.of(Standing.NEW)
    assert line.namesakes == ((known.id, "李娜", "V01"),)
    with pytest.raises(Refused, match=r"people\.not_found"):
        office.take(plan, ticked(line, person_id=office.clerk.id))
    office.take(plan, ticked(line, person_id=known.id))
    account = people.account_of(office.session, BOOK, "li")
    assert account is not None
    assert account.person_id == known.id
    assert office.duties(known) == [("volunteer", office.place.id), ("grid_worker", office.place.grid.id)]


def test_namesake_who_administers_is_only_for_administrators(office: Office) -> None:
    chief = builders.person(office.session, "李娜", Role.ADMINISTRATOR, office.place.id)
    plan = office.plan(ZHANG, LI)
    (line,) = plan.of(Standing.NEW)
    with pytest.raises(Refused, match=r"people\.only_administrator"):
        office.take(plan, ticked(line, person_id=chief.id))
    assert office.take(plan, ticked(line, person_id=chief.id), is_administrator=True) == Taken(1, 0)


def test_who_only_wrote_to_the_bot_before_is_new_and_keeps_their_chat(office: Office) -> None:
    wrote = people.find_or_make_person(
        office.session, channel=BOOK, external_id="li", name="小李", username=None, now=office.now
    )
    office.session.flush()
    chat = builders._chat(office.session, office.now, kind="private", purpose="private", person_id=wrote.id)
    chat.channel = BOOK
    plan = office.plan(ZHANG, LI)
    office.take(plan, ticked(plan.of(Standing.NEW)[0]))
    office.session.refresh(chat)
    account = people.account_of(office.session, BOOK, "li")
    assert account is not None
    assert (chat.person_id, account.person_id != wrote.id) == (account.person_id, True)


def test_leaver_loses_access_at_once_and_staff_read_what_was_in_hand(office: Office) -> None:
    case = builders.case(office.session, office.place, office.now)
    assert case.assignee_id == office.worker.id
    chat = builders._chat(office.session, office.now, kind="private", purpose="private", person_id=office.worker.id)
    chat.channel, chat.external_id = BOOK, "zhang"
    token = accounts.make_link(office.session, office.worker.id, now=office.now)
    office.session.flush()
    signed_in = accounts.spend_link(office.session, token, now=office.now, life=timedelta(hours=1))
    office.session.flush()
    assert accounts.session_of(office.session, signed_in.token, now=office.now) is not None
    office.told(IncomingKind.COLLEAGUE_LEFT, "zhang")
    assert accounts.session_of(office.session, signed_in.token, now=office.now) is None
    assert office.duties(office.worker) == []
    assert people.account_of(office.session, BOOK, "zhang") is None
    office.session.refresh(chat)
    assert (chat.state, chat.person_id) == (ChatState.LEFT, None)
    assert case.assignee_id != office.worker.id
    assert office.staff_read()[0] == (
        "张网格员已不在企业通讯录里，登录和接单的权限已经停了。\n"
        f"TA 手上有 1 件没办完，已转给下一位或退回工作台：{case.number}。请核对。"
    )
    before = len(office.staff_read())
    office.told(IncomingKind.COLLEAGUE_LEFT, "zhang")
    assert len(office.staff_read()) == before
    # The id may be given to somebody else, who is nobody's heir.
    heir = people.find_or_make_person(
        office.session, channel=BOOK, external_id="zhang", name="张新", username=None, now=office.now
    )
    assert (heir.id != office.worker.id, office.duties(heir)) == (True, [])


def test_leaver_is_gone_at_any_hour_of_the_day(office: Office) -> None:
    for hour in (15, 17, 23):  # in China 23:00, and 01:00 and 07:00 of the next day
        office.now = office.now.replace(hour=hour)
        builders.duty(office.session, office.worker, Role.MEDIATOR, office.place.id)
        people.link_account(office.session, office.worker, channel=BOOK, external_id=f"z{hour}", now=office.now)
        office.told(IncomingKind.COLLEAGUE_LEFT, f"z{hour}")
        assert office.duties(office.worker) == []
        office.session.query(Duty).filter(Duty.role == Role.MEDIATOR).delete()


def test_leaver_keeps_accounts_of_their_own_but_none_of_that_id(office: Office) -> None:
    for channel, external_id in (("wecom_bot", "zhang"), ("telegram", "4242")):
        people.link_account(office.session, office.worker, channel=channel, external_id=external_id, now=office.now)
    office.told(IncomingKind.COLLEAGUE_LEFT, "zhang")
    rows = office.session.scalars(select(Account).where(Account.person_id == office.worker.id))
    assert sorted((row.channel, row.external_id.partition(":")[0]) for row in rows) == [
        ("telegram", "4242"), ("wecom", "left"), ("wecom_bot", "left"),
    ]  # fmt: skip


def test_last_administrator_who_leaves_keeps_the_duty_and_staff_are_told(office: Office) -> None:
    chief = builders.person(office.session, "魏东", Role.ADMINISTRATOR, office.place.id)
    builders.duty(office.session, chief, Role.GRID_WORKER, office.place.grid.id)
    people.link_account(office.session, chief, channel=BOOK, external_id="wei", now=office.now)
    office.told(IncomingKind.COLLEAGUE_LEFT, "wei")
    assert office.duties(chief) == [("administrator", office.place.id)]
    assert "最后一位系统管理员" in office.staff_read()[0]


def test_suspended_colleague_is_signed_out_and_staff_decide(office: Office) -> None:
    for _ in range(2):
        office.told(IncomingKind.COLLEAGUE_CHANGED, "zhang", is_active=False)
    assert office.duties(office.worker) == [("grid_worker", office.place.grid.id)]
    (read,) = office.staff_read()
    assert read.startswith("张网格员在企业通讯录里被停用")


def test_new_id_of_a_colleague_is_followed(office: Office) -> None:
    chat = builders._chat(office.session, office.now, kind="private", purpose="private", person_id=office.worker.id)
    chat.channel, chat.external_id = BOOK, "zhang"
    office.session.flush()
    office.told(IncomingKind.COLLEAGUE_CHANGED, "zhang", new_id="zhangwei", name="张小伟")
    account = people.account_of(office.session, BOOK, "zhangwei")
    assert account is not None
    assert (account.person_id, account.name, office.worker.name) == (office.worker.id, "张小伟", "张伟")
    office.session.refresh(chat)
    assert chat.external_id == "zhangwei"


def test_new_id_is_followed_wherever_it_is_still_free(office: Office) -> None:
    people.link_account(office.session, office.worker, channel="wecom_bot", external_id="zhang", now=office.now)
    early = people.find_or_make_person(
        office.session, channel="wecom_bot", external_id="zhangwei", name="张伟", username=None, now=office.now
    )
    office.session.flush()
    office.told(IncomingKind.COLLEAGUE_CHANGED, "zhang", new_id="zhangwei")
    rows = office.session.scalars(select(Account)).all()
    assert sorted((row.channel, row.external_id, row.person_id) for row in rows) == [
        ("wecom", "zhangwei", office.worker.id),
        ("wecom_bot", "zhang", office.worker.id),
        ("wecom_bot", "zhangwei", early.id),
    ]


def test_comers_and_movers_are_pointed_out_once_a_day_where_departments_stand_for_duties(office: Office) -> None:
    builders.group(office.session, builders.community(office.session, "邻里社区"), office.now, purpose="staff")
    office.told(IncomingKind.COLLEAGUE_CHANGED, "zhang", name="张伟")
    assert office.staff_read() == []
    office.told(IncomingKind.COLLEAGUE_JOINED, "li")
    office.told(IncomingKind.COLLEAGUE_CHANGED, "zhang", is_moved=True)
    assert office.staff_read() == ["企业通讯录有变动。要登记新同事、调整职务，请到工作台“人员 → 通讯录”核对。"]
    assert len(office.session.scalars(select(Outbox)).all()) == 1
    office.now += timedelta(days=1)
    office.told(IncomingKind.COLLEAGUE_JOINED, "wu")
    assert len(office.staff_read()) == 2
    assert people.account_of(office.session, BOOK, "li") is None


def test_gone_is_parted_with_by_staff_but_never_oneself(office: Office) -> None:
    people.link_account(office.session, office.clerk, channel=BOOK, external_id="zhou", now=office.now)
    plan = office.plan()
    lines = {line.external_id: line for line in plan.of(Standing.GONE)}
    with pytest.raises(Refused, match=r"colleagues\.not_yourself"):
        office.take(plan, ticked(lines["zhou"]))
    assert office.take(plan, ticked(lines["zhang"])) == Taken(1, 0)
    assert office.duties(office.worker) == []
    assert office.acts() == ["colleague.part", "person.left"]


def test_rules_are_the_communitys_own(office: Office) -> None:
    elsewhere = builders.community(office.session, "邻里社区")
    theirs = rules.add(office.session, elsewhere.grid, department=GRID, position="", role=Role.GRID_WORKER)
    ((mine, area),) = rules.of_community(office.session, office.place.id)
    assert (mine.department, area.name) == (GRID, "第一网格")
    with pytest.raises(Refused, match=r"colleagues\.rule_not_found"):
        rules.remove(office.session, office.place.id, theirs.id)
    for fault, department, role in (
        ("colleagues.rule_twice", GRID, "grid_worker"),
        ("colleagues.department_missing", "", "volunteer"),
        ("people.role_unknown", GRID, "king"),
    ):
        with pytest.raises(Refused, match=re.escape(fault)):
            rules.add(office.session, office.place.grid, department=department, position="", role=role)
    rules.remove(office.session, office.place.id, mine.id)
    assert rules.of_community(office.session, office.place.id) == []


def test_leaver_is_told_of_where_they_had_work_in_hand_and_no_duty_any_more(office: Office) -> None:
    case = builders.case(office.session, office.place, office.now)
    (duty,) = office.session.scalars(select(Duty).where(Duty.person_id == office.worker.id))
    duty.until_on = in_china(office.now).date() - timedelta(days=1)
    office.session.flush()
    office.told(IncomingKind.COLLEAGUE_LEFT, "zhang")
    assert case.assignee_id != office.worker.id
    assert f"TA 手上有 1 件没办完，已转给下一位或退回工作台：{case.number}。请核对。" in office.staff_read()[0]


def test_who_comes_back_can_be_the_one_who_left_or_somebody_new_each_time(office: Office) -> None:
    office.worker.code = "zhang"
    for code in ("tx-zhang", "tx-tx-zhang"):
        office.told(IncomingKind.COLLEAGUE_LEFT, "zhang")
        plan = office.plan(ZHANG)
        (line,) = plan.of(Standing.NEW)
        assert line.namesakes[0] == (office.worker.id, "张伟", "zhang")
        office.take(plan, ticked(line))
        account = people.account_of(office.session, BOOK, "zhang")
        assert account is not None
        assert office.session.get_one(Person, account.person_id).code == code
    office.told(IncomingKind.COLLEAGUE_LEFT, "zhang")
    plan = office.plan(ZHANG)
    office.take(plan, ticked(plan.of(Standing.NEW)[0], person_id=office.worker.id))
    assert office.duties(office.worker) == [("grid_worker", office.place.grid.id)]


def test_who_left_and_works_on_without_the_address_book_is_not_gone_again(office: Office) -> None:
    office.told(IncomingKind.COLLEAGUE_LEFT, "zhang")
    builders.duty(office.session, office.worker, Role.VOLUNTEER, office.place.id)
    assert office.plan().lines == ()


def test_gone_who_works_elsewhere_too_is_only_for_administrators(office: Office) -> None:
    elsewhere = builders.community(office.session, "邻里社区")
    builders.duty(office.session, office.worker, Role.MEDIATOR, elsewhere.id, community_id=elsewhere.id)
    plan = office.plan()
    (line,) = plan.of(Standing.GONE)
    with pytest.raises(Refused, match=r"people\.only_administrator"):
        office.take(plan, ticked(line))
    assert office.take(plan, ticked(line), is_administrator=True) == Taken(1, 0)
    assert office.duties(office.worker) == []
