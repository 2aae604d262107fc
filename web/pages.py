"""The two answers of a page: itself, in its frame, or "done" — off to another page that says so in one line."""

import base64
import binascii
import hashlib
import hmac
import json

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from core.errors import Refused
from core.texts import say
from web.addresses import page_of
from web.auth import Visitor, services_of, set_cookie
from web.rendering import Flash, NavigationItem, Renderer, Tone
from web.security import SAFE_METHODS

FLASH_COOKIE = "wuwei_said"
FLASH_SECONDS = 60

# THE NAVIGATION: (path, words, icon), and who sees the line.
FOR_ALL = (
    NavigationItem("/desk/mine", "我的待办", "list-check"),
    NavigationItem("/desk", "事项", "clipboard-list"),
    NavigationItem("/desk/board", "看板", "layout-kanban"),
)
PHONE_TASKS = NavigationItem("/desk/phone-tasks", "电话任务", "phone")
FOR_DESK = (
    NavigationItem("/desk/wishes", "心愿", "heart"),
    NavigationItem("/desk/answers", "答复库", "message-circle"),
)
BOOKS = (
    NavigationItem("/announcements", "公告", "speakerphone"),
    NavigationItem("/conventions", "公约", "books"),
    NavigationItem("/areas", "网格", "map-2"),
)
BOOKS_FOR_DESK = (
    NavigationItem("/people", "人员", "users"),
    NavigationItem("/groups", "群组", "messages"),
    NavigationItem("/outbox", "收发", "send"),
    NavigationItem("/understanding", "理解", "info-circle"),
    NavigationItem("/audit", "操作记录", "history"),
)
LAST = (NavigationItem("/sessions", "登录设备", "key"),)

# A refusal's status by its key; any other is 409: understood, but not as things stand.
STATUSES = {"web.not_at_desk": 403, "web.community_not_yours": 403, "web.too_many_attempts": 429}


def renderer_of(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def navigation_for(visitor: Visitor, *, has_phone_tasks: bool) -> list[NavigationItem]:
    desk, calls = visitor.is_desk, (PHONE_TASKS,) if has_phone_tasks else ()
    return [*FOR_ALL, *calls, *(FOR_DESK if desk else ()), *BOOKS, *(BOOKS_FOR_DESK if desk else ()), *LAST]


def page(
    request: Request, visitor: Visitor | None, template: str, /, status: int = 200, **context: object
) -> HTMLResponse:
    """The template in its frame, with what `done` left to say. `status` other than 200: the page says what was refused."""
    flashes = [flash] if visitor and (flash := _flash_of(request, visitor)) else []
    is_demo = services_of(request).simulation is not None
    frame: dict[str, object] = {
        "demo": is_demo,
        "here": request.url.path,
        "status": status,
        "own_address": own_address(request),
    }
    if visitor is not None:
        frame |= {
            "visitor": visitor,
            "navigation": navigation_for(visitor, has_phone_tasks=services_of(request).has_phone_tasks),
            "person_name": visitor.name or "（无姓名）",
            "person_role": f"{visitor.community} · {visitor.role_words}",
            "community": (visitor.community_id, visitor.communities),
            "csrf": visitor.csrf,
        }
    given = context.pop("flashes", [])
    assert isinstance(given, list)
    body = renderer_of(request).render(template, **(frame | context), flashes=[*flashes, *given])
    response = HTMLResponse(body, status)
    if flashes:
        response.delete_cookie(FLASH_COOKIE)
    return response


def own_address(request: Request) -> str:
    """Where a page is found again that came as the answer to a form; empty for one that was simply opened."""
    return "" if request.method in SAFE_METHODS else page_of(request.app.routes, request.url.path)


def done(
    request: Request, visitor: Visitor, address: str, key: str, /, tone: Tone = "green", **blanks: object
) -> RedirectResponse:
    """After the commit: to `address` (a path of ours), whose page will say the sentence `key`, once."""
    response = RedirectResponse(address, 303)
    said = json.dumps([key, tone, {name: str(value) for name, value in blanks.items()}]).encode()
    value = base64.urlsafe_b64encode(_seal(visitor, said) + said).decode()
    set_cookie(request, response, FLASH_COOKIE, value, seconds=FLASH_SECONDS)
    return response


def sentence(refusal: Refused) -> str:
    """What to tell the person."""
    return say(refusal.key, **refusal.blanks)


def status_of(refusal: Refused) -> int:
    return 404 if refusal.key.endswith("not_found") else STATUSES.get(refusal.key, 409)


def _seal(visitor: Visitor, said: bytes) -> bytes:
    """Only this session's own pages can have written the line: another site that sets the cookie says nothing."""
    return hmac.digest(visitor.csrf.encode(), said, hashlib.sha256)


def _flash_of(request: Request, visitor: Visitor) -> Flash | None:
    try:
        raw = base64.urlsafe_b64decode(request.cookies.get(FLASH_COOKIE, "").encode())
    except (binascii.Error, ValueError):
        return None
    seal, said = raw[:32], raw[32:]
    if not said or not hmac.compare_digest(seal, _seal(visitor, said)):
        return None
    key, tone, blanks = json.loads(said)
    return Flash(say(key, **blanks), tone)
