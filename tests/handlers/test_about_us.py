"""What people ask of the bot itself, in private or by its name: answered at once, and no case comes of it."""

import pytest

from tests.stage import GROUP, PRIVATE, Stage, on_simulator

HELLO = "您好！有事直接说就行；发“帮助”看我能做什么。"


@on_simulator
@pytest.mark.parametrize(
    ("said", "begins"),
    [
        ("有人吗", HELLO),
        ("有没有人在啊", HELLO),
        ("客服", HELLO),
        ("测试一下", HELLO),
        ("有个事想麻烦您", HELLO),
        ("能帮我个忙吗", HELLO),
        ("你能做什么", "我能做什么："),
        ("怎么报修", "我能做什么："),
        ("请问在哪里反映问题？", "我能做什么："),
        ("功能", "我能做什么："),
        ("我的事办得怎么样了", "您还没有登记过"),
        ("帮我查一下我报的事", "您还没有登记过"),
        ("上次报的路灯修好没有", "您还没有登记过"),
        ("查一下进度", "您还没有登记过"),
        ("我的心愿有结果了吗", "您还没有登记过"),
        ("我们网格员是谁", "第一网格由张网格员负责。"),
        ("8号楼归谁管", "第二网格由周网格员负责。"),
        ("我是几号网格的", "第一网格由张网格员负责。"),
        ("你好，今天值班的是谁", "第一网格由张网格员负责。"),
        ("今晚谁值班呀", "第一网格由张网格员负责。"),
        ("可以匿名吗", "您的姓名、电话和门牌号不会发到群里"),
        ("会不会泄露我的电话", "您的姓名、电话和门牌号不会发到群里"),
        ("别人会看到我的电话吗", "您的姓名、电话和门牌号不会发到群里"),
        ("会告诉邻居是谁报的吗", "您的姓名、电话和门牌号不会发到群里"),
    ],
)
async def test_what_is_asked_of_the_bot_is_answered(stage: Stage, said: str, begins: str) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, said)
    assert stage.last("王阿姨").text.startswith(begins)
    before = len(stage.posts(GROUP))
    await stage.say("李叔", GROUP, said)
    assert [post.text for post in stage.posts(GROUP)[before:] if post.text.startswith(begins)] == []
    assert stage.numbers() == [] or stage.case(stage.numbers()[0]).reporter_id is not None


@on_simulator
async def test_how_a_matter_stands_is_listed(stage: Stage) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    await stage.pass_time(minutes=30)
    await stage.say("王阿姨", PRIVATE, "我上次报的井盖处理得怎么样了")
    (number,) = stage.numbers()
    assert number in stage.last("王阿姨").text and "井盖" in stage.last("王阿姨").text
    await stage.say("王阿姨", GROUP, "@五微 我们网格员是谁")
    assert stage.last(GROUP).text == "第一网格由张网格员负责。有事直接跟我说，我马上通知到人。"


@on_simulator
async def test_whose_grid_is_asked_where_no_place_is_known(stage: Stage) -> None:
    await stage.start("王阿姨")
    await stage.say("王阿姨", PRIVATE, "网格员是谁")
    assert stage.last("王阿姨").text == "请告诉我是几号楼，例如“3 号楼的网格员是谁”。"


@on_simulator
@pytest.mark.parametrize(
    "said",
    ["3号楼电梯修好了没有，我妈下不来", "查一下监控，我家车被划了", "帮忙看看我们楼的灯", "门岗值班的是谁，态度真差"],
)
async def test_matter_with_the_same_words_is_no_such_question(stage: Stage, said: str) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, said)
    assert not stage.last("王阿姨").text.startswith(("您好！", "我能做什么", "您还没有登记过", "第一网格"))


@on_simulator
@pytest.mark.parametrize("said", ["把我的信息删掉", "请删除我的个人资料"])
async def test_who_wants_to_be_forgotten_reaches_a_person(stage: Stage, said: str) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, said)
    (number,) = stage.numbers()
    assert stage.last("王阿姨").text == f"{number} 您的问题已转给社区工作人员，有答复就在这里告诉您。"
    await stage.pass_time(seconds=70)
    assert said in stage.card("陈静").text


@on_simulator
@pytest.mark.parametrize("said", ["师傅什么时候来", "能不能快点", "你们到底管不管"])
async def test_who_has_a_matter_open_hears_how_it_stands(stage: Stage, said: str) -> None:
    await stage.start("王阿姨", f"area_{stage.place.grid.id}")
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    await stage.pass_time(hours=3)
    await stage.say("王阿姨", PRIVATE, said)
    (number,) = stage.numbers()
    assert stage.last("王阿姨").text == (
        f"我没太明白。您的 {number} 井盖 · 3号楼：已派单。要催就发“催一下”，要撤回就发“我要撤回”；新的事请说是什么、在哪里。"
    )
    await stage.say("王阿姨", PRIVATE, "催一下")
    assert stage.last("王阿姨").text == f"抱歉给您添麻烦了，{number} 已重新催办。"
    await stage.say("王阿姨", PRIVATE, "我要撤回")
    assert f"撤回 {number}" in stage.last("王阿姨").buttons or stage.case(number).state == "withdrawn"
    await stage.say("李叔", PRIVATE, said)
    assert number not in stage.last("李叔").text
