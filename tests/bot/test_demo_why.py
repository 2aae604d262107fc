"""What the demo's panel tells of a message: the reasons for silence too, for as long as the words are kept."""

from datetime import timedelta

import pytest

from bot.demo import why
from domain import inbox
from tests.stage import GROUP, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

CHATTER = "谢谢大家，今天天气真好"


async def asked(stage: Stage, chat: str, message: str) -> dict[str, object]:
    with stage.app.database.reading() as session:
        return dict(why(session, stage.where(chat, "王阿姨"), message) or {})


async def test_silence_has_its_reasons(stage: Stage) -> None:
    told = await asked(stage, GROUP, await stage.say("王阿姨", GROUP, CHATTER))
    assert (told["outcome"], told["kind"], told["decision"], told["case"]) == ("silent", "chatter", "silent", None)
    assert {"word": "谢谢", "speaks_for": "thanking", "weight": 2.0, "says": "道谢，偏向对已有的事的回应"} in list(
        told["because"]
    )  # type: ignore[call-overload]
    assert len(told["said"]) > 1  # type: ignore[arg-type]  # lines


async def test_silence_about_a_place_names_it(stage: Stage) -> None:
    told = await asked(stage, GROUP, await stage.say("王阿姨", GROUP, "我刚从8号楼回来"))
    assert (told["outcome"], told["places"]) == ("silent", [{"words": "8号楼", "building": "8"}])


async def test_reasons_end_with_the_words(stage: Stage) -> None:
    message = await stage.say("王阿姨", GROUP, CHATTER)
    with stage.app.database.writing() as session:
        inbox.forget_texts(session, before=stage.clock.now() + timedelta(days=1))
    assert await asked(stage, GROUP, message) == {"outcome": "silent", "case": None}


async def test_what_was_worked_tells_what_was_noted_then(stage: Stage) -> None:
    told = await asked(stage, GROUP, await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了"))
    assert (told["kind"], told["decision"], told["outcome"], told["case"]) == (
        "report",
        "act",
        "opened",
        "BX-20261121-0001",
    )


async def test_unknown_group_has_none(stage: Stage) -> None:
    stage.add_group("生群", ["王阿姨"])
    assert await asked(stage, "生群", await stage.say("王阿姨", "生群", CHATTER)) == {"outcome": "silent", "case": None}
