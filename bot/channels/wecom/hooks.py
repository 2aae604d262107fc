"""What every receive-address of WeCom does: prove itself, open the call, hand it on, and say "received" only after the commit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.channels.base import Deliver
from bot.channels.wecom.callbacks import CallbackDoor
from core.hooks import HookAnswer, HookCall
from core.messages import Bookmark, Incoming

log = logging.getLogger(__name__)

# Works the text of a genuine call; False when it could not be stored and must come again.
Worker = Callable[[str], Awaitable[bool]]


async def answer(door: CallbackDoor, call: HookCall, work: Worker) -> HookAnswer:
    """GET proves the address; a POST is worked once, however often it comes. 403 for what is not WeCom's."""
    if call.method == "GET":
        echo = door.verify(call)
        return HookAnswer(403) if echo is None else HookAnswer(200, echo.encode())
    if call.method != "POST":
        return HookAnswer(405)
    opened = door.open(call)
    if opened is None:
        return HookAnswer(403)
    if opened.is_repeated:
        return HookAnswer(200)
    if not await work(opened.text):
        return HookAnswer(503)
    door.note_worked(opened)
    return HookAnswer(200)


async def is_stored(deliver: Deliver, incomings: Sequence[Incoming], bookmark: Bookmark | None = None) -> bool:
    """Whether the receiver committed them. Why not is for the receiver to log; here it only means: not received."""
    (outcome,) = await asyncio.gather(_called(deliver, incomings, bookmark), return_exceptions=True)
    if isinstance(outcome, BaseException):
        log.warning("wecom: not stored, %s: %s", type(outcome).__name__, [one.external_id for one in incomings])
        return False
    return True


async def _called(deliver: Deliver, incomings: Sequence[Incoming], bookmark: Bookmark | None) -> None:
    await deliver(incomings, bookmark)
