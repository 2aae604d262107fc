"""The organisation's address book beside the register: which department stands for which duty, and who is new, changed or gone.

Nothing is taken up but what somebody has looked at and ticked.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.clock import in_china
from core.colleagues import AddressBook, Colleague
from core.errors import DeliveryError, Refused
from domain import area_tree
from domain.colleagues import plan, rules, taking
from domain.duties import RESERVED
from domain.outbox import Session
from domain.people import ROLE_NAMES
from domain.people import Role as AnyRole
from web.acts import note
from web.auth import ClerkVisitor, Visitor, services_of
from web.forms import Posted, PostedForm, read_key
from web.pages import done, page, sentence, status_of

router = APIRouter(prefix="/people/colleagues")

HERE = "/people/colleagues"
# Of each section: what is ticked comes back in one form, of which a thousand fields are read.
MOST_LISTED = 60
GIVEN_BY_HAND = [(role.value, name) for role, name in ROLE_NAMES.items() if role not in RESERVED]


@dataclass(frozen=True, slots=True)
class Read:
    """What the platform told, or why it told nothing."""

    colleagues: tuple[Colleague, ...]
    trouble: str = ""


def _book(request: Request) -> AddressBook:
    book = services_of(request).address_book
    if book is None:
        raise Refused("colleagues.no_book")
    return book


async def _read(book: AddressBook) -> Read:
    try:
        return Read(tuple(await book.read()))
    except DeliveryError as error:
        return Read((), sentence(Refused("colleagues.out_of_reach", reason=error.reason)))


@router.get("")
async def show(request: Request, visitor: ClerkVisitor) -> HTMLResponse:
    return await _page(request, visitor)


async def _page(
    request: Request, visitor: Visitor, *, status: int = 200, refusal: str = "", values: dict[str, str] | None = None
) -> HTMLResponse:
    """Asked of the platform anew each time; what is shown is the community's own part of it."""
    services, book = services_of(request), _book(request)
    read = await _read(book)
    today = in_china(services.clock.now()).date()

    def work(session: Session) -> dict[str, object]:
        # Where nothing could be read nobody is gone.
        made = plan.make_plan(session, visitor.community_id, book.channel, read.colleagues, today=today)
        return {
            "plan": plan.Plan((), (), 0) if read.trouble else made,
            "table": rules.of_community(session, visitor.community_id),
            "areas": area_tree.choices(session, visitor.community_id),
        }

    found = await services.database.read(work)
    words: dict[str, object] = {
        "refusal": refusal or read.trouble,
        "values": values or {},
        "roles": ROLE_NAMES,
        "choices": GIVEN_BY_HAND,
        "sections": SECTIONS,
        "most": MOST_LISTED,
    }
    return page(request, visitor, "colleagues.html", 502 if read.trouble else status, **{**found, **words})


# (standing, heading, what ticking means)
SECTIONS = (
    (plan.Standing.NEW, "新来的", "勾选后登记为工作人员，绑定企业微信账号，并给出勾选的职务。"),
    (plan.Standing.CHANGED, "部门或职务有变化", "勾选后给出新增的职务；原有的职务不会自动结束，请到各人的页面里结束。"),
    (
        plan.Standing.GONE,
        "通讯录里没有了",
        "可能已离职，也可能只是不在应用的可见范围里。勾选后停掉登录和职务，手上的事转给别人。",
    ),
)


@router.post("/rules")
async def add_rule(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """A department, with a word in the position where one is given, stands for a role in an area."""
    names = {name: form.text(name, longest=rules.LONGEST) for name in ("department", "position", "role")}

    def work(session: Session) -> str:
        area = area_tree.area_of(session, visitor.community_id, form.key("area") or 0)
        made = rules.add(session, area, **names)
        note(request, visitor, session, "department.add", made.id, role=made.role, area=str(area.id))
        return area.name

    try:
        area = await services_of(request).database.write(work)
    except Refused as refusal:
        return await _page(request, visitor, status=status_of(refusal), refusal=sentence(refusal), values=form.values())
    role = ROLE_NAMES[AnyRole(names["role"])]
    return done(request, visitor, HERE, "colleagues.rule_added", department=names["department"], role=role, area=area)


@router.post("/rules/{rule_id}/remove")
async def remove_rule(request: Request, visitor: ClerkVisitor, rule_id: int) -> Response:
    def work(session: Session) -> None:
        rule = rules.remove(session, visitor.community_id, rule_id)
        note(request, visitor, session, "department.remove", rule_id, role=rule.role, area=str(rule.area_id))

    await services_of(request).database.write(work)
    return done(request, visitor, HERE, "colleagues.rule_removed")


@router.post("/take")
async def take(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """The ticked lines, against the address book as it is now: what has changed since it was looked at is left."""
    services, book = services_of(request), _book(request)
    choices = [_choice(form, external_id) for external_id in dict.fromkeys(form.texts("take"))]
    if not choices:
        return done(request, visitor, HERE, "colleagues.nothing_chosen", tone="amber")
    read = await _read(book)
    if read.trouble:
        return await _page(request, visitor)
    now = services.clock.now()
    clerk = taking.Clerk(visitor.person_id, visitor.community_id, visitor.is_administrator)

    def work(session: Session) -> taking.Taken:
        today = in_china(now).date()
        made = plan.make_plan(session, visitor.community_id, book.channel, read.colleagues, today=today)
        return taking.take(session, clerk, book.channel, made, choices, now=now)

    try:
        taken = await services.database.write(work)
    except Refused as refusal:
        return await _page(request, visitor, status=status_of(refusal), refusal=sentence(refusal))
    services.wake()
    if taken.stale:
        return done(request, visitor, HERE, "colleagues.taken_some", tone="amber", count=taken.done, stale=taken.stale)
    return done(request, visitor, HERE, "colleagues.taken", count=taken.done)


def _choice(form: Posted, external_id: str) -> taking.Choice:
    duties = set()
    for words in form.texts(f"duty:{external_id}"):
        role, _, area = words.partition(":")
        key = read_key(area)
        if key is not None:
            duties.add((role, key))
    return taking.Choice(
        external_id,
        form.text(f"digest:{external_id}", longest=64),
        frozenset(duties),
        form.key(f"person:{external_id}"),
    )
