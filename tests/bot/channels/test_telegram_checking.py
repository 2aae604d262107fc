"""What `wuwei check` says about Telegram, and downloads."""

import pytest

from bot.channels.base import Finding
from core.errors import Rejected, TryLater
from core.messages import Abilities, Attachment, AttachmentKind
from tests.bot.channels.telegram_stage import JPEG, Stage, stage

GOOD = [
    Finding(True, "Telegram 令牌有效，机器人是 @wuwei_test_bot"),
    Finding(True, "隐私模式已关闭，看得到群里的全部消息"),
    Finding(True, "轮询方式，没有登记推送地址"),
]


async def test_check_finds_nothing_wrong_before_and_after_the_start() -> None:
    async with stage(listens=False) as on:
        assert await on.channel.check() == GOOD
        await on.channel.start(on.inbox.deliver, {})
        assert await on.channel.check() == GOOD


async def faults_of(on: Stage) -> list[str]:
    found = await on.channel.check()
    assert all(finding.advice for finding in found if not finding.is_well)
    return [finding.about for finding in found if not finding.is_well]


async def test_check_tells_of_privacy_mode() -> None:
    async with stage(listens=False, emulator={"privacy": True}) as on:
        assert await faults_of(on) == ["隐私模式还开着"]


async def test_check_tells_of_a_webhook_that_takes_the_updates_away() -> None:
    async with stage(listens=False) as on:
        await on.telegram.queue.set_webhook("https://old.example/h", secret=None, max_connections=1, drop_pending=False)
        assert await faults_of(on) == ["配置是轮询，但 Telegram 上还登记着推送地址"]


@pytest.mark.parametrize(
    ("public_url", "registered", "fault"),
    [
        ("http://a.example/h", "", "推送地址不是 https"),
        ("https://a.example/h", "", "配置是推送，但 Telegram 上没有登记推送地址"),
        ("https://a.example/h", "https://b.example/h", "登记的推送地址与配置不同"),
    ],
)
async def test_check_compares_the_webhook_with_the_settings(public_url: str, registered: str, fault: str) -> None:
    async with stage(listens=False, mode="webhook", webhook_secret="s", public_url=public_url) as on:
        await on.telegram.queue.set_webhook(registered, secret=None, max_connections=1, drop_pending=False)
        assert await faults_of(on) == [fault]


async def test_check_tells_of_failed_deliveries_and_a_long_queue() -> None:
    async with stage(listens=False, mode="webhook", webhook_secret="s", public_url="https://a.example/h") as on:
        await on.telegram.queue.set_webhook("https://a.example/h", secret=None, max_connections=1, drop_pending=False)
        on.telegram.queue.webhook.last_error = "Connection refused"
        on.telegram.push_raw(*({"poll": {}} for _ in range(101)))
        assert await faults_of(on) == ["有 101 条消息还没取走", "Telegram 最近一次推送失败：Connection refused"]


async def test_check_tells_of_a_wrong_token_and_of_silence() -> None:
    async with stage(listens=False) as on:
        on.telegram.fail_next(1, 401)
        assert await faults_of(on) == ["Telegram 令牌无效"]
        on.telegram.fail_next(1, 502)
        assert await faults_of(on) == ["连不上 Telegram（server trouble (502)）"]


async def photo_sent(on: Stage, body: bytes = JPEG, claimed_size: int | None = None) -> Attachment:
    wang = on.telegram.add_user("王阿姨")
    on.telegram.say(wang, on.telegram.private(wang), photo=body, claimed_size=claimed_size)
    (heard,) = await on.heard(1)
    return heard.attachments[0]


async def test_largest_photo_is_fetched() -> None:
    async with stage() as on:
        photo = await photo_sent(on)
        assert photo.size == len(JPEG)
        assert await on.channel.fetch(photo, most=len(JPEG)) == JPEG


async def test_file_larger_than_allowed_is_rejected_by_its_size() -> None:
    async with stage() as on:
        photo = await photo_sent(on)
        with pytest.raises(Rejected, match="more than 3"):
            await on.channel.fetch(photo, most=3)


async def test_file_larger_than_it_claims_is_cut_off() -> None:
    async with stage() as on:
        photo = await photo_sent(on, JPEG * 1000, claimed_size=10)
        with pytest.raises(Rejected, match="more than 100"):
            await on.channel.fetch(photo, most=100)


async def test_file_over_the_platforms_own_limit_is_rejected() -> None:
    async with stage() as on:
        photo = await photo_sent(on, claimed_size=20 * 1024 * 1024 + 1)
        with pytest.raises(Rejected, match="too big"):
            await on.channel.fetch(photo, most=1 << 30)


async def test_unknown_and_vanished_files_are_rejected() -> None:
    async with stage() as on:
        photo = await photo_sent(on)
        with pytest.raises(Rejected, match="file_id"):
            await on.channel.fetch(Attachment(AttachmentKind.PHOTO, "nothing"), most=100)
        on.telegram.fail_next(1, 404, method="download")
        with pytest.raises(Rejected, match="gone"):
            await on.channel.fetch(photo, most=100)


async def test_download_that_breaks_is_for_later() -> None:
    async with stage() as on:
        photo = await photo_sent(on)
        on.telegram.fail_next(1, 500, method="getFile")
        on.telegram.fail_next(1, 502, method="download")
        on.telegram.drop_answer_after_work(1, method="download")
        for _ in range(3):
            with pytest.raises(TryLater) as caught:
                await on.channel.fetch(photo, most=100)
            assert on.telegram.token not in str(caught.value)
        assert await on.channel.fetch(photo, most=100) == JPEG


async def test_abilities_are_those_of_the_platform() -> None:
    async with stage(listens=False) as on:
        able = on.channel.abilities
        assert [(limit.scope.value, limit.count, limit.per.total_seconds()) for limit in able.limits] == [
            ("account", 30, 1),
            ("chat", 1, 1),
            ("group", 20, 60),
        ]
        assert able == Abilities(limits=able.limits, text_limit=4096, can_write_first=False, tells_withdrawals=False)
        assert on.telegram.token not in repr(on.channel)
