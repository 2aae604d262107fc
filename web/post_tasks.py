"""Posts that lie with the owner of a group: a reminder for the owner, or the post taken back. Shown on the pages of announcements and groups."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.customer_groups import showing
from domain.outbox import Session
from web.acts import note
from web.auth import ClerkVisitor, Visitor, services_of
from web.forms import Posted, PostedForm
from web.pages import done

router = APIRouter(prefix="/post-tasks")


@router.post("/{task_id}/remind")
async def remind(request: Request, visitor: ClerkVisitor, task_id: int, form: PostedForm) -> Response:
    """The platform tells the owner once more, within what it allows a day."""
    now = services_of(request).clock.now()

    def work(session: Session) -> str:
        task = showing.ask_reminder(session, visitor.community_id, task_id, now=now)
        return task.owner_name or task.owner

    owner = await _act(request, visitor, task_id, "remind", work)
    return done(request, visitor, _back(form), "customer_groups.reminder_asked", owner=owner)


@router.post("/{task_id}/cancel")
async def cancel(request: Request, visitor: ClerkVisitor, task_id: int, form: PostedForm) -> Response:
    """The owner cannot send it any more."""

    def work(session: Session) -> str:
        return showing.ask_cancel(session, visitor.community_id, task_id).owner_name

    await _act(request, visitor, task_id, "cancel", work)
    return done(request, visitor, _back(form), "customer_groups.cancel_asked")


async def _act(request: Request, visitor: Visitor, task_id: int, name: str, work: Callable[[Session], str]) -> str:
    """Does it and writes it down; who carries it to the platform is woken."""

    def in_transaction(session: Session) -> str:
        said = work(session)
        note(request, visitor, session, f"post_task.{name}", task_id)
        return said

    services = services_of(request)
    said = await services.database.write(in_transaction)
    services.wake()
    return said


def _back(form: Posted) -> str:
    """The page from which the button was pressed: that of an announcement, by its key, or the groups."""
    key = form.key("back")
    return f"/announcements/{key}" if key is not None else "/groups"
