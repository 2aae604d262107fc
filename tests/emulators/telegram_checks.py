"""What the platform refuses: texts too long, buttons it cannot show, chats it cannot write to, files it cannot take."""

from typing import Any
from urllib.parse import urlsplit

from tests.emulators.telegram_fields import ApiError, Params
from tests.emulators.telegram_world import Chat, Json, World, utf16_length

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
BUTTONS = 100
BUTTONS_A_ROW = 8
PHOTO_BYTES = 10 * 1024 * 1024
UPLOAD_BYTES = 50 * 1024 * 1024
IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")
BUTTON_KINDS = frozenset({"url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text"})


def check_text(text: str) -> str:
    """The text as it will stand: trimmed, neither empty nor too long."""
    trimmed = text.strip()
    if not trimmed:
        raise ApiError(400, "Bad Request: message text is empty")
    if utf16_length(trimmed) > TEXT_LIMIT:
        raise ApiError(400, "Bad Request: message is too long")
    return trimmed


def check_caption(caption: str | None) -> str:
    trimmed = (caption or "").strip()
    if utf16_length(trimmed) > CAPTION_LIMIT:
        raise ApiError(400, "Bad Request: message caption is too long")
    return trimmed


def check_markup(markup: Any) -> Json | None:
    """An inline keyboard, or None. Keys are counted in bytes."""
    if markup is None:
        return None
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ApiError(400, "Bad Request: object expected as reply markup")
    if any(len(row) > BUTTONS_A_ROW for row in rows) or sum(map(len, rows)) > BUTTONS:
        raise ApiError(400, "Bad Request: reply markup is too long")
    for button in (button for row in rows for button in row):
        _check_button(button)
    return {"inline_keyboard": rows} if any(rows) else None


def _check_button(button: Json) -> None:
    if not str(button.get("text", "")).strip():
        raise ApiError(400, "Bad Request: can't parse inline keyboard button: Text buttons must have text")
    if len(BUTTON_KINDS & button.keys()) != 1:
        raise ApiError(
            400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= 64:
        raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "tg") or (parts.scheme != "tg" and "." not in (parts.hostname or "")):
            raise ApiError(400, f"Bad Request: inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def check_upload(kind: str, body: bytes) -> None:
    if not body:
        raise ApiError(400, "Bad Request: file must be non-empty")
    if len(body) > (PHOTO_BYTES if kind == "photo" else UPLOAD_BYTES):
        raise ApiError(413, "Request Entity Too Large")
    if kind == "photo" and not body.startswith(IMAGE_STARTS):
        raise ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED")


def find_chat(world: World, chat_id: int | str) -> Chat:
    """The chat, where the bot may at least look at it."""
    chat = world.chats.get(chat_id) if isinstance(chat_id, int) else None
    if chat is None:
        raise ApiError(400, "Bad Request: chat not found")
    if chat.migrated_to is not None:
        raise ApiError(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            {"migrate_to_chat_id": chat.migrated_to},
        )
    return chat


def writable_chat(world: World, chat_id: int | str) -> Chat:
    chat = find_chat(world, chat_id)
    if chat.is_group:
        kind = "supergroup" if chat.type == "supergroup" else "group"
        status = chat.members.get(world.bot.id, "left")
        if status == "kicked":
            raise ApiError(403, f"Forbidden: bot was kicked from the {kind} chat")
        if status == "left":
            raise ApiError(403, f"Forbidden: bot is not a member of the {kind} chat")
        if status == "restricted":
            raise ApiError(400, "Bad Request: not enough rights to send text messages to the chat")
        return chat
    person = world.users[chat.id]
    if person.is_bot:
        raise ApiError(403, "Forbidden: bot can't send messages to bots")
    if person.has_blocked:
        raise ApiError(403, "Forbidden: bot was blocked by the user")
    if not person.has_started:
        raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
    return chat


def check_thread(chat: Chat, params: Params) -> int | None:
    """General has no id to send to; any other topic must exist."""
    thread: int | None = params.get("message_thread_id")
    if thread is None:
        return None
    if not chat.is_forum or thread not in chat.topics:
        raise ApiError(400, "Bad Request: message thread not found")
    return thread


def check_reply(world: World, chat: Chat, params: Params) -> Json | None:
    wanted = params.get("reply_parameters")
    if wanted is None:
        return None
    unknown = wanted.keys() - {"message_id", "chat_id", "allow_sending_without_reply", "quote"}
    if unknown:
        raise ApiError(400, f"Bad Request: strict: reply_parameters has no field {sorted(unknown)[0]}")
    shown = world.replied(chat, wanted.get("message_id"))
    if shown is None and not wanted.get("allow_sending_without_reply"):
        raise ApiError(400, "Bad Request: message to be replied not found")
    return shown
