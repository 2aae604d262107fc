"""What each kind of update is read as, and that nothing the platform may send can raise."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram import to_incoming
from core.messages import Attachment, AttachmentKind, ChatKind, ChatRef, Incoming, IncomingKind, SenderRef

FOLDER = Path(__file__).parents[2] / "payloads" / "telegram"
ACCOUNT, USERNAME = "7000001", "wuwei_test_bot"
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SENT = datetime.fromtimestamp(1795228200, UTC)
GROUP = ChatRef("-1001234567890", ChatKind.GROUP, "阳光小区一群")
WANG = SenderRef("1001", "王 阿姨", "wang_ayi")
PAYLOADS = sorted(FOLDER.glob("*.json"))


def read(name: str) -> Incoming | None:
    return to_incoming((FOLDER / f"{name}.json").read_bytes(), ACCOUNT, USERNAME, AT)


def seen(name: str) -> Incoming:
    incoming = read(name)
    assert incoming is not None
    return incoming


def test_text_is_read_whole() -> None:
    body = (FOLDER / "text.json").read_text(encoding="utf-8")
    assert read("text") == Incoming(
        channel="telegram",
        account=ACCOUNT,
        external_id=str(json.loads(body)["update_id"]),
        kind=IncomingKind.MESSAGE,
        chat=GROUP,
        sender=WANG,
        sent_at=SENT,
        message_id="42",
        text="3号楼门口井盖坏了",
        raw=body,
    )


@pytest.mark.parametrize(
    ("name", "text", "attachment"),
    [
        ("photo_in_album", "看这里", Attachment(AttachmentKind.PHOTO, "x", 150123, "image/jpeg")),
        ("voice", "", Attachment(AttachmentKind.VOICE, "v1", 9001, "audio/ogg")),
        ("video", "", Attachment(AttachmentKind.VIDEO, "d1", 90001, "video/mp4", "井盖.mp4")),
        (
            "document",
            "",
            Attachment(
                AttachmentKind.FILE,
                "f1",
                5120,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "名单.xlsx",
            ),
        ),
    ],
)
def test_files_come_as_attachments(name: str, text: str, attachment: Attachment) -> None:
    incoming = seen(name)
    assert (incoming.kind, incoming.text, incoming.attachments) == (IncomingKind.MESSAGE, text, (attachment,))


def test_album_items_share_their_id() -> None:
    assert seen("photo_in_album").album_id == "13771234567890123"


def test_edit_keeps_the_message_and_takes_the_time_of_the_edit() -> None:
    edited = seen("edited")
    assert (edited.kind, edited.message_id, edited.text) == (IncomingKind.EDIT, "42", "打错了，是5号楼")
    assert edited.sent_at == datetime.fromtimestamp(1795228260, UTC)


def test_reply_to_the_bot_is_addressed() -> None:
    reply = seen("reply_to_bot")
    assert (reply.reply_to, reply.reply_to_text, reply.reply_to_bot) == ("40", "已登记 BX-20261121-0007", True)
    assert reply.is_addressed


@pytest.mark.parametrize(
    ("name", "text", "is_addressed"),
    [
        ("text", "3号楼门口井盖坏了", False),
        ("mention_first", "井盖坏了", True),
        ("mention_behind_emoji", "😀 @Wuwei_Test_Bot 井盖坏了", True),
        ("text_mention", "井盖坏了", True),
        ("command_for_us", "/mine", True),
        ("command_for_another", "/mine@other_bot", False),
    ],
)
def test_who_is_addressed_and_what_is_left_of_the_text(name: str, text: str, is_addressed: bool) -> None:
    incoming = seen(name)
    assert (incoming.text, incoming.is_addressed) == (text, is_addressed)


def test_start_link_opens_the_private_chat_with_its_payload() -> None:
    started = seen("start_with_payload")
    assert (started.kind, started.payload, started.is_addressed) == (IncomingKind.BOT_STARTED, "k3X9_a-b", True)
    assert started.chat == ChatRef("1001", ChatKind.PRIVATE)


@pytest.mark.parametrize("name", ["press", "press_on_vanished_message"])
def test_press_names_the_button_the_message_and_the_person(name: str) -> None:
    press = seen(name)
    assert (press.kind, press.button, press.message_id) == (IncomingKind.PRESS, "k-1", "41")
    assert (press.sender, press.chat, press.sent_at) == (WANG, GROUP, AT)
    assert press.press_id == {"press": "4382bfdwdsb323b2d9", "press_on_vanished_message": "4382"}[name]


@pytest.mark.parametrize(
    ("name", "kind", "who"),
    [
        ("bot_added", IncomingKind.BOT_ADDED, WANG),
        ("bot_removed", IncomingKind.BOT_REMOVED, WANG),
        ("bot_blocked", IncomingKind.BOT_BLOCKED, WANG),
        ("bot_unblocked", IncomingKind.BOT_STARTED, WANG),
        ("member_joined", IncomingKind.MEMBER_JOINED, SenderRef("1002", "李")),
        ("member_restricted_out", IncomingKind.MEMBER_LEFT, SenderRef("1002", "李")),
    ],
)
def test_memberships(name: str, kind: IncomingKind, who: SenderRef) -> None:
    incoming = seen(name)
    assert (incoming.kind, incoming.sender, incoming.message_id) == (kind, who, None)


@pytest.mark.parametrize("name", ["bot_promoted", "pinned", "channel_post"])
def test_what_is_nothing_for_us_is_passed_over(name: str) -> None:
    assert read(name) is None


def test_rename_carries_the_new_title() -> None:
    renamed = seen("renamed")
    assert (renamed.kind, renamed.chat.title) == (IncomingKind.CHAT_RENAMED, "阳光小区业主群")


def test_migration_is_one_thing_told_twice() -> None:
    old, new = seen("migrated_old_chat"), seen("migrated_new_chat")
    assert (old.kind, old.chat.external_id, old.new_chat_id) == (IncomingKind.CHAT_MIGRATED, "-4321", GROUP.external_id)
    assert (new.kind, new.chat.external_id, new.new_chat_id) == (old.kind, old.chat.external_id, old.new_chat_id)
    assert old.external_id == new.external_id


def test_topic_is_a_thread_and_its_opening_notice_no_reply() -> None:
    incoming = seen("topic_message")
    assert (incoming.chat.thread, incoming.reply_to) == ("7", None)


def test_thread_id_outside_a_forum_is_no_topic() -> None:
    incoming = seen("thread_without_topic")
    assert (incoming.chat.thread, incoming.reply_to, incoming.reply_to_text) == (None, "31", "路灯不亮")


@pytest.mark.parametrize("name", ["anonymous_admin", "linked_channel", "via_other_bot"])
def test_what_no_person_said_is_never_taken_for_a_resident(name: str) -> None:
    sender = seen(name).sender
    assert sender is not None
    assert sender.is_person is False


def test_forwarded_words_are_marked() -> None:
    assert seen("forwarded").is_forwarded is True


def test_sticker_is_a_message_without_words() -> None:
    sticker = seen("sticker")
    assert (sticker.kind, sticker.text, sticker.attachments) == (IncomingKind.MESSAGE, "", ())


def test_unreadable_update_is_kept_under_its_number() -> None:
    body = (FOLDER / "text_is_a_number.json").read_text(encoding="utf-8")
    assert read("text_is_a_number") == Incoming(
        channel="telegram",
        account=ACCOUNT,
        external_id=str(json.loads(body)["update_id"]),
        kind=IncomingKind.UNREADABLE,
        chat=ChatRef("", ChatKind.GROUP),
        sender=None,
        sent_at=AT,
        raw=body,
    )


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null", b'{"update_id":"x"}', b"[" * 100_000])
def test_body_without_a_number_is_kept_under_its_digest(body: bytes) -> None:
    incoming = to_incoming(body, ACCOUNT, USERNAME, AT)
    assert incoming is not None
    assert (incoming.kind, incoming.raw) == (IncomingKind.UNREADABLE, body.decode("utf-8", "replace"))
    assert incoming.external_id.startswith("unreadable:")
    assert incoming == to_incoming(body, ACCOUNT, USERNAME, AT)


def test_lone_half_of_a_character_is_unreadable() -> None:
    body = rb'{"update_id":7,"message":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"text":"\ud83d"}}'
    incoming = to_incoming(body, ACCOUNT, USERNAME, AT)
    assert incoming is not None
    assert (incoming.kind, incoming.external_id) == (IncomingKind.UNREADABLE, "7")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [path] * bool(path) + [found for key, child in children for found in _paths(child, (*path, key))]


@st.composite
def mangled_updates(draw: Callable[..., Any]) -> bytes:
    """A real payload with up to four of its values replaced by junk or taken out."""
    update = json.loads(draw(st.sampled_from(PAYLOADS)).read_bytes())
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(_paths(update) or [("update_id",)]))
        parent = update
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.booleans()):
            parent[path[-1]] = draw(JUNK)
        else:
            parent.pop(path[-1], None) if isinstance(parent, dict) else parent.pop(path[-1])
    return json.dumps(update).encode()


@settings(max_examples=600, deadline=None)
@given(mangled_updates())
def test_mangled_updates_never_raise(body: bytes) -> None:
    incoming = to_incoming(body, ACCOUNT, USERNAME, AT)
    if incoming is None:
        return
    assert incoming.external_id
    assert isinstance(incoming.text, str)
    assert incoming.raw == body.decode()
    if incoming.kind is not IncomingKind.UNREADABLE:
        assert incoming.chat.external_id.lstrip("-").isdigit()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_never_raise(body: bytes) -> None:
    incoming = to_incoming(body, ACCOUNT, USERNAME, AT)
    assert incoming is None or incoming.raw == body.decode("utf-8", "replace")
