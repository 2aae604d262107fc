"""Whatever people, strangers or a broken client send: a sentence or silence, and the program goes on."""

import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from PIL import Image
from sqlalchemy import update

from bot.receiver import TRIES
from core.messages import ChatKind, ChatRef, Incoming, IncomingKind, SenderRef
from domain import inbox
from handlers import routes
from handlers.context import Context
from storage.cases import Case
from storage.people import Duty
from tests.stage import GROUP, PRIVATE, STAFF_GROUP, Stage, photo
from tests.wires import TelegramWire

on_telegram = pytest.mark.parametrize("stage", ["telegram"], indirect=True)
on_simulator = pytest.mark.parametrize("stage", ["simulator"], indirect=True)

NOT_UNDERSTOOD = "我没太明白。请直接说是什么事、在哪里，例如“3 号楼电梯坏了”；发“帮助”看用法。"
APOLOGY = "抱歉，我这边出了点问题，您的消息已经留存，社区会处理。"
PRESS_GONE = "这个按钮已经失效，请用最新的那条消息。"


def telegram(stage: Stage) -> TelegramWire:
    assert isinstance(stage.wire, TelegramWire)
    return stage.wire


async def still_works(stage: Stage) -> None:
    """A report is taken like on any other day."""
    before = len(stage.numbers())
    await stage.say("小吴", GROUP, "8号楼电梯坏了")
    assert len(stage.numbers()) == before + 1
    assert stage.texts(GROUP)[-1].split(" ")[0] == stage.numbers()[-1]


# Words

ODD_WORDS = {
    "blanks": " \u3000 ",
    "emoji": "😀🎉👨‍👩‍👧‍👦❤️",
    "marks": "？？？！！！。。。",
    "right to left": "مرحبا \u202eabc\u202c שלום",
    "control characters": "\x00\x07\x1b[31m\u200b\ufeff",
    "combining": "Z\u0301\u0302\u0303" * 200,
    "digits": "1" * 3000,
    "angle brackets": "<b onmouseover=alert(1)>&amp;</b>",
    "braces": "{number} {0} %s %(x)s",
    "one character": "嗯",
}


@on_telegram
@pytest.mark.parametrize("name", ODD_WORDS)
async def test_odd_words_get_silence_in_a_group_and_an_answer_in_private(stage: Stage, name: str) -> None:
    await stage.say("王阿姨", GROUP, ODD_WORDS[name])
    await stage.say("王阿姨", PRIVATE, ODD_WORDS[name])
    assert stage.posts(GROUP) == []
    assert len(stage.texts("王阿姨")) == 1
    assert stage.numbers() == []
    assert "failed" not in stage.outcomes()


@on_telegram
async def test_empty_words_in_private_are_answered(stage: Stage) -> None:
    """A sticker has no words at all."""
    wire = telegram(stage)
    wire.telegram.say(wire.user(stage.people["王阿姨"]), wire.chat(stage.people["王阿姨"]), extra={"sticker": {}})
    await stage.settle()
    assert stage.texts("王阿姨") == [NOT_UNDERSTOOD]


async def test_longest_words_become_a_case_and_a_card_that_fits(stage: Stage) -> None:
    words = ("3号楼门口井盖坏了，" + "很危险，" * 2000)[:4096]
    await stage.say("王阿姨", GROUP, words)
    await stage.pass_time(seconds=10)
    (number,) = stage.numbers()
    assert stage.case(number).text == words
    assert len(stage.card("张伟").text) < 1300
    assert len(stage.last(GROUP).text) < 100


async def test_report_with_odd_characters_is_kept_as_it_was_said(stage: Stage) -> None:
    words = "3号楼门口井盖坏了😱 \u202eabc\u202c <b>{number}</b>"
    await stage.say("王阿姨", GROUP, words)
    await stage.pass_time(seconds=10)
    assert stage.case(stage.numbers()[0]).text == words
    assert f"内容：{words}" in stage.card("张伟").text


@on_telegram
async def test_half_a_character_is_no_reason_to_stop(stage: Stage) -> None:
    """JSON can hold a lone surrogate; no database and no wire can."""
    body = telegram(stage).telegram
    chat = {"id": int(stage.groups[GROUP]), "type": "group", "title": GROUP}
    sender = {"id": 77, "is_bot": False, "first_name": "\ud83d"}
    body.push_raw(
        {"message": {"message_id": 900, "date": 1, "chat": chat, "from": sender, "text": "3号楼门口井盖坏了\ud83d"}}
    )
    await stage.settle()
    await still_works(stage)


# Files


@on_telegram
async def test_photo_over_the_limit_is_refused_with_what_to_do(stage: Stage) -> None:
    wire = telegram(stage)
    chat = wire.chat(stage.groups[GROUP])
    who = wire.user(stage.people["王阿姨"])
    wire.telegram.say(who, chat, "3号楼门口井盖坏了", photo=photo(), claimed_size=25 * 1024 * 1024)
    await stage.settle()
    await stage.pass_time(minutes=1)
    assert stage.texts(GROUP)[1:] == ["这个文件太大了，最大 20 MB。请压缩一下，或拍一张普通大小的照片再发。"]
    assert stage.card("张伟").files == ()
    assert stage.stored() == []
    await still_works(stage)


@on_telegram
async def test_photo_larger_than_it_says_is_refused_once_it_is_read(stage: Stage) -> None:
    wire = telegram(stage)
    who, chat = wire.user(stage.people["王阿姨"]), wire.chat(stage.groups[GROUP])
    body = b"\xff\xd8\xff" + bytes(20 * 1024 * 1024)
    said = wire.telegram.say(who, chat, "3号楼门口井盖坏了", photo=body, claimed_size=1000)
    await stage.settle()
    await stage.pass_time(minutes=1)
    (post,) = stage.posts(GROUP)[1:]
    assert (post.text, post.reply_to) == (
        "您发的文件没有取到，可能太大或已经过期。请压缩到 20 MB 以内，重新发一次。",
        str(said),
    )
    assert (stage.stored(), stage.card("张伟").files) == ([], ())
    await still_works(stage)


@on_telegram
async def test_photo_of_nearly_20_megabytes_becomes_a_jpeg_of_its_size(stage: Stage) -> None:
    image = Image.frombytes("RGB", (3000, 2200), random.Random(1).randbytes(3000 * 2200 * 3))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=0)
    large = out.getvalue()
    assert 19_500_000 < len(large) < 20 * 1024 * 1024
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了", photo=large)
    await stage.pass_time(seconds=30)
    (picture,) = stage.pictures("张伟")
    shown = Image.open(io.BytesIO(picture))
    assert (shown.format, shown.size) == ("JPEG", (3000, 2200))
    assert len(picture) < len(large) / 2


@on_telegram
@pytest.mark.parametrize("body", [b"\xff\xd8\xff\xe0 no picture", b"GIF89a" + b"\0" * 40, photo()[:200]])
async def test_broken_picture_is_refused_with_what_to_do(stage: Stage, body: bytes) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了", photo=body)
    await stage.pass_time(minutes=1)
    (sentence,) = stage.texts(GROUP)[1:]
    assert sentence == "这张照片打不开，可能没有传完整。请重新拍一张，或从相册里再发一次。"
    assert (stage.stored(), len(stage.texts("张伟"))) == ([], 1)
    await still_works(stage)


async def test_photo_alone_in_private_is_asked_about(stage: Stage) -> None:
    await stage.say("王阿姨", PRIVATE, photo=photo())
    assert stage.texts("王阿姨") == ["收到了。请再用一句话说明是什么事、在哪里，我一起登记。"]


# Buttons


@on_telegram
@pytest.mark.parametrize(
    "data", ["x", "a.0.0", "..", "9" * 64, "{token}.9.9", "{token}.0.99999", "{token}.0.-1", "٣.٣.٣"]
)
async def test_forged_button_is_told_apart(stage: Stage, data: str) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    wire = telegram(stage)
    shown = wire.telegram.posts(wire.chat(stage.groups[GROUP]))[0].all_buttons[0].data or ""
    forged = data.replace("{token}", shown.rsplit(".", 2)[0])
    notice = wire.forge_press(stage.people["李叔"], stage.groups[GROUP], stage.last(GROUP).id, forged)
    await stage.settle()
    assert notice() == PRESS_GONE
    assert stage.case(stage.numbers()[0]).state == "assigned"
    await still_works(stage)


@on_telegram
async def test_button_copied_into_another_chat_does_nothing(stage: Stage) -> None:
    """The worker's own key, pressed from a chat where we never showed it."""
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    wire = telegram(stage)
    key = wire.telegram.posts(wire.chat(stage.people["张伟"]))[-1].all_buttons[0].data or ""
    notice = wire.forge_press(stage.people["李叔"], stage.groups[GROUP], stage.last(GROUP).id, key)
    await stage.settle()
    assert notice() == PRESS_GONE
    assert stage.case(stage.numbers()[0]).state == "assigned"


async def test_button_pressed_twice_is_done_once(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    notices = [stage.tap("张伟", PRIVATE, "接单") for _ in range(3)]
    await stage.settle()
    assert [notice() for notice in notices] == ["已接单。", PRESS_GONE, PRESS_GONE]
    assert stage.steps(stage.numbers()[0]).count("accept") == 1


async def test_workers_button_pressed_by_who_may_not_is_refused(stage: Stage) -> None:
    await stage.say("王阿姨", GROUP, "3号楼门口井盖坏了")
    await stage.pass_time(seconds=10)
    with stage.app.database.writing() as session:
        session.execute(update(Duty).values(until_on=date(2026, 1, 2)))
        session.execute(update(Case).values(assignee_id=None))
    assert await stage.press("张伟", PRIVATE, "接单") == "这个按钮是给别人的，您不能操作。"


# Strangers and strange updates


@on_telegram
async def test_unknown_group_gets_silence(stage: Stage) -> None:
    stage.add_group("不认识的群", ["李叔"])
    await stage.say("李叔", "不认识的群", "3号楼门口井盖坏了")
    await stage.say("李叔", "不认识的群", "帮助")
    assert (stage.posts("不认识的群"), stage.numbers()) == ([], [])
    await still_works(stage)


@on_telegram
async def test_staff_are_told_once_of_an_unknown_group(stage: Stage) -> None:
    wire = telegram(stage)
    owner = wire.user(stage.people["李叔"])
    strange = wire.telegram.add_group("生群", [owner], is_supergroup=False, with_bot=False)
    stage.groups["生群"] = wire.note_chat(strange)
    wire.telegram.add_bot(strange, owner)
    await stage.settle()
    await stage.say("李叔", "生群", "3号楼门口井盖坏了")
    await stage.say("李叔", "生群", "3号楼门口井盖坏了", photo=photo())
    assert (stage.posts("生群"), stage.numbers()) == ([], [])
    assert stage.texts(STAFF_GROUP) == [
        "机器人被拉进了一个还没有绑定的群“生群”，在绑定前不会说话。请在工作台“群组”里生成编码，在群里发“绑定 编码”。"
    ]
    await still_works(stage)


STRANGE_UPDATES: dict[str, dict[str, object]] = {
    "unknown kind": {"message_reaction_of_tomorrow": {"chat": {"id": 1}}},
    "nothing in it": {},
    "message without chat": {"message": {"message_id": 5, "date": 1, "text": "3号楼门口井盖坏了"}},
    "text is a number": {"message": {"message_id": 5, "date": 1, "chat": {"id": 5, "type": "group"}, "text": 5}},
    "huge ids": {"message": {"message_id": 2**70, "date": 1, "chat": {"id": 2**70, "type": "group"}, "text": "好"}},
    "chat of an unknown type": {
        "message": {"message_id": 5, "date": 1, "chat": {"id": 5, "type": "hologram"}, "text": "3号楼门口井盖坏了"}
    },
    "press without message": {
        "callback_query": {
            "id": "1",
            "from": {"id": 5, "is_bot": False, "first_name": "x"},
            "chat_instance": "1",
            "data": "x",
        }
    },
    "nested": {"message": {"message_id": 5, "date": 1, "chat": {"id": 5, "type": "group"}, "text": [[[[]]]]}},
}


@on_telegram
@pytest.mark.parametrize("name", STRANGE_UPDATES)
async def test_strange_update_stops_nothing(stage: Stage, name: str) -> None:
    telegram(stage).telegram.push_raw(STRANGE_UPDATES[name])
    await stage.settle()
    assert (stage.posts(GROUP), stage.numbers()) == ([], [])
    await still_works(stage)


# A message that our own program cannot work


def poisoned(monkeypatch: pytest.MonkeyPatch, words: str) -> list[int]:
    """From now on our own handling breaks on messages with these words; the list counts how often."""
    tried: list[int] = []
    whole: Callable[[Context], None] = routes.handle

    def handle(ctx: Context) -> None:
        if words in ctx.incoming.text:
            tried.append(1)
            raise ZeroDivisionError("a fault of ours")
        whole(ctx)

    monkeypatch.setattr(routes, "handle", handle)
    return tried


@on_simulator
async def test_poison_message_is_kept_and_the_others_of_its_batch_are_worked(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = poisoned(monkeypatch, "毒药")
    wire = stage.wire
    for person, words in (
        ("王阿姨", "3号楼门口井盖坏了"),
        ("李叔", "毒药，3号楼路灯不亮了"),
        ("小吴", "8号楼电梯坏了"),
    ):
        wire.say(stage.people[person], stage.groups[GROUP], words)
    await stage.settle()
    assert len(stage.numbers()) == 2
    assert [stage.outcomes().count(outcome) for outcome in ("opened", "failed")] == [2, 1]
    assert len(tried) >= TRIES
    with stage.app.database.reading() as session:
        (kept,) = inbox.failed(session)
        assert (kept.error, kept.raw is not None and "毒药" in kept.raw) == ("ZeroDivisionError", True)
    assert len(stage.posts(GROUP)) == 2


@on_simulator
async def test_poison_message_in_private_gets_one_apology_and_is_not_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = poisoned(monkeypatch, "毒药")
    await stage.say("李叔", PRIVATE, "毒药，3号楼路灯不亮了")
    await stage.pass_time(hours=1)
    assert (stage.texts("李叔"), len(tried)) == ([APOLOGY], TRIES + 1)
    await still_works(stage)


@on_simulator
async def test_poison_message_is_worked_again_when_the_fault_is_mended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        poisoned(broken, "毒药")
        await stage.say("李叔", GROUP, "毒药，3号楼路灯不亮了")
    with stage.app.database.reading() as session:
        (kept,) = inbox.failed(session)
    chat = ChatRef(stage.groups[GROUP], ChatKind.GROUP, GROUP)
    again = Incoming(
        "simulator", "simulator", kept.external_id, IncomingKind.MESSAGE, chat,
        SenderRef(stage.people["李叔"], "李叔"), kept.sent_at, message_id=kept.message_id, text=kept.text,
    )  # fmt: skip
    await stage.app.receiver.work_again(kept.id, replace(again))
    await stage.settle()
    assert (len(stage.numbers()), "failed" in stage.outcomes()) == (1, False)


# The webhook's door


@on_telegram
@pytest.mark.parametrize(
    ("secret", "body", "status"),
    [
        (None, b"{}", 403),
        ("wrong", b"{}", 403),
        ("right", b"not json", 400),
        ("right", b"\xff\xfe", 400),
        ("right", b"[" * 100_000, 400),
        ("right", b"", 400),
        ("right", b"x" * (1024 * 1024 + 1), 400),
        ("right", b'{"update_id": 1}', 200),
        ("right", b'{"update_id": 2, "message": {"message_id": 1}}', 200),
    ],
)
async def test_webhook_takes_only_what_telegram_sends(
    stage: Stage, secret: str | None, body: bytes, status: int
) -> None:
    (channel,) = stage.wire.channels
    channel._secret = "right"  # type: ignore[attr-defined]  # the stage polls; its door is tried all the same
    headers = {} if secret is None else {"x-telegram-bot-api-secret-token": secret}
    assert await channel.take_hook(headers, body) == status
    await still_works(stage)
