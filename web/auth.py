"""Who is looking at a page: the session behind the cookie, the community chosen, and what the visitor may do.

Coming in and going out are web/sign_in.py; which cases and files somebody may see is decided in domain/.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, unquote, urlsplit

from fastapi import Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.clock import in_china
from core.errors import Refused
from domain import access, accounts
from domain.outbox import Session
from domain.people import ROLE_NAMES, Role
from web.addresses import page_of
from web.forms import read_key
from web.security import SAFE_METHODS
from web.services import Services

SESSION_COOKIE = "wuwei_session"
COMMUNITY_COOKIE = "wuwei_community"
WANTED_COOKIE = "wuwei_wanted"
WANTED_SECONDS = 15 * 60
LONGEST_WANTED = 300
CSRF_FIELD = "csrf"


class NotSignedIn(Exception):
    """The page needs somebody signed in; the app answers with the way to /sign-in."""


class WrongCsrf(Exception):
    """A form came without a mark that this person's pages carry; `is_anothers` when somebody else's do."""

    def __init__(self, *, is_anothers: bool = False) -> None:
        super().__init__()
        self.is_anothers = is_anothers


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in, looking at one community. `roles` are those held there today; a street officer is at the desk too."""

    person_id: int
    name: str
    roles: tuple[str, ...]
    communities: tuple[tuple[int, str], ...]
    community_id: int
    csrf: str
    session_id: int

    @property
    def is_desk(self) -> bool:
        """Sees the whole community and runs it; others see what lies in their own areas."""
        return not access.DESK_ROLES.isdisjoint(self.roles)

    @property
    def is_clerk(self) -> bool:
        """Keeps the community's books: areas, people, groups, announcements. A street officer only looks at them."""
        return not access.CLERK_ROLES.isdisjoint(self.roles)

    @property
    def enters_cases(self) -> bool:
        """Enters what comes by telephone or at the door; who only supervises does not."""
        return not (access.DESK_ROLES | access.FIELD_ROLES).isdisjoint(self.roles)

    @property
    def is_administrator(self) -> bool:
        return Role.ADMINISTRATOR in self.roles

    @property
    def community(self) -> str:
        return dict(self.communities)[self.community_id]

    @property
    def role_words(self) -> str:
        return "、".join(ROLE_NAMES[Role(role)] for role in self.roles)


def services_of(request: Request) -> Services:
    """What bot/app handed to the pages."""
    services: Services = request.app.state.services
    return services


def is_https(request: Request) -> bool:
    return services_of(request).settings.web.public_url.startswith("https://")


def session_cookie(request: Request) -> str:
    """The cookie's name: on https browsers hold one with this prefix to our very host."""
    return f"__Host-{SESSION_COOKIE}" if is_https(request) else SESSION_COOKIE


def set_cookie(request: Request, response: Response, name: str, value: str, *, seconds: int) -> None:
    """A cookie that no script reads and no other site's form sends."""
    response.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=is_https(request))


def remember_wanted(request: Request, response: Response) -> None:
    """The page that was asked for, to go on to after signing in; a picture on a page is none."""
    if request.headers.get("sec-fetch-dest", "document") != "document" or request.url.path.startswith("/files/"):
        return
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if wanted != "/" and len(wanted) <= LONGEST_WANTED:
        set_cookie(request, response, WANTED_COOKIE, quote(wanted, safe=""), seconds=WANTED_SECONDS)


def wanted_of(request: Request) -> str:
    """A path of ours, or the first page. What a cookie says is not believed: no other host, no form's address."""
    wanted = unquote(request.cookies.get(WANTED_COOKIE, ""))
    if (
        not wanted.startswith("/")
        or wanted.startswith(("//", "/\\"))
        or not (wanted.isascii() and wanted.isprintable())
    ):
        return "/"
    path = urlsplit(wanted).path
    return wanted if page_of(request.app.routes, path) == path else "/"


async def who(request: Request) -> Visitor | None:
    """The visitor, or None when nobody is signed in. Looked up once for a request."""
    if not hasattr(request.state, "visitor"):
        token = request.cookies.get(session_cookie(request), "")
        chosen = request.cookies.get(COMMUNITY_COOKIE, "")
        services = services_of(request)
        now = services.clock.now()

        def look_up(session: Session) -> Visitor | None:
            found = accounts.session_of(session, token, now=now)
            if found is None:
                return None
            row, person = found
            posts = accounts.posts_of(session, person.id, in_china(now).date())
            if not posts:
                return None
            here = next((post for post in posts if str(post.community_id) == chosen), posts[0])
            return Visitor(
                person_id=person.id,
                name=person.name,
                roles=here.roles,
                communities=tuple((post.community_id, post.community) for post in posts),
                community_id=here.community_id,
                csrf=row.csrf,
                session_id=row.id,
            )

        request.state.visitor = await services.database.read(look_up) if token else None
    visitor: Visitor | None = request.state.visitor
    return visitor


async def visitor(request: Request) -> Visitor:
    """The dependency of every page behind the sign-in."""
    found = await who(request)
    if found is None:
        raise NotSignedIn
    return found


CurrentVisitor = Annotated[Visitor, Depends(visitor)]


async def guard(request: Request, visitor: CurrentVisitor) -> AsyncIterator[None]:
    """Stands before every route of the signed-in pages (web/app.py): a form must carry the session's mark.

    A key that no row can have is no page; the database would take it for a fault. Files of a form are closed even when
    the route refuses before it looks at them.
    """
    if any(value.isdecimal() and read_key(value) is None for value in request.path_params.values()):
        raise HTTPException(404)
    if request.method in SAFE_METHODS:
        yield
        return
    async with request.form() as form:
        given = form.get(CSRF_FIELD)
        await _check_mark(request, visitor, given if isinstance(given, str) else "")
        yield


async def _check_mark(request: Request, visitor: Visitor, given: str) -> None:
    """The mark of an earlier session of the same person does as well: the form was filled in before the session ended, and nobody
    else has ever seen that mark."""
    if hmac.compare_digest(given.encode(), visitor.csrf.encode()):
        return
    holder = await services_of(request).database.read(lambda session: accounts.holder_of(session, given))
    if holder is None or holder != visitor.person_id:
        raise WrongCsrf(is_anothers=holder is not None)


def need_desk(visitor: Visitor) -> None:
    """Refuses everybody who does not work at the desk of the community looked at."""
    if not visitor.is_desk:
        raise Refused("web.not_at_desk")


async def desk_visitor(visitor: CurrentVisitor) -> Visitor:
    """The dependency of pages that only the desk may see."""
    need_desk(visitor)
    return visitor


DeskVisitor = Annotated[Visitor, Depends(desk_visitor)]


async def clerk_visitor(visitor: CurrentVisitor) -> Visitor:
    """The dependency of steps that change the community's books."""
    if not visitor.is_clerk:
        raise Refused("web.not_at_desk")
    return visitor


ClerkVisitor = Annotated[Visitor, Depends(clerk_visitor)]
