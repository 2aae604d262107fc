"""Our envelope against WeCom's own two packages, both ways, and both of one mind about what is wrong."""

import base64
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from wechatpy.crypto.base import WeChatCipher

from bot.channels.wecom.crypto import Envelope, decode_key

HERE = Path(__file__).parent
NODE = shutil.which("node")
MODULES = Path(os.environ.get("WUWEI_NODE_MODULES", HERE / "node_modules"))
PACKAGES = ("@wecom/crypto", "@wecom/aibot-node-sdk")
TOKEN, KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
TIMESTAMP, NONCE, CORP = "1409659589", "263014780", "wx5823bf96d3bd56c7"
TEXTS = ("hello", '{"msgtype":"text"}', "<xml><Content><![CDATA[3号楼门口井盖坏了]]></Content></xml>", "🏠" * 50)

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="needs node"),
    pytest.mark.skipif(
        not all((MODULES / package / "package.json").is_file() for package in PACKAGES),
        reason="needs npm @wecom/crypto and @wecom/aibot-node-sdk: run npm install in tests/peers, or set WUWEI_NODE_MODULES",
    ),
]


def ask(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = {"token": TOKEN, "key": KEY, "timestamp": TIMESTAMP, "nonce": NONCE, "cases": cases}
    done = subprocess.run(
        [str(NODE), str(HERE / "wecom_crypto.cjs"), str(MODULES.resolve())],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def wrong_ones(luck: random.Random) -> list[str]:
    """Sealed with the right key, and wrong: other receivers, padding and lengths."""
    cipher = WeChatCipher(decode_key(KEY))
    frames = []
    for _ in range(60):
        text = luck.randbytes(luck.randrange(40)).hex().encode()
        length = len(text) + luck.choice((0, 1, 5, 2**31))
        receiver = luck.choice((CORP, f"{CORP}x", CORP[:-1], "")).encode()
        frame = luck.randbytes(16) + length.to_bytes(4, "big") + text + receiver
        count = 32 - len(frame) % 32
        pad = luck.choice(
            (bytes([count]) * count, bytes([0]) * count, bytes([33]) * count, bytes(count - 1) + bytes([count]))
        )
        frames.append(base64.b64encode(cipher.encrypt(frame + pad)).decode())
    return frames


@pytest.mark.parametrize("receiver", [CORP, ""])
def test_official_packages_and_we_open_each_others_envelopes(receiver: str) -> None:
    texts = [*TEXTS, *("x" * length for length in range(1, 65))]
    ours = Envelope(TOKEN, KEY, receiver)
    sealed = [ours.seal(text) for text in texts]
    cases = [
        {"text": text, "receiver": receiver, "sealed": one, "wrong": []}
        for text, one in zip(texts, sealed, strict=True)
    ]
    for text, answer in zip(texts, ask(cases), strict=True):
        assert (answer["opened"], answer["receiver"], answer["strictly_opened"]) == (text, receiver, text)
        assert ours.open(answer["sealed"]) == ours.open(answer["strictly_sealed"]) == text
        assert ours.is_signed(answer["signature"], TIMESTAMP, NONCE, answer["sealed"])
        assert ours.is_signed(answer["strictly_signed"], TIMESTAMP, NONCE, answer["strictly_sealed"])


def test_what_the_strict_package_refuses_we_refuse_too() -> None:
    wrong = wrong_ones(random.Random(7))
    ours = Envelope(TOKEN, KEY, CORP)
    (answer,) = ask([{"text": "x", "receiver": CORP, "sealed": ours.seal("x"), "wrong": wrong}])
    opened = [ours.open(one) for one in wrong]
    assert [
        one for one in zip(opened, answer["wrong_opened"], strict=True) if one[0] is not None and one[1] is None
    ] == []
    assert 0 < sum(one is not None for one in opened) < len(wrong)
