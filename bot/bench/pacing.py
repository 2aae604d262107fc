"""Row 13: a broadcast through the real sender under a clock that is moved by hand: how near to the platform's limit, never over it."""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from bot.app import open_database
from bot.bench import community
from bot.bench.figures import Round, Row
from bot.bench.processes import MeasuringError
from bot.bench.stage import Stage
from bot.channels.base import Channel, Deliver, Finding
from bot.channels.telegram.channel import ABILITIES
from bot.sender import Sender
from core.clock import FixedClock
from core.ids import new_id
from core.messages import Abilities, Attachment, ChatKind, Limit, LimitScope, Outgoing, Sent
from domain import outbox
from domain.outbox import Priority
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.database import Database

START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
STEP = timedelta(milliseconds=1)


class Recorder:
    """A channel with Telegram's limits that writes down when what would have left."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self._ids = count(1)
        self.sent: list[tuple[datetime, Outgoing]] = []

    @property
    def name(self) -> str:
        return community.CHANNEL

    @property
    def account(self) -> str:
        return community.ACCOUNT

    @property
    def abilities(self) -> Abilities:
        return ABILITIES

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, outgoing: Outgoing) -> Sent:
        self.sent.append((self._clock.now(), outgoing))
        return Sent(str(next(self._ids)))

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        raise NotImplementedError

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:
        raise NotImplementedError

    async def check(self) -> list[Finding]:
        return []


def row(stage: Stage) -> Row:
    rounds, worst = [], 0
    for number in range(stage.extent.timer_rounds):
        sends = stage.extent.broadcast_sends
        recorder = asyncio.run(broadcast(stage.data("pacing"), sends, restarts=number % 2))
        excess = over_limits(recorder.sent, ABILITIES.limits)
        if excess:
            raise MeasuringError(f"over a limit: {excess[0]}")
        took = (recorder.sent[-1][0] - recorder.sent[0][0]).total_seconds()
        permitted = next(limit for limit in ABILITIES.limits if limit.scope == LimitScope.ACCOUNT)
        worst = max(worst, busiest([at for at, _ in recorder.sent], permitted.per))
        rounds.append(
            Round((len(recorder.sent) - permitted.count) / took, permitted.count / permitted.per.total_seconds())
        )
    return Row(
        13,
        "群发：实际速率 / 平台允许的速率",
        "条/秒",
        tuple(rounds),
        0.9,
        0.95,
        0.99,
        detail={"worst_one_second": worst, "over_any_limit": 0, "with_restart": stage.extent.timer_rounds // 2},
    )


async def broadcast(folder: Path, sends: int, *, restarts: int) -> Recorder:
    """So many groups get one post each; the sender is thrown away and made anew `restarts` times on the way."""
    clock = FixedClock(START)
    database = open_database(community.settings_for(folder))
    await database.write(lambda session: _post(session, sends, clock.now()))
    recorder = Recorder(clock)
    for part in range(restarts + 1):
        enough = sends * (part + 1) // (restarts + 1)
        await _send_until(database, recorder, clock, folder, enough)
    database.close()
    return recorder


async def _send_until(database: Database, recorder: Recorder, clock: FixedClock, folder: Path, enough: int) -> None:
    channels: dict[tuple[str, str], Channel] = {(recorder.name, recorder.account): recorder}
    sender = Sender(database, channels, clock, media_folder=folder / "media")
    await sender.recover()
    while len(recorder.sent) < enough:
        if not await sender.send_due():
            clock.at = max(clock.at + STEP, sender.next_round_at or clock.at)


def _post(session: Session, count_: int, now: datetime) -> None:
    for number in range(count_):
        chat = Chat(
            id=new_id(),
            channel=community.CHANNEL,
            account=community.ACCOUNT,
            external_id=str(-2_000_000_000 - number),
            kind=ChatKind.GROUP,
            state=ChatState.BOUND,
            created_at=now,
        )
        session.add(chat)
        outbox.post(
            session, chat, "停水通知：明天 9 点到 17 点停水，请提前储水。", now=now, priority=Priority.ANNOUNCEMENT
        )


def busiest(times: Sequence[datetime], window: timedelta) -> int:
    """The most sends in any window of this length."""
    ordered = sorted(times)
    return max(
        (bisect_right(ordered, at + window - timedelta(microseconds=1)) - place for place, at in enumerate(ordered)),
        default=0,
    )


def over_limits(sent: Sequence[tuple[datetime, Outgoing]], limits: Sequence[Limit]) -> list[str]:
    """Every limit that some window broke, in words."""
    found = []
    for limit in limits:
        times: dict[str, list[datetime]] = defaultdict(list)
        for at, outgoing in sent:
            if limit.scope == LimitScope.GROUP and outgoing.chat.kind != ChatKind.GROUP:
                continue
            times["" if limit.scope == LimitScope.ACCOUNT else outgoing.chat.external_id].append(at)
        for place, moments in times.items():
            if (most := busiest(moments, limit.per)) > limit.count:
                found.append(f"{most} sends within {limit.per} ({limit.scope}{' ' + place if place else ''})")
    return found
