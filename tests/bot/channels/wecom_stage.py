"""Both WeCom channels on the emulator, without the rest of the program: what they hear is kept in lists."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from bot.channels.base import NotStored
from bot.channels.wecom.app import AppChannel, Corp
from bot.channels.wecom.kf import KfChannel
from core.messages import Bookmark, Button, ChatKind, ChatRef, Incoming, MenuItem, Outgoing, OutgoingAction, StoredFile
from tests.emulators.wecom import (
    AES_KEY,
    AGENT,
    APP_SECRET,
    CORP,
    KF_SECRET,
    OPEN_KFID,
    TOKEN,
    WeComEmulator,
)
from tests.patience import PATIENCE
from web.hooks import HookDoor

COMMANDS = (
    MenuItem("help", "帮助", "看我能做什么", is_first=True),
    MenuItem("tasks", "我的任务", "网格员：我手上的待办", is_first=True),
    MenuItem("login", "登录", "取得工作台链接"),
)
ACCEPT, RETURN = Button("接单", "token.0.0"), Button("退单", "token.0.1")
CARD = "【报事】BX-20261121-0001\n位置：3号楼\n内容：门口井盖坏了\n状态：已派单"


@dataclass
class Watch:
    """A time that is moved by hand."""

    at: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Ears:
    """Stands for the receiver; `is_deaf` lets nothing be stored."""

    heard: list[Incoming] = field(default_factory=list)
    bookmarks: dict[str, str] = field(default_factory=dict)
    deliveries: list[int] = field(default_factory=list)
    is_deaf: bool = False

    async def __call__(self, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> None:
        if self.is_deaf:
            raise NotStored from OSError("disk full")
        self.deliveries.append(len(incomings))
        known = {one.external_id for one in self.heard}
        self.heard += [one for one in incomings if one.external_id not in known]
        if bookmark is not None:
            self.bookmarks[bookmark.name] = bookmark.value


@dataclass
class Set:
    """What a test works with. `outgoing` makes one for a member, `to_customer` one for a resident."""

    wecom: WeComEmulator
    watch: Watch
    app: AppChannel
    kf: KfChannel
    ears: Ears
    client: httpx.AsyncClient
    count: int = 0

    def outgoing(self, text: str = "", to: str = "zhang", **rest: object) -> Outgoing:
        self.count += 1
        made: dict[str, object] = {"action": OutgoingAction.SEND, "text": text, **rest}
        return Outgoing(
            str(self.count),
            "wecom",
            self.app.account,
            chat=ChatRef(to, ChatKind.PRIVATE),
            **made,  # type: ignore[arg-type]
        )

    def to_customer(self, customer: str, text: str = "", **rest: object) -> Outgoing:
        return self.outgoing(text, f"{OPEN_KFID}:{customer}", **rest)

    async def until(self, happened: Callable[[], object], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.005)

    async def settled(self) -> None:
        """Every callback is answered and everything it spoke of has been pulled."""
        await self.until(lambda: self.wecom.pending == 0 and self.kf.is_idle)


def photo_file(folder: Path, body: bytes = b"\xff\xd8\xff" + b"x" * 50) -> StoredFile:
    path = folder / "photo"
    path.write_bytes(body)
    from core.messages import AttachmentKind

    return StoredFile(str(path), AttachmentKind.PHOTO, "image/jpeg")


def kf_channel(wecom: WeComEmulator, watch: Watch) -> KfChannel:
    corp = Corp(CORP, KF_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url)
    return KfChannel(corp, open_kfids=(OPEN_KFID,), now=watch, first_pause=0.01)


@asynccontextmanager
async def on_wecom(bookmarks: dict[str, str] | None = None) -> AsyncIterator[Set]:
    watch, ears = Watch(), Ears(bookmarks=dict(bookmarks or {}))
    async with WeComEmulator(now=watch) as wecom:
        wecom.add_member("zhang", "张伟")
        kf = kf_channel(wecom, watch)
        corp = Corp(CORP, APP_SECRET, TOKEN, AES_KEY, base_url=wecom.base_url)
        app = AppChannel(replace(corp), agent_id=AGENT, commands=COMMANDS, now=watch, others=kf.take_event)
        door = HookDoor({}, {"wecom": app.answer_hook, "wecom_kf": kf.answer_hook})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://127.0.0.1") as client:
            wecom.connect(client)
            await kf.start(ears, ears.bookmarks)
            await app.start(ears, {})
            made = Set(wecom, watch, app, kf, ears, client)
            await made.settled()
            yield made
            await made.app.stop()
            await made.kf.stop()
