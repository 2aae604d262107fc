"""Everything we send, as it stands on the platform afterwards, and how each refusal reads."""

import socket
from pathlib import Path

import pytest

from bot.channels.telegram import Pace
from core.errors import Migrated, Rejected, TryLater, Undeliverable, Unknown
from core.messages import AttachmentKind, Button, OutgoingAction, Sent, StoredFile
from tests.bot.channels.telegram_stage import JPEG, rows, stage
from tests.emulators.telegram import FloodLimits, PostedButton
from tests.emulators.telegram_limits import Rate


@pytest.fixture
def picture(tmp_path: Path) -> StoredFile:
    path = tmp_path / "3f2a"
    path.write_bytes(JPEG)
    return StoredFile(str(path), AttachmentKind.PHOTO, "image/jpeg", "现场.jpg")


def other(picture: StoredFile, kind: AttachmentKind) -> StoredFile:
    return StoredFile(picture.path, kind, "application/octet-stream", "名单.xlsx")


async def test_text_goes_with_buttons_as_a_reply() -> None:
    async with stage(listens=False) as on:
        wang = on.telegram.add_user("王阿姨")
        group = on.telegram.add_group("阳光小区", [wang])
        said = on.telegram.say(wang, group, "井盖坏了")
        buttons = ((Button("撤销", "k-1"), Button("查看", url="https://a.example/x")),)
        sent = await on.channel.send(on.outgoing(group, "已登记 <b>7</b> *号*", buttons=buttons, reply_to=str(said)))
        (post,) = on.telegram.posts(group)
        assert sent == Sent(str(post.id))
        assert (post.text, post.reply_to) == ("已登记 <b>7</b> *号*", said)
        assert post.buttons == ((PostedButton("撤销", "k-1"), PostedButton("查看", url="https://a.example/x")),)


async def test_reply_to_a_vanished_message_goes_without_it() -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, "已登记", reply_to="99"))
        assert [(post.text, post.reply_to) for post in on.telegram.posts(group)] == [("已登记", None)]


@pytest.mark.parametrize("is_general", [True, False])
async def test_topic_is_named_except_general(is_general: bool) -> None:
    async with stage(listens=False) as on:
        wang = on.telegram.add_user("王阿姨")
        forum = on.telegram.add_group("论坛", [wang], is_forum=True)
        topic = on.telegram.add_topic(forum, "报修", wang)
        await on.channel.send(on.outgoing(forum, "好", thread="1" if is_general else str(topic)))
        assert [post.thread for post in on.telegram.posts(forum)] == [None if is_general else topic]


async def test_photo_carries_caption_and_buttons(picture: StoredFile) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        sent = await on.channel.send(on.outgoing(group, "现场", files=(picture,), buttons=rows("接单")))
        (post,) = on.telegram.posts(group)
        assert (post.kind, post.text, post.files) == ("photo", "现场", (JPEG,))
        assert [button.text for button in post.all_buttons] == ["接单"]
        edit = on.outgoing(group, "已接单", action=OutgoingAction.EDIT, message_id=sent.external_id, keep=sent.keep)
        await on.channel.send(edit)
        assert [(post.text, post.buttons) for post in on.telegram.posts(group)] == [("已接单", ())]


@pytest.mark.parametrize("kind", [AttachmentKind.VIDEO, AttachmentKind.VOICE, AttachmentKind.FILE])
async def test_other_files_go_as_what_they_are(picture: StoredFile, kind: AttachmentKind) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, "见附件", files=(other(picture, kind),)))
        shown = {AttachmentKind.FILE: "document"}.get(kind, kind.value)
        assert [(post.kind, post.text) for post in on.telegram.posts(group)] == [(shown, "见附件")]


async def test_album_carries_its_caption(picture: StoredFile) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        video = other(picture, AttachmentKind.VIDEO)
        sent = await on.channel.send(on.outgoing(group, "前后对比", files=(picture, video, picture)))
        posts = on.telegram.posts(group)
        assert [(post.kind, post.text) for post in posts] == [("photo", "前后对比"), ("video", ""), ("photo", "")]
        assert len({post.album_id for post in posts}) == 1
        assert sent == Sent(str(posts[0].id), {"caption": "1", "ids": ",".join(str(post.id) for post in posts)})
        edit = on.outgoing(group, "完工", action=OutgoingAction.EDIT, message_id=sent.external_id, keep=sent.keep)
        await on.channel.send(edit)
        assert [post.text for post in on.telegram.posts(group)] == ["完工", "", ""]


async def test_album_with_buttons_is_followed_by_the_text(picture: StoredFile) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        sent = await on.channel.send(on.outgoing(group, "请处理", files=(picture, picture), buttons=rows("接单")))
        posts = on.telegram.posts(group)
        assert [(post.kind, post.text, len(post.all_buttons)) for post in posts] == [
            ("photo", "", 0),
            ("photo", "", 0),
            ("text", "请处理", 1),
        ]
        assert sent.external_id == str(posts[-1].id)
        gone = on.outgoing(group, action=OutgoingAction.DELETE, message_id=sent.external_id, keep=sent.keep)
        await on.channel.send(gone)
        assert on.telegram.posts(group) == []


async def test_eleven_photos_make_two_messages(picture: StoredFile) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, files=(picture,) * 11))
        assert [call.method for call in on.telegram.log] == ["sendMediaGroup", "sendPhoto"]


async def test_long_text_is_split_with_buttons_under_the_last() -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, "路灯不亮了。😀" * 1000, buttons=rows("好")))
        posts = on.telegram.posts(group)
        assert "".join(post.text for post in posts) == "路灯不亮了。😀" * 1000
        assert [len(post.all_buttons) for post in posts] == [0, 1]


async def test_long_caption_follows_its_photo(picture: StoredFile) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, "长" * 1025, files=(picture,)))
        assert [post.kind for post in on.telegram.posts(group)] == ["photo", "text"]


async def test_edit_and_delete_done_twice_are_done() -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        sent = await on.channel.send(on.outgoing(group, "待接单", buttons=rows("接单")))
        edit = on.outgoing(group, "已接单", action=OutgoingAction.EDIT, message_id=sent.external_id)
        assert (await on.channel.send(edit), await on.channel.send(edit)) == (sent, sent)
        assert [(post.text, post.buttons, post.is_edited) for post in on.telegram.posts(group)] == [
            ("已接单", (), True)
        ]
        gone = on.outgoing(group, action=OutgoingAction.DELETE, message_id=sent.external_id)
        assert (await on.channel.send(gone), await on.channel.send(gone)) == (sent, sent)
        with pytest.raises(Rejected, match="not found"):
            await on.channel.send(edit)


async def test_buttons_alone_can_be_edited() -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        sent = await on.channel.send(on.outgoing(group, "满意吗？", buttons=rows("满意", "不满意")))
        edit = on.outgoing(group, action=OutgoingAction.EDIT, message_id=sent.external_id, buttons=rows("重开"))
        await on.channel.send(edit)
        (post,) = on.telegram.posts(group)
        assert (post.text, [button.text for button in post.all_buttons]) == ("满意吗？", ["重开"])


async def test_press_is_answered_and_a_late_answer_is_done() -> None:
    moment = [1795228200.0]
    async with stage(listens=False, emulator={"now": lambda: moment[0]}) as on:
        wang = on.telegram.add_user("王阿姨", started=True)
        private = on.telegram.private(wang)
        sent = await on.channel.send(on.outgoing(private, "满意吗？", buttons=rows("满意")))
        first, second = (on.telegram.press(wang, private, int(sent.external_id or 0), "满意") for _ in range(2))
        await on.channel.send(on.outgoing(private, "谢谢", action=OutgoingAction.ANSWER_PRESS, press_id=first.id))
        moment[0] += 31
        await on.channel.send(on.outgoing(private, "谢谢", action=OutgoingAction.ANSWER_PRESS, press_id=second.id))
        assert [(press.is_answered, press.notice) for press in (first, second)] == [(True, "谢谢"), (False, "")]


@pytest.mark.parametrize("case", ["blocked", "never started", "kicked", "unknown chat", "not an id", "restricted"])
async def test_dead_addresses_are_undeliverable(case: str) -> None:
    async with stage(listens=False) as on:
        wang = on.telegram.add_user("王阿姨", started=case != "never started")
        group = on.telegram.add_group("阳光小区", [wang])
        chat = on.telegram.private(wang) if case in ("blocked", "never started") else group
        if case == "blocked":
            on.telegram.block(wang)
        if case == "kicked":
            on.telegram.kick(group, wang)
        if case == "restricted":
            group.members[on.telegram.bot.id] = "restricted"
        outgoing = on.outgoing(chat, "好")
        if case in ("unknown chat", "not an id"):
            object.__setattr__(outgoing.chat, "external_id", "-77" if case == "unknown chat" else "群")
        with pytest.raises(Undeliverable):
            await on.channel.send(outgoing)


async def test_migrated_group_tells_its_new_id() -> None:
    async with stage(listens=False) as on:
        wang = on.telegram.add_user("王阿姨")
        group = on.telegram.add_group("阳光小区", [wang], is_supergroup=False)
        new = on.telegram.migrate(group, wang)
        with pytest.raises(Migrated) as caught:
            await on.channel.send(on.outgoing(group, "好"))
        assert caught.value.new_chat_id == str(new.id)


@pytest.mark.parametrize("key", ["", "钥" * 22])
async def test_button_key_of_wrong_length_is_rejected_unsent(key: str) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        with pytest.raises(Rejected):
            await on.channel.send(on.outgoing(group, "好", buttons=((Button("好", key),),)))
        assert on.telegram.log == []


async def test_nothing_half_a_character_and_lost_files_are_rejected(picture: StoredFile) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        Path(picture.path).unlink()
        for outgoing in (
            on.outgoing(group, "  "),
            on.outgoing(group, "半\ud83d"),
            on.outgoing(group, files=(picture,)),
        ):
            with pytest.raises(Rejected):
                await on.channel.send(outgoing)


async def test_flood_control_holds_the_whole_account() -> None:
    limits = FloodLimits(account=None, chat=None, group=Rate(1, 60))
    async with stage(listens=False, emulator={"limits": limits, "now": lambda: 1795228200.0}) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, "一"))
        with pytest.raises(TryLater) as caught:
            await on.channel.send(on.outgoing(group, "二"))
        assert (caught.value.seconds, caught.value.whole_account) == (60.0, True)


async def test_short_flood_between_two_halves_is_waited_out() -> None:
    async with stage(listens=False, emulator={"limits": FloodLimits(account=None, group=None)}) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, "路灯不亮。" * 1000))
        assert [call.status for call in on.telegram.calls("sendMessage")] == [200, 429, 200]


async def test_halves_keep_to_one_a_second() -> None:
    async with stage(listens=False, emulator={"limits": FloodLimits()}, pace=Pace()) as on:
        group = on.telegram.add_group("阳光小区")
        await on.channel.send(on.outgoing(group, "路灯不亮。" * 1000))
        assert [call.status for call in on.telegram.calls("sendMessage")] == [200, 200]


async def test_failure_after_the_first_half_is_unknown() -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        on.telegram.fail_next(1, 403, after=1)
        with pytest.raises(Unknown, match="1 messages went out"):
            await on.channel.send(on.outgoing(group, "路灯不亮。" * 1000))
        assert len(on.telegram.posts(group)) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_server_trouble_leaves_a_send_unknown(status: int) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        on.telegram.fail_next(1, status)
        with pytest.raises(Unknown):
            await on.channel.send(on.outgoing(group, "好"))


async def test_service_unavailable_and_wrong_token_are_for_later() -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        for status, seconds, whole_account in ((503, 5.0, False), (409, 5.0, False), (401, 60.0, True)):
            on.telegram.fail_next(1, status)
            with pytest.raises(TryLater) as caught:
                await on.channel.send(on.outgoing(group, "好"))
            assert (caught.value.seconds, caught.value.whole_account) == (seconds, whole_account)
            assert on.telegram.token not in caught.value.reason


async def test_answer_lost_after_the_work_is_unknown_and_done_once() -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        on.telegram.drop_answer_after_work()
        with pytest.raises(Unknown):
            await on.channel.send(on.outgoing(group, "好"))
        assert [post.text for post in on.telegram.posts(group)] == ["好"]


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"ok":true,"result":{"message_id":"?"}}', b'{"ok":true,"result":7}']
)
async def test_answer_nobody_can_read_is_unknown(body: bytes) -> None:
    async with stage(listens=False) as on:
        group = on.telegram.add_group("阳光小区")
        on.telegram.garble_answer(1, body)
        with pytest.raises(Unknown):
            await on.channel.send(on.outgoing(group, "好"))


async def test_answer_too_late_is_unknown() -> None:
    async with stage(listens=False, pace=Pace(0.02, 0.1, 0.1)) as on:
        group = on.telegram.add_group("阳光小区")
        on.telegram.delay_answer(1, 0.4)
        with pytest.raises(Unknown):
            await on.channel.send(on.outgoing(group, "好"))


async def test_platform_out_of_reach_is_for_later() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with stage(listens=False, base_url=address) as on:
            group = on.telegram.add_group("阳光小区")
            with pytest.raises(TryLater):
                await on.channel.send(on.outgoing(group, "好"))


@pytest.mark.parametrize("action", [OutgoingAction.EDIT, OutgoingAction.DELETE, OutgoingAction.ANSWER_PRESS])
async def test_what_may_be_repeated_is_never_unknown(action: OutgoingAction) -> None:
    async with stage(listens=False) as on:
        wang = on.telegram.add_user("王阿姨", started=True)
        private = on.telegram.private(wang)
        sent = await on.channel.send(on.outgoing(private, "一", buttons=rows("好")))
        press = on.telegram.press(wang, private, int(sent.external_id or 0), "好")
        outgoing = on.outgoing(private, "二", action=action, message_id=sent.external_id, press_id=press.id)
        on.telegram.drop_before_work()
        with pytest.raises(TryLater):
            await on.channel.send(outgoing)
        await on.channel.send(outgoing)
        assert [call.status for call in on.telegram.log[1:]] == [0, 200]
