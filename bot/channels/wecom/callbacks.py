"""The door for WeCom's callbacks: query, envelope, signature, time and repetition are checked before a word is read."""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from xml.parsers.expat import ExpatError, ParserCreate

import msgspec

from bot.channels.wecom.crypto import Envelope
from core.hooks import HookCall

LARGEST_BODY = 256 * 1024
MOST_QUERY = 8 * 1024
DEEPEST = 16
# How far a callback's time may be from ours, and so how long a call must be remembered to know it again.
WINDOW = 600.0
MOST_REMEMBERED = 100_000
# Almost every callback is this and nothing else: elements side by side, each with its words, in CDATA or bare.
ELEMENT = r"<([A-Za-z][A-Za-z0-9]*)>(?:<!\[CDATA\[([^\]]*)\]\]>|([^<>&\]]*))</\1>[ \t\n]*"
FIELD, FLAT = re.compile(ELEMENT), re.compile(rf"[ \t\n]*<xml>[ \t\n]*(?:{ELEMENT})+</xml>[ \t\n]*")
# What XML reads as something else, or not at all.
NOT_AS_THEY_STAND = ("\r", "\ufffe", "\uffff")
# XML has no such characters, and PostgreSQL stores no NUL.
CONTROL_BYTES = bytes(code for code in range(32) if code not in b"\t\n\r")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

Fields = dict[str, Any]


class _Json(msgspec.Struct):
    encrypt: str


_json = msgspec.json.Decoder(_Json)


@dataclass(frozen=True, slots=True)
class Opened:
    """A genuine callback: its message, and by what it is known if it comes again."""

    text: str
    key: str
    is_repeated: bool


class CallbackDoor:
    """One receive-address. `now` is the time in seconds."""

    def __init__(self, envelope: Envelope, now: Callable[[], float]) -> None:
        self._envelope = envelope
        self._now = now
        self._worked: OrderedDict[str, float] = OrderedDict()

    def verify(self, call: HookCall) -> str | None:
        """The plain text by which the address is proven ours; None when the call is not WeCom's."""
        query = read_query(call.query)
        sealed = query.get("echostr", "")
        return self._envelope.open(sealed) if sealed and self._is_genuine(query, sealed) else None

    def open(self, call: HookCall) -> Opened | None:
        """The message in an XML or JSON envelope; None when it is not genuine."""
        query = read_query(call.query)
        sealed = _sealed(call.body)
        if sealed is None or not self._is_genuine(query, sealed):
            return None
        text = self._envelope.open(sealed)
        key = query["msg_signature"]
        return None if text is None else Opened(text, key, is_repeated=key in self._worked)

    def note_worked(self, opened: Opened) -> None:
        """The call was worked; one that comes again is the same. Not noted before: a call that failed must be repeated."""
        now = self._now()
        self._worked[opened.key] = now
        while self._worked:
            oldest = next(iter(self._worked))
            if len(self._worked) <= MOST_REMEMBERED and self._worked[oldest] > now - 2 * WINDOW:
                break
            del self._worked[oldest]

    def _is_genuine(self, query: dict[str, str], sealed: str) -> bool:
        timestamp = query.get("timestamp", "")
        signature, nonce = query.get("msg_signature", ""), query.get("nonce", "")
        if not (signature and nonce and timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
            return False
        is_signed = self._envelope.is_signed(signature, timestamp, nonce, sealed)
        return is_signed and abs(int(timestamp) - self._now()) <= WINDOW


def read_query(query: str) -> dict[str, str]:
    """The fields of a query. A plus stays a plus: echostr is base64, and not every proxy escapes it."""
    if len(query) > MOST_QUERY:
        return {}
    pairs = (part.partition("=") for part in query.split("&"))
    return {unquote(name): unquote(value) for name, _, value in pairs}


def read_xml(text: str) -> Fields | None:
    """The fields of a message, every value as text: ids have leading zeros and more digits than a number keeps."""
    try:
        clean = text.encode().translate(None, CONTROL_BYTES)
    except UnicodeError:
        return None  # half a character
    flat = _read_flat(clean.decode())
    return _read_any(clean) if flat is None else flat


def _read_flat(text: str) -> Fields | None:
    """What `_read_any` would read, for less, where no element has elements in it; None where that is not sure."""
    if FLAT.fullmatch(text) is None or any(one in text for one in NOT_AS_THEY_STAND):
        return None
    found = FIELD.findall(text)
    fields: Fields = {name: sealed or bare for name, sealed, bare in found}
    return fields if len(fields) == len(found) else None


def _read_any(text: bytes) -> Fields | None:
    tree = _Tree()
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = tree.begin, tree.end
    parser.CharacterDataHandler = tree.say
    # A declaration brings entities, and nothing else that is no element has any business here.
    parser.StartDoctypeDeclHandler = parser.CommentHandler = parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(text, True)
    except (ExpatError, _Trick):
        return None
    fields = tree.root.get("xml")
    return fields if isinstance(fields, dict) else None


class _Trick(Exception):
    """XML that the platform never sends."""


def _refuse(*_: object) -> None:
    raise _Trick


class _Tree:
    """Elements as they come: one with others inside becomes a dictionary, one that is repeated a list, the rest text."""

    __slots__ = ("_open", "_words", "root")

    def __init__(self) -> None:
        self.root: Fields = {}
        self._open = [self.root]
        self._words = ""

    def begin(self, _name: str, _attributes: object) -> None:
        if len(self._open) > DEEPEST:
            raise _Trick
        self._open.append({})
        self._words = ""

    def say(self, words: str) -> None:
        self._words += words

    def end(self, name: str) -> None:
        inner = self._open.pop()
        value: object = inner or self._words
        outer = self._open[-1]
        if name not in outer:
            outer[name] = value
        elif isinstance(outer[name], list):
            outer[name].append(value)
        else:
            outer[name] = [outer[name], value]
        self._words = ""


def _sealed(body: bytes) -> str | None:
    """What is encrypted in an envelope."""
    if len(body) > LARGEST_BODY:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if text.lstrip()[:1] == "{":
        try:
            return _json.decode(CONTROL.sub("", text)).encrypt
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return None
    fields = read_xml(text)
    sealed = None if fields is None else fields.get("Encrypt")
    return sealed if isinstance(sealed, str) else None
