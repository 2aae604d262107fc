"""A matter that staff find to be between people, after neighbours have joined it or another was told with it: the groups learn no more."""

from core.messages import Kind, Urgency
from domain.cases import desk, work
from storage.cases import Case
from tests.stage import GROUP, PRIVATE, Stage, on_simulator

FIRST, SECOND = "BX-20261121-0001", "BX-20261121-0002"
QUIET = f"收到。这类事私下说更稳妥，{FIRST} 已登记；请私聊我补充，群里请先不要展开细节。"


async def found_private(stage: Stage, number: str) -> None:
    """The desk corrects the case: it is a dispute."""
    with stage.app.database.writing() as session:
        case = session.query(Case).filter(Case.number == number).one()
        assert case.area_id is not None
        new = desk.Correction(
            Kind.DISPUTE, case.topic, Urgency(case.urgency), case.place, case.area_id, case.deadline_at
        )
        clerk = stage.person(session, "陈静")
        desk.correct(session, case, clerk, new, now=stage.clock.now(), is_rerouted=False)
    await stage.settle()


async def accepted(stage: Stage, number: str) -> None:
    with stage.app.database.writing() as session:
        case = session.query(Case).filter(Case.number == number).one()
        work.accept(session, case, stage.person(session, "张伟"), now=stage.clock.now())
    await stage.settle()


@on_simulator
async def test_who_joined_hears_no_more_of_it_and_the_receipt_stays_quiet(stage: Stage) -> None:
    await stage.start("李叔")
    await stage.say("王阿姨", GROUP, "3号楼楼道里堆满了杂物")
    await stage.say("李叔", GROUP, "我家也是")
    await stage.pass_time(seconds=20)
    heard = stage.texts("李叔")
    await found_private(stage, FIRST)
    assert stage.texts(GROUP) == [QUIET]
    await stage.pass_time(minutes=3)
    await accepted(stage, FIRST)
    assert (stage.texts(GROUP), stage.last(GROUP).buttons, stage.texts("李叔")) == ([QUIET], (), heard)
    await stage.say("李叔", PRIVATE, "我的")
    assert FIRST not in stage.texts("李叔")[-1]


async def test_older_lines_and_questions_in_the_group_say_no_more_of_it(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼楼道里堆满了杂物")
    await stage.say("李叔", GROUP, "3号楼楼道的杂物堆得走不过去")
    await stage.pass_time(minutes=30)
    for button in ("接单", "办结"):
        await stage.press("张伟", PRIVATE, button)
    await stage.say("张伟", PRIVATE, "已和 502 王小明谈过")
    assert ["已并入" in text or "谈过" in text for text in stage.texts(GROUP)] == [False, True, True]
    await found_private(stage, FIRST)
    hidden = f"{FIRST} 已转为私下办理，群里请先不要展开细节。"
    assert stage.texts(GROUP) == [QUIET, hidden, hidden]
    assert [post.buttons for post in stage.posts(GROUP)] == [(), (), ()]


@on_simulator
async def test_receipt_of_one_alone_stays_quiet_when_its_minute_is_over(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼楼道里堆满了杂物")
    await found_private(stage, FIRST)
    await stage.pass_time(minutes=3)
    assert stage.texts(GROUP) == [QUIET]


@on_simulator
async def test_answer_for_two_matters_names_the_private_one_by_its_number_alone(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼路灯坏了，另外垃圾也没人收")
    await stage.pass_time(minutes=3)
    await found_private(stage, SECOND)
    await accepted(stage, FIRST)
    lines = stage.last(GROUP).text.split("\n")
    assert lines[1].startswith(f"{FIRST} 路灯 · 3号楼：张网格员已接单")
    assert lines[2] == f"{SECOND} 已登记，请私聊我补充。"
