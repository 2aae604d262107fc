"""The grid: its tree, one area with the people in charge of it, areas added and renamed by hand, and files of areas and people."""

from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.clock import in_china
from core.errors import ImportFaults, Refused
from core.ids import new_id
from domain import area_tree, duties, places
from domain.areas import LEVEL_NAMES
from domain.imports import ImportReport, Table, import_areas, import_people, parse_table
from domain.imports.areas import COLUMNS as AREA_COLUMNS
from domain.imports.entries import COLUMNS as PEOPLE_COLUMNS
from domain.outbox import Session
from domain.people import ROLE_NAMES
from web.acts import note
from web.auth import ClerkVisitor, CurrentVisitor, Visitor, services_of
from web.forms import PostedForm
from web.pages import done, page, sentence, status_of

router = APIRouter(prefix="/areas")

# What a file may be of: its name, and the columns of its form.
FILES = {"areas": ("网格", AREA_COLUMNS), "people": ("人员", PEOPLE_COLUMNS)}
EXAMPLES = {
    "areas": ("和谐里社区", "楼栋", "B03", "3号楼", "G11", "3栋、三号楼"),
    "people": ("W01", "王建国", "13800000000", "和谐里社区", "网格员", "G1", "2026-01-01", "", "", "", "", ""),
}


@router.get("")
async def show_tree(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    """The whole community, foldable."""
    services = services_of(request)
    today = in_china(services.clock.now()).date()
    root = await services.database.read(lambda session: area_tree.tree(session, visitor.community_id, today))
    return page(request, visitor, "areas.html", root=root, levels=LEVEL_NAMES, roles=ROLE_NAMES)


@router.get("/import")
async def import_form(request: Request, visitor: ClerkVisitor) -> HTMLResponse:
    return _import_page(request, visitor)


def _import_page(
    request: Request, visitor: Visitor, *, status: int = 200, faults: tuple[str, ...] = (), kind: str = "areas"
) -> HTMLResponse:
    return page(request, visitor, "areas_import.html", status=status, faults=faults, kind=kind, files=FILES)


@router.get("/template/{kind}.csv")
async def template(kind: str) -> Response:
    """An empty form with its headers and one row to show how; Excel needs the mark in front to see UTF-8."""
    if kind not in FILES:
        raise Refused("areas.not_found")
    lines = [",".join(column.title for column in FILES[kind][1]), ",".join(EXAMPLES[kind])]
    body = "\ufeff" + "\r\n".join(lines) + "\r\n"
    disposition = {"content-disposition": f'attachment; filename="{kind}.csv"'}
    return Response(body.encode(), media_type="text/csv; charset=utf-8", headers=disposition)


@router.post("/import")
async def take_file(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """All of a file or nothing; every fault by row."""
    kind = "people" if form.text("kind") == "people" else "areas"
    uploads = form.uploads("file")
    if not uploads:
        return _import_page(request, visitor, status=409, faults=(sentence(Refused("areas.no_file")),), kind=kind)
    content = await uploads[0].read()
    services = services_of(request)

    def work(session: Session) -> ImportReport:
        table = parse_table(uploads[0].filename or "", content)
        report = _import(session, visitor, kind, table, now=services.clock.now())
        note(request, visitor, session, f"import.{kind}", added=report.added, changed=report.changed)
        return report

    try:
        report = await services.database.write(work)
    except ImportFaults as refusal:
        return _import_page(request, visitor, status=409, faults=refusal.faults, kind=kind)
    except Refused as refusal:
        return _import_page(request, visitor, status=status_of(refusal), faults=(sentence(refusal),), kind=kind)
    address = "/areas" if kind == "areas" else "/people"
    return done(
        request,
        visitor,
        address,
        "areas.imported",
        added=report.added,
        changed=report.changed,
        unchanged=report.unchanged,
    )


def _import(session: Session, visitor: Visitor, kind: str, table: Table, *, now: datetime) -> ImportReport:
    reserved = duties.administrators(session)
    report = import_areas(session, table) if kind == "areas" else import_people(session, table, now=now)
    _check_reach(session, visitor, reserved)
    places.note_changed(session, str(new_id()))
    return report


def _check_reach(session: Session, visitor: Visitor, reserved: frozenset[tuple[object, ...]]) -> None:
    """A clerk's file must not make administrators or take their accounts, nor reach into another community."""
    if visitor.is_administrator:
        return
    if duties.administrators(session) != reserved or not area_tree.is_only_community(session):
        raise Refused("areas.only_administrator")


@router.get("/{area_id}")
async def show_area(request: Request, visitor: CurrentVisitor, area_id: int) -> HTMLResponse:
    return await _area_page(request, visitor, area_id)


async def _area_page(
    request: Request,
    visitor: Visitor,
    area_id: int,
    *,
    status: int = 200,
    faults: tuple[str, ...] = (),
    values: dict[str, str] | None = None,
) -> HTMLResponse:
    """One area. `faults` are those of the form that came back with `values`; its field `form` tells which."""
    services = services_of(request)
    today = in_china(services.clock.now()).date()
    view = await services.database.read(lambda session: area_tree.view(session, visitor.community_id, area_id, today))
    return page(
        request,
        visitor,
        "area.html",
        status=status,
        view=view,
        faults=faults,
        values=values or {},
        below=area_tree.children_levels(view.area.level),
        levels=LEVEL_NAMES,
        roles=ROLE_NAMES,
    )


@router.post("/{area_id}")
async def change_area(request: Request, visitor: ClerkVisitor, area_id: int, form: PostedForm) -> Response:
    """Another name, or other names that people say."""
    name, aliases = form.text("name", longest=200), form.text("aliases", longest=400)

    def work(session: Session) -> str:
        area = area_tree.area_of(session, visitor.community_id, area_id)
        area_tree.change(session, area, name=name, aliases=aliases)
        note(request, visitor, session, "area.change", area.id)
        return area.name

    try:
        saved = await services_of(request).database.write(work)
    except ImportFaults as refusal:
        values = form.values() | {"form": "change"}
        return await _area_page(request, visitor, area_id, status=409, faults=refusal.faults, values=values)
    return done(request, visitor, f"/areas/{area_id}", "areas.changed", name=saved)


@router.post("/{area_id}/add")
async def add_area(request: Request, visitor: ClerkVisitor, area_id: int, form: PostedForm) -> Response:
    """A new area directly below this one."""
    words = {name: form.text(name, longest=400) for name in ("level", "code", "name", "aliases")}

    def work(session: Session) -> int:
        parent = area_tree.area_of(session, visitor.community_id, area_id)
        added = area_tree.add(session, parent, **words)
        note(request, visitor, session, "area.add", added.id)
        return added.id

    values = form.values() | {"form": "add"}
    try:
        key = await services_of(request).database.write(work)
    except ImportFaults as refusal:
        return await _area_page(request, visitor, area_id, status=409, faults=refusal.faults, values=values)
    except Refused as refusal:
        if status_of(refusal) == 404:
            raise
        return await _area_page(request, visitor, area_id, status=409, faults=(sentence(refusal),), values=values)
    return done(request, visitor, f"/areas/{key}", "areas.added", name=words["name"])
