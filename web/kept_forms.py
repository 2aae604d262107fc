"""A form that came when its session was over, with another person's mark, or too long: its words are given back on a page, to be sent again.

Nothing is stored: the page itself holds the form, mark and all, and the mark still tells whose it was (web/auth.py).
"""

from fastapi import Request
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.errors import Refused
from domain import accounts
from web.auth import CSRF_FIELD, Visitor, WrongCsrf, remember_wanted, services_of, session_cookie, who
from web.pages import page, sentence
from web.security import MEBIBYTE, SAFE_METHODS
from web.sign_in import ways_in

# What is read of somebody who is not signed in, and never was. Photos make a form larger.
LARGEST_FROM_STRANGERS = MEBIBYTE
LEAVING = "/sign-out"
AGAIN = "kept_before"
# Fields with words that somebody has typed, and what to call them wherever they stand.
LABELS = {
    "title": "标题",
    "text": "内容",
    "note": "说明",
    "clauses": "条款",
    "name": "名称",
    "phone": "电话",
    "place": "位置",
    "code": "编号",
    "aliases": "别名",
    "word": "词语",
    "recurrence": "怎样重复",
}


async def session_ended(request: Request, _error: Exception) -> Response:
    """To the sign-in; a form is kept on a page that leads there. Who wanted to leave is out already."""
    to_sign_in = RedirectResponse("/sign-in", 303)
    if request.method in SAFE_METHODS:
        remember_wanted(request, to_sign_in)
        return to_sign_in
    if request.url.path == LEAVING:
        return to_sign_in
    if not await _may_be_read(request):
        return _kept(request, FormData(), "ended", is_whole=False)
    try:
        async with request.form() as form:
            return _kept(request, form, "ended") if form.get(CSRF_FIELD) else to_sign_in
    except HTTPException:  # no form at all
        return to_sign_in


async def wrong_mark(request: Request, error: Exception) -> Response:
    """Refused; what was typed is not lost. Another person's words are kept, but not shown."""
    assert isinstance(error, WrongCsrf)
    why = "anothers" if error.is_anothers else "unknown"
    return _kept(request, await request.form(), why, visitor=await who(request))


async def too_long(request: Request, visitor: Visitor, refusal: Refused) -> Response:
    """What was too long for its field, whole, to be shortened where it stands."""
    return _kept(request, await request.form(), "too_long", visitor=visitor, refusal=sentence(refusal))


async def _may_be_read(request: Request) -> bool:
    """A small body, or one from a browser in which somebody was signed in: strangers do not fill our disk."""
    announced = Headers(scope=request.scope).get("content-length", "")
    if announced.isdecimal() and int(announced) <= LARGEST_FROM_STRANGERS:
        return True
    token = request.cookies.get(session_cookie(request), "")
    return bool(token) and await services_of(request).database.read(lambda session: accounts.is_known(session, token))


def _kept(
    request: Request,
    form: FormData,
    why: str,
    *,
    is_whole: bool = True,
    visitor: Visitor | None = None,
    refusal: str = "",
) -> Response:
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    files: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and value.filename:
            files.setdefault(name, []).append(value.filename)
    typed = [(name, value) for name, value in fields if name in LABELS and value.strip()]
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return page(
        request,
        visitor,
        "kept_form.html",
        status=409 if refusal else 403,
        why=why,
        refusal=refusal,
        action=address,
        fields=[field for field in fields if not refusal or field not in typed],
        typed=typed if why != "anothers" else [],
        labels=LABELS,
        files=list(files.items()),
        is_whole=is_whole,
        again_field=AGAIN,
        is_again=AGAIN in form,
        own_address="",  # opened again by itself, it would be empty
        **ways_in(request),
    )
