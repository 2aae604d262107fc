"""`wuwei check` says each thing that is set up wrongly, in plain Chinese, and changes nothing."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bot import checking
from bot.app import open_database
from bot.channels.base import Channel, Finding
from bot.commands.checking import check, line
from core.colleagues import Colleague
from core.config import DatabaseSettings, Settings, TelegramSettings, WebSettings
from core.errors import DeliveryError, TryLater
from core.keys import load_or_make
from core.messages import Bookmark, ChatKind, ChatRef, Incoming, IncomingKind
from domain import calendars, inbox, people
from storage import schema
from storage.database import LEAST_FREE_BYTES
from storage.messages import OutboxState
from storage.people import Role
from tests import builders
from tests.fixtures import start_anew

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
GIB = 1024**3


def settings_in(folder: Path, **changes: object) -> Settings:
    return Settings(data_folder=folder / "data", database=DatabaseSettings()).model_copy(update=changes)


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """An installation with a community and a person with a phone."""
    made = settings_in(tmp_path)
    start_anew(sqlite_template, made.data_folder)
    database = open_database(made)
    with database.writing() as session:
        place = builders.community(session)
        builders.person(session, "周倩", Role.ADMINISTRATOR, place.id, phone="13812345678")
    database.close()
    return made


@pytest.fixture(autouse=True)
def _roomy_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    free_disk(monkeypatch, 100 * GIB)


def free_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


class Asked:
    """A channel that answers a check."""

    name = "made-up"

    def __init__(self, findings: list[Finding] | Exception) -> None:
        self.answer = findings

    async def check(self) -> list[Finding]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def lines(settings: Settings, *channels: Asked, now: datetime = NOW) -> list[str]:
    found = await checking.findings(settings, cast(list[Channel], list(channels)), now=now)
    return [line(each) for each in found]


async def test_check_of_a_sound_installation_finds_nothing_wrong(settings: Settings) -> None:
    assert await lines(settings) == [
        "[注意] 没有接任何平台。要接 Telegram，请把机器人的令牌写进 telegram.token。",
        "[正常] 磁盘剩余 100.0 GB",
        "[正常] 密钥文件只有程序自己能读",
        f"[正常] 数据库可用，版本 {schema.newest()}",
        "[正常] 敏感信息都能用现在的密钥读出来",
        "[注意] 还没有 2027 年的放假和调休安排。国务院公布后请升级程序；在那之前期限按法定节日估算，不知道调休。",
    ]


async def test_check_before_the_first_start_makes_nothing(tmp_path: Path) -> None:
    found = await lines(settings_in(tmp_path))
    assert f"[注意] 还没有数据库 {tmp_path}/data/wuwei.sqlite3。第一次启动时会自己建立。" in found
    assert list(tmp_path.iterdir()) == []


async def test_check_tells_what_the_platform_says(settings: Settings) -> None:
    found = await lines(settings, Asked([Finding(True, "令牌有效"), Finding(False, "隐私模式还开着", "请关掉。")]))
    assert found[0] == "[注意] web.public_url 是本机地址。机器人发出的登录链接只有在这台机器上打得开。"
    assert found[-2:] == ["[正常] 令牌有效", "[问题] 隐私模式还开着。请关掉。"]


async def test_check_does_not_wait_for_ever_for_a_platform(settings: Settings) -> None:
    assert (await lines(settings, Asked(TimeoutError())))[-1] == "[问题] made-up 很久没有回应。请检查网络和代理。"


async def test_check_hands_a_channel_what_the_running_program_wrote_down(settings: Settings) -> None:
    class Remembering(Asked):
        recalled: Mapping[str, str] = {}

        def recall(self, bookmarks: Mapping[str, str]) -> None:
            self.recalled = bookmarks

    database = open_database(settings)
    with database.writing() as session:
        inbox.save_bookmark(session, "made-up", "a", Bookmark("line", "up"))
        inbox.save_bookmark(session, "other", "a", Bookmark("line", "down"))
    database.close()
    asked = Remembering([])
    await lines(settings, asked)
    assert asked.recalled == {"line": "up"}


class Book(Asked):
    """A channel with an address book."""

    name = "book"

    def __init__(self, *listed: Colleague, fault: DeliveryError | None = None) -> None:
        super().__init__([Finding(True, "可以使用")])
        self.listed, self.fault = listed, fault

    async def colleagues(self) -> Sequence[Colleague]:
        if self.fault is not None:
            raise self.fault
        return self.listed

    async def is_gone(self, external_id: str) -> bool:
        return external_id not in {one.external_id for one in self.listed}


async def test_check_names_staff_whom_the_app_is_not_shown(settings: Settings) -> None:
    database = open_database(settings)
    with database.writing() as session:
        place = builders.community(session, "邻里社区")
        for name, role in (("张伟", Role.GRID_WORKER), ("李娜", Role.MEDIATOR), ("王芳", None)):
            who = builders.person(session, name, role, place.id if role else None)
            people.link_account(session, who, channel="book", external_id=name, now=NOW)
    database.close()
    seen = Book(Colleague("张伟"), Colleague("李娜"))
    half = Book(Colleague("张伟"), Colleague("李娜", is_active=False))
    assert (await lines(settings, seen))[-1] == "[正常] 可以使用"
    assert (await lines(settings, half))[-1].startswith(
        "[问题] 有 1 位工作人员不在应用的可见范围里，收不到派单：李调解员。"
    )
    closed = await lines(settings, Book(fault=TryLater(1.0, "应用没有这个接口的权限（48002）")))
    assert closed[-1].startswith("[问题] 读不到企业通讯录：应用没有这个接口的权限（48002）。")


def telegram(**items: object) -> TelegramSettings:
    return TelegramSettings.model_validate({"token": "1:a"} | items)


@pytest.mark.parametrize(
    ("platform", "address", "wrong"),
    [
        ({"mode": "polling"}, "http://127.0.0.1:8600", []),
        ({"mode": "webhook", "webhook_secret": "s"}, "https://a.example", []),
        ({"mode": "webhook", "webhook_secret": "s"}, "http://a.example", ["推送方式要有 https 的公网地址"]),
        ({"mode": "webhook"}, "https://a.example", ["推送方式没有设密码"]),
        ({"mode": "webhook"}, "http://a.example", ["推送方式要有 https 的公网地址", "推送方式没有设密码"]),
    ],
)
async def test_check_compares_the_webhook_with_the_address(
    settings: Settings, platform: dict[str, object], address: str, wrong: list[str]
) -> None:
    changed = settings.model_copy(update={"telegram": telegram(**platform), "web": WebSettings(public_url=address)})
    found = await checking.findings(changed, cast(list[Channel], [Asked([])]), now=NOW)
    assert [each.about for each in found if not each.is_well] == wrong


@pytest.mark.parametrize(
    ("free", "word"),
    [(100 * GIB, "[正常]"), (GIB, "[注意]"), (LEAST_FREE_BYTES - 1, "[问题]")],
)
async def test_check_looks_at_the_disk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, word: str
) -> None:
    free_disk(monkeypatch, free)
    (found,) = (each for each in await lines(settings) if "磁盘剩余" in each)
    assert found.startswith(word)


async def test_check_tells_of_a_key_that_others_can_read(settings: Settings) -> None:
    settings.key_path.chmod(0o640)
    key = settings.key_path
    assert f"[问题] 密钥文件 {key} 别人也能读。请运行 chmod 600 {key}。" in await lines(settings)


async def test_check_tells_of_a_lost_key_and_makes_no_new_one(settings: Settings) -> None:
    settings.key_path.unlink()
    found = await lines(settings)
    assert any(each.startswith(f"[问题] 密钥文件 {settings.key_path} 不在。") for each in found)
    assert not settings.key_path.exists()


async def test_check_tells_of_a_wrong_key(settings: Settings) -> None:
    settings.key_path.unlink()
    load_or_make(settings.key_path)
    advice = "请找回原来的密钥文件；找不回来，只能重新登记这些电话号码。"
    assert f"[问题] 有 1 项敏感信息用现在的密钥读不出来。{advice}" in await lines(settings)


async def test_check_tells_of_a_key_file_that_is_none(settings: Settings) -> None:
    settings.key_path.write_text("hello\n", encoding="ascii")
    assert "[问题] 密钥文件里有一行不是密钥；每行一个，最新的在最前" in await lines(settings)


@pytest.mark.parametrize(
    ("revision", "wrong"),
    [
        ("'9999'", "[问题] 数据库的版本（9999）比程序新。请换回较新的程序。"),
        (None, "[问题] 数据库是旧版本。启动程序时会自己升级；也可以先备份，再运行 wuwei db upgrade。"),
    ],
)
async def test_check_tells_of_another_schema(settings: Settings, revision: str | None, wrong: str) -> None:
    database = open_database(settings)
    order = f"UPDATE alembic_version SET version_num = {revision}" if revision else "DELETE FROM alembic_version"
    with database.writing() as session:
        session.connection().exec_driver_sql(order)
    database.close()
    assert wrong in await lines(settings)


async def test_check_tells_of_a_database_out_of_reach(tmp_path: Path) -> None:
    url = DatabaseSettings.model_validate({"url": "postgresql+psycopg://nobody@127.0.0.1:1/none"})
    settings = settings_in(tmp_path, database=url)
    load_or_make(settings.key_path)
    found = await lines(settings)
    assert "[问题] 连不上数据库（OperationalError）。请检查 database.url、网络和数据库服务。" in found


async def test_check_tells_what_waits_for_a_person(settings: Settings) -> None:
    database = open_database(settings)
    with database.writing() as session:
        group = builders.group(session, builders.community(session, "光明"), NOW)
        held = builders.posted(session, group, "x", now=NOW)
        held.state = OutboxState.HELD
        incoming = Incoming("telegram", "1", "u", IncomingKind.UNREADABLE, ChatRef("", ChatKind.GROUP), None, NOW)
        key = inbox.mark_failed(session, incoming, error="unreadable", raw="{", now=NOW).id
    database.close()
    found = await lines(settings)
    assert "[注意] 有 1 条消息扣住或没有送到。请在工作台的“收发”里逐条决定。" in found
    assert any(each.startswith("[问题] 有 1 条收到的消息处理时出了差错。升级后") for each in found)
    assert any(each.endswith(f"wuwei replay {key}。") for each in found)


@pytest.mark.parametrize(
    ("known", "month", "expected"),
    [
        ({2026, 2027}, 12, []),
        ({2026}, 11, ["[注意] 还没有 2027 "]),
        ({2026}, 12, ["[问题] 还没有 2027 "]),
        (set(), 12, ["[问题] 没有 2026 ", "[问题] 还没有 2027 "]),
    ],
)
async def test_check_looks_for_the_holidays_of_next_year(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, known: set[int], month: int, expected: list[str]
) -> None:
    monkeypatch.setattr(checking, "has_holiday_data", lambda year: year in known)
    found = await lines(settings, now=NOW.replace(month=month))
    assert [each.partition("年的")[0] for each in found if "放假" in each] == expected


def test_calendar_knows_this_year() -> None:
    assert calendars.has_holiday_data(2026)


Arrange = Callable[[Settings], object]


@pytest.mark.parametrize(
    ("arrange", "code", "last"),
    [
        (lambda _: None, 0, "没有发现问题。"),
        (lambda settings: settings.key_path.chmod(0o644), 1, "发现 1 个问题。"),
    ],
)
def test_check_command_ends_with_a_code_for_scripts(
    settings: Settings,
    arrange: Arrange,
    code: int,
    last: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arrange(settings)
    monkeypatch.chdir(settings.data_folder.parent)
    monkeypatch.setattr("bot.commands.opening.logs.set_up", lambda _: None)
    if code:
        with pytest.raises(SystemExit) as ended:
            check(None)
        assert ended.value.code == code
    else:
        check(None)
    assert capsys.readouterr().out.splitlines()[-1] == last
