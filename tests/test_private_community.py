"""The first private message of somebody: of which community it is, where its places are, and that it joins what neighbours reported."""

import pytest
from sqlalchemy import event, select

from core.messages import ChatKind, ChatRef
from domain import chats, places
from storage.areas import Area, AreaLevel
from storage.base import Session
from storage.cases import Case
from storage.people import Person, Residence, Role
from tests import builders
from tests.builders import Place
from tests.stage import GROUP, PRIVATE, Stage, link

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

FIRST, SECOND = "BX-20261121-0001", "BX-20261121-0002"
LIFT = "3号楼电梯坏了"
ASKED = "请问是哪个社区的事？点一下，或者回复社区名称。"
UNKNOWN = "我还不知道您是哪个社区的；请在您楼的居民群里说一次，或请社区工作人员为您登记住址。"
THERE = "翠湖社区"


def second(stage: Stage) -> Place:
    """Another community, with a 15号楼 that the first has not."""
    with stage.app.database.writing() as session:
        there = builders.community(session, THERE)
        grid = session.get_one(Area, there.other_grid.id)
        builders.area(session, "15号楼", AreaLevel.BUILDING, grid, there.id)
    return there


def living(stage: Stage, session: Session, name: str, *places: Place) -> Person:
    """Somebody whose account is known lives in each of these."""
    person = builders.person(session, name)
    link(stage, session, person)
    for place in places:
        session.add(Residence(community_id=place.id, person_id=person.id, area_id=place.building.id))
    session.flush()
    return person


def home_of(stage: Stage, name: str) -> int | None:
    with stage.app.database.reading() as session:
        wire = stage.wire
        ref = ChatRef(wire.private(stage.people[name]), ChatKind.PRIVATE)
        chat = chats.find(session, wire.name, wire.account, ref.external_id)
        return chat.community_id if chat else None


async def test_first_private_report_has_its_place_and_joins_what_is_reported(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, LIFT)
    await stage.say("李叔", PRIVATE, "3号楼电梯坏了，停在5楼不动")
    assert (stage.numbers(), stage.case(FIRST).joined) == ([FIRST], 1)
    await stage.say("小吴", PRIVATE, "8号楼路灯坏了")
    assert (stage.case(SECOND).area_id, home_of(stage, "小吴")) == (stage.place.other_building.id, stage.place.id)


async def test_household_tells_the_community(stage: Stage) -> None:
    there = second(stage)
    with stage.app.database.writing() as session:
        living(stage, session, "王阿姨", there)
    await stage.say("王阿姨", PRIVATE, LIFT)
    case = stage.case(FIRST)
    assert (case.community_id, case.area_id) == (there.id, there.building.id)


@pytest.mark.parametrize("said", ["3号楼电梯坏了，停在5楼", "早"])
async def test_group_last_spoken_in_tells_the_community(stage: Stage, said: str) -> None:
    """A report there is known by its case, talk, and coming into the group, by the message alone."""
    second(stage)
    await stage.say("王阿姨", GROUP, said)
    await stage.say("王阿姨", PRIVATE, "8号楼路灯坏了")
    case = stage.case(stage.numbers()[-1])
    assert (case.community_id, case.area_id) == (stage.place.id, stage.place.other_building.id)


async def test_of_several_the_one_that_has_the_place_is_meant(stage: Stage) -> None:
    there = second(stage)
    with stage.app.database.writing() as session:
        living(stage, session, "王阿姨", stage.place, there)
    await stage.say("王阿姨", PRIVATE, "15号楼电梯坏了")
    assert stage.case(FIRST).community_id == there.id
    with stage.app.database.writing() as session:
        here = session.get_one(Area, stage.place.grid.id)
        builders.area(session, "21号楼", AreaLevel.BUILDING, here, stage.place.id)
        places.note_changed(session, "21")
    await stage.say("王阿姨", PRIVATE, "21号楼路灯坏了")
    with stage.app.database.reading() as session:
        opened = session.scalars(select(Case).order_by(Case.id)).all()
        assert [case.community_id for case in opened] == [there.id, stage.place.id]


async def test_of_several_with_one_name_it_is_asked_once(stage: Stage) -> None:
    there = second(stage)
    with stage.app.database.writing() as session:
        living(stage, session, "王阿姨", stage.place, there)
    await stage.say("王阿姨", PRIVATE, LIFT)
    assert (stage.numbers(), stage.last("王阿姨").text, stage.last("王阿姨").buttons) == (
        [],
        ASKED,
        ("和谐社区", THERE),
    )
    await stage.press("王阿姨", PRIVATE, THERE)
    case = stage.case(FIRST)
    assert (case.community_id, case.area_id, case.text) == (there.id, there.building.id, LIFT)
    assert f"好的，{THERE}。" in stage.texts("王阿姨")
    await stage.say("王阿姨", PRIVATE, "8号楼路灯坏了")
    assert [stage.case(number).area_id for number in stage.numbers()] == [there.building.id, there.other_building.id]
    assert ASKED not in stage.texts("王阿姨")


async def test_community_told_in_words_joins_and_parts_as_ever(stage: Stage) -> None:
    there = second(stage)
    with stage.app.database.writing() as session:
        living(stage, session, "王阿姨", stage.place, there)
    await stage.say("李叔", GROUP, LIFT)
    await stage.say("王阿姨", PRIVATE, "3号楼电梯坏了，另外3号楼垃圾没人收")
    await stage.say("王阿姨", PRIVATE, "和谐社区")
    assert [(stage.case(number).topic, stage.case(number).joined) for number in stage.numbers()] == [
        ("lift", 1),
        ("rubbish", 0),
    ]


async def test_question_and_doubt_of_several_are_asked_about_too(stage: Stage) -> None:
    there = second(stage)
    with stage.app.database.writing() as session:
        living(stage, session, "王阿姨", stage.place, there)
    await stage.say("王阿姨", PRIVATE, "高龄补贴怎么办")
    await stage.press("王阿姨", PRIVATE, THERE)
    assert [(stage.case(number).community_id, stage.case(number).kind) for number in stage.numbers()] == [
        (there.id, "question")
    ]


async def test_who_is_unknown_is_told_how_to_be_known_and_whom_to_call(stage: Stage) -> None:
    second(stage)
    stage.add_person("外来的")
    await stage.say("外来的", PRIVATE, LIFT)
    assert stage.texts("外来的") == [UNKNOWN]
    await stage.say("外来的", PRIVATE, "3号楼着火了")
    assert stage.last("外来的").text == f"请先离开、不坐电梯，立即拨打 119（火警）；急救 120，报警 110。\n{UNKNOWN}"
    assert stage.numbers() == []


async def test_worker_of_both_is_asked(stage: Stage) -> None:
    there = second(stage)
    with stage.app.database.writing() as session:
        builders.duty(session, stage.person(session, "陈静"), Role.COMMUNITY_WORKER, there.id)
    await stage.say("陈静", PRIVATE, LIFT)
    assert stage.last("陈静").text == ASKED


async def test_community_known_is_not_looked_up_again(stage: Stage) -> None:
    second(stage)
    with stage.app.database.writing() as session:
        living(stage, session, "王阿姨", stage.place)
    await stage.say("王阿姨", PRIVATE, "早上好")
    asked: list[str] = []
    event.listen(stage.app.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    await stage.say("王阿姨", PRIVATE, LIFT)
    assert [statement for statement in asked if "FROM residence" in statement or "FROM community" in statement] == []
    assert isinstance(home_of(stage, "王阿姨"), int)
