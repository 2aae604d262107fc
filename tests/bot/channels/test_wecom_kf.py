"""微信客服 on the strict emulator: reading by cursor through falls and faults, the welcome, and five messages in 48 hours."""

from pathlib import Path

import pytest

from bot.channels.wecom.kf import CURSOR, PAGE
from core.errors import Closed, Rejected, TryLater, Undeliverable, Unknown
from core.messages import AttachmentKind, Button, IncomingKind, Outgoing, OutgoingAction
from tests.bot.channels.wecom_stage import Set, kf_channel, on_wecom, photo_file
from tests.emulators.wecom import CORP, OPEN_KFID

YES, NO = Button("满意", "token.0.0"), Button("不满意", "token.0.1")
JPEG = b"\xff\xd8\xff" + b"x" * 100
STREAM = f"{CURSOR}{OPEN_KFID}"


def words(on: Set) -> list[str]:
    return [one.text for one in on.ears.heard]


async def test_words_and_files_of_residents_are_heard() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "3号楼门口井盖坏了")
        on.wecom.kf_send_image(wang, JPEG)
        on.wecom._kf_speak(
            wang, "location", {"name": "春晖园", "address": "3号楼", "latitude": 30.6, "longitude": 104.0}
        )
        on.wecom._kf_speak(wang, "link", {"title": "停水通知", "url": "https://example.org/"})
        on.wecom._kf_speak(wang, "miniprogram", {"title": "x"})
        await on.settled()
        assert words(on) == ["3号楼门口井盖坏了", "", "春晖园 3号楼", "停水通知\nhttps://example.org/"]
        first, picture = on.ears.heard[:2]
        assert (first.channel, first.account, first.chat.external_id) == ("wecom_kf", CORP, f"{OPEN_KFID}:{wang}")
        assert first.sender is not None
        assert (first.sender.external_id, first.sender.name) == (wang, "王阿姨")
        (attachment,) = picture.attachments
        assert attachment.kind is AttachmentKind.PHOTO
        assert await on.kf.fetch(attachment, most=1000) == JPEG
        assert on.ears.bookmarks[STREAM] == "c_5"


async def test_what_staff_say_themselves_is_not_heard_and_withdrawals_are() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        said = on.wecom.kf_say(wang, "写错了")
        on.wecom.kf.put(
            OPEN_KFID,
            {
                "open_kfid": OPEN_KFID,
                "external_userid": wang,
                "origin": 5,
                "msgtype": "text",
                "text": {"content": "我来"},
            },
        )
        on.wecom.kf_recall(wang, said)
        await on.settled()
        assert [(one.kind, one.message_id) for one in on.ears.heard] == [
            (IncomingKind.MESSAGE, said),
            (IncomingKind.WITHDRAWAL, said),
        ]


async def test_cursor_is_stored_with_its_messages_and_read_on_after_a_fall() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "一")
        await on.settled()
        on.ears.is_deaf = True
        on.wecom.kf_say(wang, "二")
        await on.until(lambda: len(on.wecom.calls("kf/sync_msg")) > 3)
        assert on.ears.bookmarks == {STREAM: "c_1"}
        await on.kf.stop()
        on.wecom.kf.say(OPEN_KFID, wang, "text", {"content": "三"})  # while nobody listens
        on.ears.is_deaf = False
        on.kf = kf_channel(on.wecom, on.watch)
        await on.kf.start(on.ears, on.ears.bookmarks)
        await on.settled()
        assert words(on) == ["一", "二", "三"]
        assert on.ears.bookmarks == {STREAM: "c_3"}


async def test_first_start_takes_nothing_old_and_nothing_later_for_old() -> None:
    async with on_wecom() as on:
        await on.kf.stop()
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf.page = 2
        for number in range(5):
            on.wecom.kf.say(OPEN_KFID, wang, "text", {"content": f"旧 {number}"})
        on.watch.at += 24 * 3600
        on.ears.bookmarks.clear()
        on.kf = kf_channel(on.wecom, on.watch)
        await on.kf.start(on.ears, {})
        await on.settled()
        assert (words(on), on.ears.bookmarks) == ([], {STREAM: "c_5"})
        await on.kf.stop()
        on.wecom.kf.say(OPEN_KFID, wang, "text", {"content": "夜里"})
        on.watch.at += 12 * 3600
        on.kf = kf_channel(on.wecom, on.watch)
        await on.kf.start(on.ears, on.ears.bookmarks)
        await on.settled()
        assert words(on) == ["夜里"]


async def test_pages_are_read_to_the_end_even_through_empty_ones() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf.page, on.wecom.kf.empty_pages = 3, 2
        for number in range(10):
            on.wecom.kf.say(OPEN_KFID, wang, "text", {"content": str(number)})
        on.wecom.tell()
        await on.settled()
        assert words(on) == [str(number) for number in range(10)]
        assert max(on.ears.deliveries) == 3
        assert PAGE == 1000


async def test_reading_goes_on_after_every_fault() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.fail_next(1, -1, path="kf/sync_msg")
        on.wecom.garble_answer(1, b'{"errcode": 0, "next_cursor": 7}', path="kf/sync_msg")
        on.wecom.drop_answer_after_work(path="kf/sync_msg")
        on.wecom.fail_next(1, 48002, path="kf/customer/batchget")
        on.wecom.kf_say(wang, "一")
        await on.until(lambda: words(on) == ["一"])
        broken = {
            "open_kfid": OPEN_KFID,
            "external_userid": wang,
            "origin": 3,
            "msgtype": "text",
            "text": {"content": 7},
        }
        on.wecom.kf.put(OPEN_KFID, broken)
        on.wecom.kf_say(wang, "二")
        await on.settled()
        assert [(one.kind, one.text) for one in on.ears.heard] == [
            (IncomingKind.MESSAGE, "一"),
            (IncomingKind.UNREADABLE, ""),
            (IncomingKind.MESSAGE, "二"),
        ]
        assert (await on.kf.reread(on.ears.heard[1].raw)) is not None


async def test_burst_of_callbacks_is_pulled_once_each_message() -> None:
    async with on_wecom() as on:
        people = [on.wecom.add_customer(f"居民{number}") for number in range(30)]
        on.wecom.kf_pusher.hold()
        for number, person in enumerate(people):
            on.wecom.kf_say(person, f"第 {number} 件")
        on.wecom.kf_pusher.release(backwards=True)
        await on.settled()
        assert words(on) == [f"第 {number} 件" for number in range(30)]
        assert sum(on.ears.deliveries) == 30


async def test_newcomer_is_welcomed_by_a_code_within_twenty_seconds() -> None:
    async with on_wecom() as on:
        wang, li = on.wecom.add_customer("王阿姨"), on.wecom.add_customer("李叔")
        on.wecom.kf_enter(wang, "area_12")
        on.wecom.kf_enter(li)
        await on.settled()
        assert [(one.kind, one.payload, one.message_id is None) for one in on.ears.heard] == [
            (IncomingKind.BOT_STARTED, "area_12", False),
            (IncomingKind.BOT_STARTED, None, False),
        ]
        await on.kf.send(on.to_customer(wang, "您好，我是五微小助手。"))
        assert on.wecom.texts(wang) == ["您好，我是五微小助手。"]
        assert len(on.wecom.calls("kf/send_msg_on_event")) == 1
        on.watch.at += 25
        with pytest.raises(Closed):
            await on.kf.send(on.to_customer(li, "您好，我是五微小助手。"))
        on.wecom.kf_enter(wang)
        await on.settled()
        assert on.ears.heard[-1].message_id is None, "no second welcome within 48 hours"


async def test_menu_is_pressed_and_its_message_is_named() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "井盖坏了")
        await on.settled()
        link = Button("看进度", url="https://example.org/case")
        sent = await on.kf.send(on.to_customer(wang, "请问您满意吗？", buttons=((YES, NO), (link,))))
        (menu,) = on.wecom.posts(wang)
        assert (menu.text, [label for label, _, _ in menu.buttons]) == ("请问您满意吗？", ["满意", "不满意", "看进度"])
        on.wecom.kf_press(wang, menu.id, "不满意")
        await on.settled()
        press = on.ears.heard[-1]
        assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, NO.key, sent.external_id)
        assert press.text == ""
        for wrong in (Button("x", "k" * 64), Button("x", ""), Button("x", url="h" * 2049)):
            with pytest.raises(Rejected):
                await on.kf.send(on.to_customer(wang, "x", buttons=((wrong,),)))
        with pytest.raises(Rejected):
            await on.kf.send(on.to_customer(wang, "x", buttons=((YES,) * 11,)))


async def test_five_messages_and_then_staff_must_telephone() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "井盖坏了")
        await on.settled()
        for left in (4, 3, 2, 1, 0):
            assert (await on.kf.send(on.to_customer(wang, f"还有 {left} 条"))).spent == 1
            assert on.kf.remaining(f"{OPEN_KFID}:{wang}") == left
        with pytest.raises(Closed, match="请打电话"):
            await on.kf.send(on.to_customer(wang, "第六条"))
        assert len(on.wecom.calls("kf/send_msg")) == 5
        on.wecom.kf_say(wang, "在吗")
        await on.settled()
        await on.kf.send(on.to_customer(wang, "在"))
        on.watch.at += 48 * 3600 + 1
        assert on.kf.remaining(f"{OPEN_KFID}:{wang}") == 0
        with pytest.raises(Closed):
            await on.kf.send(on.to_customer(wang, "两天以后"))


async def test_platform_has_the_last_word_after_a_restart() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        assert on.kf.remaining(f"{OPEN_KFID}:{wang}") is None
        with pytest.raises(Closed, match="95001"):
            await on.kf.send(on.to_customer(wang, "您好"))
        on.wecom.kf_say(wang, "井盖坏了")
        await on.settled()
        for state, is_served in ((3, True), (2, True), (4, False)):
            on.wecom.kf.session(OPEN_KFID, wang).state = state
            with pytest.raises(Closed, match="人工接待") as closed:
                await on.kf.send(on.to_customer(wang, "您好"))
            assert closed.value.is_served == is_served
        with pytest.raises(Undeliverable):
            await on.kf.send(on.outgoing("您好", to="no-kf-chat"))


async def test_edit_is_said_anew_where_its_words_are_new() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "井盖坏了")
        await on.settled()
        sent = await on.kf.send(on.to_customer(wang, "已登记", buttons=((YES,),)))

        def edit(text: str) -> Outgoing:
            return on.to_customer(wang, text, action=OutgoingAction.EDIT, message_id=sent.external_id, keep=sent.keep)

        same = await on.kf.send(edit("已登记"))
        assert same.external_id == sent.external_id, "the same words are not said twice"
        assert (await on.kf.send(edit("已接单"))).external_id != sent.external_id
        assert on.wecom.texts(wang) == ["已登记", "已接单"]
        assert on.kf.remaining(f"{OPEN_KFID}:{wang}") == 3
        with pytest.raises(Rejected):
            await on.kf.send(on.to_customer(wang, action=OutgoingAction.DELETE, message_id=sent.external_id))


async def test_words_go_before_pictures_where_not_all_may(tmp_path: Path) -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "井盖坏了")
        await on.settled()
        for number in range(4):
            await on.kf.send(on.to_customer(wang, str(number)))
        sent = await on.kf.send(
            on.to_customer(wang, "请问您满意吗？", buttons=((YES, NO),), files=(photo_file(tmp_path),))
        )
        menu = on.wecom.posts(wang)[-1]
        assert (menu.kind, menu.id) == ("msgmenu", sent.external_id)
        on.wecom.kf_press(wang, menu.id, "满意")
        await on.settled()
        assert on.ears.heard[-1].message_id == sent.external_id


async def test_long_words_stand_above_their_menu() -> None:
    text = "已登记。" * 100
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "井盖坏了")
        await on.settled()
        sent = await on.kf.send(on.to_customer(wang, text, buttons=((YES,),)))
        assert [(post.kind, post.text == text) for post in on.wecom.posts(wang)] == [("text", True), ("msgmenu", False)]
        assert on.wecom.posts(wang)[-1].id == sent.external_id
        on.wecom.fail_next(1, 45033, path="kf/send_msg", after=1)
        with pytest.raises(Unknown):
            await on.kf.send(on.to_customer(wang, text, buttons=((YES,),)))


@pytest.mark.parametrize(("repeats", "times"), [("refuse", 1), ("send", 2)])
async def test_repeat_after_a_lost_answer(repeats: str, times: int) -> None:
    """What a message id used twice does is not documented: neither way loses anything."""
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "井盖坏了")
        await on.settled()
        on.wecom.kf.repeats = repeats
        on.wecom.drop_answer_after_work(path="kf/send_msg")
        outgoing = on.to_customer(wang, "已登记")
        with pytest.raises(Unknown):
            await on.kf.send(outgoing)
        await on.kf.send(outgoing)
        assert len(on.wecom.posts(wang)) == times


async def test_link_is_made_at_the_start_and_names_what_it_is_about() -> None:
    async with on_wecom() as on:
        await on.until(lambda: on.kf.abilities.start_link)
        assert (
            on.kf.abilities.start_link
            == f"https://work.weixin.qq.com/kfid/{OPEN_KFID}?enc_scene=ENCwuwei&scene_param={{payload}}"
        )
        assert await on.kf.take_hook({}, b"") == 405
        (finding,) = await on.kf.check()
        assert (finding.is_well, finding.about) == (True, "微信客服可以使用：社区小助手")


async def test_both_share_one_address_where_wecom_has_one() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf.say(OPEN_KFID, wang, "text", {"content": "井盖坏了"})
        head = {"ToUserName": CORP, "CreateTime": int(on.watch.at), "MsgType": "event", "Event": "kf_msg_or_event"}
        on.wecom.pusher.push({**head, "Token": on.wecom.kf.new_token(), "OpenKfId": OPEN_KFID})
        await on.settled()
        assert words(on) == ["井盖坏了"]


async def test_nothing_is_pulled_by_a_process_that_only_sends() -> None:
    async with on_wecom() as on:
        await on.kf.stop()
        asked = len(on.wecom.calls("kf/sync_msg"))
        on.kf = kf_channel(on.wecom, on.watch)
        await on.kf.start(on.ears, on.ears.bookmarks, listens=False)
        pushed = on.wecom.tell()
        await on.until(lambda: len(pushed.statuses) == 3)
        assert pushed.statuses == [503, 503, 503]
        assert len(on.wecom.calls("kf/sync_msg")) == asked
        with pytest.raises(TryLater):
            on.wecom.fail_next(1, 45009)
            await on.kf.send(on.to_customer("wm1", "x"))


async def test_session_goes_to_the_pool_is_taken_and_comes_back() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf.servicers.add("lihua")
        on.wecom.kf_say(wang, "转人工")
        await on.settled()
        session = on.wecom.kf.session(OPEN_KFID, wang)
        for _ in range(2):  # asked for twice, done once
            sent = await on.kf.send(on.to_customer(wang, "正在转接", action=OutgoingAction.HAND_OVER))
            assert (session.state, sent.spent) == (2, 0)
        assert on.wecom.texts(wang) == ["正在转接"]
        on.wecom.kf_take(wang, "lihua")
        on.wecom.kf_answer_as_servicer(wang, "您好，我是李华")
        on.wecom.kf_end(wang)
        await on.settled()
        assert [(one.kind, one.payload, one.message_id is None) for one in on.ears.heard[1:]] == [
            (IncomingKind.TAKEN_OVER, "lihua", True),
            (IncomingKind.HANDED_BACK, None, False),
        ]
        sent = await on.kf.send(on.to_customer(wang, "人工接待已结束"))
        assert (on.wecom.texts(wang), sent.spent) == (["正在转接", "人工接待已结束"], 0)
        with pytest.raises(Closed, match="95018"):
            await on.kf.send(on.to_customer(wang, "还有一句"))
        on.wecom.kf_take(wang, "lihua")  # writes into the ended session
        await on.settled()
        assert on.ears.heard[-1].kind is IncomingKind.TAKEN_OVER
        await on.kf.send(on.to_customer(wang, "结束", action=OutgoingAction.HAND_BACK))
        assert (session.state, on.wecom.texts(wang)[-1]) == (4, "结束")
        await on.kf.send(on.to_customer(wang, "结束", action=OutgoingAction.HAND_BACK))
        assert on.wecom.texts(wang).count("结束") == 1


async def test_refusals_of_a_hand_over() -> None:
    async with on_wecom() as on:
        wang = on.wecom.add_customer("王阿姨")
        on.wecom.kf_say(wang, "转人工")
        await on.settled()
        ask = on.to_customer(wang, "正在转接", action=OutgoingAction.HAND_OVER)
        with pytest.raises(Rejected, match="接待人员"):
            await on.kf.send(ask)  # nobody is there to take it
        on.wecom.kf.servicers.add("lihua")
        on.wecom.kf.session(OPEN_KFID, wang).state = 4
        with pytest.raises(Closed, match="再来消息"):
            await on.kf.send(ask)
        on.wecom.kf.session(OPEN_KFID, wang).state = 0
        on.wecom.fail_next(1, -1, path="kf/service_state/trans")
        with pytest.raises(TryLater):
            await on.kf.send(ask)
        on.wecom.drop_answer_after_work(path="kf/service_state/trans")
        with pytest.raises(TryLater):
            await on.kf.send(ask)  # it was done; the answer was lost
        await on.kf.send(ask)
        assert on.wecom.kf.session(OPEN_KFID, wang).state == 2
        on.wecom.kf.session(OPEN_KFID, wang).state = 0
        on.wecom.fail_next(1, 95002, path="kf/send_msg_on_event")
        await on.kf.send(ask)  # that the word about it was refused changes nothing
        assert (on.wecom.kf.session(OPEN_KFID, wang).state, on.wecom.texts(wang)) == (2, [])
