"""WeCom switched on by the configuration: which channels there are, and that their door in the running program is open."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from bot.app import App
from bot.channels.registry import make_channels
from core.clock import SystemClock
from core.config import RobotSettings, Settings, WebSettings, WeComSettings
from domain.customer_groups import registry
from storage.chats import Chat
from tests import builders
from tests.emulators.wecom import AES_KEY, AGENT, APP_SECRET, CORP, KF_SECRET, TOKEN, WeComEmulator
from tests.emulators.wecom_aibot import BOT, NAME, SECRET, AibotEmulator
from tests.patience import PATIENCE


def settings(folder: Path, base_url: str, **changes: object) -> Settings:
    wecom = WeComSettings(
        corp_id=CORP,
        base_url=base_url,
        agent_id=AGENT,
        secret=SecretStr(APP_SECRET),
        callback_token=SecretStr(TOKEN),
        aes_key=SecretStr(AES_KEY),
    )
    return Settings(data_folder=folder, web=WebSettings(port=0), wecom=wecom.model_copy(update=changes))


def test_channels_are_those_that_have_a_secret(tmp_path: Path) -> None:
    def names(**changes: object) -> list[tuple[str, str]]:
        made = make_channels(settings(tmp_path, "http://127.0.0.1:1", **changes), ())
        return [(channel.name, channel.account) for channel in made]

    app, kf = ("wecom", f"{CORP}:{AGENT}"), ("wecom_kf", CORP)
    assert make_channels(Settings(), ()) == []
    assert names() == [app]
    assert names(kf_secret=SecretStr(KF_SECRET)) == [kf, app]
    own = {"kf_callback_token": SecretStr(TOKEN), "kf_aes_key": SecretStr(AES_KEY)}
    assert names(secret=SecretStr(""), kf_secret=SecretStr(KF_SECRET), **own) == [kf]
    groups = ("wecom_group", CORP)
    assert names(customer_groups=True) == [groups, app]
    assert names(customer_groups=True, kf_secret=SecretStr(KF_SECRET)) == [kf, groups, app]


def test_bot_and_robots_need_no_corp(tmp_path: Path) -> None:
    """With a secret the bot connects, without one it is called; each robot is an account of its own."""

    def kinds(**changes: object) -> list[tuple[str, str, str]]:
        wecom = WeComSettings(bot_id="aib1").model_copy(update=changes)
        made = make_channels(Settings(data_folder=tmp_path, wecom=wecom), ())
        return [(type(one).__name__, one.name, one.account) for one in made]

    called = {"bot_callback_token": SecretStr(TOKEN), "bot_aes_key": SecretStr(AES_KEY)}
    assert kinds(bot_secret=SecretStr("s")) == [("AibotChannel", "wecom_bot", "aib1")]
    assert kinds(**called) == [("AibotHookChannel", "wecom_bot", "aib1")]
    robots = tuple(RobotSettings(key=SecretStr(key), title="工作群") for key in ("k1", "k2"))
    found = kinds(bot_id="", robots=robots)
    assert [(kind, name) for kind, name, _ in found] == [("RobotChannel", "wecom_robot")] * 2
    assert len({account for _, _, account in found}) == 2


async def test_running_program_proves_its_address_and_answers_a_member(tmp_path: Path) -> None:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        chosen = settings(tmp_path, wecom.base_url, kf_secret=SecretStr(KF_SECRET))
        app = App(chosen, SystemClock())
        await app.start()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{app.port}") as client:
                wecom.connect(client)
                assert await wecom.pusher.verify()
                assert await wecom.kf_pusher.verify()
                assert (await client.get("/hooks/telegram")).status_code == 404
                assert [one["name"] for one in wecom.app.menu["button"]] == ["帮助", "我的", "我的任务"]
                pushed = wecom.event("zhang", "click", EventKey="/tasks")
                while wecom.pending:
                    await app.settle()
                await app.settle()
                assert pushed.statuses == [200]
                assert wecom.texts("zhang") == ["这个功能只给社区工作人员和网格员使用。"]
        finally:
            await app.stop()
        assert len(list((tmp_path / "tokens").glob("*.token"))) == 2


async def test_running_program_keeps_the_register_and_hands_posts_over(tmp_path: Path) -> None:
    """The link of 微信客服 goes into the welcome; the app's address brings what happens in the groups."""
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        known = wecom.add_group("旧群", "zhang", tells=False)
        chosen = settings(tmp_path, wecom.base_url, kf_secret=SecretStr(KF_SECRET), customer_groups=True)
        app = App(chosen, SystemClock())
        await app.start()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{app.port}") as client:
                wecom.connect(client)
                assert (await client.get("/hooks/wecom_group")).status_code in (404, 405)
                new = wecom.add_group("新群", "zhang")
                await until(lambda: {chat.external_id for chat in groups_of(app)} == {known, new})
            with app.database.writing() as session:
                place = builders.community(session)
                for chat in groups_of(app):
                    registry.bind(session, place.id, chat.id, place.grid, sees_unbound=True)
            app.wake()
            await until(lambda: wecom.groups.welcomes)
            (welcome,) = wecom.groups.welcomes.values()
            assert f"scene_param=area_{place.grid.id}" in welcome["link"]["url"]
        finally:
            await app.stop()


def groups_of(app: App) -> list[Chat]:
    with app.database.reading() as session:
        return list(session.scalars(select(Chat).where(Chat.channel == "wecom_group")))


async def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_running_program_connects_its_bot_and_answers(tmp_path: Path) -> None:
    async with AibotEmulator() as wecom:
        wecom.add_member("zhang")
        chosen = WeComSettings(bot_id=BOT, bot_secret=SecretStr(SECRET), bot_name=NAME, bot_url=wecom.url)
        app = App(Settings(data_folder=tmp_path, web=WebSettings(port=0), wecom=chosen), SystemClock())
        await app.start()
        try:
            wecom.say("zhang", "zhang", "任务")
            await wecom.until(lambda: wecom.texts("zhang"))
            assert wecom.texts("zhang") == ["这个功能只给社区工作人员和网格员使用。"]
        finally:
            await app.stop()
        assert not wecom.lines.is_connected
