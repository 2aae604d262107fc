"""Doing one `Outgoing` in the self-built app: texts, files and cards to one member; a card changed with its code, else said anew."""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.channels.wecom.app_reading import CODE_LIVES
from bot.channels.wecom.budget import Budget
from bot.channels.wecom.calls import Calls
from bot.channels.wecom.cards import card_of
from bot.channels.wecom.client import Json
from bot.channels.wecom.files import upload
from bot.channels.wecom.text import TEXT_BYTES, split
from core.errors import DeliveryError, LimitReached, Rejected, Undeliverable, Unknown
from core.messages import Outgoing, OutgoingAction, Sent, StoredFile

HEADING = re.compile(r"【[^【】\n]{1,60}】")
SIGNS = re.compile(r"[*_`<>\[\]\\~|]|^\s*(?:#|[-+] |\d+\. )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the platform: what stands under its msgtype, or the file it will carry."""

    kind: str
    body: Json
    file: StoredFile | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What the platform said to one message."""

    msgid: str
    code: str = ""


class AppMouth:
    """Says things to members. Keeps nothing between two calls but how much each of them was sent. With `has_headings` a notice's
    first line stands out."""

    def __init__(
        self, calls: Calls, agent_id: int, budget: Budget, now: Callable[[], float], *, has_headings: bool = False
    ) -> None:
        self._has_headings = has_headings
        self._calls = calls
        self._agent_id = agent_id
        self._budget = budget
        self._now = now

    async def do(self, outgoing: Outgoing) -> Sent:
        match outgoing.action:
            case OutgoingAction.SEND:
                return await self._send(outgoing)
            case OutgoingAction.EDIT:
                return await self._edit(outgoing)
            case OutgoingAction.DELETE:
                await self._recall(outgoing)
            case OutgoingAction.ANSWER_PRESS:
                if outgoing.text:  # the client shows no notice under a pressed button: it is said
                    await self._send(outgoing)
        return Sent(outgoing.message_id, outgoing.keep)

    async def _send(self, outgoing: Outgoing) -> Sent:
        """Once the first of several messages is out, a failure is Unknown: repeating the whole would say the first twice."""
        task_id = f"w{outgoing.id}-{secrets.token_hex(4)}"
        parts = plan(outgoing, task_id, has_headings=self._has_headings)
        user = outgoing.chat.external_id
        wait = self._budget.seconds_until(user, len(parts))
        if wait > 0:
            raise LimitReached(wait, "the member has been sent as much as WeCom lets through")
        made: list[Made] = []
        for part in parts:
            try:
                made.append(await self._once(part, user))
            except DeliveryError as error:
                if not made:
                    raise
                raise Unknown(f"{len(made)} messages went out, then: {error.reason}") from None
        keep = {"ids": ",".join(one.msgid for one in made), "said": digest(outgoing.text)}
        if made[-1].code:
            keep |= {"code": made[-1].code, "until": str(int(self._now() + CODE_LIVES.total_seconds()))}
        return Sent(task_id if parts[-1].kind == "template_card" else made[-1].msgid, keep)

    async def _once(self, part: Part, user: str) -> Made:
        kind, body = part.kind, part.body
        if part.file is not None:
            kind, media_id = await upload(self._calls, part.file)
            body = {"media_id": media_id}
        self._budget.note(user)
        message = {"touser": user, "agentid": self._agent_id, "msgtype": kind, kind: body}
        found = await self._calls.post("message/send", message)
        if found.get("invaliduser"):
            raise Undeliverable("成员不存在或不在应用的可见范围内")
        return Made(str(found.get("msgid", "")), str(found.get("response_code") or ""))

    async def _edit(self, outgoing: Outgoing) -> Sent:
        """Without a code that still works, the new words go out as a new message and the old one is taken back.

        That buttons have lost their meaning is no reason to say the same again: who presses one is told.
        """
        keep = dict(outgoing.keep)
        if keep.get("said") == digest(outgoing.text) and not outgoing.buttons:
            return Sent(outgoing.message_id, keep)
        if await self._is_card_changed(outgoing):
            keep |= {"code": "", "said": digest(outgoing.text)}
            return Sent(outgoing.message_id, keep)
        sent = await self._send(outgoing)
        await self._take_back(outgoing)
        return sent

    async def _is_card_changed(self, outgoing: Outgoing) -> bool:
        code, until = outgoing.keep.get("code", ""), outgoing.keep.get("until", "0")
        if not code or int(until) <= self._now():
            return False
        card = card_of(outgoing.text, outgoing.buttons, outgoing.message_id or "")
        if not card.is_whole:
            return False
        user = outgoing.chat.external_id
        change = {"userids": [user], "agentid": self._agent_id, "response_code": code, "template_card": card.body}
        try:
            await self._calls.post("message/update_template_card", change, is_repeatable=True)
        except Rejected:
            return False  # the code was used or has ended; a first try whose answer was lost may have used it
        return True

    async def _recall(self, outgoing: Outgoing) -> None:
        for msgid in _ids(outgoing):
            await self._calls.post("message/recall", {"msgid": msgid}, is_repeatable=True)

    async def _take_back(self, outgoing: Outgoing) -> None:
        """The words that no longer hold; after a day they cannot be taken back, and that they stay is no failure."""
        for msgid in _ids(outgoing):
            try:
                await self._calls.post("message/recall", {"msgid": msgid}, is_repeatable=True)
            except DeliveryError:
                return


def _ids(outgoing: Outgoing) -> list[str]:
    return [msgid for msgid in outgoing.keep.get("ids", "").split(",") if msgid]


def with_heading(text: str) -> str:
    """The text with its first line in bold, where that is 【a heading】 and nothing else would be taken for a sign of Markdown, which
    knows no way there to write such a sign plainly. Empty where it must stay as it is."""
    first, _, rest = text.partition("\n")
    marked = f"**{first}**\n{rest}"
    is_plain = HEADING.fullmatch(first) is not None and rest.strip() and SIGNS.search(text) is None
    return marked if is_plain and len(marked.encode()) <= TEXT_BYTES else ""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def plan(outgoing: Outgoing, task_id: str, *, has_headings: bool = False) -> list[Part]:
    """The messages in order: files first, then the text, and where there are buttons a card at the end."""
    parts = [Part("", {}, file) for file in outgoing.files]
    if not outgoing.buttons:
        marked = with_heading(outgoing.text) if has_headings else ""
        if marked:
            return [*parts, Part("markdown", {"content": marked})]
        parts += [Part("text", {"content": piece}) for piece in split(outgoing.text)]
        if not parts:
            raise Rejected("nothing to send: neither text nor file")
        return parts
    card = card_of(outgoing.text, outgoing.buttons, task_id)
    if not card.is_whole:
        parts += [Part("text", {"content": piece}) for piece in split(outgoing.text)]
    return [*parts, Part("template_card", card.body)]
