"""The group robot: words and files into one group of staff, who is told of them, and what the platform lets through."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.channels.wecom.robot import CHANNEL, Robot, RobotChannel
from core.errors import LimitReached, Rejected, TryLater, Unknown
from core.messages import Attachment, AttachmentKind, Button, ChatKind, ChatRef, Outgoing, OutgoingAction
from tests.bot.channels.wecom_stage import Ears, Watch, photo_file
from tests.emulators.wecom_robot import KEY, RobotEmulator


@dataclass
class Set:
    wecom: RobotEmulator
    watch: Watch
    channel: RobotChannel
    ears: Ears
    count: int = 0

    def outgoing(self, text: str = "", **rest: object) -> Outgoing:
        self.count += 1
        made: dict[str, object] = {"action": OutgoingAction.SEND, "text": text, **rest}
        chat = ChatRef(self.channel.account, ChatKind.GROUP)
        return Outgoing(str(self.count), CHANNEL, self.channel.account, chat=chat, **made)  # type: ignore[arg-type]


@asynccontextmanager
async def on_robot(*, key: str = KEY, code: str = "", mentions: tuple[str, ...] = ()) -> AsyncIterator[Set]:
    watch, ears = Watch(), Ears()
    async with RobotEmulator(now=watch) as wecom:
        channel = RobotChannel(Robot(key, "社区工作群", code, mentions, wecom.base_url), now=watch)
        await channel.start(ears, ears.bookmarks)
        yield Set(wecom, watch, channel, ears)
        await channel.stop()


async def test_words_are_said_and_who_is_to_know_is_told_once() -> None:
    async with on_robot(mentions=("zhang", "@all")) as there:
        text = "\n".join(f"第 {place} 件：3号楼门口井盖坏了，已超时" for place in range(60))
        await there.channel.send(there.outgoing(text, buttons=((Button("打开", url="https://example.org/a"),),)))
        assert "\n".join(body["content"] for _, body in there.wecom.posts) == f"{text}\n打开：https://example.org/a"
        assert [body.get("mentioned_list") for _, body in there.wecom.posts] == [None, ["zhang", "@all"]]


async def test_buttons_that_nobody_could_press_are_left_out() -> None:
    async with on_robot() as there:
        await there.channel.send(there.outgoing("无人接单", buttons=((Button("接单", "t.0.0"),),)))
        assert there.wecom.posts == [("text", {"content": "无人接单"})]


async def test_small_picture_is_shown_and_a_large_one_goes_as_a_file(tmp_path: Path) -> None:
    async with on_robot() as there:
        small = b"\xff\xd8\xff" + b"x" * 500
        await there.channel.send(there.outgoing("看", files=(photo_file(tmp_path, small),)))
        large = b"\xff\xd8\xff" + bytes(2 * 1024 * 1024)
        await there.channel.send(there.outgoing(files=(photo_file(tmp_path, large),)))
        assert there.wecom.posts == [
            ("image", {"file": small}),
            ("text", {"content": "看"}),
            ("file", {"file": large}),
        ]
        (tmp_path / "photo").unlink()
        with pytest.raises(Rejected):
            await there.channel.send(there.outgoing(files=(photo_file(tmp_path, b"12"),)))


async def test_twenty_a_minute_and_no_more() -> None:
    async with on_robot() as there:
        for place in range(20):
            await there.channel.send(there.outgoing(f"第 {place} 条"))
        with pytest.raises(LimitReached) as later:
            await there.channel.send(there.outgoing("再一条"))
        assert (later.value.seconds, later.value.whole_account) == (60, True)
        there.watch.at += 60
        await there.channel.send(there.outgoing("再一条"))
        assert (len(there.wecom.posts), set(there.wecom.codes)) == (21, {0})


@pytest.mark.parametrize(
    ("code", "expected", "whole"),
    [(45009, TryLater, True), (-1, TryLater, False), (45002, Rejected, None), (60111, Rejected, None)],
)
async def test_refusal_becomes_what_the_sender_understands(
    code: int, expected: type[Exception], whole: bool | None
) -> None:
    async with on_robot() as there:
        there.wecom.refusals = [code]
        with pytest.raises(expected) as refused:
            await there.channel.send(there.outgoing("一"))
        assert getattr(refused.value, "whole_account", None) is whole


async def test_lost_answer_is_unknown_and_nobody_there_is_later(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with on_robot() as there:
        there.wecom.is_answer_lost = True
        with pytest.raises(Unknown):
            await there.channel.send(there.outgoing("一"))
    with pytest.raises(TryLater):
        await there.channel.send(there.outgoing("二"))
    await there.channel.stop()
    assert len(there.wecom.posts) == 1
    assert KEY not in caplog.text


async def test_wrong_key_is_told_without_it() -> None:
    async with on_robot(key="another-key") as there:
        with pytest.raises(TryLater) as later:
            await there.channel.send(there.outgoing("一"))
        assert later.value.whole_account
        shown = later.value.reason + repr(there.channel) + there.channel.account
        assert "another-key" not in shown


async def test_code_that_binds_the_group_is_said_once() -> None:
    async with on_robot(code="ABCD2345") as there:
        (said,) = there.ears.heard
        assert (said.text, said.chat.kind, said.chat.title) == ("绑定 ABCD2345", ChatKind.GROUP, "社区工作群")
        again = RobotChannel(Robot(KEY, "社区工作群", "ABCD2345"), now=there.watch)
        ears = Ears()
        await again.start(ears, there.ears.bookmarks)
        assert (ears.deliveries, "ABCD2345" in repr(there.ears.bookmarks)) == ([], False)


async def test_it_hears_nothing_and_changes_nothing() -> None:
    async with on_robot() as there:
        sent = await there.channel.send(there.outgoing("已派单"))
        edit = {"action": OutgoingAction.EDIT, "message_id": sent.external_id, "keep": sent.keep}
        await there.channel.send(there.outgoing("已派单", **edit))
        await there.channel.send(there.outgoing("已接单", **edit))
        await there.channel.send(there.outgoing(action=OutgoingAction.ANSWER_PRESS, press_id="p"))
        assert [body["content"] for _, body in there.wecom.posts] == ["已派单", "已接单"]
        for refused in (there.outgoing(action=OutgoingAction.DELETE, message_id="r1"), there.outgoing("  ")):
            with pytest.raises(Rejected):
                await there.channel.send(refused)
        with pytest.raises(Rejected):
            await there.channel.fetch(Attachment(AttachmentKind.PHOTO, "x"), most=10)
        assert (await there.channel.take_hook({}, b""), there.ears.heard) == (404, [])
        assert [one.is_well for one in await there.channel.check()] == [True]
