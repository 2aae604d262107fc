"""The Bot API methods, each a function of the world and its typed fields. Raises ApiError as the platform refuses."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.emulators.telegram_checks import (
    check_caption,
    check_markup,
    check_reply,
    check_text,
    check_thread,
    check_upload,
    find_chat,
    writable_chat,
)
from tests.emulators.telegram_fields import ApiError, Params, Upload
from tests.emulators.telegram_world import Chat, Json, PlatformFile, StoredMessage, World, text_fields

DOWNLOAD_BYTES = 20 * 1024 * 1024
PRESS_LIVES = 30.0
DELETE_WITHIN = 48 * 3600
MEDIA_FIELDS = frozenset(
    {"type", "media", "caption", "parse_mode", "caption_entities", "has_spoiler", "supports_streaming"}
)
COMMANDS = 100


@dataclass
class Press:
    """A pressed button that waits for its answer; `notice` is what the person was shown."""

    id: str
    user_id: int
    at: float
    is_answered: bool = False
    notice: str = ""


class Methods:
    """Everything the bot can ask for except updates, which the queue answers."""

    def __init__(self, world: World, *, can_read_all: Callable[[], bool], left: Callable[[Chat], None]) -> None:
        self._world = world
        self._can_read_all = can_read_all
        self._left = left
        self._albums = itertools.count(1)
        self.presses: dict[str, Press] = {}
        self.commands: list[Json] = []

    def call(self, name: str, params: Params, uploads: Mapping[str, Upload]) -> Any:
        kinds = {"sendPhoto": "photo", "sendVideo": "video", "sendVoice": "voice", "sendDocument": "document"}
        if name in kinds:
            return self._send_file(kinds[name], params, uploads)
        if name == "sendMediaGroup":
            return self._send_media_group(params, uploads)
        plain: Mapping[str, Callable[[Params], Any]] = {
            "getMe": self._get_me,
            "sendMessage": self._send_message,
            "editMessageText": self._edit_text,
            "editMessageCaption": self._edit_caption,
            "editMessageReplyMarkup": self._edit_markup,
            "deleteMessage": self._delete,
            "answerCallbackQuery": self._answer,
            "getFile": self._get_file,
            "getChat": self._get_chat,
            "getChatMember": self._get_chat_member,
            "getChatAdministrators": self._get_administrators,
            "getChatMemberCount": self._count_members,
            "setMyCommands": self._set_commands,
            "getMyCommands": lambda _params: self.commands,
            "leaveChat": self._leave,
        }
        return plain[name](params)

    def _get_me(self, _params: Params) -> Json:
        rights = {"can_join_groups": True, "supports_inline_queries": False, "has_main_web_app": False}
        reads = {"can_read_all_group_messages": self._can_read_all(), "can_connect_to_business": False}
        return self._world.bot.json() | rights | reads

    def _send_message(self, params: Params) -> Json:
        chat = writable_chat(self._world, params["chat_id"])
        text = check_text(params["text"])
        return self._post(chat, params, text_fields(text, is_caption=False)).body

    def _send_file(self, kind: str, params: Params, uploads: Mapping[str, Upload]) -> Json:
        chat = writable_chat(self._world, params["chat_id"])
        caption = check_caption(params.get("caption"))
        fields, body = self._medium(kind, params[kind], uploads)
        return self._post(chat, params, fields | text_fields(caption, is_caption=True), (body,)).body

    def _send_media_group(self, params: Params, uploads: Mapping[str, Upload]) -> list[Json]:
        chat = writable_chat(self._world, params["chat_id"])
        media = params["media"]
        if not isinstance(media, list) or not 2 <= len(media) <= 10:
            raise ApiError(400, "Bad Request: wrong number of messages in the media group: 2-10 are expected")
        kinds = {item["type"] for item in media}
        if not kinds <= {"photo", "video", "document", "audio"} or (len(kinds) > 1 and kinds != {"photo", "video"}):
            raise ApiError(400, "Bad Request: can't mix these types in a media group")
        unknown = set().union(*media) - MEDIA_FIELDS
        if unknown:
            raise ApiError(400, f"Bad Request: strict: InputMedia has no field {sorted(unknown)[0]}")
        ready = [
            (self._medium(item["type"], item["media"], uploads), check_caption(item.get("caption"))) for item in media
        ]
        album = f"1377{next(self._albums):013d}"
        return [
            self._post(
                chat, params, fields | text_fields(caption, is_caption=True) | {"media_group_id": album}, (body,)
            ).body
            for (fields, body), caption in ready
        ]

    def _medium(self, kind: str, source: Any, uploads: Mapping[str, Upload]) -> tuple[Json, bytes]:
        """The message fields of an upload, an attach:// name or a known file id."""
        if isinstance(source, str) and source.startswith("attach://"):
            source = uploads.get(source.removeprefix("attach://"))
        if isinstance(source, Upload):
            check_upload(kind, source.body)
            return media_fields(self._world, kind, source.body, source.name), source.body
        known = self._world.files.get(str(source))
        if known is None:
            raise ApiError(400, "Bad Request: wrong remote file identifier specified")
        return media_fields(self._world, kind, known.body, ""), known.body

    def _post(self, chat: Chat, params: Params, fields: Json, files: tuple[bytes, ...] = ()) -> StoredMessage:
        thread = check_thread(chat, params)
        markup = check_markup(params.get("reply_markup"))
        reply = check_reply(self._world, chat, params)
        extra: Json = {"reply_markup": markup, "reply_to_message": reply, "message_thread_id": thread}
        if thread is not None:
            extra["is_topic_message"] = True
        chat.last_speaking_bot = self._world.bot.id
        return self._world.new_message(chat, self._world.bot, fields | extra, files)

    def _own(self, params: Params) -> StoredMessage:
        chat = find_chat(self._world, params["chat_id"])
        message = self._world.message(chat.id, params["message_id"])
        if message is None:
            raise ApiError(400, "Bad Request: message to edit not found")
        if message.sender_id != self._world.bot.id:
            raise ApiError(400, "Bad Request: message can't be edited")
        writable_chat(self._world, chat.id)
        return message

    def _edit(self, message: StoredMessage, params: Params, gone: tuple[str, ...], fields: Json) -> Json:
        markup = check_markup(params.get("reply_markup"))
        kept = {name: value for name, value in message.body.items() if name not in (*gone, "reply_markup", "edit_date")}
        body = kept | fields | ({"reply_markup": markup} if markup else {})
        before = {name: value for name, value in message.body.items() if name != "edit_date"}
        if body == before:
            raise ApiError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        message.body = body | {"edit_date": int(self._world.now())}
        return message.body

    def _edit_text(self, params: Params) -> Json:
        message = self._own(params)
        if "text" not in message.body:
            raise ApiError(400, "Bad Request: there is no text in the message to edit")
        text = check_text(params["text"])
        return self._edit(message, params, ("text", "entities"), text_fields(text, is_caption=False))

    def _edit_caption(self, params: Params) -> Json:
        message = self._own(params)
        if "text" in message.body:
            raise ApiError(400, "Bad Request: there is no caption in the message to edit")
        caption = check_caption(params.get("caption"))
        return self._edit(message, params, ("caption", "caption_entities"), text_fields(caption, is_caption=True))

    def _edit_markup(self, params: Params) -> Json:
        return self._edit(self._own(params), params, (), {})

    def _delete(self, params: Params) -> bool:
        chat = find_chat(self._world, params["chat_id"])
        message = self._world.message(chat.id, params["message_id"])
        if message is None:
            raise ApiError(400, "Bad Request: message to delete not found")
        is_old = self._world.now() - message.body["date"] > DELETE_WITHIN
        is_admin = chat.members.get(self._world.bot.id) == "administrator"
        if is_old or (message.sender_id != self._world.bot.id and chat.is_group and not is_admin):
            raise ApiError(400, "Bad Request: message can't be deleted")
        message.is_deleted = True
        return True

    def _answer(self, params: Params) -> bool:
        press = self.presses.get(params["callback_query_id"])
        if press is None or self._world.now() - press.at > PRESS_LIVES:
            raise ApiError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if len(params.get("text", "")) > 200:
            raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        press.is_answered, press.notice = True, params.get("text", "")
        return True

    def _get_file(self, params: Params) -> Json:
        file = self._world.files.get(params["file_id"])
        if file is None:
            raise ApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if file.size > DOWNLOAD_BYTES:
            raise ApiError(400, "Bad Request: file is too big")
        return file_json(file) | {"file_path": file.path}

    def _get_chat(self, params: Params) -> Json:
        chat = find_chat(self._world, params["chat_id"])
        types = dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), True
        )
        return chat.json() | {"accent_color_id": 1, "max_reaction_count": 11, "accepted_gift_types": types}

    def _get_chat_member(self, params: Params) -> Json:
        chat = find_chat(self._world, params["chat_id"])
        user = self._world.users.get(params["user_id"])
        if user is None:
            raise ApiError(400, "Bad Request: member not found")
        return self._world.member_json(chat, user)

    def _get_administrators(self, params: Params) -> list[Json]:
        chat = find_chat(self._world, params["chat_id"])
        if not chat.is_group:
            raise ApiError(400, "Bad Request: there are no administrators in the private chat")
        heads = (user_id for user_id, status in chat.members.items() if status in ("creator", "administrator"))
        return [self._world.member_json(chat, self._world.users[user_id]) for user_id in heads]

    def _count_members(self, params: Params) -> int:
        chat = find_chat(self._world, params["chat_id"])
        return sum(status not in ("left", "kicked") for status in chat.members.values()) if chat.is_group else 2

    def _set_commands(self, params: Params) -> bool:
        commands = params["commands"]
        if len(commands) > COMMANDS:
            raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            name = str(command.get("command", "")).removeprefix("/")
            if not (name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() and len(name) <= 32):
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = commands
        return True

    def _leave(self, params: Params) -> bool:
        chat = writable_chat(self._world, params["chat_id"])
        self._left(chat)
        return True


def file_json(file: PlatformFile) -> Json:
    return {"file_id": file.id, "file_unique_id": f"u{file.id}", "file_size": file.size}


def media_fields(world: World, kind: str, body: bytes, name: str, size: int | None = None) -> Json:
    """The message fields that show a file. A photo comes in three sizes, the true bytes only in the largest."""
    if kind == "photo":
        small, middle = world.new_file(kind, b"small"), world.new_file(kind, b"middle")
        sizes = [(small, 90, 67), (world.new_file(kind, body, size), 1280, 960), (middle, 320, 240)]
        return {"photo": [file_json(file) | {"width": wide, "height": high} for file, wide, high in sizes]}
    shown = file_json(world.new_file(kind, body, size))
    if kind == "voice":
        return {"voice": shown | {"duration": 3, "mime_type": "audio/ogg"}}
    if kind == "video":
        return {
            "video": shown | {"width": 640, "height": 480, "duration": 5, "mime_type": "video/mp4", "file_name": name}
        }
    return {"document": shown | {"file_name": name, "mime_type": "application/octet-stream"}}
