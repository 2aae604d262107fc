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
from domain import areas, chats, people
from domain.chats import ChatPurpose, ChatState
from storage.base import Session
from storage.people import PrivateChat

TOKEN = "7000001:AAMeasuredMeasuredMeasuredMeasured1"  # noqa: S105  # of a bot that does not exist
ACCOUNT = TOKEN.partition(":")[0]
SECRET = "only-for-measuring"  # noqa: S105  # of a webhook on loopback that lives a few seconds
CHANNEL = "telegram"
WECOM, CORP, AGENT = "wecom", "ww0000000000000001", 1000002
WECOM_ACCOUNT = f"{CORP}:{AGENT}"
CALLBACK_TOKEN = "onlyForMeasuring"  # noqa: S105
AES_KEY = "MeasuredMeasuredMeasuredMeasuredMeasured123"
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


def write_wecom_config(folder: Path, platform: str) -> Path:
    """The same with WeCom's self-built app in the place of Telegram."""
    file = folder / "config.toml"
    lines = [
        f'data_folder = "{folder.as_posix()}"',
        "[web]",
        "port = 0",
        "[wecom]",
        f'corp_id = "{CORP}"',
        f"agent_id = {AGENT}",
        f'secret = "{SECRET}"',
        f'callback_token = "{CALLBACK_TOKEN}"',
        f'aes_key = "{AES_KEY}"',
        f'base_url = "{platform}"',
        "[log]",
        'level = "warning"',
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def add_private_chats(folder: Path) -> None:
    """Every resident of the load has a private chat on both channels, placed in the community."""
    database = open_database(settings_for(folder))
    now = SystemClock().now()
    with database.writing() as session:
        (community,) = areas.communities(session)
        for number in range(updates.RESIDENTS):
            for channel, account, key in (
                (CHANNEL, ACCOUNT, telegram_id(number)),
                (WECOM, WECOM_ACCOUNT, member(number)),
            ):
                person = people.find_or_make_person(
                    session, channel=channel, external_id=key, name="居民", username=None, now=now
                )
                chat = chats.find_or_make(session, channel, account, ChatRef(key, ChatKind.PRIVATE), now=now)
                chat.community_id, chat.area_id, chat.person_id = community.id, community.id, person.id
                found = people.account_of(session, channel, key)
                assert found is not None
                found.private_chat = PrivateChat.OPEN
    database.close()


def telegram_id(resident: int) -> str:
    return str(updates.FIRST_RESIDENT + resident)


def member(resident: int) -> str:
    return f"neighbour{resident:04}"


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
