"""WeCom's own client for AI bots on our emulator: what it does and understands, the emulator does and understands."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.emulators.wecom_aibot import BOT, SECRET, AibotEmulator

HERE = Path(__file__).parent
NODE = shutil.which("node")
MODULES = Path(os.environ.get("WUWEI_NODE_MODULES", HERE / "node_modules"))
PACKAGE = "@wecom/aibot-node-sdk"
PHOTO = b"\xff\xd8\xff" + bytes(1_100_000)

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="needs node"),
    pytest.mark.skipif(
        not (MODULES / PACKAGE / "package.json").is_file(),
        reason=f"needs npm {PACKAGE}: run npm install in tests/peers, or set WUWEI_NODE_MODULES",
    ),
]


@dataclass
class Peer:
    wecom: AibotEmulator
    lines: list[str] = field(default_factory=list)


@asynccontextmanager
async def peer(secret: str = SECRET) -> AsyncIterator[Peer]:
    async with AibotEmulator() as wecom:
        wecom.add_member("zhang")
        asked = [str(HERE / "wecom_aibot.cjs"), str(MODULES.resolve()), wecom.url, BOT, secret]
        process = await asyncio.create_subprocess_exec(
            str(NODE), *asked, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        there, said = Peer(wecom), process.stdout

        async def read() -> None:
            async for line in said:
                there.lines.append(line.decode().strip())

        reading = asyncio.create_task(read())
        await wecom.until(lambda: there.lines, 20)
        yield there
        process.stdin.close()
        await process.wait()
        await reading


async def test_official_client_answers_pushes_changes_and_welcomes() -> None:
    async with peer() as there:
        wecom = there.wecom
        wecom.enter("zhang")
        await wecom.until(lambda: wecom.texts("zhang") == ["您好"])
        msgid = wecom.say("zhang", "zhang", "井盖坏了")
        await wecom.until(lambda: len(wecom.posts("zhang")) == 3)
        answer, card = wecom.posts("zhang")[1:]
        assert (answer.kind, answer.text, answer.answers) == ("stream", "收到：井盖坏了", msgid)
        assert (card.kind, card.text, card.task_id) == ("template_card", "已派单", "task-1")
        wecom.press("zhang", "zhang", card.id, "接单")
        await wecom.until(lambda: wecom.posts("zhang")[-1].text == "已接单")
        wecom.send_image("zhang", PHOTO)
        await wecom.until(lambda: len(wecom.posts("zhang")) == 4)
        assert wecom.posts("zhang")[-1].files == (PHOTO,)
        await wecom.until(lambda: any(cmd == "ping" for cmd, _, _, _ in wecom.lines.log))
        assert {code for _, _, _, code in wecom.lines.log} == {0}


async def test_official_client_comes_back_after_a_break() -> None:
    async with peer() as there:
        there.wecom.lines.drop()
        await there.wecom.until(lambda: there.wecom.lines.subscribed == 2)
        await there.wecom.until(lambda: there.lines.count("ready") == 2)


async def test_official_client_understands_a_wrong_secret() -> None:
    async with peer("wrong") as there:
        await there.wecom.until(lambda: any("error" in line for line in there.lines))
        assert there.wecom.lines.subscribed == 0
