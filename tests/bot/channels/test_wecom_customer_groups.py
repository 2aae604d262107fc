"""Customer groups on the emulator: the register kept in step, and tasks in an owner's client."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bot.channels.base import Channel, Finding, Handing
from bot.channels.wecom.app import AppChannel, Corp
from bot.channels.wecom.customer_groups import CustomerGroupChannel
from core.customer_groups import Handed, HandedPost, Outcome, Progress, TimeSpan
from core.errors import Rejected, TryLater, Unknown
from core.groups import GroupFacts
from core.messages import ChatKind, Incoming, IncomingKind
from tests.bot.channels.wecom_stage import Ears, Watch, photo_file
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, TOKEN, WeComEmulator
from tests.emulators.wecom_groups import Group, Task
from web.hooks import HookDoor

ADD = "externalcontact/add_msg_template"
GET = "externalcontact/groupchat/get"
LIST = "externalcontact/groupchat/list"


@dataclass
class Set:
    wecom: WeComEmulator
    watch: Watch
    channel: CustomerGroupChannel
    ears: Ears

    def post(self, *chats: str, text: str = "周日停水", owner: str = "zhang") -> HandedPost:
        return HandedPost("1", owner, chats, text)

    @property
    def span(self) -> TimeSpan:
        now = datetime.fromtimestamp(self.watch.at, UTC)
        return TimeSpan(now - timedelta(minutes=5), now + timedelta(minutes=5))

    async def settled(self) -> None:
        while self.wecom.pending:
            await asyncio.sleep(0.002)

    def facts(self, members: int, residents: int, owner: str = "zhang", owner_name: str = "张伟") -> GroupFacts:
        return GroupFacts(datetime.fromtimestamp(self.watch.at, UTC), owner, owner_name, members, residents)


@asynccontextmanager
async def on_wecom() -> AsyncIterator[Set]:
    """The channel does not listen by itself here: a test asks for all groups when it wants to."""
    watch, ears = Watch(), Ears()
    async with WeComEmulator(now=watch) as wecom:
        wecom.add_member("zhang", "张伟")
        wecom.add_member("li", "李娜")
        corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url)
        channel = CustomerGroupChannel(
            corp, start_link=lambda: "https://work.weixin.qq.com/kfid/x?scene_param={payload}", now=watch
        )
        app = AppChannel(corp, agent_id=AGENT, now=watch, groups=channel.take_event)
        door = HookDoor({}, {"wecom": app.answer_hook})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://127.0.0.1") as client:
            wecom.connect(client)
            await app.start(ears, {})
            channel._deliver = ears
            yield Set(wecom, watch, channel, ears)
            await app.stop()
            await channel.stop()


def brief(heard: list[Incoming]) -> list[tuple[IncomingKind, str, str, GroupFacts | None]]:
    return [(one.kind, one.chat.external_id, one.chat.title, one.group) for one in heard]


async def test_register_is_told_once_and_then_of_what_changed() -> None:
    async with on_wecom() as on:
        aunt = on.wecom.add_customer("王阿姨")
        first = on.wecom.add_group("3号楼居民群", "zhang", [aunt], tells=False)
        second = on.wecom.add_group("8号楼居民群", "li", tells=False)
        assert await on.channel.ask_all() == 2
        assert brief(on.ears.heard) == [
            (IncomingKind.GROUP_TOLD, first, "3号楼居民群", on.facts(2, 1)),
            (IncomingKind.GROUP_TOLD, second, "8号楼居民群", on.facts(1, 0, "li", "李娜")),
        ]
        assert {one.chat.kind for one in on.ears.heard} == {ChatKind.GROUP}
        assert on.ears.bookmarks == {"groups": f'["{first}","{second}"]'}
        on.watch.at += 6 * 3600
        assert await on.channel.ask_all() == 0
        on.wecom.groups.groups[second].status = 1  # the owner has left the corp
        assert await on.channel.ask_all() == 1
        assert brief(on.ears.heard)[2:] == [
            (IncomingKind.GROUP_TOLD, second, "8号楼居民群", on.facts(1, 0, "", "李娜"))
        ]


async def test_group_that_is_gone_is_told_of_after_a_restart_too() -> None:
    async with on_wecom() as on:
        gone = on.wecom.add_group("旧群", "zhang", tells=False)
        await on.channel.ask_all()
        on.wecom.dismiss_group(gone, tells=False)
        corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=on.wecom.base_url)
        later = CustomerGroupChannel(corp, now=on.watch)
        await later.start(on.ears, on.ears.bookmarks)
        while len(on.ears.heard) < 2 or on.ears.bookmarks != {"groups": "[]"}:
            await asyncio.sleep(0.005)
        await later.stop()
        assert brief(on.ears.heard)[1:] == [(IncomingKind.BOT_REMOVED, gone, "", None)]


async def test_group_that_comes_back_as_it_was_is_told_of() -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("一群", "zhang", tells=False)
        await on.channel.ask_all()
        hidden = on.wecom.groups.groups.pop(group)  # out of the visible range of the app for a while
        await on.channel.ask_all()
        on.watch.at += 6 * 3600
        on.wecom.groups.groups[group] = hidden
        await on.channel.ask_all()
        told, removed = IncomingKind.GROUP_TOLD, IncomingKind.BOT_REMOVED
        assert [one.kind for one in on.ears.heard] == [told, removed, told]


async def test_register_follows_the_callbacks() -> None:
    async with on_wecom() as on:
        aunt = on.wecom.add_customer("王阿姨")
        group = on.wecom.add_group("新群", "zhang")
        await on.settled()
        for step in (
            lambda: on.wecom.join_group(group, aunt),
            lambda: on.wecom.rename_group(group, "3号楼居民群"),
            lambda: on.wecom.hand_group_over(group, "li"),
            lambda: on.wecom.leave_group(group, aunt),
            lambda: on.wecom.dismiss_group(group),
        ):
            step()
            await on.settled()
        assert brief(on.ears.heard) == [
            (IncomingKind.BOT_ADDED, group, "新群", on.facts(1, 0)),
            (IncomingKind.MEMBER_JOINED, group, "新群", on.facts(2, 1)),
            (IncomingKind.CHAT_RENAMED, group, "3号楼居民群", on.facts(2, 1)),
            (IncomingKind.GROUP_TOLD, group, "3号楼居民群", on.facts(2, 1, "li", "李娜")),
            (IncomingKind.MEMBER_LEFT, group, "3号楼居民群", on.facts(1, 0, "li", "李娜")),
            (IncomingKind.BOT_REMOVED, group, "", None),
        ]
        assert [one.statuses for one in on.wecom.pusher.log] == [[200]] * 6
        assert on.ears.bookmarks == {"groups": "[]"}


async def test_callback_is_refused_while_nothing_can_be_stored() -> None:
    async with on_wecom() as on:
        on.ears.is_deaf = True
        pushed = on.wecom.group_event(on.wecom.add_group("群", "zhang", tells=False), "create")
        await on.settled()
        assert (pushed.statuses, on.ears.heard) == ([503] * 3, [])


async def test_callback_is_stored_when_the_group_cannot_be_asked_for() -> None:
    async with on_wecom() as on:
        on.wecom.fail_next(1, 45009, path=GET)
        group = on.wecom.add_group("新群", "zhang")
        await on.settled()
        assert brief(on.ears.heard) == [(IncomingKind.GROUP_TOLD, group, "", None)]
        await on.channel.ask_again()
        assert brief(on.ears.heard)[1:] == [(IncomingKind.BOT_ADDED, group, "新群", on.facts(1, 0))]


async def test_callbacks_that_come_twice_or_backwards_lead_to_the_same_register() -> None:
    async with on_wecom() as on:
        aunt = on.wecom.add_customer("王阿姨")
        on.wecom.pusher.hold()
        group = on.wecom.add_group("新群", "zhang")
        for _ in range(2):
            on.wecom.join_group(group, aunt)
            on.wecom.leave_group(group, aunt)
        on.wecom.rename_group(group, "3号楼居民群")
        on.wecom.pusher.release(backwards=True)
        await on.settled()
        on.watch.at += 1
        on.wecom.pusher.copies = 2
        on.wecom.rename_group(group, "3号楼业主群")
        await on.settled()
        kinds = [one.kind for one in on.ears.heard]
        # What happened twice within a second is told in the same words: it counts once, and the facts are asked for anyway.
        assert Counter(kinds) == {
            IncomingKind.BOT_ADDED: 1,
            IncomingKind.CHAT_RENAMED: 2,
            IncomingKind.MEMBER_JOINED: 1,
            IncomingKind.MEMBER_LEFT: 1,
        }
        assert (on.ears.heard[-1].chat.title, on.ears.heard[-1].group) == ("3号楼业主群", on.facts(1, 0))
        on.wecom.dismiss_group(group, tells=False)
        on.wecom.group_event(group, "dismiss")
        on.wecom.group_event(group, "update", "add_member", MemChangeCnt=1)
        await on.settled()
        late = [(one.kind, one.group) for one in on.ears.heard[-2:]]
        assert Counter(late) == {(IncomingKind.BOT_REMOVED, None): 1, (IncomingKind.MEMBER_JOINED, None): 1}


async def test_change_that_reaches_the_register_late_is_asked_for_again() -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("新群", "zhang")
        on.wecom.group_event(group, "update", "add_member")  # and the platform does not know the member yet
        await on.settled()
        on.wecom.groups.groups[group].residents.append(on.wecom.add_customer("王阿姨"))
        on.watch.at += 30
        await on.channel.ask_again()
        await on.channel.ask_again()
        assert brief(on.ears.heard)[2:] == [(IncomingKind.GROUP_TOLD, group, "新群", on.facts(2, 1))]


async def test_callbacks_about_other_things_are_the_apps() -> None:
    async with on_wecom() as on:
        on.wecom.say("zhang", "change_external_chat 是什么")
        await on.settled()
        assert [(one.channel, one.text) for one in on.ears.heard] == [("wecom", "change_external_chat 是什么")]
        assert await on.channel.take_event("<xml><Event>change_external_chat</Event></xml>") is None


async def test_register_of_many_groups_is_read_to_its_end() -> None:
    async with on_wecom() as on:
        for number in range(1001):
            on.wecom.groups.groups[f"g{number}"] = Group(f"g{number}", f"群{number}", "zhang", [])
        assert len(await on.channel._list()) == 1001
        assert [call.given.get("cursor") for call in on.wecom.calls(LIST)] == [None, "1000"]


async def test_task_lies_with_the_owner_until_they_send_it(tmp_path: Path) -> None:
    async with on_wecom() as on:
        first, second = (on.wecom.add_group(name, "zhang", tells=False) for name in ("一群", "二群"))
        picture = photo_file(tmp_path)
        post = HandedPost("7", "zhang", (first, second), "周日停水", (picture,))
        handed = await on.channel.hand(post)
        (task,) = on.wecom.groups.tasks
        assert handed == Handed(task.msgid)
        assert (task.owner, task.chats, task.text, task.files) == (
            "zhang", [first, second], "周日停水", (Path(picture.path).read_bytes(),),
        )  # fmt: skip
        assert await on.channel.look(task.msgid, post) == Progress(False)
        assert on.wecom.groups.texts(first) == []
        on.wecom.groups.confirm("zhang")
        assert await on.channel.look(task.msgid, post) == Progress(True, {first: Outcome.SENT, second: Outcome.SENT})
        assert on.wecom.groups.texts(first) == ["周日停水"]


async def test_second_post_of_a_day_is_over_the_quota_of_the_group() -> None:
    async with on_wecom() as on:
        group, other = (on.wecom.add_group(name, "zhang", tells=False) for name in ("一群", "二群"))
        await on.channel.hand(on.post(group))
        on.wecom.groups.confirm("zhang")
        post = on.post(group, other, text="周一来水")
        handed = await on.channel.hand(post)
        on.wecom.groups.confirm("zhang")
        outcomes = (await on.channel.look(handed.external_id, post)).outcomes
        assert outcomes == {group: Outcome.OVER_QUOTA, other: Outcome.SENT}
        on.watch.at += 24 * 3600
        again = await on.channel.hand(on.post(group, text="周一来水"))
        on.wecom.groups.confirm("zhang")
        assert (await on.channel.look(again.external_id, on.post(group))).outcomes == {group: Outcome.SENT}


async def test_groups_of_another_owner_are_refused_by_name() -> None:
    async with on_wecom() as on:
        own, foreign = on.wecom.add_group("一群", "zhang", tells=False), on.wecom.add_group("二群", "li", tells=False)
        handed = await on.channel.hand(on.post(own, foreign))
        assert handed == Handed(on.wecom.groups.tasks[0].msgid, (foreign,))
        with pytest.raises(Rejected, match="没有给群主建立群发任务"):
            await on.channel.hand(on.post(foreign))


@pytest.mark.parametrize(
    ("text", "files", "words"),
    [("水" * 1334, 0, "正文有 4002 字节，群发最多 4000 字节"), ("水", 10, "一次群发最多附 9 个文件")],
)
async def test_what_a_task_cannot_hold_is_refused_before_it_is_made(
    tmp_path: Path, text: str, files: int, words: str
) -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("一群", "zhang", tells=False)
        post = HandedPost("7", "zhang", (group,), text, (photo_file(tmp_path),) * files)
        with pytest.raises(Rejected, match=words):
            await on.channel.hand(post)
        assert on.wecom.calls(ADD) == []


async def test_longest_text_goes_out_in_one_task() -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("一群", "zhang", tells=False)
        await on.channel.hand(on.post(group, text="水" * 1333 + "!"))
        assert [len(task.text.encode()) for task in on.wecom.groups.tasks] == [4000]


async def test_task_whose_answer_was_lost_is_found_by_words_owner_and_groups() -> None:
    async with on_wecom() as on:
        group, other, foreign = (
            on.wecom.add_group(name, owner, tells=False)
            for name, owner in (("一群", "zhang"), ("二群", "zhang"), ("三群", "li"))
        )
        on.wecom.drop_answer_after_work(path=ADD)
        with pytest.raises(Unknown):
            await on.channel.hand(on.post(group, text="周日停水  \r\n请储水"))
        for post in (
            on.post(other),
            on.post(group, text="别的"),
            on.post(foreign, owner="li", text="周日停水\n请储水"),
        ):
            await on.channel.hand(post)
        made = on.wecom.groups.tasks[0].msgid
        assert await on.channel.find(on.post(group, text="周日停水\n请储水"), on.span) == [made]
        assert await on.channel.find(on.post(group, text="没有发过"), on.span) == []
        on.watch.at += 3600
        assert await on.channel.find(on.post(group, text="周日停水\n请储水"), on.span) == []


async def test_search_reads_the_list_to_its_end() -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("一群", "zhang", tells=False)
        await on.channel.hand(on.post(group, text="最早的"))
        on.wecom.groups.tasks += [
            Task(f"t{number}", "zhang", [group], "别的", (), on.watch.at) for number in range(100)
        ]
        assert await on.channel.find(on.post(group, text="最早的"), on.span) == [on.wecom.groups.tasks[0].msgid]


async def test_answers_that_are_not_as_documented_break_nothing() -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("一群", "zhang", tells=False)
        post = on.post(group)
        body = b'{"errcode":0,"group_msg_list":[1,{"msgid":"m","create_time":"soon","text":"?"},{"msgid":"n"}]}'
        on.wecom.garble_answer(1, body, path="externalcontact/get_groupmsg_list_v2")
        assert await on.channel.find(post, on.span) == []
        handed = await on.channel.hand(post)
        body = b'{"errcode":0,"task_list":[{"userid":"zhang","status":[2]},{"userid":null}]}'
        on.wecom.garble_answer(1, body, path="externalcontact/get_groupmsg_task")
        assert await on.channel.look(handed.external_id, post) == Progress(False)
        on.wecom.garble_answer(1, b'{"errcode":0,"group_chat_list":[{"chat_id":7,"status":"x"},"?"]}', path=LIST)
        assert await on.channel._list() == {"7": 0}
        on.wecom.garble_answer(1, b'{"errcode":0,"group_chat":{"chat_id":"x","member_list":[{"type":"?"}]}}', path=GET)
        assert await on.channel._ask(group) is None


async def test_fourth_reminder_of_a_day_is_refused_by_the_platform() -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("一群", "zhang", tells=False)
        handed = await on.channel.hand(on.post(group))
        for _ in range(on.channel.abilities.reminders_a_day):
            await on.channel.remind(handed.external_id)
        with pytest.raises(TryLater):
            await on.channel.remind(handed.external_id)
        on.watch.at += 24 * 3600
        await on.channel.remind(handed.external_id)
        assert len(on.wecom.groups.tasks[0].reminded_at) == 4


async def test_withdrawn_task_cannot_be_sent() -> None:
    async with on_wecom() as on:
        group = on.wecom.add_group("一群", "zhang", tells=False)
        handed = await on.channel.hand(on.post(group))
        await on.channel.withdraw(handed.external_id)
        await on.channel.withdraw(handed.external_id)
        with pytest.raises(StopIteration):
            on.wecom.groups.confirm("zhang")
        assert await on.channel.look(handed.external_id, on.post(group)) == Progress(False)


async def test_welcome_is_made_once_and_then_changed() -> None:
    async with on_wecom() as on:
        key = await on.channel.keep_welcome(None, "欢迎来到第一网格", "https://work.weixin.qq.com/kfid/x")
        assert await on.channel.keep_welcome(key, "欢迎来到第二网格", "https://work.weixin.qq.com/kfid/x") == key
        (welcome,) = on.wecom.groups.welcomes.values()
        assert (welcome["text"], welcome["link"]["title"], welcome["link"]["url"]) == (
            {"content": "欢迎来到第二网格"}, "有事找社区", "https://work.weixin.qq.com/kfid/x",
        )  # fmt: skip
        with pytest.raises(Rejected):
            await on.channel.keep_welcome("gone", "欢迎", "https://work.weixin.qq.com/kfid/x")
        with pytest.raises(Rejected):
            await on.channel.keep_welcome(None, "水" * 1001, "https://work.weixin.qq.com/kfid/x")


async def test_check_says_what_is_missing() -> None:
    async with on_wecom() as on:
        assert await on.channel.check() == [Finding(True, "客户群可以读取；公告由群主在企业微信里点“发送”")]
        on.wecom.wire.refused_paths[LIST] = 48002
        (found,) = await on.channel.check()
        assert (found.is_well, found.about) == (False, "客户群：应用没有这个接口的权限（48002）")
        assert "可调用接口的应用" in found.advice
        on.wecom.wire.refused_paths[LIST] = 81017
        (found,) = await on.channel.check()
        assert (found.about, "缩小" in found.advice) == ("客户群：应用可见范围里的群主太多（81017）", True)


async def test_channel_says_nothing_by_itself() -> None:
    async with on_wecom() as on:
        channel: Channel = on.channel
        assert isinstance(channel, Handing)
        assert channel.abilities.start_link == "https://work.weixin.qq.com/kfid/x?scene_param={payload}"
        assert await channel.take_hook({}, b"") == 404
        assert repr(channel) == f"CustomerGroupChannel({CORP})"
