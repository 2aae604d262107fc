"""Customer groups (客户群) as a channel: no bot is let in, nothing said there is heard. It tells which groups there are and who owns
them, and hands posts to those owners.

The register is kept in step by the app's callbacks, and asked for whole now and then for what they may have missed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from bot.channels.base import Deliver, Finding, is_stored
from bot.channels.wecom.app import Corp
from bot.channels.wecom.calls import Calls
from bot.channels.wecom.checking import group_findings
from bot.channels.wecom.customer_groups_reading import (
    CHANNEL,
    Change,
    Told,
    incoming_of,
    incoming_told,
    read_change,
    read_group,
)
from bot.channels.wecom.customer_groups_tasks import POST_BYTES, TaskDesk, number
from core.customer_groups import Handed, HandedPost, Progress, TimeSpan
from core.errors import DeliveryError, Rejected, TryLater, Undeliverable
from core.messages import (
    Abilities,
    Attachment,
    Bookmark,
    Incoming,
    IncomingKind,
    Outgoing,
    Sent,
)

ABILITIES = Abilities(
    text_limit=POST_BYTES,
    can_edit=False,
    can_delete=False,
    can_hear=False,
    album_size=9,
    needs_person=True,
    reminders_a_day=3,
)
GROUPS = "groups"  # the bookmark with the ids of those that were told of
PAGE = 1000
MOST_PAGES = 1000
FULL_EVERY = 6 * 3600.0
AGAIN_AFTER = 60.0
# A callback comes at once, but what it tells of may reach groupchat/get only a while later.
SETTLED_AFTER = 30.0
ASK_WITHIN = 3.0  # seconds; a callback must be answered within five
AT_ONCE = 200  # groups in one delivery
# The states of a group: its owner is there; has left the corp; is being followed by another; has been.
WITHOUT_OWNER = frozenset({1, 2})

log = logging.getLogger(__name__)
_ids = msgspec.json.Decoder(list[str])


class CustomerGroupChannel:
    """All customer groups that the app may see. `start_link` tells the link with which residents open their private chat."""

    def __init__(
        self,
        corp: Corp,
        *,
        start_link: Callable[[], str] = lambda: "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._corp = corp
        self._now = now
        self._start_link = start_link
        self._calls = Calls(corp.corp_id, corp.secret, base_url=corp.base_url, token_folder=corp.token_folder, now=now)
        self._desk = TaskDesk(self._calls)
        self._deliver: Deliver | None = None
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, Told] = {}
        self._known: set[str] = set()  # as the bookmark has it
        self._ownerless: set[str] = set()
        self._stale: set[str] = set()
        self._new: set[str] = set()  # founded, and not yet told of as new
        self._wake = asyncio.Event()

    def __repr__(self) -> str:
        return f"CustomerGroupChannel({self.account})"

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def account(self) -> str:
        return self._corp.corp_id

    @property
    def abilities(self) -> Abilities:
        """The link is that of 微信客服, known once the platform has made it."""
        return replace(ABILITIES, start_link=self._start_link())

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:
        """Asks for all groups in the background, and again every six hours."""
        if not listens:
            return
        self._deliver = deliver
        self._known = set(_ids.decode(bookmarks.get(GROUPS, "[]")))
        self._task = asyncio.create_task(self._keep_in_step(), name="wecom customer groups")
        self._task.add_done_callback(_ended)

    async def stop(self) -> None:
        self._deliver = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._calls.close()

    # The register

    async def take_event(self, text: str) -> bool | None:
        """None when a decrypted callback is not about customer groups; else whether what it says is stored."""
        change = read_change(text)
        if change is None:
            return None
        if self._deliver is None:
            return False
        is_gone = change.kind is IncomingKind.BOT_REMOVED
        told = None if is_gone else await self._ask_soon(change)
        if change.kind is IncomingKind.BOT_ADDED and told is None:
            self._new.add(change.chat_id)
        known = self._known - {change.chat_id} if is_gone else self._known | {change.chat_id}
        bookmark = self._bookmark(known) if known != self._known else None
        if not await is_stored(self._deliver, (incoming_of(change, self.account, told),), bookmark):
            return False
        self._known = known
        if told is not None:
            self._told[told.chat_id] = told
        elif is_gone:
            self._told.pop(change.chat_id, None)
        return True

    async def _ask_soon(self, change: Change) -> Told | None:
        """How the group stands as far as the platform knows already; it is asked for again in the background."""
        if change.is_new_owner:
            self._ownerless.discard(change.chat_id)
        self._stale.add(change.chat_id)
        self._wake.set()
        try:
            async with asyncio.timeout(ASK_WITHIN):
                return await self._ask(change.chat_id)
        except (DeliveryError, TimeoutError):
            return None

    async def _ask(self, chat_id: str) -> Told | None:
        at = datetime.fromtimestamp(self._now(), UTC)
        found = await self._calls.post(
            "externalcontact/groupchat/get", {"chat_id": chat_id, "need_name": 1}, is_repeatable=True
        )
        return read_group(found, has_owner=chat_id not in self._ownerless, at=at)

    async def _ask_if_there(self, chat_id: str) -> Told | None:
        """None for a group that is no longer there."""
        try:
            return await self._ask(chat_id)
        except (Undeliverable, Rejected):
            return None

    async def _keep_in_step(self) -> None:
        """Never ends by itself; what cannot be asked now is asked a minute later."""
        full_at = 0.0
        while True:
            loop = asyncio.get_running_loop()
            self._wake.clear()
            try:
                if loop.time() >= full_at:
                    await self.ask_all()
                    full_at = loop.time() + FULL_EVERY
                await self.ask_again()
                pause = full_at - loop.time()
            except DeliveryError as error:
                log.warning("wecom customer groups: not asked, %s", error.reason)
                pause = error.seconds if isinstance(error, TryLater) and error.whole_account else AGAIN_AFTER
            if self._stale:
                pause = min(pause, AGAIN_AFTER)
            try:
                async with asyncio.timeout(max(1.0, pause)):
                    await self._wake.wait()
                    await asyncio.sleep(SETTLED_AFTER)
            except TimeoutError:
                continue

    async def ask_again(self) -> None:
        """Tells of those groups of which callbacks came lately, where they are no longer as they were told of."""
        for chat_id in sorted(self._stale):
            told = await self._ask_if_there(chat_id)
            if told is not None and self._is_news(told):  # one that is gone is told of by the next full round
                await self._tell([incoming_told(told, self.account, is_new=chat_id in self._new)])
                self._told[chat_id] = told
            self._new.discard(chat_id)
            self._stale.discard(chat_id)

    def _is_news(self, told: Told) -> bool:
        before = self._told.get(told.chat_id)
        return before is None or not _is_same(before, told)

    async def ask_all(self) -> int:
        """Tells of every group that is not as it was last told of, and of those that are gone. How many that was."""
        listed = await self._list()
        self._ownerless = {chat_id for chat_id, status in listed.items() if status in WITHOUT_OWNER}
        changed: list[Told] = []
        for chat_id in listed:
            told = await self._ask_if_there(chat_id)
            if told is not None and self._is_news(told):
                changed.append(told)
        missing = sorted(self._known - listed.keys())
        gone = [chat_id for chat_id in missing if await self._ask_if_there(chat_id) is None]
        at = datetime.fromtimestamp(self._now(), UTC)
        moment = int(self._now() * 1000)
        left = [Change(one, IncomingKind.BOT_REMOVED, at, f"gone:{one}:{moment}") for one in gone]
        come = [incoming_told(told, self.account) for told in changed]
        come += [incoming_of(change, self.account, None) for change in left]
        known = (self._known | listed.keys()) - set(gone)
        for start in range(0, len(come), AT_ONCE):
            await self._tell(come[start : start + AT_ONCE])
        if known != self._known:
            await self._tell([], self._bookmark(known))
        self._known = known
        self._told |= {told.chat_id: told for told in changed}
        for chat_id in gone:  # should it come back, that is news
            self._told.pop(chat_id, None)
        return len(come)

    def _bookmark(self, known: set[str]) -> Bookmark:
        return Bookmark(GROUPS, msgspec.json.encode(sorted(known)).decode(), CHANNEL, self.account)

    async def _tell(self, come: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        if self._deliver is None or not await is_stored(self._deliver, come, bookmark):
            raise TryLater(AGAIN_AFTER, "nothing could be stored")

    async def _list(self) -> dict[str, int]:
        """The state of each group by its id."""
        found: dict[str, int] = {}
        cursor = ""
        for _ in range(MOST_PAGES):
            asked = {"status_filter": 0, "limit": PAGE, **({"cursor": cursor} if cursor else {})}
            page = await self._calls.post("externalcontact/groupchat/list", asked, is_repeatable=True)
            for one in page.get("group_chat_list") or ():
                if isinstance(one, dict) and one.get("chat_id"):
                    found[str(one["chat_id"])] = number(one.get("status"))
            cursor = str(page.get("next_cursor") or "")
            if not cursor:
                return found
        raise TryLater(AGAIN_AFTER, "the list of groups has no end")

    # Posts

    async def hand(self, post: HandedPost) -> Handed:
        return await self._desk.hand(post)

    async def find(self, post: HandedPost, span: TimeSpan) -> list[str]:
        return await self._desk.find(post, span)

    async def look(self, external_id: str, post: HandedPost) -> Progress:
        return await self._desk.look(external_id, post)

    async def remind(self, external_id: str) -> None:
        await self._desk.remind(external_id)

    async def withdraw(self, external_id: str) -> None:
        await self._desk.withdraw(external_id)

    async def keep_welcome(self, external_id: str | None, text: str, link: str) -> str:
        return await self._desk.keep_welcome(external_id, text, link)

    async def send(self, outgoing: Outgoing) -> Sent:  # noqa: ARG002 - nothing is sent
        raise Rejected("a post for a customer group is handed to its owner")

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:  # noqa: ARG002 - nothing comes
        raise Rejected("nothing said in a customer group is heard")

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:  # noqa: ARG002 - nothing comes here
        """Its callbacks come to the app's address."""
        return 404

    async def check(self) -> list[Finding]:
        return await group_findings(self._calls)


def _ended(task: asyncio.Task[None]) -> None:
    """Keeping in step ends only when told to; anything else is a bug that must not go unseen."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.critical("wecom customer groups: no longer in step, %s", type(fault).__name__)


def _is_same(one: Told, other: Told) -> bool:
    return replace(one, facts=replace(one.facts, at=other.facts.at)) == other
