"""微信客服 (KF) as a channel: residents on personal WeChat, 1:1. A callback only says that something came; it is pulled by a cursor,
and the cursor is stored with what was pulled.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from bot.channels.base import Deliver, Finding, is_stored
from bot.channels.wecom.app import Corp
from bot.channels.wecom.callbacks import CallbackDoor, read_xml
from bot.channels.wecom.calls import Calls
from bot.channels.wecom.checking import kf_findings
from bot.channels.wecom.client import Json
from bot.channels.wecom.crypto import Envelope
from bot.channels.wecom.hooks import answer
from bot.channels.wecom.kf_reading import CHANNEL, ENDED, FROM_CUSTOMER, Message, Page, Read, customer_of, read
from bot.channels.wecom.kf_sending import ALLOWANCE, KfMouth
from bot.channels.wecom.reachable import address_findings
from bot.channels.wecom.text import TEXT_BYTES
from core.errors import DeliveryError, TryLater
from core.hooks import HookAnswer, HookCall
from core.messages import Abilities, Attachment, Bookmark, Incoming, Outgoing, Sent

ABILITIES = Abilities(
    text_limit=TEXT_BYTES,
    can_edit=False,
    can_delete=False,
    tells_withdrawals=True,
    allowance=ALLOWANCE,
    has_servicers=True,
)
CURSOR = "cursor:"
EVENT = "kf_msg_or_event"
PAGE = 1000
MOST_NAMES = 20_000
# On the very first start the platform hands out the last three days; older than this is no news any more.
FRESH = 600.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
SCENE = "wuwei"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stream:
    """What is known of one KF account's messages. `calls` counts the callbacks, so that one that comes while reading is seen."""

    cursor: str
    is_first: bool
    news: asyncio.Event
    token: str = ""
    calls: int = 0
    task: asyncio.Task[None] | None = None


class KfChannel:
    """All KF accounts of one secret. `open_kfids` are read from the start; others from their first callback on."""

    def __init__(
        self,
        corp: Corp,
        *,
        open_kfids: Sequence[str] = (),
        now: Callable[[], float] = time.time,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._corp = corp
        self._open_kfids = tuple(open_kfids)
        self._now = now
        self._first_pause = first_pause
        self._calls = Calls(corp.corp_id, corp.secret, base_url=corp.base_url, token_folder=corp.token_folder, now=now)
        self._envelope = Envelope(corp.callback_token, corp.aes_key, corp.corp_id)
        self._door = CallbackDoor(self._envelope, now)
        self._mouth = KfMouth(self._calls, now)
        self._streams: dict[str, Stream] = {}
        self._names: dict[str, str] = {}
        self._start_link = ""
        self._deliver: Deliver | None = None
        self._stored: Mapping[str, str] = {}
        self._linking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"KfChannel({self.account})"

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def account(self) -> str:
        return self._corp.corp_id

    @property
    def abilities(self) -> Abilities:
        """The link into the private chat is known once the platform has made it."""
        return replace(ABILITIES, start_link=self._start_link)

    @property
    def is_idle(self) -> bool:
        """Whether everything that the platform has told of has been pulled."""
        return all(not stream.news.is_set() for stream in self._streams.values())

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:
        """Reads on where the last process stopped; what came meanwhile is still kept by the platform, for three days."""
        self._linking = asyncio.create_task(self._make_link(), name="wecom kf link")
        if not listens:
            return
        self._deliver, self._stored = deliver, dict(bookmarks)
        known = [name.removeprefix(CURSOR) for name in bookmarks if name.startswith(CURSOR)]
        for open_kfid in dict.fromkeys((*self._open_kfids, *known)):
            self._stream(open_kfid).news.set()

    async def stop(self) -> None:
        self._deliver = None
        tasks = [stream.task for stream in self._streams.values() if stream.task is not None]
        tasks += [self._linking] if self._linking is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._streams.clear()
        self._calls.close()

    async def send(self, outgoing: Outgoing) -> Sent:
        return await self._mouth.do(outgoing)

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        return await self._calls.download(attachment.external_id, most=most)

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:  # noqa: ARG002 - nothing is taken
        """WeCom's calls need their query: `answer_hook` takes them."""
        return 405

    async def answer_hook(self, call: HookCall) -> HookAnswer:
        return await answer(self._door, call, self._work)

    async def check(self) -> list[Finding]:
        found = await kf_findings(self._calls, self._open_kfids)
        if self._corp.public_url:
            found += await address_findings("微信客服", self._corp.public_url, f"/hooks/{CHANNEL}", self._envelope)
        return found

    async def reread(self, raw: str) -> Incoming | None:
        """A message that was kept because it could not be read, as it is read today."""
        return read(raw.encode(), self.account, self._names).incoming

    def remaining(self, chat: str) -> int | None:
        """How many messages may still go into this chat; None when this process does not know."""
        return self._mouth.remaining(chat)

    def take_event(self, text: str) -> bool:
        """Whether a decrypted callback says that KF has messages; they are pulled in the background.

        It may be answered at once: nothing is lost with it, for the cursor stands before what it speaks of.
        """
        fields = read_xml(text) if EVENT in text else None
        if fields is None or fields.get("Event") != EVENT:
            return False
        open_kfid, token = fields.get("OpenKfId"), fields.get("Token")
        if isinstance(open_kfid, str) and 0 < len(open_kfid) <= 64 and self._deliver is not None:
            stream = self._stream(open_kfid)
            stream.token = token if isinstance(token, str) else ""
            stream.calls += 1
            stream.news.set()
        return True

    async def _work(self, text: str) -> bool:
        if self._deliver is None:
            return False
        self.take_event(text)
        return True

    def _stream(self, open_kfid: str) -> Stream:
        stream = self._streams.get(open_kfid)
        if stream is None:
            cursor = self._stored.get(f"{CURSOR}{open_kfid}")
            stream = Stream(cursor or "", cursor is None, asyncio.Event())
            self._streams[open_kfid] = stream
            stream.task = asyncio.create_task(self._read(open_kfid, stream), name=f"wecom kf {open_kfid}")
            stream.task.add_done_callback(self._ended)
        return stream

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Reading ends only when told to; anything else is a bug that must not go unseen."""
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.critical("wecom kf: no longer reading, %s", type(fault).__name__)

    async def _read(self, open_kfid: str, stream: Stream) -> None:
        """One account's messages, page after page, one at a time. The news are cleared only when all of them are stored."""
        pause = self._first_pause
        while True:
            await stream.news.wait()
            calls = stream.calls
            try:
                is_done = await self._pull(open_kfid, stream)
            except DeliveryError as error:
                log.warning("wecom kf: not pulled, %s", error.reason)
                stream.token = ""  # it may have ended; without one the platform is only slower
                told = error.seconds if isinstance(error, TryLater) and error.whole_account else 0.0
                await asyncio.sleep(max(pause, told))
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            pause = self._first_pause
            if is_done and stream.calls == calls:
                stream.news.clear()

    async def _pull(self, open_kfid: str, stream: Stream) -> bool:
        """One page, stored with its cursor. False when there is more to come."""
        asked: Json = {"cursor": stream.cursor, "limit": PAGE, "open_kfid": open_kfid}
        if stream.token:
            asked["token"] = stream.token
        found = await self._calls.post("kf/sync_msg", asked, is_repeatable=True)
        try:
            page = msgspec.convert({**found, "msg_list": ()}, Page)
        except msgspec.ValidationError:
            raise TryLater(self._first_pause, "the answer of sync_msg could not be read") from None
        # Escaped throughout: half a character in a message must not keep the others from being read.
        come = await self._understand([json.dumps(one).encode() for one in found.get("msg_list") or ()])
        if stream.is_first:
            come = [one for one in come if one.message is None or self._now() - one.message.send_time < FRESH]
        self._note(come)
        await self._store(open_kfid, stream, page, [one.incoming for one in come if one.incoming is not None])
        return not page.has_more

    async def _store(self, open_kfid: str, stream: Stream, page: Page, incomings: list[Incoming]) -> None:
        """Of the very first reading the cursor is stored at its end: until then it is to begin anew after a fall."""
        if self._deliver is None:
            raise TryLater(self._first_pause, "nobody takes what is pulled")
        is_told = not (stream.is_first and page.has_more)
        bookmark = None
        if is_told and page.next_cursor and page.next_cursor != stream.cursor:
            bookmark = Bookmark(f"{CURSOR}{open_kfid}", page.next_cursor, self.name, self.account)
        if (incomings or bookmark is not None) and not await is_stored(self._deliver, incomings, bookmark):
            raise TryLater(self._first_pause, "nothing could be stored")
        stream.cursor = page.next_cursor or stream.cursor
        stream.is_first = stream.is_first and bool(page.has_more)

    async def _understand(self, bodies: list[bytes]) -> list[Read]:
        found = [read(body, self.account, self._names) for body in bodies]
        new = {customer_of(one.message) for one in found if one.message is not None} - {"", *self._names}
        if not new:
            return found
        await self._learn_names(sorted(new))
        return [read(body, self.account, self._names) for body in bodies]

    def _note(self, found: list[Read]) -> None:
        """What the mouth must know: who has written, and with which code a newcomer may be welcomed."""
        for message in (one.message for one in found if one.message is not None):
            if message.origin == FROM_CUSTOMER:
                self._mouth.note_heard(message.open_kfid, message.external_userid, float(message.send_time))
            elif message.event.welcome_code or (message.event.msg_code and message.event.change_type == ENDED):
                self._note_code(message)

    def _note_code(self, message: Message) -> None:
        """Somebody came in, or a servicer has done: one message may go with the code, within seconds."""
        event = message.event
        self._mouth.note_code(
            event.open_kfid or message.open_kfid,
            event.external_userid,
            event.welcome_code or event.msg_code,
            float(message.send_time),
        )

    async def _learn_names(self, customers: list[str]) -> None:
        """Nicknames, a hundred at a time; without them the messages come all the same."""
        if len(self._names) > MOST_NAMES:
            self._names.clear()
        for start in range(0, len(customers), 100):
            some = customers[start : start + 100]
            try:
                found = await self._calls.post(
                    "kf/customer/batchget", {"external_userid_list": some}, is_repeatable=True
                )
            except DeliveryError as error:
                log.info("wecom kf: no names, %s", error.reason)
                return
            self._names |= dict.fromkeys(some, "")
            for one in found.get("customer_list") or ():
                self._names[str(one.get("external_userid"))] = str(one.get("nickname", ""))

    async def _make_link(self) -> None:
        """The link that residents open, with a place for what it is about."""
        try:
            open_kfid = self._open_kfids[0] if self._open_kfids else await self._first_account()
            if open_kfid:
                asked: Json = {"open_kfid": open_kfid, "scene": SCENE}
                url = str((await self._calls.post("kf/add_contact_way", asked, is_repeatable=True)).get("url", ""))
                self._start_link = f"{url}{'&' if '?' in url else '?'}scene_param={{payload}}" if url else ""
        except DeliveryError as error:
            log.warning("wecom kf: no link, %s", error.reason)

    async def _first_account(self) -> str:
        found = (await self._calls.get("kf/account/list")).get("account_list") or ()
        return str(found[0].get("open_kfid", "")) if found else ""
