"""The made-up community: of the promised size, in order, and the same however often it is loaded."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bot.sample import make
from bot.sample.load import SampleSummary, load_sample, sample_groups, sample_people
from core.simulation import Persona, SimulatedGroup
from domain import announcements, areas, chats, conventions, people
from domain.areas import AreaLevel
from domain.people import ROLE_NAMES
from domain.topics import topics
from storage.areas import Area
from storage.base import Session
from storage.people import Account, Person, PrivateChat, Residence


def test_sample_areas_file_is_what_the_script_writes() -> None:
    assert make.FILE.read_text(encoding="utf-8") == make.text()


def test_sample_has_the_promised_size(session: Session, now: datetime) -> None:
    summary = load_sample(session, now=now)
    assert summary == SampleSummary(
        community_id=summary.community_id, areas=1287, households=1200, people=34, groups=7, clauses=12, announcements=4
    )
    counts = Counter(session.scalars(select(Area.level)))
    assert counts == {
        AreaLevel.STREET: 1,
        AreaLevel.COMMUNITY: 1,
        AreaLevel.GRID: 4,
        AreaLevel.MICRO_GRID: 16,
        AreaLevel.BUILDING: 40,
        AreaLevel.HOUSEHOLD: 1200,
        AreaLevel.PLACE: len(make.PLACES),
    }
    assert session.scalars(select(func.count()).select_from(Residence)).one() > 8


def test_sample_loaded_again_changes_nothing(session: Session, now: datetime) -> None:
    first = load_sample(session, now=now)
    person = people.with_codes(session, ["p01"])["p01"]
    person.name = "改过的名字"
    session.commit()
    assert load_sample(session, now=now + timedelta(days=30)) == first
    assert not session.dirty
    assert person.name == "改过的名字"


def test_sample_people_can_be_written_to_in_private(session: Session, now: datetime) -> None:
    community_id = load_sample(session, now=now).community_id
    accounts = session.execute(
        select(Account.external_id, Account.private_chat, Person.code, Account.name, Person.name).join(Person)
    )
    rows = [tuple(row) for row in accounts]
    assert {row[0] for row in rows} == {persona.id for persona in sample_people()}
    assert all(row[0] == row[2] and row[1] == PrivateChat.OPEN and row[3] == row[4] for row in rows)
    worker = people.with_codes(session, ["p09"])["p09"]
    chat = chats.private_chat_of(session, worker.id)
    assert chat is not None
    assert (chat.channel, chat.account, chat.external_id, chat.community_id) == (
        "simulator",
        "simulator",
        "private:p09",
        community_id,
    )
    assert people.phone_of(session, worker) == "13000000009"


def test_sample_groups_are_bound_to_their_areas(session: Session, now: datetime) -> None:
    community_id = load_sample(session, now=now).community_id
    bound = {
        chat.external_id: (chat.title, chat.state, chat.purpose, session.get_one(Area, chat.area_id).code)
        for chat in chats.of_community(session, community_id)
    }
    assert bound == {
        "g1": ("春晖园邻里群", "bound", "residents", "G1"),
        "g2": ("梧桐苑邻里群", "bound", "residents", "G2"),
        "g3": ("清河湾邻里群", "bound", "residents", "G3"),
        "g4": ("望山居邻里群", "bound", "residents", "G4"),
        "g5": ("河边四栋楼微网格群", "bound", "residents", "G31"),
        "g6": ("和谐里居民议事群", "bound", "residents", "HX"),
        "staff": ("和谐里工作群", "bound", "staff", "HX"),
    }
    assert [chat.external_id for chat in chats.staff_groups(session, community_id)] == ["staff"]


def test_sample_has_a_grid_worker_for_every_household(session: Session, now: datetime) -> None:
    community_id = load_sample(session, now=now).community_id
    for building in areas.of_community(session, community_id, levels=(AreaLevel.BUILDING,)):
        roles = {duty.role for duty, _ in people.people_in_charge(session, building, date(2026, 11, 21))}
        assert {"grid_worker", "micro_grid_head", "community_worker", "mediator", "street_officer"} <= roles


def test_sample_convention_and_announcements_come_round(session: Session, now: datetime) -> None:
    community_id = load_sample(session, now=now).community_id
    convention = conventions.current(session, community_id)
    assert convention is not None
    clauses = conventions.clauses_of(session, convention)
    assert [clause.number for clause in clauses] == list(range(1, 13))
    assert {clause.topic for clause in clauses if clause.topic} <= set(topics())
    planned = {
        each.title: (each.recurrence, each.next_due_at)
        for each in announcements.announcements_of(session, community_id)
    }
    assert planned == {
        "周五清洁日": ("每周五 15:00", datetime(2026, 11, 27, 7, 0, tzinfo=UTC)),
        "高龄补贴办理提醒": ("每月15日 09:00", datetime(2026, 12, 15, 1, 0, tzinfo=UTC)),
        "逢四说事": ("逢四 10:00", datetime(2026, 11, 24, 2, 0, tzinfo=UTC)),
        "公约天天见": ("每周一 10:00", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
    }


def test_sample_people_hold_every_role_and_groups_hold_known_people() -> None:
    personas, groups = sample_people(), sample_groups()
    assert personas[0] == Persona("p01", "李秀兰", ("居民",), "3号楼")
    assert personas[12] == Persona("p13", "罗文斌", ("网格员",), "第一网格、第二网格")
    assert {role for persona in personas for role in persona.roles} == {*ROLE_NAMES.values(), "居民"}
    assert len({persona.name for persona in personas}) == len(personas) == 34
    assert groups[4] == SimulatedGroup("g5", "河边四栋楼微网格群", "第三网格第一微网格", ("p11", "p18"))
    assert {member for group in groups for member in group.members} <= {persona.id for persona in personas}


def test_sample_numerals_are_chinese() -> None:
    assert [make.numeral(number) for number in (1, 10, 11, 20, 21, 40)] == [
        "一",
        "十",
        "十一",
        "二十",
        "二十一",
        "四十",
    ]
    assert Path(make.FILE).name == "areas.csv"
