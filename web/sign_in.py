"""Coming in by a one-time link, going out, one's own signed-in browsers, and the community looked at.

Opening a link changes nothing, because chat programs open links by themselves to show a preview; its button spends it.
"""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.errors import Refused
from domain import accounts
from domain.outbox import Session
from web.auth import (
    COMMUNITY_COOKIE,
    WANTED_COOKIE,
    CurrentVisitor,
    is_https,
    services_of,
    session_cookie,
    set_cookie,
    wanted_of,
    who,
)
from web.browsers import browser_name
from web.forms import PostedForm
from web.pages import done, page, sentence, status_of

# Before the sign-in: no session, so no CSRF field; the check of Origin (web/security.py) stands alone there.
open_router = APIRouter()
router = APIRouter()

WINDOW = timedelta(minutes=10)
MOST_FAILURES = 10
MOST_ADDRESSES = 10_000
YEAR_SECONDS = 365 * 24 * 3600
# The cookie outlives its session: it opens nothing any more, but tells that a form with photos comes from one of our people.
COOKIE_AFTER = timedelta(days=7)


GUESSES = frozenset({"web.link_dead", "web.proof_wrong"})


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a session lasts that is opened now, and in which browser."""

    now: datetime
    life: timedelta
    browser: str


class Failures:
    """Dead links tried, by client address, for a while. Kept in memory and bounded: the oldest address is forgotten first."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[str, deque[datetime]] = OrderedDict()

    def check(self, address: str, now: datetime) -> None:
        """Refuses an address that has failed too often of late."""
        moments = self._by_address.get(address, deque())
        while moments and moments[0] <= now - WINDOW:
            moments.popleft()
        if len(moments) >= MOST_FAILURES:
            raise Refused("web.too_many_attempts", minutes=int(WINDOW.total_seconds() // 60))

    def note(self, address: str, now: datetime) -> None:
        self._by_address.setdefault(address, deque(maxlen=MOST_FAILURES)).append(now)
        self._by_address.move_to_end(address)
        while len(self._by_address) > MOST_ADDRESSES:
            self._by_address.popitem(last=False)


@open_router.get("/sign-in")
async def explain(request: Request) -> Response:
    """How to get a link; somebody who is in already goes on."""
    if await who(request):
        return RedirectResponse("/", 303)
    return page(request, None, "sign_in.html", 200, **ways_in(request))


def ways_in(request: Request) -> dict[str, object]:
    """What templates/sign_in_parts.html needs to know: by which ways one comes in here."""
    services = services_of(request)
    return {
        "bot_name": _bot_name(request),
        "is_demo": services.demo_link is not None,
        "by_telegram": services.settings.telegram.sign_in,
        "by_wecom": services.settings.wecom.sign_in,
    }


@open_router.post("/sign-in/demo")
async def enter_demo(request: Request) -> Response:
    """In the demo nobody has a telephone to get a link on: the page makes one for the made-up clerk."""
    make_link = services_of(request).demo_link
    if make_link is None:
        raise Refused("web.link_dead")
    return RedirectResponse(await make_link(), 303)


@open_router.get("/sign-in/demo")
async def explain_demo() -> Response:
    """Its button stands on the page of the sign-in; without this it would be taken for a link's token."""
    return RedirectResponse("/sign-in", 303)


@open_router.get("/sign-in/{token}")
async def show_button(request: Request, token: str) -> HTMLResponse:
    return page(request, None, "sign_in_link.html", token=token)


@open_router.post("/sign-in")
async def spend(request: Request, form: PostedForm) -> Response:
    """Spends the link and opens a session for this browser."""
    services = services_of(request)
    token = form.text("token", longest=200)

    async def enter(terms: Terms) -> accounts.SignedIn:
        return await services.database.write(
            lambda session: accounts.spend_link(session, token, now=terms.now, life=terms.life, browser=terms.browser)
        )

    return await come_in(request, enter, next_step="登录链接由机器人私聊发给您，每个只能用一次。")


async def come_in(
    request: Request, enter: Callable[[Terms], Awaitable[accounts.SignedIn]], *, next_step: str
) -> Response:
    """Gives this browser the session that `enter` opens, or says why not. Whoever guesses too often waits."""
    services = services_of(request)
    address = request.client.host if request.client else ""
    failures: Failures = request.app.state.failures
    life = timedelta(hours=services.settings.web.session_hours)
    terms = Terms(services.clock.now(), life, request.headers.get("user-agent", ""))
    try:
        failures.check(address, terms.now)
        signed_in = await enter(terms)
    except Refused as refusal:
        if refusal.key in GUESSES:
            failures.note(address, terms.now)
        words = sentence(refusal)
        return page(request, None, "error.html", status=status_of(refusal), sentence=words, next_step=next_step)
    response = RedirectResponse(wanted_of(request), 303)
    kept = life + COOKIE_AFTER
    set_cookie(request, response, session_cookie(request), signed_in.token, seconds=int(kept.total_seconds()))
    if WANTED_COOKIE in request.cookies:
        response.delete_cookie(WANTED_COOKIE, path="/", secure=is_https(request), httponly=True)
    return response


@router.post("/sign-out")
async def leave(request: Request, visitor: CurrentVisitor) -> Response:
    """Ends this session, here and in the table."""
    services = services_of(request)
    now = services.clock.now()
    await services.database.write(
        lambda session: accounts.revoke(session, visitor.person_id, visitor.session_id, now=now)
    )
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(session_cookie(request), path="/", secure=is_https(request), httponly=True)
    return response


@router.get("/sessions")
async def sessions(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """Where this person is signed in."""
    services = services_of(request)
    now = services.clock.now()
    rows = await services.database.read(lambda session: accounts.sessions_of(session, visitor.person_id, now=now))
    return page(request, visitor, "sessions.html", rows=rows, browser_name=browser_name)


@router.post("/sessions/{session_id}/revoke")
async def revoke(request: Request, visitor: CurrentVisitor, session_id: int) -> Response:
    """Signs one browser out. One's own goes by /sign-out as well."""
    services = services_of(request)
    now = services.clock.now()
    await services.database.write(lambda session: accounts.revoke(session, visitor.person_id, session_id, now=now))
    return done(request, visitor, "/sessions", "web.session_revoked")


@router.post("/sessions/revoke-others")
async def revoke_others(request: Request, visitor: CurrentVisitor) -> Response:
    """Signs every other browser of this person out."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> None:
        for row in accounts.sessions_of(session, visitor.person_id, now=now):
            if row.id != visitor.session_id:
                accounts.revoke(session, visitor.person_id, row.id, now=now)

    await services.database.write(work)
    return done(request, visitor, "/sessions", "web.sessions_revoked")


@router.post("/community")
async def choose_community(request: Request, visitor: CurrentVisitor, form: PostedForm) -> Response:
    """Looks at another community where this person has a duty."""
    chosen = form.key("community")
    name = dict(visitor.communities).get(chosen or 0)
    if name is None:
        raise Refused("web.community_not_yours")
    response = done(request, visitor, "/", "web.community_chosen", community=name)
    set_cookie(request, response, COMMUNITY_COOKIE, str(chosen), seconds=YEAR_SECONDS)
    return response


@router.get("/")
async def home(visitor: CurrentVisitor) -> RedirectResponse:
    """To the page where this person's work is; who has no cases to work on reads what is announced."""
    to_tasks = "/desk/mine" if visitor.enters_cases else "/announcements"
    return RedirectResponse("/desk" if visitor.is_desk else to_tasks, 303)


def _bot_name(request: Request) -> str:
    """The bot's name where people know it; one is enough for a hint."""
    return next(iter(services_of(request).bot_names.values()), "")
