"""People: found again by their accounts, in charge of places, called by surname, and forgotten when they ask for it."""

from datetime import date, datetime

import pytest
from sqlalchemy import func, select

from core.errors import Refused
from core.ids import new_id
from core.messages import ChatKind, ChatRef
from domain import chats, dialogues, people
from domain.areas import put_under
from domain.people import Person, Role
from storage.access import WebSession
from storage.areas import Area, AreaLevel, Community
from storage.base import Session
from storage.chats import Chat, ChatState, Conversation
from storage.people import Account, Duty, Residence

TODAY = date(2026, 11, 21)


def an_area(session: Session, name: str, level: AreaLevel, parent: Area | None = None) -> Area:
    area = Area(id=new_id(), code=name, name=name, level=level, aliases=[])
    put_under(area, parent)
    area.community_id = area.id if level is AreaLevel.COMMUNITY else parent.community_id if parent else None
    session.add(area)
    session.flush()
    if level is AreaLevel.COMMUNITY:
        session.add(Community(id=area.id, name=name))
        session.flush()
    return area


def a_person(session: Session, name: str, now: datetime, code: str | None = None) -> Person:
    person = Person(id=new_id(), code=code, name=name, created_at=now)
    session.add(person)
    session.flush()
    return person


def a_duty(
    session: Session,
    person: Person,
    area: Area,
    role: Role,
    *,
    rank: int = 0,
    days: tuple[date, date | None] = (date(2026, 1, 1), None),
) -> Duty:
    duty = Duty(
        id=new_id(), community_id=area.community_id, person_id=person.id, area_id=area.id, role=role, rank=rank,
        from_on=days[0], until_on=days[1],
    )  # fmt: skip
    session.add(duty)
    session.flush()
    return duty


def speak(session: Session, now: datetime, name: str, username: str | None = None) -> Person:
    return people.find_or_make_person(
        session, channel="telegram", external_id="7001", name=name, username=username, now=now
    )


def test_person_who_speaks_is_made_once_and_keeps_the_newest_name(session: Session, now: datetime) -> None:
    first = speak(session, now, " 秀兰 ", "xiulan")
    again = speak(session, now, "李秀兰", None)
    assert (first.id, again.name, again.code) == (again.id, "李秀兰", None)
    account = people.account_of(session, "telegram", "7001")
    assert account is not None
    assert (account.person_id, account.name, account.username, account.linked_by) == (first.id, "李秀兰", None, "spoke")
    assert speak(session, now, "").name == "李秀兰"
    assert people.account_of(session, "wecom", "7001") is None


def test_person_of_the_register_keeps_the_name_of_the_register(session: Session, now: datetime) -> None:
    worker = a_person(session, "孙志强", now, "W01")
    people.link_account(session, worker, channel="telegram", external_id="7001", now=now)
    assert speak(session, now, "强哥").name == "孙志强"
    session.flush()
    assert session.scalars(select(Account.name)).all() == ["强哥"]


def test_account_moves_to_a_registered_person_with_its_private_chat(session: Session, now: datetime) -> None:
    resident = speak(session, now, "强哥")
    chat = chats.find_or_make(session, "telegram", "bot", ChatRef("7001", ChatKind.PRIVATE), now=now)
    chat.person_id = resident.id
    session.flush()
    worker = a_person(session, "孙志强", now, "W01")
    account = people.link_account(session, worker, channel="telegram", external_id="7001", now=now)
    assert people.link_account(session, worker, channel="telegram", external_id="7001", now=now) is account
    session.refresh(chat)
    assert (account.person_id, account.linked_by, chat.person_id) == (worker.id, "administrator", worker.id)
    other = a_person(session, "刘芳", now, "W02")
    with pytest.raises(Refused) as refused:
        people.link_account(session, other, channel="telegram", external_id="7001", now=now)
    assert refused.value.key == "people.already_linked"
    assert account.person_id == worker.id


def test_people_in_charge_come_from_the_smallest_area_up_and_by_rank(session: Session, now: datetime) -> None:
    community = an_area(session, "社区", AreaLevel.COMMUNITY)
    grid = an_area(session, "网格", AreaLevel.GRID, community)
    building = an_area(session, "3号楼", AreaLevel.BUILDING, grid)
    elsewhere = an_area(session, "二网格", AreaLevel.GRID, community)
    clerk, worker, deputy, steward, gone, former, erased = (
        a_person(session, name, now) for name in ("董", "孙", "罗", "彭", "马", "何", "周")
    )
    a_duty(session, clerk, community, Role.COMMUNITY_WORKER)
    a_duty(session, deputy, grid, Role.GRID_WORKER, rank=1)
    a_duty(session, worker, grid, Role.GRID_WORKER, rank=0)
    a_duty(session, steward, building, Role.BUILDING_STEWARD, days=(TODAY, TODAY))
    a_duty(session, gone, elsewhere, Role.GRID_WORKER)
    a_duty(session, former, grid, Role.GRID_WORKER, days=(date(2025, 1, 1), date(2026, 11, 20)))
    a_duty(session, former, grid, Role.MEDIATOR, days=(date(2026, 11, 22), None))
    a_duty(session, erased, grid, Role.GRID_WORKER)
    erased.erased_at = now
    session.flush()
    names = [person.name for _, person in people.people_in_charge(session, building, TODAY)]
    assert names == ["彭", "孙", "罗", "董"]
    chosen = people.people_in_charge(session, building, TODAY, roles=(Role.GRID_WORKER,))
    assert [(duty.area_id, person.name) for duty, person in chosen] == [(grid.id, "孙"), (grid.id, "罗")]
    assert [duty.role for duty in people.duties_of(session, former.id, date(2026, 11, 22))] == [Role.MEDIATOR]


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("13000000001", "13000000001"),
        ("+86 130-0000-0001", "13000000001"),
        ("８６１３００００００００１", "13000000001"),
        ("028-85550101", "02885550101"),
        ("（010）8555 0101", "01085550101"),
        ("400-800-1234", "4008001234"),
        ("12000000001", None),
        ("1300000000", None),
        ("85550101", None),
        ("没有", None),
        ("", None),
    ],
)
def test_phone_is_cleaned_or_refused(words: str, digits: str | None) -> None:
    assert people.clean_phone(words) == digits


def test_phone_is_sealed_found_by_hash_and_taken_away(session: Session, now: datetime) -> None:
    person = a_person(session, "李秀兰", now)
    assert people.phone_of(session, person) is None
    people.set_phone(session, person, "130 0000 0001")
    assert people.phone_of(session, person) == "13000000001"
    assert person.phone_hash == session.keyring.fingerprint("13000000001")
    with pytest.raises(Refused) as refused:
        people.set_phone(session, person, "110")
    assert refused.value.key == "people.phone_wrong"
    assert people.phone_of(session, person) == "13000000001"
    people.set_phone(session, person, " ")
    assert people.phone_of(session, person) is None
    assert session.scalars(select(Person.phone_hash).where(Person.phone_hash.is_not(None))).all() == []


@pytest.mark.parametrize(
    ("name", "role", "title"),
    [
        ("王建国", Role.GRID_WORKER, "王网格员"),
        ("欧阳晓光", "mediator", "欧阳调解员"),
        ("欧阳", Role.VOLUNTEER, "欧志愿者"),
        ("阿依古丽·买买提", Role.COMMUNITY_WORKER, "阿依古丽社工"),
        ("Anna Berg", Role.MICRO_GRID_HEAD, "Anna 微网格长"),
        ("", Role.STREET_OFFICER, "干部"),
        ("李秀兰", None, "李老师"),
        ("", None, "工作人员"),
    ],
)
def test_staff_are_called_by_surname_and_role(name: str, role: str | None, title: str, now: datetime) -> None:
    assert people.surname_title(Person(id=1, name=name, created_at=now), role) == title


def test_every_role_has_a_name() -> None:
    assert set(people.ROLE_NAMES) == set(people.TITLES) == set(Role)


def test_erased_person_leaves_no_name_behind(session: Session, now: datetime) -> None:
    community = an_area(session, "社区", AreaLevel.COMMUNITY)
    person = speak(session, now, "李秀兰", "xiulan")
    people.set_phone(session, person, "13000000001")
    chat = chats.find_or_make(session, "telegram", "bot", ChatRef("7001", ChatKind.PRIVATE, "李秀兰"), now=now)
    chat.person_id = person.id
    session.add(Residence(community_id=community.id, person_id=person.id, area_id=community.id))
    session.add(WebSession(id=new_id(), person_id=person.id, token_hash="t", csrf="c", made_at=now, expires_at=now))
    duty = a_duty(session, person, community, Role.VOLUNTEER)
    ended = a_duty(session, person, community, Role.MEDIATOR, days=(date(2025, 1, 1), date(2025, 12, 31)))
    dialogues.ask(session, chat.id, "7001", "cases.place", data={"text": "三楼的李秀兰"}, now=now)
    session.flush()

    people.erase(session, person, now)

    session.expire_all()
    account = session.scalars(select(Account)).one()
    assert (person.name, person.phone_sealed, person.phone_hash, person.erased_at) == ("", None, None, now)
    assert (account.name, account.username, account.external_id) == ("", None, f"erased:{account.id}")
    left = session.execute(select(Chat.title, Chat.person_id, Chat.state).where(Chat.id == chat.id)).one()
    assert tuple(left) == ("", None, ChatState.LEFT)
    assert (duty.until_on, ended.until_on) == (date(2026, 11, 20), date(2025, 12, 31))
    assert session.scalars(select(WebSession.revoked_at)).all() == [now]
    assert [session.scalar(select(func.count()).select_from(kind)) for kind in (Residence, Conversation)] == [0, 0]
    assert people.duties_of(session, person.id, TODAY) == []
    # The same account is a stranger from now on.
    assert speak(session, now, "李秀兰").id != person.id
    assert session.scalars(select(Chat.title)).all() == [""]
