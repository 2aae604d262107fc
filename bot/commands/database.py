"""`wuwei db`: upgrade, backup and restore."""

from pathlib import Path

import typer

from bot import backup as backups
from bot import restore as restoring
from bot.commands.opening import database_of, settings_of
from core.clock import SystemClock, in_china
from core.keys import load_or_make
from storage import schema
from storage.database import Database


def upgrade(config: Path | None) -> None:
    settings = settings_of(config)
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url, load_or_make(settings.key_path))
    try:
        before = schema.current(database)
        schema.upgrade(database)
    finally:
        database.close()
    after = schema.newest()
    typer.echo(
        f"数据库已经是最新版本（{after}）。"
        if before == after
        else f"数据库已升级到 {after}（原来是 {before or '空的'}）。"
    )


def back_up(config: Path | None, file: Path) -> None:
    settings = settings_of(config)
    with database_of(settings) as database:
        made = backups.backup(database, settings, file, now=SystemClock().now())
    size = file.stat().st_size / 1_000_000
    typer.echo(f"已备份到 {file}（{size:.1f} MB，照片等文件 {made.photos} 个）。")
    typer.echo(f"密钥不在备份里；请另外保管好 {settings.key_path}，没有它，备份里的电话号码读不出来。")


def restore(config: Path | None, file: Path, *, is_forced: bool) -> None:
    settings = settings_of(config)
    done = restoring.restore(settings, file, now=SystemClock().now(), is_forced=is_forced)
    made_at = in_china(restoring.made_at(done.manifest))
    typer.echo(f"已恢复 {made_at:%Y-%m-%d %H:%M} 的备份（照片等文件 {done.manifest.photos} 个）。")
    if done.aside is not None:
        typer.echo(f"原来的内容移到了 {done.aside}。")
    typer.echo(f"扣住了 {done.restored.held} 条没有发出的消息，请在工作台的“收发”里逐条决定。")
    typer.echo(f"今天的编号往前跳了 {done.restored.ahead} 个，不会重号。")
    if done.restored.announcements:
        typer.echo(f"{done.restored.announcements} 个过了时间的公告没有补发，改到下一次。")
    if done.sealed.lost:
        typer.echo(
            f"注意：有 {done.sealed.lost} 项敏感信息用现在的密钥读不出来；请找回当时的密钥文件，放到 {settings.key_path}。"
        )
    typer.echo("登录过工作台的人需要重新登录。备份之后做过的删除个人信息，需要再做一次。")
