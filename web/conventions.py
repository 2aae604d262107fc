"""The residents' convention: entering it, keeping its clauses, and the rotation that posts them one by one."""

from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from core.errors import Refused
from domain import announcements, conventions
from domain.announcements import Announcement, overview
from domain.conventions import ClauseWords, Convention
from domain.outbox import Session
from domain.recurrence import describe, parse_recurrence
from domain.topics import name_of, topics
from web.acts import note
from web.announcement_times import next_words
from web.auth import ClerkVisitor, CurrentVisitor, Visitor, services_of
from web.forms import BY_RULE, Posted, PostedForm
from web.pages import done, page, sentence, status_of

router = APIRouter(prefix="/conventions")

ROTATION_TITLE = "公约轮播"
USUAL = "每周一 9:00"
LONGEST_CLAUSES = 60_000


@router.get("")
async def show(request: Request, visitor: CurrentVisitor) -> HTMLResponse:
    return await _page(request, visitor)


async def _page(
    request: Request,
    visitor: Visitor,
    *,
    refusal: Refused | None = None,
    values: dict[str, str] | None = None,
    form: str = "",
) -> HTMLResponse:
    """The convention. After a refusal `form` tells which form comes back, with `values`."""
    now = services_of(request).clock.now()

    def work(session: Session) -> dict[str, object]:
        convention = conventions.current(session, visitor.community_id)
        rotation = overview.rotation_of(session, visitor.community_id)
        return {
            "convention": convention,
            "clauses": conventions.clauses_of(session, convention) if convention else [],
            "earlier": conventions.earlier(session, visitor.community_id),
            "rotation": rotation,
            "rule": _rule_words(rotation),
            "times": _times(session, rotation, now),
        }

    found = await services_of(request).database.read(work)
    context: dict[str, object] = {
        "topics": [(code, topic.name) for code, topic in topics().items()],
        "topic_name": name_of,
        "usual": USUAL,
        "refusal": sentence(refusal) if refusal else "",
        "values": values or {},
        "form": form,
    }
    status = status_of(refusal) if refusal else 200
    return page(request, visitor, "conventions.html", status, **{**found, **context})


def _rule_words(rotation: Announcement | None) -> str:
    if rotation is None or not rotation.recurrence:
        return ""
    try:
        return describe(parse_recurrence(rotation.recurrence))
    except Refused:
        return rotation.recurrence


def _times(session: Session, rotation: Announcement | None, now: datetime) -> tuple[datetime, ...]:
    if rotation is None:
        return ()
    try:
        return announcements.preview(session, rotation, now=now).times
    except Refused:
        return ()


def _current(session: Session, visitor: Visitor) -> Convention:
    convention = conventions.current(session, visitor.community_id)
    if convention is None:
        raise Refused("conventions.none_yet")
    return convention


async def _refused(request: Request, visitor: Visitor, refusal: Refused, form: Posted, name: str) -> HTMLResponse:
    if status_of(refusal) == 404:
        raise refusal
    return await _page(request, visitor, refusal=refusal, values=form.values(), form=name)


@router.post("/adopt")
async def adopt(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """A convention from now on, a clause a line. Where there is one, only after the page that asks whether it may be replaced."""
    services = services_of(request)
    now = services.clock.now()
    lines = [line.strip() for line in form.text("clauses", longest=LONGEST_CLAUSES).split("\n") if line.strip()]
    title, words = form.text("title", longest=BY_RULE), [ClauseWords(line) for line in lines]
    if form.is_checked("again"):
        return await _page(request, visitor, values={"title": title, "clauses": "\n".join(lines)}, form="adopt")

    def work(session: Session) -> str | None:
        there = conventions.current(session, visitor.community_id)
        conventions.check(title, words)
        if there is not None and form.key("replaces") != there.id:
            return None
        made = conventions.adopt(session, visitor.community_id, title, words, now)
        note(request, visitor, session, "convention.adopt", made.id)
        return made.title

    try:
        adopted = await services.database.write(work)
    except Refused as refusal:
        return await _refused(request, visitor, refusal, form, "adopt")
    if adopted is None:
        return await _ask_to_replace(request, visitor, title, lines)
    return done(request, visitor, "/conventions", "conventions.adopted", title=adopted, count=len(lines))


async def _ask_to_replace(request: Request, visitor: Visitor, title: str, lines: list[str]) -> HTMLResponse:
    """What is there and what would take its place, side by side. Nothing has been changed yet."""

    def work(session: Session) -> dict[str, object]:
        there = _current(session, visitor)
        return {
            "there": there,
            "clauses": conventions.clauses_of(session, there),
            "rotation": overview.rotation_of(session, visitor.community_id),
        }

    found = await services_of(request).database.read(work)
    return page(request, visitor, "convention_replace.html", 200, **{**found, "title": title, "lines": lines})


def _words(form: Posted) -> ClauseWords:
    return ClauseWords(form.text("text", longest=BY_RULE), form.text("topic", longest=60) or None)


@router.post("/clauses")
async def add_clause(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """A clause under the next number."""

    def work(session: Session) -> int:
        clause = conventions.add_clause(session, _current(session, visitor), _words(form))
        note(request, visitor, session, "clause.add", clause.id)
        return clause.number

    try:
        number = await services_of(request).database.write(work)
    except Refused as refusal:
        return await _refused(request, visitor, refusal, form, "add")
    return done(request, visitor, "/conventions", "conventions.clause_added", number=number)


@router.post("/clauses/{clause_id}")
async def change_clause(request: Request, visitor: ClerkVisitor, clause_id: int, form: PostedForm) -> Response:
    """New words under the old number."""

    def work(session: Session) -> int:
        clause = conventions.clause_of(session, visitor.community_id, clause_id)
        conventions.change_clause(session, clause, _words(form))
        note(request, visitor, session, "clause.change", clause_id)
        return clause.number

    try:
        number = await services_of(request).database.write(work)
    except Refused as refusal:
        return await _refused(request, visitor, refusal, form, str(clause_id))
    return done(request, visitor, "/conventions", "conventions.clause_changed", number=number)


@router.post("/clauses/{clause_id}/off")
async def clause_off(request: Request, visitor: ClerkVisitor, clause_id: int) -> Response:
    def work(session: Session) -> int:
        clause = conventions.clause_of(session, visitor.community_id, clause_id)
        conventions.deactivate(session, clause)
        note(request, visitor, session, "clause.off", clause_id)
        return clause.number

    number = await services_of(request).database.write(work)
    return done(request, visitor, "/conventions", "conventions.clause_off", number=number)


@router.post("/clauses/{clause_id}/on")
async def clause_on(request: Request, visitor: ClerkVisitor, clause_id: int) -> Response:
    def work(session: Session) -> int:
        clause = conventions.clause_of(session, visitor.community_id, clause_id)
        conventions.activate(session, clause)
        note(request, visitor, session, "clause.on", clause_id)
        return clause.number

    number = await services_of(request).database.write(work)
    return done(request, visitor, "/conventions", "conventions.clause_on", number=number)


@router.post("/rotation")
async def rotate(request: Request, visitor: ClerkVisitor, form: PostedForm) -> Response:
    """Clauses go to all residents' groups of the community, one at a time, as the words say; a rotation there is gets new times."""
    services = services_of(request)
    now = services.clock.now()
    words = form.text("recurrence", longest=100)

    def work(session: Session) -> str:
        if not words:
            raise Refused("announcements.recurrence_empty")
        rotation = overview.rotation_of(session, visitor.community_id) or announcements.draft(
            session,
            community_id=visitor.community_id,
            title=ROTATION_TITLE,
            text="",
            area_ids=[visitor.community_id],
            chat_ids=(),
            roles=(),
            file_ids=(),
            by=visitor.person_id,
            now=now,
            is_clause_rotation=True,
        )
        announcements.schedule(session, rotation, at=None, recurrence=words, now=now)
        note(request, visitor, session, "rotation.on", rotation.id)
        return next_words(session, rotation, now=now)

    try:
        first = await services.database.write(work)
    except Refused as refusal:
        return await _refused(request, visitor, refusal, form, "rotation")
    services.wake()
    return done(request, visitor, "/conventions", "conventions.rotation_on", when=first)


@router.post("/rotation/off")
async def stop_rotation(request: Request, visitor: ClerkVisitor) -> Response:
    def work(session: Session) -> None:
        rotation = overview.rotation_of(session, visitor.community_id)
        if rotation is not None:
            announcements.cancel(session, rotation)
            note(request, visitor, session, "rotation.off", rotation.id)

    await services_of(request).database.write(work)
    return done(request, visitor, "/conventions", "conventions.rotation_off")
