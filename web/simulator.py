"""The simulator's page and its JSON interface: people of the demo talk, press and move the clock. Loopback and demo mode only.

What happens behind it is `Simulation`, handed in by bot/app; reading and checking what callers send is web/simulator_bodies.py.
"""

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.routing import APIRoute

from core.clock import in_china
from core.errors import Refused
from core.messages import AttachmentKind
from core.simulation import (
    Change,
    ChangeKind,
    Persona,
    SimulatedFile,
    SimulatedGroup,
    SimulatedMessage,
    SimulatedPress,
    Upload,
)
from core.texts import say
from web.rendering import Renderer
from web.simulator_bodies import (
    AddPerson,
    Edit,
    Member,
    MoveClock,
    Press,
    Say,
    check_loopback,
    number_after,
    read_body,
    read_clock,
    read_uploads,
)

STATUSES = {
    "no_person": 404,
    "no_chat": 404,
    "no_message": 404,
    "no_button": 404,
    "no_photo": 404,
    "no_press": 404,
    "no_why": 404,
    "not_member": 403,
    "not_own_chat": 403,
    "not_own_message": 403,
    "foreign_caller": 403,
    "already_withdrawn": 409,
    "cannot_leave": 409,
    "file_too_large": 413,
    "body_too_large": 413,
}
SHOWN_IN_PAGE = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"})
PLAYED_IN_PAGE = frozenset({"audio/ogg", "audio/mpeg", "audio/wav", "audio/webm", "audio/amr"})


class Simulation(Protocol):
    """The made-up platform and the program's clock, as the page drives them. Refusals are `Refused("simulator.…")`."""

    def people(self) -> Sequence[Persona]: ...
    def chats(self) -> Sequence[SimulatedGroup]: ...
    def add_person(self, name: str, *, roles: Sequence[str], area: str) -> Persona: ...
    def join(self, chat: str, person: str) -> None: ...
    def leave(self, chat: str, person: str) -> None: ...
    def say(
        self,
        chat: str,
        person: str,
        *,
        text: str,
        uploads: Sequence[Upload],
        reply_to: str | None,
        album: str | None,
    ) -> str: ...
    def edit(self, message: str, person: str, text: str) -> None: ...
    def withdraw(self, message: str, person: str) -> None: ...
    def press(self, message: str, person: str, button: str) -> SimulatedPress: ...
    def press_made(self, press: str) -> SimulatedPress: ...
    def message(self, message: str) -> SimulatedMessage: ...
    def messages(self, chat: str, after: int) -> Sequence[SimulatedMessage]: ...
    def latest(self) -> Sequence[SimulatedMessage]: ...
    def photo(self, photo: str) -> Upload: ...
    def why(self, message: str) -> Mapping[str, object] | None: ...
    def now(self) -> datetime: ...
    async def next_due(self) -> datetime | None: ...
    async def advance(self, by: timedelta) -> None: ...
    async def advance_to(self, moment: datetime) -> None: ...
    async def settle(self) -> None: ...
    def changes(self) -> AsyncIterator[Change]: ...


class SimulatorRoute(APIRoute):
    """Lets only this machine in, and answers every refusal with its sentence."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[None, None, Response]]:
        answer = super().get_route_handler()

        async def answer_or_refuse(request: Request) -> Response:
            try:
                check_loopback(request)
                return await answer(request)
            except Refused as refusal:
                status = STATUSES.get(refusal.key.removeprefix("simulator."), 400)
                return JSONResponse({"error": say(refusal.key, **refusal.blanks)}, status)

        return answer_or_refuse


def simulator_routes(simulation: Simulation) -> APIRouter:
    """The page at /simulator and everything under /simulator/api."""
    router = APIRouter(prefix="/simulator", route_class=SimulatorRoute, include_in_schema=False)
    _add_page(router, simulation)
    _add_people(router, simulation)
    _add_talk(router, simulation)
    _add_reading(router, simulation)
    _add_clock(router, simulation)
    return router


def _add_page(router: APIRouter, simulation: Simulation) -> None:
    renderer = Renderer(simulation)

    @router.get("")
    async def page() -> Response:
        return HTMLResponse(renderer.render("simulator.html"))

    @router.get("/api/events")
    async def events() -> Response:
        return StreamingResponse(_event_lines(simulation), media_type="text/event-stream")


def _add_people(router: APIRouter, simulation: Simulation) -> None:
    @router.get("/api/people")
    async def people() -> Response:
        return JSONResponse([_person(persona) for persona in simulation.people()])

    @router.post("/api/people")
    async def add_person(request: Request) -> Response:
        body = await read_body(request, AddPerson)
        added = simulation.add_person(body.name, roles=body.roles or [], area=body.area or "")
        return JSONResponse(_person(added), 201)

    @router.get("/api/chats")
    async def chats() -> Response:
        return JSONResponse([_group(group) for group in simulation.chats()])

    @router.post("/api/chats/{chat}/join")
    async def join(chat: str, request: Request) -> Response:
        body = await read_body(request, Member)
        simulation.join(chat, body.person)
        return JSONResponse({"chat": chat, "person": body.person})

    @router.post("/api/chats/{chat}/leave")
    async def leave(chat: str, request: Request) -> Response:
        body = await read_body(request, Member)
        simulation.leave(chat, body.person)
        return JSONResponse({"chat": chat, "person": body.person})


def _add_talk(router: APIRouter, simulation: Simulation) -> None:
    @router.post("/api/messages")
    async def speak(request: Request) -> Response:
        body = await read_body(request, Say)
        message = simulation.say(
            body.chat,
            body.person,
            text=body.text or "",
            uploads=read_uploads(body),
            reply_to=body.reply_to,
            album=body.album,
        )
        return JSONResponse({"id": message}, 201)

    @router.patch("/api/messages/{message}")
    async def edit(message: str, request: Request) -> Response:
        body = await read_body(request, Edit)
        simulation.edit(message, body.person, body.text)
        return JSONResponse({"id": message})

    @router.delete("/api/messages/{message}")
    async def withdraw(message: str, person: str = "") -> Response:
        simulation.withdraw(message, person)
        return JSONResponse({"id": message})

    @router.post("/api/press")
    async def press(request: Request) -> Response:
        body = await read_body(request, Press)
        return JSONResponse(_press(simulation.press(body.message, body.person, body.button)), 201)

    @router.get("/api/press/{press_id}")
    async def press_made(press_id: str) -> Response:
        return JSONResponse(_press(simulation.press_made(press_id)))


def _add_reading(router: APIRouter, simulation: Simulation) -> None:
    @router.get("/api/messages")
    async def messages(chat: str = "", after: str = "0") -> Response:
        return JSONResponse([_message(message) for message in simulation.messages(chat, number_after(after))])

    @router.get("/api/latest")
    async def latest() -> Response:
        return JSONResponse([_message(message) for message in simulation.latest()])

    @router.get("/api/messages/{message}/why")
    async def why(message: str) -> Response:
        reasons = simulation.why(message)
        if reasons is None:
            raise Refused("simulator.no_why")
        return JSONResponse(dict(reasons))

    @router.get("/api/photos/{photo}")
    async def photo(photo: str) -> Response:
        found = simulation.photo(photo)
        is_shown = found.media_type in SHOWN_IN_PAGE | PLAYED_IN_PAGE
        return Response(
            found.content,
            media_type=found.media_type if is_shown else "application/octet-stream",
            headers={
                "x-content-type-options": "nosniff",
                "content-disposition": "inline" if is_shown else "attachment",
                "cache-control": "private, max-age=3600",
            },
        )


def _add_clock(router: APIRouter, simulation: Simulation) -> None:
    async def clock_now() -> Response:
        due = await simulation.next_due()
        return JSONResponse({"now": _time(simulation.now()), "next_due": None if due is None else _time(due)})

    @router.get("/api/clock")
    async def clock() -> Response:
        return await clock_now()

    @router.post("/api/clock")
    async def move_clock(request: Request) -> Response:
        goal = read_clock(await read_body(request, MoveClock))
        if isinstance(goal, timedelta):
            await simulation.advance(goal)
        else:
            await simulation.advance_to(goal)
        return await clock_now()

    @router.post("/api/settle")
    async def settle() -> Response:
        await simulation.settle()
        return JSONResponse({"settled": True})


async def _event_lines(simulation: Simulation) -> AsyncIterator[str]:
    changes = simulation.changes()  # watching begins here, before the page hears that it is connected
    yield "retry: 1000\n: connected\n\n"
    async for change in changes:
        yield _event(simulation, change)


def _event(simulation: Simulation, change: Change) -> str:
    if change.kind is ChangeKind.PULSE:
        return ": quiet\n\n"
    if change.kind is ChangeKind.MESSAGE:
        content: Mapping[str, object] = _message(simulation.message(change.message))
    elif change.kind is ChangeKind.NOTICE:
        content = {"chat": change.chat, "message": change.message, "person": change.person, "text": change.text}
    else:
        content = {"chat": change.chat}
    return f"event: {change.kind.value}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


def _person(persona: Persona) -> dict[str, object]:
    return {"id": persona.id, "name": persona.name, "roles": list(persona.roles), "area": persona.area}


def _group(group: SimulatedGroup) -> dict[str, object]:
    return {"id": group.id, "name": group.name, "area": group.area, "members": list(group.members)}


def _message(message: SimulatedMessage) -> dict[str, object]:
    return {
        "id": message.id,
        "chat": message.chat,
        "sender": message.sender,
        "text": message.text,
        "photos": [_address(file) for file in message.files if file.kind is AttachmentKind.PHOTO],
        "files": [
            {"kind": file.kind.value, "name": file.name, "url": _address(file), "size": file.size}
            for file in message.files
            if file.kind is not AttachmentKind.PHOTO
        ],
        "buttons": [
            {"id": button.id, "text": button.text} | ({"url": button.url} if button.url else {})
            for button in message.buttons
        ],
        "reply_to": message.reply_to,
        "at": _time(message.at),
        "edited": message.is_edited,
        "deleted": message.is_deleted,
    }


def _press(press: SimulatedPress) -> dict[str, object]:
    return {
        "id": press.id,
        "chat": press.chat,
        "message": press.message,
        "person": press.person,
        "answered": press.answer is not None,
        "text": press.answer or "",
    }


def _address(file: SimulatedFile) -> str:
    return f"/simulator/api/photos/{file.id}"


def _time(moment: datetime) -> str:
    return in_china(moment).isoformat()
