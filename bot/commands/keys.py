"""`wuwei key add`: a fresh key in front of the old ones, and everything sealed anew with it; `key new` when the old one is lost."""

from pathlib import Path

import typer

from bot.backup import refuse_while_running
from bot.commands.opening import database_of, settings_of
from core.clock import SystemClock
from core.errors import ConfigError
from core.keys import add_key, load_or_make
from domain import accounts, sealing


def add(config: Path | None) -> None:
    settings = settings_of(config)
    # A running process does not know the fresh key: it would find every number unreadable.
    refuse_while_running(settings)
    if not settings.key_path.is_file():
        raise ConfigError([f"还没有密钥文件 {settings.key_path}；第一次启动程序时会自己建立"])
    add_key(settings.key_path)
    with database_of(settings) as database, database.writing() as session:
        sealed = sealing.reseal(session)
        detail = {"resealed": sealed.open, "lost": sealed.lost}
        accounts.audit(session, person_id=None, act="key.add", now=SystemClock().now(), detail=detail)
    typer.echo(
        f"已换上新密钥，{sealed.open} 项敏感信息用它重新加密。请马上把密钥文件 {settings.key_path} 另外备份一份。"
    )
    if sealed.lost:
        typer.echo(f"有 {sealed.lost} 项是用已经丢失的密钥加密的，读不出来，原样留着。")


def new(config: Path | None) -> None:
    """A key file in place of a lost one; what the lost key sealed stays sealed for ever."""
    settings = settings_of(config)
    if settings.key_path.exists():
        raise ConfigError([f"密钥文件 {settings.key_path} 在原处，没有丢；要换新密钥请用 wuwei key add"])
    load_or_make(settings.key_path)
    typer.echo(f"已新建密钥文件 {settings.key_path}，请马上另外备份一份。用旧密钥加密的电话号码读不出来，请重新登记。")
