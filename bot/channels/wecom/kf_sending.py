"""Doing one `Outgoing` through 微信客服: at most five messages in the 48 hours after a customer's last word.

Nothing that was sent can be changed or taken back: an edit is said anew. That none is spent lightly is the outbox's matter, by the
`ALLOWANCE` declared here.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.channels.wecom.app_sending import digest
from bot.channels.wecom.calls import Calls
from bot.channels.wecom.client import Json
from bot.channels.wecom.files import upload
from bot.channels.wecom.kf_reading import OF_MESSAGE, chat_of
from bot.channels.wecom.kf_serving import KfServing
from bot.channels.wecom.text import TEXT_BYTES, shorten_bytes, split
from core.errors import Closed, DeliveryError, Rejected, Undeliverable, Unknown
from core.messages import Allowance, Button, Outgoing, OutgoingAction, Sent, StoredFile

MOST_IN_WINDOW = 5
WINDOW = 48 * 3600.0
# Kept for the question whether the customer is satisfied, and the photo with it.
FOR_ANSWERS = 2
CODE_WITHIN = 18.0  # seconds; the platform gives 20
HEAD_BYTES, ITEM_BYTES, KEY_BYTES, URL_BYTES = 1024, 128, 64, 2048
MOST_ITEMS = 10
MOST_PEOPLE, MOST_LOST = 50_000, 1_000
ALLOWANCE = Allowance(MOST_IN_WINDOW, timedelta(seconds=WINDOW), TEXT_BYTES, HEAD_BYTES, reserve=FOR_ANSWERS)
CLOSED = "微信客服的回复次数或 48 小时期限已用完，要等居民再来消息；急事请打电话"


@dataclass(slots=True)
class Window:
    """What may still be said to one customer, as far as this process has seen. The platform has the last word."""

    heard_at: float
    sent: int = 0
    code: str = ""
    code_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """One message: what stands under its msgtype, or the file it will carry."""

    kind: str
    body: Json
    file: StoredFile | None = None


class KfMouth:
    """Says things to customers, and counts what each may still be told."""

    def __init__(self, calls: Calls, now: Callable[[], float]) -> None:
        self._calls = calls
        self._now = now
        self._serving = KfServing(calls)
        self._windows: OrderedDict[str, Window] = OrderedDict()
        self._lost: deque[str] = deque(maxlen=MOST_LOST)

    def note_heard(self, open_kfid: str, customer: str, at: float) -> None:
        """The customer has written: five messages are free again."""
        window = self._window(chat_of(open_kfid, customer), at)
        if at >= window.heard_at:
            window.heard_at, window.sent = at, 0

    def note_code(self, open_kfid: str, customer: str, code: str, at: float) -> None:
        """One message may go with this code, within seconds, whatever the window says."""
        window = self._window(chat_of(open_kfid, customer), 0.0)
        window.code, window.code_until = code, at + CODE_WITHIN

    def remaining(self, chat: str) -> int | None:
        """How many messages this customer may still be sent; None when this process has not heard of them yet."""
        window = self._windows.get(chat)
        if window is None:
            return None
        is_open = self._now() - window.heard_at <= WINDOW
        return max(0, MOST_IN_WINDOW - window.sent) if is_open else 0

    async def do(self, outgoing: Outgoing) -> Sent:
        match outgoing.action:
            case OutgoingAction.SEND:
                return await self._send(outgoing)
            case OutgoingAction.EDIT:
                return await self._edit(outgoing)
            case OutgoingAction.DELETE:
                raise Rejected("what was sent through KF cannot be taken back")
            case OutgoingAction.ANSWER_PRESS:
                if outgoing.text:
                    return await self._send(outgoing)
            case OutgoingAction.HAND_OVER:
                await self._serving.hand_over(*_customer(outgoing), outgoing.text)
            case OutgoingAction.HAND_BACK:
                await self._serving.hand_back(*_customer(outgoing), outgoing.text)
        return Sent(outgoing.message_id, outgoing.keep)

    def _window(self, chat: str, heard_at: float) -> Window:
        window = self._windows.pop(chat, None) or Window(heard_at)
        self._windows[chat] = window  # the newest stands last
        while len(self._windows) > MOST_PEOPLE:
            self._windows.popitem(last=False)
        return window

    async def _edit(self, outgoing: Outgoing) -> Sent:
        keep = dict(outgoing.keep)
        if keep.get("said") == digest(outgoing.text):
            return Sent(outgoing.message_id, keep)
        return await self._send(outgoing)

    async def _send(self, outgoing: Outgoing) -> Sent:
        """Once the first of several messages is out, a failure is Unknown: repeating the whole would say the first twice."""
        chat = outgoing.chat.external_id
        open_kfid, customer = _customer(outgoing)
        parts = plan(outgoing)
        all_of_it = len(parts)
        code = self._take_code(chat, parts)
        left = self.remaining(chat)
        if not code and left is not None and left < len(parts):
            # The words before the pictures, where not all of them may go.
            parts = [part for part in parts if part.file is None]
            if not 0 < len(parts) <= left:
                raise Closed(CLOSED)
        # The last one has the number that its menu names, also where files before it were left out.
        msgids = [message_id(outgoing, all_of_it - len(parts) + place) for place in range(len(parts))]
        for place, part in enumerate(parts):
            target = {"code": code} if code else {"touser": customer, "open_kfid": open_kfid}
            try:
                await self._once(part, target, msgids[place])
            except DeliveryError as error:
                if isinstance(error, Closed) and not place and await self._serving.is_with_staff(open_kfid, customer):
                    raise Closed(error.reason, is_served=True) from None
                if not place:
                    raise
                raise Unknown(f"{place} messages went out, then: {error.reason}") from None
            if not code and chat in self._windows:
                self._windows[chat].sent += 1
        return Sent(msgids[-1], {"said": digest(outgoing.text)}, spent=0 if code else len(parts))

    def _take_code(self, chat: str, parts: list[Part]) -> str:
        """The code for a welcome, if there is one and it is for this: one text or menu."""
        window = self._windows.get(chat)
        if window is None or not window.code or len(parts) > 1 or parts[0].kind not in ("text", "msgmenu"):
            return ""
        code, window.code = window.code, ""
        return code if self._now() < window.code_until else ""

    async def _once(self, part: Part, target: Json, msgid: str) -> None:
        kind, body = part.kind, part.body
        if part.file is not None:
            kind, media_id = await upload(self._calls, part.file)
            body = {"media_id": media_id}
        path = "kf/send_msg_on_event" if "code" in target else "kf/send_msg"
        try:
            await self._calls.post(path, {**target, "msgid": msgid, "msgtype": kind, kind: body})
        except Unknown:
            self._lost.append(msgid)
            raise
        except Rejected:
            # The same id once more, after an answer that never came: refused means that it went out then.
            if msgid not in self._lost:
                raise


def _customer(outgoing: Outgoing) -> tuple[str, str]:
    """The KF account and the customer whose chat this is."""
    open_kfid, _, customer = outgoing.chat.external_id.partition(":")
    if not customer:
        raise Undeliverable("not a KF chat")
    return open_kfid, customer


def message_id(outgoing: Outgoing, place: int) -> str:
    """Our own id of each message, known before it is sent."""
    return f"w{outgoing.id}-{place}"


def plan(outgoing: Outgoing) -> list[Part]:
    """As few messages as can be, in order: files, text, and where there are buttons a menu with the text above it."""
    parts = [Part("", {}, file) for file in outgoing.files]
    pieces = split(outgoing.text)
    buttons = [button for row in outgoing.buttons for button in row]
    if buttons:
        fits = len(pieces) == 1 and len(pieces[0].encode()) <= HEAD_BYTES
        parts += [] if fits else [Part("text", {"content": piece}) for piece in pieces]
        head = pieces[0] if fits else shorten_bytes(outgoing.text.partition("\n")[0], HEAD_BYTES)
        items = _items(buttons, message_id(outgoing, len(parts)))
        parts.append(Part("msgmenu", {"head_content": head, "list": items} if head else {"list": items}))
    else:
        parts += [Part("text", {"content": piece}) for piece in pieces]
    if not parts:
        raise Rejected("nothing to send: neither text nor file")
    return parts


def _items(buttons: list[Button], of_message: str) -> list[Json]:
    if len(buttons) > MOST_ITEMS:
        raise Rejected(f"a menu takes at most {MOST_ITEMS} items")
    return [_item(button, of_message) for button in buttons]


def _item(button: Button, of_message: str) -> Json:
    if button.url is not None:
        if len(button.url.encode()) > URL_BYTES:
            raise Rejected("a link is too long")
        return {"type": "view", "view": {"url": button.url, "content": shorten_bytes(button.text, HEAD_BYTES)}}
    key = f"{button.key}{OF_MESSAGE}{of_message}"
    if not button.key or len(key.encode()) > KEY_BYTES:
        raise Rejected(f"a button's key must have 1 to {KEY_BYTES} bytes, with its message")
    return {"type": "click", "click": {"id": key, "content": shorten_bytes(button.text, ITEM_BYTES)}}
