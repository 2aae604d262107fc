"""Reads what callers of the simulator send: who calls, JSON bodies, base64 files, lengths of time. Refuses with a sentence."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from fastapi import Request

from core.clock import CHINA
from core.errors import Refused
from core.messages import AttachmentKind
from core.simulation import FILE_LIMIT, PHOTO_COUNT_LIMIT, Upload

MEGABYTE = 1024 * 1024
# Ten photos of the largest size, in base64, and the words around them.
BODY_LIMIT = 272 * MEGABYTE
SMALL_BODY_LIMIT = MEGABYTE
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
LENGTH = re.compile(
    r"P(?=[\dT])(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?", re.ASCII
)
FAULT_PLACE = re.compile(r"^(?P<fault>.*?)(?: - at `\$\.?(?P<place>.*)`)?$", re.DOTALL)


class AddPerson(msgspec.Struct):
    name: str
    roles: list[str] | None = None
    area: str | None = None


class Member(msgspec.Struct):
    person: str


class NamedFile(msgspec.Struct):
    data: str
    name: str = ""


class Say(msgspec.Struct):
    chat: str
    person: str
    text: str | None = None
    photos: list[str] | None = None
    voice: str | None = None
    file: str | NamedFile | None = None
    reply_to: str | None = None
    album: str | None = None


class Edit(msgspec.Struct):
    person: str
    text: str


class Press(msgspec.Struct):
    person: str
    message: str
    button: str


class MoveClock(msgspec.Struct):
    advance: str | None = None
    to: str | None = None


Body = TypeVar("Body", bound=msgspec.Struct)


def check_loopback(request: Request) -> None:
    """Refuses a request under a foreign name, or made by a foreign page: the simulator has no sign-in."""
    hosts = request.headers.getlist("host")
    host = hosts[0] if len(hosts) == 1 else ""
    origins = request.headers.getlist("origin")
    is_own_page = all(origin == f"{request.url.scheme}://{host}" for origin in origins)
    if _host_name(host) not in LOOPBACK_NAMES or not is_own_page:
        raise Refused("simulator.foreign_caller")


async def read_body(request: Request, shape: type[Body]) -> Body:
    """The JSON body in its shape, read no further than the cap."""
    most = BODY_LIMIT if issubclass(shape, Say) else SMALL_BODY_LIMIT
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused("simulator.body_too_large", most=most // MEGABYTE)
    try:
        return _without_nul(msgspec.json.decode(body, type=shape))
    except msgspec.ValidationError as fault:
        raise _bad_field(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused("simulator.bad_json") from fault


def _without_nul(body: Body) -> Body:
    """JSON can write a NUL and PostgreSQL cannot: it is left out here, as real platforms do."""
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if isinstance(value, str) and "\0" in value:
            setattr(body, name, value.replace("\0", ""))
        elif isinstance(value, list):
            setattr(body, name, [word.replace("\0", "") for word in value])
        elif isinstance(value, msgspec.Struct):
            _without_nul(value)
    return body


def read_uploads(body: Say) -> list[Upload]:
    """Photos, voice and file of the message, decoded. Refuses what is not base64 or too large."""
    photos = body.photos or []
    if len(photos) > PHOTO_COUNT_LIMIT:
        raise Refused("simulator.too_many_photos", most=PHOTO_COUNT_LIMIT, count=len(photos))
    uploads = [
        Upload(AttachmentKind.PHOTO, decode_file(photo, f"photos[{place}]")) for place, photo in enumerate(photos)
    ]
    if body.voice is not None:
        uploads.append(Upload(AttachmentKind.VOICE, decode_file(body.voice, "voice")))
    if body.file is not None:
        file = NamedFile(body.file) if isinstance(body.file, str) else body.file
        name = file.name.replace("\\", "/").rpartition("/")[2][:200]
        uploads.append(Upload(AttachmentKind.FILE, decode_file(file.data, "file"), name))
    return uploads


def decode_file(words: str, field: str) -> bytes:
    """The bytes of a base64 text; a data address of a browser is taken too."""
    if words.startswith("data:"):
        words = words.partition(",")[2]
    if len(words) > (FILE_LIMIT + 2) // 3 * 4:
        raise Refused("simulator.file_too_large", most=FILE_LIMIT // MEGABYTE)
    try:
        content = base64.b64decode(words, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise Refused("simulator.bad_base64", field=field) from fault
    if len(content) > FILE_LIMIT:
        raise Refused("simulator.file_too_large", most=FILE_LIMIT // MEGABYTE)
    return content


def number_after(words: str) -> int:
    """The id after which messages are wanted; none (0) means all."""
    if not (words.isascii() and words.isdigit() and len(words) <= 19 and int(words) < 2**63):
        raise Refused("simulator.bad_after")
    return int(words)


def read_clock(body: MoveClock) -> timedelta | datetime:
    """How far, or to when. A time without a zone is Chinese time."""
    if (body.advance is None) == (body.to is None):
        raise Refused("simulator.clock_choose_one")
    return _length(body.advance) if body.advance is not None else _moment(body.to or "")


def _length(words: str) -> timedelta:
    match = LENGTH.fullmatch(words.strip().upper())
    if match is None:
        raise Refused("simulator.clock_bad_length", words=words[:40])
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _moment(words: str) -> datetime:
    try:
        moment = datetime.fromisoformat(words.strip())
        # A time at the very edge of the calendar has no place in another zone.
        return (moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).astimezone(CHINA)
    except (ValueError, OverflowError) as fault:
        raise Refused("simulator.clock_bad_time", words=words[:40]) from fault


def _bad_field(words: str) -> Refused:
    match = FAULT_PLACE.match(words)
    fault, place = (match["fault"], match["place"]) if match else (words, None)
    return Refused("simulator.bad_field", place=place or "整体", fault=_in_chinese(fault))


FAULTS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"Object missing required field `(.+)`"), r"缺少 \1"),
    (re.compile(r"Expected `(.+)`, got `(.+)`"), r"应为 \1，收到的是 \2"),
)


def _in_chinese(fault: str) -> str:
    for pattern, words in FAULTS:
        if pattern.fullmatch(fault):
            return pattern.sub(words, fault)
    return fault


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
