"""The answers that are kept for next time: the desk sees them, and clerks take away what no longer holds, after a second look."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from domain.cases import answers
from domain.outbox import Session
from domain.topics import name_of
from web.acts import note
from web.auth import ClerkVisitor, DeskVisitor, services_of
from web.pages import done, page

router = APIRouter(prefix="/desk/answers")

MOST_SHOWN = 300


@router.get("")
async def show(request: Request, visitor: DeskVisitor) -> HTMLResponse:
    """Newest first."""
    rows = await services_of(request).database.read(
        lambda session: answers.of_community(session, visitor.community_id, limit=MOST_SHOWN)
    )
    return page(request, visitor, "answers.html", rows=rows, topic_name=name_of)


@router.post("/{answer_id}/remove")
async def remove(request: Request, visitor: ClerkVisitor, answer_id: int) -> Response:
    """It is no longer given; the case keeps it in its history."""

    def work(session: Session) -> None:
        answers.remove(session, visitor.community_id, answer_id)
        note(request, visitor, session, "answer.remove", answer_id)

    await services_of(request).database.write(work)
    return done(request, visitor, "/desk/answers", "answers.removed")
