"""Which words a photo belongs to: the nearest of its sender's, and never to a matter that they have nothing to do with."""

import pytest
from sqlalchemy import select

from storage.cases import Case
from storage.messages import File
from tests.stage import GROUP, PRIVATE, Stage, on_simulator, photo

pytestmark = on_simulator

NUMBER, OTHER = "BX-20261121-0001", "BX-20261121-0002"
ADDED = f"{NUMBER} 补充了照片。"


async def reported(stage: Stage) -> None:
    """A matter of two minutes ago, whose worker has the card."""
    await stage.say("王阿姨", GROUP, "3号楼小广告贴得到处都是")
    await stage.pass_time(minutes=2)


def photos_of(stage: Stage) -> list[str]:
    """The number of the case that each photo belongs to, in order; empty for none."""
    with stage.app.database.reading() as session:
        query = select(Case.number).select_from(File).outerjoin(Case, Case.id == File.case_id).order_by(File.id)
        return [number or "" for number in session.scalars(query)]


async def test_photo_goes_with_the_words_that_follow_it_and_not_with_an_older_matter(stage: Stage) -> None:
    await reported(stage)
    await stage.say("王阿姨", GROUP, photo=photo())
    await stage.pass_time(seconds=10)
    await stage.say("王阿姨", GROUP, "3号楼电梯按钮坏了")
    await stage.pass_time(seconds=40)
    assert (stage.numbers(), photos_of(stage)) == ([NUMBER, OTHER], [OTHER])
    assert ADDED not in stage.texts("张伟")
    assert (len(stage.card("张伟").files), OTHER in stage.card("张伟").text) == (1, True)


async def test_photo_that_was_handed_on_follows_words_that_stand_nearer(stage: Stage) -> None:
    await reported(stage)
    await stage.say("王阿姨", GROUP, photos=[photo("red"), photo("blue")])
    await stage.pass_time(seconds=50)
    assert stage.texts("张伟")[-1] == ADDED
    await stage.say("王阿姨", GROUP, "3号楼电梯按钮坏了")
    await stage.pass_time(seconds=10)
    assert (photos_of(stage), len(stage.card("张伟").files)) == ([OTHER, OTHER], 2)


async def test_photo_right_behind_its_words_stays_with_them(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼小广告贴得到处都是")
    await stage.pass_time(seconds=5)
    await stage.say("王阿姨", GROUP, photo=photo())
    await stage.pass_time(seconds=2)
    await stage.say("王阿姨", GROUP, "3号楼电梯按钮坏了")
    await stage.pass_time(seconds=30)
    assert photos_of(stage) == [NUMBER]


async def test_photo_in_reply_belongs_to_what_it_replies_to(stage: Stage) -> None:
    await reported(stage)
    receipt = stage.last(GROUP).id
    talk = await stage.say("李叔", GROUP, "今天太阳真好")
    await stage.say("王阿姨", GROUP, photo=photo("red"), reply_to=receipt)
    await stage.say("王阿姨", GROUP, photo=photo("blue"), reply_to=talk)
    await stage.pass_time(seconds=10)
    await stage.say("王阿姨", GROUP, "8号楼电梯按钮坏了")
    assert photos_of(stage) == [NUMBER, OTHER]


async def test_photo_before_what_a_neighbour_reported_already_joins_that(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=70)
    await stage.say("王阿姨", GROUP, photo=photo())
    await stage.say("王阿姨", GROUP, "3号楼门口的井盖坏了好几天了")
    await stage.pass_time(seconds=10)
    assert (stage.numbers(), photos_of(stage), stage.texts("张伟")[-1]) == ([NUMBER], [NUMBER], ADDED)


@pytest.mark.parametrize("said", ["这是我家今天做的红烧肉", "晚霞真美"])
async def test_photo_with_plain_talk_goes_to_nobody(stage: Stage, said: str) -> None:
    await reported(stage)
    before = stage.texts("张伟")
    await stage.say("王阿姨", GROUP, said, photo=photo("red"))
    await stage.say("王阿姨", GROUP, photo=photo("blue"))
    await stage.pass_time(seconds=8)
    await stage.say("王阿姨", GROUP, said)
    await stage.pass_time(seconds=40)
    assert (photos_of(stage), stage.texts("张伟")) == ([""], before)


@pytest.mark.parametrize("said", ["就是这里", "真是受不了", "你们看看", "一地都是"])
async def test_photo_with_a_word_about_the_matter_joins_it(stage: Stage, said: str) -> None:
    await reported(stage)
    await stage.say("王阿姨", GROUP, said, photo=photo())
    await stage.pass_time(seconds=40)
    assert (photos_of(stage), stage.texts("张伟")[-2:]) == ([NUMBER], [f"{NUMBER} 有补充：{said}", ADDED])


@pytest.mark.parametrize("said", ["我家水管我自己修好了，嘿嘿", "我家的灯昨天换好了", "快递找到了"])
async def test_remark_about_something_else_that_is_mended_tells_the_worker_nothing(stage: Stage, said: str) -> None:
    await reported(stage)
    before = (stage.texts("张伟"), stage.texts(GROUP), stage.steps(NUMBER))
    await stage.say("王阿姨", GROUP, said)
    assert (stage.texts("张伟"), stage.texts(GROUP), stage.steps(NUMBER)) == before
    await stage.say("王阿姨", GROUP, "修好了")
    assert stage.texts("张伟")[-2:] == [f"{NUMBER} 有补充：修好了", f"{NUMBER} 居民说已经好了，请确认后办结。"]


async def test_photo_in_a_private_dispute_joins_it_whatever_stands_under_it(stage: Stage) -> None:
    await stage.start("李叔", f"area_{stage.place.grid.id}")
    await stage.say("李叔", PRIVATE, "楼上天天半夜跳绳，说了也不听，我要投诉")
    number = stage.numbers()[0]
    await stage.say("李叔", PRIVATE, "这是我家今天拍的", photo=photo())
    assert (photos_of(stage), stage.last("李叔").text) == ([number], f"已补充到 {number}。")
