"""The desk of cases: the list with its filters, the board, one's own tasks, the wishes, and one case with all that belongs to it.

The steps that change a case are web/case_steps.py; who may see what is decided in domain/cases/.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse

from core.clock import in_china
from core.messages import Kind, Urgency
from domain import areas
from domain.areas import AreaLevel
from domain.cases import overview, showing
from domain.cases.life import ACTIVE, STATE_NAMES, WITH_WORKER, State
from domain.cases.overview import Filters, Sight
from domain.cases.words import KIND_NAMES, URGENCY_NAMES
from domain.outbox import Session
from domain.people import ROLE_NAMES
from domain.topics import topics
from web.auth import CurrentVisitor, DeskVisitor, Visitor, services_of
from web.forms import read_key
from web.outbox import REASONS
from web.pages import page
from web.paging import paging
from web.people import CHANNEL_NAMES
from web.rendering import TimelineEntry

router = APIRouter(prefix="/desk")

# The choices of the state filter: value, words, the states meant.
STATE_CHOICES: dict[str, tuple[str, frozenset[State]]] = {
    "active": ("在办", ACTIVE),
    "open": (STATE_NAMES[State.OPEN], frozenset({State.OPEN})),
    "with_worker": ("已派出", WITH_WORKER),
    "finished": ("待评价", frozenset({State.FINISHED})),
    "closed": (STATE_NAMES[State.CLOSED], frozenset({State.CLOSED})),
    "withdrawn": (STATE_NAMES[State.WITHDRAWN], frozenset({State.WITHDRAWN})),
    "all": ("全部", frozenset()),
}
AREA_LEVELS = (AreaLevel.GRID, AreaLevel.MICRO_GRID, AreaLevel.BUILDING, AreaLevel.PLACE)
INDENT = {AreaLevel.MICRO_GRID: "　", AreaLevel.BUILDING: "　　", AreaLevel.PLACE: "　　"}
LONGEST_SEARCH = 60
WISHES = Kind.WISH

Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FilterForm:
    """The filters as the address holds them, and the choices of their fields."""

    values: dict[str, str]
    areas: Choices
    workers: Choices
    states: Choices
    kinds: Choices
    topics: Choices


def read_filters(query: QueryParams, *, kind: Kind | None = None, default_state: str = "active") -> Filters:
    """What the address asks for; what makes no sense is left out."""
    state = query.get("state", default_state)
    asked = query.get("kind", "")
    return Filters(
        states=STATE_CHOICES.get(state, STATE_CHOICES[default_state])[1],
        kind=kind or (Kind(asked) if asked in KIND_NAMES else None),
        topic=query.get("topic", "")[:LONGEST_SEARCH],
        area_id=read_key(query.get("area", "")),
        worker_id=read_key(query.get("worker", "")),
        is_overdue=query.get("overdue", "") == "1",
        words=query.get("q", "").strip()[:LONGEST_SEARCH],
        by_deadline=query.get("order", "") == "deadline",
    )


def area_choices(session: Session, community_id: int) -> Choices:
    """The community itself, its grids and what lies in them, indented."""
    rows = areas.of_community(session, community_id, levels=AREA_LEVELS)
    return [(str(area.id), INDENT.get(AreaLevel(area.level), "") + area.name) for area in rows]


def topic_choices() -> Choices:
    return [(code, f"{topic.head} · {topic.name}") for code, topic in topics().items()]


FILTER_FIELDS = ("q", "kind", "topic", "area", "worker", "overdue", "order")


def _filter_form(request: Request, session: Session, visitor: Visitor) -> FilterForm:
    heads = dict.fromkeys(topic.head for topic in topics().values())
    return FilterForm(
        values=dict.fromkeys(FILTER_FIELDS, "") | {"state": "active"} | dict(request.query_params),
        areas=area_choices(session, visitor.community_id),
        workers=[(str(key), name) for key, name in overview.workers(session, visitor.community_id)],
        states=[(value, words) for value, (words, _) in STATE_CHOICES.items()],
        kinds=[(kind.value, words) for kind, words in KIND_NAMES.items()],
        topics=[(head, head) for head in heads] + topic_choices(),
    )


def sight(request: Request, session: Session, visitor: Visitor) -> Sight:
    today = in_china(services_of(request).clock.now()).date()
    return overview.sight_of(session, visitor.person_id, visitor.community_id, today)


@router.get("")
async def list_cases(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """All that this person may see, filtered."""
    return await _list(request, visitor, "cases_list.html")


@router.get("/wishes")
async def wishes(request: Request, visitor: DeskVisitor) -> HTMLResponse:
    """The wishes, with their wishers: for the desk alone."""
    return await _list(request, visitor, "cases_wishes.html", kind=WISHES)


async def _list(request: Request, visitor: Visitor, template: str, *, kind: Kind | None = None) -> HTMLResponse:
    services, asked = services_of(request), paging(request)
    now, filters = services.clock.now(), read_filters(request.query_params, kind=kind)

    def look(session: Session) -> tuple[overview.Page, overview.Counts, FilterForm]:
        may_see = sight(request, session, visitor)
        return (
            overview.page_of(session, may_see, filters, number=asked.number, now=now),
            overview.counts_of(session, may_see, now=now, filters=Filters(kind=kind)),
            _filter_form(request, session, visitor),
        )

    found, counts, form = await services.database.read(look)
    return page(request, visitor, template, found=found, counts=counts, form=form, address=asked.address)


@router.get("/board")
async def board(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """The same cases in columns by state; a card is dragged, or moved by its menu."""
    services = services_of(request)
    now, filters = services.clock.now(), read_filters(request.query_params, default_state="all")

    def look(session: Session) -> tuple[dict[State, list[overview.CaseRow]], overview.Counts, FilterForm]:
        may_see = sight(request, session, visitor)
        return (
            overview.board_of(session, may_see, filters, now=now),
            overview.counts_of(session, may_see, now=now, filters=filters),
            _filter_form(request, session, visitor),
        )

    columns, counts, form = await services.database.read(look)
    return page(
        request, visitor, "cases_board.html", columns=columns, counts=counts, form=form, state_names=STATE_NAMES
    )


@router.get("/mine")
async def mine(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """What this person has in hand, and what lies in their areas without anybody."""
    services = services_of(request)
    now = services.clock.now()

    def look(session: Session) -> tuple[list[overview.CaseRow], list[overview.CaseRow]]:
        may_see = sight(request, session, visitor)
        return overview.tasks(session, may_see, now=now), overview.waiting(session, may_see, now=now)

    tasks, waiting = await services.database.read(look)
    return page(request, visitor, "cases_mine.html", tasks=tasks, waiting=waiting)


@router.get("/cases/{case_id}")
async def show(request: Request, visitor: CurrentVisitor, case_id: int) -> HTMLResponse:
    """One case. ?step=… opens that step's form."""
    return await case_page(request, visitor, case_id, opened=request.query_params.get("step", ""))


async def case_page(
    request: Request,
    visitor: Visitor,
    case_id: int,
    *,
    status: int = 200,
    opened: str = "",
    values: dict[str, str] | None = None,
    refusal: str = "",
    phone: str = "",
) -> HTMLResponse:
    """The case's page; after a refused step with that step's form open and filled as it was sent."""
    services = services_of(request)
    now = services.clock.now()

    def look(session: Session) -> tuple[showing.CaseView, Choices]:
        view = showing.view(session, visitor.person_id, case_id, now=now)
        return view, area_choices(session, view.row.community_id)

    view, places = await services.database.read(look)
    entries = [TimelineEntry(line.at, line.title, line.who, line.text, line.tone) for line in view.events]
    return page(
        request,
        visitor,
        "cases_one.html",
        status=status,
        case=view.row,
        view=view,
        timeline_entries=entries,
        opened=opened,
        values=values or {},
        refusal=refusal,
        phone=phone,
        reasons=REASONS,
        channels=CHANNEL_NAMES,
        can_serve=view.standing is not None and view.standing.channel in services.with_servicers,
        role_names=ROLE_NAMES,
        choices=correction_choices(places, view.row.community_id, visitor),
        deadline=in_china(view.row.deadline_at).strftime("%Y-%m-%dT%H:%M") if view.row.deadline_at else "",
    )


def correction_choices(places: Choices, community_id: int, visitor: Visitor) -> dict[str, Choices]:
    """The choices of the forms in which staff say what a case is."""
    name = dict(visitor.communities).get(community_id, "全社区")
    return {
        "areas": [(str(community_id), name), *places],
        "kinds": [(kind.value, words) for kind, words in KIND_NAMES.items()],
        "topics": topic_choices(),
        "urgencies": [(urgency.value, URGENCY_NAMES[urgency]) for urgency in Urgency],
    }
