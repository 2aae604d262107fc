"""`wuwei import`: the grid and its people from files of staff, all of a file or nothing."""

from collections.abc import Callable
from pathlib import Path

import typer

from bot.commands.opening import database_of, settings_of
from core.clock import SystemClock
from domain import accounts
from domain.imports import ImportReport, Table, import_areas, import_people, read_table
from storage.base import Session


def areas(config: Path | None, file: Path) -> None:
    _import(config, file, "areas", import_areas)


def people(config: Path | None, file: Path) -> None:
    now = SystemClock().now()
    _import(config, file, "people", lambda session, table: import_people(session, table, now=now))


def _import(config: Path | None, file: Path, what: str, rule: Callable[[Session, Table], ImportReport]) -> None:
    settings = settings_of(config)
    table = read_table(file)
    with database_of(settings) as database, database.writing() as session:
        report = rule(session, table)
        detail = {"added": report.added, "changed": report.changed, "unchanged": report.unchanged}
        accounts.audit(session, person_id=None, act=f"import.{what}", now=SystemClock().now(), detail=detail)
    typer.echo(f"导入完成：新增 {report.added}，更改 {report.changed}，没有变化 {report.unchanged}。")
    if report.ignored:
        typer.echo(f"这些列没有用到：{'、'.join(report.ignored)}。")
