"""One callback of the self-built app, decrypted → one `Incoming`. Pure, and never raises: what cannot be read is kept as UNREADABLE."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.channels.wecom.callbacks import Fields, read_xml
from core.messages import (
    Attachment,
    AttachmentKind,
    ChatKind,
    ChatRef,
    ColleagueChange,
    Incoming,
    IncomingKind,
    SenderRef,
)

CHANNEL = "wecom"
MEDIA_LIVE = timedelta(days=3)
CODE_LIVES = timedelta(hours=72)
LONGEST_ID = 128
NOBODY: Mapping[str, str] = {}
DIGITS = re.compile(r"[0-9]{1,11}")
FILES = {
    "image": AttachmentKind.PHOTO,
    "voice": AttachmentKind.VOICE,
    "video": AttachmentKind.VIDEO,
    "file": AttachmentKind.FILE,
}


SYSTEM = "sys"
# Of the address book; departments and tags by themselves are nobody's.
CONTACT_CHANGES = {
    "create_user": IncomingKind.COLLEAGUE_JOINED,
    "update_user": IncomingKind.COLLEAGUE_CHANGED,
    "delete_user": IncomingKind.COLLEAGUE_LEFT,
}
IS_SUSPENDED, HAS_LEFT = "2", "5"  # `Status`


class _Unreadable(Exception):
    """A field that must be there is not, or is something else."""


@dataclass(frozen=True, slots=True)
class _Words:
    """What a message says: its words and its file."""

    text: str = ""
    attachments: tuple[Attachment, ...] = field(default=())


def to_incoming(text: str, account: str, at: datetime, names: Mapping[str, str] = NOBODY) -> Incoming | None:
    """What the callback says, or None when it holds nothing for us. `at` is when it came, for what carries no time that can be read.

    `names` are those of members, as far as they are known: a callback has only the member's id.
    """
    fields = read_xml(text)
    if fields is None:
        return _unreadable(text, account, at)
    try:
        return _Reader(fields, text, account, names).read()
    except _Unreadable:
        return _unreadable(text, account, at)


def _unreadable(text: str, account: str, at: datetime) -> Incoming:
    return Incoming(
        channel=CHANNEL,
        account=account,
        external_id=f"unreadable:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}",
        kind=IncomingKind.UNREADABLE,
        chat=ChatRef("", ChatKind.PRIVATE),
        sender=None,
        sent_at=at,
        raw=text,
    )


class _Reader:
    """Reads one callback; holds what every `Incoming` made of it needs."""

    def __init__(self, fields: Fields, raw: str, account: str, names: Mapping[str, str]) -> None:
        self._names = names
        self._fields = fields
        self._raw = raw
        self._account = account
        self._user = self._need("FromUserName")
        moment = self._need("CreateTime")
        if not DIGITS.fullmatch(moment):
            raise _Unreadable
        self._at = datetime.fromtimestamp(int(moment), UTC)

    def read(self) -> Incoming | None:
        kind = self._need("MsgType").lower()
        if kind == "event":
            return self._event(self._need("Event").lower())
        words = self._words(kind)
        if words is None:
            return None
        msgid = self._need("MsgId")
        return self._make(msgid, IncomingKind.MESSAGE, message_id=msgid, text=words.text, attachments=words.attachments)

    def _words(self, kind: str) -> _Words | None:
        if kind == "text":
            return _Words(self._text("Content"))
        if kind in FILES:
            medium = Attachment(FILES[kind], self._need("MediaId"), fetch_before=self._at + MEDIA_LIVE)
            return _Words(self._text("Recognition") if kind == "voice" else "", (medium,))
        if kind == "location":
            return _Words(self._text("Label") or f"{self._need('Location_X')},{self._need('Location_Y')}")
        if kind == "link":
            return _Words("\n".join(line for line in (self._text("Title"), self._text("Url")) if line))
        return None

    def _event(self, name: str) -> Incoming | None:
        """`enter_agent` comes with every look at the app: it opens the chat and is answered by nothing."""
        if name == "change_contact":
            return self._contact(self._text("ChangeType").lower())
        key = self._text("EventKey")
        known = ":".join((self._user, str(int(self._at.timestamp())), name, key, self._text("TaskId")))
        external_id = f"event:{hashlib.sha256(known.encode('utf-8', 'replace')).hexdigest()[:32]}"
        if name in ("template_card_event", "template_card_menu_event"):
            return self._press(external_id, self._chosen() or key)
        if name == "subscribe":
            return self._make(external_id, IncomingKind.BOT_STARTED, message_id=external_id)
        if name == "enter_agent":
            return self._make(external_id, IncomingKind.BOT_STARTED)
        if name == "unsubscribe":
            return self._make(external_id, IncomingKind.BOT_BLOCKED)
        if name == "click" and key:
            return self._make(external_id, IncomingKind.MESSAGE, message_id=external_id, text=key)
        return None

    def _chosen(self) -> str:
        """The option of a vote card; empty where buttons were pressed. One is chosen of one question: the first counts."""
        found: object = self._fields
        for name in ("SelectedItems", "SelectedItem", "OptionIds", "OptionId"):
            found = found.get(name, "") if isinstance(found, dict) else ""
            found = found[0] if isinstance(found, list) and found else found
        return found if isinstance(found, str) else ""

    def _contact(self, change: str) -> Incoming | None:
        """Somebody came into the address book, changed or left; departments are looked at when staff look."""
        kind = CONTACT_CHANGES.get(change)
        if kind is None:
            return None
        userid, status = self._need("UserID"), self._text("Status")
        known = ":".join(("contact", change, userid, str(int(self._at.timestamp()))))
        return Incoming(
            channel=CHANNEL,
            account=self._account,
            external_id=f"event:{hashlib.sha256(known.encode('utf-8', 'replace')).hexdigest()[:32]}",
            kind=IncomingKind.COLLEAGUE_LEFT if status == HAS_LEFT else kind,
            chat=ChatRef(SYSTEM, ChatKind.PRIVATE),
            sender=None,
            sent_at=self._at,
            colleague=ColleagueChange(
                userid,
                name=self._text("Name"),
                new_id=self._text("NewUserID")[:LONGEST_ID],
                is_moved=bool(self._text("Department") or self._text("Position")),
                is_active=status != IS_SUSPENDED,
            ),
            raw=self._raw,
        )

    def _press(self, external_id: str, key: str) -> Incoming:
        """Each click brings a code with which the card may be changed once: it is kept with the card's message."""
        code = self._text("ResponseCode")
        until = int((self._at + CODE_LIVES).timestamp())
        return self._make(
            external_id,
            IncomingKind.PRESS,
            message_id=self._need("TaskId"),
            button=key,
            press_id=external_id,
            keep={"code": code, "until": str(until)} if code else {},
        )

    def _make(self, external_id: str, kind: IncomingKind, **rest: object) -> Incoming:
        made: dict[str, object] = {"is_addressed": True, "raw": self._raw, **rest}
        return Incoming(
            channel=CHANNEL,
            account=self._account,
            external_id=external_id,
            kind=kind,
            chat=ChatRef(self._user, ChatKind.PRIVATE),
            sender=SenderRef(self._user, self._names.get(self._user, ""), is_person=self._user != SYSTEM),
            sent_at=self._at,
            **made,  # type: ignore[arg-type]  # the callers name the fields
        )

    def _text(self, name: str) -> str:
        found = self._fields.get(name)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise _Unreadable
        return found

    def _need(self, name: str) -> str:
        found = self._text(name)
        if not found or len(found) > LONGEST_ID:
            raise _Unreadable
        return found
