"""What the AI bot's callbacks are taken for: each kind of message, names taken out, and anything at all without a fall."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom.aibot_reading import MEDIA_LIVE, read, without_name
from bot.channels.wecom.aibot_text import as_markdown, said_choice
from core.messages import Attachment, AttachmentKind, IncomingKind

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
LINK = {"url": "https://example.org/f?sign=1", "aeskey": "k" * 43}
WHERE = f"{LINK['url']} {LINK['aeskey']}"


def body(**fields: Any) -> bytes:
    made = {"msgid": "M1", "aibotid": "aib1", "chattype": "single", "from": {"userid": "zhang"}, **fields}
    return json.dumps(made).encode()


def file(kind: AttachmentKind) -> Attachment:
    return Attachment(kind, WHERE, fetch_before=AT + MEDIA_LIVE)


TEXT = {"msgtype": "text", "text": {"content": "看看"}}
PHOTO = {"msgtype": "image", "image": LINK}
KINDS: list[tuple[dict[str, Any], str, tuple[Attachment, ...], str]] = [
    (TEXT, "看看", (), ""),
    ({"msgtype": "voice", "voice": {"content": "说的话"}}, "说的话", (), ""),
    (PHOTO, "", (file(AttachmentKind.PHOTO),), ""),
    ({"msgtype": "file", "file": LINK}, "", (file(AttachmentKind.FILE),), ""),
    ({"msgtype": "video", "video": LINK}, "", (file(AttachmentKind.VIDEO),), ""),
    ({"msgtype": "mixed", "mixed": {"msg_item": [TEXT, PHOTO, TEXT]}}, "看看\n看看", (file(AttachmentKind.PHOTO),), ""),
    ({**TEXT, "quote": PHOTO}, "看看", (file(AttachmentKind.PHOTO),), ""),
    ({**TEXT, "quote": {"msgtype": "text", "text": {"content": "原话"}}}, "看看", (), "原话"),
    (
        {**TEXT, "quote": {"msgtype": "mixed", "mixed": {"msg_item": [TEXT, PHOTO]}}},
        "看看",
        (file(AttachmentKind.PHOTO),),
        "看看",
    ),
    ({**TEXT, "quote": {"msgtype": "card"}}, "看看", (), ""),
]


@pytest.mark.parametrize(("fields", "text", "files", "quoted"), KINDS)
def test_message_is_read_with_what_it_quotes(
    fields: dict[str, Any], text: str, files: tuple[Attachment, ...], quoted: str
) -> None:
    found = read(body(**fields), "aib1", AT).incoming
    assert found is not None
    assert (found.kind, found.text, found.attachments, found.reply_to_text) == (
        IncomingKind.MESSAGE,
        text,
        files,
        quoted,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"msgtype": "event", "event": {"eventtype": "feedback_event"}},
        {"msgtype": "event"},
        {"msgtype": "event", "event": {"eventtype": "enter_chat"}, "chattype": "group", "chatid": "g"},
        {"msgtype": "event", "event": {"eventtype": "template_card_event"}},
        {"msgtype": "stream", "stream": {"id": "s"}},
        {"msgtype": "from_next_year"},
    ],
)
def test_what_holds_nothing_for_us_is_nothing(fields: dict[str, Any]) -> None:
    assert read(body(**fields), "aib1", AT).incoming is None


@pytest.mark.parametrize(
    "fields",
    [
        {"msgtype": "text", "from": {}},
        {"msgtype": "text", "msgid": ""},
        {"msgtype": "text", "msgid": "a\0b"},
        {"msgtype": "text", "chattype": "group"},
        {"msgtype": "text", "text": {"content": 5}},
        {"msgtype": "text", "from": {"userid": "x" * 257}},
        {"msgtype": 7},
    ],
)
def test_what_lacks_what_it_needs_is_kept_as_it_came(fields: dict[str, Any]) -> None:
    found = read(body(**fields), "aib1", AT)
    assert found.incoming is not None
    assert (found.incoming.kind, found.callback) == (IncomingKind.UNREADABLE, None)


def test_time_is_the_platforms_where_it_can_be_one() -> None:
    told = [read(body(**TEXT, create_time=at), "aib1", AT).incoming for at in (1_795_000_000, 0, -5, 10**15)]
    assert [one.sent_at for one in told if one] == [datetime.fromtimestamp(1_795_000_000, UTC), AT, AT, AT]
    assert AT + timedelta(minutes=5) == AT + MEDIA_LIVE


def test_nul_in_words_is_left_out() -> None:
    found = read(body(msgtype="text", text={"content": "井\0盖\x07坏了"}), "aib1", AT).incoming
    assert found is not None
    assert found.text == "井盖坏了"


@pytest.mark.parametrize(
    ("text", "bot_name", "words"),
    [
        ("@五微小助手 井盖坏了", "五微小助手", "井盖坏了"),
        ("@五微小助手\u2005井盖坏了", "五微小助手", "井盖坏了"),
        ("@五微小助手，井盖坏了", "五微小助手", "井盖坏了"),
        ("井盖坏了 @五微小助手", "五微小助手", "井盖坏了"),
        ("请 @张伟 看看 @五微小助手 井盖", "五微小助手", "请 @张伟 看看 井盖"),
        ("@社区 小助手 绑定 ABCD2345", "社区 小助手", "绑定 ABCD2345"),
        ("@五微小助手 井盖坏了", "", "井盖坏了"),
        ("井盖坏了 @五微小助手", "", "井盖坏了"),
        ("写信到 a@example.org 行吗", "", "写信到 a@example.org 行吗"),
        ("@五微小助手", "", ""),
    ],
)
def test_name_that_called_is_taken_out(text: str, bot_name: str, words: str) -> None:
    assert without_name(text, bot_name) == words


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_a_fall(data: bytes) -> None:
    found = read(data, "aib1", AT)
    assert found.incoming is None or found.incoming.account == "aib1"


WORDS = st.text("a1井\0\n@ ", max_size=8)
INNER = st.sampled_from(("userid", "content", "url", "msg_item", "msgtype", "eventtype", "template_card_event", "x"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER, inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("msgid", "from", "chattype", "chatid", "create_time", "msgtype", "text", "image", "mixed", "quote", "event")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
def test_any_fields_are_read_without_a_fall(fields: dict[str, Any]) -> None:
    found = read(body(**{"msgtype": "text", "text": {"content": "看"}, **fields}), "aib1", AT)
    text = "" if found.incoming is None else found.incoming.text + found.incoming.external_id
    assert "\0" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("BX-20261121-0001 已登记：井盖", "BX-20261121-0001 已登记：井盖"),
        ("*重要* `代码` <b> ~~删~~", "＊重要＊ ｀代码｀ ＜b> ～～删～～"),
        ("# 大字\n> 引用\n---\n1. 一", "＃ 大字\n＞ 引用\n——\n1. 一"),
        ("_斜_ 和 a_b_c", "＿斜＿ 和 a_b_c"),
        ("[点我](https://example.org)", "[点我] (https://example.org)"),
        ("请看 https://example.org/a_b_/*c*?x=~1。", "请看 https://example.org/a_b_/*c*?x=~1。"),
    ],
)
def test_nothing_that_was_written_is_taken_for_markup(text: str, shown: str) -> None:
    assert as_markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "choice"),
    [("满意 3", ("满意", 3)), ("“不满意3”。", ("不满意", 3)), ("满意", None), ("3", None), ("3号楼井盖坏了", None)],
)
def test_choice_is_a_label_and_a_number(text: str, choice: tuple[str, int] | None) -> None:
    assert said_choice(text) == choice
