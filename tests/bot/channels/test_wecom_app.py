"""The self-built app on the strict emulator: what is heard, what is said, how a card changes, and what goes wrong."""

import random
from pathlib import Path
from typing import Any

import pytest

from bot.channels.wecom.app import AppChannel, Corp
from bot.channels.wecom.app_reading import to_incoming
from bot.channels.wecom.cards import card_of
from bot.channels.wecom.text import split
from core.errors import LimitReached, Rejected, TryLater, Undeliverable, Unknown
from core.messages import Attachment, AttachmentKind, Button, IncomingKind, OutgoingAction
from tests.bot.channels.wecom_stage import ACCEPT, CARD, RETURN, Set, on_wecom, photo_file
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, TOKEN

JPEG = b"\xff\xd8\xff" + b"x" * 100


async def test_address_proves_itself() -> None:
    async with on_wecom() as on:
        assert await on.wecom.pusher.verify()
        assert await on.wecom.kf_pusher.verify()
        assert (await on.client.get("/hooks/wecom?echostr=x")).status_code == 403
        assert (await on.client.put("/hooks/wecom")).status_code == 405


async def test_words_and_files_of_members_are_heard() -> None:
    async with on_wecom() as on:
        on.wecom.say("zhang", "任务")
        on.wecom.send_image("zhang", JPEG)
        on.wecom.send_voice("zhang", b"#!AMR\n" + b"x" * 20, "门口井盖坏了")
        on.wecom.send_location("zhang", "春晖园3号楼")
        on.wecom.event("zhang", "click", EventKey="/tasks")
        await on.settled()
        heard = {one.text: one for one in on.ears.heard}
        assert set(heard) == {"任务", "", "门口井盖坏了", "春晖园3号楼", "/tasks"}
        assert {one.kind for one in on.ears.heard} == {IncomingKind.MESSAGE}
        first = heard["任务"]
        assert (first.channel, first.account, first.chat.external_id) == ("wecom", f"{CORP}:{AGENT}", "zhang")
        assert first.sender is not None
        assert (first.sender.external_id, first.sender.name, first.is_addressed) == ("zhang", "张伟", True)
        (picture,) = heard[""].attachments
        assert picture.kind is AttachmentKind.PHOTO
        assert await on.app.fetch(picture, most=1000) == JPEG
        with pytest.raises(Rejected):
            await on.app.fetch(Attachment(AttachmentKind.PHOTO, "gone"), most=1000)
        assert len(on.wecom.calls("user/get")) <= 5


async def test_coming_and_going_of_a_member() -> None:
    async with on_wecom() as on:
        for name in ("subscribe", "enter_agent", "unsubscribe", "view", "LOCATION"):
            on.watch.at += 1
            on.wecom.event("zhang", name)
            await on.settled()
        told = [(one.kind, one.message_id is None) for one in on.ears.heard]
        assert told == [
            (IncomingKind.BOT_STARTED, False),
            (IncomingKind.BOT_STARTED, True),
            (IncomingKind.BOT_BLOCKED, True),
        ]


async def test_call_is_repeated_until_it_is_stored_and_worked_once() -> None:
    async with on_wecom() as on:
        on.ears.is_deaf = True
        pushed = on.wecom.say("zhang", "任务")
        await on.until(lambda: pushed.statuses)
        on.ears.is_deaf = False
        await on.settled()
        assert pushed.statuses[-1] == 200
        assert pushed.statuses[0] == 503
        on.wecom.pusher.copies = 3
        again = on.wecom.say("zhang", "登录")
        await on.settled()
        assert again.statuses == [200, 200, 200]
        replayed = await on.client.post(f"/hooks/wecom?{again.query}", content=again.body)
        assert replayed.status_code == 200
        assert [one.text for one in on.ears.heard] == ["任务", "登录"]
        await on.app.stop()
        assert (await on.client.post(f"/hooks/wecom?{pushed.query}", content=pushed.body)).status_code == 200
        late = on.wecom.say("zhang", "帮助")
        await on.settled()
        assert late.statuses == [503, 503, 503]


async def test_hostile_calls_reach_nobody() -> None:
    luck = random.Random(7)
    async with on_wecom() as on:
        pushed = on.wecom.say("zhang", "任务")
        await on.settled()
        for _ in range(300):
            body = bytearray(pushed.body)
            body[luck.randrange(len(body))] ^= 1 << luck.randrange(8)
            query = pushed.query if luck.random() < 0.5 else pushed.query[: luck.randrange(len(pushed.query))]
            answer = await on.client.post(f"/hooks/wecom?{query}", content=bytes(body))
            assert answer.status_code in (403, 200)
        assert (await on.client.post("/hooks/wecom", content=b"x" * 10_000_000)).status_code == 413
        assert [one.text for one in on.ears.heard] == ["任务"]


@pytest.mark.parametrize(
    "xml",
    [
        "<xml><FromUserName>zhang</FromUserName></xml>",
        "<xml><FromUserName>zhang</FromUserName><CreateTime>soon</CreateTime><MsgType>text</MsgType></xml>",
        "<xml><FromUserName>zhang</FromUserName><CreateTime>99999999999</CreateTime><MsgType>text</MsgType><MsgId>1</MsgId></xml>",
        "<xml><FromUserName><a>1</a></FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType></xml>",
        "<xml><FromUserName>zhang</FromUserName><CreateTime>1</CreateTime><MsgType>image</MsgType><MsgId>1</MsgId></xml>",
        "no xml",
    ],
)
async def test_what_cannot_be_read_is_kept_for_replay(xml: str) -> None:
    async with on_wecom() as on:
        incoming = to_incoming(xml, on.app.account, on.app._moment())
        assert incoming is not None
        assert incoming.kind in (IncomingKind.UNREADABLE, IncomingKind.MESSAGE)
        assert incoming.raw == xml
        if incoming.kind is IncomingKind.UNREADABLE:
            assert await on.app.reread(xml) == incoming


async def test_long_text_goes_out_in_parts_of_2048_bytes() -> None:
    text = "。".join(f"第{at}条：楼道不堆物，遛狗要牵绳，垃圾要分类" for at in range(120)) + "😀" * 700
    assert all(len(piece.encode()) <= 2048 for piece in split(text))
    async with on_wecom() as on:
        sent = await on.app.send(on.outgoing(text))
        assert "".join(on.wecom.texts("zhang")) == text
        assert sent.external_id == on.wecom.posts("zhang")[-1].id
        assert sent.keep["ids"].split(",") == [post.id for post in on.wecom.posts("zhang")]


async def test_card_shows_everything_and_comes_back_with_the_press() -> None:
    async with on_wecom() as on:
        sent = await on.app.send(on.outgoing(CARD, buttons=((ACCEPT, RETURN),)))
        (card,) = on.wecom.posts("zhang")
        assert (card.text, card.kind, card.task_id) == (CARD, "template_card", sent.external_id)
        on.wecom.press("zhang", card.id, "接单")
        await on.settled()
        (press,) = on.ears.heard
        assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, ACCEPT.key, sent.external_id)
        assert set(press.keep) == {"code", "until"}
        assert press.press_id


async def test_card_is_changed_by_each_code_once() -> None:
    async with on_wecom() as on:
        sent = await on.app.send(on.outgoing(CARD, buttons=((ACCEPT,),)))
        edit: dict[str, Any] = {"action": OutgoingAction.EDIT, "message_id": sent.external_id}
        changed = await on.app.send(on.outgoing(f"{CARD}！", keep=sent.keep, buttons=((RETURN,),), **edit))
        assert (changed.external_id, changed.keep["code"]) == (sent.external_id, "")
        assert [(post.text, post.task_id) for post in on.wecom.posts("zhang")] == [(f"{CARD}！", sent.external_id)]
        # No code is left: the words are said anew, and the old ones taken back.
        anew = await on.app.send(on.outgoing(f"{CARD}？", keep=changed.keep, buttons=((RETURN,),), **edit))
        assert anew.external_id != sent.external_id
        assert [(post.text, post.task_id) for post in on.wecom.posts("zhang")] == [(f"{CARD}？", anew.external_id)]
        # A click brings a code; three days later it has ended.
        on.wecom.press("zhang", on.wecom.posts("zhang")[0].id, "退单")
        await on.settled()
        keep = {**anew.keep, **on.ears.heard[-1].keep}
        on.watch.at += 73 * 3600
        edit["message_id"] = anew.external_id
        await on.app.send(on.outgoing("已销单", keep=keep, **edit))
        assert [call.code for call in on.wecom.calls("message/update_template_card")] == [0]
        assert on.wecom.texts("zhang") == [f"{CARD}？", "已销单"], "after a day nothing can be taken back"


async def test_answered_card_keeps_its_words_and_loses_its_buttons() -> None:
    async with on_wecom() as on:
        sent = await on.app.send(on.outgoing(CARD, buttons=((ACCEPT,),)))
        edit: dict[str, Any] = {"action": OutgoingAction.EDIT, "message_id": sent.external_id, "keep": sent.keep}
        await on.app.send(on.outgoing(CARD, **edit))
        assert len(on.wecom.posts("zhang")[0].buttons) == 1, "the same words without buttons are not worth the code"
        await on.app.send(on.outgoing(CARD.replace("已派单", "已办结"), **edit))
        (card,) = on.wecom.posts("zhang")
        assert (card.text, card.buttons) == (CARD.replace("已派单", "已办结"), [])


async def test_update_whose_answer_was_lost_leaves_one_card() -> None:
    async with on_wecom() as on:
        sent = await on.app.send(on.outgoing(CARD, buttons=((ACCEPT,),)))
        edit = on.outgoing(
            f"{CARD}！", action=OutgoingAction.EDIT, message_id=sent.external_id, keep=sent.keep, buttons=((RETURN,),)
        )
        on.wecom.drop_answer_after_work(path="message/update_template_card")
        with pytest.raises(TryLater):
            await on.app.send(edit)
        await on.app.send(edit)
        assert on.wecom.texts("zhang") == [f"{CARD}！"]


async def test_words_too_long_for_a_card_go_before_it() -> None:
    words = "，".join(f"第{at}件事" for at in range(60))
    async with on_wecom() as on:
        await on.app.send(on.outgoing(f"【报事】BX-1\n内容：{words}", buttons=((ACCEPT,),)))
        text, card = on.wecom.posts("zhang")
        assert text.text == f"【报事】BX-1\n内容：{words}"
        assert (card.kind, card.body["main_title"]["title"], len(card.text)) == ("template_card", "【报事】BX-1", 121)


@pytest.mark.parametrize(
    "text", ["", "一行", "长" * 300, "\n".join(f"键{at}：值" for at in range(9)), "位置：\n：x\n键 名：y"]
)
def test_every_text_makes_a_card_that_is_taken(text: str) -> None:
    from tests.emulators import wecom_checks

    for buttons in ((), ((ACCEPT, Button("看照片", url="https://example.org/")),)):
        wecom_checks.card(card_of(text, buttons, "w1-a").body, is_update=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("【停水通知】\n明天 9 点到 12 点停水。", "**【停水通知】**\n明天 9 点到 12 点停水。"),
        ("【停水通知】", ""),
        ("停水通知\n明天停水。", ""),
        ("【停水通知】明天停水\n请蓄水。", ""),
        ("【价格】\n3*4 米的伞", ""),
        ("【安排】\n1. 上午\n2. 下午", ""),
        ("【网址】\n看 <a href='x'>这里</a>", ""),
        ("【长】\n" + "长" * 700, ""),
    ],
)
async def test_notice_has_a_heading_where_it_is_switched_on_and_the_words_stay_as_they_are(
    text: str, expected: str
) -> None:
    async with on_wecom() as on:
        corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=on.wecom.base_url)
        marked = AppChannel(corp, agent_id=AGENT, now=on.watch, has_headings=True)
        for channel in (on.app, marked):
            await channel.send(on.outgoing(text))
        await marked.stop()
        kinds = [(post.kind, post.text) for post in on.wecom.posts("zhang")]
        plain = [("text", piece) for piece in split(text)]
        assert kinds == [*plain, *([("markdown", expected)] if expected else plain)]


REASONS = tuple(Button(words, f"token.{place}.0") for place, words in enumerate("甲乙丙丁戊己庚"))


async def test_more_choices_than_buttons_become_a_vote_and_its_choice_is_the_press() -> None:
    async with on_wecom() as on:
        sent = await on.app.send(
            on.outgoing("为什么退单？\n选一项，或直接写一句。", buttons=tuple((one,) for one in REASONS))
        )
        (card,) = on.wecom.posts("zhang")
        assert (card.text, card.body["card_type"]) == ("为什么退单？\n选一项，或直接写一句。", "vote_interaction")
        assert [words for words, _, _ in card.buttons] == list("甲乙丙丁戊己庚")
        on.wecom.press("zhang", card.id, "戊")
        await on.settled()
        (press,) = on.ears.heard
        assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, REASONS[4].key, sent.external_id)
        keep = {**sent.keep, **press.keep}
        edit = on.outgoing("已退单", action=OutgoingAction.EDIT, message_id=sent.external_id, keep=keep)
        assert (await on.app.send(edit)).external_id == sent.external_id
        assert [(post.text, post.buttons) for post in on.wecom.posts("zhang")] == [("已退单", [])]


async def test_words_too_long_for_a_vote_go_before_it() -> None:
    text = "为什么把这件事退回来，不接着办了呢？请从下面选一项。\n" + "，".join(f"第{at}句" for at in range(20))
    async with on_wecom() as on:
        await on.app.send(on.outgoing(text, buttons=(REASONS,)))
        said, card = on.wecom.posts("zhang")
        assert (said.text, card.body["card_type"]) == (text, "vote_interaction")


def test_too_many_buttons_and_empty_keys_are_refused() -> None:
    for rows in (
        (tuple(Button("x", f"k{at}") for at in range(21)),),
        ((*REASONS[:6], Button("看照片", url="https://example.org/")),),
        ((*REASONS[:6], Button("空", "")),),
        ((*REASONS[:6], Button("长", "k" * 129)),),
    ):
        with pytest.raises(Rejected):
            card_of("x", rows, "w1")
    with pytest.raises(Rejected):
        card_of("x", ((Button("y", ""),),), "w1")


async def test_photo_goes_out_before_its_words(tmp_path: Path) -> None:
    async with on_wecom() as on:
        file = photo_file(tmp_path)
        sent = await on.app.send(on.outgoing("办好了", files=(file,)))
        assert [(post.kind, post.text, post.files) for post in on.wecom.posts("zhang")] == [
            ("image", "", (Path(file.path).read_bytes(),)),
            ("text", "办好了", ()),
        ]
        await on.app.send(on.outgoing(action=OutgoingAction.DELETE, message_id=sent.external_id, keep=sent.keep))
        assert on.wecom.posts("zhang") == []


async def test_failure_after_the_first_part_is_unknown(tmp_path: Path) -> None:
    async with on_wecom() as on:
        on.wecom.fail_next(1, 45033, path="message/send", after=1)
        with pytest.raises(Unknown):
            await on.app.send(on.outgoing("办好了", files=(photo_file(tmp_path),)))
        with pytest.raises(Rejected):
            await on.app.send(on.outgoing())
        with pytest.raises(Rejected):
            await on.app.send(on.outgoing(files=(photo_file(tmp_path, b"tiny"),)))


async def test_who_is_not_there_is_undeliverable() -> None:
    async with on_wecom() as on:
        on.wecom.add_member("wang", "王芳").is_visible = False
        for name in ("wang", "nobody"):
            with pytest.raises(Undeliverable):
                await on.app.send(on.outgoing("您好", to=name))


async def test_notice_of_a_press_is_said() -> None:
    async with on_wecom() as on:
        await on.app.send(on.outgoing(action=OutgoingAction.ANSWER_PRESS, press_id="x"))
        await on.app.send(on.outgoing("这个按钮是给别人的。", action=OutgoingAction.ANSWER_PRESS, press_id="x"))
        assert on.wecom.texts("zhang") == ["这个按钮是给别人的。"]


async def test_nothing_is_dropped_for_a_member_who_gets_too_much() -> None:
    async with on_wecom() as on:
        waits = await say_many(on, 70)
        assert on.wecom.app.dropped == []
        assert len(on.wecom.posts("zhang")) == 70
        assert waits == [62.0, 62.0]


async def say_many(on: Set, count: int) -> list[float]:
    """Says so many things as fast as the channel lets them through; how long it let us wait each time."""
    waits = []
    for number in range(count):
        while True:
            try:
                await on.app.send(on.outgoing(f"第 {number} 条"))
                break
            except LimitReached as later:
                waits.append(later.seconds)
                on.watch.at += later.seconds
    return waits


async def test_menu_is_set_at_the_start_and_check_tells_the_set_up() -> None:
    async with on_wecom() as on:
        await on.until(lambda: on.wecom.app.menu)
        assert on.wecom.app.menu["button"] == [
            {"type": "click", "name": "帮助", "key": "/help"},
            {"type": "click", "name": "我的任务", "key": "/tasks"},
            {"name": "更多", "sub_button": [{"type": "click", "name": "登录", "key": "/login"}]},
        ]
        (finding,) = await on.app.check()
        assert finding.is_well
        on.wecom.wire.trusts_us = False
        (finding,) = await on.app.check()
        assert (finding.is_well, "企业可信 IP" in finding.advice) == (False, True)
        (finding,) = await on.kf.check()
        assert not finding.is_well
        assert await on.app.take_hook({}, b"") == 405
