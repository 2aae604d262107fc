"""`wuwei run` and `wuwei demo`: the whole program until a signal stops it."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path

import structlog
import typer
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot import demo as demonstration
from bot import logs
from bot.app import ALL_ROLES, INTAKE, WEB, App
from bot.channels.console import Terminal
from bot.commands.opening import settings_of
from core.clock import SystemClock
from core.config import DatabaseSettings, LogSettings, Settings, TelegramSettings, WebSettings
from core.errors import ConfigError

log = structlog.get_logger(__name__)

LOOPBACK = "127.0.0.1"
# A platform that hangs must not hold up the machine's shutdown; what is committed is safe, and what was not sent stays queued.
LONGEST_STOP = 9.5
DEMO_MARK = "simulator.sqlite3"


def run(config: Path | None, role: str) -> None:
    settings = settings_of(config)
    logs.set_up(settings.log)
    roles = _roles(role)
    if WEB in roles or (INTAKE in roles and settings.has_hooks):
        _check_port(settings.web.host, settings.web.port)
    _on_the_fastest_loop(_run(settings, roles))


def _on_the_fastest_loop(work: Coroutine[None, None, None]) -> None:
    """uvloop comes with the web server where there is one for the machine (not on Windows)."""
    try:
        import uvloop  # noqa: PLC0415 - absent on some machines
    except ImportError:
        asyncio.run(work)
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def _roles(text: str) -> frozenset[str]:
    named = frozenset(word.strip() for word in text.split(",") if word.strip())
    unknown = sorted(named - ALL_ROLES)
    if unknown:
        raise ConfigError([f"没有 {'、'.join(unknown)} 这种角色；可以写 {'、'.join(sorted(ALL_ROLES))}，用逗号分开"])
    return named or ALL_ROLES


def _check_port(host: str, port: int) -> None:
    """Said here, because the server itself would only end the process."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                [f"不能在 {host} 的端口 {port} 上打开网页（{error.strerror}）；请换一个端口，或停掉占用它的程序"]
            ) from None


async def _run(settings: Settings, roles: frozenset[str]) -> None:
    with _stop_signals() as stopped:
        app = App(settings, SystemClock(), roles=roles)
        try:
            await _unless_stopped(app.start(), stopped)
            await stopped.wait()
        finally:
            await app.stop()


async def _unless_stopped(start: Awaitable[None], stopped: asyncio.Event) -> None:
    """A platform out of reach may hold up the start for a while; a signal ends that too."""
    starting = asyncio.ensure_future(start)
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if starting.done():
        starting.result()
        return
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting


@contextlib.contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set. From then on the process ends within LONGEST_STOP, come what may."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    last_resort = threading.Timer(LONGEST_STOP, _give_up)
    last_resort.daemon = True

    def stop(_number: int, _frame: object) -> None:
        if not stopped.is_set() and not last_resort.is_alive():
            last_resort.start()
        loop.call_soon_threadsafe(stopped.set)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        last_resort.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _give_up() -> None:
    log.error("stop_took_too_long", seconds=LONGEST_STOP)
    os._exit(1)


class DemoSettings(Settings):
    """What the demo runs with: nothing from files or the environment, so that it can never touch real data or a real bot."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def demo(port: int, data: Path, *, is_fresh: bool, in_terminal: bool = False) -> None:
    port = port or _free_port()
    _check_port(LOOPBACK, port)
    if is_fresh:
        _throw_away(data)
    settings = DemoSettings(
        data_folder=data,
        database=DatabaseSettings(),
        telegram=TelegramSettings(),
        # The demo's clock is moved by hours and days; nobody should be signed out by that.
        web=WebSettings(host=LOOPBACK, port=port, public_url=f"http://{LOOPBACK}:{port}", session_hours=720),
        log=LogSettings(level="warning", as_json=False),
    )
    logs.set_up(settings.log)
    terminal = Terminal(sys.stdin, typer.echo) if in_terminal else None
    _on_the_fastest_loop(_demo(settings, _announce, terminal))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        name: tuple[str, int] = probe.getsockname()
        return name[1]


def _throw_away(data: Path) -> None:
    """Only what a demo has made: a mistyped folder must not cost anybody their files."""
    if not data.exists() or not any(data.iterdir()):
        return
    if not (data / DEMO_MARK).is_file():
        raise ConfigError([f"文件夹 {data} 里不像是演示数据，没有删除；请换一个文件夹，或自己清空它"])
    shutil.rmtree(data)


async def _demo(settings: Settings, announce: Callable[[str, str], None], terminal: Terminal | None) -> None:
    with _stop_signals() as stopped:

        async def until() -> None:
            await stopped.wait()

        await demonstration.run(settings, announce=announce, until=until, terminal=terminal)


def _announce(simulator: str, console: str) -> None:
    typer.echo("五微的演示社区已经打开（人和事都是虚构的，只有这台电脑能访问）：")
    typer.echo(f"  居民群：    {simulator}")
    typer.echo(f"  社区工作台：{console}")
    typer.echo("  （工作台的链接只能用一次，15 分钟内有效；再运行一次可以拿到新的。）")
    typer.echo("按 Ctrl-C 结束；下次运行会接着这次的内容，加 --fresh 重新开始。")
