"""Puts the console together: the table of its routers, what answers a refusal or a fault, and the doors for machines.

HOW A PAGE IS WRITTEN. One file a noun (web/cases.py) with a `router`, named in SIGNED_IN below; `guard` then stands before
every route of it: nobody signed in → /sign-in, a POST without the session's `csrf` field → 403; what was typed is kept on a
page (web/kept_forms.py). A route reads, or writes and commits, then answers:

    @router.get("/areas")
    async def areas_page(request: Request, visitor: CurrentVisitor) -> HTMLResponse:     # DeskVisitor: only the desk
        services = services_of(request)
        rows = await services.database.read(lambda session: areas.of_community(session, visitor.community_id))
        return page(request, visitor, "areas.html", rows=rows)                           # rows are detached, but loaded

    @router.post("/areas/{area_id}/rename")
    async def rename(request: Request, visitor: DeskVisitor, area_id: int, form: PostedForm) -> Response:
        services = services_of(request)
        now = services.clock.now()

        def work(session: Session) -> None:                                              # plain, in the writer's thread
            area = areas.area_for(session, visitor.person_id, area_id)                   # rights: in domain, refuses alike
            areas.rename(session, area, form.text("name", longest=60))
            accounts.audit(session, person_id=visitor.person_id, act="area.rename", subject=str(area_id),
                           community_id=visitor.community_id, now=now)

        try:
            await services.database.write(work)                                          # committed when it returns
        except Refused as refusal:                                                       # only to show the form again, filled
            return page(request, visitor, "areas_form.html", status=status_of(refusal), values=form.values(),
                        refusal=sentence(refusal))
        services.wake()                                                                  # when something is to be sent
        return done(request, visitor, "/areas", "web.area_renamed", name=form.text("name"))

A `Refused` that a route lets through becomes the error page with its sentence. Sentences for `done` stand in
core/texts/zh/web.toml; the navigation's lines in web/pages.py. Keys in forms and addresses are text. `form.uploads(…)` are
files; paths that take files are named in LARGER_BODIES.
"""

import functools
import secrets
import traceback
from collections.abc import Awaitable, Callable, Sequence

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Refused
from web import (
    announcements,
    answers,
    areas,
    audit,
    case_entering,
    case_steps,
    cases,
    colleagues,
    conventions,
    files,
    groups,
    outbox,
    people,
    phone_tasks,
    post_tasks,
    serving,
    sign_in,
    sign_in_platforms,
    understanding,
)
from web.addresses import page_of
from web.auth import NotSignedIn, WrongCsrf, guard, who
from web.forms import TOO_LONG
from web.hooks import Front, HookDoor
from web.kept_forms import session_ended, too_long, wrong_mark
from web.pages import own_address, sentence, status_of
from web.rendering import STATIC, Renderer
from web.security import LOOPBACK_NAMES, MEBIBYTE, protect, protection_for
from web.services import Services
from web.simulator import simulator_routes
from web.simulator_bodies import BODY_LIMIT

log = structlog.get_logger(__name__)

# THE TABLE OF PAGES behind the sign-in. The order matters only where two paths fit one address.
SIGNED_IN: tuple[APIRouter, ...] = (
    sign_in.router,
    cases.router,
    case_entering.router,
    case_steps.router,
    phone_tasks.router,
    serving.router,
    answers.router,
    files.router,
    areas.router,
    colleagues.router,  # before people: there a key stands in its place
    people.router,
    groups.router,
    announcements.router,
    post_tasks.router,
    conventions.router,
    outbox.router,
    understanding.router,
    audit.router,
)
# Paths whose forms carry files, and the most bytes of one form.
LARGER_BODIES = {"/desk": 64 * MEBIBYTE, "/areas/import": 21 * MEBIBYTE, "/announcements": 64 * MEBIBYTE}

# status → what happened, what to do next
FAULTS = {
    403: ("您没有权限做这件事。", "需要时请联系社区管理员。"),
    404: ("没有找到这一页。", "它可能已经不在了，或者您不能查看；请从首页重新进入。"),
    405: ("这个网址不能这样使用。", "请从首页重新进入。"),
    422: ("网址或表单里有填错的地方。", "请返回上一页核对后再试。"),
    500: ("系统出了差错，这一步没有做完。", "请稍后再试；刚才填的内容可以按浏览器的“后退”找回。"),
}
REFUSED_NEXT = "请返回上一页核对后再试。"


@functools.cache
def _page_routes() -> Sequence[BaseRoute]:
    """The routes of all pages, put together once in a process: what they need of the program they take from its state."""
    together = APIRouter()
    together.include_router(sign_in_platforms.open_router)  # before the links: a token could be any word there
    together.include_router(sign_in.open_router)
    for router in SIGNED_IN:
        together.include_router(router, dependencies=[Depends(guard)])
    return together.routes


def make_app(services: Services) -> ASGIApp:
    """The whole web side behind its guards, ready for a server."""
    settings = services.settings
    renderer = Renderer(services.clock)
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.state.services, pages.state.renderer, pages.state.failures = services, renderer, sign_in.Failures()
    pages.add_middleware(FaultPage, renderer=renderer)
    _answer_refusals(pages, renderer)
    _add_machine_doors(pages, services)
    pages.mount("/static", StaticFiles(directory=STATIC))
    pages.router.routes.extend(_page_routes())
    larger_bodies = dict(LARGER_BODIES)
    if services.simulation is not None:
        pages.include_router(simulator_routes(services.simulation))
        larger_bodies["/simulator/api/"] = BODY_LIMIT
    protection = protection_for(
        settings.web.public_url, host=settings.web.host, largest_body=MEBIBYTE, larger_bodies=larger_bodies
    )
    guarded = protect(pages, protection, renderer.error_page)
    return Front(FaultPage(HookDoor(services.hooks, services.callbacks), renderer), guarded)


class FaultPage:
    """The broad catch of the web: a fault is logged with a trace id, and the person gets a page with the same id."""

    def __init__(self, app: ASGIApp, renderer: Renderer) -> None:
        self._app, self._renderer = app, renderer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def watched_send(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception as fault:  # noqa: BLE001 - an edge: whatever went wrong, the rest goes on
            trace_id = secrets.token_hex(4)
            if not has_started and scope["type"] == "http":
                await _fault(self._renderer, 500, trace_id=trace_id)(scope, receive, send)
            # The pattern of the path, and the fault without its words: an address may hold a link's token, an error a row.
            route = getattr(scope.get("route"), "path", "")
            where = "".join(traceback.format_tb(fault.__traceback__)[-6:])
            log.error("web_fault", trace_id=trace_id, route=route, fault=type(fault).__name__, where=where)


def _fault(
    renderer: Renderer,
    status: int,
    words: tuple[str, str] | None = None,
    *,
    trace_id: str = "",
    own_address: str = "",
) -> HTMLResponse:
    what, next_step = words or FAULTS.get(status, FAULTS[500])
    context = {"sentence": what, "next_step": next_step, "trace_id": trace_id, "own_address": own_address}
    return HTMLResponse(renderer.render("error.html", status=status, **context), status)


def _answer_refusals(pages: FastAPI, renderer: Renderer) -> None:
    """Each of our exceptions, and the framework's, as a page that says what to do next."""

    async def refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, Refused)
        visitor = await who(request) if refusal.key == TOO_LONG else None
        if visitor is not None:
            return await too_long(request, visitor, refusal)
        status, words = status_of(refusal), (sentence(refusal), REFUSED_NEXT)
        # What is not there has no page either.
        return _fault(renderer, status, words, own_address="" if status == 404 else own_address(request))

    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if request.url.path.startswith("/static/"):
            return Response(status_code=error.status_code)
        if error.status_code == 405 and request.method == "GET" and not request.url.path.startswith("/simulator/"):
            # The address of a form, reloaded or out of the browser's history: the step is taken on its page.
            return RedirectResponse(page_of(request.app.routes, request.url.path), 303)
        response = _fault(renderer, error.status_code)
        response.headers.update(error.headers or {})
        return response

    async def invalid(_request: Request, _error: Exception) -> Response:
        return _fault(renderer, 404)  # only keys in addresses are checked by the framework: a wrong one is no page

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        Refused: refused,
        NotSignedIn: session_ended,
        WrongCsrf: wrong_mark,
        HTTPException: plain,
        RequestValidationError: invalid,
    }
    for error, handler in handlers.items():
        pages.add_exception_handler(error, handler)


def _add_machine_doors(pages: FastAPI, services: Services) -> None:
    """/healthz: the process answers. /readyz: it can work. /metrics: figures, for this machine only."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_request: Request) -> Response:
        missing = await services.is_ready()
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    async def metrics(request: Request) -> Response:
        # A proxy on this machine also comes from loopback: what it forwards is a stranger's request.
        is_forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
        if is_forwarded or request.client is None or request.client.host not in LOOPBACK_NAMES:
            raise HTTPException(404)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    for path, door in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        pages.add_route(path, door, methods=["GET"])
