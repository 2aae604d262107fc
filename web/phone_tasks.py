"""Calls and SMS that are owed: whom to tell, the words to say, ticked off with how; and what became of the last ones."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.errors import Refused
from domain import phone_tasks
from domain.cases.words import WAY_NAMES
from domain.outbox import Session
from web.auth import CurrentVisitor, Visitor, services_of
from web.forms import PostedForm
from web.pages import done, page, sentence, status_of

router = APIRouter(prefix="/desk/phone-tasks")


@router.get("")
async def show(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """What is open, oldest first, and what has been settled."""
    return await _page(request, visitor)


async def _page(
    request: Request,
    visitor: Visitor,
    *,
    status: int = 200,
    refusal: str = "",
    shown: tuple[int, str] = (0, ""),
    note: tuple[int, str] = (0, ""),
) -> HTMLResponse:
    """`shown` is a task's key with its number in full, `note` one with what was typed for it in vain."""
    services = services_of(request)
    now = services.clock.now()

    def look(session: Session) -> tuple[list[phone_tasks.TaskLine], list[phone_tasks.TaskLine]]:
        who = (session, visitor.person_id, visitor.community_id)
        return phone_tasks.open_tasks(*who, now=now), phone_tasks.settled_tasks(*who, now=now)

    waiting, settled = await services.database.read(look)
    ways = [(way.value, name) for way, name in WAY_NAMES.items()]
    return page(
        request,
        visitor,
        "phone_tasks.html",
        status=status,
        waiting=waiting,
        settled=settled,
        ways=ways,
        refusal=refusal,
        shown=shown,
        note=note,
    )


@router.post("/{task_id}/done")
async def tick_off(request: Request, visitor: CurrentVisitor, task_id: int, form: PostedForm) -> Response:
    """The resident has been told. Refused: the page as it now is, with what was typed."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> None:
        way, note = form.text("way"), form.text("note", longest=phone_tasks.LONGEST_NOTE)
        phone_tasks.tick_off(session, visitor.person_id, task_id, way=way, note=note, now=now)

    try:
        await services.database.write(work)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return await _page(
            request, visitor, status=409, refusal=sentence(refusal), note=(task_id, form.values().get("note", ""))
        )
    return done(request, visitor, "/desk/phone-tasks", "phone_tasks.done")


@router.post("/{task_id}/phone")
async def show_phone(request: Request, visitor: CurrentVisitor, task_id: int) -> HTMLResponse:
    """The number in full, once; that it was looked at is written down."""
    services = services_of(request)
    now = services.clock.now()
    try:
        phone = await services.database.write(
            lambda session: phone_tasks.show_phone(session, visitor.person_id, task_id, now=now)
        )
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return await _page(request, visitor, status=409, refusal=sentence(refusal))
    return await _page(request, visitor, shown=(task_id, phone))
