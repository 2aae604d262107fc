"""The AI bot's channel on the emulator, without the rest of the program: what it hears is kept in a list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.channels.wecom.aibot import AibotChannel, Bot
from bot.channels.wecom.aibot_socket import Pace
from core.messages import Button, ChatKind, ChatRef, Outgoing, OutgoingAction
from tests.bot.channels.wecom_stage import Ears, Watch
from tests.emulators.wecom_aibot import BOT, NAME, SECRET, AibotEmulator

QUICK = Pace(first_pause=0.01, longest_pause=0.04, heartbeat=0.05, answer_within=1.0, line_within=1.0)
CALM = Pace(first_pause=0.01, longest_pause=0.04, heartbeat=30, answer_within=1.0, line_within=2.0)
ACCEPT, RETURN = Button("接单", "token.0.0"), Button("退单", "token.0.1")
CARD = "【报事】BX-20261121-0001\n位置：3号楼\n内容：门口井盖坏了\n状态：已派单"
GROUP = "wrGroup1"


@dataclass
class Set:
    wecom: AibotEmulator
    watch: Watch
    channel: AibotChannel
    ears: Ears
    count: int = 0

    def outgoing(self, text: str = "", to: str = "zhang", **rest: object) -> Outgoing:
        self.count += 1
        made: dict[str, object] = {"action": OutgoingAction.SEND, "text": text, **rest}
        kind = ChatKind.GROUP if self.wecom.rules.chats[to].is_group else ChatKind.PRIVATE
        return Outgoing(
            str(self.count),
            "wecom_bot",
            BOT,
            chat=ChatRef(to, kind),
            **made,  # type: ignore[arg-type]
        )

    async def settled(self) -> None:
        await self.wecom.until(lambda: self.wecom.told == self.channel.heard and self.channel.is_idle)


@asynccontextmanager
async def on_aibot(
    *, pace: Pace = CALM, bookmarks: dict[str, str] | None = None, answers_per_message: int = 1
) -> AsyncIterator[Set]:
    watch, ears = Watch(), Ears(bookmarks=dict(bookmarks or {}))
    async with AibotEmulator(now=watch, answers_per_message=answers_per_message) as wecom:
        wecom.add_member("zhang")
        wecom.add_group(GROUP, ["zhang", "li"])
        channel = AibotChannel(Bot(BOT, SECRET, NAME, wecom.url), now=watch, pace=pace)
        await channel.start(ears, ears.bookmarks)
        yield Set(wecom, watch, channel, ears)
        await channel.stop()
