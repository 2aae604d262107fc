"""From the wire into the database: what has queued while the last commit ran is worked in one transaction, then acknowledged.

When one message of a batch fails, the batch is rolled back and its messages are worked one by one; the one that fails alone is
kept for replay, and its chat gets one apology.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import structlog

from bot import metrics
from bot.channels.base import NotStored
from core.clock import Clock
from core.messages import (
    Bookmark,
    ChatKind,
    Decision,
    Incoming,
    IncomingKind,
    Kind,
    Understanding,
    Utterance,
)
from core.texts import say
from domain import chats, homes, inbox, keywords, outbox
from domain.cases.splitting import Part, heard
from domain.inbox import Arrival, Outcome
from domain.keywords import WordBook
from domain.places import PlaceBook
from handlers import looking_ahead, routes, still_wrong
from handlers.context import Context, Site
from nlp.halves import is_half, may_begin
from nlp.understand import understand
from storage.base import Session
from storage.database import Database

log = structlog.get_logger()

MOST_IN_BATCH = 200
TRIES = 3
NOTHING = Understanding(kind=Kind.CHATTER, decision=Decision.SILENT, certainty=1.0)
NO_PARTS: tuple[Part, ...] = ()
SPOKEN = frozenset({IncomingKind.MESSAGE, IncomingKind.EDIT})


@dataclass(slots=True)
class Waiting:
    """A delivery that waits for its commit."""

    incomings: Sequence[Incoming]
    bookmark: Bookmark | None
    source: tuple[str, str] | None
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Receiver:
    """Takes deliveries of all channels. `deliver` returns when the messages are committed."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        site: Callable[[], Site] = Site,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._after_commit = after_commit
        self._queue: list[Waiting] = []
        self._wake = asyncio.Event()
        self._places, self._words = PlaceBook(), WordBook()
        self._busy = False
        self._site = site

    async def deliver(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        """Returns after the commit. Raises NotStored when nothing could be."""
        source = (incomings[0].channel, incomings[0].account) if incomings else None
        if bookmark is not None and bookmark.channel:
            source = (bookmark.channel, bookmark.account)
        waiting = Waiting(incomings, bookmark, source)
        self._queue.append(waiting)
        self._wake.set()
        await waiting.done

    @property
    def is_idle(self) -> bool:
        return not self._queue and not self._busy

    async def settled(self) -> None:
        """Returns when nothing waits to be worked."""
        while not self.is_idle:
            await asyncio.sleep(0.002)

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                self._busy = True
                try:
                    await self._work(self._take())
                finally:
                    self._busy = False

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        count = 0
        while self._queue and count < MOST_IN_BATCH:
            taken.append(self._queue.pop(0))
            count += len(taken[-1].incomings)
        return taken

    async def _work(self, batch: list[Waiting]) -> None:
        try:
            await self._database.write(lambda session: self._work_batch(session, batch))
        except Exception:  # an edge: whatever went wrong, the rest goes on
            log.warning("batch_failed", size=len(batch), exc_info=True)
            for waiting in batch:
                await self._work_alone(waiting)
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_result(None)
        self._after_commit()

    async def _work_alone(self, waiting: Waiting) -> None:
        """Each message in a transaction of its own; the poison message is kept for replay."""
        try:
            for incoming in waiting.incomings:
                await self._work_one(incoming)
            if waiting.bookmark is not None:
                await self._database.write(lambda session: self._bookmark(session, waiting))
        except Exception as error:
            # Not even the note could be stored: the platform must keep the message and send it again.
            failed = NotStored()
            failed.__cause__ = error
            waiting.done.set_exception(failed)

    async def _work_one(self, incoming: Incoming) -> None:
        """Tried again before it counts as poison: another process may just have worked it, or changed what it is about."""
        for tries_left in reversed(range(TRIES)):
            try:
                await self._database.write(lambda session: self._work_some(session, [incoming]))
            except Exception as error:
                if tries_left:
                    continue
                log.error("message_failed", channel=incoming.channel, id=incoming.external_id, exc_info=True)
                metrics.FAILED.inc()
                reason = type(error).__name__
                await self._database.write(lambda session: self._keep(session, incoming, reason))  # noqa: B023 - awaited at once
            return

    async def work_again(self, row_id: int, incoming: Incoming) -> None:
        """A message that failed goes the same way as a new one; when it fails again everything stays as it was."""

        def work(session: Session) -> None:
            inbox.forget_failed(session, row_id)
            self._work_some(session, [incoming])

        await self._database.write(work)
        self._after_commit()

    def _work_batch(self, session: Session, batch: list[Waiting]) -> None:
        self._work_some(session, [incoming for waiting in batch for incoming in waiting.incomings])
        for waiting in batch:
            self._bookmark(session, waiting)

    def _bookmark(self, session: Session, waiting: Waiting) -> None:
        if waiting.bookmark is not None and waiting.source is not None:
            inbox.save_bookmark(session, *waiting.source, waiting.bookmark)

    def _work_some(self, session: Session, incomings: Sequence[Incoming]) -> None:
        """Drops what is known, notes chatter down, and works the rest one after the other."""
        fresh = inbox.unseen(session, incomings)
        metrics.RECEIVED.inc(len(fresh))
        metrics.REPEATED.inc(len(incomings) - len(fresh))
        if not fresh:
            return
        self._words.refresh(session, self._places.refresh(session, also=keywords.MARK))
        known = chats.find_many(session, {(one.channel, one.account, one.chat.external_id) for one in fresh})
        site = self._site()
        silent = 0
        to_work: list[tuple[Context, Arrival]] = []
        contexts = [ctx for each in fresh if (ctx := self._context(session, each, known, site)) is not None]
        self._complete(session, contexts)
        still_wrong.look_ahead(session, contexts)
        for ctx in contexts:
            understood = None if ctx.understanding is NOTHING else ctx.understanding
            is_chatter = not looking_ahead.needs_look_up(ctx)
            # All get their keys here, before the first is worked: keys tell later what was said after what.
            arrival = inbox.arrive(ctx.incoming, None if is_chatter else understood, chat_id=ctx.chat.id, now=ctx.now)
            if is_chatter:
                silent += 1
                inbox.write_down(session, arrival)
            else:
                to_work.append((ctx, arrival))
        metrics.OUTCOMES.labels("silent").inc(silent)
        self._work_contexts(session, to_work)

    def _complete(self, session: Session, contexts: Sequence[Context]) -> None:
        """坏了, right after 3号楼电梯: read as one line where that makes a matter of it. One look-up, and only for such halves."""
        waiting = [ctx for ctx in contexts if ctx.incoming.kind == IncomingKind.MESSAGE and is_half(ctx.incoming.text)]
        if not waiting:
            return
        speakers = {(ctx.chat.id, ctx.sender) for ctx in waiting}
        rows = inbox.lines_before(session, speakers, now=waiting[0].now)
        said = {speaker: row.text for speaker, row in rows.items()}
        for ctx in contexts:
            speaker = (ctx.chat.id, ctx.sender)
            if speaker not in speakers:
                continue
            if is_half(ctx.incoming.text) and may_begin(said.get(speaker, "")):
                self._read_as_one(session, ctx, said[speaker], rows.get(speaker))
            # What stands before the next line of this batch has no row yet.
            rows.pop(speaker, None)
            said[speaker] = ctx.incoming.text if ctx.understanding.decision == Decision.SILENT else ""

    def _read_as_one(self, session: Session, ctx: Context, before: str, row: inbox.Received | None) -> None:
        incoming = replace(ctx.incoming, text=f"{before}，{ctx.incoming.text}")
        places = self._places.of(session, ctx.chat.community_id, near=ctx.chat.area_id)
        understood = understand(_utterance(incoming), places)
        is_asked_already = row is not None and row.outcome == Outcome.ASKED
        least = (Decision.ACT,) if is_asked_already else (Decision.ACT, Decision.ASK)
        if understood.decision in least and understood.kind != Kind.CHATTER:
            ctx.incoming, ctx.understanding, ctx.before = incoming, understood, row

    def _work_contexts(self, session: Session, arrived: list[tuple[Context, Arrival]]) -> None:
        """Looks up once what all of them need. A message about something that an earlier one of the batch has touched must find
        it in the database, so what is pending is written first."""
        looking_ahead.look_ahead(session, [ctx for ctx, _ in arrived])
        touched: set[object] = set()
        for ctx, arrival in arrived:
            if looking_ahead.depends_on_earlier(ctx, touched):
                session.flush()
                inbox.look_again(session, ctx.chat.id, ctx.sender)
                touched.clear()
            touched.add((ctx.chat.id, ctx.sender))
            ctx.received = arrival
            if ctx.incoming.keep:
                outbox.keep_more(session, ctx.chat, ctx.incoming.message_id, ctx.incoming.keep)
            routes.handle(ctx)
            inbox.write_down(session, arrival)
            metrics.OUTCOMES.labels(arrival.outcome).inc()

    def _context(
        self, session: Session, incoming: Incoming, known: dict[chats.Address, chats.Chat], site: Site
    ) -> Context | None:
        """The message with its chat and what was understood of it; an unreadable one is kept for replay instead."""
        now = self._clock.now()
        if incoming.kind == IncomingKind.UNREADABLE:
            inbox.mark_failed(session, incoming, error="unreadable", raw=incoming.raw, now=now)
            return None
        address = (incoming.channel, incoming.account, incoming.chat.external_id)
        chat = known.get(address)
        if chat is None:
            chat = known[address] = chats.find_or_make(
                session, incoming.channel, incoming.account, incoming.chat, now=now
            )
        understanding, parts = NOTHING, NO_PARTS
        if incoming.kind in SPOKEN and incoming.text and chat.state == chats.ChatState.BOUND:
            utterance, places = _utterance(incoming), homes.places_for(session, chat, incoming, self._places, now=now)
            understanding, parts = heard(utterance, places)
        return Context(
            session=session,
            incoming=incoming,
            chat=chat,
            now=now,
            understanding=understanding,
            site=site,
            parts=parts,
        )

    def _keep(self, session: Session, incoming: Incoming, reason: str) -> None:
        """The message could not be worked: it is kept whole for replay, and its chat hears one apology if it was spoken to us."""
        now = self._clock.now()
        kept = msgspec.json.encode(replace(incoming, raw="")).decode()
        inbox.mark_failed(session, incoming, error=reason, raw=kept, now=now)
        is_private = incoming.chat.kind == ChatKind.PRIVATE
        chat = chats.find(session, incoming.channel, incoming.account, incoming.chat.external_id)
        if chat is None and is_private:
            # Somebody's first words: what was noted of their chat was rolled back with them.
            chat = chats.find_or_make(session, incoming.channel, incoming.account, incoming.chat, now=now)
        is_spoken_to = is_private or (
            incoming.is_addressed and chat is not None and chat.state == chats.ChatState.BOUND
        )
        if chat is not None and is_spoken_to:
            outbox.post(session, chat, say("start.apology"), now=now)


def _utterance(incoming: Incoming) -> Utterance:
    return Utterance(
        text=incoming.text,
        is_addressed=incoming.is_addressed,
        is_private=incoming.chat.kind == ChatKind.PRIVATE,
        is_forwarded=incoming.is_forwarded,
        has_photo=bool(incoming.attachments),
        reply_to_text=incoming.reply_to_text,
    )
