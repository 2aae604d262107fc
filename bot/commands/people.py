"""`wuwei admin`: the first administrator, and a way in for one who has lost theirs."""

from pathlib import Path

import typer

from bot.commands.opening import database_of, settings_of
from core.clock import SystemClock
from domain import accounts, administrators


def admin(config: Path | None, name: str, community: str) -> None:
    settings = settings_of(config)
    now = SystemClock().now()
    with database_of(settings) as database, database.writing() as session:
        place = administrators.community_named(session, community)
        person = administrators.appoint(session, place, name, now=now)
        token = accounts.make_link(session, person.id, now=now)
        minutes = int(accounts.LINK_LIFE.total_seconds() // 60)
        lines = [
            f"{person.name} 是{place.name}的系统管理员。",
            f"登录链接（只能用一次，{minutes} 分钟内有效）：{settings.web.public_url}/sign-in/{token}",
        ]
    # Only after the commit: a link that was printed must work.
    for line in lines:
        typer.echo(line)
