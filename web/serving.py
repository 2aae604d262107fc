"""From a case's page: the resident is handed over to people of staff in the platform's own client, and back to the bot."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.errors import Refused
from domain import serving
from domain.cases import desk, showing
from domain.outbox import Session
from domain.serving import Chat
from web.auth import CurrentVisitor, Visitor, services_of
from web.cases import case_page
from web.pages import done, sentence, status_of

router = APIRouter(prefix="/desk")


@router.post("/cases/{case_id}/hand-over")
async def hand_over(request: Request, visitor: CurrentVisitor, case_id: int) -> Response:
    """The bot is silent from now on, and somebody is fetched."""
    return await _act(request, visitor, case_id, is_over=True)


@router.post("/cases/{case_id}/hand-back")
async def hand_back(request: Request, visitor: CurrentVisitor, case_id: int) -> Response:
    """The talk is ended, and the bot speaks again."""
    return await _act(request, visitor, case_id, is_over=False)


async def _act(request: Request, visitor: Visitor, case_id: int, *, is_over: bool) -> Response:
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> None:
        act = "hand_over" if is_over else "hand_back"
        with desk.acting(session, visitor.person_id, case_id, act=act, version=None, now=now) as (case, _):
            standing = showing.standing(session, case, now=now)
            if standing is None or standing.channel not in services.with_servicers:
                raise Refused("serving.cannot")
            if standing.is_served == is_over:
                raise Refused("serving.is_served" if is_over else "serving.not_served")
            chat = session.get_one(Chat, standing.chat_id)
            if is_over:
                serving.begin(session, chat, now=now, number=case.number)
            else:
                serving.end(session, chat, now=now)

    try:
        await services.database.write(work)
    except Refused as refusal:
        return await _refused(request, visitor, case_id, refusal)
    services.wake()
    key = "serving.handed_over" if is_over else "serving.handed_back"
    return done(request, visitor, f"/desk/cases/{case_id}", key)


async def _refused(request: Request, visitor: Visitor, case_id: int, refusal: Refused) -> HTMLResponse:
    if status_of(refusal) == 404:
        raise refusal
    return await case_page(request, visitor, case_id, status=409, refusal=sentence(refusal))
