"""What is the same thing and what is not; that looking for it costs one statement; and that nobody stays in it who is forgotten."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from core.messages import Kind, Urgency
from domain import retention
from domain.cases import joined, joining, parting, words
from domain.cases.joining import agrees, are_apart, backs
from domain.cases.opening import Matter
from storage.base import Session
from storage.cases import Case, CaseReporter
from storage.messages import Received
from tests import builders
from tests.builders import Place


@pytest.mark.parametrize(
    "said",
    ["我家也是", "+1", "同求", "我也是", "俺家也是", "我家也停水了", "我们这栋也停水了", "5号楼也停电了", "附议"],
)
def test_agreement_is_heard(said: str) -> None:
    assert agrees(said)


@pytest.mark.parametrize(
    "said",
    [
        "我也是这么想的，慢慢来嘛",
        "我也想去",
        "也行吧",
        "加一勺糖就好",
        "一样的价钱",
        "我也觉得挺好",
        "早上好",
        "",
        "也" * 500,
    ],
)
def test_what_only_sounds_like_agreement_is_not(said: str) -> None:
    assert not agrees(said)


@pytest.mark.parametrize(
    "said", ["支持", "支持！", "我也想要", "举双手赞成", "这个建议好", "强烈支持，早该装了", "同意"]
)
def test_word_for_a_proposal_is_heard(said: str) -> None:
    assert backs(said)


@pytest.mark.parametrize("said", ["我也想去", "不支持", "支付宝能交吗", "这个菜不错", "", "早上好", "想要的接龙"])
def test_what_only_sounds_like_a_word_for_it_is_not(said: str) -> None:
    assert not backs(said)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("3号楼1单元漏水", "3号楼2单元漏水", True),
        ("3号楼1单元漏水", "3号楼一单元又漏了", False),
        ("3号楼漏水", "3号楼2单元漏水", False),
        ("3-2-501 漏水", "3-2-502 漏水", True),
        ("3号楼5楼的灯不亮", "3号楼2楼灯坏了", True),
        ("3号楼五楼的灯不亮", "3号楼五楼灯坏了", False),
        ("3号楼五楼的灯不亮", "3号楼5层灯坏了", False),
        ("3号楼负一层的灯不亮", "3号楼地下1楼灯坏了", False),
        ("3号楼一层的灯不亮", "3号楼负一层灯坏了", True),
        ("3号楼东侧积水", "3号楼西侧积水", True),
        ("3号楼门口积水", "3号楼积水", False),
    ],
)
def test_other_doors_floors_and_sides_are_other_troubles(one: str, other: str, apart: bool) -> None:
    assert are_apart(one, other) is apart
    assert are_apart(other, one) is apart


def matter(place: Place, text: str, **columns: object) -> Matter:
    values = {"kind": Kind.REPORT, "topic": "lift", "urgency": Urgency.NORMAL, "place": "3号楼", "has_place": True}
    return Matter(text=text, area_id=place.building.id, **(values | columns))  # type: ignore[arg-type]  # a case's columns


def found(session: Session, wanted: Matter, place: Place, *, now: datetime) -> Case | None:
    session.memo.clear()
    key = joining.key_of(session, wanted, place.id)
    return joining.same_thing(session, wanted, key, now=now) if key else None


def test_same_trouble_is_found_by_place_topic_words_and_time(session: Session, now: datetime) -> None:
    place = builders.community(session)
    case = builders.case(session, place, now, topic="lift", text="3号楼电梯坏了", where="3号楼")
    same = matter(place, "3号楼的电梯又停了，坏了")
    assert found(session, same, place, now=now + timedelta(days=2)) is case
    assert found(session, same, place, now=now + timedelta(days=4)) is None
    assert found(session, matter(place, "3号楼电梯里有人撒尿，臭死了"), place, now=now) is None
    assert found(session, matter(place, same.text, kind=Kind.WISH), place, now=now) is None
    assert found(session, matter(place, same.text, topic=None), place, now=now) is None
    elsewhere = Matter(Kind.REPORT, "lift", Urgency.NORMAL, "8号楼电梯坏了", "8号楼", place.other_building.id, True)
    assert found(session, elsewhere, place, now=now) is None
    case.state = "withdrawn"
    session.flush()
    assert found(session, same, place, now=now) is None


def test_long_reports_are_not_one_for_the_name_of_their_place(session: Session, now: datetime) -> None:
    place = builders.community(session)
    told = "云景苑南门烧烤店油烟太大。云景苑南门的烧烤店没有烟道，油烟往楼上灌，云景苑南门一带的人都不敢开窗，衣服也晾不出去"
    other = (
        "云景苑南门小饭馆后厨熏人。云景苑南门新开的饭馆对着过道炒菜，墙都黑了，从云景苑南门进出的人捂着鼻子走，请来看看"
    )
    case = builders.case(session, place, now, topic="oil_fume", text=told, where="云景苑南门")
    again = "云景苑南门烧烤店又冒油烟了。烧烤店油烟机是摆设，油烟天天往楼上灌，窗户不敢开，老人咳得睡不着，麻烦来人处理"
    for text, joins in ((again, case), (other, None)):
        wanted = replace(matter(place, text, topic="oil_fume"), place="云景苑南门")
        assert found(session, wanted, place, now=now) is joins


SMOKE = "楼下餐馆油烟直排，没有烟道。餐馆的油烟从后厨直接排到楼上，烟道一直没有装，楼上开窗全是油烟，请查一查餐馆的烟道和油烟净化设备。"
BOTH = "楼下餐馆油烟和夜宵摊烧烤烟太大。餐馆油烟没有烟道，晚上夜宵摊又摆出来烧烤，烧烤的烟和油烟一起往楼上飘，夜宵摊摆到凌晨两点。"
STALL = (
    "夜宵摊烧烤到凌晨。夜宵摊每天摆到凌晨，烧烤炭火的烟把整栋楼熏得睡不着，孩子咳了一个星期，夜宵摊撤了又来，没有人管。"
)


def joins(session: Session, case: Case, name: str, text: str, *, has_own_words: bool, now: datetime) -> CaseReporter:
    who = builders.person(session, name)
    chat = builders.private_chat(session, who, now)
    said = Received(
        channel=chat.channel,
        account=chat.account,
        external_id=f"m{chat.id}",
        kind="message",
        chat_id=chat.id,
        sender=chat.external_id,
        message_id="1",
        text=text,
        sent_at=now,
        received_at=now,
    )
    session.add(said)
    session.flush()
    row = joining.join(session, case, who, said, said=text, place="", has_own_words=has_own_words, now=now)
    assert row is not None
    return row


def test_report_is_compared_with_what_those_who_joined_have_said(session: Session, now: datetime) -> None:
    place = builders.community(session)
    case = builders.case(session, place, now, topic="oil_fume", text=SMOKE)
    stall = matter(place, STALL, topic="oil_fume")
    assert found(session, stall, place, now=now) is None
    row = joins(session, case, "李叔", BOTH, has_own_words=True, now=now)
    assert joining.same_thing(session, stall, (place.id, case.thing), now=now) is case  # of the same batch
    assert found(session, stall, place, now=now) is case
    parting.part(session, case, row, actor_id=row.person_id or 0, now=now, is_matter=False)
    assert found(session, stall, place, now=now) is None


def test_report_is_compared_with_what_staff_wrote_down_for_who_rang(session: Session, now: datetime) -> None:
    place = builders.community(session)
    case = builders.case(session, place, now, topic="oil_fume", text=SMOKE)
    clerk = builders.person(session, "周敏")
    joining.join_by_staff(session, case, None, said=BOTH, place="", source="telephone", entered_by=clerk.id, now=now)
    assert found(session, matter(place, STALL, topic="oil_fume"), place, now=now) is case


def test_words_of_who_only_agreed_are_not_compared(session: Session, now: datetime) -> None:
    place = builders.community(session)
    case = builders.case(session, place, now, topic="oil_fume", text=SMOKE)
    joins(session, case, "李叔", BOTH, has_own_words=False, now=now)
    assert found(session, matter(place, STALL, topic="oil_fume"), place, now=now) is None


def test_emergency_joins_only_an_emergency_of_just_now(session: Session, now: datetime) -> None:
    place = builders.community(session)
    builders.case(session, place, now, topic="fire", text="3号楼冒烟", where="3号楼")
    urgent = matter(place, "3号楼着火了", topic="fire", urgency=Urgency.EMERGENCY)
    assert found(session, urgent, place, now=now) is None
    case = builders.case(
        session, place, now, topic="fire", text="3号楼着火了", where="3号楼", urgency=Urgency.EMERGENCY
    )
    assert found(session, urgent, place, now=now + timedelta(minutes=5)) is case
    assert found(session, urgent, place, now=now + timedelta(minutes=31)) is None


def test_many_reports_are_looked_for_in_one_statement_by_its_index(
    session: Session, now: datetime, database_kind: str
) -> None:
    place = builders.community(session)
    for count in range(5):
        builders.case(session, place, now, topic="lift", text=f"3号楼电梯坏了 {count}")
    keys = [(place.id, f"{topic}@{place.building.id}") for topic in ("lift", "leak", "power")]
    statements: list[str] = []
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement))
    joining.note_open(session, keys, now=now)
    assert len(statements) == 1
    if database_kind == "postgres":
        return  # which plans by how many rows there are
    plan = session.connection().exec_driver_sql(
        f"EXPLAIN QUERY PLAN {statements[0]}", tuple(["1"] * 20)[: statements[0].count("?")]
    )
    assert any("ix_case_same_thing" in str(row) for row in plan)


def test_what_was_said_of_joined_cases_costs_one_statement_more(session: Session, now: datetime) -> None:
    place = builders.community(session)
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement)
    )
    counted = []
    for name in ("李叔", "王阿姨", "赵姐"):
        case = builders.case(session, place, now, topic="oil_fume", text=SMOKE)
        joins(session, case, name, BOTH, has_own_words=True, now=now)
        statements.clear()
        joining.note_open(session, [(place.id, case.thing)], now=now)
        counted.append(len(statements))
    assert counted == [2, 2, 2]


def test_who_is_forgotten_is_no_longer_among_the_reporters(session: Session, now: datetime) -> None:
    place = builders.community(session)
    case = builders.case(session, place, now, topic="power", text="3号楼停电了")
    who = builders.person(session, "李叔")
    session.add(
        CaseReporter(
            community_id=place.id,
            case_id=case.id,
            person_id=who.id,
            place="3号楼501",
            has_own_words=True,
            at=now,
            told_state=case.state,
        )
    )
    retention.forget_person(session, who, now=now)
    assert session.execute(select(CaseReporter.person_id, CaseReporter.place)).all() == [(None, "")]


@pytest.mark.parametrize(
    ("kind", "how"), [(Kind.REPORT, "反映"), (Kind.PROPOSAL, "支持"), (Kind.QUESTION, "提问"), (Kind.REQUEST, "反映")]
)
def test_who_joined_is_told_as_what(session: Session, now: datetime, kind: Kind, how: str) -> None:
    case = builders.case(session, builders.community(session), now, kind=kind)
    case.joined = 2
    assert words.joined_count(case) == f"已有 3 户{how}。"
    assert joined.line(case).endswith(f"已有 3 户{how}。")
