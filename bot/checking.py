"""What `wuwei check` looks at, read-only: the machine, the data, the key, the calendar and each platform."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from bot.backup import sqlite_file
from bot.channels.base import Channel, Finding, Listing, Recalling
from core.clock import in_china
from core.config import Settings
from core.errors import ConfigError, DeliveryError
from core.keys import load_or_make
from domain import areas, inbox, sealing, sending
from domain.calendars import has_holiday_data
from domain.colleagues import leaving
from storage import schema
from storage.base import Session
from storage.database import LEAST_FREE_BYTES, Database

FEW_FREE_BYTES = 2 * 1024**3
MOST_SEALED = 500
MOST_NAMED = 10
PLATFORM_SECONDS = 40
# The arrangement of next year is published in November; after that it should be here.
ARRANGED_FROM_MONTH = 12


@dataclass(slots=True)
class Known:
    """What a sound database tells those who ask a platform: `staff` are those on duty by their accounts where there is an address book."""

    channels: Sequence[Channel]
    today: date
    staff: Mapping[str, str] = field(default_factory=dict)

    def read(self, session: Session) -> None:
        for channel in self.channels:
            if isinstance(channel, Recalling):
                channel.recall(inbox.bookmarks(session, channel.name))
            if isinstance(channel, Listing):
                self.staff = leaving.staff_of(session, channel.name, today=self.today)


async def findings(settings: Settings, channels: Sequence[Channel], *, now: datetime) -> list[Finding]:
    """Everything that was looked at. A finding that is well but has advice is worth knowing, and nothing is broken."""
    found = [*_about_settings(settings, channels), _about_disk(settings.data_folder)]
    known = Known(channels, in_china(now).date())
    found += await asyncio.to_thread(_about_data, settings, known)
    found += _about_calendar(now)
    for channel in channels:
        about = await _about_channel(channel)
        found += about
        if isinstance(channel, Listing) and about[0].is_well:
            found += await _about_colleagues(channel, known.staff)
    return found


def _about_settings(settings: Settings, channels: Sequence[Channel]) -> Iterator[Finding]:
    telegram, public_url = settings.telegram, settings.web.public_url
    if not channels:
        yield Finding(True, "没有接任何平台", "要接 Telegram，请把机器人的令牌写进 telegram.token。")
    if telegram.token.get_secret_value() and telegram.mode == "webhook":
        if not public_url.startswith("https://"):
            yield Finding(
                False, "推送方式要有 https 的公网地址", "请改 web.public_url，或把 telegram.mode 改成 polling。"
            )
        if not telegram.webhook_secret.get_secret_value():
            yield Finding(False, "推送方式没有设密码", "请在 telegram.webhook_secret 写一段随机文字，否则收不到消息。")
    if channels and public_url.startswith(("http://127.", "http://localhost")):
        yield Finding(True, "web.public_url 是本机地址", "机器人发出的登录链接只有在这台机器上打得开。")
    elif channels and not public_url.startswith("https://"):
        yield Finding(True, "web.public_url 不是 https", "登录链接会在网络上明文传送；请放到有证书的反向代理后面。")


def _about_disk(folder: Path) -> Finding:
    while not folder.exists():
        folder = folder.absolute().parent
    free = shutil.disk_usage(folder).free
    about = f"磁盘剩余 {free / 1024**3:.1f} GB"
    if free < LEAST_FREE_BYTES:
        return Finding(False, about, "不足 50 MB，程序会拒绝启动；请马上腾出空间。")
    return Finding(True, about, "快满了，请安排清理或扩容。" if free < FEW_FREE_BYTES else "")


def _about_data(settings: Settings, known: Known) -> list[Finding]:
    file = sqlite_file(settings)
    if file is not None and not file.is_file():
        return [Finding(True, f"还没有数据库 {file}", "第一次启动时会自己建立。")]
    key = _about_key(settings.key_path)
    if not settings.key_path.is_file():
        return [key]
    try:
        database = Database(settings.database_url, load_or_make(settings.key_path))
    except ConfigError as error:
        return [key, *(Finding(False, fault) for fault in error.faults)]
    try:
        return [key, *_about_database(database, known)]
    finally:
        database.close()


def _about_key(path: Path) -> Finding:
    if not path.is_file():
        advice = "请把备份的密钥文件放回去。没有它，程序会新建一把，已加密的电话号码就读不出来了。"
        return Finding(False, f"密钥文件 {path} 不在", advice)
    if path.stat().st_mode & 0o077:
        return Finding(False, f"密钥文件 {path} 别人也能读", f"请运行 chmod 600 {path}。")
    return Finding(True, "密钥文件只有程序自己能读")


def _about_database(database: Database, known: Known) -> Iterator[Finding]:
    try:
        revision = schema.current(database)
        alive = database.is_alive()
    except Exception as error:  # noqa: BLE001 - a driver's own error: whatever it is, the database cannot be used
        advice = "请检查 database.url、网络和数据库服务。"
        yield Finding(False, f"连不上数据库（{type(error).__name__}）", advice)
        return
    if not alive:
        yield Finding(False, "数据库没有正确回应", "请检查 database.url 和数据库服务。")
    if not schema.is_known(revision):
        yield Finding(False, f"数据库的版本（{revision}）比程序新", "请换回较新的程序。")
    elif revision != schema.newest():
        yield Finding(False, "数据库是旧版本", "启动程序时会自己升级；也可以先备份，再运行 wuwei db upgrade。")
    else:
        yield Finding(True, f"数据库可用，版本 {revision}")
        with database.reading() as session:
            yield from _about_rows(session)
            known.read(session)


def _about_rows(session: Session) -> Iterator[Finding]:
    sealed = sealing.count(session, most=MOST_SEALED)
    if sealed.lost:
        about = f"有 {sealed.lost} 项敏感信息用现在的密钥读不出来"
        yield Finding(False, about, "请找回原来的密钥文件；找不回来，只能重新登记这些电话号码。")
    else:
        yield Finding(True, "敏感信息都能用现在的密钥读出来")
    if not areas.communities(session):
        yield Finding(True, "还没有社区", "请先运行 wuwei import areas 文件。")
    states = sending.counts(session)
    stuck = states.get("held", 0) + states.get("given_up", 0)
    if stuck:
        yield Finding(True, f"有 {stuck} 条消息扣住或没有送到", "请在工作台的“收发”里逐条决定。")
    failed = inbox.failed(session)
    if failed:
        about = f"有 {len(failed)} 条收到的消息处理时出了差错"
        yield Finding(False, about, f"升级后可以逐条重试，例如 wuwei replay {failed[0].id}。")


def _about_calendar(now: datetime) -> Iterator[Finding]:
    today = in_china(now).date()
    if not has_holiday_data(today.year):
        yield Finding(False, f"没有 {today.year} 年的放假和调休安排", "请升级程序；在那之前期限按法定节日估算。")
    if not has_holiday_data(today.year + 1):
        advice = "国务院公布后请升级程序；在那之前期限按法定节日估算，不知道调休。"
        is_well = today.month < ARRANGED_FROM_MONTH
        yield Finding(is_well, f"还没有 {today.year + 1} 年的放假和调休安排", advice)


async def _about_channel(channel: Channel) -> list[Finding]:
    try:
        async with asyncio.timeout(PLATFORM_SECONDS):
            return await channel.check()
    except TimeoutError:
        return [Finding(False, f"{channel.name} 很久没有回应", "请检查网络和代理。")]


async def _about_colleagues(channel: Listing, staff: Mapping[str, str]) -> list[Finding]:
    """Whoever has a duty and an account there, and is not shown to us, gets nothing that we send. They are named as in front of
    residents: this is told in staff groups too."""
    try:
        async with asyncio.timeout(PLATFORM_SECONDS):
            listed = {one.external_id for one in await channel.colleagues() if one.is_active}
    except (DeliveryError, TimeoutError) as error:
        reason = error.reason if isinstance(error, DeliveryError) else "很久没有回应"
        advice = "请在管理后台给这个应用开通通讯录的读取权限，并设好可见范围。"
        return [Finding(False, f"读不到企业通讯录：{reason}", advice)]
    hidden = [name for external_id, name in staff.items() if external_id not in listed]
    if not hidden:
        return []
    about = f"有 {len(hidden)} 位工作人员不在应用的可见范围里，收不到派单：{'、'.join(hidden[:MOST_NAMED])}"
    advice = "请在管理后台 → 应用管理 → 自建 → 这个应用 → 可见范围，加上他们；已经离职的，请到工作台“人员 → 通讯录”停掉权限。"
    return [Finding(False, about, advice)]
