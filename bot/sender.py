"""From the outbox to the wire: claim what is due, ask the limiter, send, mark. The only place where anything leaves."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot import metrics
from bot.channels.base import Channel
from bot.limits import Limiter, Target
from core.clock import Clock
from core.errors import Closed, LimitReached, Migrated, Rejected, TryLater, Undeliverable, Unknown
from core.messages import Allowance, OutgoingAction, Sent
from domain import phone_tasks, sending, serving, windows
from domain.sending import Candidate, Ready
from storage.base import Session
from storage.database import Database

log = structlog.get_logger()

LONGEST_SLEEP = 1.0
MOST_AT_ONCE = 32
NETWORK_RETRY = 2.0
# After a pause the first message leaves at once; under load several share a round, and the database is asked less often.
BETWEEN_ROUNDS = 0.1


class Sender:
    """Carries the outbox to the channels. One of its kind in a process."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[tuple[str, str], Channel],
        clock: Clock,
        *,
        media_folder: Path,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._media_folder = media_folder
        self._limiter = Limiter()
        self._closed: dict[int, datetime] = {}  # chat → when its limits, or its account's, open again
        self.wake = asyncio.Event()

    async def recover(self) -> None:
        """After a start: sends that were under way are settled, and the limiter learns what went out lately."""
        now = self._clock.now()
        repeatable = self._repeatable()
        settled = await self._database.write(
            # Leases of a process that died are still running; this process is alone with its accounts.
            lambda session: sending.recover(session, now=now, repeatable=repeatable, leases_until=now + sending.LEASE)
        )
        if settled:
            log.warning("sends_interrupted", count=settled)
        limits = [limit for channel in self._channels.values() for limit in channel.abilities.limits]
        since = now - max((limit.per for limit in limits), default=timedelta())
        for candidate, at in await self._database.read(lambda session: sending.recent_sends(session, since=since)):
            channel = self._channels.get((candidate.channel, candidate.account))
            if channel is not None and candidate.action != OutgoingAction.ANSWER_PRESS:
                self._limiter.note(_target(candidate), channel.abilities.limits, at)

    def _repeatable(self) -> set[str]:
        return {name for (name, _), channel in self._channels.items() if channel.abilities.has_dedupe_key}

    def _allowances(self) -> dict[tuple[str, str], Allowance]:
        found = {key: channel.abilities.allowance for key, channel in self._channels.items()}
        return {key: allowance for key, allowance in found.items() if allowance is not None}

    async def run(self) -> None:
        """Sends until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                sent = await self.send_due()
            except Exception:  # an edge: whatever went wrong, the rest goes on
                log.error("sender_failed", exc_info=True)
                sent = 0
                await asyncio.sleep(NETWORK_RETRY)
            if sent == 0:
                await self._sleep()
            await asyncio.sleep(began + BETWEEN_ROUNDS - loop.time())

    @property
    def next_round_at(self) -> datetime | None:
        """When a limit opens for what the last round had to leave; None when it left nothing for a limit's sake."""
        return min(self._closed.values(), default=None)

    async def _sleep(self) -> None:
        """Until woken, or until a limit opens, at most a second."""
        seconds = LONGEST_SLEEP
        if (opens_at := self.next_round_at) is not None:
            seconds = min(seconds, max(0.005, (opens_at - self._clock.now()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wake.wait()
        self.wake.clear()

    async def send_due(self) -> int:
        """One round: claims what may go now, sends it side by side, writes down what became of it. Returns how many."""
        now = self._clock.now()
        self._closed = {chat: opens_at for chat, opens_at in self._closed.items() if opens_at > now}
        blocked = set(self._closed)
        # What a person must send goes another way, see bot/handing.py.
        handed = {name for (name, _), channel in self._channels.items() if channel.abilities.needs_person}
        # A chat at its limit must not hide those behind it: it is left out and the question asked again.
        for _ in range(3):
            found = await self._database.read(
                lambda session: sending.candidates(session, now=now, not_chats=blocked, not_channels=handed)
            )
            allowed = self._allowed(found, now, blocked)
            if allowed or not found:
                break
        if not allowed:
            return 0
        ready = await self._database.write(
            lambda session: sending.claim(
                session, allowed, now=now, media_folder=self._media_folder, allowances=self._allowances()
            )
        )
        results = await asyncio.gather(*(self._send(one) for one in ready))
        await self._write_down(ready, results)
        return len(ready) or len(allowed)

    def _allowed(self, found: list[Candidate], now: datetime, blocked: set[int]) -> list[Candidate]:
        allowed: list[Candidate] = []
        for candidate in found:
            channel = self._channels.get((candidate.channel, candidate.account))
            if channel is None:
                blocked.add(candidate.chat_id)  # another process's account, or one that is switched off
                continue
            if candidate.action != OutgoingAction.ANSWER_PRESS:
                ready_at = self._limiter.ready_at(_target(candidate), channel.abilities.limits, now)
                if ready_at > now:
                    blocked.add(candidate.chat_id)
                    self._closed[candidate.chat_id] = ready_at
                    continue
                self._limiter.note(_target(candidate), channel.abilities.limits, now)
            allowed.append(candidate)
            if len(allowed) >= MOST_AT_ONCE:
                break
        return allowed

    async def _send(self, ready: Ready) -> Sent | Exception:
        channel = self._channels[ready.candidate.channel, ready.candidate.account]
        try:
            return await channel.send(ready.outgoing)
        except Exception as error:  # written down below, by its kind
            return error

    async def _write_down(self, ready: list[Ready], results: list[Sent | Exception]) -> None:
        def work(session: Session) -> None:
            now = self._clock.now()
            sent: dict[int, Sent] = {}
            for one, result in zip(ready, results, strict=True):
                if isinstance(result, Sent):
                    sent |= dict.fromkeys(one.rows, result)
                    if result.spent:
                        windows.spend(session, one.candidate.chat_id, result.spent)
                    serving.note_done(session, one.candidate.chat_id, one.outgoing.action, now=now)
                else:
                    self._note_failure(session, one, result, now)
            sending.mark_sent(session, sent, now=now)

        await self._database.write(work)
        for one, result in zip(ready, results, strict=True):
            name = "sent" if isinstance(result, Sent) else type(result).__name__
            metrics.SENT.labels(one.candidate.channel, name).inc()

    def _note_failure(self, session: Session, one: Ready, error: Exception, now: datetime) -> None:
        """What the platform said decides what happens to the messages."""
        candidate = one.candidate
        if isinstance(error, TryLater):
            until = now + timedelta(seconds=error.seconds)
            self._limiter.pause(_target(candidate), until, whole_account=error.whole_account)
        if isinstance(error, Closed):
            held = sending.mark_closed(session, one.rows, is_served=error.is_served, now=now)
            if not error.is_served:
                phone_tasks.make(session, held, now=now)
        elif isinstance(error, Rejected) and len(one.rows) > 1:
            sending.mark_alone(session, one.rows, now=now)
        else:
            for key in one.rows:
                self._note_trouble(session, key, one, error, now)
        if one.outgoing.action == OutgoingAction.HAND_OVER and isinstance(error, Closed | Rejected | Undeliverable):
            serving.note_refused(session, candidate.chat_id, now=now)

    def _note_trouble(self, session: Session, key: int, one: Ready, error: Exception, now: datetime) -> None:
        match error:
            case TryLater():
                sending.mark_later(
                    session,
                    key,
                    now=now,
                    seconds=error.seconds,
                    reason=error.reason,
                    counts=not (error.whole_account or isinstance(error, LimitReached)),
                )
            case Undeliverable():
                sending.mark_given_up(session, key, reason=error.reason, is_chat_dead=True)
            case Rejected():
                sending.mark_given_up(session, key, reason=error.reason, is_chat_dead=False)
            case Migrated():
                sending.mark_migrated(session, key, new_external_id=error.new_chat_id, now=now)
            case Unknown():
                may_repeat = one.candidate.channel in self._repeatable()
                sending.mark_unknown(session, key, now=now, may_repeat=may_repeat, reason=error.reason)
            case _:
                log.error("send_failed", id=key, kind=type(error).__name__, exc_info=error)
                sending.mark_later(
                    session, key, now=now, seconds=NETWORK_RETRY, reason=type(error).__name__, counts=True
                )


def _target(candidate: Candidate) -> Target:
    return Target(candidate.channel, candidate.account, candidate.chat_id, candidate.is_group)
