"""The community that is measured: the made-up one of the demo, bound to six Telegram groups, with its staff reachable in private."""

import shutil
from datetime import datetime
from pathlib import Path

from bot.app import open_database
from bot.bench import updates
from bot.sample.load import load_sample, sample_people
from core.clock import SystemClock
from core.config import DatabaseSettings, LogSettings, Settings, TelegramSettings, WebSettings
from core.messages import ChatKind, ChatRef
from domain import chats, people
from domain.chats import ChatPurpose, ChatState
from storage.base import Session
from storage.people import PrivateChat

TOKEN = "7000001:AAMeasuredMeasuredMeasuredMeasured1"  # noqa: S105  # of a bot that does not exist
ACCOUNT = TOKEN.partition(":")[0]
SECRET = "only-for-measuring"  # noqa: S105  # of a webhook on loopback that lives a few seconds
CHANNEL = "telegram"
DATABASE = "wuwei.sqlite3"


def make_template(folder: Path) -> Path:
    """A data folder with the community in it, at the newest schema; copies of it are what servers run on."""
    settings = settings_for(folder)
    database = open_database(settings)
    with database.writing() as session:
        _fill(session, SystemClock().now())
    database.close()
    return folder


def copy_of(template: Path, folder: Path) -> Path:
    """A fresh copy, in place of what stood there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


def settings_for(folder: Path, *, telegram: str = "https://api.telegram.org") -> Settings:
    """What a measured process runs with: its own folder, a free port, the stand-in for Telegram."""
    return Settings(
        data_folder=folder,
        database=DatabaseSettings(),
        web=WebSettings(host="127.0.0.1", port=0),
        telegram=TelegramSettings(token=TOKEN, mode="webhook", base_url=telegram, webhook_secret=SECRET),
        log=LogSettings(level="warning"),
    )


def write_config(folder: Path, telegram: str) -> Path:
    """The same as a file for `wuwei run --config`."""
    file = folder / "config.toml"
    lines = [
        f'data_folder = "{folder.as_posix()}"',
        "[web]",
        "port = 0",
        "[telegram]",
        f'token = "{TOKEN}"',
        'mode = "webhook"',
        f'base_url = "{telegram}"',
        f'webhook_secret = "{SECRET}"',
        "[log]",
        'level = "warning"',
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _fill(session: Session, now: datetime) -> None:
    summary = load_sample(session, now=now)
    residents = [
        chat for chat in chats.of_community(session, summary.community_id) if chat.purpose == ChatPurpose.RESIDENTS
    ]
    for number in range(updates.GROUPS):
        ref = ChatRef(str(updates.group_id(number)), ChatKind.GROUP, f"第{number + 1}居民群")
        group = chats.find_or_make(session, CHANNEL, ACCOUNT, ref, now=now)
        group.community_id, group.state = summary.community_id, ChatState.BOUND
        group.area_id = residents[number % len(residents)].area_id
    for place, (code, person) in enumerate(sorted(people.with_codes(session, _codes()).items())):
        key = str(5_200_000_001 + place)
        chat = chats.find_or_make(session, CHANNEL, ACCOUNT, ChatRef(key, ChatKind.PRIVATE, code), now=now)
        chat.community_id, chat.state, chat.person_id = summary.community_id, ChatState.BOUND, person.id
        account = people.link_account(session, person, channel=CHANNEL, external_id=key, now=now)
        account.private_chat = PrivateChat.OPEN


def _codes() -> list[str]:
    return [persona.id for persona in sample_people()]
