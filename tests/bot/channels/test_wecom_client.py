"""wechatpy's client as mended, against the strict emulator: tokens, bounds, error codes, media."""

import asyncio
import socket
from pathlib import Path

import pytest

from bot.channels.wecom.calls import Calls
from core.errors import Closed, DeliveryError, Rejected, TryLater, Undeliverable, Unknown
from tests.emulators.wecom import AGENT, APP_SECRET, CORP, WeComEmulator

JPEG = b"\xff\xd8\xff" + b"x" * 100


class Watch:
    """A time that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1_795_000_000.0

    def __call__(self) -> float:
        return self.at


def calls_of(wecom: WeComEmulator, watch: Watch, folder: Path | None = None, secret: str = APP_SECRET) -> Calls:
    return Calls(CORP, secret, base_url=wecom.base_url, token_folder=folder, now=watch)


def words(text: str = "您好", to: str = "zhang") -> dict[str, object]:
    return {"touser": to, "agentid": AGENT, "msgtype": "text", "text": {"content": text}}


async def failure(calls: Calls, path: str = "message/send") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await calls.post(path, words())
    return caught.value


async def test_one_token_serves_all_calls_and_all_processes(tmp_path: Path) -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        wecom.add_member("zhang", "张伟")
        first, second = (calls_of(wecom, watch, tmp_path) for _ in range(2))
        await asyncio.gather(*(first.post("message/send", words()) for _ in range(5)))
        await second.post("message/send", words())
        assert len(wecom.calls("gettoken")) == 1
        assert len(wecom.posts("zhang")) == 6
        (file,) = tmp_path.glob("*.token")
        assert file.stat().st_mode & 0o777 == 0o600
        assert APP_SECRET not in file.name
        watch.at += 7200 - 200
        await second.post("message/send", words())
        await first.post("message/send", words())
        assert [call.code for call in wecom.calls("message/send")] == [0] * 8, "replaced before its end"
        assert len(wecom.calls("gettoken")) == 2


async def test_revoked_token_is_replaced_once_for_everybody(tmp_path: Path) -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        wecom.add_member("zhang", "张伟")
        calls = calls_of(wecom, watch, tmp_path)
        await calls.post("message/send", words())
        wecom.wire.revoke()
        await asyncio.gather(*(calls.post("message/send", words()) for _ in range(8)))
        assert len(wecom.calls("gettoken")) == 2
        assert len(wecom.posts("zhang")) == 9


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_token_that_is_always_refused_is_asked_for_twice_and_no_more(code: int) -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        wecom.fail_next(1000, code, path="message/send")
        error = await failure(calls_of(wecom, watch))
        assert isinstance(error, TryLater)
        assert error.whole_account
        assert len(wecom.calls("message/send")) == 2
        assert len(wecom.calls("gettoken")) == 2


async def test_wrong_secret_is_not_tried_in_a_loop() -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        calls = calls_of(wecom, watch, secret="wrong")
        for _ in range(20):
            error = await failure(calls)
            assert (type(error), error.reason) == (TryLater, "应用的 Secret 不对（40001）")
        assert len(wecom.calls("gettoken")) == 1
        watch.at += 3600
        await failure(calls)
        assert len(wecom.calls("gettoken")) == 2


@pytest.mark.parametrize(
    ("code", "kind", "whole"),
    [
        (-1, TryLater, False),
        (45033, TryLater, False),
        (45009, TryLater, True),
        (60020, TryLater, True),
        (48002, TryLater, True),
        (60111, Undeliverable, None),
        (60011, Undeliverable, None),
        (81013, Undeliverable, None),
        (95001, Closed, None),
        (45002, Rejected, None),
        (85002, Rejected, None),
        (95018, Closed, None),
        (95016, Rejected, None),
        (987654, Rejected, None),
    ],
)
async def test_codes_become_our_errors(code: int, kind: type[DeliveryError], whole: bool | None) -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        wecom.fail_next(1, code)
        error = await failure(calls_of(wecom, watch))
        assert type(error) is kind
        assert getattr(error, "whole_account", None) is whole
        assert str(code) in error.reason
        assert "TOKEN" not in error.reason


async def test_lost_answer_is_unknown_and_refusal_at_the_door_is_not() -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        wecom.add_member("zhang", "张伟")
        calls = calls_of(wecom, watch)
        wecom.drop_answer_after_work()
        assert type(await failure(calls)) is Unknown
        wecom.garble_answer(1, b"<html>")
        assert type(await failure(calls)) is Unknown
        wecom.break_next(1, 502)
        assert type(await failure(calls)) is Unknown
        wecom.break_next(1, 503)
        assert type(await failure(calls)) is TryLater
        assert len(wecom.posts("zhang")) == 2
        wecom.drop_answer_after_work()
        with pytest.raises(TryLater):
            await calls.get("user/get", userid="zhang")


async def test_platform_out_of_reach_is_only_a_reason_to_wait() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    calls = Calls(CORP, APP_SECRET, base_url=f"http://127.0.0.1:{port}", token_folder=None, now=Watch())
    error = await failure(calls)
    assert type(error) is TryLater
    assert APP_SECRET not in error.reason


async def test_media_go_up_and_come_down_within_their_bounds() -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        calls = calls_of(wecom, watch)
        media_id = await calls.upload("image", JPEG, "井盖.jpg")
        assert wecom.world.media[media_id].name == "井盖.jpg"
        assert await calls.download(media_id, most=1000) == JPEG
        with pytest.raises(Rejected):
            await calls.download(media_id, most=50)
        with pytest.raises(Rejected):
            await calls.upload("image", b"GIF89a....", "x.gif")
        wecom.wire.revoke()
        assert await calls.download(media_id, most=1000) == JPEG
        watch.at += 3 * 24 * 3600 + 1
        with pytest.raises(Rejected):
            await calls.download(media_id, most=1000)


async def test_closed_calls_open_again() -> None:
    watch = Watch()
    async with WeComEmulator(now=watch) as wecom:
        wecom.add_member("zhang", "张伟")
        calls = calls_of(wecom, watch)
        await calls.post("message/send", words())
        calls.close()
        await calls.post("message/send", words())
        calls.close()
        assert len(wecom.posts("zhang")) == 2
