"""The AI bot on its long connection: what it hears, how it answers, and what happens when the line breaks or is taken over."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Finding
from bot.channels.wecom.aibot import AibotChannel, Bot
from bot.channels.wecom.aibot_line import LINE, written
from bot.channels.wecom.aibot_socket import Line
from core.errors import LimitReached, Rejected, TryLater, Unknown
from core.messages import AttachmentKind, Button, ChatKind, IncomingKind, OutgoingAction
from tests.bot.channels.aibot_stage import ACCEPT, CALM, CARD, GROUP, QUICK, RETURN, on_aibot
from tests.bot.channels.wecom_stage import Ears, photo_file
from tests.emulators.wecom_aibot import BOT, NAME, SECRET

PHOTO = b"\xff\xd8\xff" + b"a photo" * 20


async def test_message_of_a_group_is_heard_without_the_name_that_called() -> None:
    async with on_aibot() as there:
        msgid = there.wecom.say("zhang", GROUP, "3号楼门口井盖坏了")
        await there.settled()
        (heard,) = there.ears.heard
        assert (heard.kind, heard.text, heard.is_addressed) == (IncomingKind.MESSAGE, "3号楼门口井盖坏了", True)
        assert (heard.chat.external_id, heard.chat.kind) == (GROUP, ChatKind.GROUP)
        assert (heard.external_id, heard.message_id) == (msgid, msgid)
        assert heard.sender is not None
        assert heard.sender.external_id == "zhang"


async def test_quoted_photo_belongs_to_what_is_said_about_it_and_is_decrypted() -> None:
    async with on_aibot() as there:
        there.wecom.say("li", GROUP, "这里的井盖坏了", quote=there.wecom.quoted_photo(PHOTO))
        there.wecom.say("zhang", "zhang", "还有这两张", photos=[PHOTO, PHOTO + b"2"])
        there.wecom.send_image("zhang", PHOTO)
        await there.settled()
        files = [[await there.channel.fetch(file, most=10_000) for file in one.attachments] for one in there.ears.heard]
        assert files == [[PHOTO], [PHOTO, PHOTO + b"2"], [PHOTO]]
        (file,) = there.ears.heard[0].attachments
        assert file.kind is AttachmentKind.PHOTO
        assert file.fetch_before is not None
        assert file.fetch_before.timestamp() == there.watch.at + 300
        with pytest.raises(Rejected, match="more than 20 bytes"):
            await there.channel.fetch(file, most=20)
        there.watch.at += 301
        with pytest.raises(Rejected, match="gone"):
            await there.channel.fetch(file, most=10_000)


async def test_answer_in_a_group_quotes_the_message_and_later_words_are_pushed() -> None:
    async with on_aibot() as there:
        msgid = there.wecom.say("zhang", GROUP, "3号楼门口井盖坏了")
        await there.settled()
        await there.channel.send(there.outgoing("已登记 *BX-1*", GROUP, reply_to=msgid))
        await there.channel.send(there.outgoing("张网格员已接单", GROUP, reply_to=msgid))
        assert [(post.kind, post.text, post.answers) for post in there.wecom.posts(GROUP)] == [
            ("stream", "已登记 ＊BX-1＊", msgid),
            ("markdown", "张网格员已接单", None),
        ]


async def test_card_is_pushed_to_a_person_changed_after_a_click_and_said_anew_later() -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "任务")
        await there.settled()
        sent = await there.channel.send(there.outgoing(CARD, buttons=((ACCEPT, RETURN),)))
        (card,) = there.wecom.posts("zhang")
        assert (card.id, card.text.splitlines()[0]) == (sent.external_id, "【报事】BX-20261121-0001")
        there.wecom.press("zhang", "zhang", card.id, "接单")
        await there.settled()
        press = there.ears.heard[-1]
        assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, "token.0.0", card.id)
        edit: dict[str, Any] = {"action": OutgoingAction.EDIT, "message_id": card.id, "keep": sent.keep}
        accepted = CARD.replace("已派单", "已接单")
        changed = await there.channel.send(there.outgoing(accepted, buttons=((Button("办结", "t.0.0"),),), **edit))
        assert changed.external_id == card.id
        (card,) = there.wecom.posts("zhang")
        assert ("状态：已接单" in card.text, [words for words, _ in card.buttons]) == (True, ["办结"])
        anew = await there.channel.send(
            there.outgoing(CARD.replace("已派单", "已办结"), **(edit | {"keep": changed.keep}))
        )
        assert (len(there.wecom.posts("zhang")), anew.external_id != card.id) == (2, True)


async def test_card_without_buttons_left_shows_that_and_a_press_of_it_is_nothing() -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "任务")
        sent = await there.channel.send(there.outgoing(CARD, buttons=((ACCEPT,),)))
        card = str(sent.external_id)
        there.wecom.press("zhang", "zhang", card, "接单")
        await there.settled()
        await there.channel.send(
            there.outgoing(
                CARD.replace("已派单", "已销单"), action=OutgoingAction.EDIT, message_id=card, keep=sent.keep
            )
        )
        assert [words for words, _ in there.wecom.posts("zhang")[0].buttons] == ["已更新"]
        count = len(there.ears.heard)
        there.wecom.press("zhang", "zhang", card, "已更新")
        await there.wecom.until(lambda: there.channel.heard == there.wecom.told)
        assert len(there.ears.heard) == count


async def test_buttons_in_a_group_are_a_card_in_answer_and_words_with_a_number_otherwise() -> None:
    async with on_aibot() as there:
        msgid = there.wecom.say("li", GROUP, "3号楼门口井盖坏了")
        await there.settled()
        rows = ((Button("满意", "tok.0.0"), Button("不满意", "tok.0.1")),)
        await there.channel.send(there.outgoing("已登记", GROUP, reply_to=msgid, buttons=rows))
        first = await there.channel.send(there.outgoing("请问您满意吗？", GROUP, reply_to=msgid, buttons=rows))
        await there.channel.send(there.outgoing("这件呢？", GROUP, buttons=((Button("满意", "other.0.0"),),)))
        assert [(post.kind, post.text) for post in there.wecom.posts(GROUP)] == [
            ("template_card", "已登记"),
            ("markdown", "请问您满意吗？\n请 @我 回复 “满意 1” 或 “不满意 1”。"),
            ("markdown", "这件呢？\n请 @我 回复 “满意 2”。"),
        ]
        there.wecom.say("li", GROUP, "不满意1")
        there.wecom.say("li", GROUP, "满意 7")
        await there.settled()
        press, words = there.ears.heard[-2:]
        assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, "tok.0.1", first.external_id)
        assert (words.kind, words.text) == (IncomingKind.MESSAGE, "满意 7")
        kept = dict(there.ears.bookmarks)
    async with on_aibot(bookmarks=kept) as again:
        again.wecom.say("li", GROUP, "“满意 2”。")
        await again.settled()
        assert [one.button for one in again.ears.heard] == ["other.0.0"]


async def test_who_comes_in_is_welcomed_at_once_or_not_at_all() -> None:
    async with on_aibot() as there:
        there.wecom.enter("zhang")
        await there.settled()
        assert [(one.kind, one.message_id is not None) for one in there.ears.heard] == [
            (IncomingKind.BOT_STARTED, True)
        ]
        await there.channel.send(there.outgoing("您好"))
        assert [(post.kind, post.text) for post in there.wecom.posts("zhang")] == [("text", "您好")]
        there.wecom.enter("zhang")
        await there.settled()
        there.watch.at += 5
        with pytest.raises(Rejected):
            await there.channel.send(there.outgoing("您好"))


async def test_files_go_up_in_pieces_before_the_words(tmp_path: Path) -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "任务")
        body = b"\xff\xd8\xff" + bytes(1_200_000)
        file = photo_file(tmp_path, body)
        await there.channel.send(there.outgoing("办好了", files=(file,)))
        assert [(post.kind, post.text, post.files) for post in there.wecom.posts("zhang")] == [
            ("image", "", (body,)),
            ("markdown", "办好了", ()),
        ]
        assert len(there.wecom.lines.asked("aibot_upload_media_chunk")) == 3
        large = photo_file(tmp_path, b"\xff\xd8\xff" + bytes(3_000_000))
        await there.channel.send(there.outgoing(files=(large,)))
        assert there.wecom.posts("zhang")[-1].kind == "file"


async def test_conversation_gets_no_more_than_the_platform_lets_through() -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "任务")
        for place in range(30):
            await there.channel.send(there.outgoing(f"第 {place} 条"))
        with pytest.raises(LimitReached) as later:
            await there.channel.send(there.outgoing("再一条"))
        assert later.value.seconds == 60
        there.watch.at += 60
        await there.channel.send(there.outgoing("再一条"))
        assert len(there.wecom.posts("zhang")) == 31
        assert {code for _, _, _, code in there.wecom.lines.log} == {0}


async def test_long_text_goes_out_in_parts_that_fit() -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "任务")
        text = "\n".join(f"{place}、" + "*" * 200 for place in range(100))
        await there.channel.send(there.outgoing(text))
        assert "\n".join(there.wecom.texts("zhang")) == text.replace("*", "＊")
        assert len(there.wecom.posts("zhang")) > 1


async def test_page_behind_a_button_stands_as_an_address() -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "登录")
        url = "https://example.org/sign-in/a_b_*c"
        await there.channel.send(there.outgoing("请点：", buttons=((Button("打开", url=url),),)))
        assert there.wecom.texts("zhang") == [f"请点：\n打开：{url}"]


async def test_broken_line_is_made_again_and_nothing_answers_to_old_messages() -> None:
    async with on_aibot() as there:
        msgid = there.wecom.say("li", GROUP, "3号楼门口井盖坏了")
        await there.settled()
        there.wecom.lines.drop()
        await there.wecom.until(lambda: there.wecom.lines.subscribed == 2)
        await there.channel.send(there.outgoing("已登记", GROUP, reply_to=msgid))
        assert [(post.kind, post.answers) for post in there.wecom.posts(GROUP)] == [("markdown", None)]


async def test_lost_answer_is_unknown_and_a_line_that_breaks_in_mid_question_too() -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "任务")
        there.wecom.lines.swallowed = 2
        with pytest.raises(Unknown, match="no answer"):
            await there.channel.send(there.outgoing("一"))
        sending = asyncio.create_task(there.channel.send(there.outgoing("二")))
        await there.wecom.until(lambda: len(there.wecom.posts("zhang")) == 2)
        there.wecom.lines.drop()
        with pytest.raises(Unknown, match="broke"):
            await sending
        await there.channel.send(there.outgoing("三"))
        assert there.wecom.texts("zhang") == ["一", "二", "三"]


async def test_line_that_answers_no_heartbeat_is_given_up() -> None:
    async with on_aibot(pace=QUICK) as there:
        await there.wecom.until(lambda: sum(cmd == "ping" for cmd, _, _, _ in there.wecom.lines.log) > 1)
        assert there.wecom.lines.subscribed == 1
        there.wecom.lines.is_mute = True
        await there.wecom.until(lambda: there.wecom.lines.subscribed > 1)


async def test_second_program_takes_over_and_the_first_does_not_fight() -> None:
    async with on_aibot() as there:
        second = AibotChannel(Bot(BOT, SECRET, NAME, there.wecom.url), now=there.watch, pace=CALM)
        ears = Ears()
        await second.start(ears, {})
        await there.wecom.until(lambda: there.wecom.lines.subscribed == 2)
        there.wecom.say("zhang", "zhang", "任务")
        await there.wecom.until(lambda: ears.heard)
        await asyncio.sleep(0.1)
        assert (there.ears.heard, there.wecom.lines.subscribed) == ([], 2)
        with pytest.raises(TryLater) as later:
            await there.channel.send(there.outgoing("您好"))
        assert later.value.whole_account
        (found,) = await there.channel.check()
        assert (found.is_well, found.about) == (False, "企业微信智能机器人：连接被另一个程序接管")
        assert [one.is_well for one in await second.check()] == [True]
        await second.stop()


async def test_wrong_secret_is_tried_five_times_and_told() -> None:
    async with on_aibot() as there:
        wrong = AibotChannel(Bot(BOT, "wrong", NAME, there.wecom.url), now=there.watch, pace=CALM)
        await wrong.start(Ears(), {})
        tries = [code for cmd, _, body, code in there.wecom.lines.log if body.get("secret") == "wrong"]
        assert tries == [40001] * 5
        (found,) = await wrong.check()
        assert (found.is_well, found.about) == (False, "企业微信智能机器人：ID 或 Secret 不对（40001）")
        with pytest.raises(TryLater) as later:
            await wrong.send(there.outgoing("您好"))
        assert (later.value.whole_account, "wrong" in later.value.reason) == (True, False)
        await wrong.stop()
        assert there.wecom.lines.subscribed == 1


async def test_what_cannot_be_stored_is_kept_and_doubles_are_known_by_their_id() -> None:
    async with on_aibot() as there:
        there.ears.is_deaf = True
        there.wecom.lines.copies = 2
        first = there.wecom.say("zhang", "zhang", "一")
        second = there.wecom.say("zhang", "zhang", "二")
        await there.wecom.until(lambda: there.channel.heard == 3)
        assert there.ears.heard == []
        there.ears.is_deaf = False
        await there.settled()
        assert list(dict.fromkeys((one.external_id, one.text) for one in there.ears.heard)) == [
            (first, "一"),
            (second, "二"),
        ]


async def test_process_that_does_not_listen_leaves_the_line_alone() -> None:
    async with on_aibot() as there:
        other = AibotChannel(Bot(BOT, SECRET, NAME, there.wecom.url), now=there.watch, pace=CALM)
        await other.start(Ears(), {}, listens=False)
        with pytest.raises(TryLater):
            await other.send(there.outgoing("您好"))
        await other.stop()
        assert there.wecom.lines.subscribed == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [(45009, LimitReached), (-1, TryLater), (40003, Rejected), (85002, Rejected), (846609, TryLater)],
)
async def test_refusal_becomes_what_the_sender_understands(code: int, expected: type[Exception]) -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", GROUP, "在吗")
        await there.settled()
        there.wecom.lines.refuse_next("aibot_send_msg", code)
        with pytest.raises(expected):
            await there.channel.send(there.outgoing("您好", GROUP))


async def test_vote_of_the_bot_is_chosen_and_read_like_a_button() -> None:
    async with on_aibot() as there:
        there.wecom.say("zhang", "zhang", "任务")
        await there.settled()
        choices = tuple((Button(words, f"token.{place}.0"),) for place, words in enumerate("甲乙丙丁戊己庚"))
        sent = await there.channel.send(there.outgoing("为什么退单？", buttons=choices))
        card = there.wecom.posts("zhang")[-1]
        assert (card.body["card_type"], [words for words, _ in card.buttons]) == (
            "vote_interaction",
            list("甲乙丙丁戊己庚"),
        )
        there.wecom.press("zhang", "zhang", card.id, "丙")
        await there.settled()
        press = there.ears.heard[-1]
        assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, "token.2.0", sent.external_id)


async def test_check_beside_the_running_program_pushes_nobody_out() -> None:
    """It goes by what the program wrote down, and tries the secret itself only where no program of ours can have the bot."""
    async with on_aibot() as there:

        async def checked(secret: str, bookmarks: dict[str, str]) -> Finding:
            asked = AibotChannel(Bot(BOT, secret, NAME, there.wecom.url), pace=CALM)
            asked.recall(bookmarks)
            (found,) = await asked.check()
            return found

        await there.wecom.until(lambda: LINE in there.ears.bookmarks)
        kept = dict(there.ears.bookmarks)
        assert SECRET not in kept[LINE]
        assert await checked(SECRET, kept) == Finding(True, "企业微信智能机器人上次连接成功，ID 和 Secret 正确")
        changed = await checked("another", kept)
        assert (changed.is_well, changed.about) == (True, "企业微信智能机器人的 ID 或 Secret 换过")
        assert there.wecom.lines.subscribed == 1
        refused = {LINE: written(Line.REFUSED, 40001, BOT, "wrong").value}
        wrong = "企业微信智能机器人：ID 或 Secret 不对（40001）"
        assert [(await checked("wrong", one)).about for one in (refused, {})] == [wrong, wrong]
        taken = {LINE: written(Line.TAKEN, 0, BOT, SECRET).value}
        assert (await checked(SECRET, taken)).about == "企业微信智能机器人：连接被另一个程序接管"
        assert there.wecom.lines.subscribed == 1
        await there.channel.stop()
        assert await checked(SECRET, refused) == Finding(True, "企业微信智能机器人的 ID 和 Secret 正确")
        assert [there.wecom.lines.subscribed, there.wecom.lines.is_connected] == [2, False]
    gone = AibotChannel(Bot(BOT, SECRET, NAME, there.wecom.url), pace=replace(CALM, line_within=0.2))
    assert [one.about for one in await gone.check()] == ["企业微信智能机器人：没有连上"]


async def test_nothing_said_can_be_taken_back() -> None:
    async with on_aibot() as there:
        with pytest.raises(Rejected):
            await there.channel.send(there.outgoing(action=OutgoingAction.DELETE, message_id="w1"))


async def test_secret_and_keys_are_in_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with on_aibot() as there:
        there.wecom.send_image("zhang", PHOTO)
        await there.settled()
        (file,) = there.ears.heard[0].attachments
        await there.channel.fetch(file, most=10_000)
        shown = caplog.text + repr(there.channel) + repr(there.channel.abilities)
        assert [one for one in (SECRET, *file.external_id.split(" ")) if one in shown] == []


async def test_answer_that_must_wait_is_still_an_answer() -> None:
    async with on_aibot() as there:
        msgid = there.wecom.say("zhang", GROUP, "任务")
        await there.settled()
        for place in range(30):
            await there.channel.send(there.outgoing(f"第 {place} 条", GROUP))
        answer = there.outgoing("您手上没有待办的事。", GROUP, reply_to=msgid)
        with pytest.raises(TryLater):
            await there.channel.send(answer)
        there.watch.at += 60
        await there.channel.send(answer)
        assert there.wecom.posts(GROUP)[-1].answers == msgid
