"""A person with two accounts says a code of the one in the other: both are told, and what was reported is theirs in both."""

import re

from tests.stage import GROUP, PRIVATE, Stage


async def test_two_accounts_become_one_person(stage: Stage) -> None:
    await stage.say("李叔", GROUP, "我的另一个账号")
    assert stage.texts(GROUP) == ["绑定编码只能在私聊里给您，请私聊我发“我的另一个账号”。"]
    await stage.say("王阿姨", PRIVATE, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    (number,) = set(stage.numbers())
    await stage.start("李叔")
    await stage.say("李叔", PRIVATE, "我的")
    assert number not in stage.last("李叔").text
    await stage.say("李叔", PRIVATE, "我的另一个账号")
    found = re.search(r"发“绑定 ([A-Z2-9]{8})”", stage.last("李叔").text)
    assert found
    await stage.say("王阿姨", PRIVATE, f"绑定 {found[1]}")
    assert stage.last("王阿姨").text == "绑定成功。从现在起，您的这几个账号算同一个人；发“我的”看登记过的事。"
    assert stage.last("李叔").text == "您的另一个账号刚刚用编码绑定在一起。如果不是您本人做的，请马上联系社区工作人员。"
    for account in ("李叔", "王阿姨"):
        await stage.say(account, PRIVATE, "我的")
        assert number in stage.last(account).text
    await stage.say("王阿姨", PRIVATE, f"绑定 {found[1]}")
    assert stage.last("王阿姨").text == "这个编码已经用过了；请社区工作人员重新生成一个。"


async def test_a_worker_is_not_joined_with_another(stage: Stage) -> None:
    await stage.say("张伟", PRIVATE, "我的另一个账号")
    found = re.search(r"发“绑定 ([A-Z2-9]{8})”", stage.last("张伟").text)
    assert found
    await stage.say("陈静", PRIVATE, f"绑定 {found[1]}")
    assert stage.last("陈静").text == "这个账号已经属于另一位登记人员，请先在“人员”里核对，再重新绑定。"
    await stage.say("张伟", PRIVATE, "任务")
    assert stage.last("张伟").text == "您手上没有待办的事。"
