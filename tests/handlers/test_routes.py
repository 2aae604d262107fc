"""The table: every button, step and command leads somewhere, and what is nobody's gets silence."""

import pytest

from core.messages import Incoming
from core.texts import say
from domain.outbox import Session
from handlers import announcing, cases, homes, meanings, private_matters, routes, start, tasks, wishes
from handlers.commands import BY_TEXT, COMMANDS, menu
from handlers.routes import ACTIONS, STEPS
from tests.stage import GROUP, PRIVATE, Stage

on_simulator = pytest.mark.parametrize("stage", ["simulator"], indirect=True)


def test_commands_have_latin_names_for_the_menu_and_each_word_once() -> None:
    for item in menu():
        named = (item.name.isascii(), item.name.islower(), len(item.name) <= 32)
        assert (*named, 1 <= len(item.title) <= 4, 1 <= len(item.help) <= 256) == (True,) * 5
    words = [word for command in COMMANDS for word in (f"/{command.name}", *command.words)]
    assert len(words) == len(set(words)) == len(BY_TEXT)
    assert "start" not in {item.name for item in menu()}
    assert [item.title for item in menu() if item.is_first] == ["帮助", "我的", "我的任务"]


def test_actions_are_those_that_buttons_start() -> None:
    """What the rules put under messages is what the table knows; nothing more, nothing less."""
    assert set(ACTIONS) == {
        *("cases.undo", "cases.confirm", "cases.decline", "cases.satisfied", "cases.dissatisfied"),
        *("cases.accept", "cases.return", "cases.return_because", "cases.arrive", "cases.finish", "cases.answer"),
        *("cases.part", "cases.not_done", "answers.ask_staff", "cases.not_meant", "cases.in_community"),
        *("cases.same_matter", "cases.other_matter"),
        *("cases.answer_again", "cases.take_back", "wishes.claim", "wishes.done", "wishes.hand_back"),
        *(f"cases.meant_{kind}" for kind in meanings.CHOICES),
    }
    for name in (
        "undo",
        "satisfied",
        "dissatisfied",
        "accept",
        "return",
        "arrive",
        "finish",
        "answer",
        "part",
        "not_done",
        "not_meant",
    ):
        assert say(f"cases.button_{name}")


def test_steps_are_those_that_questions_name() -> None:
    assert set(STEPS) == {
        cases.ASK_PLACE_STEP,
        cases.DETAILS_STEP,
        private_matters.STEP,
        homes.STEP,
        meanings.STEP,
        announcing.STEP,
        wishes.PROOF_STEP,
        cases.STILL_WRONG_STEP,
        tasks.PROOF_STEP,
        tasks.PROOF_AGAIN_STEP,
        tasks.RETURN_STEP,
        tasks.ANSWER_STEP,
        tasks.ANSWER_AGAIN_STEP,
    }


@on_simulator
@pytest.mark.parametrize("word", sorted(BY_TEXT))
async def test_every_command_is_answered_in_private(stage: Stage, word: str) -> None:
    await stage.say("王阿姨", PRIVATE, word)
    assert len(stage.texts("王阿姨")) == 1
    assert "failed" not in stage.outcomes()


@on_simulator
async def test_command_of_another_bot_and_unknown_ones_get_silence_in_a_group(stage: Stage) -> None:
    for words in ("/help@other_bot", "/weather", "我的妈呀"):
        await stage.say("王阿姨", GROUP, words)
    assert stage.posts(GROUP) == []


@on_simulator
async def test_talk_between_neighbours_about_a_case_stays_between_them(stage: Stage) -> None:
    """A reply to a resident's own message is not a word to the bot."""
    said = await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    before = stage.texts(GROUP)
    await stage.say("李叔", GROUP, "真的吗", reply_to=said)
    assert (stage.texts(GROUP), len(stage.steps("BX-20261121-0001"))) == (before, 2)


@on_simulator
async def test_reply_to_the_receipt_adds_to_the_case(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    await stage.say("李叔", GROUP, "旁边还有一个也松了", reply_to=stage.posts(GROUP)[0].id)
    assert stage.texts("张伟")[-1] == "BX-20261121-0001 有补充：旁边还有一个也松了"


@on_simulator
async def test_danger_told_under_a_receipt_is_a_matter_of_its_own(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.say("李叔", GROUP, "有人晕倒了，快来人", reply_to=stage.posts(GROUP)[0].id)
    assert stage.case("BX-20261121-0002").urgency == "emergency"


@on_simulator
async def test_member_who_joins_or_leaves_is_no_matter(stage: Stage) -> None:
    stage.add_person("新邻居")
    stage.wire.platform.join(stage.groups[GROUP], stage.people["新邻居"])  # type: ignore[attr-defined]  # the simulator's own
    stage.wire.platform.leave(stage.groups[GROUP], stage.people["新邻居"])  # type: ignore[attr-defined]  # as above
    await stage.settle()
    assert stage.posts(GROUP) == []


def test_handlers_take_only_what_the_table_gives_them() -> None:
    """Names that other layers rely on stay importable from the folder's modules."""
    assert callable(start.help_text) and callable(routes.handle)
    assert Incoming.__module__ == "core.messages"
    assert Session.__name__ == "Session"
