"""The form for what came by telephone, at the door or by letter. Who reported it and where it belongs is decided in domain/cases/entering.py."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.clock import in_china
from core.errors import Refused
from core.texts import Sentence
from domain import access
from domain.cases import entering, outcomes
from domain.cases.desk import SOURCE_NAMES
from domain.cases.entering import ANOTHER, Asked, Danger, Entry, Who
from domain.cases.opening import Matter
from domain.cases.showing import Person
from domain.outbox import Session
from web.auth import CurrentVisitor, Visitor, services_of
from web.case_steps import matter_words
from web.cases import area_choices, correction_choices
from web.forms import Posted, PostedForm
from web.pages import done, page, sentence

router = APIRouter(prefix="/desk")


@router.get("/new")
async def new_case(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """The form for what came by telephone or at the door."""
    _need_case_staff(visitor)
    return await _new_page(request, visitor, {"source": "telephone"})


def _need_case_staff(visitor: Visitor) -> None:
    if not visitor.enters_cases:
        raise Refused("web.not_at_desk")


async def _new_page(
    request: Request,
    visitor: Visitor,
    values: dict[str, str],
    *,
    status: int = 200,
    refusal: str = "",
    asked: Asked | None = None,
) -> HTMLResponse:
    here = visitor.community_id
    places = await services_of(request).database.read(lambda session: area_choices(session, here))
    return page(
        request,
        visitor,
        "cases_new.html",
        status=status,
        values=values,
        refusal=refusal,
        asked=asked,
        another=ANOTHER,
        sources=[(value, words) for value, words in SOURCE_NAMES.items() if value != "chat"],
        choices=correction_choices(places, here, visitor),
    )


def _entry(form: Posted) -> Entry:
    kind, topic, urgency, place, area_id = matter_words(form)
    who, danger = form.text("who"), form.text("danger")
    return Entry(
        Matter(kind, topic, urgency, form.text("text"), place, area_id, has_place=bool(place)),
        form.text("source"),
        form.text("name", longest=60),
        form.text("phone", longest=30),
        who=Who(who) if who in set(Who) else Who.UNSAID,
        same=form.text("same", longest=30),
        danger=Danger(danger) if danger in set(Danger) else Danger.UNSAID,
    )


@router.post("/new")
async def open_case(request: Request, visitor: CurrentVisitor, form: PostedForm) -> Response:
    """Enters it; from there it lives like any other case."""
    _need_case_staff(visitor)
    services = services_of(request)
    now = services.clock.now()

    def work_on(session: Session) -> tuple[int, Sentence, bool] | Asked:
        entry, here = _entry(form), visitor.community_id
        entered = entering.enter(session, entry, community_id=here, actor_id=visitor.person_id, now=now)
        if isinstance(entered, Asked):
            return entered
        case, person = entered.case, session.get_one(Person, visitor.person_id)
        said = outcomes.of_entry(session, entered)
        return case.id, said, access.may_work(session, person, case, in_china(now).date())

    try:
        entered = await services.database.write(work_on)
    except Refused as refusal:
        return await _new_page(request, visitor, form.values(), status=409, refusal=sentence(refusal))
    if isinstance(entered, Asked):
        return await _new_page(request, visitor, form.values(), status=409, asked=entered)
    case_id, said, is_ours = entered
    services.wake()
    address = f"/desk/cases/{case_id}" if is_ours else "/desk"
    return done(request, visitor, address, said.key, "green", **said.blanks)
