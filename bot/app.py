"""Builds everything once, in order, starts it, and stops it in reverse. Nothing else knows all the parts."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot.channels.base import Answering, Channel, Listing, Vouching
from bot.channels.registry import make_channels, make_login_server
from bot.colleagues import Watch
from bot.collecting import spare_what_is_loaded
from bot.fetcher import Fetcher
from bot.handing import Hander
from bot.receiver import Receiver
from bot.scheduler import STALE_TICK, Ticker, make_scheduler
from bot.sender import Sender
from bot.wakeups import Wakeups
from core.clock import Clock, in_china
from core.colleagues import AddressBook
from core.config import Settings
from core.errors import ConfigError, WuweiError
from core.keys import load_or_make
from core.texts import say, sentences
from domain import chats, inbox, outbox, sealing, sending
from handlers import commands
from handlers.context import Site
from nlp.understand import warm_up
from storage import schema
from storage.database import Database

if TYPE_CHECKING:
    import uvicorn

    from web.simulator import Simulation

log = structlog.get_logger(__name__)

# Roles of a process; one process has them all unless told otherwise.
INTAKE, SENDER, CLOCK, WEB = "intake", "sender", "clock", "web"
ALL_ROLES = frozenset({INTAKE, SENDER, CLOCK, WEB})
STOP_SECONDS = 8


@dataclass(slots=True)
class Running:
    """What has been started, to be stopped in reverse."""

    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)


class App:
    """One running process."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        roles: frozenset[str] = ALL_ROLES,
        channels: Sequence[Channel] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.roles = roles
        self.database = open_database(settings)
        chosen = make_channels(settings, commands.menu()) if channels is None else channels
        self._unnamed = list(chosen)
        self.channels: dict[tuple[str, str], Channel] = {}
        self.receiver = Receiver(self.database, clock, site=self._site, after_commit=self.wake)
        self.sender = Sender(self.database, self.channels, clock, media_folder=settings.media_folder)
        self.hander = Hander(
            self.database, self.channels, clock, media_folder=settings.media_folder, after_commit=self.wake
        )
        self.fetcher = Fetcher(self.database, self.channels, clock, settings.media, settings.media_folder)
        self.ticker = Ticker(self.database, clock, settings.keep, wake=self.wake, media_folder=settings.media_folder)
        self._scheduler = make_scheduler(self.ticker)
        self._wakeups = Wakeups(self.database, self._wake_here)
        self._running = Running()
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.simulation: Simulation | None = None
        self.demo_link: Callable[[], Awaitable[str]] | None = None

    def wake(self) -> None:
        """Something was committed: whoever sleeps looks again, in the other processes too."""
        self._wake_here()
        self._wakeups.tell()

    def _wake_here(self) -> None:
        self.sender.wake.set()
        self.hander.wake.set()
        self.fetcher.wake()

    async def start(self) -> None:
        """Afterwards messages are taken and sent. What was under way when the last process died is settled first."""
        await asyncio.to_thread(load_what_is_said)
        spare_what_is_loaded()
        self._run(self.receiver.run())
        self._run(self._wakeups.run())
        if INTAKE in self.roles or SENDER in self.roles:
            for channel in self._unnamed:
                await self._start_channel(channel)
        if SENDER in self.roles:
            await self.sender.recover()
            self._run(self.sender.run())
            if any(channel.abilities.needs_person for channel in self.channels.values()):
                self._run(self.hander.run())
            self._run(self.fetcher.run())
        if CLOCK in self.roles:
            self._scheduler.start()
        # A webhook is an ear that needs the web server, also in a process without the console's role.
        if WEB in self.roles or (INTAKE in self.roles and self.settings.has_hooks):
            await self._start_web()
        if INTAKE in self.roles:
            self._run(self._tell_findings())
            self._run(Watch(self.database, self._unnamed, self.clock, wake=self.wake).run())
        log.info("started", roles=sorted(self.roles), channels=[name for name, _ in self.channels])

    async def _start_channel(self, channel: Channel) -> None:
        name = channel.name
        stored = await self.database.read(lambda session: inbox.bookmarks(session, name))
        await channel.start(self.receiver.deliver, stored, listens=INTAKE in self.roles)
        self.channels[channel.name, channel.account] = channel
        self._running.channels.append(channel)

    async def _tell_findings(self) -> None:
        """What the platforms say is set up wrongly (privacy mode, above all) is told to staff, once a day."""
        for (name, account), channel in list(self.channels.items()):
            try:
                faults = [finding for finding in await channel.check() if not finding.is_well]
            except WuweiError as error:
                log.warning("check_failed", channel=name, kind=type(error).__name__)
                continue
            hears_all = channel.abilities.hears_all
            if hears_all is not None:
                await self.database.write(
                    lambda session: chats.note_hearing(session, name, account, hears_all=hears_all)  # noqa: B023 - awaited at once
                )
            if faults:
                now = self.clock.now()
                lines = "\n".join(f"{fault.about}：{fault.advice}" for fault in faults)
                key = f"findings:{name}:{account}:{in_china(now):%Y%m%d}"
                text = say("chats.findings", findings=lines)
                await self.database.write(lambda session: outbox.tell_staff(session, text, key=key, now=now))  # noqa: B023 - awaited at once
                log.warning("set_up_wrongly", channel=name, count=len(faults))

    def _bot_names(self) -> dict[str, str]:
        """The name that people write to, by channel, where the platform has told it."""
        names = {name: channel.abilities.bot_name for (name, _), channel in self.channels.items()}
        return {name: bot_name for name, bot_name in names.items() if bot_name}

    def _site(self) -> Site:
        links = {
            key: channel.abilities.start_link for key, channel in self.channels.items() if channel.abilities.start_link
        }
        allowances = {
            key: channel.abilities.allowance for key, channel in self.channels.items() if channel.abilities.allowance
        }
        with_servicers = {key for key, channel in self.channels.items() if channel.abilities.has_servicers}
        # Also of those that are just starting: their group may be bound by then.
        deaf = {(channel.name, channel.account) for channel in self._unnamed if not channel.abilities.can_hear}
        return Site(self.settings.web.public_url, links, allowances, with_servicers, deaf)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        self._running.tasks.append(asyncio.create_task(work))

    async def _start_web(self) -> None:
        import uvicorn  # noqa: PLC0415 - with what the pages are made of the slowest part to load, and not every process has pages

        from web.app import make_app  # noqa: PLC0415
        from web.services import Services  # noqa: PLC0415

        services = Services(
            database=self.database,
            clock=self.clock,
            settings=self.settings,
            media_folder=self.settings.media_folder,
            wake=self.wake,
            is_ready=self.faults,
            hooks={channel.name: channel.take_hook for channel in self.channels.values()},
            callbacks={one.name: one.answer_hook for one in self.channels.values() if isinstance(one, Answering)},
            simulation=self.simulation,
            demo_link=self.demo_link,
            bot_names=self._bot_names(),
            # Asked of channels that need not be started: a process with the pages alone has all of this too.
            with_servicers={channel.name for channel in self._unnamed if channel.abilities.has_servicers},
            has_phone_tasks=any(channel.abilities.allowance is not None for channel in self._unnamed),
            member_behind=next((one.member_behind for one in self._unnamed if isinstance(one, Vouching)), None),
            address_book=next(
                (AddressBook(one.name, one.colleagues) for one in self._unnamed if isinstance(one, Listing)), None
            ),
            telegram_login=make_login_server(self.settings),
        )
        config = uvicorn.Config(
            make_app(services),
            host=self.settings.web.host,
            port=self.settings.web.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
        )
        self._server = uvicorn.Server(config)
        # Not `serve`: that would take the signals, which belong to the command line.
        self._serving = asyncio.create_task(self._server._serve())
        while not self._server.started:
            await asyncio.sleep(0.01)

    @property
    def port(self) -> int:
        """Where the console listens; known after `start`."""
        assert self._server is not None
        address: tuple[str, int] = self._server.servers[0].sockets[0].getsockname()
        return address[1]

    async def faults(self) -> list[str]:
        """What is not ready, in words; empty when all is well."""
        found = []
        if not await asyncio.to_thread(self._database_answers):
            found.append("数据库没有回应")
        last = self.ticker.last_tick_at
        if CLOCK in self.roles and (last is None or self.clock.now() - last > STALE_TICK):
            found.append("定时任务没有运行")
        return found

    def _database_answers(self) -> bool:
        with contextlib.suppress(Exception):
            return self.database.is_alive()
        return False

    async def stop(self) -> None:
        """Clean stop: ears first, then what is under way, then the rest. What was not sent stays in the outbox."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                for channel in reversed(self._running.channels):
                    await channel.stop()
                if self._server is not None and self._serving is not None:
                    self._server.should_exit = True
                    await self._serving
        if self._scheduler.running:
            # Its end comes a moment later: what rings meanwhile would be cut off before it has begun, and be logged as a fault.
            self._scheduler.pause()
            self._scheduler.shutdown(wait=False)
        for task in self._running.tasks:
            task.cancel()
        await asyncio.gather(*self._running.tasks, return_exceptions=True)
        self.database.close()
        log.info("stopped")

    async def settle(self) -> None:
        """Returns when nothing is left to do now: inbox worked, gather windows closed, files fetched, outbox sent."""
        while True:
            await self.receiver.settled()
            await self.ticker.close_gathering()
            done = await self.ticker.tick()
            done += await self.fetcher.fetch_due()
            done += await self.sender.send_due() + await self.hander.work_due()
            if not done and self.receiver.is_idle and not await self.database.read(self._has_due):
                return

    def _has_due(self, session: inbox.Session) -> bool:
        return sending.is_waiting(session, now=self.clock.now(), channels=[name for name, _ in self.channels])

    async def advance_to(self, moment: datetime, move: Callable[[datetime], None]) -> None:
        """Steps the clock to each due time in order, does what is due there, and ends at the moment."""
        await self.settle()
        while True:
            due_at = await self.ticker.next_due()
            if due_at is None or due_at > moment:
                break
            if due_at > self.clock.now():
                move(due_at + timedelta(milliseconds=1))
            await self.settle()
        if moment > self.clock.now():
            move(moment)
        await self.settle()


def load_what_is_said() -> None:
    """The tables and the model to understand by, and the sentences to answer with: now, so that the first message does not wait."""
    warm_up()
    sentences()


def open_database(settings: Settings) -> Database:
    """The database at the newest schema, with its key; refuses a newer schema, a wrong or lost key file, or a full disk."""
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    is_first_start = not settings.key_path.exists()
    database = Database(settings.database_url, load_or_make(settings.key_path))
    schema.upgrade(database)
    if is_first_start:
        _refuse_lost_key(database, settings.key_path)
    return database


def _refuse_lost_key(database: Database, key_path: Path) -> None:
    """A key made anew beside data that an older one has sealed would hide the loss until nobody has the old one any more."""
    with database.reading() as session:
        lost = sealing.count(session, most=1).lost
    if lost:
        key_path.unlink()
        database.close()
        raise ConfigError(
            [
                f"密钥文件 {key_path} 不见了，而数据库里有用它加密的电话号码；请把它放回原处再启动",
                "确实找不回来时，运行 wuwei key new 建一把新的：旧号码读不出来，需要重新登记，其他内容不受影响",
            ]
        )
