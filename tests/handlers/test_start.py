"""First words and courtesies: welcome, help, binding, sign-in, and what is said when nothing was understood."""

from datetime import timedelta

import pytest

from domain import chats
from storage.base import Session
from storage.people import Person
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage

pytestmark = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

WELCOME = "您好，我是五微小助手。在群里或这里直接说事就行，例如“3 号楼门口路灯不亮”；发“帮助”看我能做什么。"
CODE_WRONG = "这个编码不对；请核对后再发，例如“绑定 ABCD2345”，或请社区工作人员重新生成。"


def code_for(stage: Stage, session: Session, *, person: Person | None = None) -> str:
    return chats.make_code(
        session,
        community_id=stage.place.id,
        now=stage.clock.now(),
        by_id=None,
        person_id=person.id if person else None,
        area_id=None if person else stage.place.other_grid.id,
    )


async def test_start_is_welcomed(stage: Stage) -> None:
    await stage.start("王阿姨")
    assert stage.texts("王阿姨") == [WELCOME]


@pytest.mark.parametrize("word", ["帮助", "/help", "怎么用"])
async def test_help_fits_on_one_screen(stage: Stage, word: str) -> None:
    await stage.say("王阿姨", PRIVATE, word)
    (text,) = stage.texts("王阿姨")
    assert text.startswith("我能做什么：\n报事：")
    assert (len(text.splitlines()) <= 12, len(text) < 400) == (True, True)


async def test_help_shows_staff_their_part_in_private_only(stage: Stage) -> None:
    await stage.say("张伟", PRIVATE, "帮助")
    await stage.say("张伟", STAFF_GROUP, "帮助")
    assert "登录：取得工作台的登录链接" in stage.texts("张伟")[0]
    assert "登录：" not in stage.texts(STAFF_GROUP)[0]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("谢谢", "不客气，应该的。"),
        ("你好", "您好！有事直接说就行；发“帮助”看我能做什么。"),
    ],
)
async def test_courtesy_is_returned(stage: Stage, words: str, answer: str) -> None:
    await stage.say("王阿姨", PRIVATE, words)
    assert stage.texts("王阿姨") == [answer]


async def test_words_to_the_bot_in_a_group_are_never_ignored(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "@五微 哈哈")
    assert len(stage.texts(GROUP)) == 1


async def test_group_code_is_spent_once_whatever_its_letters(stage: Stage) -> None:
    stage.add_group("甲群", ["李叔"])
    stage.add_group("乙群", ["李叔"])
    with stage.app.database.writing() as session:
        code = code_for(stage, session)
    await stage.say("李叔", "甲群", f"绑定  {code.lower()} ")
    await stage.say("李叔", "乙群", f"/bind {code}")
    assert stage.texts("甲群")[0] == "本群已绑定到第二网格。"
    assert stage.texts("乙群") == ["这个编码已经用过了；请社区工作人员重新生成一个。"]


async def test_code_dies_after_three_days(stage: Stage) -> None:
    stage.add_group("甲群", ["李叔"])
    with stage.app.database.writing() as session:
        code = code_for(stage, session)
    stage.clock.advance(timedelta(days=3, seconds=1))
    await stage.say("李叔", "甲群", f"绑定 {code}")
    assert stage.texts("甲群") == ["这个编码已经过期；请社区工作人员重新生成一个。"]


async def test_code_of_a_person_binds_no_group_and_the_other_way_round(stage: Stage) -> None:
    stage.add_group("甲群", ["李叔"])
    with stage.app.database.writing() as session:
        of_group, of_person = code_for(stage, session), code_for(stage, session, person=stage.person(session, "张伟"))
    await stage.say("李叔", "甲群", f"绑定 {of_person}")
    await stage.say("李叔", PRIVATE, f"绑定 {of_group}")
    assert (stage.texts("甲群"), stage.texts("李叔")) == ([CODE_WRONG], [CODE_WRONG])


async def test_bind_without_a_code_says_how(stage: Stage) -> None:
    await stage.say("李叔", PRIVATE, "绑定")
    assert stage.texts("李叔") == ["请在“绑定”后面写上编码，例如“绑定 ABCD2345”。"]


async def test_link_with_a_code_binds_the_account(stage: Stage) -> None:
    stage.add_person("钱多")
    with stage.app.database.writing() as session:
        code = code_for(stage, session, person=stage.person(session, "周强"))
    await stage.start("钱多", f"bind_{code}")
    assert stage.texts("钱多") == ["绑定成功，您好，周强。发“任务”看待办，发“登录”进工作台。"]


async def test_bound_account_gets_its_persons_cards(stage: Stage) -> None:
    """The worker has a new telephone: the old account does not speak for them any more than the register says."""
    stage.add_person("新手机")
    with stage.app.database.writing() as session:
        code = code_for(stage, session, person=stage.person(session, "周强"))
    stage.wire.block(stage.people["周强"])
    await stage.start("新手机", f"bind_{code}")
    await stage.say("李叔", GROUP, "8号楼电梯坏了")
    await stage.pass_time(seconds=10)
    assert stage.card("新手机").text.splitlines()[0] == "【报事】BX-20261121-0001"
    assert await stage.press("新手机", PRIVATE, "接单") == "已接单。"


async def test_sentence_with_the_word_bind_in_a_group_is_just_talk(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "绑定的快递柜在哪里取")
    assert CODE_WRONG not in stage.texts(GROUP)
