"""The client of the simulated platform: one more channel, with nothing special about it.

The platform itself is in bot/simulator; it is handed in, and seen here only through the `Platform` protocol.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bot.channels.base import Deliver, Finding
from core.errors import Rejected, TryLater
from core.messages import Abilities, Attachment, Incoming, Outgoing, OutgoingAction, Sent, StoredFile
from core.simulation import Upload

BATCH = 200
RETRY_SECONDS = (0.2, 1.0, 5.0)

log = logging.getLogger(__name__)


class BotSide(Protocol):
    """What the platform offers its bot."""

    def pending(self, most: int) -> Sequence[Incoming]: ...

    def confirm(self, last: str) -> None: ...

    async def wait_for_news(self) -> None: ...

    def file(self, external_id: str) -> Upload: ...

    def post(self, outgoing: Outgoing, uploads: Sequence[Upload]) -> str: ...

    def edit(self, outgoing: Outgoing) -> None: ...

    def delete(self, outgoing: Outgoing) -> None: ...

    def answer_press(self, press_id: str, text: str) -> None: ...


class Platform(Protocol):
    """The made-up platform, as far as a bot is concerned."""

    @property
    def bot(self) -> BotSide: ...


class SimulatorChannel:
    """Implements `Channel` of bot/channels/base. It needs no bookmark: the platform remembers what was confirmed."""

    name = "simulator"
    account = "simulator"
    abilities = Abilities(can_write_first=True, tells_withdrawals=True, has_dedupe_key=True, hears_all=True)

    def __init__(self, platform: Platform) -> None:
        self._bot = platform.bot
        self._reading: asyncio.Task[None] | None = None

    async def start(self, deliver: Deliver, bookmarks: Mapping[str, str], *, listens: bool = True) -> None:  # noqa: ARG002 - the platform remembers what was confirmed
        """Delivers what waits and what comes, in order and at least once."""
        if self._reading is None and listens:
            self._reading = asyncio.create_task(self._read(deliver), name="simulator reading")

    async def stop(self) -> None:
        task, self._reading = self._reading, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def send(self, outgoing: Outgoing) -> Sent:
        match outgoing.action:
            case OutgoingAction.SEND:
                uploads = await asyncio.to_thread(_read_files, outgoing.files)
                return Sent(self._bot.post(outgoing, uploads))
            case OutgoingAction.EDIT:
                self._bot.edit(outgoing)
            case OutgoingAction.DELETE:
                self._bot.delete(outgoing)
            case OutgoingAction.ANSWER_PRESS:
                self._bot.answer_press(outgoing.press_id or "", outgoing.text)
                return Sent()
        return Sent(outgoing.message_id)

    async def fetch(self, attachment: Attachment, *, most: int) -> bytes:
        content = self._bot.file(attachment.external_id).content
        if len(content) > most:
            raise Rejected(f"the file has {len(content)} bytes, at most {most} are taken")
        return content

    async def take_hook(self, headers: Mapping[str, str], body: bytes) -> int:  # noqa: ARG002 - nothing is taken
        """The simulated platform calls no hooks."""
        return 404

    async def check(self) -> list[Finding]:
        return [Finding(is_well=True, about="模拟平台：消息只在本机，不发往外部。")]

    async def _read(self, deliver: Deliver) -> None:
        failures = 0
        while True:
            batch = self._bot.pending(BATCH)
            if not batch:
                await self._bot.wait_for_news()
                continue
            try:
                await deliver(batch)
            except Exception as fault:  # noqa: BLE001 - whatever went wrong, the platform keeps the updates and we ask again
                log.warning("delivery of %d updates failed: %s", len(batch), type(fault).__name__)
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
            self._bot.confirm(batch[-1].external_id)


def _read_files(files: Sequence[StoredFile]) -> list[Upload]:
    """The bytes from our disk. A file that is gone will not come back; a disk that fails may."""
    uploads = []
    for file in files:
        try:
            content = Path(file.path).read_bytes()
        except FileNotFoundError as fault:
            raise Rejected("a file to send is gone from the disk") from fault
        except OSError as fault:
            raise TryLater(30, "a file to send cannot be read") from fault
        uploads.append(Upload(file.kind, content, file.name, file.media_type))
    return uploads
