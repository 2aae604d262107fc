"""What WeCom refuses: unknown or missing fields, texts too long in bytes, cards that do not fit, files it cannot take."""

import re
from collections.abc import Mapping

from tests.emulators.wecom_world import ApiError, Json

MB = 1024 * 1024
TEXT_BYTES = 2048
MEDIA_BYTES = {"image": 10 * MB, "voice": 2 * MB, "video": 10 * MB, "file": 20 * MB}
IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
MENU_ID = re.compile(r".{1,64}", re.DOTALL)
KF_MSGID = re.compile(r"[0-9a-zA-Z_-]{1,32}")
INTERACTIVE = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})
CARD_FIELDS = {
    "text_notice": {"emphasis_content", "quote_area", "sub_title_text", "jump_list", "card_action"},
    "news_notice": {"card_image", "image_text_area", "vertical_content_list", "quote_area", "jump_list", "card_action"},
    "button_interaction": {
        "quote_area",
        "sub_title_text",
        "card_action",
        "button_list",
        "button_selection",
        "replace_text",
    },
    "vote_interaction": {"checkbox", "submit_button", "replace_text"},
    "multiple_interaction": {"select_list", "submit_button", "replace_text"},
}
COMMON_CARD = {"card_type", "task_id", "source", "main_title", "horizontal_content_list", "action_menu"}


def only(given: Mapping[str, object], allowed: set[str], where: str) -> None:
    unknown = set(given) - allowed
    if unknown:
        raise ApiError(40035, f"strict: {where} has no field {sorted(unknown)[0]}")


def need(given: Mapping[str, object], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if name not in given:
            raise ApiError(41016, f"strict: {where} needs {name}")


def text(value: object, most: int, *, empty: int = 44004) -> str:
    """A text of at most so many bytes."""
    if not isinstance(value, str) or not value.strip():
        raise ApiError(empty, "empty content")
    if len(value.encode()) > most:
        raise ApiError(45002, f"content size out of limit: {len(value.encode())} > {most}")
    return value


def letters(value: object, most: int, where: str) -> None:
    if not isinstance(value, str) or len(value) > most:
        raise ApiError(45002, f"strict: {where} is longer than {most} characters")


def upload(kind: str, body: bytes) -> None:
    if kind not in MEDIA_BYTES:
        raise ApiError(40004, "invalid media type")
    if len(body) <= 5 or len(body) > MEDIA_BYTES[kind]:
        raise ApiError(40006 if len(body) <= 5 else 45001, "media size out of limit")
    if kind == "image" and not body.startswith(IMAGE_STARTS):
        raise ApiError(40005, "not a JPG or PNG")
    if kind == "voice" and not body.startswith(b"#!AMR"):
        raise ApiError(40005, "not an AMR")


def card(given: Json, *, is_update: bool) -> None:
    kind = given.get("card_type")
    if kind not in CARD_FIELDS:
        raise ApiError(42045, "unknown card_type")
    only(given, COMMON_CARD | CARD_FIELDS[kind], f"card {kind}")
    if kind in INTERACTIVE and not is_update:
        need(given, ("task_id",), "card")
    if "task_id" in given and not TASK_ID.fullmatch(str(given["task_id"])):
        raise ApiError(42014, "task_id has other letters or is too long")
    if kind in ("text_notice", "news_notice") and "card_action" not in given:
        raise ApiError(42045, "card_action missing")
    title = given.get("main_title", {})
    only(title, {"title", "desc"}, "main_title")
    letters(title.get("title", ""), 26, "title")
    letters(title.get("desc", ""), 30, "desc")
    letters(given.get("sub_title_text", ""), 112, "sub_title_text")
    if not title.get("title") and not given.get("sub_title_text"):
        raise ApiError(41016, "neither title nor sub_title_text")
    lines = given.get("horizontal_content_list", [])
    if len(lines) > 6:
        raise ApiError(45008, "more than 6 lines")
    for line in lines:
        only(line, {"keyname", "value", "type", "url", "media_id", "userid"}, "line")
        need(line, ("keyname",), "line")
        letters(line["keyname"], 5, "keyname")
        letters(line.get("value", ""), 26, "value")
    if kind == "button_interaction":
        buttons(given)
    if kind == "vote_interaction":
        vote(given)


def buttons(given: Json) -> None:
    need(given, ("button_list",), "button_interaction")
    if not 1 <= len(given["button_list"]) <= 6:
        raise ApiError(45008, "1 to 6 buttons")
    for button in given["button_list"]:
        only(button, {"text", "style", "type", "key", "url"}, "button")
        need(button, ("text", "url" if button.get("type") == 1 else "key"), "button")
        letters(button["text"], 10, "button")
        if not 1 <= len(button.get("key", "k").encode()) <= 1024:
            raise ApiError(40058, "key must have 1 to 1024 bytes")


def vote(given: Json) -> None:
    need(given, ("checkbox", "submit_button"), "vote_interaction")
    if "horizontal_content_list" in given:
        raise ApiError(40035, "strict: a vote has no lines")
    box, submit = given["checkbox"], given["submit_button"]
    only(box, {"question_key", "mode", "option_list"}, "checkbox")
    need(box, ("question_key", "option_list"), "checkbox")
    only(submit, {"text", "key"}, "submit_button")
    need(submit, ("text", "key"), "submit_button")
    letters(submit["text"], 10, "submit_button")
    if not 1 <= len(box["option_list"]) <= 20:
        raise ApiError(45008, "1 to 20 options")
    if len({one["id"] for one in box["option_list"]}) != len(box["option_list"]):
        raise ApiError(40058, "an option's id twice")
    for option in box["option_list"]:
        only(option, {"id", "text", "is_checked"}, "option")
        need(option, ("id", "text"), "option")
        letters(option["text"], 17, "option")
        if not 1 <= len(option["id"].encode()) <= 128:
            raise ApiError(40058, "id must have 1 to 128 bytes")


def menu(given: Json) -> None:
    """KF's msgmenu."""
    only(given, {"head_content", "list", "tail_content"}, "msgmenu")
    if "head_content" in given:
        text(given["head_content"], 1024)
    if not 1 <= len(given.get("list", [])) <= 10:
        raise ApiError(45008, "1 to 10 items")
    for item in given["list"]:
        kind = item.get("type")
        if kind not in ("click", "view", "text") or set(item) != {"type", kind}:
            raise ApiError(40058, "strict: item of a menu")
        if kind == "click":
            only(item["click"], {"id", "content"}, "click")
            if not MENU_ID.fullmatch(item["click"]["id"]) or len(item["click"]["id"].encode()) > 64:
                raise ApiError(40058, "id must have 1 to 64 bytes")
            text(item["click"]["content"], 128)
        elif kind == "view":
            only(item["view"], {"url", "content"}, "view")
            text(item["view"]["url"], 2048)
            text(item["view"]["content"], 1024)
