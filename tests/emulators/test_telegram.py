"""The emulator itself: strict about what a bot sends, and sparing with what a bot is shown. Driven by the library's own Bot."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaDocument, InputMediaPhoto, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken

from tests.emulators.telegram import FloodLimits, TelegramEmulator
from tests.emulators.telegram_limits import NO_LIMITS, FloodGate, Rate

JPEG = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramEmulator]:
    async with TelegramEmulator(limits=NO_LIMITS) as emulator:
        yield emulator


@pytest.fixture
async def bot(telegram: TelegramEmulator) -> AsyncIterator[Bot]:
    made = Bot(telegram.token, base_url=f"{telegram.base_url}/bot", base_file_url=f"{telegram.base_url}/file/bot")
    async with made:
        yield made


async def raw(telegram: TelegramEmulator, method: str, **fields: Any) -> tuple[int, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{telegram.base_url}/bot{telegram.token}/{method}", json=fields)
    return answer.status_code, answer.json().get("description", "")


async def seen(bot: Bot) -> list[Update]:
    updates = await bot.get_updates(timeout=0)
    if updates:
        await bot.get_updates(offset=updates[-1].update_id + 1, timeout=0)
    return list(updates)


async def test_every_kind_of_update_is_one_the_library_can_read(telegram: TelegramEmulator, bot: Bot) -> None:
    await bot.get_updates(timeout=0, allowed_updates=Update.ALL_TYPES)
    wang, li = telegram.add_user("王阿姨", "wang_ayi"), telegram.add_user("李叔")
    group = telegram.add_group("阳光小区", [wang, li], is_supergroup=False, bot_is_admin=True)
    said = telegram.say(wang, group, "@wuwei_test_bot 井盖", photo=JPEG)
    telegram.edit(wang, group, said, "井盖坏了")
    telegram.say(li, group, "我家也是", reply_to=said, voice=b"v")
    telegram.say_album(wang, group, [JPEG, JPEG])
    telegram.say_anonymously(group, "停水")
    post = await bot.send_message(
        group.id, "好吗", reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("好", callback_data="k")]])
    )
    telegram.press(wang, group, post.message_id, "好")
    telegram.leave(li, group)
    telegram.rename(group, "新名", wang)
    new = telegram.migrate(group, wang)
    telegram.kick(new, wang)
    telegram.block(wang)
    kinds = [next(name for name in update.to_dict() if name != "update_id") for update in await seen(bot)]
    assert kinds == [
        "message",
        "edited_message",
        *["message"] * 4,
        "callback_query",
        "chat_member",
        *["message"] * 4,
        "my_chat_member",
        "my_chat_member",
    ]
    assert telegram.queue.pending == []


@pytest.mark.parametrize("sees", ["nothing", "admin", "privacy off"])
async def test_privacy_mode_hides_ordinary_words(sees: str) -> None:
    async with TelegramEmulator(limits=NO_LIMITS, privacy=sees != "privacy off") as telegram:
        wang = telegram.add_user("王阿姨")
        group = telegram.add_group("阳光小区", [wang], bot_is_admin=sees == "admin")
        telegram.say(wang, group, "井盖坏了")
        assert len(telegram.queue.pending) == (0 if sees == "nothing" else 1)


async def test_privacy_mode_shows_what_is_meant_for_the_bot() -> None:
    async with TelegramEmulator(limits=NO_LIMITS, privacy=True) as telegram:
        wang, helper = telegram.add_user("王阿姨"), telegram.add_user("别的", "other_bot", is_bot=True)
        group = telegram.add_group("阳光小区", [wang, helper])
        telegram.say(wang, group, "/mine")
        telegram.say(wang, group, "/mine@other_bot")
        telegram.say(helper, group, "@wuwei_test_bot 我是机器人")
        assert telegram.queue.pending == []
        async with Bot(telegram.token, base_url=f"{telegram.base_url}/bot") as bot:
            mine = await bot.send_message(group.id, "好")
        telegram.say(wang, group, "/mine")
        telegram.say(wang, group, "/mine@wuwei_test_bot")
        telegram.say(wang, group, "😀 @wuwei_test_bot 你好")
        telegram.say(wang, group, "还没修", reply_to=mine.message_id)
        assert [update["message"]["text"] for update in telegram.queue.pending] == [
            "/mine",
            "/mine@wuwei_test_bot",
            "😀 @wuwei_test_bot 你好",
            "还没修",
        ]


async def test_entities_are_placed_in_utf16_units(telegram: TelegramEmulator) -> None:
    wang = telegram.add_user("王阿姨")
    telegram.say(wang, telegram.private(wang), "😀 @wuwei_test_bot /mine@wuwei_test_bot")
    assert telegram.queue.pending[0]["message"]["entities"] == [
        {"type": "mention", "offset": 3, "length": 15},
        {"type": "bot_command", "offset": 19, "length": 20},
    ]


async def test_offset_confirms_and_limit_holds_back(telegram: TelegramEmulator, bot: Bot) -> None:
    wang = telegram.add_user("王阿姨")
    for text in "一二三":
        telegram.say(wang, telegram.private(wang), text)
    first, second = await bot.get_updates(limit=2, timeout=0)
    assert [update.update_id for update in await bot.get_updates(offset=second.update_id, timeout=0)] == [
        second.update_id,
        second.update_id + 1,
    ]
    assert first.update_id not in [update["update_id"] for update in telegram.queue.pending]


async def test_long_poll_wakes_at_once_and_ends_in_time(telegram: TelegramEmulator, bot: Bot) -> None:
    assert await bot.get_updates(timeout=1) == ()
    wang = telegram.add_user("王阿姨")
    poll = asyncio.create_task(bot.get_updates(timeout=5))
    await asyncio.sleep(0.1)
    telegram.start(wang)
    (update,) = await asyncio.wait_for(poll, 2)
    assert update.message is not None
    assert update.message.text == "/start"


async def test_poll_conflicts_with_a_webhook_and_with_another_poll(telegram: TelegramEmulator, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=5))
    await telegram.wait_for(lambda: telegram.queue.allowed is None and telegram.queue._poll)
    await raw(telegram, "getUpdates", timeout=0)
    with pytest.raises(Conflict):
        await poll
    await bot.set_webhook("https://a.example/hook")
    with pytest.raises(Conflict):
        await bot.get_updates(timeout=0)
    assert (await bot.get_webhook_info()).url == "https://a.example/hook"


async def test_kinds_not_asked_for_do_not_come(telegram: TelegramEmulator, bot: Bot) -> None:
    wang = telegram.add_user("王阿姨")
    group = telegram.add_group("阳光小区", [wang], bot_is_admin=True)
    telegram.leave(wang, group)
    assert [set(update) - {"update_id"} for update in telegram.queue.pending] == [{"message"}]
    await bot.get_updates(timeout=0, allowed_updates=["chat_member"])
    telegram.queue.pending.clear()
    telegram.join(wang, group)
    assert [set(update) - {"update_id"} for update in telegram.queue.pending] == [{"chat_member"}]


@pytest.mark.parametrize(
    ("method", "fields", "status", "description"),
    [
        ("sendMessage", {"chat_id": 1, "text": "a"}, 400, "Bad Request: chat not found"),
        ("sendMessage", {"chat_id": "G", "text": " "}, 400, "Bad Request: message text is empty"),
        ("sendMessage", {"chat_id": "G"}, 400, "Bad Request: message text is empty"),
        ("sendMessage", {"text": "a"}, 400, "Bad Request: chat_id is empty"),
        ("sendMessage", {"chat_id": "G", "text": "😀" * 2049}, 400, "Bad Request: message is too long"),
        ("sendMessage", {"chat_id": "G", "text": "a", "txet": 1}, 400, 'Bad Request: strict: sendMessage has no field "txet"'),
        ("sendMessage", {"chat_id": "G", "text": "a", "message_thread_id": 9}, 400, "Bad Request: message thread not found"),
        ("sendMessage", {"chat_id": "G", "text": "a", "reply_parameters": {"message_id": 9}}, 400, "Bad Request: message to be replied not found"),
        ("sendMessage", {"chat_id": "G", "text": "a", "disable_notification": "?"}, 400, 'Bad Request: can\'t parse parameter "disable_notification"'),
        ("sendPhoto", {"chat_id": "G", "photo": "nothing"}, 400, "Bad Request: wrong remote file identifier specified"),
        ("sendMediaGroup", {"chat_id": "G", "media": []}, 400, "Bad Request: wrong number of messages in the media group: 2-10 are expected"),
        ("deleteMessage", {"chat_id": "G", "message_id": 9}, 400, "Bad Request: message to delete not found"),
        ("editMessageText", {"chat_id": "G", "message_id": 9, "text": "a"}, 400, "Bad Request: message to edit not found"),
        ("answerCallbackQuery", {"callback_query_id": "9"}, 400, "Bad Request: query is too old and response timeout expired or query ID is invalid"),
        ("getFile", {"file_id": "9"}, 400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
        ("setMyCommands", {"commands": [{"command": "我的", "description": "a"}]}, 400, "Bad Request: BOT_COMMAND_INVALID"),
        ("setWebhook", {"url": "http://a.example"}, 400, "Bad Request: bad webhook: an HTTPS URL must be provided for webhook"),
        ("setWebhook", {"url": "https://a.example:8600"}, 400, "Bad Request: bad webhook: an HTTPS URL must be provided for webhook"),
        ("setWebhook", {"url": "https://a.example", "secret_token": "密"}, 400, "Bad Request: secret token contains illegal characters"),
        ("sendMessages", {}, 404, "Not Found: method not found"),
    ],
)  # fmt: skip
async def test_wrong_requests_are_refused_as_the_platform_words_it(
    telegram: TelegramEmulator, method: str, fields: dict[str, Any], status: int, description: str
) -> None:
    group = telegram.add_group("阳光小区")
    if fields.get("chat_id") == "G":
        fields = fields | {"chat_id": group.id}
    assert await raw(telegram, method, **fields) == (status, description)
    assert telegram.posts(group) == []


@pytest.mark.parametrize(
    ("button", "fault"),
    [
        ({"text": "好", "callback_data": "钥" * 22}, "BUTTON_DATA_INVALID"),
        ({"text": "好", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "", "callback_data": "k"}, "must have text"),
        ({"text": "好"}, "unallowed"),
        ({"text": "好", "url": "http://localhost:8600"}, "Wrong HTTP URL"),
    ],
)
async def test_buttons_the_platform_cannot_show_are_refused(
    telegram: TelegramEmulator, button: dict[str, str], fault: str
) -> None:
    group = telegram.add_group("阳光小区")
    status, description = await raw(
        telegram, "sendMessage", chat_id=group.id, text="a", reply_markup={"inline_keyboard": [[button]]}
    )
    assert (status, fault in description) == (400, True)


async def test_dead_addresses_are_forbidden(telegram: TelegramEmulator, bot: Bot) -> None:
    wang, stranger = telegram.add_user("王阿姨", started=True), telegram.add_user("生人")
    group = telegram.add_group("阳光小区", [wang])
    telegram.block(wang)
    await bot.leave_chat(group.id)
    for chat_id, words in ((wang.id, "blocked"), (stranger.id, "initiate"), (group.id, "not a member")):
        with pytest.raises(Forbidden, match=words):
            await bot.send_message(chat_id, "好")


async def test_edits_are_the_bots_own_and_must_change_something(telegram: TelegramEmulator, bot: Bot) -> None:
    wang = telegram.add_user("王阿姨")
    group = telegram.add_group("阳光小区", [wang])
    theirs = telegram.say(wang, group, "井盖")
    photo = await bot.send_photo(group.id, JPEG, caption="现场")
    with pytest.raises(BadRequest, match="can't be edited"):
        await bot.edit_message_text("改", chat_id=group.id, message_id=theirs)
    with pytest.raises(BadRequest, match="no text"):
        await bot.edit_message_text("改", chat_id=group.id, message_id=photo.message_id)
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_caption(chat_id=group.id, message_id=photo.message_id, caption="现场")
    with pytest.raises(BadRequest, match="can't be deleted"):
        await bot.delete_message(group.id, theirs)


async def test_pictures_must_be_pictures_and_albums_of_one_sort(telegram: TelegramEmulator, bot: Bot) -> None:
    group = telegram.add_group("阳光小区")
    with pytest.raises(BadRequest, match="process"):
        await bot.send_photo(group.id, b"not a picture")
    with pytest.raises(BadRequest, match="mix"):
        await bot.send_media_group(group.id, [InputMediaPhoto(JPEG), InputMediaDocument(b"d")])
    first, second = await bot.send_media_group(group.id, [InputMediaPhoto(JPEG), InputMediaPhoto(JPEG)])
    assert first.media_group_id == second.media_group_id
    again = await bot.send_photo(group.id, first.photo[1])
    assert (await (await again.photo[1].get_file()).download_as_bytearray()) == JPEG


async def test_wrong_token_is_unauthorized(telegram: TelegramEmulator) -> None:
    with pytest.raises(InvalidToken):
        async with Bot("7000001:wrong", base_url=f"{telegram.base_url}/bot"):
            pass


async def test_members_and_chats_can_be_asked_for(telegram: TelegramEmulator, bot: Bot) -> None:
    wang, li = telegram.add_user("王阿姨"), telegram.add_user("李叔")
    group = telegram.add_group("阳光小区", [wang, li], bot_is_admin=True)
    assert (await bot.get_chat(group.id)).title == "阳光小区"
    assert (await bot.get_chat_member(group.id, li.id)).status == "member"
    assert {one.user.id for one in await bot.get_chat_administrators(group.id)} == {wang.id, bot.id}
    assert await bot.get_chat_member_count(group.id) == 3


@pytest.mark.parametrize(
    ("limits", "sends", "refused_at", "wait"),
    [
        (FloodLimits(), 2, [1], 1),
        (FloodLimits(chat=None), 21, [20], 60),
        (FloodLimits(chat=Rate(3, 1), group=None), 4, [3], 1),
        (NO_LIMITS, 50, [], None),
    ],
)
def test_flood_gate_counts_in_sliding_windows(
    limits: FloodLimits, sends: int, refused_at: list[int], wait: int | None
) -> None:
    gate = FloodGate(limits)
    answers = [gate.retry_after(-1, is_group=True, now=100.0) for _ in range(sends)]
    assert [at for at, answer in enumerate(answers) if answer is not None] == refused_at
    assert {answer for answer in answers if answer is not None} == ({wait} - {None})
    if wait is not None:
        assert gate.retry_after(-1, is_group=True, now=100.0 + wait) is None


def test_flood_gate_counts_the_account_over_all_chats() -> None:
    gate = FloodGate(FloodLimits())
    answers = [gate.retry_after(chat, is_group=False, now=100.0) for chat in range(31)]
    assert (answers, gate.refusals) == ([None] * 30 + [1], 1)
