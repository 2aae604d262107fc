"""The envelope of WeCom's callbacks: the known vectors, wechatpy as a peer, and every way of being wrong."""

import base64
import json
import logging
import random
import tracemalloc
from urllib.parse import quote, urlencode

import pytest
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.crypto.base import WeChatCipher
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.channels.wecom.callbacks import CallbackDoor, _read_any, _read_flat, read_query, read_xml
from bot.channels.wecom.crypto import Envelope, decode_key
from core.hooks import HookCall

TOKEN = "QDG6eK"
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CORP = "wx5823bf96d3bd56c7"
TIMESTAMP, NONCE = "1409659589", "263014780"
LETTERS = b"A" * 16
VECTORS = [
    (
        "1616140317555161061",
        CORP,
        "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
        "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    ),
    (
        "hello",
        CORP,
        "ZTf9a//tmPI9WVNY3aaWQCiYfZmtW45XveNj4EbXRUZfLnHzDtKdBcfjSb2rMOH5rQb0/n0IZLtkl8iemZ1KbQ==",
        "6059a2970ece7c90bd5b3847f5ca02b1fb509604",
    ),
    (
        '{"msgtype":"text"}',
        "",
        "ZTf9a//tmPI9WVNY3aaWQNWEsbimpavntu2Fi21Iyrd2srbxzU0HLrIywtvJnD6GiOVluBHat7usTcyvqXHzyQ==",
        "72331e1c7a890f0f200c48fa3ad84621b324fc36",
    ),
]


def envelope(receiver: str = CORP) -> Envelope:
    return Envelope(TOKEN, KEY, receiver)


def door(receiver: str = CORP) -> CallbackDoor:
    return CallbackDoor(envelope(receiver), lambda: float(TIMESTAMP))


def call(sealed: str, *, body: bytes | None = None, **changes: str) -> HookCall:
    """A callback as the platform makes it, but for `changes` of its query."""
    fields = {
        "msg_signature": envelope().sign(changes.get("timestamp", TIMESTAMP), NONCE, sealed),
        "timestamp": TIMESTAMP,
        "nonce": NONCE,
    } | changes
    xml = f"<xml><ToUserName>{CORP}</ToUserName><AgentID>7</AgentID><Encrypt>{sealed}</Encrypt></xml>"
    return HookCall("POST", urlencode(fields), {}, xml.encode() if body is None else body)


@pytest.mark.parametrize(("text", "receiver", "sealed", "signature"), VECTORS)
def test_known_vectors_are_signed_and_opened(text: str, receiver: str, sealed: str, signature: str) -> None:
    ours = envelope(receiver)
    assert ours.sign(TIMESTAMP, NONCE, sealed) == signature
    assert ours.is_signed(signature, TIMESTAMP, NONCE, sealed)
    assert ours.open(sealed) == text
    if text != VECTORS[0][0]:
        assert ours.seal(text, random=LETTERS) == sealed


def test_address_is_proven_with_the_official_sample() -> None:
    text, _, sealed, signature = VECTORS[0]
    query = f"msg_signature={signature}&timestamp={TIMESTAMP}&nonce={NONCE}&echostr="
    assert door().verify(HookCall("GET", query + quote(sealed, safe=""))) == text
    assert door().verify(HookCall("GET", query + sealed)) == text  # a plus that nobody escaped stays a plus
    assert door().verify(HookCall("GET", f"echostr={sealed}&nonce={NONCE}&timestamp={TIMESTAMP}")) is None


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_wechatpy_and_we_open_each_others_envelopes(text: str) -> None:
    peer = WeChatCrypto(TOKEN, KEY, CORP)
    sealed = envelope().seal(text)
    xml = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    assert peer.decrypt_message(xml, envelope().sign(TIMESTAMP, NONCE, sealed), TIMESTAMP, NONCE) == text
    theirs = xmltodict.parse(peer.encrypt_message(text, NONCE, TIMESTAMP))["xml"]
    assert envelope().open(theirs["Encrypt"]) == text
    assert envelope().is_signed(theirs["MsgSignature"], TIMESTAMP, NONCE, theirs["Encrypt"])


@pytest.mark.parametrize("length", range(64))
def test_every_length_around_a_block_survives(length: int) -> None:
    assert envelope().open(envelope().seal("x" * length + "🏠")) == "x" * length + "🏠"


def frame(*, message: bytes = b"hello", length: int | None = None, receiver: bytes = CORP.encode(), pad: bytes) -> str:
    """An envelope sealed with the right key around a frame that need not be right."""
    head = LETTERS + (len(message) if length is None else length).to_bytes(4, "big")
    body = head + message + receiver + pad
    return base64.b64encode(WeChatCipher(decode_key(KEY)).encrypt(body)).decode()


def padding(value: int, *, count: int | None = None) -> bytes:
    """What fills the frame of `hello` for our corp up to 64 bytes."""
    free = 64 - (20 + 5 + len(CORP))
    return bytes([value]) * (free if count is None else count)


RIGHT = 64 - (20 + 5 + len(CORP))


@pytest.mark.parametrize(
    "sealed",
    [
        frame(pad=padding(0)),
        frame(pad=padding(33)),
        frame(pad=padding(255)),
        frame(pad=bytes([0] * (RIGHT - 1)) + bytes([RIGHT])),
        frame(length=10_000, pad=padding(RIGHT)),
        frame(length=2**32 - 1, pad=padding(RIGHT)),
        frame(receiver=b"wx5823bf96d3bd56c8", pad=padding(RIGHT)),
        frame(receiver=b"", message=b"hello" + CORP.encode(), pad=padding(RIGHT)),
        frame(message=b"\xff\xfe\xfa\xf0\xf1", pad=padding(RIGHT)),
        "",
        "=",
        "not base64!",
        VECTORS[1][2][:-4],
        base64.b64encode(b"x" * 32).decode(),
        base64.b64encode(b"x" * 48).decode(),
        VECTORS[2][2],
    ],
)
def test_wrong_frame_is_not_opened_although_it_is_signed(sealed: str) -> None:
    assert frame(pad=padding(RIGHT)) == VECTORS[1][2]
    assert envelope().open(sealed) is None
    assert door().open(call(sealed)) is None


def test_json_envelope_is_opened() -> None:
    text, receiver, sealed, signature = VECTORS[2]
    body = json.dumps({"encrypt": sealed}).encode()
    query = urlencode({"msg_signature": signature, "timestamp": TIMESTAMP, "nonce": NONCE})
    opened = door(receiver).open(HookCall("POST", query, {}, body))
    assert opened is not None
    assert opened.text == text


def test_repeated_call_is_known_once_it_was_worked() -> None:
    ours = door()
    first = ours.open(call(VECTORS[1][2]))
    assert first is not None
    again = ours.open(call(VECTORS[1][2]))
    assert again is not None
    assert not again.is_repeated, "a call that failed is sent again, and must be worked then"
    ours.note_worked(first)
    third = ours.open(call(VECTORS[1][2]))
    assert third is not None
    assert third.is_repeated


@pytest.mark.parametrize(
    "timestamp", ["1409658988", "1409660190", "-1409659589", "1e9", "１４０９６５９５８９", "9" * 5000, ""]
)
def test_call_from_another_time_is_refused(timestamp: str) -> None:
    assert door().open(call(VECTORS[1][2], timestamp=timestamp)) is None


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE xml [<!ENTITY a "b">]><xml><Content>&a;</Content></xml>',
        '<?xml version="1.0"?><!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml><Content>x</Content></xml>',
        "<xml><Content>&nbsp;</Content></xml>",
        "<xml><!-- x --><Content>x</Content></xml>",
        "<xml><Content><![CDATA[x</Content></xml>",
        "<xml>" + "<a>" * 40 + "</a>" * 40 + "</xml>",
        "<html><Content>x</Content></html>",
        "<xml>x</xml>",
        "<xml><Content>x</xml>",
        "",
        "<![CDATA[" * 1000,
    ],
)
def test_xml_with_tricks_is_not_read(text: str) -> None:
    assert read_xml(text) is None


def test_xml_keeps_ids_and_words_as_they_are() -> None:
    words = "<!DOCTYPE 井盖> &amp; <b>"
    xml = f"<xml><FromUserName>0012</FromUserName><MsgId>9223372036854775809</MsgId><Content><![CDATA[{words}\x00]]></Content></xml>"
    assert read_xml(xml) == {"FromUserName": "0012", "MsgId": "9223372036854775809", "Content": words}


def test_short_way_reads_what_the_long_way_reads() -> None:
    """Whatever becomes of a callback's text: where the short way says anything, the parser says the same."""
    draw = random.Random(20261121)
    plain = (
        "<xml><ToUserName><![CDATA[ww1]]></ToUserName>\n<CreateTime>17</CreateTime><Content><![CDATA[井盖 <b> & 坏了]]></Content>"
        "<Empty></Empty><Event><![CDATA[]]></Event> <AgentID>1</AgentID></xml>"
    )
    pieces = (
        "<![CDATA[",
        "]]>",
        "</xml>",
        "<xml>",
        "&amp;",
        "&",
        "<",
        ">",
        "]",
        "\r",
        "\n",
        "\ufffe",
        "\x00",
        "<A>x</A>",
        "\u3000",
        "/",
    )
    read = 0
    for _ in range(4000):
        text = plain
        for _ in range(draw.randrange(3)):
            at, end = draw.randrange(len(text)), draw.randrange(len(text))
            match draw.randrange(3):
                case 0:
                    text = text[:at] + draw.choice(pieces) + text[at:]
                case 1:
                    text = text[:at] + text[min(len(text), at + draw.randrange(12)) :]
                case 2:
                    text = text[:at] + text[at:end] + text[at:]
        clean = text.replace("\x00", "")
        short = _read_flat(clean)
        assert short is None or short == _read_any(clean.encode()), text
        read += short is not None
    assert read > 1000
    assert read_xml(plain) == {
        "ToUserName": "ww1",
        "CreateTime": "17",
        "Content": "井盖 <b> & 坏了",
        "Empty": "",
        "Event": "",
        "AgentID": "1",
    }
    assert read_xml("<xml><A>half \ud800</A></xml>") is None


def test_query_is_read_literally() -> None:
    assert read_query("a=1+2%2B3&b=%E4%BA%95&c") == {"a": "1+2+3", "b": "井", "c": ""}
    assert read_query("a=" + "1" * 9000) == {}


def hostile_call(draw: random.Random, genuine: HookCall) -> HookCall:
    """A genuine call with one thing wrong."""
    body, query = bytearray(genuine.body), genuine.query
    match draw.randrange(7):
        case 0:  # a bit of the sealed text
            at = draw.randrange(genuine.body.index(b"<Encrypt>") + 9, genuine.body.index(b"</Encrypt>"))
            body[at] ^= 1 << draw.randrange(8)
        case 1:  # a bit of the signature, the time or the nonce
            letters = bytearray(query.encode())
            letters[draw.randrange(len(letters))] ^= 1 << draw.randrange(7)
            query = letters.decode()
        case 2:
            body = bytearray(draw.randbytes(draw.randrange(2000)))
        case 3:
            body = bytearray(b'<!DOCTYPE x [<!ENTITY e "e">]>' + bytes(body))
        case 4:
            body = body * draw.randrange(2, 5)
        case 5:
            body = body[: draw.randrange(len(body) - 10)]
        case _:
            query = draw.choice(
                ["", "&&&=", query.replace("nonce", "n"), "msg_signature=%ff%00&timestamp=1&nonce=%d8%00"]
            )
    return HookCall("POST", query, {"content-type": draw.choice(["", "image/png", "application/json"])}, bytes(body))


def test_ten_thousand_hostile_calls_are_all_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever still comes through says exactly what was signed."""
    draw = random.Random(20261121)
    genuine = call(envelope().seal("<xml><MsgType>text</MsgType></xml>"))
    ours = door()
    tracemalloc.start()
    with caplog.at_level(logging.DEBUG):
        for _ in range(10_000):
            hostile = hostile_call(draw, genuine)
            if (hostile.query, hostile.body) == (genuine.query, genuine.body):
                continue
            opened = ours.open(hostile)
            # The case of a percent-escape or a tag that is not read may change without changing what is said.
            assert opened is None or opened.text == "<xml><MsgType>text</MsgType></xml>", hostile
            assert opened is None or opened.key == read_query(genuine.query)["msg_signature"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 1024 * 1024
    assert caplog.records == []


@pytest.mark.parametrize(
    "body", [b"x" * 10_000_000, b"<xml>" * 2_000_000, b"<![CDATA[" * 28_000, b"[" * 250_000, b"{" * 250_000]
)
def test_huge_bodies_are_refused_at_once(body: bytes) -> None:
    assert door().open(call("", body=body)) is None
