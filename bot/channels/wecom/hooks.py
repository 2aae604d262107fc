"""What every receive-address of WeCom does: prove itself, open the call, hand it on, and say "received" only after the commit."""

from collections.abc import Awaitable, Callable

from bot.channels.wecom.callbacks import CallbackDoor
from core.hooks import HookAnswer, HookCall

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
