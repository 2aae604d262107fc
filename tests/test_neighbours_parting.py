"""Who joined and wants nothing any more: parted from the case in a word, and what their number raised comes down again."""

import pytest

from core.messages import Kind, Urgency
from domain.cases import desk
from domain.cases.desk import Correction
from storage.cases import Case
from tests.stage import GROUP, STAFF_GROUP, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

POWER, SECOND = "BX-20261121-0001", "BX-20261121-0002"
OUT = "3号楼整栋停电了，麻烦派人看看"
PARTED = f"好的，已从 {POWER} 分开。"


@pytest.mark.parametrize("words", ["撤回", "我家好了，不用来了", "发错了"])
async def test_who_joined_parts_with_a_word(stage: Stage, words: str) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    await stage.say("李叔", GROUP, words)
    case = stage.case(POWER)
    assert (case.joined, case.state, stage.steps(POWER)) == (0, "assigned", ["open", "assign", "join", "part"])
    assert stage.last(GROUP).text == PARTED


@pytest.mark.parametrize("words", ["不用了", "算了", "撤回", "我家不用了，谢谢"])
async def test_word_under_the_receipt_parts_who_joined_and_withdraws_for_the_reporter(stage: Stage, words: str) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    receipt = stage.posts(GROUP)[0].id
    await stage.say("李叔", GROUP, words, reply_to=receipt)
    assert (stage.case(POWER).joined, stage.case(POWER).state, stage.last(GROUP).text) == (0, "assigned", PARTED)
    await stage.say("王阿姨", GROUP, words, reply_to=receipt)
    assert stage.case(POWER).state == "withdrawn"
    assert stage.numbers() == [POWER]


async def test_word_without_us_in_mind_takes_nothing_back(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    await stage.say("李叔", GROUP, "算了")
    await stage.say("王阿姨", GROUP, "不用了")
    await stage.say("小吴", GROUP, "不用了", reply_to=stage.posts(GROUP)[0].id)
    assert (stage.case(POWER).joined, stage.case(POWER).state) == (1, "assigned")


async def test_last_thing_said_is_taken_back(stage: Stage) -> None:
    """Their own report stands; what they agreed with after it does not."""
    await stage.say("李叔", GROUP, "8号楼电梯坏了")
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "3号楼也停电了")
    await stage.say("李叔", GROUP, "撤回")
    assert [(stage.case(number).state, stage.case(number).joined) for number in stage.numbers()] == [
        ("assigned", 0),
        ("assigned", 0),
    ]


async def test_reporter_who_takes_it_back_by_word_hears_that_it_goes_on(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    await stage.say("王阿姨", GROUP, "撤回")
    assert stage.last(GROUP).text == f"您的登记已撤回；{POWER} 还有邻居反映，会继续办理。"


async def three_of_them(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, OUT)
    await stage.say("李叔", GROUP, "我家也是")
    await stage.say("小吴", GROUP, "我家也停电了")
    await stage.pass_time(seconds=10)
    assert (stage.case(POWER).urgency, stage.case(POWER).joined) == ("urgent", 2)


async def test_what_their_number_raised_comes_down_when_they_part(stage: Stage) -> None:
    await three_of_them(stage)
    await stage.say("小吴", GROUP, "撤回")
    assert stage.case(POWER).urgency == "normal"
    assert stage.texts(STAFF_GROUP)[-1] == f"{POWER}（停电 · 3号楼）现有 2 户反映，不再标为加急。"
    assert stage.card("张伟").text.startswith(f"【报事】{POWER}\n")
    await stage.say("小吴", GROUP, "我家也是")
    assert stage.case(POWER).urgency == "urgent"


async def test_reporter_leaving_brings_it_down_too(stage: Stage) -> None:
    await three_of_them(stage)
    await stage.press("王阿姨", GROUP, "撤销登记")
    assert (stage.case(POWER).urgency, stage.case(POWER).joined) == ("normal", 1)
    assert stage.card("张伟").text.startswith(f"【报事】{POWER}\n")


async def test_what_staff_called_urgent_stays_so(stage: Stage) -> None:
    await three_of_them(stage)
    with stage.app.database.writing() as session:
        case, clerk = session.get_one(Case, stage.case(POWER).id), stage.person(session, "陈静")
        for urgency in (Urgency.NORMAL, Urgency.URGENT):
            new = Correction(Kind.REPORT, case.topic, urgency, case.place, case.area_id or 0, None)
            desk.correct(session, case, clerk, new, now=stage.clock.now(), is_rerouted=False)
            session.flush()
    await stage.say("小吴", GROUP, "撤回", reply_to=stage.posts(GROUP)[0].id)
    assert (stage.case(POWER).urgency, stage.case(POWER).joined) == ("urgent", 1)
