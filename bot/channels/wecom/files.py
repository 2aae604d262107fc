"""Our stored files → what WeCom takes: which kind of medium, under which name."""

import asyncio
import mimetypes
from pathlib import Path

from bot.channels.wecom.calls import Calls
from core.errors import Rejected
from core.messages import AttachmentKind, StoredFile

MB = 1024 * 1024
SMALLEST = 6
LARGEST = {"image": 10 * MB, "voice": 2 * MB, "video": 10 * MB, "file": 20 * MB}
IMAGES = ("image/jpeg", "image/png")


async def upload(calls: Calls, file: StoredFile) -> tuple[str, str]:
    """The msgtype under which the file is sent, and its media id. Raises Rejected for what WeCom would not take."""
    try:
        body = await asyncio.to_thread(Path(file.path).read_bytes)
    except OSError as error:
        raise Rejected(f"a stored file cannot be read: {error.strerror}") from None
    kind = kind_of(file, len(body))
    if not SMALLEST <= len(body) <= LARGEST[kind]:
        raise Rejected(f"a {kind} of {len(body)} bytes is not taken")
    return kind, await calls.upload(kind, body, name_of(file))


def kind_of(file: StoredFile, size: int) -> str:
    """A picture, sound or film that is not of WeCom's format, or too large for it, goes as a plain file."""
    kind = "file"
    if file.kind is AttachmentKind.PHOTO and file.media_type in IMAGES:
        kind = "image"
    elif file.kind is AttachmentKind.VOICE and file.media_type == "audio/amr":
        kind = "voice"
    elif file.kind is AttachmentKind.VIDEO and file.media_type == "video/mp4":
        kind = "video"
    return kind if size <= LARGEST[kind] else "file"


def name_of(file: StoredFile) -> str:
    """A name with an ending, by which the receiver's telephone knows what to do with it."""
    suffix = mimetypes.guess_extension(file.media_type) or ""
    name = file.name or f"{file.kind}{suffix}"
    return name if Path(name).suffix or not suffix else name + suffix
