"""One `Outgoing` → the messages Telegram needs for it. Pure: nothing is read or sent here."""

from dataclasses import dataclass, replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels.telegram.text import split, utf16_length
from core.errors import Rejected
from core.messages import AttachmentKind, Button, Outgoing, StoredFile

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
ALBUM_SIZE = 10
KEY_BYTES = 64

Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str
    buttons: Rows = ()


@dataclass(frozen=True, slots=True)
class FilePart:
    file: StoredFile
    caption: str = ""
    buttons: Rows = ()


@dataclass(frozen=True, slots=True)
class AlbumPart:
    """Two to ten photos and videos, or two to ten files; Telegram gives albums no buttons."""

    files: tuple[StoredFile, ...]
    caption: str = ""


Part = TextPart | FilePart | AlbumPart


def plan(outgoing: Outgoing) -> list[Part]:
    """The messages in order: files first, the text as caption where it fits, the buttons under the last message."""
    parts = _files(outgoing.files)
    text, buttons = outgoing.text, outgoing.buttons
    if len(parts) == 1 and utf16_length(text) <= CAPTION_LIMIT:
        only = parts[0]
        if isinstance(only, FilePart):
            return [replace(only, caption=text, buttons=buttons)]
        if isinstance(only, AlbumPart) and not buttons:
            return [replace(only, caption=text)]
    pieces = split(text, TEXT_LIMIT)
    parts += [TextPart(piece) for piece in pieces[:-1]]
    if pieces:
        parts.append(TextPart(pieces[-1], buttons))
    elif parts and buttons:
        parts = _buttons_under_last(parts, buttons)
    if not parts:
        raise Rejected("nothing to send: neither text nor file")
    return parts


def keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    """The buttons as Telegram wants them. Raises Rejected for a key it would refuse or cut."""
    shown = [[_button(button) for button in row] for row in rows if row]
    return InlineKeyboardMarkup(shown) if shown else None


def _button(button: Button) -> InlineKeyboardButton:
    if button.url is not None:
        return InlineKeyboardButton(button.text, url=button.url)
    if not 1 <= len(button.key.encode()) <= KEY_BYTES:
        raise Rejected(f"a button's key must have 1 to {KEY_BYTES} bytes")
    return InlineKeyboardButton(button.text, callback_data=button.key)


def _files(files: tuple[StoredFile, ...]) -> list[Part]:
    pictures = tuple(file for file in files if file.kind in (AttachmentKind.PHOTO, AttachmentKind.VIDEO))
    voices = tuple(file for file in files if file.kind is AttachmentKind.VOICE)
    documents = tuple(file for file in files if file.kind is AttachmentKind.FILE)
    return [*_albums(pictures), *(FilePart(voice) for voice in voices), *_albums(documents)]


def _albums(files: tuple[StoredFile, ...]) -> list[Part]:
    chunks = [files[start : start + ALBUM_SIZE] for start in range(0, len(files), ALBUM_SIZE)]
    return [FilePart(chunk[0]) if len(chunk) == 1 else AlbumPart(chunk) for chunk in chunks]


def _buttons_under_last(parts: list[Part], buttons: Rows) -> list[Part]:
    last = parts[-1]
    if not isinstance(last, FilePart):
        raise Rejected("an album takes no buttons: a text must come with them")
    return [*parts[:-1], replace(last, buttons=buttons)]
