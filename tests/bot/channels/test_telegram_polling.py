"""Long polling over a real socket: confirmed only after the commit, and nothing the platform does stops it."""

import logging

import pytest

from core.messages import ChatKind, ChatRef, IncomingKind, MenuItem
from tests.bot.channels.telegram_stage import JPEG, stage
from tests.emulators.telegram import TelegramEmulator


async def test_words_arrive_with_the_bookmark_that_follows_them() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        group = on.telegram.add_group("阳光小区", [wang])
        message = on.telegram.say(wang, group, "3号楼门口井盖坏了")
        (heard,) = await on.heard(1)
        assert (heard.kind, heard.text, heard.message_id) == (IncomingKind.MESSAGE, "3号楼门口井盖坏了", str(message))
        assert heard.chat == ChatRef(str(group.id), ChatKind.GROUP, "阳光小区")
        assert on.inbox.bookmarks == [str(int(heard.external_id) + 1)]


async def test_channel_knows_its_name_and_account_and_fills_the_menu() -> None:
    async with stage(
        commands=[MenuItem("mine", "我的", "查看我登记的事"), MenuItem("help", "帮助", "看我能做什么")]
    ) as on:
        assert (on.channel.name, on.channel.account, on.channel.username) == ("telegram", "7000001", "wuwei_test_bot")
        assert on.telegram.methods.commands == [
            {"command": "mine", "description": "查看我登记的事"},
            {"command": "help", "description": "看我能做什么"},
        ]


async def test_update_is_confirmed_only_after_the_commit() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        on.inbox.refusals = 3
        on.telegram.start(wang, "k3X9")
        (heard,) = await on.heard(1)
        assert (heard.kind, heard.payload, on.inbox.refused) == (IncomingKind.BOT_STARTED, "k3X9", 3)
        assert on.inbox.bookmarks == [str(int(heard.external_id) + 1)]
        await on.telegram.wait_for(lambda: not on.telegram.queue.pending)


async def test_update_not_committed_stays_with_the_platform() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        on.inbox.refusals = 1000
        on.telegram.start(wang)
        await on.telegram.wait_for(lambda: on.inbox.refused > 1)
        assert (on.inbox.got, len(on.telegram.queue.pending)) == ([], 1)


async def test_unreadable_update_is_kept_and_stops_nothing() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        on.telegram.push_raw(
            {"update_id": 5, "message": {"message_id": "?"}},
            {
                "update_id": 6,
                "message": {"chat": {"id": 1, "type": "private"}, "date": 1, "message_id": 1, "text": "\ud83d"},
            },
        )
        on.telegram.queue.restart_numbers(7)
        on.telegram.start(wang)
        heard = await on.heard(3)
        assert [(one.external_id, one.kind) for one in heard] == [
            ("5", IncomingKind.UNREADABLE),
            ("6", IncomingKind.UNREADABLE),
            ("7", IncomingKind.BOT_STARTED),
        ]
        assert '"message_id":"?"' in heard[0].raw.replace(" ", "")
        await on.telegram.wait_for(lambda: not on.telegram.queue.pending)


async def test_updates_of_no_interest_are_confirmed_too() -> None:
    async with stage() as on:
        on.telegram.push_raw({"poll": {"id": "1"}})
        await on.telegram.wait_for(lambda: not on.telegram.queue.pending)
        assert (on.inbox.got, len(on.inbox.bookmarks)) == ([], 1)


async def test_restart_goes_on_from_the_bookmark() -> None:
    async with TelegramEmulator() as telegram:
        wang = telegram.add_user("王阿姨")
        telegram.queue.restart_numbers(100)
        for text in ("一", "二", "三"):
            telegram.say(wang, telegram.private(wang), text)
        async with stage(bookmarks={"offset": "102"}, token=telegram.token, base_url=telegram.base_url) as on:
            await on.heard(1)
            assert on.inbox.texts == ["三"]
            await telegram.wait_for(lambda: not telegram.queue.pending)


async def test_numbers_begun_anew_below_the_bookmark_lose_nothing() -> None:
    async with TelegramEmulator() as telegram:
        wang = telegram.add_user("王阿姨")
        telegram.queue.restart_numbers(100)
        telegram.say(wang, telegram.private(wang), "一周没人说话")
        async with stage(bookmarks={"offset": "870000001"}, token=telegram.token, base_url=telegram.base_url) as on:
            await on.heard(1)
            assert (on.inbox.texts, on.inbox.bookmarks) == (["一周没人说话"], ["101"])


async def test_delivered_twice_keeps_its_key() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        on.telegram.deliver_twice()
        on.telegram.start(wang)
        first, second = await on.heard(2)
        assert first == second


@pytest.mark.parametrize("status", [401, 409, 429, 500, 502])
async def test_refused_polls_are_repeated(status: int) -> None:
    async with stage(poll_seconds=0) as on:
        wang = on.telegram.add_user("王阿姨")
        on.telegram.fail_next(2, status, method="getUpdates", retry_after=0 if status == 429 else None)
        on.telegram.start(wang)
        await on.heard(1)
        assert [call.status for call in on.telegram.calls("getUpdates")].count(status) == 2


async def test_broken_and_garbled_polls_are_repeated() -> None:
    async with stage(poll_seconds=0) as on:
        wang = on.telegram.add_user("王阿姨")
        on.telegram.drop_answer_after_work(1, method="getUpdates")
        on.telegram.garble_answer(1, b"<html>", method="getUpdates")
        on.telegram.garble_answer(1, b'{"ok":true,"result":7}', method="getUpdates")
        on.telegram.start(wang)
        await on.heard(1)
        assert on.inbox.texts == ["/start"]


async def test_second_poller_does_not_end_the_first() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        async with stage(token=on.telegram.token, base_url=on.telegram.base_url) as rival:
            await on.telegram.wait_for(lambda: 409 in [call.status for call in on.telegram.calls("getUpdates")])
            assert rival.inbox.got == []
        on.telegram.start(wang)
        await on.telegram.wait_for(lambda: on.inbox.got or rival.inbox.got)
        assert (on.inbox.texts, rival.inbox.texts) == (["/start"], [])


async def test_start_outlives_a_platform_out_of_reach() -> None:
    async with stage(listens=False) as on:
        on.telegram.fail_next(3, 502, method="getMe")
        await on.channel.start(on.inbox.deliver, {})
        assert on.channel.username == "wuwei_test_bot"
        assert [call.status for call in on.telegram.calls("getMe")] == [502, 502, 502, 200]


async def test_channel_can_be_started_again() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        await on.channel.stop()
        on.telegram.start(wang)
        await on.channel.start(on.inbox.deliver, {})
        await on.heard(1)
        assert on.inbox.texts == ["/start"]


async def test_polling_takes_a_forgotten_webhook_away() -> None:
    async with stage(listens=False) as on:
        await on.telegram.queue.set_webhook(
            "https://old.example/hook", secret=None, max_connections=1, drop_pending=False
        )
        await on.channel.start(on.inbox.deliver, {})
        assert on.telegram.queue.webhook.url == ""


async def test_token_and_words_never_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with stage(poll_seconds=0) as on:
            wang = on.telegram.add_user("王阿姨")
            on.telegram.fail_next(1, 401, method="getUpdates")
            on.telegram.garble_answer(1, b"<html>", method="getUpdates")
            on.inbox.refusals = 1
            on.telegram.say(wang, on.telegram.private(wang), "我家煤气漏了", photo=JPEG)
            await on.heard(1)
            secret = on.telegram.token.partition(":")[2]
    assert "not stored" in caplog.text
    assert secret not in caplog.text
    assert "煤气" not in caplog.text
    assert "王阿姨" not in caplog.text


async def test_everything_people_do_arrives() -> None:
    async with stage() as on:
        tg = on.telegram
        wang, li = tg.add_user("王阿姨"), tg.add_user("李叔")
        group = tg.add_group("阳光小区", [wang, li], is_supergroup=False)
        said = tg.say(li, group, "路灯不亮")
        tg.edit(li, group, said, "路灯不亮，5号楼")
        tg.say_album(wang, group, [JPEG, JPEG], "井盖")
        tg.say_anonymously(group, "明天停水")
        tg.rename(group, "阳光业主群", wang)
        new = tg.migrate(group, wang)
        tg.kick(new, wang)
        tg.add_bot(new, wang, as_admin=True)
        tg.leave(li, new)
        tg.block(wang)
        heard = await on.heard(12)
        assert [one.kind for one in heard] == [
            IncomingKind.MESSAGE,
            IncomingKind.EDIT,
            IncomingKind.MESSAGE,
            IncomingKind.MESSAGE,
            IncomingKind.MESSAGE,
            IncomingKind.CHAT_RENAMED,
            IncomingKind.CHAT_MIGRATED,
            IncomingKind.CHAT_MIGRATED,
            IncomingKind.BOT_REMOVED,
            IncomingKind.BOT_ADDED,
            IncomingKind.MEMBER_LEFT,
            IncomingKind.BOT_BLOCKED,
        ]
        assert heard[2].album_id == heard[3].album_id != ""
        assert heard[4].sender is not None
        assert heard[4].sender.is_person is False
        assert heard[6].external_id == heard[7].external_id


async def test_topic_is_told_apart_from_general() -> None:
    async with stage() as on:
        wang = on.telegram.add_user("王阿姨")
        forum = on.telegram.add_group("论坛", [wang], is_forum=True)
        repairs = on.telegram.add_topic(forum, "报修", wang)
        on.telegram.say(wang, forum, "在报修里", thread=repairs)
        on.telegram.say(wang, forum, "在总区")
        heard = await on.heard(2)
        assert [(one.text, one.chat.thread, one.reply_to) for one in heard] == [
            ("在报修里", str(repairs), None),
            ("在总区", None, None),
        ]
