"""A photo that was to prove the end and could not be kept: the worker is asked once more, and the case says so."""

import pytest
from sqlalchemy import select

from domain import chats, dialogues, reminders
from storage.cases import Case, CaseEvent
from storage.messages import File, FileState
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, photo

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NUMBER = "BX-20261121-0001"
ASKED = f"{NUMBER} 办结的照片没有收到。请补发一张，或写一句说明。"
REFUSED = "这张照片打不开，可能没有传完整。请重新拍一张，或从相册里再发一次。"
BROKEN = photo()[:200]


async def finished_with(stage: Stage, proof: bytes, text: str = "") -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    await stage.press("张伟", PRIVATE, "接单")
    await stage.press("张伟", PRIVATE, "办结")
    await stage.say("张伟", PRIVATE, text, photo=proof)
    await stage.pass_time(minutes=1)


def notes(stage: Stage) -> list[tuple[str, str]]:
    """What was added after the end."""
    with stage.app.database.reading() as session:
        events = session.scalars(select(CaseEvent).order_by(CaseEvent.id)).all()
        end = next(place for place, event in enumerate(events) if event.step == "finish")
        return [(event.step, event.note) for event in events[end + 1 :]]


async def test_broken_proof_is_asked_for_again_and_the_case_shows_it(stage: Stage) -> None:
    await finished_with(stage, BROKEN)
    assert stage.texts("张伟")[-2:] == [REFUSED, ASKED]
    assert notes(stage) == [("add", "办结的照片没有收到，已请经办人补发或说明。")]
    assert stage.case(NUMBER).state == "finished"


async def test_photo_sent_again_reaches_the_resident(stage: Stage) -> None:
    await finished_with(stage, BROKEN)
    await stage.say("张伟", PRIVATE, photo=photo("green"))
    await stage.pass_time(seconds=10)
    assert stage.texts("张伟")[-1] == f"{NUMBER} 已补上，谢谢。"
    assert stage.texts(GROUP)[-1] == f"{NUMBER} 补充了处理结果：（附照片）"
    assert (len(stage.pictures(GROUP)), len(stage.stored())) == (1, 1)
    assert notes(stage)[1:] == [("add", "")]


async def test_reason_serves_too_and_a_single_sign_does_not(stage: Stage) -> None:
    await finished_with(stage, BROKEN)
    await stage.say("张伟", PRIVATE, "好")
    assert stage.texts("张伟")[-1] == "请附一张处理后的照片，或写一句办理情况（至少两个字）。"
    await stage.say("张伟", PRIVATE, "井盖已更换，现场光线太暗")
    assert stage.texts(GROUP)[-1] == f"{NUMBER} 补充了处理结果：井盖已更换，现场光线太暗"
    assert notes(stage)[1:] == [("add", "井盖已更换，现场光线太暗")]


async def test_worker_is_asked_once_only(stage: Stage) -> None:
    await finished_with(stage, BROKEN)
    await stage.say("张伟", PRIVATE, photo=BROKEN)
    await stage.pass_time(minutes=10)
    assert stage.texts("张伟").count(ASKED) == 1
    assert [note for _, note in notes(stage)].count("办结的照片没有收到，已请经办人补发或说明。") == 1


async def test_reason_beside_the_broken_photo_is_proof_enough(stage: Stage) -> None:
    await finished_with(stage, BROKEN, "井盖已更换")
    assert (stage.texts("张伟")[-1], notes(stage)) == (REFUSED, [])


async def test_whoever_is_answering_something_else_is_asked_when_that_is_done(stage: Stage) -> None:
    """A photo for the one case must not land in the other."""
    await finished_with(stage, photo())
    with stage.app.database.writing() as session:
        where, who = stage.wire.private(stage.people["张伟"]), stage.people["张伟"]
        chat = chats.find(session, stage.wire.name, stage.wire.account, where)
        assert chat is not None
        dialogues.ask(session, chat.id, who, "tasks.return", data={"case": "1"}, now=stage.clock.now())
        (proof,) = session.scalars(select(File)).all()
        proof.state = FileState.LOST
        reminders.add(session, reminders.PROOF, session.scalars(select(Case)).one(), due_at=stage.clock.now())
    await stage.pass_time(minutes=20)
    assert ASKED not in stage.texts("张伟")
    await stage.pass_time(minutes=20)
    assert stage.texts("张伟").count(ASKED) == 1


async def test_worker_out_of_reach_is_called_by_staff(stage: Stage) -> None:
    await finished_with(stage, photo())
    stage.wire.block(stage.people["张伟"])
    with stage.app.database.writing() as session:
        (proof,) = session.scalars(select(File)).all()
        proof.state = FileState.LOST
        reminders.add(session, reminders.PROOF, session.scalars(select(Case)).one(), due_at=stage.clock.now())
    await stage.pass_time(minutes=1)
    told = f"{NUMBER} 办结的照片没有收到，机器人不能私聊经办人，请电话通知其补发或说明。"
    assert stage.texts(STAFF_GROUP).count(told) == 1
