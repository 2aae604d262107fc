"""People: the register with its search, one person with duties, accounts and what may be done about them."""

import re

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.clock import in_china
from core.errors import Refused
from core.privacy import mask_phone
from domain import accounts, area_tree, chats, duties, retention, roster
from domain.areas import Area
from domain.outbox import Session
from domain.people import ROLE_NAMES, phone_of
from domain.people import Role as AnyRole
from web.acts import note
from web.auth import ClerkVisitor, DeskVisitor, Visitor, services_of
from web.forms import BY_RULE, Posted, PostedForm
from web.pages import done, page, sentence, status_of
from web.paging import paging

router = APIRouter(prefix="/people")

SHARED = "shared_phone"
TELEGRAM_NAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{4,31})")
PRIVATE_CHATS = {"unknown": ("没有私聊过", "amber"), "open": ("可以私信", "green"), "blocked": ("已拉黑机器人", "red")}
CHANNEL_NAMES = {
    "telegram": "Telegram",
    "simulator": "模拟器",
    "console": "终端",
    "wecom": "企业微信",
    "wecom_kf": "微信客服",
    "wecom_bot": "企业微信智能机器人",
    "wecom_robot": "企业微信群机器人",
    "wecom_group": "企业微信客户群",
}


@router.get("")
async def show_list(request: Request, visitor: DeskVisitor) -> HTMLResponse:
    """The community's register, searched and narrowed by role."""
    services = services_of(request)
    today = in_china(services.clock.now()).date()
    here = paging(request)
    words, role = request.query_params.get("q", "").strip()[:60], request.query_params.get("role", "")
    role = role if role in ROLE_NAMES else ""

    def work(session: Session) -> tuple[list[roster.Listed], int]:
        return roster.people_of(
            session, visitor.community_id, today=today, words=words, role=role, offset=here.offset, limit=here.size
        )

    rows, total = await services.database.read(work)
    return page(
        request,
        visitor,
        "people.html",
        rows=rows,
        total=total,
        here_is=here,
        q=words,
        role=role,
        roles=ROLE_NAMES,
        has_book=services.address_book is not None,
    )


@router.get("/new")
async def new_form(request: Request, visitor: ClerkVisitor) -> HTMLResponse:
    return await _new_page(request, visitor, {})


async def _new_page(
    request: Request, visitor: Visitor, values: dict[str, str], *, status: int = 200, refusal: str = ""
) -> HTMLResponse:
    areas = await services_of(request).database.read(lambda session: area_tree.choices(session, visitor.community_id))
    return page(
        request,
        visitor,
        "person_new.html",
        status=status,
        values=values,
        refusal=refusal,
        areas=areas,
        roles=_roles_for(visitor),
    )


def _roles_for(visitor: Visitor) -> list[tuple[str, str]]:
    return [
        (role.value, name)
        for role, name in ROLE_NAMES.items()
        if visitor.is_administrator or role not in duties.RESERVED
    ]


@router.post("/new")
async def add(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """Somebody new, with a first duty: without one they would belong to no community."""
    services = services_of(request)
    now = services.clock.now()
    words = {name: form.text(name, longest=60) for name in ("code", "name", "phone")}

    def work(session: Session) -> int:
        duties.check_may_touch(session, 0, role=form.text("role"), is_administrator_asking=visitor.is_administrator)
        person = roster.add(session, **words, now=now)
        if not form.is_checked(SHARED):
            roster.check_phone(session, visitor.community_id, words["phone"], but_id=person.id)
        area = _area(session, visitor, form)
        duties.give(session, person, area, form.text("role"), from_on=in_china(now).date())
        note(request, visitor, session, "person.add", person.id)
        return person.id

    try:
        key = await services.database.write(work)
    except Refused as refusal:
        values = _filled(form, refusal)
        return await _new_page(request, visitor, values, status=status_of(refusal), refusal=sentence(refusal))
    return done(request, visitor, f"/people/{key}", "people.added", name=words["name"])


@router.get("/{person_id}")
async def show(request: Request, visitor: DeskVisitor, person_id: int) -> HTMLResponse:
    return await _person_page(request, visitor, person_id)


async def _person_page(
    request: Request,
    visitor: Visitor,
    person_id: int,
    *,
    status: int = 200,
    refusal: str = "",
    values: dict[str, str] | None = None,
    phone: str = "",
    code: str = "",
) -> HTMLResponse:
    """One person. `phone` and `code` are shown on this answer only; they stand in no address and no cookie."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> dict[str, object]:
        view = roster.view(session, visitor.community_id, person_id)
        number = phone_of(session, view.person)
        return {
            "view": view,
            "masked": mask_phone(number) if number else "",
            "is_unreadable": view.person.phone_sealed is not None and number is None,
            "is_reserved": duties.is_administrator(session, person_id) and not visitor.is_administrator,
            "sessions": len(accounts.sessions_of(session, person_id, now=now)),
            "areas": area_tree.choices(session, visitor.community_id) if visitor.is_clerk else [],
        }

    found = await services.database.read(work)
    context: dict[str, object] = {
        "refusal": refusal,
        "values": values or {},
        "phone": phone,
        "code": code,
        "link": _link(request, code),
        "today": in_china(now).date(),
        "roles": ROLE_NAMES,
        "choices": _roles_for(visitor),
        "private_chats": PRIVATE_CHATS,
        "channels": CHANNEL_NAMES,
    }
    return page(request, visitor, "person.html", status, **{**found, **context})


def _link(request: Request, code: str) -> str:
    """A link that opens the bot with the code in it, where the bot's name on Telegram is known."""
    name = TELEGRAM_NAME.fullmatch(services_of(request).bot_names.get("telegram", ""))
    return f"https://t.me/{name[1]}?start=bind_{code}" if name and code else ""


async def _again(request: Request, visitor: Visitor, person_id: int, form: Posted, refusal: Refused) -> Response:
    """The page with the refused form filled as it was; what is not there is no form but the error page."""
    if status_of(refusal) == 404:
        raise refusal
    return await _person_page(
        request, visitor, person_id, status=status_of(refusal), refusal=sentence(refusal), values=_filled(form, refusal)
    )


def _filled(form: Posted, refusal: Refused) -> dict[str, str]:
    """What was typed; with whose a number is already, where that is why."""
    taken = {"phone_taken": str(refusal.person_id)} if isinstance(refusal, roster.PhoneTaken) else {}
    return form.values() | taken


@router.post("/{person_id}")
async def change(request: Request, visitor: ClerkVisitor, person_id: int, form: PostedForm) -> Response:
    """Another name; another number where one is typed; none where the box is ticked."""
    phone = "" if form.is_checked("no_phone") else form.text("phone", longest=40) or None

    def work(session: Session) -> None:
        person = roster.person_of(session, visitor.community_id, person_id)
        duties.check_may_touch(session, person_id, is_administrator_asking=visitor.is_administrator)
        if phone and not form.is_checked(SHARED):
            roster.check_phone(session, visitor.community_id, phone, but_id=person_id)
        roster.change(session, person, name=form.text("name", longest=BY_RULE), phone=phone)
        note(
            request,
            visitor,
            session,
            "person.change",
            person_id,
            fields=["name", *(["phone"] if phone is not None else [])],
        )

    try:
        await services_of(request).database.write(work)
    except Refused as refusal:
        return await _again(request, visitor, person_id, form, refusal)
    return done(request, visitor, f"/people/{person_id}", "people.changed")


@router.post("/{person_id}/phone")
async def show_phone(request: Request, visitor: DeskVisitor, person_id: int) -> HTMLResponse:
    """The number in the clear, on this one answer; the log says who looked."""

    def work(session: Session) -> str:
        person = roster.person_of(session, visitor.community_id, person_id)
        note(request, visitor, session, "person.phone", person_id)
        return phone_of(session, person) or ""

    phone = await services_of(request).database.write(work)
    return await _person_page(request, visitor, person_id, phone=phone)


@router.post("/{person_id}/code")
async def make_code(request: Request, visitor: ClerkVisitor, person_id: int) -> HTMLResponse:
    """A one-time code by which this person's account is bound, shown on this one answer."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> str:
        roster.person_of(session, visitor.community_id, person_id)
        duties.check_may_touch(session, person_id, is_administrator_asking=visitor.is_administrator)
        note(request, visitor, session, "person.code", person_id)
        return chats.make_code(
            session, community_id=visitor.community_id, now=now, by_id=visitor.person_id, person_id=person_id
        )

    return await _person_page(request, visitor, person_id, code=await services.database.write(work))


@router.post("/{person_id}/duties")
async def give_duty(request: Request, visitor: ClerkVisitor, person_id: int, form: PostedForm) -> Response:
    """A role in an area, from a day until a day."""
    services = services_of(request)
    today = in_china(services.clock.now()).date()
    role = form.text("role")

    def work(session: Session) -> None:
        person = roster.person_of(session, visitor.community_id, person_id)
        duties.check_may_touch(session, person_id, role=role, is_administrator_asking=visitor.is_administrator)
        area = _area(session, visitor, form)
        first, last = form.day("from_on") or today, form.day("until_on")
        duty = duties.give(session, person, area, role, from_on=first, until_on=last)
        note(request, visitor, session, "duty.give", person_id, duty=str(duty.id), role=role, area=str(area.id))

    try:
        await services.database.write(work)
    except Refused as refusal:
        return await _again(request, visitor, person_id, form, refusal)
    return done(request, visitor, f"/people/{person_id}", "people.duty_given", role=ROLE_NAMES[AnyRole(role)])


def _area(session: Session, visitor: Visitor, form: Posted) -> Area:
    """Where the duty is; refused when nothing was chosen."""
    key = form.key("area")
    if key is None:
        raise Refused("people.area_missing")
    return area_tree.area_of(session, visitor.community_id, key)


@router.post("/{person_id}/duties/{duty_id}/end")
async def end_duty(request: Request, visitor: ClerkVisitor, person_id: int, duty_id: int, form: PostedForm) -> Response:
    """The day named is the last one; none named: today."""
    services = services_of(request)
    today = in_china(services.clock.now()).date()

    def work(session: Session) -> str:
        duty = duties.duty_of(session, visitor.community_id, person_id, duty_id)
        duties.check_may_touch(session, person_id, role=duty.role, is_administrator_asking=visitor.is_administrator)
        duties.end(session, duty, last_day=form.day("until_on") or today, today=today)
        note(request, visitor, session, "duty.end", person_id, duty=str(duty_id))
        return ROLE_NAMES[AnyRole(duty.role)]

    try:
        role = await services.database.write(work)
    except Refused as refusal:
        return await _again(request, visitor, person_id, form, refusal)
    return done(request, visitor, f"/people/{person_id}", "people.duty_ended", role=role)


@router.post("/{person_id}/sessions")
async def sign_out(request: Request, visitor: ClerkVisitor, person_id: int) -> Response:
    """Every browser of this person is signed out."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> None:
        roster.person_of(session, visitor.community_id, person_id)
        duties.check_may_touch(session, person_id, is_administrator_asking=visitor.is_administrator)
        accounts.revoke_all(session, person_id, now=now)
        note(request, visitor, session, "person.sessions", person_id)

    await services.database.write(work)
    return done(request, visitor, f"/people/{person_id}", "people.sessions_revoked")


@router.post("/{person_id}/erase")
async def erase(request: Request, visitor: ClerkVisitor, person_id: int) -> Response:
    """Forgets who somebody is. Cannot be taken back."""
    services = services_of(request)
    now = services.clock.now()

    def work(session: Session) -> None:
        person = roster.person_of(session, visitor.community_id, person_id)
        if person_id == visitor.person_id:
            raise Refused("people.not_yourself")
        duties.check_may_touch(session, person_id, is_administrator_asking=visitor.is_administrator)
        retention.forget_person(session, person, now=now)
        note(request, visitor, session, "person.erase", person_id)

    await services.database.write(work)
    services.wake()
    return done(request, visitor, "/people", "people.erased")
