"""The self-built app as a channel: members of the corp, 1:1. WeCom shows an app nothing of what is said in groups."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.channels.base import Deliver, Finding, is_stored
from bot.channels.wecom import contacts
from bot.channels.wecom.app_reading import CHANNEL, to_incoming
from bot.channels.wecom.app_sending import AppMouth
from bot.channels.wecom.budget import Budget
from bot.channels.wecom.callbacks import CallbackDoor
from bot.channels.wecom.calls import Calls
from bot.channels.wecom.checking import app_findings
from bot.channels.wecom.client import Json
from bot.channels.wecom.crypto import Envelope
from bot.channels.wecom.hooks import answer
from bot.channels.wecom.reachable import address_findings
from bot.channels.wecom.text import TEXT_BYTES, shorten_bytes
from core.colleagues import Colleague
from core.errors import DeliveryError
from core.hooks import HookAnswer, HookCall
from core.messages import Abilities, Attachment, Incoming, Limit, LimitScope, MenuItem, Outgoing, SenderRef, Sent

# A member takes 30 messages a minute and 1,000 an hour; what is above is dropped by the platform without a word. It counts when a
# message arrives, we when it leaves: two seconds more keep a slow one and the thirtieth after it apart.
ON_THE_WAY = timedelta(seconds=2)
ABILITIES = Abilities(
    limits=(
        Limit(LimitScope.CHAT, 30, timedelta(minutes=1) + ON_THE_WAY),
        Limit(LimitScope.CHAT, 1000, timedelta(hours=1) + ON_THE_WAY),
    ),
    text_limit=TEXT_BYTES,
    can_write_first=True,
    hears_all=None,
)
MOST_NAMES = 20_000
NAME_WITHIN = 2.0  # seconds; a callback must be answered within five
# The menu: so many buttons above, so many under one of them, and the bytes of their words.
MOST_ABOVE, MOST_BELOW, ABOVE_BYTES, BELOW_BYTES = 3, 5, 16, 40
MORE = "更多"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Corp:
    """One secret of a corp, and where its callbacks come from. `token_folder` None keeps the access token in memory.

    `public_url` is where WeCom finds us; empty where this secret has no receive-address of its own.
    """

    corp_id: str
    secret: str
    callback_token: str
    aes_key: str
    base_url: str = "https://qyapi.weixin.qq.com"
    token_folder: Path | None = None
    public_url: str = ""


class AppChannel:
    """One agent. `others` is offered each callback first, and says whether it was its own (KF's, where both share an address); then
    `groups`, which says None to what is not its own, and else whether it was stored.

    `sign_in_host` is the host that people who sign in are sent back to, empty where nobody does by WeCom. `has_headings` sends notices as
    Markdown, which only WeCom's own client shows.
    """

    def __init__(
        self,
        corp: Corp,
        *,
        agent_id: int,
        commands: Sequence[MenuItem] = (),
        now: Callable[[], float] = time.time,
        others: Callable[[str], bool] = lambda _: False,
        sign_in_host: str = "",
        groups: Callable[[str], Awaitable[bool | None]] | None = None,
        has_headings: bool = False,
    ) -> None:
        self._sign_in_host = sign_in_host
        self._agent_id = agent_id
        self._corp = corp
        self._commands = tuple(commands)
        self._now = now
        self._others = others
        self._groups = groups
        self._calls = Calls(corp.corp_id, corp.secret, base_url=corp.base_url, token_folder=corp.token_folder, now=now)
        self._envelope = Envelope(corp.callback_token, corp.aes_key, corp.corp_id)
        self._door = CallbackDoor(self._envelope, now)
        self._mouth = AppMouth(self._calls, agent_id, Budget(ABILITIES.limits, now), now, has_headings=has_headings)
        self._names: dict[str, str] = {}
        self._deliver: Deliver | None = None
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"AppChannel({self.account})"

    @property
    def name(self) -> str:
        return CHANNEL

    @property
    def account(self) -> str:
        return f"{self._corp.corp_id}:{self._agent_id}"

    @property
    def abilities(self) -> Abilities:
        return ABILITIES

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:  # noqa: ARG002 - callbacks come by themselves
        """From now on callbacks are taken. The menu is set in the background: WeCom out of reach is no reason to fail."""
        self._deliver = deliver if listens else None
        if listens and self._commands:
            self._task = asyncio.create_task(self._set_menu(), name="wecom menu")

    async def stop(self) -> None:
        self._deliver = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
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
        found = await app_findings(self._calls, self._agent_id, self._sign_in_host)
        if self._corp.public_url:
            found += await address_findings("自建应用", self._corp.public_url, f"/hooks/{CHANNEL}", self._envelope)
        return found

    async def member_behind(self, code: str) -> str:
        """The userid of the member who signed in on WeCom's page; others have none. The platform takes each code once."""
        found = await self._calls.get("auth/getuserinfo", code=code)
        userid = found.get("userid") or found.get("UserId")
        return userid if isinstance(userid, str) else ""

    async def colleagues(self) -> Sequence[Colleague]:
        return await contacts.colleagues(self._calls, self._agent_id)

    async def is_gone(self, external_id: str) -> bool:
        return await contacts.is_gone(self._calls, external_id)

    async def reread(self, raw: str) -> Incoming | None:
        """A body that was kept because it could not be read, as it is read today."""
        return to_incoming(raw, self.account, self._moment())

    async def _work(self, text: str) -> bool:
        if self._deliver is None:
            return False
        if self._others(text):
            return True
        if self._groups is not None and (is_taken := await self._groups(text)) is not None:
            return is_taken
        incoming = to_incoming(text, self.account, self._moment(), self._names)
        if incoming is None:
            return True
        if incoming.sender is not None and incoming.sender.external_id not in self._names:
            incoming = await self._named(incoming, incoming.sender)
        return await is_stored(self._deliver, (incoming,))

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    async def _named(self, incoming: Incoming, sender: SenderRef) -> Incoming:
        """The member's name is asked for once. Without it the message comes all the same."""
        name = await self._ask_name(sender.external_id) if sender.is_person else ""
        if len(self._names) >= MOST_NAMES:
            self._names.clear()
        self._names[sender.external_id] = name
        return replace(incoming, sender=replace(sender, name=name))

    async def _ask_name(self, userid: str) -> str:
        try:
            async with asyncio.timeout(NAME_WITHIN):
                found = await self._calls.get("user/get", userid=userid)
        except (DeliveryError, TimeoutError):
            return ""
        return str(found.get("name", ""))

    async def _set_menu(self) -> None:
        """A tap on an item comes back as the command it stands for."""
        try:
            path = f"menu/create?agentid={self._agent_id}"
            await self._calls.post(path, {"button": _menu(self._commands)}, is_repeatable=True)
        except DeliveryError as error:
            log.warning("wecom %s: no menu, %s", self.account, error.reason)


def _menu(items: Sequence[MenuItem]) -> list[Json]:
    """What is wanted most often is one tap away; what else there is stands under a last button, while there is room for one."""
    first = [item for item in items if item.is_first][:MOST_ABOVE]
    others = [item for item in items if item not in first]
    made: list[Json] = [_click(item, ABOVE_BYTES) for item in first]
    if others and len(made) < MOST_ABOVE:
        below = [_click(item, BELOW_BYTES) for item in others[:MOST_BELOW]]
        made.append({"name": MORE, "sub_button": below})
    return made


def _click(item: MenuItem, most: int) -> Json:
    return {"type": "click", "name": shorten_bytes(item.title, most), "key": f"/{item.name}"}
