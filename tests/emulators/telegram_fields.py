"""What each Bot API method takes: its fields, their types, and which must be there. A strict emulator refuses everything else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Params = dict[str, Any]


class ApiError(Exception):
    """A refusal as the platform words it."""

    def __init__(self, status: int, description: str, parameters: Mapping[str, int] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = dict(parameters or {})

    def body(self) -> Params:
        answer: Params = {"ok": False, "error_code": self.status, "description": self.description}
        return answer | ({"parameters": self.parameters} if self.parameters else {})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a multipart body."""

    name: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Method:
    """`fields` maps a name to its type: int, bool, str, json, chat (a number or @name) or file (an upload or a file id)."""

    fields: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    is_send: bool = False


_WHERE = {"chat_id": "chat", "message_thread_id": "int"}
_SEND = _WHERE | {
    "disable_notification": "bool",
    "protect_content": "bool",
    "reply_parameters": "json",
    "reply_markup": "json",
    "allow_paid_broadcast": "bool",
    "message_effect_id": "str",
}
_CAPTION = {"caption": "str", "parse_mode": "str", "caption_entities": "json", "show_caption_above_media": "bool"}
_TEXT = {"text": "str", "parse_mode": "str", "entities": "json", "link_preview_options": "json"}
_EDITED = {"chat_id": "chat", "message_id": "int", "reply_markup": "json"}
_SIZE = {"duration": "int", "width": "int", "height": "int", "thumbnail": "file", "supports_streaming": "bool"}


def _send(*required: str, **fields: str) -> Method:
    return Method(_SEND | fields, frozenset({"chat_id", *required}), is_send=True)


METHODS: Mapping[str, Method] = {
    "getMe": Method(),
    "getUpdates": Method({"offset": "int", "limit": "int", "timeout": "int", "allowed_updates": "json"}),
    "setWebhook": Method(
        {
            "url": "str",
            "secret_token": "str",
            "allowed_updates": "json",
            "max_connections": "int",
            "drop_pending_updates": "bool",
            "ip_address": "str",
        },
        frozenset({"url"}),
    ),
    "deleteWebhook": Method({"drop_pending_updates": "bool"}),
    "getWebhookInfo": Method(),
    "sendMessage": _send("text", **_TEXT),
    "sendPhoto": _send("photo", photo="file", has_spoiler="bool", **_CAPTION),
    "sendVideo": _send("video", video="file", has_spoiler="bool", **_CAPTION, **_SIZE),
    "sendVoice": _send("voice", voice="file", duration="int", **_CAPTION),
    "sendDocument": _send(
        "document", document="file", thumbnail="file", disable_content_type_detection="bool", **_CAPTION
    ),
    "sendMediaGroup": Method(
        {name: kind for name, kind in _SEND.items() if name != "reply_markup"} | {"media": "json"},
        frozenset({"chat_id", "media"}),
        is_send=True,
    ),
    "editMessageText": Method(_EDITED | _TEXT, frozenset({"chat_id", "message_id", "text"})),
    "editMessageCaption": Method(_EDITED | _CAPTION, frozenset({"chat_id", "message_id"})),
    "editMessageReplyMarkup": Method(_EDITED, frozenset({"chat_id", "message_id"})),
    "deleteMessage": Method({"chat_id": "chat", "message_id": "int"}, frozenset({"chat_id", "message_id"})),
    "answerCallbackQuery": Method(
        {"callback_query_id": "str", "text": "str", "show_alert": "bool", "url": "str", "cache_time": "int"},
        frozenset({"callback_query_id"}),
    ),
    "getFile": Method({"file_id": "str"}, frozenset({"file_id"})),
    "getChat": Method({"chat_id": "chat"}, frozenset({"chat_id"})),
    "getChatMember": Method({"chat_id": "chat", "user_id": "int"}, frozenset({"chat_id", "user_id"})),
    "getChatAdministrators": Method({"chat_id": "chat"}, frozenset({"chat_id"})),
    "getChatMemberCount": Method({"chat_id": "chat"}, frozenset({"chat_id"})),
    "setMyCommands": Method({"commands": "json", "scope": "json", "language_code": "str"}, frozenset({"commands"})),
    "getMyCommands": Method({"scope": "json", "language_code": "str"}),
    "leaveChat": Method({"chat_id": "chat"}, frozenset({"chat_id"})),
}
_BY_LOWER_NAME = {name.lower(): name for name in METHODS}


def method_name(asked: str) -> str:
    """The method's proper name; the platform does not mind upper and lower case."""
    name = _BY_LOWER_NAME.get(asked.lower())
    if name is None:
        raise ApiError(404, "Not Found: method not found")
    return name


def read_params(name: str, given: Mapping[str, Any], uploads: Mapping[str, Upload], *, strict: bool) -> Params:
    """The fields as their types. Uploads named by attach:// in a json field are left for the method to look up."""
    method = METHODS[name]
    params: Params = {}
    for field_name, value in given.items():
        kind = method.fields.get(field_name)
        if kind is None:
            if strict:
                raise ApiError(400, f'Bad Request: strict: {name} has no field "{field_name}"')
            continue
        params[field_name] = _typed(field_name, kind, value)
    for field_name, upload in uploads.items():
        if method.fields.get(field_name) == "file":
            params[field_name] = upload
    missing = sorted(method.required - params.keys())
    if missing:
        raise ApiError(400, "Bad Request: " + _MISSING.get(missing[0], f"parameter {missing[0]} is required"))
    return params


_MISSING = {"text": "message text is empty", "chat_id": "chat_id is empty"}


def _typed(name: str, kind: str, value: Any) -> Any:
    try:
        match kind:
            case "int":
                return int(value)
            case "bool":
                return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
            case "json":
                return json.loads(value) if isinstance(value, str) else value
            case "chat":
                return value if isinstance(value, str) and value.startswith("@") else int(value)
            case _:
                return str(value)
    except (ValueError, KeyError, TypeError):
        raise ApiError(400, f'Bad Request: can\'t parse parameter "{name}"') from None
