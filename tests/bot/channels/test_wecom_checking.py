"""What `wuwei check` finds wrong with a corp, each on the strict emulators with the real client: the words and the place to mend it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.channels.base import Finding
from bot.channels.wecom.aibot import Bot
from bot.channels.wecom.aibot_hook import AibotHookChannel
from bot.channels.wecom.app import AppChannel, Corp
from bot.channels.wecom.crypto import Envelope
from bot.channels.wecom.kf import KfChannel
from bot.channels.wecom.reachable import address_findings
from bot.channels.wecom.robot import Robot, RobotChannel
from core.hooks import HookAnswer, HookCall
from tests.emulators.local_server import LocalServer
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, KF_SECRET, OPEN_KFID, TOKEN, WeComEmulator
from tests.emulators.wecom_robot import KEY, RobotEmulator
from web.hooks import HookDoor

OTHER_KEY = "kWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
GOOD_APP = Finding(True, "企业微信自建应用“五微”可以使用")


async def checked(wecom: WeComEmulator, **changes: object) -> list[Finding]:
    """What the app says of itself; `changes` are of its corp, or its agent and the host of its sign-in."""
    given: dict[str, object] = {"agent_id": AGENT, "sign_in_host": ""}
    given |= {name: changes.pop(name) for name in ("agent_id", "sign_in_host") if name in changes}
    corp = replace(Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url), **changes)  # type: ignore[arg-type]
    app = AppChannel(corp, **given)  # type: ignore[arg-type]
    try:
        return await app.check()
    finally:
        await app.stop()


async def kf_checked(wecom: WeComEmulator, *open_kfids: str, secret: str = KF_SECRET) -> list[Finding]:
    kf = KfChannel(Corp(CORP, secret, TOKEN, AES_KEY, base_url=wecom.base_url), open_kfids=open_kfids)
    try:
        return await kf.check()
    finally:
        await kf.stop()


@asynccontextmanager
async def corp_with_a_member() -> AsyncIterator[WeComEmulator]:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        yield wecom


@pytest.mark.parametrize(
    ("code", "about", "place"),
    [
        (60020, "服务器的 IP 127.0.0.1 不在“企业可信 IP”里（60020）", "企业可信 IP → 配置，加上上面这个 IP"),
        (48002, "应用没有这个接口的权限（48002）", "接口权限"),
        (60011, "应用的可见范围不含此人（60011）", "可见范围 → 编辑"),
        (50003, "应用已停用（50003）", "打开右上角的启用"),
        (301002, "AgentId 不是这个应用的（301002）", "AgentId 和 Secret 属于同一个应用"),
        (45009, "企业微信请稍后再试（45009）", "过几分钟"),
        (99999, "企业微信不接受这条消息（99999）", "维护人员"),
    ],
)
async def test_refusal_of_the_app_is_told_with_its_place(code: int, about: str, place: str) -> None:
    async with corp_with_a_member() as wecom:
        assert await checked(wecom) == [GOOD_APP]
        wecom.wire.refused_paths["agent/get"] = code
        (found,) = await checked(wecom)
        assert (found.is_well, found.about) == (False, f"企业微信自建应用：{about}")
        assert place in found.advice


async def test_wrong_secret_corp_and_agent_are_told_apart() -> None:
    async with corp_with_a_member() as wecom:
        wrong = [
            await checked(wecom, secret="not-the-secret"),
            await checked(wecom, corp_id="ww-not-ours"),
            await checked(wecom, agent_id=1),
        ]
        wecom.wire.trusts_us = False
        wrong.append(await checked(wecom))
    wrong.append(await checked(wecom))
    assert [(one.is_well, one.about) for (one,) in wrong] == [
        (False, "企业微信自建应用：应用的 Secret 不对（40001）"),
        (False, "企业微信自建应用：企业 ID（CorpID）不对（40013）"),
        (False, "企业微信自建应用：应用的 AgentId 不对（40056）"),
        (False, "企业微信自建应用：服务器的 IP 127.0.0.1 不在“企业可信 IP”里（60020）"),
        (False, "企业微信自建应用：WeCom is out of reach: ConnectionError"),
    ]
    places = ["wecom_secret", "wecom.corp_id", "wecom.agent_id", "企业可信 IP", "wecom.base_url"]
    assert [place in one.advice for place, (one,) in zip(places, wrong, strict=True)] == [True] * 5
    assert "not-the-secret" not in repr(wrong)


async def test_app_that_is_off_sees_nobody_or_is_not_trusted_is_told() -> None:
    async with WeComEmulator() as wecom:
        (well, found) = await checked(wecom)
        assert well == GOOD_APP
        assert (found.is_well, found.about) == (False, "企业微信自建应用的可见范围是空的，谁也收不到消息")
        assert "可见范围 → 编辑" in found.advice
        wecom.add_member("zhang", "张伟")
        assert await checked(wecom, sign_in_host="desk.example") == [GOOD_APP]
        (well, found) = await checked(wecom, sign_in_host="other.example")
        assert (found.is_well, "可信域名，写 other.example" in found.advice) == (False, True)
        wecom.app.settings["close"] = 1
        assert [(one.is_well, one.about) for one in await checked(wecom)] == [(False, "企业微信自建应用已停用")]


async def test_kf_that_cannot_be_called_is_told_with_its_place() -> None:
    async with WeComEmulator() as wecom:
        assert await kf_checked(wecom, OPEN_KFID) == [Finding(True, "微信客服可以使用：社区小助手")]
        found = await kf_checked(wecom, OPEN_KFID, "wk-of-nobody")
        assert [(one.is_well, one.about) for one in found] == [(False, "微信客服没有 wk-of-nobody 这个账号")]
        (wrong,) = await kf_checked(wecom, secret="not-the-secret")
        assert ("40001" in wrong.about, "微信客服 → API，复制 Secret" in wrong.advice) == (True, True)
        wecom.wire.refused_paths["kf/account/list"] = 48002
        (wrong,) = await kf_checked(wecom)
        assert ("48002" in wrong.about, "可调用接口的应用，加上这个应用" in wrong.advice) == (True, True)
        del wecom.wire.refused_paths["kf/account/list"]
        wecom.kf.unmanaged.add(OPEN_KFID)
        (wrong,) = await kf_checked(wecom)
        assert (wrong.is_well, wrong.about) == (
            False,
            "微信客服的账号“社区小助手”没有交给这个应用管理，收发不了消息",
        )
        wecom.kf.accounts.clear()
        assert [one.about for one in await kf_checked(wecom)] == ["微信客服没有可用的客服账号"]


async def test_robot_is_asked_without_a_word_in_its_group() -> None:
    async with RobotEmulator() as wecom:
        for key, expected in (
            (KEY, Finding(True, "企业微信群机器人“工作群”可以使用；它只能发，不能收")),
            ("wrong", None),
        ):
            robot = RobotChannel(Robot(key, "工作群", base_url=wecom.base_url))
            (found,) = await robot.check()
            await robot.stop()
            if expected is not None:
                assert found == expected
                continue
            assert (found.is_well, found.about) == (
                False,
                "企业微信群机器人“工作群”：群机器人的 Webhook 地址不对或已被移出群（93000）",
            )
            assert "消息推送" in found.advice
        assert wecom.posts == []


# The receive-address


class Elsewhere:
    """A website that is not the program: it answers everything with one status and one body."""

    def __init__(self, status: int, body: bytes = b"", delay: float = 0.0) -> None:
        self._status, self._body, self._delay = status, body, delay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self._delay)
        headers = [(b"location", b"https://desk.example/")] if self._status == 302 else []
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


async def asked(app: ASGIApp, envelope: Envelope | None = None, path: str = "/hooks/wecom") -> list[Finding]:
    """What is found of an address on this machine, of which the first is always that it is on this machine."""
    server = LocalServer()
    url = await server.open(app)
    try:
        here, *found = await address_findings("自建应用", url, path, envelope or Envelope(TOKEN, AES_KEY, CORP))
    finally:
        await server.close()
    assert (here.is_well, here.about) == (False, "自建应用的回调地址：127.0.0.1 是本机，企业微信到不了")
    return [replace(one, about=one.about.replace(f"{url}{path}", "URL")) for one in found]


def the_program() -> HookDoor:
    app = AppChannel(Corp(CORP, APP_SECRET, TOKEN, AES_KEY), agent_id=AGENT)
    return HookDoor({}, {"wecom": app.answer_hook})


async def test_address_is_asked_as_wecom_asks_it() -> None:
    well = [Finding(True, "自建应用的回调地址 URL：应答正确")]
    assert await asked(the_program()) == well
    (other_key,) = await asked(the_program(), Envelope(TOKEN, OTHER_KEY, CORP))
    (other_token,) = await asked(the_program(), Envelope("other", AES_KEY, CORP))
    (no_path,) = await asked(the_program(), path="/hooks/wecom_kf")
    words = "自建应用的回调地址 URL：有程序应答，但 Token 或 EncodingAESKey 对不上（403）"
    assert [one.about for one in (other_key, other_token)] == [words] * 2
    assert no_path.about == "自建应用的回调地址 URL：有网站应答，但不认识这个地址（404）"


@pytest.mark.parametrize(
    ("site", "about"),
    [
        (Elsewhere(200, b"<html>welcome</html>"), "答话的不是这个程序"),
        (Elsewhere(302), "被转到了别处（302）"),
        (Elsewhere(502), "反向代理在，后面的程序没有应答（502）"),
        (Elsewhere(503), "程序还没准备好（503）"),
        (Elsewhere(500), "应答不对（500）"),
    ],
)
async def test_address_that_is_somebody_elses_is_told(site: Elsewhere, about: str) -> None:
    (found,) = await asked(site)
    assert (found.is_well, found.about) == (False, f"自建应用的回调地址 URL：{about}")


async def test_address_that_answers_late_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.wecom.reachable.WITHIN", 0.0)
    (found,) = await asked(the_program())
    assert (found.is_well, "企业微信只等 1 秒" in found.about) == (False, True)


async def test_address_where_nobody_listens_or_that_has_no_number_is_told() -> None:
    envelope = Envelope(TOKEN, AES_KEY, CORP)
    _, found = await address_findings("自建应用", "http://127.0.0.1:9", "/hooks/wecom", envelope)
    assert (found.is_well, found.about) == (False, "自建应用的回调地址 http://127.0.0.1:9/hooks/wecom：连不上")
    (found,) = await address_findings("自建应用", f"https://{'x' * 64}.example", "/hooks/wecom", envelope)
    assert (found.is_well, found.about) == (False, f"自建应用的回调地址：域名 {'x' * 64}.example 查不到")


async def test_address_with_a_certificate_of_nobody_is_told() -> None:
    """Plain HTTP where TLS is spoken breaks the handshake just as a bad certificate does."""
    server = LocalServer()
    url = await server.open(Elsewhere(200))
    try:
        found = await address_findings(
            "自建应用", url.replace("http:", "https:"), "/hooks/wecom", Envelope(TOKEN, AES_KEY, CORP)
        )
    finally:
        await server.close()
    assert [one.about.rpartition("：")[2] for one in found][1:] == ["证书不被信任或已过期"]


async def test_each_channel_asks_for_its_own_address() -> None:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        bot = AibotHookChannel(
            Bot("aib", token=TOKEN, aes_key=AES_KEY), base_url=wecom.base_url, public_url="http://127.0.0.1:9"
        )
        corp = Corp(CORP, KF_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url, public_url="http://127.0.0.1:9")
        kf = KfChannel(corp)
        found = [
            *await checked(wecom, public_url="http://127.0.0.1:9"),
            *await kf.check(),
            *await bot.check(),
        ]
        await kf.stop()
    assert [one.about for one in found if "连不上" in one.about] == [
        "自建应用的回调地址 http://127.0.0.1:9/hooks/wecom：连不上",
        "微信客服的回调地址 http://127.0.0.1:9/hooks/wecom_kf：连不上",
        "智能机器人的回调地址 http://127.0.0.1:9/hooks/wecom_bot：连不上",
    ]


async def test_proof_of_the_address_tells_nobody_anything() -> None:
    """What is asked is a word drawn for the occasion; the same question again is answered again."""
    seen: list[str] = []

    async def note(call: HookCall) -> HookAnswer:
        seen.append(call.query)
        return HookAnswer(403)

    for _ in range(2):
        await asked(HookDoor({}, {"wecom": note}))
    assert len(set(seen)) == 2
