"""Nothing stays of a neighbour who joined somebody's case: neither when the case is old, nor when the neighbour is erased."""

import re
from datetime import timedelta

from sqlalchemy import select

from core.config import KeepSettings
from domain import retention
from storage.cases import CaseEvent, CaseMessage
from tests.stage import GROUP, PRIVATE, Stage, on_simulator

POWER = "BX-20261121-0001"
# A row's key may hold the door's number by chance.
KEY = re.compile(r"\d{12,}")
FIRST, OWN = "3号楼整栋停电了，麻烦派人看看", "3号楼2单元501也停电了，老人在家"


def words_left(stage: Stage) -> list[str]:
    """Where the case still tells what the neighbour said, or from which door."""
    with stage.app.database.reading() as session:
        events = [f"{event.step}: {event.note} {event.data}" for event in session.scalars(select(CaseEvent))]
        messages = list(session.scalars(select(CaseMessage.text).order_by(CaseMessage.id)))
    return [text for text in events + messages if "501" in KEY.sub("", text)]


async def work_to_the_end(stage: Stage) -> None:
    await stage.pass_time(seconds=20)
    for button in ("接单", "办结"):
        await stage.press("张伟", PRIVATE, button)
    await stage.say("张伟", PRIVATE, "总闸已修好")
    await stage.pass_time(days=5)
    assert stage.case(POWER).state == "closed"


async def erase(stage: Stage, name: str) -> None:
    with stage.app.database.writing() as session:
        retention.forget_person(session, stage.person(session, name), now=stage.clock.now())


@on_simulator
async def test_words_of_an_erased_neighbour_go_when_the_matter_is_over(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, FIRST)
    await stage.say("李叔", GROUP, OWN)
    await work_to_the_end(stage)
    assert len(words_left(stage)) == 2
    await erase(stage, "李叔")
    assert words_left(stage) == []
    assert stage.case(POWER).text == FIRST


async def test_words_of_an_erased_reporter_go_from_what_was_left_to_a_neighbour(stage: Stage) -> None:
    await stage.say("李叔", GROUP, OWN)
    await stage.say("王阿姨", GROUP, FIRST)
    await stage.press("李叔", GROUP, "撤销登记")
    await work_to_the_end(stage)
    await erase(stage, "李叔")
    assert (words_left(stage), stage.case(POWER).text) == ([], FIRST)


@on_simulator
async def test_door_of_a_neighbour_goes_with_the_old_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, FIRST)
    await stage.say("李叔", GROUP, OWN)
    await work_to_the_end(stage)
    with stage.app.database.writing() as session:
        retention.forget(session, now=stage.clock.now() + timedelta(days=1000), keep=KeepSettings())
    assert words_left(stage) == []
