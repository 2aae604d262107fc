"""`wuwei key add`: a fresh key in front of the old ones, and everything sealed anew with it."""

from pathlib import Path

import typer

from bot.backup import refuse_while_running
from bot.commands.opening import database_of, settings_of
from core.clock import SystemClock
from core.errors import ConfigError
from core.keys import add_key
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
